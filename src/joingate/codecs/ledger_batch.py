"""Records to lines and leaves, at the least cost, for the one who appends them.

The lines are byte for byte those of `ledger_line.encode`, the tree is that of `merkle.Peaks`; both are here once more
because a restriction waits for them. orjson writes a record as a dataclass, in the order of its fields, which is that
of the line's members; only what stands before them is put together here.
"""

import hashlib
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

import orjson

from joingate.codecs.ledger_schema import KIND_OF, KINDS
from joingate.codecs.merkle import Peaks
from joingate.core.record import Record, Restriction

_OPTIONS: Final = orjson.OPT_APPEND_NEWLINE | orjson.OPT_NON_STR_KEYS  # a window's counts have causes for keys

_dumps = orjson.dumps
_sha256 = hashlib.sha256


@lru_cache(maxsize=64)
def _between(kind: str, hour: str) -> bytes:
    """Return what stands between the seq and the members of a kind of record; some have none."""
    return f',"hour":"{hour}","kind":"{kind}"{"," if KINDS[kind][1] else ""}'.encode()


@lru_cache(maxsize=64)
def _listed(numbers: tuple[int, ...]) -> str:
    return ",".join(map(str, numbers))


def encode_one(seq: int, hour: str, record: Record) -> bytes:
    """Write a record as a line with its line feed. The caller vouches for the values.

    Raises:
        TypeError: it cannot be written.
    """
    if type(record) is Restriction:  # not in a function of its own: somebody waits
        # fmt: off
        return "".join((
            '{"seq":', str(seq), ',"hour":"', hour, '","kind":"restriction',
            '","action":"', record.action, '","basis":"', record.basis, '","rule":"', record.rule,
            '","revision":"', record.revision, '","epochs":[', _listed(record.epochs),
            '],"located_as":"', record.located_as, '","sources":', str(record.sources), ',"told":"', record.told,
            '","meeting":"', record.meeting, '","receipt":"', record.receipt, '"}\n',
        )).encode()
        # fmt: on
    return b'{"seq":%d%b%b' % (seq, _between(KIND_OF[type(record)], hour), _dumps(record, None, _OPTIONS)[1:])


def encode_all(first: int, hour: str, records: Iterable[Record]) -> list[bytes]:
    """Write records of one hour that follow each other from seq `first`; see `encode_one`."""
    return [encode_one(seq, hour, record) for seq, record in enumerate(records, first)]


def grow(peaks: Peaks, lines: Iterable[bytes]) -> None:
    """Add the leaves of `lines`, with their line feeds, to a tree."""
    for line in lines:
        grow_by_one(peaks, line)


def grow_by_one(peaks: Peaks, line: bytes) -> None:
    """Add the leaf of a line, with its line feed, to a tree."""
    hashes, size = peaks.hashes, peaks.size
    peaks.size = size + 1
    root = _sha256(b"\x00" + line[:-1]).digest()
    while size & 1:
        root = _sha256(b"\x01" + hashes.pop() + root).digest()
        size >>= 1
    hashes.append(root)
