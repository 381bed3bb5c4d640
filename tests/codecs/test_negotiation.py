import pytest
from hypothesis import given
from hypothesis import strategies as st

from joingate.codecs.negotiation import Language, choose_language, prefers_html

FIREFOX = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "html"),
    [
        ("", False),
        ("*/*", False),
        (FIREFOX, True),
        ("application/json, text/plain, */*", False),  # axios
        ("text/html", True),
        ("TEXT/HTML", True),
        ("text/*", True),
        ("application/json", False),
        ("application/problem+json", False),
        ("text/html, application/json", False),  # a tie
        ("text/html;q=0.9, application/json;q=0.8", True),
        ("text/html;q=0.8, application/json;q=0.9", False),
        ("text/html;q=0.8, application/problem+json;q=0.9", False),
        ("text/html;q=0.5, application/problem+json;q=0.1, application/json;q=0.9", True),  # what would be sent counts
        ("text/html;q=0.5, application/*;q=0.4", True),
        ("text/html;q=0.5, application/*;q=0.6", False),
        ("text/html;q=0, */*", False),
        ("application/json;q=0.1, */*", True),  # the more specific range decides for JSON
        ("text/*;q=0.3, text/html;q=0.7, application/json;q=0.5", True),
        ("text/html;q=0", False),
        ("image/png", False),  # neither: JSON all the same
        ("text/html; charset=utf-8", True),
        ("text/html;level=1;q=0.4, application/json;q=0.5", False),
        ("text/html; Q = 0.4, application/json;q=0.5", False),
        ("text/html;q=0.3, text/html;q=0.7, application/json;q=0.5", True),
        ("text/html;q=1.1", False),
        ("text/html;q=-1", False),
        ("text/html;q=nan", False),
        ("text/html;q=0.1234", False),
        ("text/html;q=", False),
        ("text/html;q=1.000", True),
        ("text/html;q=\u0661", False),  # an Arabic digit is none here
        (",,text/html,", True),
        (";q=1", False),
        (",".join(["image/png"] * 31 + ["text/html"]), True),
        (",".join(["image/png"] * 32 + ["text/html"]), False),
    ],
)
def test_html_only_where_it_is_preferred(accept: str, html: bool) -> None:
    assert prefers_html(accept) is html


@pytest.mark.parametrize(
    ("accept_language", "language"),
    [
        ("", "en"),
        ("*", "en"),
        ("en-GB,en;q=0.9", "en"),
        ("zh", "zh-Hans"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh-Hans"),
        ("zh-SG", "zh-Hans"),
        ("ZH-cn", "zh-Hans"),
        ("zh-Hans-HK", "zh-Hans"),
        ("zh-Hans-TW", "zh-Hans"),
        ("zh-TW,zh;q=0.9,en-US;q=0.8,en;q=0.7", "zh-Hant"),
        ("zh-HK", "zh-Hant"),
        ("zh-MO", "zh-Hant"),
        ("zh-Hant", "zh-Hant"),
        ("zh-Hant-CN-x-private", "zh-Hant"),
        ("fr-CH, fr;q=0.9, zh;q=0.5, en;q=0.6", "en"),
        ("fr, de", "en"),
        ("en;q=0.4, zh-TW;q=0.5", "zh-Hant"),
        ("zh, en", "zh-Hans"),  # the same quality: as listed
        ("*, zh;q=0.5", "zh-Hans"),  # RFC 4647 3.4: "*" is skipped
        ("zh;q=0", "en"),
        ("zh-TW;q=0, zh;q=0.1", "zh-Hans"),
        ("zh;q=2, en", "en"),
        ("enx", "en"),
        ("zhx", "en"),
        ("-", "en"),
        ("x-zh", "en"),
    ],
)
def test_the_readers_language_is_looked_up(accept_language: str, language: str) -> None:
    assert choose_language(accept_language) == language


@given(st.text() | st.text("*/;,=q.019 -zhentwxml+json"))
def test_there_always_is_an_answer(field: str) -> None:
    assert prefers_html(field) in {True, False}
    assert choose_language(field) in Language
