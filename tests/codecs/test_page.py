import hashlib
import re
from base64 import b64encode

import pytest

from joingate.codecs.negotiation import Language
from joingate.codecs.page import POLICY, STYLE, document, fill, text
from tests.codecs.restrictions import Page


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("plain", "plain"),
        ("<a href='x'>&\"", "&lt;a href=&#x27;x&#x27;&gt;&amp;&quot;"),
        ("one\ntwo\tthree", "one\ntwo\tthree"),
        ("\x00\x1b[2J\r\x7f\x9f", "  [2J   "),
        ("قرار 关", "قرار 关"),
    ],
)
def test_text(value: str, written: str) -> None:
    assert text(value) == written


def test_what_fills_a_sentence_is_escaped_and_isolated() -> None:
    filled = fill("It's {place} <here>.", place="<b>{place}</b>")
    assert filled == "It&#x27;s <bdi>&lt;b&gt;{place}&lt;/b&gt;</bdi> &lt;here&gt;."


@pytest.mark.parametrize("language", Language)
def test_a_document_is_whole_and_loads_nothing(language: Language) -> None:
    html = document(language, title="A <title>", kind="A & kind", main="<p>Main</p>", footer="<p>Foot</p>")
    page = Page(html)
    assert page.lang == language
    assert page.lines == ["A <title>", "A & kind", "A <title>", "Main", "Foot"]
    assert page.links == []
    assert not re.search(rb"url\(|@import|<script|<img|<link|<iframe|\son\w+=|https?:", html)


def test_the_policy_allows_this_style_and_nothing_else() -> None:
    html = document(Language.ENGLISH, title="", kind="", main="", footer="").decode()
    style = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)
    digest = b64encode(hashlib.sha256(style[0].encode()).digest()).decode()
    assert style == [STYLE]
    assert POLICY.decode() == (
        f"Content-Security-Policy: default-src 'none'; style-src 'sha256-{digest}'; "
        "base-uri 'none'; form-action 'none'\r\n"
    )
    assert " style=" not in html


def test_both_colour_schemes_and_print_are_provided_for() -> None:
    assert "prefers-color-scheme: dark" in STYLE
    assert "@media print" in STYLE


def _luminance(colour: str) -> float:
    channels = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", [0, 1])
@pytest.mark.parametrize("ink", ["ink", "quiet", "accent"])
def test_text_is_legible_in_both_schemes(scheme: int, ink: str) -> None:
    """WCAG 2.2, 1.4.3: a contrast of at least 4.5 to 1, on the sheet and on the paper around it."""
    colours = [dict(re.findall(r"--(\w+): (#\w{6})", line)) for line in STYLE.splitlines() if "--paper: #" in line]
    for ground in ("sheet", "paper"):
        light, dark = sorted((_luminance(colours[scheme][name]) for name in (ink, ground)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5
