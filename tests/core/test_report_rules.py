from typing import Any

import pytest

from joingate.core.report import Standing
from joingate.core.report_period import Period, hour_number
from joingate.core.report_rules import HOST, NO_ORDER, RowKey, RuleBook
from tests.report_ledgers import order, policy

SEPTEMBER = Period("2026-09-01", "2026-09-30")
BEFORE, EARLY, LATE, LAST = "2026-08-20T10Z", "2026-09-05T10Z", "2026-09-20T10Z", "2026-09-30T23Z"


def book(period: Period = SEPTEMBER) -> RuleBook:
    return RuleBook(period)


def test_a_row_is_an_authority_with_a_territory() -> None:
    rules = book()
    rules.accept(order("a"), EARLY)
    rules.accept(order("b", authority_name="CAC"), EARLY)
    rules.accept(order("c", authority="rkn", authority_name="RKN", branch="police"), EARLY)
    rules.accept(order("d", territory=("CN-GD",)), EARLY)
    assert rules.rows[2:] == [RowKey("cac", ("CN",)), RowKey("rkn", ("CN",)), RowKey("cac", ("CN-GD",))]
    assert rules.names[2:] == [
        ("CAC", "regulator"),
        ("RKN", "police"),
        ("Cyberspace Administration of China", "regulator"),
    ]
    assert [rules.row_of(rule) for rule in "abcd"] == [2, 2, 3, 4]


def test_rows_of_what_is_no_order() -> None:
    rules = book()
    rules.accept_policy(policy("p"))
    rules.lift("p", EARLY)
    assert rules.row_of("p") == HOST
    assert rules.row_of("x") == NO_ORDER


# When an order was accepted, and lifted or not; its window; whether it was in force in September.
IN_FORCE = [
    (BEFORE, None, {}, True),
    (EARLY, None, {}, True),
    (BEFORE, None, {"closes": "2026-09-01T00:00:00Z"}, False),
    (BEFORE, None, {"closes": "2026-09-01T00:00:01Z"}, True),
    (BEFORE, "2026-08-31T23Z", {}, False),
    (BEFORE, "2026-09-01T00Z", {}, True),
    (EARLY, None, {"opens": "2026-09-30T23:59:58Z"}, True),
    (EARLY, None, {"opens": "2026-10-01T00:00:00Z"}, False),
    (EARLY, EARLY, {}, True),  # within an hour, which is as fine as it gets
    (EARLY, LATE, {"opens": "2026-09-21T00:00:00Z"}, False),
    (EARLY, None, {"closes": "2026-09-05T10:00:00Z"}, False),  # over before it was accepted
]


@pytest.mark.parametrize(("accepted", "lifted", "window", "in_force"), IN_FORCE)
@pytest.mark.parametrize("shadow", [False, True])
def test_in_force_in_a_period(
    accepted: str, lifted: str | None, window: dict[str, Any], in_force: bool, shadow: bool
) -> None:
    rules = book()
    rules.accept(order("a", shadow=shadow, **window), accepted)
    if lifted is not None:
        rules.lift("a", lifted)
    rules.conclude(LAST)
    known = rules.orders["a"]
    assert (known.enforced, known.shadowed) == (in_force and not shadow, in_force and shadow)


def test_without_limits_everything_up_to_the_last_hour_counts() -> None:
    rules = book(Period())
    rules.accept(order("a"), BEFORE)
    rules.accept(order("b", opens="2026-09-21T00:00:00Z"), BEFORE)
    rules.conclude(LATE)
    assert [rules.orders[rule].enforced for rule in "ab"] == [True, False]


def test_an_order_that_changes_remains_one() -> None:
    rules = book()
    rules.accept(order("a", shadow=True), EARLY)
    rules.accept(order("a", territory=("CN-GD",), reference="other"), LATE)
    rules.conclude(LAST)
    known = rules.orders["a"]
    assert (known.first, known.since, known.changes) == (EARLY, LATE, 1)
    assert (known.enforced, known.shadowed) == (True, True)
    assert known.row == 3
    assert known.order.reference == "other"


def test_ends_are_counted_once_where_they_fall_in_the_period() -> None:
    rules = book()
    for rule in "abcd":
        rules.accept(order(rule), BEFORE)
    rules.lift("a", BEFORE)
    rules.lift("b", EARLY)
    rules.lift("b", LATE)
    rules.expire("c", LATE)
    rules.lift("c", LATE)
    rules.expire("nobody", LATE)
    assert (rules.lifted, rules.expired) == ({2: 1}, {2: 1})
    assert [rules.orders[rule].ended for rule in "abcd"] == [Standing.LIFTED, Standing.LIFTED, Standing.EXPIRED, None]
    rules.accept(order("b"), LATE)
    assert rules.orders["b"].ended is None


def test_host_policies_that_stood_in_the_period() -> None:
    rules = book()
    for rule in ("gone before", "gone in it", "stays"):
        rules.accept_policy(policy(rule))
    rules.lift("gone before", BEFORE)
    rules.lift("gone in it", EARLY)
    rules.conclude(LAST)
    assert rules.policies == {"gone in it", "stays"}


@pytest.mark.parametrize(
    ("changes", "exceeds", "beyond", "more"),
    [
        ({}, False, False, False),
        ({"asked_territory": ("CN",)}, False, False, False),
        ({"asked_territory": ("CN", "HK")}, False, True, True),
        ({"territory": ("CN-GD",), "asked_territory": ("CN",)}, False, False, True),
        ({"asked_objects": ("meeting",)}, False, False, True),
        ({"territory": ("CN", "HK")}, True, False, False),
    ],
)
def test_asked_and_granted(changes: dict[str, Any], exceeds: bool, beyond: bool, more: bool) -> None:
    rules = book()
    rules.accept(order("a", **changes), EARLY)
    known = rules.orders["a"]
    assert (known.exceeds, known.asked_beyond, known.asked_more) == (exceeds, beyond, more)


# Where somebody was located, when, and whether that is outside the territory or the time of the order.
JUDGEMENTS = [
    ("CN", EARLY, {}, False, False),
    ("HK", EARLY, {}, True, False),
    ("unknown", EARLY, {}, True, False),
    ("CN-HK", EARLY, {}, True, False),  # not how a place with a code of its own is written
    ("CN", EARLY, {"territory": ("CN-GD",)}, True, False),
    ("CN-GD", EARLY, {"territory": ("CN-GD",)}, False, False),
    ("HK", EARLY, {"territory": ("CN", "HK")}, True, False),  # more than the authority's own
    ("CN", EARLY, {"closes": "2026-09-05T10:00:00Z"}, False, True),
    ("CN", EARLY, {"closes": "2026-09-05T10:00:01Z"}, False, False),
    ("CN", EARLY, {"opens": "2026-09-05T10:59:59Z"}, False, False),
    ("CN", EARLY, {"opens": "2026-09-05T11:00:00Z"}, False, True),
]


@pytest.mark.parametrize(("located_as", "hour", "changes", "outside_territory", "outside_time"), JUDGEMENTS)
def test_outside_territory_and_time(
    located_as: str, hour: str, changes: dict[str, Any], outside_territory: bool, outside_time: bool
) -> None:
    rules = book()
    rules.accept(order("a", **changes), BEFORE)
    rules.use()
    found = rules.judge("a", located_as, hour_number(hour), ejected=True)
    assert found == (2, outside_territory, outside_time)


def test_outside_the_time_in_which_an_order_stands() -> None:
    rules = book()
    rules.accept(order("a"), BEFORE)
    early = hour_number(EARLY)
    assert rules.judge("a", "CN", early, ejected=False) == (2, False, True), "accepted, and not in use yet"
    rules.use()
    assert rules.judge("a", "CN", early, ejected=False) == (2, False, False)
    rules.lift("a", EARLY)
    assert rules.judge("a", "CN", early, ejected=False) == (2, False, True)
    assert rules.judge("nobody", "CN", early, ejected=False) == (NO_ORDER, True, True)
