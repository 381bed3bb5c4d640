import pytest

from joingate.core.audit_findings import Violation
from joingate.core.audit_hours import Hours, moment_of, start_of


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2020-06-04T16:00:00Z", 1_591_286_400),
        ("0001-01-01T00:00:00Z", -62_135_596_800),
        ("2020-02-30T00:00:00Z", None),
        ("0000-01-01T00:00:00Z", None),
        ("2020-06-04T16:60:00Z", None),
        ("yesterday", None),
    ],
)
def test_a_moment_is_one_in_the_calendar(text: str, seconds: int | None) -> None:
    assert moment_of(text) == seconds


@pytest.mark.parametrize(("hour", "seconds"), [("2020-06-04T16Z", 1_591_286_400), ("2020-02-30T16Z", None)])
def test_an_hour_has_a_beginning(hour: str, seconds: int | None) -> None:
    assert start_of(hour) == seconds


def taken(*hours: str) -> Hours:
    found = Hours()
    for seq, hour in enumerate(hours):
        found.take(seq, hour)
    return found


def test_hours_that_go_on_hold() -> None:
    hours = taken("2026-11-21T04Z", "2026-11-21T04Z", "2026-11-21T05Z")
    clock, gaps = hours.findings()
    assert hours.start == start_of("2026-11-21T05Z")
    assert clock.holds
    assert clock.sentence == "hours never go back: from 2026-11-21T04Z to 2026-11-21T05Z"
    assert gaps.counts == {"hours": 0, "gaps": 0}
    assert gaps.sentence == "hours in which nothing was recorded, not even a heartbeat: 0"


def test_an_hour_that_goes_back_is_a_violation_each_time() -> None:
    clock, gaps = taken(
        "2026-11-21T05Z", "2026-11-21T04Z", "2026-11-21T04Z", "2026-11-21T05Z", "2026-11-20T05Z"
    ).findings()
    assert clock.violations == (
        Violation(1, "2026-11-21T04Z comes after 2026-11-21T05Z"),
        Violation(4, "2026-11-20T05Z comes after 2026-11-21T05Z"),
    )
    assert gaps.counts["gaps"] == 0


def test_an_hour_that_is_none_is_a_violation_and_tells_nothing() -> None:
    hours = taken("2026-02-28T23Z", "2026-02-30T00Z")
    assert hours.start is None
    assert hours.findings()[0].violations == (Violation(1, "2026-02-30T00Z is no hour in the calendar"),)
    assert taken("2026-02-30T00Z").findings()[0].sentence == "hours never go back"


def test_hours_without_a_record_are_counted_and_violate_nothing() -> None:
    days = [f"2026-11-{day:02}T00Z" for day in range(1, 6)]
    gaps = taken(*days[:2]).findings()[1]
    assert gaps.sentence == ("hours in which nothing was recorded, not even a heartbeat: 23 (23 before 2026-11-02T00Z)")
    gaps = taken(*days).findings()[1]
    assert gaps.holds
    assert gaps.counts == {"hours": 92, "gaps": 4}
    assert gaps.sentence.endswith(
        ": 92 (23 before 2026-11-02T00Z, 23 before 2026-11-03T00Z, 23 before 2026-11-04T00Z, ...)"
    )


def test_without_a_record_there_is_no_hour() -> None:
    clock, gaps = Hours().findings()
    assert clock.holds
    assert clock.sentence == "hours never go back"
    assert gaps.counts["hours"] == 0
