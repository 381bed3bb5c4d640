"""Histories to report on, drawn; and everything that a reader of the report can add up.

Counts are small, or just large enough to be shown, and the same few rows and days come again and again: there the sums
give most away.
"""

from collections import Counter
from collections.abc import Hashable, Mapping
from typing import Any

from hypothesis import strategies as st

from joingate.core import record as r
from joingate.core.model import Cause
from tests.attacker import Sum
from tests.report_ledgers import RULES, deferral, ejection, entries, meeting, order, policy, restriction

RULE_IDS = ("cac-1", "cac-2", "rkn-1", "ofac-1")
DAYS = ("2026-09-03", "2026-09-04", "2026-09-10")

ORDERS = (
    order("cac-1"),
    order("cac-2", reference="another"),
    order("rkn-1", authority="rkn", authority_name="Roskomnadzor", authority_territory=("RU",), territory=("RU",)),
    order("ofac-1", authority="ofac", authority_name="OFAC", authority_territory=("CU",), territory=("CU",)),
    policy("board"),
)
_PLACES = {"cac-1": "CN", "cac-2": "CN", "rkn-1": "RU", "ofac-1": "CU", "board": "US"}
_ENDINGS = ("confirmed", "still_present", "unresolved")

_few = st.one_of(st.sampled_from((1, 2, 9, 10, 11)), st.integers(1, 25))


@st.composite
def histories(draw: st.DrawFn) -> list[r.Entry]:
    """Orders, and what was done and not done under them on a few days."""
    records: list[tuple[str, r.Record]] = [(f"{DAYS[0]}T00Z", record) for record in (*ORDERS, RULES)]
    for day in DAYS:
        hour = f"{day}T12Z"
        for _ in range(draw(st.integers(0, 5))):
            records += _happening(draw, hour, len(records) + 1)
    return entries(*records)


def _happening(draw: st.DrawFn, hour: str, seq: int) -> list[tuple[str, r.Record]]:
    rule, count = draw(st.sampled_from((*RULE_IDS, "board"))), draw(_few)
    basis = r.Basis.HOST_POLICY if rule == "board" else r.Basis.ORDER
    made: dict[str, Any] = {"basis": basis, "located_as": _PLACES[rule]}
    what = draw(st.sampled_from(("reject", "eject", "eject", "defer", "window")))
    if what == "defer":
        return [(hour, deferral(rule, basis))] * count
    if what == "window":
        counted = draw(st.tuples(st.integers(0, 12), st.integers(0, 12)))
        doubt = draw(st.dictionaries(st.sampled_from(sorted(Cause)), _few, max_size=3))
        return [(hour, r.Window(rule, doubt, *counted))]
    meetings = draw(st.integers(1, 12))
    making = restriction if what == "reject" else ejection
    found: list[tuple[str, r.Record]] = [
        (hour, making(rule, meeting=meeting(number % meetings), **made)) for number in range(count)
    ]
    if what == "eject":
        gone, present = draw(st.integers(0, count)), draw(st.integers(0, 3))
        for ending, seqs in (
            (r.Ending.CONFIRMED, range(seq, seq + gone)),
            (r.Ending.STILL_PRESENT, range(seq + gone, seq + min(count, gone + present))),
        ):
            if seqs:
                found.append((hour, r.Outcome(ending, tuple(seqs))))
    return found


def readable(report: Mapping[str, Any]) -> tuple[dict[Hashable, object], list[Sum]]:
    """Return every number of participants in a report as JSON, and every sum that a reader knows of.

    People restricted are no fewer than the meetings that they were restricted in; the difference is shown nowhere.
    """
    shown: dict[Hashable, object] = {}
    sums: list[Sum] = []
    rows: list[Hashable] = list(range(len(report["rows"])))
    for row, found in zip([*rows, "total"], [*report["rows"], report["total"]], strict=True):
        shown.update({(name, row): number for name, number in found["participants"].items()})
        shown["meetings", row] = found["meetings"]["restricted"]
        shown["people", row] = shown["more", row] = None
        sums.append((("ejected", row), [(name, row) for name in _ENDINGS]))
        sums.append((("people", row), [("rejected", row), ("ejected", row)]))
        sums.append((("people", row), [("meetings", row), ("more", row)]))
    names = [*report["total"]["participants"], "meetings"]
    sums += [((name, "total"), [(name, row) for row in rows]) for name in names]
    for name in ("rejected", "ejected"):
        spans: dict[Hashable, object] = {
            (name, "span", at): span[name] for at, span in enumerate(report["over_time"]["spans"])
        }
        shown.update(spans)
        sums.append(((name, "total"), list(spans)))
    shown.update({("doubt", "by", cause): number for cause, number in report["doubt"].items()})
    sums.append((("doubt", "total"), [("doubt", "by", cause) for cause in report["doubt"]]))
    shown.update({("host", name): number for name, number in report["host_policies"]["participants"].items()})
    sums.append((("host", "ejected"), [("host", name) for name in _ENDINGS]))
    return shown, sums


def counted(history: list[r.Entry], report: Mapping[str, Any]) -> dict[Hashable, int]:
    """Return the true numbers at the keys of `readable`, counted straight from the history."""
    row_of = {_rule(entry): at for at, row in enumerate(report["rows"]) for entry in history if _is_of(entry, row)}
    spans = [(span["from"], span["to"]) for span in report["over_time"]["spans"]]
    numbers: Counter[Hashable] = Counter()
    meetings: set[tuple[Hashable, str]] = set()
    endings = {
        seq: e.record.ending for e in history if isinstance(e.record, r.Outcome) for seq in e.record.restrictions
    }
    for entry in history:
        for name, count in _counts_of(entry, endings):
            rule = _rule(entry)
            if rule == "board":
                numbers["host", name] += count
                continue
            numbers.update({(name, row_of[rule]): count, (name, "total"): count})
            if name in ("rejected", "ejected"):
                at = next(i for i, (first, last) in enumerate(spans) if first <= entry.hour[:10] <= last)
                numbers[name, "span", at] += count
                numbers.update({("people", row_of[rule]): count, ("people", "total"): count})
                meetings.add((row_of[rule], entry.record.meeting))  # type: ignore[union-attr]
        if isinstance(entry.record, r.Window) and entry.record.rule != "board":
            numbers.update({("doubt", "by", cause.value): count for cause, count in entry.record.doubt.items()})
    for row, _ in meetings:
        numbers.update([("meetings", row), ("meetings", "total")])
    for row in [*row_of.values(), "total"]:
        numbers["more", row] = numbers["people", row] - numbers["meetings", row]
    return {key: numbers[key] for key in readable(report)[0]}


def _rule(entry: r.Entry) -> str:
    return getattr(entry.record, "rule", "")


def _is_of(entry: r.Entry, row: Mapping[str, Any]) -> bool:
    return isinstance(entry.record, r.OrderAccepted) and entry.record.authority == row["authority"]


def _counts_of(entry: r.Entry, endings: Mapping[int, r.Ending]) -> list[tuple[str, int]]:
    match entry.record:
        case r.Restriction(action=r.Restricts.REJECT):
            return [("rejected", 1)]
        case r.Restriction():
            return [("ejected", 1), (endings.get(entry.seq, "unresolved"), 1)]
        case r.Deferral():
            return [("deferred", 1)]
        case r.Window() as window:
            doubt = sum(window.doubt.values()) if window.rule != "board" else 0
            return [("doubt", doubt), ("shadowed", window.shadowed), ("unrecorded", window.unrecorded)]
        case _:
            return []
