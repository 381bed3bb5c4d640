"""Which verdicts are right: the pure core, asked with the rules and the database that were in force at that moment.

A run is a row of eras, each with one rule set and one database. When a change begins, by SIGHUP or by command, both the
era before and the era after may be what a join meets, until the gate says that the change is over; never a third. An
answer is right when some moment between its request and itself, in some era then possible, gives it.
"""

import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, cast

from joingate.core.decision import Decision, decide, reassess
from joingate.core.location import located_as
from joingate.core.model import Address, Join, Location
from joingate.core.roster import Carrier, Participant, State
from joingate.core.rule_set import RuleSet
from joingate.core.rules import Order, codes_of
from tests.soak.places import Places

MEMORY = 300.0
"""Seconds after its end for which an era is kept; no answer is awaited for so long."""


class Refusal(NamedTuple):
    """How somebody is turned away; None, in its place, is an admission."""

    status: int  # 451 or 403; a Close has 4000 more
    rule: str
    located_as: str


Verdicts = frozenset[Refusal | None]


@dataclass(slots=True)
class Era:
    """What may have been in force at any moment from `first` to `last`, in POSIX seconds."""

    rules: RuleSet
    places: Places
    first: float
    last: float = math.inf


class Timeline:
    """The eras of a run, and the verdicts that they allow."""

    def __init__(self, rules: RuleSet, places: Places, now: float) -> None:
        self._eras = deque((Era(rules, places, now),))

    @property
    def latest(self) -> Era:
        """What is in force, or about to be."""
        return self._eras[-1]

    def is_certain(self, now: float) -> bool:
        """Whether only one era is possible."""
        return sum(era.last >= now for era in self._eras) == 1

    def changes(self, now: float, *, rules: RuleSet | None = None, places: Places | None = None) -> None:
        """Note that a change is about to be asked for."""
        if not self.is_certain(now):
            raise RuntimeError("one change at a time: the one before is not over")
        latest = self.latest
        # An empty rule set is false, and no less in force.
        self._eras.append(
            Era(latest.rules if rules is None else rules, latest.places if places is None else places, now)
        )

    def settled(self, now: float) -> None:
        """Note that the latest change is over: what was before it can be met no more."""
        *before, _ = self._eras
        for era in before:
            era.last = min(era.last, now)
        while self._eras[0].last < now - MEMORY:
            self._eras.popleft()

    def at_the_door(self, meeting: str, address: Address, began: float, ended: float) -> Verdicts:
        """Return what a join may be answered."""
        join = Join(meeting)
        return frozenset(
            _refusal(decide(join, location, era.rules, now), location)
            for era, location, now in self._moments(meeting, address, began, ended)
        )

    def inside(self, meeting: str, address: Address, began: float, ended: float) -> Verdicts:
        """Return what may become of somebody inside; None is being left alone."""
        found: set[Refusal | None] = set()
        for era, location, now in self._moments(meeting, address, began, ended):
            present = Participant(Join(meeting), address, cast("Carrier", None))  # nothing is carried out here
            present.state, present.location = State.ADMITTED, location
            judged = reassess([present], era.rules, now)
            found.add(_refusal(judged[0][1], location) if judged else None)
        return frozenset(found)

    def _moments(
        self, meeting: str, address: Address, began: float, ended: float
    ) -> Iterator[tuple[Era, Location, float]]:
        """Yield the start of each possible era, and each opening or closing of an order within it."""
        for era in self._eras:
            first, last = max(began, era.first), min(ended, era.last)
            if first > last:
                continue
            location = era.places.locate(address)
            yield era, location, first
            for boundary in era.rules.boundaries_of(meeting):
                if first < boundary <= last:
                    yield era, location, boundary


def _refusal(decision: Decision, location: Location) -> Refusal | None:
    rule = decision.rule
    if rule is None:
        return None
    return Refusal(451 if isinstance(rule, Order) else 403, rule.id, located_as(location, codes_of(rule)))
