"""From exact counts to what is published of them: rows in their order, their sums, and nothing small."""

from collections.abc import Iterable, Sequence
from typing import Final

from joingate.core.model import Cause
from joingate.core.report import (
    Demand,
    HostPolicies,
    Meetings,
    OrderFacts,
    Orders,
    Participants,
    Report,
    Row,
    Share,
    Signed,
    Standing,
    Zeros,
)
from joingate.core.report_fold import Tabulation
from joingate.core.report_period import divide, gaps, hour_number
from joingate.core.report_rules import HOST, NO_ORDER, KnownOrder
from joingate.core.report_shown import TOTAL, Numbers, participants, show
from joingate.core.suppression import Mask, Shown

OBJECTS: Final = ("meeting", "account", "participants", "data", "other")
"""What an order can have asked for beyond what was granted."""


def publish(counted: Tabulation, checkpoint: Signed | None, *, unfinished: bool) -> Report:
    """Make a report of what was counted; at least one record was, and the ledger reaches into the period.

    Args:
        counted: all records.
        checkpoint: the newest.
        unfinished: whether the ledger ends within a line.
    """
    first = max(counted.period.first or "", counted.first_hour[:10])
    last = min(counted.period.last or counted.last_hour, counted.last_hour)[:10]
    last_hour = min(f"{last}T23Z", counted.last_hour)
    from_hour = hour_number(max(f"{first}T00Z", counted.first_hour))
    to_hour = hour_number(last_hour)
    counted.rules.conclude(last_hour)
    unit, buckets = divide(first, last)
    rows = _rows(counted)
    shown = show(counted, rows, buckets)
    table, total = _table(counted, rows, shown)
    return Report(
        origin=counted.origin,
        first=counted.period.first or first,
        last=counted.period.last or last,
        first_hour=counted.first_hour,
        last_hour=counted.last_hour,
        zeros=_zeros(counted),
        rows=table,
        total=total,
        unit=unit,
        shares=tuple(Share(each, shown["rejected", each], shown["ejected", each]) for each in buckets),
        demands=_demands(counted),
        doubt=tuple((cause, shown[cause]) for cause in Cause),
        host_policies=HostPolicies(len(counted.rules.policies), participants(HOST, shown)),
        orders=_facts(counted, last_hour),
        disclosures=tuple(counted.disclosures),
        corrections=tuple(counted.corrections),
        hours=to_hour - from_hour + 1,
        gaps=tuple(gaps(counted.beats, from_hour, to_hour)),
        recoveries=tuple(counted.recoveries),
        revisions=tuple(counted.revisions),
        databases=tuple(counted.databases),
        checkpoint=checkpoint,
        unfinished=unfinished,
    )


def _zeros(counted: Tabulation) -> Zeros:
    return Zeros(
        meetings_ended=0,
        accounts_touched=0,
        outside_territory=counted.outside_territory,
        outside_time=counted.outside_time,
        disclosures=len(counted.disclosures),
        people=sum(each.record.people for each in counted.disclosures),
    )


def _rows(counted: Tabulation) -> list[int]:
    """Return the numbers of the rows with anything to say, by the authority's name; records without an order last."""
    rules = counted.rules
    used = {known.row for known in _listed(counted)} | rules.lifted.keys() | rules.expired.keys()
    used |= {number for number, counts in enumerate(counted.counts) if number != HOST and counts.any()}

    def place(number: int) -> tuple[bool, str, str, tuple[str, ...]]:
        key = rules.rows[number]
        return number == NO_ORDER, rules.names[number][0].casefold(), key.authority, key.territory

    return sorted(used, key=place)


def _listed(counted: Tabulation) -> list[KnownOrder]:
    """Return the orders received or in force in the period, as they came."""
    covers = counted.period.covers
    return [known for known in counted.rules.orders.values() if covers(known.first) or known.enforced or known.shadowed]


def _table(counted: Tabulation, rows: Sequence[int], shown: Numbers) -> tuple[tuple[Row, ...], Row]:
    """Return the rows, and the row of their sums."""
    rules = counted.rules
    orders: dict[int, list[KnownOrder]] = {number: [] for number in rows}
    for known in _listed(counted):
        orders[known.row].append(known)
    found = []
    for number in rows:
        key, (name, branch) = rules.rows[number], rules.names[number]
        of_row = _orders(counted, orders[number], rules.lifted[number], rules.expired[number])
        numbers = participants(number, shown)
        restricted = _restricted([numbers], len(counted.counts[number].meetings))
        found.append(
            Row(key.authority, name, branch, key.territory, of_row, _meetings(orders[number], restricted), numbers)
        )
    everything = [known for knowns in orders.values() for known in knowns]
    numbers = participants(TOTAL, shown)
    restricted = _restricted(
        [numbers, *(row.participants for row in found)], sum(len(counted.counts[number].meetings) for number in rows)
    )
    of_all = _orders(counted, everything, rules.lifted.total(), rules.expired.total())
    return tuple(found), Row("", "", "", (), of_all, _meetings(everything, restricted), numbers)


def _orders(counted: Tabulation, knowns: Sequence[KnownOrder], lifted: int, expired: int) -> Orders:
    received = _received(counted, knowns)
    return Orders(
        received=len(received),
        asked_more=sum(known.asked_more for known in received),
        asked_beyond=sum(known.asked_beyond for known in received),
        in_force=sum(known.enforced for known in knowns),
        in_shadow=sum(known.shadowed for known in knowns),
        lifted=lifted,
        expired=expired,
    )


def _received(counted: Tabulation, knowns: Iterable[KnownOrder]) -> list[KnownOrder]:
    return [known for known in knowns if counted.period.covers(known.first)]


def _meetings(knowns: Sequence[KnownOrder], restricted: Shown) -> Meetings:
    enforced = [known.order for known in knowns if known.enforced]
    return Meetings(
        named=sum(order.named for order in enforced),
        prefixes=sum(order.prefixes for order in enforced),
        service_wide=sum(order.service_wide for order in enforced),
        restricted=restricted,
    )


def _restricted(numbers: Iterable[Participants], meetings: int) -> Shown:
    """Show the meetings only where no number of people restricted in them is hidden: each had one person at least."""
    is_hidden = any(isinstance(shown, Mask) for each in numbers for shown in (each.rejected, each.ejected))
    return Mask.ANY if is_hidden else meetings


def _demands(counted: Tabulation) -> tuple[Demand, ...]:
    """Put what was asked beside what was granted. An order as accepted has no field for anything but participants."""
    received = _received(counted, counted.rules.orders.values())
    demands = [Demand("restriction", len(received), len(received))]
    demands += [Demand(what, sum(what in known.order.asked_objects for known in received), 0) for what in OBJECTS]
    asked, granted = sum(known.asked_beyond for known in received), sum(known.exceeds for known in received)
    return (*demands, Demand("territory", asked, granted))


def _facts(counted: Tabulation, hour: str) -> tuple[OrderFacts, ...]:
    """List the orders, as they stand in `hour`, the last."""
    return tuple(
        OrderFacts(known.order, known.first, known.changes, _standing(known, hour)) for known in _listed(counted)
    )


def _standing(known: KnownOrder, hour: str) -> Standing:
    if known.ended is not None:
        return known.ended
    if known.order.closes <= f"{hour[:13]}:00:00Z":
        return Standing.EXPIRED
    return Standing.PENDING if known.order.opens > f"{hour[:13]}:59:59Z" else Standing.IN_FORCE
