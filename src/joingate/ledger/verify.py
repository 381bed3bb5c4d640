"""Verifying a ledger from its files alone: the tree, every checkpoint, and what the records show.

One pass over the records, one beside it over the checkpoints, in memory that does not grow with either.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from joingate.codecs.ledger_line import LONGEST_LINE, LedgerLineError, decode
from joingate.codecs.ledger_schema import SCHEMA_DIGEST
from joingate.codecs.merkle import Peaks, leaf_hash
from joingate.codecs.signed_note import NoteError, VerifierKey, parse_verifier_key
from joingate.core.audit import Audit, Expected
from joingate.core.audit_findings import Finding, Property
from joingate.core.errors import RefusedInputError
from joingate.core.record import Segment
from joingate.ledger import files as layout
from joingate.ledger.files import LedgerFiles
from joingate.ledger.snapshot import Snapshot, notes_of, take_snapshot, unreadable
from joingate.ledger.verify_checkpoints import Checkpoints, Named

Progress = Callable[[int, int], None]
"""Called with the bytes read so far, and with all there are to read."""

_PROGRESS_LINES: Final = 4096
_BUFFER: Final = 65_536  # bytes
_LONGEST_KEY: Final = 4096  # bytes


@dataclass(frozen=True, slots=True)
class Verification:
    """What the verification of a ledger has found.

    Attributes:
        origin: of the ledger; "" where its key cannot be read.
        records: lines read.
        signed: how many of them are under a checkpoint that they bear out.
        findings: every property, in an order that never changes.
        unknown: paths, within the folder, of what is no part of a ledger.
    """

    origin: str
    records: int
    signed: int
    findings: tuple[Finding, ...]
    unknown: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether every property does."""
        return all(finding.holds for finding in self.findings)


def verify_ledger(
    folder: Path,
    given: VerifierKey | None = None,
    kept: Sequence[Named] = (),
    progress: Progress | None = None,
) -> Verification:
    """Verify the ledger in `folder`; its secrets need not be there.

    Args:
        folder: the ledger's.
        given: the verifier key to believe; without it, the one in the folder.
        kept: checkpoints kept from earlier, each after what to call it.
        progress: told how far the reading has come.

    Raises:
        RefusedInputError: there is no ledger, no key, or a file cannot be read.
    """
    files = LedgerFiles(folder)
    snapshot = take_snapshot(files)
    try:
        key, key_finding = _key(files.verifier_key, given)
        if key is None:
            return Verification("", 0, 0, (key_finding,), snapshot.unknown)
        reading = _Reading(files, snapshot, key, kept)
        reading.read(progress)
    except OSError as error:
        raise unreadable(error, folder) from None
    return Verification(
        key.name,
        reading.peaks.size,
        reading.own.borne_out,
        (key_finding, *reading.findings(), *reading.audit.findings()),
        snapshot.unknown,
    )


def _key(path: Path, given: VerifierKey | None) -> tuple[VerifierKey | None, Finding]:
    """Return the key to believe, if there is one, and whether the file holds the same."""
    found, key = Property("key"), given
    try:
        with path.open("rb") as file:
            text = file.read(_LONGEST_KEY).decode("utf-8", "replace")
        own = parse_verifier_key(text)
        key = given or own
        if text != f"{own}\n":
            found.violate(None, "verifier_key: is not spelt as a verifier key is")
        elif key != own:
            found.violate(None, f"verifier_key: is {own}, and not the key that was given")
    except NoteError as error:
        found.violate(None, f"verifier_key: {error}")
    except FileNotFoundError:
        if given is None:
            raise RefusedInputError(f"{path}: does not exist; name the ledger's verifier key with --key") from None
    return key, found.finding("the ledger goes by one verifier key" if key is None else f"the verifier key is {key}")


class _Reading:
    """One pass over a ledger.

    Attributes:
        own: the ledger's own checkpoints.
    """

    def __init__(self, files: LedgerFiles, snapshot: Snapshot, key: VerifierKey, kept: Sequence[Named]) -> None:
        self.audit = Audit(Expected(SCHEMA_DIGEST, key.name, layout.LINES_IN_FILE))
        self.peaks = Peaks()
        self._snapshot = snapshot
        self._lines = Property("lines")
        self._files = Property("files")
        self._stated = Property("peaks")
        self._checkpoints = Property("checkpoints")
        self._kept = Property("kept")
        self._newest = Property("newest")
        numbered = (
            (f"checkpoints: number {number}", note)
            for number, note in enumerate(notes_of(files.checkpoints, snapshot.checkpoints), 1)
        )
        self.own = Checkpoints(self._checkpoints, numbered, key, own=True)
        self.kept = Checkpoints(self._kept, kept, key, own=False)

    def read(self, progress: Progress | None) -> None:
        """Read every record."""
        size = sum(size for _, size in self._snapshot.records)
        done = 0
        self._check()
        for path, end in self._snapshot.records:
            self._begin_file(path)
            first = self.peaks.size
            for line in _first_bytes(path, end):
                self._take(line)
                done += len(line)
                if progress is not None and not self.peaks.size % _PROGRESS_LINES:
                    progress(done, size)
            self._end_file(path, self.peaks.size - first)
        if progress is not None:
            progress(size, size)
        for checkpoints in (self.own, self.kept):
            checkpoints.finish(self.peaks.size)
        self._compare_newest()

    def _take(self, line: bytes) -> None:
        body = line[:-1]
        if line[-1:] != b"\n":
            self._lines.violate(self.peaks.size, "the line does not end in a line feed: it is unfinished, or too long")
            body = line
        try:
            entry = decode(body)
        except LedgerLineError as error:
            self._lines.violate(self.peaks.size, str(error))
            self.audit.skip()
        else:
            if type(entry.record) is Segment:
                self._compare_peaks(entry.record)
            self.audit.take(entry)
        self.peaks.append(leaf_hash(body))
        self._check()

    def _check(self) -> None:
        size = self.peaks.size
        if size == self.own.due:
            self.own.check(self.peaks)
        if size == self.kept.due:
            self.kept.check(self.peaks)

    def _compare_peaks(self, segment: Segment) -> None:
        if segment.peaks != tuple(peak.hex() for peak in self.peaks.hashes):
            self._stated.violate(self.peaks.size, "the peaks are not those of the records before it")

    def _begin_file(self, path: Path) -> None:
        if path.name != f"{self.peaks.size:012}.jsonl":
            self._files.violate(None, f"{path.name}: begins with record {self.peaks.size}")

    def _end_file(self, path: Path, lines: int) -> None:
        is_last = path == self._snapshot.records[-1][0]
        if lines > layout.LINES_IN_FILE or (lines < layout.LINES_IN_FILE and not is_last):
            self._files.violate(None, f"{path.name}: holds {lines} records, and a file holds {layout.LINES_IN_FILE}")

    def _compare_newest(self) -> None:
        if not self.own.seen:
            self._checkpoints.violate(None, "checkpoints: there is none, so nothing here is signed")
        if self._snapshot.checkpoint != self.own.last:
            self._newest.violate(None, "checkpoint: is not the last of checkpoints")

    def findings(self) -> Iterator[Finding]:
        """Conclude on files, lines and the tree."""
        records, unsigned = self.peaks.size, self.peaks.size - self.own.borne_out
        yield self._lines.finding(
            f"every line is a record, in its one spelling: {records - self._lines.violated} of {records}",
            lines=records,
        )
        files = len(self._snapshot.records)
        yield self._files.finding(
            f"every file of records is named by its first, and all but the last are complete: {files}", files=files
        )
        yield self._stated.finding("every segment states the tree over all records before it")
        yield self._checkpoints.finding(
            "one history: every checkpoint is signed, none is of fewer records than the one before it, and the records "
            f"bear out each: {self.own.seen}",
            checkpoints=self.own.seen,
        )
        yield self._newest.finding("the newest checkpoint is the last of them all")
        if self.kept.seen:
            yield self._kept.finding(
                f"the checkpoints kept from earlier are of this history: {self.kept.seen}", kept=self.kept.seen
            )
        yield Property("unsigned").finding(
            f"records not under a checkpoint yet, which nothing keeps from being changed: {unsigned}", records=unsigned
        )


def _first_bytes(path: Path, size: int) -> Iterator[bytes]:
    """Yield the lines in the first `size` bytes of a file."""
    with path.open("rb", buffering=_BUFFER) as file:
        while size > 0 and (line := file.readline(LONGEST_LINE + 1)):
            size -= len(line)
            yield line
