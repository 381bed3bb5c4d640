import pytest

from joingate.codecs.report_summary import NO_ORDERS, summary
from joingate.core import record as r
from joingate.core.model import Cause
from tests.report_ledgers import RULES, ejection, entries, order, report, restriction

EARLIER = ("2026-09-02T00Z", order("earlier"))


@pytest.mark.parametrize(
    ("records", "received", "asked", "in_force"),
    [
        ([EARLIER, RULES], "No orders were", "", "One order was"),
        ([order()], "One order was", "It asked for no more than was granted.", "One order was"),
        (
            [order(asked_objects=("data",), opens="2026-10-01T00:00:00Z")],
            "One order was",
            "It asked for more than was granted.",
            "No orders were",
        ),
        ([order("1"), order("2")], "2 orders were", "None of them asked for more than was granted.", "2 orders were"),
        (
            [EARLIER, order("1"), order("2", asked_objects=("data",))],
            "2 orders were",
            "1 of them asked for more than was granted.",
            "3 orders were",
        ),
    ],
)
def test_the_summary_of_orders(records: list[r.Record], received: str, asked: str, in_force: str) -> None:
    said = summary(report(entries(*records), "2026-09-03")).partition(" Under orders")[0]
    between = f" {asked} " if asked else " "
    assert said == f"{received} received in this period.{between}{in_force} in force at some time."


@pytest.mark.parametrize(
    ("records", "rejected", "ejected", "doubt"),
    [
        ([], "nobody was", "nobody was", "nobody was"),
        ([restriction()] * 3, "fewer than 10 participants were", "nobody was", "nobody was"),
        ([ejection()] * 1000, "nobody was", "1,000 participants were", "nobody was"),
        (
            [r.Window(rule, {Cause.STALE: 9}, 0, 0) for rule in ("cac-1", "2")],
            "nobody was",
            "nobody was",
            "10 participants or more were",
        ),
        (
            [r.Window("cac-1", dict.fromkeys(Cause, 1), 0, 0), r.Window("cac-1", {Cause.STALE: 1}, 0, 0)],
            "nobody was",
            "nobody was",
            "at least one participant was",
        ),
    ],
)
def test_the_summary_of_participants(records: list[r.Record], rejected: str, ejected: str, doubt: str) -> None:
    orders = (order(), order("2", authority="x"), RULES)
    assert summary(report(entries(*orders, *records))).partition("Under orders, ")[2] == (
        f"{rejected} rejected when they tried to join, {ejected} ejected from meetings that went on, and {doubt} "
        "admitted because their location was in doubt."
    )


def test_the_summary_of_nothing() -> None:
    assert summary(report(entries(RULES))) == NO_ORDERS
