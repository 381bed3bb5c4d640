from typing import Any

import pytest

from joingate.core import record as r
from joingate.core.model import Cause
from joingate.core.report import Demand, Orders, Report, Row, Share, Signed, Standing, Zeros
from joingate.core.report_period import Bucket, Gap, Unit
from joingate.core.suppression import Mask
from tests.report_ledgers import (
    DATABASE,
    HOUR,
    ORIGIN,
    RULES,
    SHA256,
    ejection,
    entries,
    meeting,
    order,
    policy,
    report,
    restriction,
)

RUSSIAN: dict[str, Any] = {
    "authority": "rkn",
    "authority_name": "Roskomnadzor",
    "authority_territory": ("RU",),
    "territory": ("RU",),
}
NOTHING = Orders(0, 0, 0, 0, 0, 0, 0)
BEFORE, DAY, AFTER = "2026-08-31T22Z", "2026-09-03T12Z", "2026-10-01T00Z"


def test_a_ledger_of_one_record() -> None:
    found = report(entries())
    assert (found.origin, found.first, found.last) == (ORIGIN, "2026-09-03", "2026-09-03")
    assert (found.first_hour, found.last_hour) == (HOUR, HOUR)
    assert found.zeros == Zeros(0, 0, 0, 0, 0, 0)
    assert found.rows == ()
    assert found.total.orders == NOTHING
    assert found.shares == (Share(Bucket("2026-09-03", "2026-09-03"), 0, 0),)
    assert (found.hours, found.gaps) == (1, (Gap(HOUR, HOUR, 1),))
    assert (found.checkpoint, found.unfinished) == (None, False)
    assert (found.orders, found.disclosures, found.corrections, found.revisions) == ((), (), (), ())
    assert [cause for cause, _ in found.doubt] == list(Cause)


def test_what_is_handed_through() -> None:
    found = report(entries(DATABASE, RULES), checkpoint=Signed(2, "root"), unfinished=True)
    assert (found.checkpoint, found.unfinished) == (Signed(2, "root"), True)
    assert [each.record for each in found.databases] == [DATABASE]
    assert [each.record for each in found.revisions] == [RULES]


def test_the_zeros_are_counted_and_not_assumed() -> None:
    found = report(
        entries(
            order(),
            RULES,
            restriction(located_as="HK"),
            restriction(located_as="TW"),
            ejection(),
            r.Lift("cac-1"),
            ejection(),
            r.Disclosure("cac", r.Subject.MEETING, 3, "law", "reference"),
            r.Disclosure("cac", r.Subject.OTHER, 4, "law", "reference"),
        )
    )
    assert found.zeros == Zeros(
        meetings_ended=0, accounts_touched=0, outside_territory=2, outside_time=1, disclosures=2, people=7
    )


@pytest.mark.parametrize(
    ("first", "last", "days", "hours"),
    [
        (None, None, ("2026-08-31", "2026-10-01"), 723),
        ("2026-01-01", "2026-12-31", ("2026-08-31", "2026-10-01"), 723),
        ("2026-09-01", "2026-09-30", ("2026-09-01", "2026-09-30"), 720),
        ("2026-08-31", "2026-08-31", ("2026-08-31", "2026-08-31"), 2),
        ("2026-10-01", None, ("2026-10-01", "2026-10-01"), 1),
    ],
)
def test_a_period_reaches_as_far_as_the_ledger(
    first: str | None, last: str | None, days: tuple[str, str], hours: int
) -> None:
    found = report(entries((BEFORE, RULES), (AFTER, RULES)), first, last)
    assert (found.first, found.last) == (first or days[0], last or days[1])
    assert (found.shares[0].bucket.first, found.shares[-1].bucket.last) == days
    assert found.hours == found.silent_hours == hours


def test_shares_are_those_of_their_days() -> None:
    found = report(
        entries(
            (DAY, order()),
            (DAY, RULES),
            *[(DAY, restriction())] * 12,
            *[("2026-09-05T01Z", restriction())] * 11,
            *[("2026-09-05T23Z", ejection())] * 13,
        )
    )
    assert found.unit is Unit.DAY
    assert [(each.rejected, each.ejected) for each in found.shares] == [(12, 0), (0, 0), (11, 13)]


def rows_of(found: Report) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(row.authority, row.name, row.territory) for row in found.rows]


def test_rows_stand_in_their_order_and_idle_ones_are_left_out() -> None:
    found = report(
        entries(
            (BEFORE, order("past", authority="aaa", authority_name="AAA", closes="2026-08-31T23:00:00Z")),
            (BEFORE, order("lifted", authority="bbb", authority_name="BBB", closes="2026-09-01T00:00:00Z")),
            (DAY, order("1", authority_name="zeta")),
            (DAY, order("2", authority_name="zeta", territory=("CN-GD",))),
            (DAY, order("3", **RUSSIAN)),
            (DAY, RULES),
            (DAY, r.Lift("lifted")),
            (DAY, ejection("unheard-of")),
        ),
        "2026-09-01",
    )
    assert rows_of(found) == [
        ("bbb", "BBB", ("CN",)),
        ("rkn", "Roskomnadzor", ("RU",)),
        ("cac", "zeta", ("CN",)),
        ("cac", "zeta", ("CN-GD",)),
        ("", "", ()),
    ]
    assert [row.orders.received for row in found.rows] == [0, 1, 1, 1, 0]
    assert found.rows[0].orders == Orders(0, 0, 0, 0, 0, lifted=1, expired=0)
    assert found.rows[-1].participants.ejected is Mask.FEW


def test_counts_of_orders() -> None:
    found = report(
        entries(
            (BEFORE, order("old")),
            (BEFORE, order("old in shadow", shadow=True)),
            (DAY, order("more", asked_objects=("meeting", "data"))),
            (DAY, order("beyond", asked_territory=("CN", "HK"), asked_objects=("data",))),
            (DAY, order("shadow", shadow=True)),
            (DAY, order("late", opens="2026-09-20T00:00:00Z")),
            (DAY, order("too much", **(RUSSIAN | {"territory": ("RU", "UA")}))),
            (DAY, r.Expiry("old")),
            (DAY, r.Lift("more")),
            (AFTER, RULES),
        ),
        "2026-09-01",
        "2026-09-05",
    )
    cac, rkn = found.rows
    assert cac.orders == Orders(4, asked_more=2, asked_beyond=1, in_force=3, in_shadow=2, lifted=1, expired=1)
    assert rkn.orders == Orders(1, 0, 0, 1, 0, 0, 0)
    assert found.total.orders == Orders(5, 2, 1, 4, 2, 1, 1)
    assert found.demands == (
        Demand("restriction", 5, 5),
        Demand("meeting", 1, 0),
        Demand("account", 0, 0),
        Demand("participants", 0, 0),
        Demand("data", 2, 0),
        Demand("other", 0, 0),
        Demand("territory", 1, 1),
    )
    assert [(each.order.rule, each.accepted, each.standing) for each in found.orders] == [
        ("old", BEFORE, Standing.EXPIRED),
        ("old in shadow", BEFORE, Standing.IN_FORCE),
        ("more", DAY, Standing.LIFTED),
        ("beyond", DAY, Standing.IN_FORCE),
        ("shadow", DAY, Standing.IN_FORCE),
        ("late", DAY, Standing.PENDING),
        ("too much", DAY, Standing.IN_FORCE),
    ]


def test_an_order_whose_end_nobody_recorded_is_over_all_the_same() -> None:
    found = report(entries((DAY, order(closes="2026-09-10T00:00:00Z")), ("2026-09-10T00Z", RULES)))
    assert found.orders[0].standing is Standing.EXPIRED
    assert found.total.orders.expired == 0


def meetings_of(row: Row) -> tuple[object, ...]:
    return (row.meetings.named, row.meetings.prefixes, row.meetings.service_wide, row.meetings.restricted)


def test_meetings() -> None:
    found = report(
        entries(
            order("1", named=3, prefixes=2),
            order("2", named=4),
            order("3", named=100, shadow=True),
            order("4", service_wide=True, named=0, **RUSSIAN),
            RULES,
            *(restriction("1", meeting=meeting(number % 7)) for number in range(30)),
            *(ejection("2", meeting=meeting(number % 2 + 100)) for number in range(20)),
            *(restriction("4", located_as="RU", meeting=meeting(number)) for number in range(50)),
        )
    )
    assert list(map(meetings_of, found.rows)) == [(7, 2, 0, 9), (0, 0, 1, 50)]
    assert meetings_of(found.total) == (7, 2, 1, 59)


def test_meetings_are_hidden_where_the_people_in_them_are() -> None:
    """Nine meetings of people whose number is below 10: that number would be 9."""
    russian = (restriction("2", located_as="RU", meeting=meeting(number)) for number in range(30))
    chinese = (restriction("1", meeting=meeting(number)) for number in range(9))
    found = report(entries(order("1"), order("2", **RUSSIAN), order("3", authority="x"), RULES, *chinese, *russian))
    cac, none, rkn = found.rows
    assert (cac.participants.rejected, cac.meetings.restricted) == (Mask.FEW, Mask.ANY)
    assert (rkn.participants.rejected, rkn.meetings.restricted) == (Mask.SOME, Mask.ANY)
    assert (none.participants.rejected, none.meetings.restricted) == (0, 0)
    assert (found.total.participants.rejected, found.total.meetings.restricted) == (39, Mask.ANY)


def test_host_policies_stand_apart() -> None:
    found = report(
        entries(
            order(),
            policy(),
            policy("another"),
            RULES,
            *[restriction("board", basis=r.Basis.HOST_POLICY, located_as="US")] * 15,
        )
    )
    assert found.host_policies.policies == 2
    assert found.host_policies.participants.rejected == 15
    assert found.total.participants.rejected == 0
    assert found.total.orders.received == 1
    assert found.shares[0].rejected == 0


def test_what_is_listed() -> None:
    disclosure = r.Disclosure("cac", r.Subject.MEETING, 3, "law", "reference")
    correction, recovery = r.Correction(1, r.Mistake.ORDER, "why"), r.Recovery(12, SHA256)
    found = report(entries(disclosure, correction, recovery, r.Heartbeat()))
    assert [each.record for each in found.disclosures] == [disclosure]
    assert [each.record for each in found.corrections] == [correction]
    assert [each.record for each in found.recoveries] == [recovery]
    assert found.gaps == ()
