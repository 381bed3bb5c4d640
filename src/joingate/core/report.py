"""The transparency report as it is published: every number in it is one that anybody may see.

Counts of participants are `Shown`: small ones, and those from which they could be worked out, are masks; `suppression`
says how. Counts of orders and of what they name are public facts, and exact; so is everything that must be zero.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from joingate.core.model import Cause
from joingate.core.record import Correction, Database, Disclosure, OrderAccepted, Record, Recovery, Rules
from joingate.core.report_period import Bucket, Gap, Unit
from joingate.core.suppression import Shown

R = TypeVar("R", bound=Record)


@dataclass(frozen=True, slots=True)
class Zeros:
    """What a gate must never do, counted exactly. The first two are no words of the ledger: nothing could be counted.

    Attributes:
        outside_territory: participants restricted by an order and located outside its territory, or its authority's.
        outside_time: participants restricted by an order that was not in force.
        disclosures: times that something was handed over to an authority.
        people: whom it was about.
    """

    meetings_ended: int
    accounts_touched: int
    outside_territory: int
    outside_time: int
    disclosures: int
    people: int


@dataclass(frozen=True, slots=True)
class Orders:
    """Counts of orders.

    Attributes:
        received: accepted for the first time in the period.
        asked_more: of these, how many asked for more than was granted.
        asked_beyond: of these, how many asked for territory outside the authority's own.
        in_force: in force at some time in the period, whenever they were received; `in_shadow` likewise.
        lifted: withdrawn in the period, before their end.
        expired: ended in the period.
    """

    received: int
    asked_more: int
    asked_beyond: int
    in_force: int
    in_shadow: int
    lifted: int
    expired: int


@dataclass(frozen=True, slots=True)
class Meetings:
    """What the orders in force name. One that two orders name is counted twice.

    Attributes:
        named: whole ids.
        prefixes: beginnings of ids.
        service_wide: orders that mean every meeting.
        restricted: meetings in which anybody was rejected or ejected; hidden where the number of these people is.
    """

    named: int
    prefixes: int
    service_wide: int
    restricted: Shown


@dataclass(frozen=True, slots=True)
class Participants:
    """Counts of participants; `confirmed`, `still_present` and `unresolved` add up to `ejected`.

    Attributes:
        rejected: at the join.
        ejected: already inside.
        deferred: not ejected, because the meeting would have ended for the others.
        doubt: admitted although an order might have meant them.
        shadowed: would have been restricted by an order in shadow.
        unrecorded: admitted because the restriction could not be recorded.
        confirmed: ejected, and gone.
        still_present: ejected, and still listed by the meeting server.
        unresolved: ejected, and nothing known since.
    """

    rejected: Shown
    ejected: Shown
    deferred: Shown
    doubt: Shown
    shadowed: Shown
    unrecorded: Shown
    confirmed: Shown
    still_present: Shown
    unresolved: Shown


@dataclass(frozen=True, slots=True)
class Row:
    """The orders of one authority over one territory, or of all together.

    Attributes:
        authority: id; "" where the ledger holds no such order, and in the total.
        branch: judicial, executive, police, regulator or other.
        territory: ISO 3166 codes in their order.
    """

    authority: str
    name: str
    branch: str
    territory: tuple[str, ...]
    orders: Orders
    meetings: Meetings
    participants: Participants


@dataclass(frozen=True, slots=True)
class HostPolicies:
    """Restrictions that meetings' own hosts asked for, which are no orders: `policies` stood in the period."""

    policies: int
    participants: Participants


@dataclass(frozen=True, slots=True)
class Share:
    """Participants restricted under orders within a bucket."""

    bucket: Bucket
    rejected: Shown
    ejected: Shown


@dataclass(frozen=True, slots=True)
class Demand:
    """One thing that orders can ask for: how many of those received asked for it, and how many were granted it."""

    what: str
    asked: int
    granted: int


class Standing(StrEnum):
    """How an order stands at the end of the period."""

    PENDING = "pending"
    IN_FORCE = "in_force"
    LIFTED = "lifted"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """An order that was received or in force in the period.

    Attributes:
        accepted: the hour in which it was accepted first.
        changes: how often it was accepted anew, with something in it changed.
    """

    order: OrderAccepted
    accepted: str
    changes: int
    standing: Standing


@dataclass(frozen=True, slots=True)
class Dated(Generic[R]):
    """A record that the report lists as it is."""

    seq: int
    hour: str
    record: R


@dataclass(frozen=True, slots=True)
class Signed:
    """The newest signed checkpoint: the first `size` records have this root (base64), and the ledger bears it out."""

    size: int
    root: str


@dataclass(frozen=True, slots=True)
class Report:
    """See the module.

    Attributes:
        origin: of the ledger.
        first: the first day asked for, or that of the first record.
        last: the last day asked for, or that of the last record.
        first_hour: the hours of the ledger's own first and last record, whatever the period.
        rows: per authority and territory.
        total: of all rows.
        unit: what `shares` are counted by.
        doubt: participants admitted in doubt under orders, by its cause; adds up to the total's.
        corrections: those made in the period, and later ones of records of the period.
        hours: in the period, as far as the ledger reaches.
        gaps: of these, the ones without a heartbeat.
        revisions: put to use in the period, after the one in use when it began; `databases` likewise.
        checkpoint: None when none is signed yet.
        unfinished: whether the ledger ends within a line, which is not counted.
    """

    origin: str
    first: str
    last: str
    first_hour: str
    last_hour: str
    zeros: Zeros
    rows: tuple[Row, ...]
    total: Row
    unit: Unit
    shares: tuple[Share, ...]
    demands: tuple[Demand, ...]
    doubt: tuple[tuple[Cause, Shown], ...]
    host_policies: HostPolicies
    orders: tuple[OrderFacts, ...]
    disclosures: tuple[Dated[Disclosure], ...]
    corrections: tuple[Dated[Correction], ...]
    hours: int
    gaps: tuple[Gap, ...]
    recoveries: tuple[Dated[Recovery], ...]
    revisions: tuple[Dated[Rules], ...]
    databases: tuple[Dated[Database], ...]
    checkpoint: Signed | None
    unfinished: bool

    @property
    def silent_hours(self) -> int:
        """Hours without a heartbeat."""
        return sum(gap.hours for gap in self.gaps)
