from collections.abc import Callable

import pytest

from joingate.core import record as r
from joingate.core.model import Cause
from joingate.core.report_fold import Counts, Tabulation
from joingate.core.report_rules import HOST, NO_ORDER
from tests.report_ledgers import (
    DATABASE,
    DIGEST,
    HOUR,
    ORIGIN,
    REVISION,
    RULES,
    SHA256,
    count,
    deferral,
    ejection,
    entries,
    meeting,
    order,
    policy,
    restriction,
)

BEFORE, AFTER = "2026-08-31T23Z", "2026-10-01T00Z"
CAC = 2  # the first row of an order
STANDING = (DATABASE, order(), policy(), RULES)


def september(*records: r.Record | tuple[str, r.Record]) -> Tabulation:
    """Count September of a history that begins in August with an order and a host policy."""
    return count(entries(*((BEFORE, record) for record in STANDING), *records), "2026-09-01", "2026-09-30")


def numbers(counts: Counts) -> tuple[int, ...]:
    found = (counts.rejected, counts.ejected, counts.deferred, counts.doubt, counts.shadowed, counts.unrecorded)
    return (*found, len(counts.meetings))


def test_nothing() -> None:
    found = count([])
    assert (found.size, found.first_hour, found.last_hour, found.origin) == (0, "", "", "")
    assert not any(counts.any() for counts in found.counts)


def test_where_the_ledger_reaches() -> None:
    found = count(entries((AFTER, RULES), (BEFORE, RULES), (HOUR, r.Segment((SHA256,), REVISION, ()))))
    assert (found.size, found.first_hour, found.last_hour, found.origin) == (4, AFTER, AFTER, ORIGIN)


def test_restrictions_are_counted_where_they_belong() -> None:
    by_host = {"basis": r.Basis.HOST_POLICY}
    found = september(
        restriction(meeting=meeting(1)),
        restriction(meeting=meeting(2)),
        ejection(meeting=meeting(2)),
        ("2026-09-04T00Z", ejection(meeting=meeting(3))),
        restriction("board", located_as="US", meeting=meeting(1), **by_host),
        ejection("unheard-of", located_as="unknown", **by_host),
        restriction("unheard-of"),
        ejection("board", located_as="CN"),
        deferral(),
        deferral("board", r.Basis.HOST_POLICY),
        deferral("board"),
    )
    assert numbers(found.counts[CAC]) == (2, 2, 1, 0, 0, 0, 3)
    assert numbers(found.counts[HOST]) == (1, 1, 1, 0, 0, 0, 2)
    assert numbers(found.counts[NO_ORDER]) == (1, 1, 1, 0, 0, 0, 1)
    assert found.rejected_on == {"2026-09-03": 3}
    assert found.ejected_on == {"2026-09-03": 2, "2026-09-04": 1}
    assert (found.outside_territory, found.outside_time) == (2, 2)


def test_outside_territory_and_outside_time_are_counted_apart() -> None:
    found = september(
        restriction(located_as="HK"), ("2026-09-20T00Z", r.Lift("cac-1")), restriction(), ejection(located_as="TW")
    )
    assert (found.outside_territory, found.outside_time) == (2, 2)


@pytest.mark.parametrize("outside", [BEFORE, AFTER])
def test_what_is_not_of_the_period_is_not_counted(outside: str) -> None:
    found = september(
        *(
            (outside, record)
            for record in (
                restriction(located_as="HK"),
                ejection(),
                deferral(),
                r.Window("cac-1", {Cause.STALE: 1}, 1, 1),
                r.Disclosure("cac", r.Subject.OTHER, 1, "law", "reference"),
                r.Recovery(1, SHA256),
                r.Heartbeat(),
                r.Correction(1, r.Mistake.ORDER, "why"),
            )
        )
    )
    assert not any(counts.any() for counts in found.counts)
    assert (found.outside_territory, found.outside_time) == (0, 0)
    assert not any((found.doubt, found.disclosures, found.recoveries, found.beats, found.corrections))


def test_rules_of_before_stand_and_rules_of_after_do_not() -> None:
    found = september(restriction(), (AFTER, order("later")), (AFTER, r.Lift("cac-1")), (AFTER, RULES))
    assert list(found.rules.orders) == ["cac-1"]
    assert found.rules.orders["cac-1"].ended is None
    assert found.outside_time == 0


def test_an_effect_belongs_to_the_territory_that_its_order_had_then() -> None:
    wide = order(authority_territory=("CN", "HK"), territory=("CN", "HK"))
    found = september(restriction(), wide, RULES, restriction(located_as="HK"), restriction())
    assert (found.counts[CAC].rejected, found.counts[CAC + 1].rejected) == (1, 2)
    assert found.outside_territory == 0


def test_what_became_of_ejections() -> None:
    confirmed, present = r.Ending.CONFIRMED, r.Ending.STILL_PRESENT
    found = september(  # from record 5 on
        ejection(),
        ejection(),
        ejection(),
        ejection("board", basis=r.Basis.HOST_POLICY),
        ejection(),
        r.Outcome(confirmed, (5, 8)),
        r.Outcome(present, (6, 7)),
        r.Outcome(confirmed, (7, 5, 4711)),
        (AFTER, r.Outcome(confirmed, (9,))),
    )
    counts = found.counts[CAC]
    assert (counts.ejected, counts.confirmed, len(counts.still_present), len(counts.unresolved)) == (4, 2, 1, 1)
    host = found.counts[HOST]
    assert (host.ejected, host.confirmed, len(host.still_present), len(host.unresolved)) == (1, 1, 0, 0)


def test_what_was_not_done() -> None:
    found = september(
        r.Window("cac-1", {Cause.NOT_FOUND: 3, Cause.STALE: 1}, 2, 4),
        r.Window("cac-1", {Cause.STALE: 10}, 0, 0),
        r.Window("board", {Cause.STALE: 99}, 5, 6),
        r.Window("unheard-of", {Cause.PRIVATE: 7}, 0, 0),
    )
    assert numbers(found.counts[CAC]) == (0, 0, 0, 14, 2, 4, 0)
    assert numbers(found.counts[HOST]) == (0, 0, 0, 0, 5, 6, 0)
    assert numbers(found.counts[NO_ORDER]) == (0, 0, 0, 7, 0, 0, 0)
    assert found.doubt == {Cause.NOT_FOUND: 3, Cause.STALE: 11, Cause.PRIVATE: 7}


def test_what_is_in_use_at_the_beginning_and_what_comes_then() -> None:
    revisions = [r.Rules(digit * 16, 0, 0) for digit in "0123"]
    databases = [r.Database((epoch,), ("type",), (DIGEST,), 0, 0) for epoch in range(3)]
    found = september(
        (BEFORE, revisions[0]),
        (BEFORE, databases[0]),
        (BEFORE, revisions[1]),
        revisions[2],
        databases[1],
        (BEFORE, databases[2]),
        (AFTER, revisions[3]),
    )
    assert [each.record for each in found.revisions] == [revisions[1], revisions[2]]
    assert [each.hour for each in found.revisions] == [BEFORE, HOUR]
    # A clock that was set back undoes nothing.
    assert [each.record for each in found.databases] == [databases[0], databases[1], databases[2]]


def test_what_is_listed() -> None:
    disclosure = r.Disclosure("cac", r.Subject.MEETING, 3, "law", "reference")
    recovery = r.Recovery(100, SHA256)
    found = september(disclosure, recovery, r.Heartbeat(), ("2026-09-03T05Z", r.Heartbeat()), r.Heartbeat())
    assert [(each.seq, each.hour, each.record) for each in found.disclosures] == [(5, HOUR, disclosure)]
    assert [(each.seq, each.record) for each in found.recoveries] == [(6, recovery)]
    assert len(found.beats) == 2


def test_corrections_of_the_period_and_of_its_records() -> None:
    def correction(seq: int) -> r.Correction:
        return r.Correction(seq, r.Mistake.CLERICAL, f"of {seq}")

    found = september(  # from record 5 on
        (BEFORE, correction(2)),
        restriction(),
        restriction(),
        correction(3),
        (AFTER, correction(6)),
        (AFTER, correction(5)),
        (AFTER, correction(9)),
        (AFTER, correction(4)),
    )
    assert [each.record.corrects for each in found.corrections] == [3, 6]


def test_an_hour_of_no_calendar() -> None:
    with pytest.raises(ValueError, match="day is out of range"):
        count(entries(("2026-02-30T00Z", RULES)))


@pytest.mark.parametrize(
    "change",
    [
        lambda counts: setattr(counts, "rejected", 1),
        lambda counts: setattr(counts, "unrecorded", 1),
    ],
)
def test_any(change: Callable[[Counts], None]) -> None:
    counts = Counts()
    assert not counts.any()
    change(counts)
    assert counts.any()
