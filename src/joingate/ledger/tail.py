"""Reading the end of a history at the start: where it stands, and what of it no checkpoint vouches for yet.

Records before the newest checkpoint are durable, and its root vouches for every byte of them; the files before the one
that the checkpoint ends in need not be read. What stands behind it was written without a word from the disk: after a
loss of power anything may be there. It is read strictly, up to the first line that is no record; from there on it is
the unfinished end, however long, which `set_aside` keeps.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from joingate.codecs.ledger_line import LedgerLineError, decode
from joingate.core.errors import RefusedInputError
from joingate.ledger.files import LedgerFiles, lines_of
from joingate.ledger.position import Position

_REMEDY: Final = "put the files of records back from a copy, or move the whole ledger away and begin a new one"


@dataclass(frozen=True, slots=True)
class Known:
    """That the first `size` records have this root: a checkpoint says so, or this process remembers."""

    size: int
    root: bytes


NOTHING_KNOWN: Final = Known(0, b"")

Pieces = tuple[tuple[Path, int], ...]
"""An unfinished end: files, each with the offset from which it is no part of the history."""


@dataclass(slots=True)
class Tail:
    """The end of a history.

    Attributes:
        base: where what is known ends.
        at: where the last record leaves the history.
        lines: the records between the two.
        ends: for each file that was read and holds records, by its first seq, the size of these in bytes.
        torn: what stands behind the last record.
    """

    base: Position
    at: Position
    lines: list[bytes] = field(default_factory=list)
    ends: dict[int, int] = field(default_factory=dict)
    torn: Pieces = ()


def read_tail(files: LedgerFiles, known: Known = NOTHING_KNOWN) -> Tail:
    """Read the end of a history that has a file of records.

    Raises:
        RefusedInputError: the records do not bear out what is known.
        OSError: a file cannot be read.
    """
    paths = {_first_of(path): path for path in files.record_files()}
    # The file that holds the last known record; with nothing known, everything is read.
    start = max((first for first in paths if first < known.size), default=0)
    if start not in paths:
        raise RefusedInputError(f"{files.record_file(start)}: is missing; {_REMEDY}")
    begin = _begin(paths[start], start)
    tail = Tail(begin.copy(), begin)
    later = sorted(first for first in paths if first >= start)
    while later and later[0] == tail.at.size and not tail.torn:
        first = later.pop(0)
        _read_file(tail, known, first, paths[first])
    if tail.at.size < known.size:
        raise RefusedInputError(
            f"{files.records}: a checkpoint was signed over {known.size} records, and only {tail.at.size} are there; "
            f"{_REMEDY}"
        )
    if later and not tail.torn:
        last = max(tail.ends)
        tail.torn = ((paths[last], tail.ends[last]),)
    tail.torn += tuple((paths[first], 0) for first in later)
    return tail


def _first_of(path: Path) -> int:
    if not (path.stem.isdecimal() and path.stem.isascii()):
        raise RefusedInputError(f"{path}: is no file of records, whose names are numbers; move it away")
    return int(path.stem)


def _begin(path: Path, first: int) -> Position:
    try:
        return Position.before(next(lines_of(path), b""), first)
    except LedgerLineError as error:
        raise _damaged(path, 1, error) from None


def _read_file(tail: Tail, known: Known, first: int, path: Path) -> None:
    """Go on through one file, as far as it holds records."""
    at, end = tail.at, 0
    for line in lines_of(path):
        is_known = at.size < known.size
        try:
            at.read(line, first, strictly=not is_known)
        except LedgerLineError as error:
            # The very first record was durable before there was any other.
            if is_known or at.size == 0:
                raise _damaged(path, at.size - first + 1, error) from None
            tail.torn = ((path, end),)
            break
        end += len(line)
        if not is_known:
            tail.lines.append(line)
        elif at.size == known.size:
            tail.base = at.copy()
            _compare(tail.base, known, first, path)
    if end:
        tail.ends[first] = end
    elif not tail.torn:
        if first == 0:
            raise _damaged(path, 1, LedgerLineError("the file is empty"))
        tail.torn = ((path, 0),)


def _compare(base: Position, known: Known, first: int, path: Path) -> None:
    if base.peaks.root() == known.root:
        return
    for number, line in zip(range(1, known.size - first + 1), lines_of(path), strict=False):
        try:
            decode(line)
        except LedgerLineError as error:
            raise _damaged(path, number, error) from None
    raise RefusedInputError(
        f"{path}: the first {known.size} records are not those that a checkpoint was signed over; {_REMEDY}"
    )


def _damaged(path: Path, line: int, why: LedgerLineError) -> RefusedInputError:
    return RefusedInputError(f"{path}: line {line}: {why}; {_REMEDY}")
