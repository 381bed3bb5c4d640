"""Small cells are not shown, and neither is what would give them back.

A table that is shown with its sums is a flow: each number is what passes through one arc, and at every node as much
comes in as goes out. Whoever knows the sums can narrow down a hidden number only as far as the other hidden ones leave
no room: it can be one more if one unit more can go round through hidden arcs alone, and so on. Here every hidden number
keeps its room, and each further number that is hidden for that is the smallest that will do.

Zeros are always shown. A hidden number is shown as a `Mask`, which says truly how large it is at least, or at most.

Source: L. H. Cox, Network models for complementary cell suppression, JASA 90 (1995), for tables as flows.
"""

import heapq
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

FEWEST: Final = 10
"""Counts below this, other than zero, are hidden."""

ROOM: Final = 4
"""A small count that is hidden could be any of at least ROOM + 1 numbers, for all that is shown."""


class Mask(StrEnum):
    """What is shown in place of a count."""

    FEW = "<10"  # 1 to 9
    SOME = "10+"  # hidden because a smaller one could be worked out from it
    ANY = "1+"  # hidden likewise, where "<10" or "10+" would say too much


Shown = int | Mask

_BOUNDS: Final = {Mask.FEW: (1, FEWEST - 1), Mask.SOME: (FEWEST, None), Mask.ANY: (1, None)}


@dataclass(frozen=True, slots=True)
class Arc:
    """A number in a table.

    Attributes:
        tail: the node it comes out of: the sum that it is a part of, or any name where it is a part of none.
        head: the node it goes into: what it is the sum of, or likewise.
        count: 0 or more.
    """

    key: Hashable
    tail: str
    head: str
    count: int


def suppress(arcs: Sequence[Arc]) -> dict[Hashable, Shown]:
    """Return what to show of each number, by its key.

    Args:
        arcs: all numbers that are bound together by sums, and these sums. The order decides only between equals.

    Raises:
        ValueError: at some node the sums are wrong.
    """
    flow = _Flow(arcs)
    for at, arc in enumerate(arcs):
        if 0 < arc.count < FEWEST:
            flow.make_room(at)
    return {arc.key: arc.count if mask is None else mask for arc, mask in zip(arcs, flow.masks, strict=True)}


_Step = tuple[int, int]
"""An arc, by its place, and what its number changes by: 1 or -1."""

_WAYS: Final = ((1, -1), (1,), (-1,))
"""Room can be upwards, downwards, or some of each: whichever hides least."""


class _Flow:
    """The numbers, and what is hidden of them so far."""

    def __init__(self, arcs: Sequence[Arc]) -> None:
        self._counts = [arc.count for arc in arcs]
        self._ends = [(arc.tail, arc.head) for arc in arcs]
        self.masks: list[Mask | None] = [Mask.FEW if 0 < count < FEWEST else None for count in self._counts]
        # A step that hides more of a hidden number is the last resort: dearer than hiding everything else.
        self._dearest = sum(self._counts)
        self._steps: dict[str, list[tuple[_Step, str]]] = {}
        balance: dict[str, int] = {}
        for at, arc in enumerate(arcs):
            for node, step, other in ((arc.tail, (at, 1), arc.head), (arc.head, (at, -1), arc.tail)):
                self._steps.setdefault(node, []).append((step, other))
                balance[node] = balance.get(node, 0) + step[1] * arc.count
        if wrong := [node for node, sum_ in balance.items() if sum_]:
            raise ValueError(f"the sums are wrong at {', '.join(sorted(wrong))}")

    def make_room(self, at: int) -> None:
        """Hide more numbers, as few and as small ones as will do, until the one at `at` could be any of ROOM + 1."""
        if self._missing(at, _WAYS[0]) is None:
            return
        plans = [plan for ways in _WAYS if (plan := self._plan(at, ways)) is not None]
        self.masks = min(plans, key=lambda plan: plan[0])[1]

    def _plan(self, at: int, ways: tuple[int, ...]) -> tuple[int, list[Mask | None]] | None:
        """Find masks that give the number at `at` room by going these ways; return their price with them."""
        kept = self.masks
        self.masks = list(kept)
        try:
            while (offers := self._missing(at, ways)) is not None:
                if not offers:
                    return None
                for step, value in min(offers)[2]:
                    if (mask := self._mask_for(step, value)) is not None:
                        self.masks[step[0]] = mask
            return self._spare(at, ways, kept), self.masks
        finally:
            self.masks = kept

    def _spare(self, at: int, ways: tuple[int, ...], kept: Sequence[Mask | None]) -> int:
        """Show again what was hidden since `kept` and need not be, the largest first; return the price of the rest."""
        price = 0
        hidden = [other for other, mask in enumerate(self.masks) if mask is not kept[other]]
        for other in sorted(hidden, key=lambda each: (-self._counts[each], each)):
            mask, self.masks[other] = self.masks[other], kept[other]
            if self._missing(at, ways) is not None:
                self.masks[other] = mask
                price += self._counts[other] + (self._dearest if mask is Mask.ANY else 0)
        return price

    def _missing(self, at: int, ways: tuple[int, ...]) -> list[tuple[int, int, list[tuple[_Step, int]]]] | None:
        """Return what would give the number at `at` more room: the price, a number between equals, and the steps.

        Each step goes with the value before it. None when there is room enough.
        """
        room = 0
        offers: list[tuple[int, int, list[tuple[_Step, int]]]] = []
        for by in ways:
            values = list(self._counts)
            while room < ROOM and (found := self._round(at, by, values)) is not None:
                price, steps = found
                if price:
                    offers.append((price, len(offers), [(step, values[step[0]]) for step in steps]))
                    break
                for moved, change in steps:
                    values[moved] += change
                room += 1
        return None if room == ROOM else offers

    def _round(self, at: int, by: int, values: list[int]) -> tuple[int, list[_Step]] | None:
        """Find the cheapest way to change the number at `at` and send the change round; return its price and steps."""
        own = self._price((at, by), values[at])
        if own is None:
            return None
        goal, start = self._ends[at][::by]  # one more through it comes back from its head to its tail
        reached: dict[str, tuple[str, _Step]] = {}
        done: set[str] = set()
        waiting = [(own, 0, start)]
        pushed = 0
        best = {start: own}
        while waiting:
            price, _, node = heapq.heappop(waiting)
            if node == goal:
                return price, [(at, by), *_trace(reached, start, goal)]
            if node in done:
                continue
            done.add(node)
            for step, other in self._steps[node]:
                if other in done or step[0] == at or (more := self._price(step, values[step[0]])) is None:
                    continue
                if other not in best or price + more < best[other]:
                    best[other] = price + more
                    reached[other] = node, step
                    pushed += 1
                    heapq.heappush(waiting, (price + more, pushed, other))
                    if other == goal and not more:
                        break  # nothing is cheaper
        return None

    def _price(self, step: _Step, value: int) -> int | None:
        """Return what a step costs in numbers hidden, 0 if nothing; None where no mask would allow it."""
        at, by = step
        if self._counts[at] == 0 or value + by < 1:
            return None
        mask = self._mask_for(step, value)
        if mask is None:
            return 0
        return self._counts[at] + (self._dearest if mask is Mask.ANY else 0)

    def _mask_for(self, step: _Step, value: int) -> Mask | None:
        """Return the mask that a step away from `value` needs; None when the number is hidden well enough for it."""
        at, by = step
        mask = self.masks[at]
        if mask is None:
            return Mask.SOME if value + by >= FEWEST else Mask.ANY
        low, high = _BOUNDS[mask]
        return None if value + by >= low and (high is None or value + by <= high) else Mask.ANY


def _trace(reached: dict[str, tuple[str, _Step]], start: str, goal: str) -> list[_Step]:
    """Return the steps that led from `start` to `goal`."""
    steps = []
    node = goal
    while node != start:
        node, step = reached[node]
        steps.append(step)
    return steps
