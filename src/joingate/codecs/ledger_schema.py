"""Every record the ledger can hold: its fields in their order, and what each value may be. Nothing else is accepted.

`describe` writes the same as text; the SHA-256 of that text stands in the first record of a ledger, so that a ledger
of a joingate with a wider vocabulary than this one shows for what it is.
"""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from joingate.core import record as r
from joingate.core.model import Cause
from joingate.core.rules import Action

MOST_SEQ: Final = 2**53 - 1  # what every JSON reader holds exactly (RFC 8259 6)


@dataclass(frozen=True, slots=True)
class Field:
    """What one value may be.

    Attributes:
        meaning: as `describe` writes it.
        read: returns the value as the record holds it, from what JSON gave; raises ValueError.
    """

    meaning: str
    read: Callable[[Any], Any]


def _pattern(meaning: str, pattern: str) -> Field:
    matches = re.compile(pattern, re.ASCII).fullmatch

    def read(value: Any) -> str:
        if type(value) is not str or matches(value) is None:
            raise ValueError(f"is not {meaning}")
        return value

    return Field(f"{meaning} /{pattern}/", read)


def _count(meaning: str = "a count", least: int = 0) -> Field:
    def read(value: Any) -> int:
        if type(value) is not int or not least <= value <= MOST_SEQ:
            raise ValueError(f"is not {meaning}")
        return value

    return Field(f"{meaning}, {least} or more", read)


def _word(words: type[StrEnum]) -> Field:
    members = {member.value: member for member in words}

    def read(value: Any) -> StrEnum:
        if type(value) is not str or value not in members:
            raise ValueError(f"is none of {', '.join(members)}")
        return members[value]

    return Field("one of " + " | ".join(members), read)


def _one_of(*words: str) -> Field:
    def read(value: Any) -> str:
        if type(value) is not str or value not in words:
            raise ValueError(f"is none of {', '.join(words)}")
        return value

    return Field("one of " + " | ".join(words), read)


def _text(longest: int) -> Field:
    breaks = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]").search  # what rule files may not hold either

    def read(value: Any) -> str:
        if type(value) is not str or not 0 < len(value) <= longest or breaks(value) is not None:
            raise ValueError(f"is not one line of 1 to {longest} characters")
        return value

    return Field(f"one line of 1 to {longest} characters", read)


def _many(of: Field, least: int = 0, most: int = 8192) -> Field:
    read_one = of.read

    def read(value: Any) -> tuple[Any, ...]:
        if type(value) is not list or not least <= len(value) <= most:
            raise ValueError(f"is not a list of {least} to {most}")
        return tuple(map(read_one, value))

    return Field(f"list of {least} to {most}: {of.meaning}", read)


def _or_null(of: Field) -> Field:
    return Field(f"null, or {of.meaning}", lambda value: None if value is None else of.read(value))


def _doubt() -> Field:
    causes = {cause.value: cause for cause in Cause}
    read_count = _count("a count", 1).read

    def read(value: Any) -> dict[Cause, int]:
        if type(value) is not dict or list(value) != sorted(value) or not causes.keys() >= value.keys():
            raise ValueError(f"is not counts under some of {', '.join(causes)}, sorted")
        return {causes[cause]: read_count(count) for cause, count in value.items()}

    return Field("object, keys sorted, each one of " + " | ".join(causes) + ": a count, 1 or more", read)


def _flag(value: Any) -> bool:
    if type(value) is not bool:
        raise ValueError("is neither true nor false")
    return value


FLAG: Final = Field("true or false", _flag)
SEQ: Final = _count("a seq")
HOUR: Final = _pattern("a UTC hour", "[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])T(?:[01][0-9]|2[0-3])Z")
_ID = _pattern("an id", "[A-Za-z0-9._-]{1,64}")
_COUNT = _count()
_COUNTRY_OR_PART = _pattern("an ISO 3166 code", "[A-Z]{2}(?:-[A-Z0-9]{1,3})?")
_CODES = _many(_COUNTRY_OR_PART)
_PLACE = _pattern("an ISO 3166 code or unknown", "[A-Z]{2}(?:-[A-Z0-9]{1,3})?|unknown")
_SHA256 = _pattern("a SHA-256", "[0-9a-f]{64}")
_DIGEST = _pattern("a digest", "[0-9a-f]{16}")
_REVISION = _pattern("a revision", "[0-9a-f]{16}")
_EPOCHS = _many(_count("POSIX seconds"), 1, 16)
_MOMENT = _pattern("RFC 3339 in UTC", "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
_DAY = _pattern("a day", "[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TEXT = _text(2048)

KINDS: Final[dict[str, tuple[type[r.Record], dict[str, Field]]]] = {
    "genesis": (
        r.Genesis,
        {"format": _one_of(r.FORMAT), "schema": _SHA256, "origin": _pattern("an origin", "[!-*,-~]{1,128}")},
    ),
    "segment": (
        r.Segment,
        {
            "peaks": _many(_SHA256, 1, 53),
            "revision": _pattern("a revision or nothing", "(?:[0-9a-f]{16})?"),
            "epochs": _many(_count("POSIX seconds"), 0, 16),
        },
    ),
    "order": (
        r.OrderAccepted,
        {
            "rule": _ID,
            "authority": _ID,
            "authority_name": _TEXT,
            "branch": _one_of("judicial", "executive", "police", "regulator", "other"),
            "authority_territory": _CODES,
            "territory": _CODES,
            "action": _word(Action),
            "legal_basis": _TEXT,
            "reference": _TEXT,
            "received": _DAY,
            "opens": _MOMENT,
            "closes": _MOMENT,
            "named": _COUNT,
            "prefixes": _COUNT,
            "service_wide": FLAG,
            "asked_objects": _many(_one_of("meeting", "account", "participants", "data", "other")),
            "asked_territory": _CODES,
            "notice_url": _or_null(_text(2048)),
            "shadow": FLAG,
            "digest": _DIGEST,
        },
    ),
    "host_policy": (
        r.PolicyAccepted,
        {
            "rule": _ID,
            "action": _word(Action),
            "allow": _or_null(_CODES),
            "deny": _or_null(_CODES),
            "rejects_unknown": FLAG,
            "shadow": FLAG,
            "digest": _DIGEST,
        },
    ),
    "lift": (r.Lift, {"rule": _ID}),
    "expiry": (r.Expiry, {"rule": _ID}),
    "rules": (r.Rules, {"revision": _REVISION, "orders": _COUNT, "host_policies": _COUNT}),
    "database": (
        r.Database,
        {
            "epochs": _EPOCHS,
            "types": _many(_text(128), 1, 16),
            "digests": _many(_DIGEST, 1, 16),
            "overrides": _COUNT,
            "max_age_days": _COUNT,
        },
    ),
    "restriction": (
        r.Restriction,
        {
            "action": _word(r.Restricts),
            "basis": _word(r.Basis),
            "rule": _ID,
            "revision": _REVISION,
            "epochs": _EPOCHS,
            "located_as": _PLACE,
            "sources": _COUNT,
            "told": _word(r.Told),
            "meeting": _SHA256,
            "receipt": _SHA256,
        },
    ),
    "deferral": (
        r.Deferral,
        {
            "basis": _word(r.Basis),
            "rule": _ID,
            "revision": _REVISION,
            "epochs": _EPOCHS,
            "located_as": _PLACE,
            "sources": _COUNT,
            "meeting": _SHA256,
        },
    ),
    "outcome": (r.Outcome, {"ending": _word(r.Ending), "restrictions": _many(SEQ, 1, 1024)}),
    "window": (r.Window, {"rule": _ID, "doubt": _doubt(), "shadowed": _COUNT, "unrecorded": _COUNT}),
    "disclosure": (
        r.Disclosure,
        {"authority": _ID, "subject": _word(r.Subject), "people": _COUNT, "legal_basis": _TEXT, "reference": _TEXT},
    ),
    "correction": (r.Correction, {"corrects": SEQ, "mistake": _word(r.Mistake), "explanation": _TEXT}),
    "heartbeat": (r.Heartbeat, {}),
    "recovery": (r.Recovery, {"size": _count("a size in bytes", 1), "digest": _SHA256}),
}
"""Each kind of record with its class and, in the order of both line and class, its fields."""

KIND_OF: Final[dict[type[r.Record], str]] = {made: kind for kind, (made, _) in KINDS.items()}


def describe() -> str:
    """Write the whole vocabulary as text: a line for each field. docs/verify.md holds the same."""
    lines = [r.FORMAT, f"every: seq: {SEQ.meaning}", f"every: hour: {HOUR.meaning}"]
    lines.append(f"every: kind: one of {' | '.join(KINDS)}")
    for kind, (_, fields) in KINDS.items():
        lines += [f"{kind}: {name}: {field.meaning}" for name, field in fields.items()]
    return "\n".join(lines) + "\n"


SCHEMA_DIGEST: Final = hashlib.sha256(describe().encode()).hexdigest()
