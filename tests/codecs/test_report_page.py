import hashlib
import re
from base64 import b64encode
from html.parser import HTMLParser

from hypothesis import given

from joingate.codecs.report_chart import MOST_BARS
from joingate.codecs.report_lists import MOST_LISTED
from joingate.codecs.report_page import POLICY, render_page
from joingate.codecs.report_style import REPORT_STYLE
from joingate.core import record as r
from joingate.core.report import Report, Signed
from joingate.core.suppression import Mask
from tests.codecs.restrictions import HOSTILE
from tests.report_ledgers import ORIGIN, RULES, ejection, entries, order, report, restriction

_VOID = {"meta", "line", "path", "circle", "br"}


class Page(HTMLParser):
    """What a browser would see: every element is closed."""

    def __init__(self, html: bytes) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.cells: list[str] = []
        self.feed(html.decode())
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag in {"td", "th"}:
            self.cells.append("")
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in _VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" in self.open:
            return
        if data.strip():
            self.words.append(data.strip())
        if {"td", "th"} & set(self.open):
            self.cells[-1] += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for each, attributes in self.elements if each == tag]


def example(**changes: str) -> Report:
    return report(
        entries(
            order(notice_url="https://example.org/1?a=1&b=2", **changes),
            order("2", authority="x", authority_name="X"),
            RULES,
            *[restriction()] * 12,
            *[restriction("2")] * 40,
            *[ejection()] * 3,
            *[ejection("2")] * 70,
        ),
        checkpoint=Signed(129, "root+/="),
    )


def test_a_page_is_whole_and_loads_nothing() -> None:
    html = render_page(example())
    page = Page(html)
    assert html.startswith(b'<!DOCTYPE html>\n<html lang="en">')
    assert page.all("script") == page.all("img") == page.all("link") == page.all("iframe") == []
    assert b" style=" not in html
    assert not re.search(rb"\son\w+=", html)
    assert [each["href"] for each in page.all("a") if not str(each["href"]).startswith("#")] == [
        "https://example.org/1?a=1&b=2"
    ]
    assert len(page.all("style")) == 1


def test_the_policy_allows_its_style_and_nothing_else() -> None:
    html = render_page(example()).decode()
    style = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)
    digest = b64encode(hashlib.sha256(style[0].encode()).digest()).decode()
    assert style == [REPORT_STYLE]
    policy = f"default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'sha256-{digest}'"
    assert policy == POLICY
    policies = [each["content"] for each in Page(html.encode()).all("meta") if "http-equiv" in each]
    assert policies == [POLICY]


def test_headings_captions_and_scopes() -> None:
    page = Page(render_page(example()))
    assert [tag for tag, _ in page.elements if tag in {"h1", "h2"}][:2] == ["h1", "h2"]
    assert len(page.all("caption")) == len(page.all("table")) > 10
    assert {each.get("scope") for each in page.all("th")} == {"row", "col"}
    assert len(page.all("figure")) == len(page.all("figcaption")) == 3
    titles = {each["id"] for each in page.all("h2")}
    assert {each["aria-labelledby"] for each in page.all("section")} == titles
    targets = {f"#{each['id']}" for each in page.all("section")}
    assert {each["href"] for each in page.all("a") if str(each["href"]).startswith("#")} == targets
    assert all(each["role"] == "img" and each["aria-label"] for each in page.all("svg") if each.get("class") == "chart")
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_beside_each_chart_is_a_table_of_the_same_numbers() -> None:
    page = Page(render_page(example()))
    figures = render_page(example()).decode().split("<figure>")[1:]
    assert len(figures) == 3
    for figure in figures:
        assert "<svg" in figure.partition("<table")[0]
        assert "<table" in figure.partition("</figure>")[0]
        cells = Page(f"<html>{figure.partition('</figure>')[0]}</html>".encode()).cells
        for drawn in re.findall(r"<title>[^<]*: ([^<]*)</title>", figure):
            assert drawn.replace("&lt;", "<") in cells
    assert "<10" in page.cells


def test_what_must_be_zero_and_is_not_stands_out() -> None:
    def alarms(*records: r.Record) -> list[str | None]:
        page = Page(render_page(report(entries(order(), RULES, *records))))
        return [each.get("class") for each in page.all("li") if each.get("class") == "alarm"]

    assert alarms(restriction()) == []
    assert alarms(restriction(located_as="HK")) == ["alarm"]
    assert alarms(restriction("unheard-of")) == ["alarm", "alarm"]
    assert alarms(r.Disclosure("cac", r.Subject.OTHER, 1, "law", "ref")) == []


def test_rows_become_cards_where_there_are_many_columns() -> None:
    classes = {str(each["class"]) for each in Page(render_page(example())).all("table")}
    assert classes == {"numbers short", "numbers middle", "numbers wide", "texts short", "texts wide"}
    labels = {each["data-label"] for each in Page(render_page(example())).all("td")}
    assert {"Rejected", "Standing", "Count"} <= labels


def test_long_lists_say_what_they_leave_out() -> None:
    many = [order(str(at), authority=f"a{at}", authority_name=f"A{at:03}") for at in range(MOST_LISTED + 4)]
    words = Page(render_page(report(entries(*many)))).words
    assert "And 4 more: the report as CSV or JSON has them all." in words
    more = MOST_LISTED + 4 - MOST_BARS
    assert (
        f"Participants rejected and ejected; the first {MOST_BARS} lines of the table, which has {more} more" in words
    )


def test_records_without_an_order_have_a_row() -> None:
    assert "No order in the ledger" in Page(render_page(report(entries(RULES, *[ejection("x")] * 12)))).cells


def test_an_empty_ledger() -> None:
    page = Page(render_page(report(entries())))
    assert "No order was received, in force or carried out in this period." in page.words
    assert "No checkpoint is signed yet." in page.words
    assert any(ORIGIN in words for words in page.words)
    assert Mask.FEW not in page.cells


PLAIN = Page(render_page(example(authority_name="x", reference="x")))


@given(HOSTILE.map(lambda text: text.encode("utf-8", "replace").decode()))
def test_no_text_becomes_markup(text: str) -> None:
    page = Page(render_page(example(authority_name=text, reference=text)))
    assert [tag for tag, _ in page.elements] == [tag for tag, _ in PLAIN.elements]


def test_the_same_history_gives_the_same_bytes() -> None:
    assert render_page(example()) == render_page(example())
