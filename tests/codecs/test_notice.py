from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joingate.codecs.notice import ABOUT_PATH, Notice, Terms, build_notice
from joingate.core.decision import Decision
from joingate.core.model import Location, Reason, Verdict
from joingate.core.rules import Authority
from tests.codecs.restrictions import (
    AUTHORITY,
    BY_HOST,
    BY_ORDER,
    CHINA,
    EJECTED,
    HOSTILE,
    NOWHERE,
    ORDER,
    POLICY,
    REJECTED,
    by_order,
    by_policy,
)
from tests.recorders import a_receipt


def test_what_an_order_is_told_as() -> None:
    assert build_notice(REJECTED, CHINA, receipt=a_receipt("rcpt-1")) == Notice(
        rule="cac-2020-0604-1",
        order=Terms(
            authority="Cyberspace Administration of China",
            legal_basis="Cybersecurity Law, Article 50",
            closes=1591286400.0,
            notice_url="https://example.org/orders/cac-2020-0604-1",
        ),
        codes=("CN",),
        allows=False,
        located_as="CN",
        ejected=False,
        receipt=a_receipt("rcpt-1"),
        about_url=ABOUT_PATH,
    )
    assert build_notice(EJECTED, CHINA, receipt=a_receipt("")).ejected
    assert build_notice(REJECTED, CHINA, receipt=a_receipt(""), about_url="/gate").about_url == "/gate"
    assert build_notice(by_order(notice_url=None), CHINA, receipt=a_receipt("")).order == Terms(
        AUTHORITY.name, ORDER.legal_basis, ORDER.closes, None
    )


def test_what_a_host_policy_is_told_as() -> None:
    assert Notice("board-eu-only", None, ("CH", "DE"), True, "US", False, a_receipt("rcpt-2"), ABOUT_PATH) == BY_HOST
    denying = build_notice(by_policy(allow=None, deny=frozenset({"US"})), Location("US"), receipt=a_receipt(""))
    assert (denying.codes, denying.allows) == (("US",), False)


def test_451_is_spent_on_legal_orders_alone() -> None:
    assert (BY_ORDER.status, BY_HOST.status) == (451, 403)


def test_a_notice_has_no_room_for_a_person_or_a_meeting() -> None:
    assert [field.name for field in fields(Notice)] == [
        "rule",
        "order",
        "codes",
        "allows",
        "located_as",
        "ejected",
        "receipt",
        "about_url",
    ]


@pytest.mark.parametrize(
    ("codes", "location", "located_as"),
    [
        ({"UA"}, Location("UA", "UA-43"), "UA"),
        ({"UA-43"}, Location("UA", "UA-43"), "UA-43"),
        ({"UA-40", "UA-43"}, Location("UA", "UA-43"), "UA-43"),
        ({"UA", "UA-43"}, Location("UA", "UA-43"), "UA"),
        ({"UA"}, Location("UA"), "UA"),
    ],
)
def test_a_place_under_an_order(codes: set[str], location: Location, located_as: str) -> None:
    authority = Authority("x", "X", "other", frozenset(codes))
    decision = by_order(authority=authority, territory=frozenset(codes))
    assert build_notice(decision, location, receipt=a_receipt("")).located_as == located_as


@pytest.mark.parametrize(
    ("allow", "location", "located_as"),
    [
        ({"DE"}, Location("US", "US-CA"), "US"),  # no finer than the policy speaks
        ({"DE", "US-NY"}, Location("US", "US-CA"), "US-CA"),  # "US" alone would be no reason
        ({"DE", "US-NY"}, Location("US"), "US"),
        ({"DE"}, NOWHERE, "unknown"),
    ],
)
def test_a_place_under_a_host_policy(allow: set[str], location: Location, located_as: str) -> None:
    assert build_notice(by_policy(allow=frozenset(allow)), location, receipt=a_receipt("")).located_as == located_as


@pytest.mark.parametrize(
    ("decision", "verdict"),
    [
        (Decision(Verdict.ADMIT, Reason.DOUBT, None, ORDER), "admit"),
        (Decision(Verdict.ADMIT, Reason.SHADOW, POLICY), "admit"),
        (Decision(Verdict.DEFER, Reason.HOST_CONTINUITY, ORDER), "defer"),
        (Decision(Verdict.REJECT, Reason.ORDER), "reject"),
    ],
)
def test_no_notice_without_a_restriction(decision: Decision, verdict: str) -> None:
    with pytest.raises(ValueError, match=f"^no notice is due on a verdict of {verdict}$"):
        build_notice(decision, CHINA, receipt=a_receipt(""))


@given(st.tuples(HOSTILE, HOSTILE, HOSTILE, HOSTILE))
def test_whatever_an_order_says_can_be_encoded(texts: tuple[str, str, str, str]) -> None:
    rule, name, basis, url = texts
    decision = by_order(
        id=rule, authority=Authority("x", name, "other", frozenset({"CN"})), legal_basis=basis, notice_url=url
    )
    notice = build_notice(decision, CHINA, receipt=a_receipt(""))
    assert notice.order is not None
    for text in (notice.rule, notice.order.authority, notice.order.legal_basis, notice.order.notice_url or ""):
        text.encode()
    assert notice.rule == rule or "?" in notice.rule
