"""A ledger line: one record as canonical JSON and a line feed. There is exactly one way to write a record.

    {"seq":7,"hour":"2026-11-21T04Z","kind":"lift","rule":"cac-2020-0604-1"}

Canonical means: members in the order of `ledger_schema`, no spaces, UTF-8 with the escapes of orjson (RFC 8785's), no
member left out. `decode` refuses every other spelling, so that no two lines say the same thing.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields
from operator import attrgetter
from typing import Any, Final

import orjson

from joingate.codecs.ledger_schema import HOUR, KIND_OF, KINDS, SEQ
from joingate.core.record import Entry, Record

LONGEST_LINE: Final = 262_144
"""Bytes; an order that names all of the world is a hundredth of it."""

_HEAD: Final = ("seq", "hour", "kind")


class LedgerLineError(ValueError):
    """A line is no record; the text says why."""


def _values_of(made: type[Record]) -> Any:
    names = [field.name for field in fields(made)]
    if not names:
        return lambda _: ()
    if len(names) == 1:
        return lambda record, get=attrgetter(names[0]): (get(record),)
    return attrgetter(*names)


_WRITE: Final = {
    made: (kind, tuple(names), _values_of(made)) for kind, (made, names) in KINDS.items() if KIND_OF[made] == kind
}
_READ: Final[dict[str, tuple[tuple[str, ...], list[Callable[[Any], Any]], type[Record]]]] = {
    kind: ((*_HEAD, *names), [SEQ.read, HOUR.read, str, *(field.read for field in names.values())], made)
    for kind, (made, names) in KINDS.items()
}
_PLAIN: Final = orjson.OPT_APPEND_NEWLINE
_COUNTING: Final = _PLAIN | orjson.OPT_NON_STR_KEYS  # a window's doubt has causes for keys


def encode(entry: Entry) -> bytes:
    """Write an entry as a line with its line feed. The caller vouches for the values; `decode` is what checks."""
    record = entry.record
    kind, names, values = _WRITE[type(record)]
    line: dict[str, Any] = {"seq": entry.seq, "hour": entry.hour, "kind": kind}
    line.update(zip(names, values(record), strict=True))
    return orjson.dumps(line, option=_COUNTING if kind == "window" else _PLAIN)


def decode(line: bytes) -> Entry:
    """Read a line, with or without its line feed.

    Raises:
        LedgerLineError: it is no record, or not spelt canonically.
    """
    body = line.removesuffix(b"\n")
    if len(body) >= LONGEST_LINE:
        raise LedgerLineError(f"the line is longer than {LONGEST_LINE} bytes")
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise LedgerLineError("the line is not JSON") from None
    members = tuple(found) if type(found) is dict else ()
    if members[:3] != _HEAD:
        raise LedgerLineError("the line does not begin with seq, hour and kind")
    kind = found["kind"]
    if type(kind) is not str or kind not in _READ:
        raise LedgerLineError("kind is none that a ledger has")
    names, reads, made = _READ[kind]
    if members != names:
        raise LedgerLineError(f"a {kind} has the members {', '.join(names)}, in this order")
    try:
        seq, hour, _, *values = [read(value) for read, value in zip(reads, found.values(), strict=True)]
    except ValueError:
        raise LedgerLineError("; ".join(_refusals(found, reads))) from None
    if orjson.dumps(found) != body:
        raise LedgerLineError("the line is not spelt canonically")
    return Entry(seq, hour, made(*values))


def _refusals(found: dict[str, Any], reads: Sequence[Callable[[Any], Any]]) -> Iterator[str]:
    """Yield each member that cannot be read, and why."""
    for (name, value), read in zip(found.items(), reads, strict=True):
        try:
            read(value)
        except ValueError as error:
            yield f"{name} {error}"
