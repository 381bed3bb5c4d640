import pytest

from joingate.codecs import rule_compile
from joingate.core import audit_orders
from joingate.core.audit_orders import order_problems, policy_problems
from joingate.core.record import OrderAccepted, PolicyAccepted
from tests.core.audited import ORDER, POLICY, order, policy

LAST = "2026-09-01T11:30:00Z"  # 90 days after it opens


@pytest.mark.parametrize(
    "good",
    [
        ORDER,
        order(territory=("CN", "UA-43")),
        order(authority_territory=("UA",), territory=("UA-43", "UA-30")),
        order(asked_territory=("CN", "HK")),
        order(authority_territory=("UA",), territory=("UA-43",), asked_territory=("UA",)),
        order(closes=LAST),
        order(closes="2027-06-04T11:30:00Z", service_wide=True, named=0),
        order(named=0, prefixes=1),
        order(received="2026-06-04"),  # already the fourth where the day begins first
    ],
)
def test_an_order_that_keeps_to_its_limits(good: OrderAccepted) -> None:
    assert list(order_problems(good)) == []


@pytest.mark.parametrize(
    ("bad", "problems"),
    [
        (order(territory=("HK",)), ["HK is outside the territory of cac"]),
        (order(territory=("UA",)), ["UA is outside the territory of cac"]),
        (order(territory=("UA-30",)), ["UA-30 is outside the territory of cac"]),
        (order(territory=()), ["it names no territory"]),
        (order(territory=("CN-HK",)), ["territory: CN-HK is no exact code of a country or a part of one"]),
        (
            order(territory=("EU",), authority_territory=("EU",)),
            [
                "territory: EU is no exact code of a country or a part of one",
                "authority_territory: EU is no exact code of a country or a part of one",
            ],
        ),
        (
            order(asked_territory=("HK", "XX")),
            [
                "asked_territory: XX is no exact code of a country or a part of one",
                "CN was granted and not asked for",
            ],
        ),
        (order(asked_territory=("HK",)), ["CN was granted and not asked for"]),
        (order(named=0), ["it names no meeting"]),
        (order(closes=ORDER.opens), ["it ends before it begins"]),
        (order(closes="2026-09-01T11:30:01Z"), ["it lasts longer than 90 days"]),
        (order(closes="2027-06-04T11:30:01Z", service_wide=True), ["it lasts longer than 366 days"]),
        (order(received="2026-06-05"), ["it begins before it was received"]),
        (order(received="2026-06-31"), ["received, opens or closes is not in the calendar"]),
        (order(opens="2026-06-31T00:00:00Z"), ["received, opens or closes is not in the calendar"]),
        (order(closes="2026-06-04T24:00:01Z"), ["received, opens or closes is not in the calendar"]),
        (
            order(named=0, territory=("HK",), closes="2026-06-01T00:00:00Z"),
            ["HK is outside the territory of cac", "it names no meeting", "it ends before it begins"],
        ),
        (
            order(territory=("AT", "BE", "BG", "CY", "CZ", "DE")),
            ["AT, BE, BG, CY, CZ is outside the territory of cac"],
        ),
    ],
)
def test_an_order_that_reaches_further_than_it_may(bad: OrderAccepted, problems: list[str]) -> None:
    assert list(order_problems(bad)) == problems


@pytest.mark.parametrize(
    ("said", "problems"),
    [
        (POLICY, []),
        (policy(allow=("DE", "UA-43"), deny=None), []),
        (policy(allow=("DE",)), ["exactly one of allow and deny says what the host wants"]),
        (policy(deny=None), ["exactly one of allow and deny says what the host wants"]),
        (policy(deny=("EU",)), ["deny: EU is no exact code of a country or a part of one"]),
        (policy(deny=None, allow=("ZZ",)), ["allow: ZZ is no exact code of a country or a part of one"]),
    ],
)
def test_a_host_policy_says_one_thing(said: PolicyAccepted, problems: list[str]) -> None:
    assert list(policy_problems(said)) == problems


def test_the_longest_times_are_those_that_rule_files_are_held_to() -> None:
    assert audit_orders.LONGEST_ORDER_DAYS == rule_compile.LONGEST_ORDER_DAYS
    assert audit_orders.LONGEST_SERVICE_WIDE_DAYS == rule_compile.LONGEST_SERVICE_WIDE_DAYS
