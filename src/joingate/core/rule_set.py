"""All rules at one moment, indexed by meeting: what a join is judged by.

A RuleSet is built once, whole, and never changed: a reload builds another and swaps. Looking up the rules of a meeting
costs one dict access for exact ids, one for each distinct length of prefix, and nothing that grows with the number of
rules. Most joins need less than that: its reach (reach.py).
"""

import heapq
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import TypeVar

from joingate.core.reach import Reach, ReachInUse
from joingate.core.rules import SERVICE_WIDE, Order, Rule, digests_of, reach_of
from joingate.core.territory import Territory

_PIECE = 64  # rules: a few microseconds
_RUN = 4096  # rules: a few milliseconds

_Found = TypeVar("_Found")


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


def _empty(index: MutableMapping[str, _Found]) -> None:
    while index:
        index.popitem()


def _reach_of(rules: Sequence[Rule]) -> Territory:
    """Return the countries outside of which none of `rules` means anybody; equal ones are mostly one object."""
    if len(rules) == 1:
        return reach_of(rules[0])
    return frozenset(code for rule in rules for code in reach_of(rule))


def _unfolded(meeting: str) -> str:
    return meeting


@dataclass(frozen=True, slots=True)
class Source:
    """What one file of rules said, so that it need not be parsed again while it says the same.

    Attributes:
        digest: of its content.
        rules: that stand in it, in its order.
    """

    digest: bytes
    rules: tuple[Rule, ...]


class RuleSet:
    """All rules at one moment, indexed by meeting. Immutable: build another instead.

    Attributes:
        reach: which countries the rules of a meeting may mean.
        revision: digest of the rules' content, the same whatever their file or order; 16 hexadecimal digits.
        digests: of each rule alone, by its id.
        sources: what the rules were read from, by file name; nothing where they were not, or in another process.
    """

    __slots__ = (
        "_boundaries",
        "_exact",
        "_prefix_lengths",
        "_prefixes",
        "_service_wide",
        "digests",
        "reach",
        "revision",
        "rules",
        "sources",
    )

    def __init__(self, rules: Iterable[Rule] = (), *, fold: Callable[[str], str] = _unfolded) -> None:
        """Index `rules`.

        Args:
            rules: in any order.
            fold: how the meeting server folds ids (str.lower where it ignores case); the default is exact.

        Raises:
            ValueError: two rules have the same id.
        """
        self.sources: Mapping[str, Source] = {}
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
        self.reach = self._find_reach()
        self._boundaries = sorted(
            {moment for rule in self.rules if isinstance(rule, Order) for moment in (rule.opens, rule.closes)}
        )
        self.revision, digests = digests_of(self.rules)
        self.digests = dict(zip((rule.id for rule in self.rules), digests, strict=True))
        if len(self.digests) < len(self.rules):
            twice, _ = Counter(rule.id for rule in self.rules).most_common(1)[0]
            raise ValueError(f"two rules have the id {twice}")

    def _find_reach(self) -> Reach | ReachInUse:
        return ReachInUse(
            {meeting: _reach_of(named) for meeting, named in self._exact.items()},
            {prefix: _reach_of(named) for prefix, named in self._prefixes.items()},
            self._prefix_lengths,
            _reach_of(self._service_wide) if self._service_wide else None,
        )

    def __getstate__(self) -> dict[str, object]:
        """Leave out what another process makes for itself, or has no use for."""
        return {name: getattr(self, name) for name in self.__slots__ if name not in {"reach", "sources"}}

    def __setstate__(self, state: dict[str, object]) -> None:
        for name, value in state.items():
            setattr(self, name, value)
        self.sources = {}
        self.reach = self._find_reach()

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
        rules, self.rules, self.sources = list(self.rules), (), {}
        for index in (self._exact, self._prefixes):
            _empty(index)
        for reaches in self.reach.indexes if isinstance(self.reach, Reach) else ():
            _empty(reaches)
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
