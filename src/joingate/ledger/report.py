"""The records of a ledger, read once from the first to the last and tabulated; nothing is kept but counts.

The records are held against the newest checkpoint on the way, since the report states it. All other checks are
`verify`'s: here a ledger is believed as far as it can be read.
"""

import base64
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from joingate.codecs.ledger_line import LedgerLineError, decode
from joingate.codecs.merkle import Peaks, leaf_hash
from joingate.codecs.signed_note import Checkpoint, NoteError, open_checkpoint
from joingate.core.errors import RefusedInputError
from joingate.core.record import Entry, Genesis
from joingate.core.report import Report, Signed
from joingate.core.report_fold import Tabulation
from joingate.core.report_period import Period
from joingate.core.report_publish import publish
from joingate.ledger.files import LedgerFiles, lines_of
from joingate.ledger.prove import read_verifier_key
from joingate.ledger.snapshot import Snapshot, take_snapshot, unreadable

Progress = Callable[[int, int], None]
"""Called with the bytes read so far, and with all there are to read."""

_PROGRESS_LINES: Final = 4096


class DamagedLedgerError(Exception):
    """The ledger is not what its gate wrote; the text names the file, the line and what to do."""

    def __init__(self, place: str, what: str) -> None:
        super().__init__(f"{place}: {what}; run joingate ledger verify, which looks for everything that is wrong")


def read_report(folder: Path, period: Period, progress: Progress) -> Report:
    """Read the ledger in `folder` and report on the days of `period`.

    Raises:
        RefusedInputError: there is no ledger, it cannot be read, or it has no record in those days.
        DamagedLedgerError: it is damaged.
    """
    files = LedgerFiles(folder)
    snapshot = take_snapshot(files)
    reading = _Reading(files, snapshot, period)
    try:
        reading.read(progress)
    except OSError as error:
        raise unreadable(error, folder) from None
    if not reading.counted.size:
        raise RefusedInputError(f"{folder}: holds no records yet; a gate writes the first when it starts")
    _require_days(folder, reading.counted)
    signed = reading.checkpoint
    return publish(
        reading.counted,
        None if signed is None else Signed(signed.size, base64.b64encode(signed.root).decode()),
        unfinished=reading.unfinished,
    )


def _require_days(folder: Path, counted: Tabulation) -> None:
    first, last = counted.first_hour[:10], counted.last_hour[:10]
    period = counted.period
    if (period.first or first) > last or (period.last or last) < first:
        raise RefusedInputError(
            f"{folder}: has no records in these days; it reaches from {first} to {last}: write --from and --to there"
        )


class _Reading:
    """One pass over a ledger.

    Attributes:
        checkpoint: the newest, as signed.
        unfinished: whether the ledger ends within a line.
    """

    def __init__(self, files: LedgerFiles, snapshot: Snapshot, period: Period) -> None:
        self.counted = Tabulation(period)
        self.unfinished = False
        self.checkpoint = _checkpoint(files, snapshot.checkpoint)
        self._files = files
        self._snapshot = snapshot
        self._peaks = Peaks()

    def read(self, progress: Progress) -> None:
        """Read every record."""
        total = sum(size for _, size in self._snapshot.records)
        done = 0
        for path, size in self._snapshot.records:
            for number, line in enumerate(_first_bytes(path, size), 1):
                self._take(path, number, line)
                done += len(line)
                if not number % _PROGRESS_LINES:
                    progress(done, total)
        progress(total, total)
        if self.checkpoint is not None and self.checkpoint.size > self._peaks.size:
            signed, found = self.checkpoint.size, self._peaks.size
            raise DamagedLedgerError(str(self._files.records), f"{found} records are there, and {signed} are signed")

    def _take(self, path: Path, number: int, line: bytes) -> None:
        place, due = f"{path}: line {number}", self._peaks.size
        if self.unfinished:
            raise DamagedLedgerError(place, "the line before it is unfinished")
        if not line.endswith(b"\n"):
            self.unfinished = True
            return
        try:
            entry = decode(line)
            _require_place(entry, due)
            self.counted.add(entry)
        except LedgerLineError as error:
            raise DamagedLedgerError(place, str(error)) from None
        except ValueError as error:
            raise DamagedLedgerError(place, f"its hour is in no calendar ({error})") from None
        self._peaks.append(leaf_hash(line[:-1]))
        signed = self.checkpoint
        if signed is not None and signed.size == self._peaks.size and signed.root != self._peaks.root():
            raise DamagedLedgerError(place, f"the {signed.size} records up to here are not those that were signed")


def _require_place(entry: Entry, due: int) -> None:
    if entry.seq != due:
        raise LedgerLineError(f"it is record {entry.seq}, and record {due} is due")
    if isinstance(entry.record, Genesis) is not (due == 0):
        raise LedgerLineError("a genesis is the first record, and the first is a genesis")


def _checkpoint(files: LedgerFiles, note: bytes) -> Checkpoint | None:
    if not note:
        return None
    try:
        return open_checkpoint(note.decode("utf-8", "replace"), read_verifier_key(files.folder))
    except NoteError as error:
        raise DamagedLedgerError(str(files.checkpoint), str(error)) from None


def _first_bytes(path: Path, size: int) -> Iterator[bytes]:
    """Yield the lines in the first `size` bytes of a file; more may be appended meanwhile."""
    for line in lines_of(path):
        if size <= 0:
            return
        size -= len(line)
        yield line
