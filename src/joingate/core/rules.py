"""Rules as accepted: an Order is a legal demand within its authority's territory, a HostPolicy an owner's own wish."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import lru_cache

from joingate.core.model import Location
from joingate.core.territory import COUNTRIES, Territory, lies_in, may_lie_in, outside, refuse_code

SERVICE_WIDE = "*"


class Action(StrEnum):
    """How far a rule reaches. The vocabulary ends here: nothing acts on a meeting or an account (G3, G4)."""

    REJECT = "reject"  # new joins only
    EJECT = "eject"  # those already inside as well


class Match(StrEnum):
    """What a rule says of one location."""

    NO = "no"
    YES = "yes"
    DOUBT = "doubt"


@dataclass(frozen=True, slots=True)
class Authority:
    """Who may demand what where."""

    id: str
    name: str
    branch: str
    territory: Territory


@dataclass(frozen=True, slots=True)
class Asked:
    """What an order demanded, where that was more than was granted."""

    objects: tuple[str, ...] = ()
    territory: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Order:
    """A legal demand as accepted.

    Attributes:
        meetings: exact ids, prefixes ending in "*", or "*" alone when `service_wide`.
        opens: POSIX seconds at which the order comes into force.
        closes: POSIX seconds at which it has ended.
        shadow: decide and count, do not enforce.

    Raises:
        ValueError: the territory has a code that is none, or leaves the authority's (G2); the meetings are all of
            them without `service_wide`; or the time window is empty.
    """

    id: str
    authority: Authority
    territory: Territory
    meetings: tuple[str, ...]
    action: Action
    legal_basis: str
    reference: str
    received: date
    opens: float
    closes: float
    service_wide: bool = False
    asked: Asked | None = None
    notice_url: str | None = None
    shadow: bool = False

    def __post_init__(self) -> None:
        if beyond := outside(self.territory, self.authority.territory):
            raise ValueError(f"order {self.id}: {sorted(beyond)} lies outside the territory of {self.authority.id}")
        if (code := _no_code(self.territory)) is not None:
            raise ValueError(f"order {self.id}: {code} is no code of a country or a part of one")
        if SERVICE_WIDE in self.meetings and not self.service_wide:
            raise ValueError(f"order {self.id}: all meetings, without service_wide")
        if not self.opens < self.closes:
            raise ValueError(f"order {self.id}: ends before it begins")

    def in_force(self, now: float) -> bool:
        """Whether `now`, in POSIX seconds, lies in [opens, closes)."""
        return self.opens <= now < self.closes

    def match(self, location: Location) -> Match:
        """What cannot be told is doubt; everything else is inside the territory or not (G1)."""
        if lies_in(location, self.territory):
            return Match.YES
        return Match.DOUBT if may_lie_in(location, self.territory) else Match.NO


@dataclass(frozen=True, slots=True)
class HostPolicy:
    """A meeting owner's own wish, with no legal claim: exactly one of `allow` and `deny` is set.

    Attributes:
        reject_unknown: whether whoever cannot be located is turned away at the join; nobody is ejected for that.
    """

    id: str
    meetings: tuple[str, ...]
    action: Action
    allow: Territory | None = None
    deny: Territory | None = None
    reject_unknown: bool = False
    shadow: bool = False

    def __post_init__(self) -> None:
        if (self.allow is None) is (self.deny is None):
            raise ValueError(f"host policy {self.id}: exactly one of allow and deny")

    def in_force(self, now: float) -> bool:  # noqa: ARG002 - as Order's
        """Host policies have no window: removing one is how it ends."""
        return True

    def match(self, location: Location) -> Match:
        """What cannot be told is doubt, and the host has said what doubt means."""
        named = self.deny if self.allow is None else self.allow
        if named is None or may_lie_in(location, named):
            return Match.DOUBT
        return Match.YES if lies_in(location, named) is (self.allow is None) else Match.NO


Rule = Order | HostPolicy


@lru_cache(maxsize=4096)
def _no_code(territory: Territory) -> str | None:
    """Return what in `territory` is the code of nothing, if anything is."""
    for code in territory - COUNTRIES:
        if "-" not in code or refuse_code(code) is not None:
            return code
    return None


def codes_of(rule: Rule) -> Territory:
    """Return the codes that `rule` speaks of: those it restricts or, in a host's allow list, those it admits."""
    if isinstance(rule, Order):
        return rule.territory
    return rule.allow or rule.deny or frozenset()


def reach_of(rule: Rule) -> Territory:
    """Return the countries, ISO 3166-1, outside of which `rule` means nobody who is located, at whatever time.

    Equal ones are one object.
    """
    if isinstance(rule, HostPolicy) and rule.allow is not None:
        return _elsewhere(rule.allow)
    return _countries(codes_of(rule))


@lru_cache(maxsize=4096)
def _countries(codes: Territory) -> Territory:
    return frozenset(code[:2] for code in codes)


@lru_cache(maxsize=4096)
def _elsewhere(codes: Territory) -> Territory:
    return COUNTRIES - codes


def digest_of(rule: Rule) -> str:
    """Return a digest of all that one rule says, 16 hexadecimal digits; a RuleSet's revision is the same of all."""
    return digests_of((rule,))[0]


def digests_of(rules: Iterable[Rule]) -> tuple[str, list[str]]:
    """Digest what the rules say, all together and each; 16 hexadecimal digits.

    Territories and authorities are few and shared, so each is written out once.
    """
    written: dict[int, str] = {}

    def text(value: Territory | Authority | None) -> str:
        found = written.get(id(value))
        if found is None:
            found = written[id(value)] = _canonical(value)
        return found

    whole = hashlib.sha256()
    digests: list[str] = []
    for rule in rules:
        said: tuple[object, ...]
        if isinstance(rule, Order):
            said = (
                *("order", rule.id, text(rule.authority), text(rule.territory), rule.meetings, rule.action.value),
                *(rule.legal_basis, rule.reference, rule.received.isoformat(), rule.opens, rule.closes),
                *(rule.service_wide, rule.asked, rule.notice_url, rule.shadow),
            )
        else:
            said = (
                *("host_policy", rule.id, rule.meetings, rule.action.value, text(rule.allow), text(rule.deny)),
                *(rule.reject_unknown, rule.shadow),
            )
        encoded = repr(said).encode("utf-8", "surrogatepass")
        whole.update(encoded)
        digests.append(hashlib.sha256(encoded).hexdigest()[:16])
    return whole.hexdigest()[:16], digests


def _canonical(value: Territory | Authority | None) -> str:
    """Write a value the same way in every process: sets have no order of their own."""
    if isinstance(value, Authority):
        return repr((value.id, value.name, value.branch, sorted(value.territory)))
    return repr(value if value is None else sorted(value))
