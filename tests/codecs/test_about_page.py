import pytest
from hypothesis import given

from joingate.codecs.about_page import render_about
from joingate.codecs.negotiation import Language
from tests.codecs.restrictions import HOSTILE, Page, Response


def about(operator: str, accept_language: str = "") -> bytes:
    return render_about(operator, accept_language=accept_language, head_only=False, keep_alive=True)


def test_the_head_byte_for_byte() -> None:
    head = render_about("Example Ltd", accept_language="zh-TW", head_only=True, keep_alive=False)
    whole = render_about("Example Ltd", accept_language="zh-TW", head_only=False, keep_alive=False)
    before, _, body = whole.partition(b"\r\n\r\n")
    assert head == before + b"\r\n\r\n"
    lines = head.decode().split("\r\n")
    assert [line for line in lines if not line.startswith("Content-Security-Policy: default-src 'none'; ")] == [
        "HTTP/1.1 200 OK",
        "Content-Type: text/html; charset=utf-8",
        "Content-Language: zh-Hant",
        "Vary: Accept-Language",
        "Cache-Control: no-store",
        "Referrer-Policy: no-referrer",
        "X-Content-Type-Options: nosniff",
        f"Content-Length: {len(body)}",
        "Connection: close",
        "",
        "",
    ]


@pytest.mark.parametrize("language", Language)
def test_it_names_the_operator_and_the_eight_guarantees(language: Language) -> None:
    html = Response(about("Example Ltd", language)).body
    page = Page(html)
    assert page.lang == language
    assert page.values == ["Example Ltd"]
    assert html.count(b"<li><strong>") == 8
    assert html.count(b"<li>") == 8 + 4
    assert page.links == []


def test_an_operator_who_has_not_said() -> None:
    page = Page(Response(about("")).body)
    assert page.values == []
    assert "Its operator is not named here. Whoever runs the meeting service can tell you." in page.lines


@given(HOSTILE.map(lambda text: text.encode("utf-8", "replace").decode()))
def test_no_operator_becomes_markup(operator: str) -> None:
    assert len(Page(Response(about(operator)).body).values) == (1 if operator else 0)
