"""Which counts of participants are shown: what is bound together by sums goes through `suppression` together.

rejected   rows -> total -> days
ejected    rows -> what became of them -> total -> days, with the sum of each outcome
doubt      rows -> total -> causes
others     rows -> total
"""

from collections.abc import Hashable, Mapping, Sequence
from typing import Final

from joingate.core.model import Cause
from joingate.core.report import Participants
from joingate.core.report_fold import Counts, Tabulation
from joingate.core.report_period import Bucket, gather
from joingate.core.report_rules import HOST
from joingate.core.suppression import Arc, Shown, suppress

TOTAL: Final = -1
"""Stands for all rows of orders where a row's number is meant."""

Numbers = Mapping[Hashable, Shown]
"""What is shown, by (name of the count, number of the row), (name, bucket) or cause."""

_ENDINGS: Final = ("confirmed", "still_present", "unresolved")
_ALONE: Final = ("rejected", "deferred", "doubt", "shadowed", "unrecorded")


def participants(number: int, shown: Numbers) -> Participants:
    """Return the numbers of one row, or of TOTAL."""
    return Participants(**{name: shown[name, number] for name in Participants.__slots__})


def show(counted: Tabulation, rows: Sequence[int], buckets: tuple[Bucket, ...]) -> Numbers:
    """Return what is shown of the orders' `rows`, of their sums, of the buckets, and of the host policies."""
    return {**_by_orders(counted, rows, buckets), **_by_hosts(counted.counts[HOST])}


def _by_orders(counted: Tabulation, rows: Sequence[int], buckets: tuple[Bucket, ...]) -> dict[Hashable, Shown]:
    counts = [(number, counted.counts[number]) for number in rows]
    shown = suppress(
        [
            *(Arc(("rejected", number), "rows", "sum", each.rejected) for number, each in counts),
            Arc(("rejected", TOTAL), "sum", "shares", sum(each.rejected for _, each in counts)),
            *_shares("rejected", gather(counted.rejected_on.items(), buckets), buckets),
        ]
    )
    shown |= suppress([*_ejections(counts), *_shares("ejected", gather(counted.ejected_on.items(), buckets), buckets)])
    shown |= suppress(
        [
            *(Arc(("doubt", number), "rows", "sum", each.doubt) for number, each in counts),
            Arc(("doubt", TOTAL), "sum", "causes", sum(each.doubt for _, each in counts)),
            *(Arc(cause, "causes", "rows", counted.doubt[cause]) for cause in Cause),
        ]
    )
    for name in ("deferred", "shadowed", "unrecorded"):
        each_row = [(number, getattr(each, name)) for number, each in counts]
        total = Arc((name, TOTAL), "sum", "rows", sum(count for _, count in each_row))
        shown |= suppress([*(Arc((name, number), "rows", "sum", count) for number, count in each_row), total])
    return shown


def _shares(name: str, sums: Sequence[int], buckets: tuple[Bucket, ...]) -> list[Arc]:
    return [Arc((name, bucket), "shares", "rows", count) for bucket, count in zip(buckets, sums, strict=True)]


def _ejections(counts: Sequence[tuple[int, Counts]]) -> list[Arc]:
    """Return rows, what became of the ejections in each, and the sums of both."""
    arcs = []
    for number, each in counts:
        arcs.append(Arc(("ejected", number), "rows", f"row {number}", each.ejected))
        arcs += [Arc((name, number), f"row {number}", name, count) for name, count in _endings(each)]
    for at, name in enumerate(_ENDINGS):
        arcs.append(Arc((name, TOTAL), name, "sum", sum(_endings(each)[at][1] for _, each in counts)))
    arcs.append(Arc(("ejected", TOTAL), "sum", "shares", sum(each.ejected for _, each in counts)))
    return arcs


def _by_hosts(counts: Counts) -> dict[Hashable, Shown]:
    """They have one row, and no sum but that of what became of ejections."""
    arcs = [Arc((name, HOST), name, name, getattr(counts, name)) for name in _ALONE]
    arcs.append(Arc(("ejected", HOST), "row", "sum", counts.ejected))
    arcs += [Arc((name, HOST), "sum", "row", count) for name, count in _endings(counts)]
    return suppress(arcs)


def _endings(counts: Counts) -> list[tuple[str, int]]:
    numbers = (counts.confirmed, len(counts.still_present), len(counts.unresolved))
    return list(zip(_ENDINGS, numbers, strict=True))
