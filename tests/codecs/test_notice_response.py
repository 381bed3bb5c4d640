# ruff: noqa: RUF001 - Chinese punctuation is meant
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from joingate.codecs.negotiation import Language
from joingate.codecs.notice import Notice, build_notice
from joingate.codecs.notice_response import HOST_POLICY, LEGAL_ORDER, render_json, render_response
from joingate.core.model import Location
from joingate.core.rules import Authority
from tests.codecs.restrictions import (
    BY_HOST,
    BY_HOST_UNKNOWN,
    BY_ORDER,
    CHINA,
    HOSTILE,
    REJECTED,
    Page,
    Response,
    by_order,
    by_policy,
)
from tests.recorders import a_receipt

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


def respond(notice: Notice, accept: str = "", accept_language: str = "", *, keep_alive: bool = True) -> bytes:
    return render_response(
        notice, accept=accept, accept_language=accept_language, head_only=False, keep_alive=keep_alive
    )


def test_a_451_byte_for_byte() -> None:
    assert respond(BY_ORDER, keep_alive=False) == (
        b"HTTP/1.1 451 Unavailable For Legal Reasons\r\n"
        b"Content-Type: application/problem+json\r\n"
        b"Content-Language: en\r\n"
        b"Vary: Accept, Accept-Language\r\n"
        b'Link: </.well-known/joingate>; rel="blocked-by"\r\n'
        b"Cache-Control: no-store\r\n"
        b"Referrer-Policy: no-referrer\r\n"
        b"X-Content-Type-Options: nosniff\r\n"
        b"Content-Length: 736\r\n"
        b"Connection: close\r\n"
        b"\r\n"
        b'{"type":"urn:joingate:problem:legal-order",'
        b'"title":"A legal order restricts where this meeting can be joined from",'
        b'"status":451,'
        b'"detail":"A legal order keeps connections located in mainland China (CN) out of this meeting until '
        b'4 June 2020, 16:00 UTC. The meeting is not ended: it goes on for everyone else.",'
        b'"authority":"Cyberspace Administration of China",'
        b'"legal_basis":"Cybersecurity Law, Article 50",'
        b'"scope":["CN"],'
        b'"until":"2020-06-04T16:00:00Z",'
        b'"order":"cac-2020-0604-1",'
        b'"notice_url":"https://example.org/orders/cac-2020-0604-1",'
        b'"located_as":"CN",'
        b'"applies_to":"participant",'
        b'"meeting_ended":false,'
        b'"receipt":"rcpt-1",'
        b'"receipt_promise":{"index":0,'
        b'"path":["AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="],"note":"joingate receipts/1\\n"}}'
    )


def test_a_403_byte_for_byte() -> None:
    assert (
        respond(BY_HOST, "*/*", "zh-CN,zh;q=0.9")
        == (
            "HTTP/1.1 403 Forbidden\r\n"
            "Content-Type: application/problem+json\r\n"
            "Content-Language: zh-Hans\r\n"
            "Vary: Accept, Accept-Language\r\n"
            "Cache-Control: no-store\r\n"
            "Referrer-Policy: no-referrer\r\n"
            "X-Content-Type-Options: nosniff\r\n"
            "Content-Length: 513\r\n"
            "\r\n"
            '{"type":"urn:joingate:problem:host-policy",'
            '"title":"因主持人的设置，部分地区无法加入此会议",'
            '"status":403,'
            '"detail":"此会议的主持人不接受位于美国（US）的网络连接。会议并未终止，其他人仍可照常参加。",'
            '"policy":"board-eu-only",'
            '"scope":{"allow":["CH","DE"]},'
            '"located_as":"US",'
            '"applies_to":"participant",'
            '"meeting_ended":false,'
            '"receipt":"rcpt-2",'
            '"receipt_promise":{"index":0,'
            '"path":["AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="],"note":"joingate receipts/1\\n"}}'
        ).encode()
    )


@pytest.mark.parametrize(
    ("accept", "accept_language", "content_type", "content_language"),
    [
        ("", "", "application/problem+json", "en"),
        ("*/*", "zh-TW", "application/problem+json", "zh-Hant"),
        ("application/json", "fr", "application/problem+json", "en"),
        (BROWSER, "en-GB", "text/html; charset=utf-8", "en"),
        (BROWSER, "zh-CN,zh;q=0.9,en;q=0.8", "text/html; charset=utf-8", "zh-Hans"),
    ],
)
@pytest.mark.parametrize("notice", [BY_ORDER, BY_HOST, BY_HOST_UNKNOWN])
def test_the_form_and_the_language_are_the_readers(
    notice: Notice, accept: str, accept_language: str, content_type: str, content_language: str
) -> None:
    response = Response(respond(notice, accept, accept_language))
    assert response.headers["Content-Type"] == content_type
    assert response.headers["Content-Language"] == content_language
    assert response.headers["Vary"] == "Accept, Accept-Language"
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert ("Content-Security-Policy" in response.headers) is content_type.startswith("text/html")
    assert ("Link" in response.headers) is (notice is BY_ORDER)
    assert response.keeps_alive
    if content_type.startswith("text/html"):
        assert Page(response.body).lang == content_language
    else:
        assert orjson.loads(response.body)["status"] == response.status == notice.status


@pytest.mark.parametrize("notice", [BY_ORDER, BY_HOST])
@pytest.mark.parametrize("accept", ["", BROWSER])
def test_a_head_request_gets_the_same_head(notice: Notice, accept: str) -> None:
    head = render_response(notice, accept=accept, accept_language="", head_only=True, keep_alive=True)
    assert head == respond(notice, accept).partition(b"\r\n\r\n")[0] + b"\r\n\r\n"


def test_the_connection_closes_where_it_is_to() -> None:
    response = Response(respond(BY_HOST, BROWSER, keep_alive=False))
    assert not response.keeps_alive
    assert response.headers["Connection"] == "close"


def test_everything_but_title_and_detail_is_the_same_in_all_languages() -> None:
    for notice, type_ in ((BY_ORDER, LEGAL_ORDER), (BY_HOST, HOST_POLICY)):
        problems = [orjson.loads(render_json(notice, language)) for language in Language]
        assert len({problem.pop("title") for problem in problems}) == 3
        assert len({problem.pop("detail") for problem in problems}) == 3
        assert problems[0] == problems[1] == problems[2]
        assert problems[0]["type"] == type_


def test_an_order_without_a_page_names_none() -> None:
    problem = orjson.loads(
        render_json(build_notice(by_order(notice_url=None), CHINA, receipt=a_receipt("")), Language.ENGLISH)
    )
    assert "notice_url" not in problem


def test_a_host_policy_claims_no_law() -> None:
    denied = build_notice(by_policy(allow=None, deny=frozenset({"US"})), Location("US"), receipt=a_receipt("r"))
    problem = orjson.loads(render_json(denied, Language.ENGLISH))
    assert problem["scope"] == {"deny": ["US"]}
    assert not {"authority", "legal_basis", "until", "order", "notice_url"} & set(problem)


def test_an_unknown_location_is_said_to_be_unknown() -> None:
    problem = orjson.loads(render_json(BY_HOST_UNKNOWN, Language.ENGLISH))
    assert problem["located_as"] == "unknown"
    assert problem["detail"] == (
        "The host of this meeting does not admit connections whose location is unknown. "
        "The meeting is not ended: it goes on for everyone else."
    )


@pytest.mark.parametrize(
    ("about_url", "link"),
    [
        ("https://gate.example/about?a=b#c", '<https://gate.example/about?a=b#c>; rel="blocked-by"'),
        ("/a>\r\nX: y", '</a%3E%0D%0AX:%20y>; rel="blocked-by"'),
        ("/über 関", '</%C3%BCber%20%E9%96%A2>; rel="blocked-by"'),
        ("/a%20b", '</a%20b>; rel="blocked-by"'),
    ],
)
def test_the_link_stays_one_uri_in_one_field(about_url: str, link: str) -> None:
    response = Response(respond(build_notice(REJECTED, CHINA, receipt=a_receipt(""), about_url=about_url)))
    assert response.headers["Link"] == link


FIELDS = {
    "Content-Type",
    "Content-Security-Policy",
    "Content-Language",
    "Vary",
    "Link",
    "Cache-Control",
    "Referrer-Policy",
    "X-Content-Type-Options",
    "Content-Length",
}


@given(st.tuples(HOSTILE, HOSTILE, HOSTILE, HOSTILE), HOSTILE, st.sampled_from(Language))
def test_no_text_of_an_order_leaves_its_place(
    texts: tuple[str, str, str, str], header: str, language: Language
) -> None:
    rule, name, basis, url = texts
    decision = by_order(
        id=rule, authority=Authority("x", name, "other", frozenset({"CN"})), legal_basis=basis, notice_url=url
    )
    notice = build_notice(decision, CHINA, receipt=a_receipt("r"), about_url=header.encode("utf-8", "replace").decode())
    problem = Response(respond(notice, header, language))
    assert set(problem.headers) <= FIELDS
    page = Response(respond(notice, "text/html", language))
    assert set(page.headers) == FIELDS
    told = orjson.loads(respond(notice, "", language).partition(b"\r\n\r\n")[2])
    for said, given_ in (("order", rule), ("authority", name), ("legal_basis", basis), ("notice_url", url)):
        assert told[said] == given_.encode("utf-8", "replace").decode()
    assert Page(page.body).lang == language
