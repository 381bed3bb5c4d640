"""What the rules of a ledger have said so far: which orders came when, whom they mean, and how long they stood.

An order belongs to a row of the report: its authority together with its territory, as accepted last.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Final

from joingate.core.audit_hours import HOUR
from joingate.core.audit_rules import Terms, order_terms
from joingate.core.record import OrderAccepted, PolicyAccepted
from joingate.core.report import Standing
from joingate.core.report_period import Period
from joingate.core.territory import outside

HOST: Final = 0
"""The row of all host policies."""

NO_ORDER: Final = 1
"""The row of records that name an order which was never accepted."""


@dataclass(frozen=True, slots=True)
class RowKey:
    """Whose orders are counted together: an authority's over one territory, ISO 3166 codes in their order."""

    authority: str
    territory: tuple[str, ...]


@dataclass(slots=True)
class KnownOrder:
    """An order, as accepted last.

    Attributes:
        terms: the same for whoever asks whom it means and when.
        row: number of its row.
        first: the hour in which it was accepted first.
        exceeds: whether the territory granted lies outside the authority's own.
        since: the hour in which it was accepted last.
        changes: how often it was accepted anew.
        enforced: whether it was in force in the period, and not in shadow.
        shadowed: whether it was in force in the period, in shadow.
        ended: how it ended, if it did.
    """

    order: OrderAccepted
    terms: Terms
    row: int
    exceeds: bool
    first: str
    since: str
    changes: int = 0
    enforced: bool = False
    shadowed: bool = False
    ended: Standing | None = None

    @property
    def asked_beyond(self) -> bool:
        """Whether a territory outside the authority's own was asked for."""
        return bool(outside(frozenset(self.order.asked_territory), frozenset(self.order.authority_territory)))

    @property
    def asked_more(self) -> bool:
        """Whether anything was asked for that was not granted."""
        wider = outside(frozenset(self.order.asked_territory), frozenset(self.order.territory))
        return bool(self.order.asked_objects or wider)


_EARLIEST: Final = "0000-00-00"


class RuleBook:
    """Every order and host policy accepted so far.

    Attributes:
        orders: by id.
        rows: the key of each row, by its number; the first two are HOST and NO_ORDER, and have none of their own.
        names: name and branch of each row's authority, as accepted last.
        lifted: orders lifted in the period, by row.
        expired: orders expired in the period, by row.
        policies: host policies that stood in the period.
    """

    def __init__(self, period: Period) -> None:
        self.orders: dict[str, KnownOrder] = {}
        self.rows: list[RowKey] = [RowKey("", ()), RowKey("", ())]
        self.names: list[tuple[str, str]] = [("", ""), ("", "")]
        self.lifted: Counter[int] = Counter()
        self.expired: Counter[int] = Counter()
        self.policies: set[str] = set()
        self._period = period
        self._numbers: dict[RowKey, int] = {}
        self._policies: set[str] = set()
        self._standing: set[str] = set()
        self._revisions = 0

    def accept(self, order: OrderAccepted, hour: str) -> None:
        """Take an order, new or changed."""
        known = self.orders.get(order.rule)
        terms = order_terms(order, self._revisions)
        row = self._row(RowKey(order.authority, order.territory))
        self.names[row] = order.authority_name, order.branch
        exceeds = bool(outside(frozenset(order.territory), frozenset(order.authority_territory)))
        if known is None:
            self.orders[order.rule] = KnownOrder(order, terms, row, exceeds, hour, hour)
            return
        self._note(known, hour)
        known.order, known.terms, known.row, known.exceeds = order, terms, row, exceeds
        known.since, known.ended = hour, None
        known.changes += 1

    def _row(self, key: RowKey) -> int:
        if key not in self._numbers:
            self._numbers[key] = len(self.rows)
            self.rows.append(key)
            self.names.append(("", ""))
        return self._numbers[key]

    def accept_policy(self, policy: PolicyAccepted) -> None:
        """Take a host policy, new or changed."""
        self._policies.add(policy.rule)
        self._standing.add(policy.rule)

    def use(self) -> None:
        """Take note of a revision: what was accepted before is in use now."""
        self._revisions += 1

    def lift(self, rule: str, hour: str) -> None:
        """Take note that a rule has gone."""
        if rule in self._standing:
            self._standing.remove(rule)
            if self._period.covers(hour):
                self.policies.add(rule)
        self._end(rule, hour, Standing.LIFTED, self.lifted)

    def expire(self, rule: str, hour: str) -> None:
        """Take note that an order has reached its end."""
        self._end(rule, hour, Standing.EXPIRED, self.expired)

    def _end(self, rule: str, hour: str, how: Standing, counted: Counter[int]) -> None:
        known = self.orders.get(rule)
        if known is None or known.ended is not None:
            return
        self._note(known, hour)
        known.ended = how
        known.terms.ended = f"its order was {how}"
        if self._period.covers(hour):
            counted[known.row] += 1

    def conclude(self, hour: str) -> None:
        """Take note of what has not ended by `hour`, the last."""
        for known in self.orders.values():
            self._note(known, hour)
        self.policies |= self._standing

    def _note(self, known: KnownOrder, until: str) -> None:
        """Note whether an order was in force in the period, from when it was accepted last `until` an hour."""
        if known.ended is not None:
            return
        opens = max(known.order.opens, _begin(known.since))
        closes = min(known.order.closes, _end_of(until))
        if opens < closes and closes > f"{self._period.first or _EARLIEST}T00:00:00Z":
            known.shadowed |= known.order.shadow
            known.enforced |= not known.order.shadow

    def row_of(self, rule: str) -> int:
        """Return the row that what is recorded of `rule` belongs to."""
        if (known := self.orders.get(rule)) is not None:
            return known.row
        return HOST if rule in self._policies else NO_ORDER

    def judge(self, rule: str, located_as: str, hour: int, *, ejected: bool) -> tuple[int, bool, bool]:
        """Return the row of a restriction by an order, whether it was outside its territory, and outside its time.

        Args:
            rule: the order's id.
            located_as: where the participant was placed.
            hour: in which it was recorded, counted from the beginning of 1970.
            ejected: whether the participant was inside already.
        """
        known = self.orders.get(rule)
        if known is None:
            return NO_ORDER, True, True
        terms = known.terms
        is_outside = known.exceeds or not terms.means(located_as, ejected=ejected)
        return known.row, is_outside, any(terms.refusals(hour * HOUR, self._revisions))


def _begin(hour: str) -> str:
    return f"{hour[:13]}:00:00Z"


def _end_of(hour: str) -> str:
    return f"{hour[:13]}:59:59Z"
