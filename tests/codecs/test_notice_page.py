# ruff: noqa: RUF001 - Chinese punctuation and the apostrophe are meant
import pytest
from hypothesis import given
from hypothesis import strategies as st

from joingate.codecs.negotiation import Language
from joingate.codecs.notice import Notice, build_notice
from joingate.codecs.notice_page import render_page
from joingate.codecs.notice_words import WORDS
from joingate.core.model import Location
from joingate.core.rules import Authority
from tests.codecs.restrictions import (
    BY_HOST,
    BY_HOST_UNKNOWN,
    BY_ORDER,
    CHINA,
    EJECTED,
    HOSTILE,
    Page,
    by_order,
    by_policy,
)
from tests.recorders import a_receipt


def page_of(notice: Notice, language: Language = Language.ENGLISH) -> Page:
    return Page(render_page(notice, language))


def facts(page: Page, first: str, last: str) -> list[str]:
    return page.lines[page.lines.index(first) : page.lines.index(last)]


def test_an_order_says_who_demands_what_on_which_law_until_when() -> None:
    page = page_of(BY_ORDER)
    assert page.lines[1:3] == ["Legal order", "You were not let into this meeting"]
    assert "The meeting is not ended. It goes on for everyone else, and nobody’s account is affected." in page.lines
    assert facts(page, "Demanded by", "What you can do") == [
        "Demanded by",
        "Cyberspace Administration of China",
        "Legal basis",
        "Cybersecurity Law, Article 50",
        "Order",
        "cac-2020-0604-1",
        "In force until",
        "4 June 2020, 16:00 UTC",
        "Applies to connections from",
        "mainland China (CN)",
        "Yours was located in",
        "mainland China (CN)",
    ]
    assert page.links == ["https://example.org/orders/cac-2020-0604-1", "/.well-known/joingate"]
    assert "rcpt-1" in page.lines


def test_an_order_in_chinese() -> None:
    page = page_of(BY_ORDER, Language.SIMPLIFIED)
    assert page.lines[2] == "您未能加入此会议"
    assert facts(page, "有效期至", "您可以怎么做") == [
        "有效期至",
        "2020年6月4日 16:00（UTC）",
        "适用的地区",
        "中国大陆（CN）",
        "您的连接被判定位于",
        "中国大陆（CN）",
    ]


def test_a_host_policy_says_whose_choice_it_is() -> None:
    page = page_of(BY_HOST)
    assert page.lines[1:3] == ["Host policy", "You were not let into this meeting"]
    assert facts(page, "Decided by", "What you can do") == [
        "Decided by",
        "The host of the meeting",
        "Policy",
        "board-eu-only",
        "Admits connections from",
        "Switzerland (CH), Germany (DE)",
        "Yours was located in",
        "the United States (US)",
    ]
    assert page.links == ["/.well-known/joingate"]
    assert "Demanded by" not in page.lines


def test_a_deny_list_says_whom_it_keeps_out() -> None:
    denied = build_notice(by_policy(allow=None, deny=frozenset({"US"})), Location("US"), receipt=a_receipt("r"))
    page = page_of(denied)
    assert facts(page, "Keeps out connections from", "Yours was located in") == [
        "Keeps out connections from",
        "the United States (US)",
    ]


@pytest.mark.parametrize("language", Language)
def test_an_unknown_location_is_explained_as_one(language: Language) -> None:
    words = WORDS[language]
    page = page_of(BY_HOST_UNKNOWN, language)
    assert {words.host_lead_unknown, words.unknown, words.not_there_unknown} <= set(page.lines)
    assert words.not_there_why not in page.lines
    assert "unknown" not in page.lines


@pytest.mark.parametrize("language", Language)
def test_whoever_was_inside_is_told_of_the_removal_and_where_their_address_went(language: Language) -> None:
    words = WORDS[language]
    page = page_of(build_notice(EJECTED, CHINA, receipt=a_receipt("r")), language)
    assert words.removed in page.lines
    assert words.data_kept_inside in page.lines
    assert words.data_kept not in page.lines


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("notice", [BY_ORDER, BY_HOST])
def test_every_page_says_what_to_do_and_what_became_of_the_data(notice: Notice, language: Language) -> None:
    words = WORDS[language]
    page = page_of(notice, language)
    assert {
        words.goes_on,
        words.contact,
        words.no_ban,
        words.not_there_why,
        words.data_kept,
        words.data_care,
        words.receipt_use,
        words.same_answer,
        words.about,
    } <= set(page.lines)


@pytest.mark.parametrize(
    ("url", "linked"),
    [
        ("https://example.org/a?b=c&d", True),
        ("HTTP://example.org/", True),
        ('https://example.org/" onmouseover="alert(1)', True),
        ("https://example.org/'><script>alert(1)</script>", True),
        ("javascript:alert(1)", False),
        (" https://example.org/", False),
        ("data:text/html,x", False),
    ],
)
def test_only_a_web_address_is_a_link(url: str, linked: bool) -> None:
    page = page_of(build_notice(by_order(notice_url=url), CHINA, receipt=a_receipt("r")))
    assert (url in page.links) is linked
    assert url in page.values


def test_the_link_to_the_gates_own_page_stays_an_address() -> None:
    about = '/about" onmouseover="alert(1)'
    assert page_of(build_notice(EJECTED, CHINA, receipt=a_receipt("r"), about_url=about)).links[-1] == about


@given(st.tuples(HOSTILE, HOSTILE, HOSTILE, HOSTILE), HOSTILE, st.sampled_from(Language))
def test_no_text_becomes_markup(texts: tuple[str, str, str, str], about: str, language: Language) -> None:
    rule, name, basis, url = texts
    decision = by_order(
        id=rule, authority=Authority("x", name, "other", frozenset({"CN"})), legal_basis=basis, notice_url=url
    )
    encodable = about.encode("utf-8", "replace").decode()
    page = page_of(build_notice(decision, CHINA, receipt=a_receipt(encodable), about_url=encodable), language)
    assert len(page.values) == 8
    shown = _printed(page.values[1:4])
    assert shown == _printed([name, basis, rule])
    assert all(link.lower().startswith(("http://", "https://")) for link in page.links[:-1])


def _printed(values: list[str]) -> list[str]:
    """Reduce to what both sides agree on: no control characters, no lone surrogates."""
    replaced = [value.encode("utf-8", "replace").decode() for value in values]
    return ["".join(c for c in value if c.isprintable() and c != " ") for value in replaced]
