"""Checkpoints held against a tree that grows: each when the tree has grown to its size."""

from collections.abc import Iterable, Iterator
from typing import Final

from joingate.codecs.merkle import Peaks
from joingate.codecs.signed_note import Checkpoint, NoteError, VerifierKey, open_checkpoint
from joingate.core.audit_findings import Property

_LINES: Final = 5
"""Of a checkpoint with one signature."""

Named = tuple[str, bytes]
"""A note, and what to call it."""


class Checkpoints:
    """The checkpoints of one kind, the smallest first.

    Attributes:
        due: size of the tree at which to call `check` next; -1 when there is none any more.
        seen: how many there were.
        borne_out: size of the largest whose root the records gave.
        last: the last note; empty before there is one.
    """

    def __init__(self, found: Property, notes: Iterable[Named], key: VerifierKey, *, own: bool) -> None:
        """Begin.

        Args:
            found: where violations are noted.
            notes: signed notes; of those that are none, or of somebody else, a violation is noted.
            key: whose.
            own: whether they are as the ledger has written them: in the order of their sizes, and each with its one
                signature. Others have signatures of others, are few, and are sorted.
        """
        self.due = -1
        self.seen = 0
        self.borne_out = 0
        self.last = b""
        self._found = found
        self._own = own
        opened = self._opened(notes, key)
        self._waiting = self._ascending(opened) if own else iter(sorted(opened, key=lambda each: each[1].size))
        self._name, self._next = "", Checkpoint("", 0, b"")
        self._advance()

    def _opened(self, notes: Iterable[Named], key: VerifierKey) -> Iterator[tuple[str, Checkpoint]]:
        for name, note in notes:
            self.seen += 1
            self.last = note
            if self._own and note.count(b"\n") > _LINES:
                self._found.violate(None, f"{name}: is more than a checkpoint and its one signature")
            try:
                yield name, open_checkpoint(note.decode(), key)
            except NoteError as error:
                self._found.violate(None, f"{name}: {error}")
            except UnicodeDecodeError:
                self._found.violate(None, f"{name}: is not UTF-8")

    def _ascending(self, opened: Iterable[tuple[str, Checkpoint]]) -> Iterator[tuple[str, Checkpoint]]:
        size = 0
        for name, checkpoint in opened:
            if checkpoint.size < size:
                self._found.violate(None, f"{name}: is of {checkpoint.size} records, after one of {size}")
            else:
                size = checkpoint.size
                yield name, checkpoint

    def _advance(self) -> None:
        self._name, self._next = next(self._waiting, ("", Checkpoint("", -1, b"")))
        self.due = self._next.size

    def check(self, peaks: Peaks) -> None:
        """Compare every checkpoint that is due with the tree."""
        root = peaks.root()
        while self.due == peaks.size:
            if self._next.root == root:
                self.borne_out = self.due
            else:
                self._found.violate(None, f"{self._name}: the first {self.due} records do not give its root")
            self._advance()

    def finish(self, size: int) -> None:
        """Note that there are no more than `size` records."""
        while self.due >= 0:
            self._found.violate(None, f"{self._name}: is of {self.due} records, and only {size} are there")
            self._advance()
