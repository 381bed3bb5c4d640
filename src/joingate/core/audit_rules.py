"""What each rule that was ever accepted says of a restriction: whom it means, when, and how far it goes."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from joingate.core.audit_hours import HOUR, moment_of
from joingate.core.location import UNKNOWN_PLACE
from joingate.core.model import Location
from joingate.core.record import Basis, OrderAccepted, PolicyAccepted
from joingate.core.rules import Action
from joingate.core.territory import COUNTRIES, OWN_COUNTRY_CODE, Territory, lies_in, may_lie_in

_NEVER: Final = 1 << 62


@lru_cache(maxsize=4096)
def place_of(code: str) -> Location | None:
    """Read `located_as`; None where it names no place, as "unknown" does, or not by the place's own code."""
    if code in OWN_COUNTRY_CODE or code[:2] not in COUNTRIES:
        return None
    return Location(code[:2], code if len(code) > 2 else None)


@lru_cache(maxsize=1024)
def _shared(codes: tuple[str, ...]) -> Territory:
    """Thousands of rules name a handful of territories."""
    return frozenset(codes)


@dataclass(slots=True)
class Terms:
    """A rule as accepted last.

    Attributes:
        territory: an order's; of a host policy what it denies, or what it allows.
        opens: POSIX seconds, as `closes`; a host policy is always in force.
        since: how many `rules` records stood before it: it is in use from the next.
        ended: what ended it, in words; empty while it stands.
    """

    basis: Basis
    ejects: bool
    shadow: bool
    territory: Territory
    allows: bool
    rejects_unknown: bool
    opens: int
    closes: int
    since: int
    ended: str = ""

    def means(self, located_as: str, *, ejected: bool) -> bool:
        """Whether the rule means somebody who was located so."""
        place = place_of(located_as)
        if self.basis is Basis.ORDER:
            return place is not None and lies_in(place, self.territory)
        if located_as != UNKNOWN_PLACE and place is None:
            return False
        if place is None or may_lie_in(place, self.territory):
            return self.rejects_unknown and not ejected  # nobody is ejected for not being located
        return lies_in(place, self.territory) is not self.allows

    def doubts(self, located_as: str) -> bool:
        """Whether this is an order, and nobody can tell if somebody located so is inside its territory."""
        if self.basis is not Basis.ORDER:
            return False
        return (place := place_of(located_as)) is None or may_lie_in(place, self.territory)

    def refusals(self, hour: int | None, revisions: int) -> Iterator[str]:
        """Yield why the rule could restrict nobody in the hour that begins at `hour`, after so many `rules` records.

        Hours are all there is of time: only an hour of which the whole lies outside the window is outside.
        """
        if self.ended:
            yield self.ended
        elif self.since >= revisions:
            yield "no revision with it was in use yet"
        if hour is None or hour + HOUR <= self.opens:
            yield "the hour is over before it begins"
        elif hour >= self.closes:
            yield "it has ended when the hour begins"


def order_terms(order: OrderAccepted, since: int) -> Terms:
    """Return the terms of an order; one whose moments are none is never in force."""
    opens, closes = moment_of(order.opens), moment_of(order.closes)
    return Terms(
        basis=Basis.ORDER,
        ejects=order.action is Action.EJECT,
        shadow=order.shadow,
        territory=_shared(order.territory),
        allows=False,
        rejects_unknown=False,
        opens=_NEVER if opens is None else opens,
        closes=-_NEVER if closes is None else closes,
        since=since,
    )


def policy_terms(policy: PolicyAccepted, since: int) -> Terms:
    """Return the terms of a host policy."""
    return Terms(
        basis=Basis.HOST_POLICY,
        ejects=policy.action is Action.EJECT,
        shadow=policy.shadow,
        territory=_shared(policy.deny or () if policy.allow is None else policy.allow),
        allows=policy.allow is not None,
        rejects_unknown=policy.rejects_unknown,
        opens=-_NEVER,
        closes=_NEVER,
        since=since,
    )
