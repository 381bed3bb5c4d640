"""Where a history stands after some record: all that is needed to go on from there, by writing or by reading."""

from collections.abc import Iterator, Sequence
from typing import Final

from joingate.codecs.ledger_batch import encode_all, grow
from joingate.codecs.ledger_line import LedgerLineError, decode
from joingate.codecs.merkle import Peaks
from joingate.core.record import Database, Record, Rules, Segment
from joingate.ledger import files as layout

_HOUR: Final = 14  # characters
_KIND: Final = b'","kind":"'
TELLING: Final = frozenset((Rules, Database))
"""What `heed` heeds; to ask first is cheaper."""
_TELLING_KINDS: Final = frozenset((b"rules", b"database"))


def seqs(first: int, count: int) -> Iterator[int]:
    """Yield the seqs of `count` records appended in one batch, the first of which got `first`."""
    while count:
        if first % layout.LINES_IN_FILE:
            yield first
            count -= 1
        first += 1


def by_file(first: int, lines: Sequence[bytes]) -> Iterator[tuple[int, Sequence[bytes]]]:
    """Yield `lines`, which begin a file at seq `first`, as the files they fill: each one's first seq and its lines."""
    for start in range(0, len(lines), layout.LINES_IN_FILE):
        yield first + start, lines[start : start + layout.LINES_IN_FILE]


class Position:
    """The state after `size` records.

    Attributes:
        peaks: of the tree over them.
        hour: of the last, or "".
        revision: of the rules in use, or "".
        epochs: of the databases in use.
    """

    __slots__ = ("epochs", "hour", "peaks", "revision")

    def __init__(
        self, peaks: Peaks | None = None, hour: str = "", revision: str = "", epochs: tuple[int, ...] = ()
    ) -> None:
        self.peaks = peaks or Peaks()
        self.hour = hour
        self.revision = revision
        self.epochs = epochs

    @classmethod
    def before(cls, line: bytes, first: int) -> "Position":
        """Return the position at the beginning of the file whose first seq is `first`, from its first line.

        Raises:
            LedgerLineError: the line does not tell.
        """
        if first == 0:
            return cls()
        entry = decode(line)
        segment = entry.record
        if entry.seq != first or not isinstance(segment, Segment):
            raise LedgerLineError(f"the file does not begin with segment {first}")
        try:
            peaks = Peaks(first, map(bytes.fromhex, segment.peaks))
        except ValueError as error:
            raise LedgerLineError(str(error)) from None
        return cls(peaks, entry.hour, segment.revision, segment.epochs)

    @property
    def size(self) -> int:
        return self.peaks.size

    @property
    def is_between_files(self) -> bool:
        """Whether the next record begins a file."""
        return self.peaks.size % layout.LINES_IN_FILE == 0

    def room(self) -> int:
        """Return how many lines the file that is being written can still take; none where the next is to begin."""
        return -self.peaks.size % layout.LINES_IN_FILE

    def copy(self) -> "Position":
        return Position(self.peaks.copy(), self.hour, self.revision, self.epochs)

    def segment(self) -> Segment:
        """Return the record that a file beginning here begins with."""
        return Segment(tuple(peak.hex() for peak in self.peaks.hashes), self.revision, self.epochs)

    def write(self, records: Sequence[Record], hour: str) -> list[bytes]:
        """Go on by `records`, all of `hour`, and return their lines; each file's begin with a segment of their own.

        Raises:
            TypeError: one cannot be written; the position is of no use then.
        """
        lines: list[bytes] = []
        written = 0
        while written < len(records):
            if self.is_between_files and self.size:
                lines += self._write((self.segment(),), hour)
            some = records[written : written + (self.room() or layout.LINES_IN_FILE)]
            lines += self._write(some, hour)
            written += len(some)
        return lines

    def _write(self, records: Sequence[Record], hour: str) -> list[bytes]:
        lines = encode_all(self.peaks.size, hour, records)
        grow(self.peaks, lines)
        self.hour = hour
        for record in records:
            self.heed(record)
        return lines

    def heed(self, record: Record) -> None:
        """Take from a record that is written what later ones refer to."""
        if isinstance(record, Rules):
            self.revision = record.revision
        elif isinstance(record, Database):
            self.epochs = record.epochs

    def read(self, line: bytes, first: int, *, strictly: bool) -> None:
        """Go on by one line.

        Args:
            line: with its line feed.
            first: seq of the first line in the same file.
            strictly: whether everything in it is checked, as for lines that no checkpoint vouches for; otherwise its
                place alone.

        Raises:
            LedgerLineError: it is not what can follow; the position is as before.
        """
        seq = self.peaks.size
        head = b'{"seq":%d,"hour":"' % seq
        hour_end = len(head) + _HOUR
        kind_at = hour_end + len(_KIND)
        if not line.startswith(head) or line[hour_end:kind_at] != _KIND or not line.endswith(b"}\n"):
            raise LedgerLineError(f"the line is not record {seq}")
        kind = line[kind_at : line.find(b'"', kind_at)]
        is_first = seq % layout.LINES_IN_FILE == 0
        if is_first and seq != first:
            raise LedgerLineError("the file has more lines than a file takes")
        if is_first or strictly or kind in _TELLING_KINDS:
            record = decode(line).record
            if is_first and seq and record != self.segment():
                raise LedgerLineError("the segment does not go on where the file before it ends")
        if (kind in (b"genesis", b"segment")) != is_first:
            raise LedgerLineError("a file begins with its genesis or segment record, and no other line is one")
        if kind in _TELLING_KINDS:
            self.heed(decode(line).record)
        self.hour = line[len(head) : hour_end].decode("latin-1")
        grow(self.peaks, (line,))
