"""Rules as accepted, and the immutable, indexed RuleSet that a join is judged by.

An Order is a legal demand within its authority's territory; a HostPolicy is a meeting owner's own wish. A RuleSet is
built once, whole, and never changed: a reload builds another and swaps. Looking up the rules of a meeting costs one
dict access for exact ids, one for each distinct length of prefix, and nothing that grows with the number of rules.
"""

import hashlib
import heapq
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import lru_cache
from operator import attrgetter

from joingate.core.model import Location
from joingate.core.territory import COUNTRIES, Territory, lies_in, may_lie_in, outside, refuse_code

SERVICE_WIDE = "*"

_PIECE = 64  # rules: a few microseconds
_RUN = 4096  # rules: a few milliseconds


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


def _strictest_first(rule: Rule) -> tuple[bool, str]:
    """Orders before host policies: where both turn someone away, the notice names the law. Then by id, not by file."""
    return (not isinstance(rule, Order), rule.id)


def _in_order(rules: Iterable[Rule]) -> Iterator[Rule]:
    """Yield the strictest first. A hundred thousand sorted at once would keep every other thread waiting."""
    by_kind: tuple[list[Rule], list[Rule]] = [], []
    for rule in rules:
        by_kind[not isinstance(rule, Order)].append(rule)
    by_id = attrgetter("id")
    for kind in by_kind:
        runs = [sorted(kind[at : at + _RUN], key=by_id) for at in range(0, len(kind), _RUN)]
        yield from heapq.merge(*runs, key=by_id)


def _settled(index: dict[str, list[Rule]]) -> Iterator[tuple[str, tuple[Rule, ...]]]:
    """Empty an index that was being made: its lists go one by one, and keep nobody waiting."""
    while index:
        key, found = index.popitem()
        yield key, tuple(found)


def _unfolded(meeting: str) -> str:
    return meeting


class RuleSet:
    """All rules at one moment, indexed by meeting. Immutable: build another instead.

    Attributes:
        revision: digest of the rules' content, the same whatever their file or order; 16 hexadecimal digits.
        digests: of each rule alone, by its id.
    """

    __slots__ = (
        "_boundaries",
        "_exact",
        "_prefix_lengths",
        "_prefixes",
        "_service_wide",
        "digests",
        "revision",
        "rules",
    )

    def __init__(self, rules: Iterable[Rule] = (), *, fold: Callable[[str], str] = _unfolded) -> None:
        """Index `rules`.

        Args:
            rules: in any order.
            fold: how the meeting server folds ids (str.lower where it ignores case); the default is exact.

        Raises:
            ValueError: two rules have the same id.
        """
        self.rules: tuple[Rule, ...] = tuple(_in_order(rules))
        exact: dict[str, list[Rule]] = {}
        prefixes: dict[str, list[Rule]] = {}
        service_wide: list[Rule] = []
        for rule in self.rules:
            for pattern in dict.fromkeys(map(fold, rule.meetings)):
                if pattern == SERVICE_WIDE:
                    service_wide.append(rule)
                elif pattern.endswith("*"):
                    prefixes.setdefault(pattern[:-1], []).append(rule)
                else:
                    exact.setdefault(pattern, []).append(rule)
        self._exact = dict(_settled(exact))
        self._prefixes = dict(_settled(prefixes))
        self._prefix_lengths = tuple(sorted({len(prefix) for prefix in self._prefixes}))
        self._service_wide = tuple(service_wide)
        self._boundaries = sorted(
            {moment for rule in self.rules if isinstance(rule, Order) for moment in (rule.opens, rule.closes)}
        )
        self.revision, digests = _digest(self.rules)
        self.digests = dict(zip((rule.id for rule in self.rules), digests, strict=True))
        if len(self.digests) < len(self.rules):
            twice, _ = Counter(rule.id for rule in self.rules).most_common(1)[0]
            raise ValueError(f"two rules have the id {twice}")

    def __len__(self) -> int:
        return len(self.rules)

    def for_meeting(self, meeting: str) -> tuple[Rule, ...]:
        """Return every rule that names `meeting` (already folded), strictest first, in force or not."""
        found = self._exact.get(meeting, ())
        if not self._prefix_lengths and not self._service_wide:
            return found
        groups = [found] if found else []
        for length in self._prefix_lengths:
            if length > len(meeting):
                break
            if (under := self._prefixes.get(meeting[:length])) is not None:
                groups.append(under)
        if self._service_wide:
            groups.append(self._service_wide)
        if len(groups) < 2:
            return groups[0] if groups else ()
        merged = {rule.id: rule for group in groups for rule in group}
        return tuple(sorted(merged.values(), key=_strictest_first))

    def take_apart(self) -> None:
        """Let go of all rules piece by piece, when nobody judges by this set any more; what it was called stays.

        A hundred thousand rules that go at once keep every other thread waiting for a tenth of a second.
        """
        rules, self.rules = list(self.rules), ()
        for index in (self._exact, self._prefixes):
            while index:
                index.popitem()
        while rules:
            del rules[-_PIECE:]

    def boundaries_of(self, meeting: str) -> Iterator[float]:
        """Yield the moments, in POSIX seconds, at which an order that names `meeting` opens or closes."""
        for rule in self.for_meeting(meeting):
            if isinstance(rule, Order):
                yield rule.opens
                yield rule.closes

    def next_boundary(self, after: float) -> float | None:
        """Return the first moment later than `after`, in POSIX seconds, at which some order opens or closes."""
        at = bisect_right(self._boundaries, after)
        return self._boundaries[at] if at < len(self._boundaries) else None


def digest_of(rule: Rule) -> str:
    """Return a digest of all that one rule says, 16 hexadecimal digits; a RuleSet's revision is the same of all."""
    return _digest((rule,))[0]


def _digest(rules: Iterable[Rule]) -> tuple[str, list[str]]:
    """Digest what the rules say, all together and each.

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
