"""One order and one host policy, and the decisions and notices that follow from them, for the tests of notices."""

from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from typing import Any

import httptools
from hypothesis import strategies as st

from joingate.codecs.notice import build_notice
from joingate.core.decision import Decision
from joingate.core.model import UNKNOWN, Cause, Location, Reason, Verdict
from joingate.core.rules import Action, Authority, HostPolicy, Order
from tests.recorders import a_receipt

AUTHORITY = Authority("cac", "Cyberspace Administration of China", "regulator", frozenset({"CN"}))
ORDER = Order(
    id="cac-2020-0604-1",
    authority=AUTHORITY,
    territory=frozenset({"CN"}),
    meetings=("8412345678",),
    action=Action.EJECT,
    legal_basis="Cybersecurity Law, Article 50",
    reference="[2020] 17",
    received=date(2020, 5, 29),
    opens=1591200000.0,
    closes=1591286400.0,
    notice_url="https://example.org/orders/cac-2020-0604-1",
)
POLICY = HostPolicy("board-eu-only", ("board-*",), Action.REJECT, allow=frozenset({"DE", "CH"}), reject_unknown=True)

REJECTED = Decision(Verdict.REJECT, Reason.ORDER, ORDER)
EJECTED = Decision(Verdict.EJECT, Reason.ORDER, ORDER)
REFUSED = Decision(Verdict.REJECT, Reason.HOST_POLICY, POLICY)
CHINA = Location("CN")
NOWHERE = UNKNOWN[Cause.NOT_FOUND]

BY_ORDER = build_notice(REJECTED, CHINA, receipt=a_receipt("rcpt-1"))
BY_HOST = build_notice(REFUSED, Location("US"), receipt=a_receipt("rcpt-2"))
BY_HOST_UNKNOWN = build_notice(REFUSED, NOWHERE, receipt=a_receipt("rcpt-3"))


def by_order(**changes: Any) -> Decision:
    """Reject by ORDER with some of its fields changed."""
    return Decision(Verdict.REJECT, Reason.ORDER, replace(ORDER, **changes))


def by_policy(**changes: Any) -> Decision:
    """Reject by POLICY with some of its fields changed."""
    return Decision(Verdict.REJECT, Reason.HOST_POLICY, replace(POLICY, **changes))


HOSTILE = st.one_of(
    st.text(),
    st.text(st.characters()),  # lone surrogates too
    st.text(max_size=8).map(lambda text: text * 100),
    st.sampled_from(
        [
            "",
            'a" onmouseover="alert(1)',
            "</bdi></dd><script>alert(1)</script>",
            "x\r\nSet-Cookie: a=b\r\n\r\n<html>",
            "javascript:alert(1)",
            "{place}{until!r}{0}%s%(a)s",
            "\ud800\x00\x1b[2J\u202e",
            "&amp;&lt;",
            "👩‍👩‍👧‍👦🏳️‍🌈",
        ]
    ),
)
"""Any text an order could carry, and what an attacker would put there."""


class Response:
    """A response as llhttp understands it; a second response or anything after the first is an error."""

    def __init__(self, raw: bytes) -> None:
        self.headers: dict[str, str] = {}
        self.body = b""
        self.complete = 0
        self.keeps_alive = False
        self._parser = httptools.HttpResponseParser(self)
        self._parser.feed_data(raw)
        self.status = self._parser.get_status_code()
        assert self.complete == 1

    def on_header(self, name: bytes, value: bytes) -> None:
        assert name.decode() not in self.headers
        self.headers[name.decode()] = value.decode("ascii")

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        self.complete += 1
        self.keeps_alive = self._parser.should_keep_alive()


_ELEMENTS = set(
    """
    html head meta title style body main p svg path span h1 h2 dl div dt dd bdi code time a br footer ol ul li strong
    details summary pre
    """.split()
)
_ATTRIBUTES = set(
    """
    lang charset name content class href rel datetime width height viewbox fill stroke stroke-width stroke-linecap
    stroke-linejoin aria-hidden d
    """.split()
)


class Page(HTMLParser):
    """What a browser would see: every element is closed, and none but those of our own templates is there."""

    def __init__(self, html: bytes) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.links: list[str] = []
        self.values: list[str] = []
        self.lines: list[str] = []
        self.lang = ""
        self.feed(html.decode())
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in _ELEMENTS
        assert {name for name, _ in attrs} <= _ATTRIBUTES
        given = dict(attrs)
        if tag == "html":
            self.lang = given["lang"] or ""
        if tag == "a":
            self.links.append(given["href"] or "")
        if tag == "bdi":
            self.values.append("")
        if tag not in {"meta", "br", "path"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag != "path":
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "bdi":
            self.values[-1] += data
        if "style" not in self.open and data.strip():
            self.lines.append(data)
