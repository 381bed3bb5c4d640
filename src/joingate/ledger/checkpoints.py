"""The ledger's checkpoints on disk: the newest is read, and a newer one added, never one that contradicts it.

`checkpoints` holds every one, note after note; `checkpoint` is a copy of the newest. Several processes sign, one at a
time: each holds the lock of the signing key, which nobody else can open. (The files that are published would not do: a
stranger who may read one could hold its lock.)
"""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from joingate.codecs.merkle import Peaks
from joingate.codecs.signed_note import Checkpoint, NoteError, VerifierKey, open_checkpoint, sign_note
from joingate.core.errors import RefusedInputError
from joingate.ledger.durable import MODE, sync_folder, write_beside, write_whole
from joingate.ledger.files import LedgerFiles
from joingate.ledger.keys import SIGNING_KEY
from joingate.ledger.lock import PATIENTLY, lock_file
from joingate.ledger.trouble import LedgerUnavailableError

_NOTE: Final = re.compile(
    rb"^[!-*,-~]+\n[0-9]+\n[A-Za-z0-9+/=]+\n\n(?:\xe2\x80\x94 [!-*,-~]+ [A-Za-z0-9+/=]+\n)+", re.MULTILINE
)
_LAST_BYTES: Final = 16_384
"""Of `checkpoints` that are read to find the last note; one has some 250."""
_LONGEST_TORN: Final = 1024
"""Bytes behind the last note that can be the beginning of another."""

RootAt = Callable[[int], bytes | None]
"""The root of the first so many records, or None where that is no longer known."""


class Checkpoints:
    """The checkpoints of one ledger."""

    def __init__(self, files: LedgerFiles, key: Ed25519PrivateKey, verifier_key: VerifierKey) -> None:
        self._files = files
        self._key = key
        self._verifier_key = verifier_key
        self._agreed: tuple[bytes, int] = b"", 0
        """The last note that is known to agree with this process's history, and its size."""

    def newest(self) -> Checkpoint | None:
        """Return the newest checkpoint, and mend the copy of it where a crash has kept it from being made.

        Raises:
            RefusedInputError: what is there is none, or not of this ledger.
            LedgerUnavailableError: another process signs, and does not come to an end.
            OSError: a file cannot be read or written.
        """
        files = self._files
        if not files.checkpoints.exists():
            if files.checkpoint.exists():
                raise RefusedInputError(f"{files.checkpoints}: is missing; put it back from a copy")
            return None
        with self._signing():
            note, _ = self._last()
            if not note:
                return None
            found = self._open(note)
            try:
                copy = files.checkpoint.read_bytes()
            except FileNotFoundError:
                copy = b""
            if copy != note:
                self._mend(copy, note, found)
            return found

    def _mend(self, copy: bytes, note: bytes, newest: Checkpoint) -> None:
        if copy:
            try:
                size = open_checkpoint(copy.decode(), self._verifier_key).size
            except (NoteError, UnicodeDecodeError) as error:
                raise RefusedInputError(
                    f"{self._files.checkpoint}: {error}; delete it, and it is written anew from checkpoints"
                ) from None
            if size > newest.size:
                raise RefusedInputError(
                    f"{self._files.checkpoints}: a checkpoint of {size} records was signed, and the newest here is of "
                    f"{newest.size}; put checkpoints and the files of records back from a copy"
                )
        self._replace_copy(note)

    def sign(self, peaks: Peaks, root_at: RootAt) -> None:
        """Add a checkpoint over all of `peaks`, unless there is one over as many records or more.

        Raises:
            LedgerUnavailableError: there is one that this history contradicts; nothing is signed then.
            RefusedInputError: what is there is none.
            OSError: it could not be written, or not made durable.
        """
        with self._signing():
            note, end = self._last()
            size = self._agreed[1] if note == self._agreed[0] else self._agree(note, peaks.size, root_at)
            if size > peaks.size:
                return
            if size < peaks.size:
                checkpoint = Checkpoint(self._verifier_key.name, peaks.size, peaks.root())
                note = sign_note(checkpoint.text, self._verifier_key.name, self._key).encode()
                self._add(note, end)
            self._agreed = note, peaks.size
            self._replace_copy(note)

    def _agree(self, note: bytes, known: int, root_at: RootAt) -> int:
        """Return the size of another process's checkpoint, whose root, up to `known`, must be this history's."""
        newest = self._open(note)
        if newest.size <= known and root_at(newest.size) != newest.root:
            raise LedgerUnavailableError(
                f"{self._files.checkpoints}: the checkpoint of {newest.size} records was signed over other records "
                "than this process has written or read; nothing more is signed. Restart the gate, and keep a copy of "
                "the ledger"
            )
        return newest.size

    def _add(self, note: bytes, end: int) -> None:
        path = self._files.checkpoints
        is_first = not path.exists()
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, MODE)
        try:
            os.ftruncate(fd, end)  # the beginning of a note whose writer died: nobody can have relied on it
            try:
                write_whole(fd, note)
                os.fsync(fd)
            except OSError:
                os.ftruncate(fd, end)  # so that the next try writes, and thereby syncs, the same pages again
                raise
        finally:
            os.close(fd)
        if is_first:
            sync_folder(self._files.folder)

    def _replace_copy(self, note: bytes) -> None:
        write_beside(self._files.checkpoint, note).rename(self._files.checkpoint)

    def _last(self) -> tuple[bytes, int]:
        """Return the last whole note, and where it ends."""
        try:
            with self._files.checkpoints.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                start = file.seek(max(0, size - _LAST_BYTES))
                data = file.read()
        except FileNotFoundError:
            return b"", 0
        note, end = b"", 0
        for found in _NOTE.finditer(data):
            note, end = found[0], found.end()
        if len(data) - end > _LONGEST_TORN:
            raise RefusedInputError(
                f"{self._files.checkpoints}: does not end in a checkpoint; put the file back from a copy"
            )
        return note, start + end

    def _open(self, note: bytes) -> Checkpoint:
        try:
            return open_checkpoint(note.decode(), self._verifier_key)
        except (NoteError, UnicodeDecodeError) as error:
            raise RefusedInputError(
                f"{self._files.checkpoints}: the last checkpoint {error}; put the file back from a copy"
            ) from None

    @contextmanager
    def _signing(self) -> Iterator[None]:
        path = self._files.secret / SIGNING_KEY
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            lock_file(fd, path, PATIENTLY)
            yield
        finally:
            os.close(fd)
