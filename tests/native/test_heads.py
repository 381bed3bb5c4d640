"""What the fast path takes is what llhttp and codecs/http1 would have taken, and goes on as they would have written it.

Nothing may be taken that they refuse, or read otherwise; what they take and this does not is only slower.
"""

from dataclasses import dataclass, field

import httptools
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from joingate.codecs.http1 import (
    BadRequestError,
    BadResponseError,
    Headers,
    RequestHead,
    build_request,
    build_response,
    read_request_head,
    read_response_head,
)
from joingate.core.client_address import parse_address

engine = pytest.importorskip("joingate.gate._engine", reason="the engine is not compiled: make native")

from joingate.gate.fast_path import names_of  # noqa: E402 - only with the engine

LINES = b"X-Forwarded-For: 192.0.2.1\r\n"
FAST_PATH = engine.FastPath(*names_of(), [], 16_384)


@dataclass
class Message:
    """What llhttp makes of the bytes of one message."""

    target: bytes = b""
    reason: bytes = b""
    headers: Headers = field(default_factory=list)
    body: bytes = b""
    heads: int = 0
    ends: int = 0
    keep_alive: bool = False
    parser: httptools.HttpRequestParser | httptools.HttpResponseParser | None = None
    head: RequestHead | None = None
    answer: bytes | None = None
    last_answer: bytes | None = None

    def read_request(self, data: bytes) -> None:
        self.parser = parser = httptools.HttpRequestParser(self)
        parser.feed_data(data)
        self.head = read_request_head(
            parser.get_method(),
            self.target,
            parser.get_http_version(),
            self.headers,
            keep_alive=self.keep_alive,
        )

    def read_response(self, data: bytes) -> None:
        self.parser = parser = httptools.HttpResponseParser(self)
        parser.feed_data(data)
        head = read_response_head(parser.get_status_code(), self.reason, self.headers, to_head=False)
        assert self.keep_alive
        assert head.body == len(self.body)
        self.answer = build_response(head, "1.1", keep_alive=True) + self.body
        self.last_answer = build_response(head, "1.1", keep_alive=False) + self.body

    def on_url(self, url: bytes) -> None:
        self.target += url

    def on_status(self, reason: bytes) -> None:
        self.reason += reason

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        self.heads += 1
        assert self.parser is not None
        self.keep_alive = self.parser.should_keep_alive()

    def on_body(self, data: bytes) -> None:
        self.body += data

    def on_message_complete(self) -> None:
        self.ends += 1


def check_request(data: bytes) -> bool:
    """Hold one against the other; return whether the fast path takes it."""
    taken = FAST_PATH.rewrite_request(data, LINES)
    if taken is None:
        return False
    target, forwarded_for, number, proto, is_last, written = taken
    read = Message()
    read.read_request(data)
    head = read.head
    assert head is not None
    assert (read.heads, read.ends, read.body) == (1, 1, b"")
    assert (head.target, head.method, head.http_version) == (target, b"GET", "1.1")
    assert head.keep_alive is not is_last
    assert not head.wants_websocket
    assert not head.expects_continue
    assert written == build_request(head, b"up", LINES)
    values = head.client_address_values or {}
    assert values.get(b"x-forwarded-for", []) == ([] if forwarded_for is None else [forwarded_for])
    assert values.get(b"x-forwarded-proto", []) == ([] if proto is None else [proto])
    assert b"forwarded" not in values
    address = None if forwarded_for is None else parse_address(forwarded_for.decode("latin-1"))
    if number >= 0:
        assert forwarded_for is not None
        assert address is not None
        assert (address.version, int(address), str(address).encode()) == (4, number, forwarded_for)
    else:
        assert address is None or address.version == 6
    return True


def check_response(data: bytes) -> bool:
    taken, last = FAST_PATH.rewrite_response(data, False), FAST_PATH.rewrite_response(data, True)
    assert (taken is None) is (last is None)
    if taken is None:
        return False
    read = Message()
    read.read_response(data)
    assert (read.heads, read.ends) == (1, 1)
    assert (taken, last) == (read.answer, read.last_answer)
    return True


def test_what_browsers_and_proxies_send_is_taken() -> None:
    assert check_request(
        b"GET /meetings/a/join?user=b HTTP/1.1\r\nHost: a.example:8080\r\nConnection: keep-alive\r\n\r\n"
    )
    assert check_request(
        b"GET / HTTP/1.1\r\nhost: a\r\nUser-Agent: x (y; z)\r\nX-Forwarded-For: 10.1.2.3\r\n"
        b"X-Forwarded-Proto: https\r\nX-Real-IP: 10.1.2.3\r\nCookie: a=b; c=d\r\nX-Obs: \xe4\r\n\r\n"
    )
    assert check_request(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Close\r\n\r\n")
    assert check_request(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nConnection: keep-alive\r\n\r\n")
    assert check_response(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nServer: x\r\nConnection: keep-alive\r\n\r\nab")
    assert check_response(b"HTTP/1.1 404 Not Found\r\nKeep-Alive: timeout=5\r\nContent-Length: 0\r\n\r\n")


START = b"GET /a HTTP/1.1\r\nHost: a\r\n"
NOT_PLAIN = [
    b"POST /a HTTP/1.1\r\nHost: a\r\n\r\n",
    b"HEAD /a HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /a HTTP/1.0\r\nHost: a\r\n\r\n",
    b"GET http://a/a HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /a\tb HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /\xc3\xa4 HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET  /a HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /a HTTP/1.1\nHost: a\n\n",
    b"\r\n" + START + b"\r\n",
    b"GET /a HTTP/1.1\r\n\r\n",
    START,
    START + b"\r",
    START + b"Host: a\r\n\r\n",
    START + b"\r\nG",
    START + b"\r\n" + START + b"\r\n",
    START + b"Content-Length: 0\r\n\r\n",
    START + b"content-length: 1\r\n\r\na",
    START + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    START + b"Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    START + b"Connection: close, x-secret\r\n\r\n",
    START + b"Connection: x-secret\r\nX-Secret: 1\r\n\r\n",
    START + b"Expect: 100-continue\r\n\r\n",
    START + b"TE: trailers\r\n\r\n",
    START + b"Forwarded: for=192.0.2.1\r\n\r\n",
    START + b"X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-For: 192.0.2.2\r\n\r\n",
    START + b"X-Forwarded-Proto: http\r\nX-Forwarded-Proto: https\r\n\r\n",
    START + b"X_Forwarded_For: 192.0.2.1\r\n\r\n",
    START + b"X-Original-URL: /b\r\n\r\n",
    START + b"X-Rewrite-URL: /b\r\n\r\n",
    START + b"X: a\r\n b\r\n\r\n",
    START + b"X : a\r\n\r\n",
    START + b"X: a \r\n\r\n",
    START + b"X:\ta\r\n\r\n",
    START + b"X: \r\n\r\n",
    START + b": a\r\n\r\n",
    START + b"X: a\x00b\r\n\r\n",
    START + b"X: a\rb\r\n\r\n",
    START + b"X: a\nb: c\r\n\r\n",
    b"GET /a HTTP/1.1\r\nHost: a b\r\n\r\n",
    b"GET /a HTTP/1.1\r\nHost: a:123456\r\n\r\n",
    b"GET /a HTTP/1.1\r\nHost: user@a\r\n\r\n",
    b"GET /a RTSP/1.1\r\nHost: a\r\n\r\n",
    START + b"X: " + b"a" * 16_384 + b"\r\n\r\n",
]


@pytest.mark.parametrize("data", NOT_PLAIN, ids=range(len(NOT_PLAIN)))
def test_what_needs_looking_into_is_not_taken(data: bytes) -> None:
    assert not check_request(data)


ANSWER = b"HTTP/1.1 200 OK\r\n"
NOT_PLAIN_ANSWERS = [
    ANSWER + b"\r\n",
    ANSWER + b"Content-Length: 1\r\n\r\n",
    ANSWER + b"Content-Length: 1\r\n\r\nab",
    ANSWER + b"Content-Length: 1\r\nContent-Length: 1\r\n\r\na",
    ANSWER + b"Content-Length: +1\r\n\r\na",
    ANSWER + b"Content-Length: 0000000000000001\r\n\r\na",
    ANSWER + b"Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n",
    ANSWER + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ANSWER + b"Content-Length: 0\r\nConnection: close\r\n\r\n",
    ANSWER + b"Content-Length: 0\r\nProxy-Connection: close\r\n\r\n",
    ANSWER + b"Content-Length: 0\r\nUpgrade: h2c\r\n\r\n",
    ANSWER + b"Content-Length: 0\r\nX: a\r\n b\r\n\r\n",
    b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 101 Switching Protocols\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 103 Early Hints\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 304 Not Modified\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 600 Odd\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1  200 OK\r\nContent-Length: 0\r\n\r\n",
]


@pytest.mark.parametrize("data", NOT_PLAIN_ANSWERS, ids=range(len(NOT_PLAIN_ANSWERS)))
def test_answers_that_need_looking_into_are_not_taken(data: bytes) -> None:
    assert not check_response(data)


NAMES = st.sampled_from(
    b"""
    Host host HOST Connection content-length Transfer-Encoding upgrade Expect TE keep-alive Proxy-Connection Forwarded
    X-Forwarded-For X-Forwarded-Proto x-real-ip X_Real_IP True-Client-IP Cookie Accept X-Original-URL x!#$%&'*+-.^`|~9
    Content-Type Server Date
    """.split()
) | st.binary(max_size=4)
VALUES = st.sampled_from(
    [
        *b"a keep-alive Keep-Alive close upgrade 0 1 chunked 192.0.2.1 01.2.3.4 256.1.1.1 1.2.3 1.2.3.4.5".split(),
        b"2001:db8::1",
        *(b"1.2.3.4, 5.6.7.8", b"1.2.3.4:80", b"http", b"https", b"a:80", b"a:", b"[::1]:80", b"", b" ", b"\t", b"a b"),
    ]
) | st.binary(max_size=6)
COLONS = st.sampled_from([b": ", b":", b":  ", b" : ", b":\t"])
ENDS = st.sampled_from([b"\r\n"] * 9 + [b"\n", b"\r", b" \r\n", b"\r\n "])
FIELDS = st.lists(st.tuples(NAMES, COLONS, VALUES, ENDS).map(b"".join), max_size=5).map(b"".join)
TARGETS = st.sampled_from([b"/", b"/a?b=c", b"/a b", b"/%2e", b"/#", b"*", b"http://a/"]) | st.binary(max_size=6).map(
    lambda rest: b"/" + rest
)
REQUESTS = st.tuples(
    st.sampled_from([b"GET "] * 8 + [b"POST ", b"get ", b"GET  "]),
    TARGETS,
    st.sampled_from([b" HTTP/1.1\r\n"] * 8 + [b" HTTP/1.0\r\n", b" HTTP/1.1\n", b" RTSP/1.1\r\n"]),
    st.sampled_from([b"Host: a\r\n"] * 8 + [b""]),
    FIELDS,
    st.sampled_from([b"\r\n"] * 8 + [b"", b"\r\nx", b"\n"]),
).map(b"".join)
BODIES = st.sampled_from([(b"0", b""), (b"2", b"ab"), (b"02", b"ab"), (b"3", b"ab"), (b"1", b"ab"), (b"2x", b"ab")])


@given(REQUESTS)
@example(START + b"\r\n")
@settings(max_examples=1000)
def test_no_request_is_taken_for_what_it_is_not(data: bytes) -> None:
    try:
        check_request(data)
    except (httptools.HttpParserError, httptools.HttpParserUpgrade, BadRequestError) as error:
        raise AssertionError("llhttp or http1 refuses what was taken") from error


@given(
    st.sampled_from(
        [b"HTTP/1.1 200 OK\r\n"] * 6 + [b"HTTP/1.1 451 No \xe4\r\n", b"HTTP/1.1 204 No\r\n", b"HTTP/1.0 200 K\r\n"]
    ),
    FIELDS,
    BODIES,
    FIELDS,
)
@settings(max_examples=1000)
def test_no_answer_is_taken_for_what_it_is_not(
    first: bytes, before: bytes, body: tuple[bytes, bytes], after: bytes
) -> None:
    data = b"%b%bContent-Length: %b\r\n%b\r\n%b" % (first, before, body[0], after, body[1])
    try:
        check_response(data)
    except (httptools.HttpParserError, httptools.HttpParserUpgrade, BadResponseError) as error:
        raise AssertionError("llhttp or http1 refuses what was taken") from error


@given(st.data())
def test_damage_anywhere_is_looked_into_or_harmless(data: st.DataObject) -> None:
    whole = data.draw(
        st.sampled_from(
            [
                START + b"X-Forwarded-For: 192.0.2.1\r\nCookie: a=b\r\n\r\n",
                b"GET /meetings/a/join?user=b HTTP/1.1\r\nHost: a:80\r\nAccept: */*\r\n\r\n",
            ]
        )
    )
    at = data.draw(st.integers(0, len(whole) - 1))
    damaged = whole[:at] + data.draw(st.binary(max_size=3)) + whole[at + data.draw(st.integers(0, 2)) :]
    try:
        check_request(damaged)
    except (httptools.HttpParserError, httptools.HttpParserUpgrade, BadRequestError) as error:
        raise AssertionError("llhttp or http1 refuses what was taken") from error
