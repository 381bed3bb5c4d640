"""What the ledger can say: its closed vocabulary of records. Whatever is not here cannot be written (G3, G4, G8).

A record speaks of rules, databases and counts. It has no field for a person: no address, name, token or exact time, and
nothing that is the same for one person twice. A meeting appears as a salted commitment, other under every rule; a
receipt as a commitment that only its holder can open. No value has a meeting or an account as its object.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from joingate.core.model import Cause
from joingate.core.rules import Action

FORMAT = "joingate-ledger/1"


class Basis(StrEnum):
    """On what a restriction rests; nothing else is a basis, terms of service least of all."""

    ORDER = "order"
    HOST_POLICY = "host_policy"


class Restricts(StrEnum):
    """What was done to one participant."""

    REJECT = "reject"
    EJECT = "eject"


class Told(StrEnum):
    """How the participant was told."""

    HTTP = "http"  # 451 under an order, 403 under a host policy
    CLOSE = "close"  # a WebSocket Close frame, 4451 or 4403
    IN_BAND = "in_band"  # a message in the meeting server's own dialect, on a connection that stays
    NOT = "not"  # cut in the middle of an HTTP answer, which has no way to say why; the next request is told


class Ending(StrEnum):
    """What became of an ejection."""

    CONFIRMED = "confirmed"
    STILL_PRESENT = "still_present"  # the connection is cut, and the meeting server still lists the participant


class Subject(StrEnum):
    """What a disclosure to an authority was about."""

    PARTICIPANTS = "participants"
    MEETING = "meeting"
    ACCOUNT = "account"
    OTHER = "other"


class Mistake(StrEnum):
    """Why an earlier record is corrected."""

    ORDER = "order"  # the order should not have been accepted, or not as it was
    LOCATION = "location"  # a database or an override was wrong
    CLERICAL = "clerical"  # a disclosure or a correction was entered wrongly


@dataclass(frozen=True, slots=True)
class Genesis:
    """The first record. `schema` is the SHA-256 of the description of every record there can be, in hexadecimal."""

    format: str
    schema: str
    origin: str


@dataclass(frozen=True, slots=True)
class Segment:
    """The first record of every file but the first: what is needed to go on without reading the files before.

    Attributes:
        peaks: roots of the perfect subtrees of all records before this one, largest first, in hexadecimal.
        revision: of the rules in use, or "" before there are any.
        epochs: of the databases in use, POSIX seconds.
    """

    peaks: tuple[str, ...]
    revision: str
    epochs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class OrderAccepted:
    """An order as accepted; once more, whole, whenever anything in it has changed.

    Attributes:
        rule: the order's id.
        opens: RFC 3339, UTC; `from` in a rule file. Times of the order itself are no secret.
        closes: likewise, `until`.
        named: meetings named by their whole ids.
        prefixes: prefixes of ids.
        asked_objects: what was demanded beyond what was granted; empty where no more was.
        digest: of the whole order, ids of meetings and all, 16 hexadecimal digits.
    """

    rule: str
    authority: str
    authority_name: str
    branch: str
    authority_territory: tuple[str, ...]
    territory: tuple[str, ...]
    action: Action
    legal_basis: str
    reference: str
    received: str
    opens: str
    closes: str
    named: int
    prefixes: int
    service_wide: bool
    asked_objects: tuple[str, ...]
    asked_territory: tuple[str, ...]
    notice_url: str | None
    shadow: bool
    digest: str


@dataclass(frozen=True, slots=True)
class PolicyAccepted:
    """A host policy as accepted; exactly one of `allow` and `deny` is set."""

    rule: str
    action: Action
    allow: tuple[str, ...] | None
    deny: tuple[str, ...] | None
    rejects_unknown: bool
    shadow: bool
    digest: str


@dataclass(frozen=True, slots=True)
class Lift:
    """A rule has gone from the rule files; for an order, before its end."""

    rule: str


@dataclass(frozen=True, slots=True)
class Expiry:
    """An order has reached its end."""

    rule: str


@dataclass(frozen=True, slots=True)
class Rules:
    """From here on, joins are judged by this revision."""

    revision: str
    orders: int
    host_policies: int


@dataclass(frozen=True, slots=True)
class Database:
    """From here on, participants are located by these databases. Epochs are POSIX seconds, digests hexadecimal."""

    epochs: tuple[int, ...]
    types: tuple[str, ...]
    digests: tuple[str, ...]
    overrides: int
    max_age_days: int


@dataclass(frozen=True, slots=True)
class Restriction:
    """One participant rejected or ejected.

    Attributes:
        located_as: ISO 3166 code no finer than the rule speaks, or "unknown" under a host policy that says so.
        sources: databases that agree on it.
        meeting: SHA-256 of a salt and the meeting's id; the salt is other for every rule and meeting.
        receipt: SHA-256 of the receipt that the participant got.
    """

    action: Restricts
    basis: Basis
    rule: str
    revision: str
    epochs: tuple[int, ...]
    located_as: str
    sources: int
    told: Told
    meeting: str
    receipt: str


@dataclass(frozen=True, slots=True)
class Deferral:
    """An ejection put off because the meeting would have ended for the others (G3)."""

    basis: Basis
    rule: str
    revision: str
    epochs: tuple[int, ...]
    located_as: str
    sources: int
    meeting: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of ejections; `restrictions` are the seqs of their records."""

    ending: Ending
    restrictions: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Window:
    """What was not done under one rule, counted since the last record of this kind.

    Attributes:
        doubt: admitted although the order might have meant them, by why that could not be told.
        shadowed: would have been restricted by a rule in shadow.
        unrecorded: would have been restricted, and were admitted because the ledger could not be written.
    """

    rule: str
    doubt: Mapping[Cause, int]
    shadowed: int
    unrecorded: int


@dataclass(frozen=True, slots=True)
class Disclosure:
    """Something was handed over to an authority."""

    authority: str
    subject: Subject
    people: int
    legal_basis: str
    reference: str


@dataclass(frozen=True, slots=True)
class Correction:
    """An earlier record was mistaken. It stays; this one names it."""

    corrects: int
    mistake: Mistake
    explanation: str


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """The gate was serving in this hour: an hour without one is a gap that shows."""


@dataclass(frozen=True, slots=True)
class Recovery:
    """An unfinished end of the file was found and set aside: `size` bytes of this SHA-256."""

    size: int
    digest: str


Record = (
    Genesis
    | Segment
    | OrderAccepted
    | PolicyAccepted
    | Lift
    | Expiry
    | Rules
    | Database
    | Restriction
    | Deferral
    | Outcome
    | Window
    | Disclosure
    | Correction
    | Heartbeat
    | Recovery
)


@dataclass(frozen=True, slots=True)
class Entry:
    """A record in its place.

    Attributes:
        seq: its place in the history, from 0.
        hour: the UTC hour it was written in, such as "2026-11-21T04Z"; nothing is ever dated more finely.
    """

    seq: int
    hour: str
    record: Record
