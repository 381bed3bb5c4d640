"""Heads as understood and as written anew: what leaves is framed once, and nothing received can add a line to it."""

import httptools
import pytest
from hypothesis import given
from hypothesis import strategies as st

from joingate.codecs.http1 import (
    CHUNKED,
    CLIENT_ADDRESS_HEADERS,
    LAST_CHUNK,
    MAX_LENGTH_DIGITS,
    NO_BODY,
    UNTIL_CLOSE,
    BadRequestError,
    BadResponseError,
    Headers,
    RequestHead,
    ResponseHead,
    build_chunk,
    build_last_chunk,
    build_request,
    build_response,
    build_switching_protocols,
    forbid_extensions,
    names_other_protocol,
    read_request_head,
    read_response_head,
)

HOST = (b"Host", b"a")
FORWARDED = b"X-Forwarded-For: 192.0.2.1\r\n"


def read(
    *headers: tuple[bytes, bytes], method: bytes = b"GET", url: bytes = b"/a", version: str = "1.1"
) -> RequestHead:
    given_host = () if any(name.lower() == b"host" for name, _ in headers) else (HOST,)
    return read_request_head(method, url, version, [*given_host, *headers], keep_alive=True)


@pytest.mark.parametrize(
    ("raw", "is_other"),
    [
        (b"GET /a+b RTSP/1.0\r\n", True),
        (b"\r\nGET  /a+b  ICE/1.0\r\n", True),
        (b"\rGET  /a+b  ICE/1.0\r\n", True),
        (b"GET /a+b HTTP/1.1\r\n\r\nGET /a+b RTSP/1.0\r\n", True),
        (b"GET /a+b HTTP/1.1\r\nX: GET /a+b RTSP/1.0\r\n", False),
        (b"GET /a+b HTTP/1.1\r\n\r\nGET /aab RTSP/1.0\r\n", False),
        (b"POST /a+b RTSP/1.0\r\n", False),
    ],
)
def test_a_request_line_of_another_protocol(raw: bytes, is_other: bool) -> None:
    assert names_other_protocol(b"GET", b"/a+b", raw) is is_other


@pytest.mark.parametrize(
    ("raw", "is_other"),
    [
        (b"abcGET /a+b RTSP/1.0\r\n", True),
        (b"\r\nGET /a+b ICE/1.0\r\n", True),
        (b"abcGET /a+b HTTP/1.1\r\nX: RTSP/1.0\r\n", False),
    ],
)
def test_a_request_line_of_another_protocol_right_behind_a_body(raw: bytes, is_other: bool) -> None:
    assert names_other_protocol(b"GET", b"/a+b", raw, behind_body=True) is is_other


REFUSED = [
    (((b"Host", b"b"), HOST), {}, 400, "A request names one Host."),
    (((b"Host", b"a b"),), {}, 400, "The Host is not a host name or address with an optional port."),
    (((b"Host", b"[::1"),), {}, 400, "The Host is not a host name or address with an optional port."),
    (((b"Host", b"a:123456"),), {}, 400, "The Host is not a host name or address with an optional port."),
    (((b"Content-Length", b""),), {}, 400, "Content-Length is not a plain number of bytes."),
    (((b"Content-Length", b"1" * (MAX_LENGTH_DIGITS + 1)),), {}, 400, "Content-Length is not a plain number of bytes."),
    (((b"Content-Length", b"\xb2"),), {}, 400, "Content-Length is not a plain number of bytes."),
    (((b"Transfer-Encoding", b"chunked"),), {"version": "1.0"}, 400, "HTTP/1.0 has no Transfer-Encoding."),
    (((b"Transfer-Encoding", b"gzip"),), {}, 501, "The only transfer coding understood here is chunked, once."),
    (((b"Transfer-Encoding", b"chunked"),) * 2, {}, 501, "The only transfer coding understood here is chunked, once."),
    (((b"Expect", b"x"),), {}, 417, "The only expectation understood here is 100-continue."),
    ((), {"version": "2.0"}, 505, "Only HTTP/1.1 and HTTP/1.0 are spoken here."),
    ((), {"version": "0.9"}, 505, "Only HTTP/1.1 and HTTP/1.0 are spoken here."),
    ((), {"method": b"CONNECT"}, 501, "This method is not relayed."),
    ((), {"method": b"TRACE"}, 501, "This method is not relayed."),
    ((), {"url": b"/a#b"}, 400, "A request target has no fragment."),
    ((), {"url": b"*"}, 400, "The request target is neither a path nor an absolute http URL."),
    ((), {"url": b"a"}, 400, "The request target is neither a path nor an absolute http URL."),
    ((), {"url": b"ftp://a/"}, 400, "The request target is neither a path nor an absolute http URL."),
    ((), {"url": b"http://u@a/"}, 400, "The request target is neither a path nor an absolute http URL."),
    ((), {"url": b"http://a/#b"}, 400, "The request target is neither a path nor an absolute http URL."),
    ((), {"url": b"http://b/"}, 400, "The request target and Host name different hosts."),
    ((), {"url": b"http://a:80/"}, 400, "The request target and Host name different hosts."),
    (
        ((b"Connection", b"Upgrade"), (b"Upgrade", b"h2c"), (b"Content-Length", b"1")),
        {},
        400,
        "A request to upgrade has no body.",
    ),
]


@pytest.mark.parametrize(("headers", "given_head", "status", "detail"), REFUSED)
def test_a_request_is_refused(
    headers: tuple[tuple[bytes, bytes], ...], given_head: dict[str, object], status: int, detail: str
) -> None:
    with pytest.raises(BadRequestError) as refused:
        read(*headers, **given_head)  # type: ignore[arg-type]
    assert (refused.value.status, refused.value.detail, str(refused.value)) == (status, detail, detail)


def test_http_1_1_names_its_host_and_http_1_0_need_not() -> None:
    with pytest.raises(BadRequestError, match=r"^An HTTP/1\.1 request names its Host\.$"):
        read_request_head(b"GET", b"/", "1.1", [], keep_alive=True)
    head = read_request_head(b"GET", b"/", "1.0", [], keep_alive=False)
    assert (head.host, head.keep_alive) == (None, False)
    assert build_request(head, b"up:1", b"") == b"GET / HTTP/1.1\r\nHost: up:1\r\n\r\n"
    assert read_request_head(b"GET", b"http://b:8/c", "1.0", [], keep_alive=False).host == b"b:8"
    with pytest.raises(BadRequestError, match=r"^The Host is not"):
        read_request_head(b"GET", b"http://b:c/", "1.0", [], keep_alive=False)


@pytest.mark.parametrize("host", [b"a", b"A.b-c_d:80", b"[::1]:8", b"[::ffff:1.2.3.4]", b"1.2.3.4:65535", b"a:", b""])
def test_the_host_is_relayed(host: bytes) -> None:
    written = build_request(read((b"Host", host + b" \t")), b"up", b"")
    assert written == b"GET /a HTTP/1.1\r\nHost: %b\r\n\r\n" % (host or b"up")


TARGETS = [
    (b"GET", b"//b/c?d", b"//b/c?d"),
    (b"GET", b"http://a", b"/"),
    (b"GET", b"HTTPS://A?b", b"/?b"),
    (b"GET", b"http://a/b?c=http://d", b"/b?c=http://d"),
    (b"OPTIONS", b"*", b"*"),
]


@pytest.mark.parametrize(("method", "url", "target"), TARGETS)
def test_the_target_is_relayed_in_origin_form(method: bytes, url: bytes, target: bytes) -> None:
    assert read(method=method, url=url).target == target


BODIES = [
    ((), b"GET", NO_BODY, b""),
    ((), b"POST", NO_BODY, b"Content-Length: 0\r\n"),
    (((b"content-length", b"0"),), b"GET", NO_BODY, b""),
    (((b"CONTENT-LENGTH", b"007 "),), b"GET", 7, b"Content-Length: 7\r\n"),
    (((b"Content-Length", b"9" * MAX_LENGTH_DIGITS),), b"PUT", 10**15 - 1, b"Content-Length: 999999999999999\r\n"),
    (((b"Transfer-Encoding", b" Chunked "),), b"PATCH", CHUNKED, b"Transfer-Encoding: chunked\r\n"),
    (((b"Content_Length", b"7"),), b"GET", NO_BODY, b""),
    (((b"Content-Length", b"3"), (b"Content_Length", b"7"), (b"transfer_encoding", b"chunked")), b"GET", 3,
     b"Content-Length: 3\r\n"),
]  # fmt: skip


@pytest.mark.parametrize(("headers", "method", "body", "line"), BODIES)
def test_a_body_is_framed_by_what_was_understood(headers: Headers, method: bytes, body: int, line: bytes) -> None:
    head = read(*headers, method=method)
    assert head.body == body
    assert build_request(head, b"up", b"") == method + b" /a HTTP/1.1\r\nHost: a\r\n" + line + b"\r\n"


def test_what_is_for_one_hop_and_client_addresses_are_not_relayed() -> None:
    hop = [(name, b"x") for name in (b"Keep-Alive", b"Proxy-Connection", b"TE", b"Upgrade", b"Expect_Not")]
    addresses = [(name, b"1") for name in sorted(CLIENT_ADDRESS_HEADERS)]
    spelt = [(name.replace(b"-", b"_").title(), b"2") for name, _ in addresses if b"-" in name]
    connection = [(b"Connection", b"close, X-Hop"), (b"X-HOP", b"1"), (b"X-Hop-Not", b"1")]
    head = read(*hop, *addresses, *spelt, *connection, (b"X-Forwarded-For", b"3"))
    assert head.relayed == [b"Expect_Not: x\r\n", b"X-Hop-Not: 1\r\n"]
    assert head.client_address_values == {name: [b"1"] for name, _ in addresses} | {b"x-forwarded-for": [b"1", b"3"]}
    assert read().client_address_values is None


@pytest.mark.parametrize(
    ("connection", "upgrade", "wanted"),
    [
        (b"Upgrade", b"websocket", True),
        (b"keep-alive , UPGRADE", b"h2c, WebSocket", True),
        (b"close", b"websocket", False),
        (b"upgrade", b"h2c", False),
        (b"upgrade", b"websockets", False),
    ],
)
def test_a_websocket_is_asked_for_in_two_headers(connection: bytes, upgrade: bytes, wanted: bool) -> None:
    head = read((b"Upgrade", upgrade), (b"Connection", connection), (b"Sec-WebSocket-Key", b"k"))
    assert head.wants_websocket is wanted
    written = build_request(head, b"up", FORWARDED)
    asked = b"Connection: Upgrade\r\nUpgrade: websocket\r\n" if wanted else b""
    assert written.endswith(b"Sec-WebSocket-Key: k\r\n" + FORWARDED + asked + b"\r\n")


def test_an_extension_is_not_offered_where_it_would_hide_what_is_said() -> None:
    head = read((b"Host", b"a"), (b"SEC-WebSocket-Extensions", b"permessage-deflate"), (b"Accept", b"x"))
    forbid_extensions(head)
    assert build_request(head, b"up", b"") == b"GET /a HTTP/1.1\r\nHost: a\r\nAccept: x\r\n\r\n"


def test_connection_upgrade_alone_asks_for_nothing() -> None:
    assert read((b"Connection", b"upgrade"), (b"Content-Length", b"3")).body == 3


def test_a_continue_is_expected_in_1_1_alone() -> None:
    assert read((b"Expect", b"100-Continue ")).expects_continue
    assert not read((b"Expect", b"100-continue"), version="1.0").expects_continue


# What a response may say, and what is made of it


RESPONSES = [
    (200, [(b"Content-Length", b"5 ")], False, 5, b"Content-Length: 5\r\n"),
    (200, [(b"Content-Length", b"0")], False, NO_BODY, b"Content-Length: 0\r\n"),
    (200, [(b"Transfer-Encoding", b"Chunked ")], False, CHUNKED, b"Transfer-Encoding: chunked\r\n"),
    (200, [], False, UNTIL_CLOSE, b"Transfer-Encoding: chunked\r\n"),
    (200, [(b"Content-Length", b"5")], True, NO_BODY, b"Content-Length: 5\r\n"),
    (200, [(b"Transfer-Encoding", b"chunked")], True, NO_BODY, b""),
    (304, [(b"Content-Length", b"5")], False, NO_BODY, b"Content-Length: 5\r\n"),
    (204, [(b"Content-Length", b"5")], False, NO_BODY, b""),
]


@pytest.mark.parametrize(("status", "headers", "to_head", "body", "framing"), RESPONSES)
def test_a_response_is_framed_by_what_was_understood(
    status: int, headers: Headers, to_head: bool, body: int, framing: bytes
) -> None:
    head = read_response_head(status, b"Fine", headers, to_head=to_head)
    assert head.body == body
    assert build_response(head, "1.1", keep_alive=True) == b"HTTP/1.1 %d Fine\r\n" % status + framing + b"\r\n"


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        ([(b"Content-Length", b"+1")], "Content-Length is not a plain number"),
        ([(b"Content-Length", b"1" * (MAX_LENGTH_DIGITS + 1))], "Content-Length is not a plain number"),
        ([(b"Transfer-Encoding", b"gzip, chunked")], "a transfer coding other than chunked"),
        ([(b"Transfer-Encoding", b"chunked")] * 2, "a transfer coding other than chunked"),
    ],
)
def test_a_response_that_cannot_be_relayed_faithfully_is_none(headers: Headers, why: str) -> None:
    with pytest.raises(BadResponseError, match=f"^{why}$"):
        read_response_head(200, b"", headers, to_head=False)


def test_a_response_keeps_its_headers_less_what_is_for_one_hop() -> None:
    headers = [(b"Set-Cookie", b"a"), (b"Keep-Alive", b"5"), (b"X-Hop", b"1"), (b"Connection", b"close, x-hop"),
               (b"Set-Cookie", b"b"), (b"Upgrade", b"h2c"), (b"Content-Length", b"1")]  # fmt: skip
    head = read_response_head(200, b"", headers, to_head=False)
    assert head.relayed == [b"Set-Cookie: a\r\n", b"Set-Cookie: b\r\n"]
    assert read_response_head(200, b"", [(b"X-A", b"b"), (b"Connection", b"close")], to_head=False).relayed


@pytest.mark.parametrize(
    ("body", "version", "keep_alive", "lines"),
    [
        (UNTIL_CLOSE, "1.0", False, b"Connection: close\r\n"),
        (CHUNKED, "1.0", False, b"Connection: close\r\n"),
        (3, "1.0", True, b"Content-Length: 3\r\nConnection: keep-alive\r\n"),
        (3, "1.1", False, b"Content-Length: 3\r\nConnection: close\r\n"),
    ],
)
def test_a_response_says_whether_the_connection_stays(body: int, version: str, keep_alive: bool, lines: bytes) -> None:
    head = ResponseHead(200, b"", [b"X-A: b\r\n"], body, b"3" if body > 0 else None)
    assert build_response(head, version, keep_alive=keep_alive) == b"HTTP/1.1 200 \r\nX-A: b\r\n" + lines + b"\r\n"


def test_a_101_keeps_what_the_websocket_needs() -> None:
    headers = [
        (b"Upgrade", b"websocket"),
        (b"Connection", b"x"),
        (b"Sec-WebSocket-Accept", b"k"),
        (b"Content-Length", b"9"),
    ]
    assert build_switching_protocols(headers) == (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: k\r\n\r\n"
    )


def test_trailers_carry_nothing_that_frames_names_a_client_or_changes_the_message() -> None:
    assert build_last_chunk([]) == LAST_CHUNK == b"0\r\n\r\n"
    dropped = [b"Host", b"Content_Length", b"X-Forwarded-For", b"cookie", b"Set_Cookie", b"Trailer", b"Authorization"]
    trailers = [(name, b"x") for name in (*dropped, b"X-Sum", b"Grpc_Status")]
    assert build_last_chunk(trailers) == b"0\r\nX-Sum: x\r\nGrpc_Status: x\r\n\r\n"


# Properties: llhttp reads back what was written


class Parsed:
    """What llhttp makes of a message."""

    def __init__(self, raw: bytes, *, is_request: bool) -> None:
        self.target = b""
        self.headers: Headers = []
        self.body = b""
        self.trailers: Headers = []
        self.complete = 0
        self.is_in_head = True
        self.surplus = b""
        parser = (httptools.HttpRequestParser if is_request else httptools.HttpResponseParser)(self)
        self.method = b""
        try:
            parser.feed_data(raw)
        except httptools.HttpParserUpgrade as stop:
            self.surplus = raw[stop.args[0] :]
        self.method = parser.get_method() if isinstance(parser, httptools.HttpRequestParser) else b""
        self.version = parser.get_http_version()

    def on_url(self, url: bytes) -> None:
        self.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        (self.headers if self.is_in_head else self.trailers).append((name, value))

    def on_headers_complete(self) -> None:
        self.is_in_head = False

    def on_body(self, data: bytes) -> None:
        self.body += data

    def on_message_complete(self) -> None:
        self.complete += 1


TOKEN = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCXYZ"
NAMES_THAT_MATTER = sorted(
    {
        *CLIENT_ADDRESS_HEADERS,
        *b"content-length transfer-encoding host connection upgrade expect te keep-alive content_length x-a".split(),
        *b"transfer_encoding x_real_ip cookie authorization sec-websocket-key proxy_connection x-forwarded_for".split(),
    }
)
names = st.sampled_from(NAMES_THAT_MATTER) | st.text(TOKEN, min_size=1, max_size=12).map(str.encode)
cased = st.tuples(names, st.sampled_from((bytes.lower, bytes.upper, bytes.title))).map(lambda pair: pair[1](pair[0]))
values = st.sampled_from(
    b"chunked|0|5|close|upgrade|x-a, cookie|websocket|100-continue|a|192.0.2.1|h2c|keep-alive".split(b"|")
) | st.binary(max_size=20)
messages = st.tuples(
    st.sampled_from((b"GET", b"POST", b"HEAD", b"PUT", b"DELETE", b"OPTIONS")),
    st.sampled_from((b"/a", b"/a?b=c", b"//x/%2e", b"http://a/b", b"/;x=\xc3\xbc")),
    st.sampled_from((b"1.1", b"1.1", b"1.0")),
    st.lists(st.tuples(cased, values), max_size=8),
)


class Received(Parsed):
    """A request as the gate receives it: bytes in, head out, or None where llhttp or this module refuses."""

    head: RequestHead | None = None

    def __init__(self, raw: bytes) -> None:
        try:
            super().__init__(raw, is_request=True)
        except httptools.HttpParserError:
            return
        try:
            self.head = read_request_head(self.method, self.target, self.version, self.headers, keep_alive=True)
        except BadRequestError:
            return


@given(messages)
def test_what_is_written_is_read_back_as_what_was_received(message: tuple[bytes, bytes, bytes, Headers]) -> None:
    method, url, version, headers = message
    lines = b"".join(b"%b: %b\r\n" % header for header in [HOST, *headers])
    head = Received(method + b" " + url + b" HTTP/" + version + b"\r\n" + lines + b"\r\n").head
    if head is None:
        return
    written = build_request(head, b"up", FORWARDED)
    body = {CHUNKED: b"3\r\nabc\r\n0\r\n\r\n"}.get(head.body, bytes(max(head.body, 0)) if head.body < 10_000 else b"")
    parsed = Parsed(written + body, is_request=True)
    assert (parsed.method, parsed.target, parsed.version) == (head.method, head.target, "1.1")
    assert parsed.surplus == b""
    if head.body < 10_000:
        assert parsed.complete == 1
        assert parsed.body == (b"abc" if head.body == CHUNKED else body)
    keys = [name.lower() for name, _ in parsed.headers]
    assert keys.count(b"host") == 1
    assert keys.count(b"content-length") + keys.count(b"transfer-encoding") <= 1
    assert (b"transfer-encoding" in keys) is (head.body == CHUNKED)
    assert keys.count(b"x-forwarded-for") == 1
    own = {b"host", b"content-length", b"transfer-encoding", b"connection", b"upgrade", b"x-forwarded-for"}
    relayed = [header for header in parsed.headers if header[0].lower() not in own]
    assert not {name.lower().replace(b"_", b"-") for name, _ in relayed} & (CLIENT_ADDRESS_HEADERS | own)
    assert all(header in head.headers for header in relayed)
    named = {token.strip().lower() for name, value in head.headers if name.lower() == b"connection"
             for token in value.split(b",")}  # fmt: skip
    for_this_hop = CLIENT_ADDRESS_HEADERS | own | {b"te", b"expect", b"keep-alive", b"proxy-connection"}
    named -= {b"close", b"keep-alive", b"upgrade", b""}
    assert relayed == [
        (name, value)
        for name, value in head.headers
        if name.lower().replace(b"_", b"-") not in for_this_hop and name.lower() not in named
    ]


response_headers = st.lists(
    st.tuples(st.sampled_from((b"X-A", b"Content-Length", b"Transfer-Encoding", b"Connection", b"Set-Cookie")), values),
    max_size=5,
)


@given(st.sampled_from((200, 204, 304, 404)), response_headers, st.sampled_from(("1.1", "1.0")), st.booleans())
def test_a_response_has_at_most_one_framing_header(status: int, headers: Headers, version: str, to_head: bool) -> None:
    raw = b"HTTP/1.1 %d x\r\n" % status + b"".join(b"%b: %b\r\n" % header for header in headers) + b"\r\n"
    try:
        received = Parsed(raw, is_request=False)
        head = read_response_head(status, b"x", received.headers, to_head=to_head)
    except (httptools.HttpParserError, BadResponseError):
        return
    written = Parsed(build_response(head, version, keep_alive=True), is_request=False)
    keys = [name.lower() for name, _ in written.headers]
    assert keys.count(b"content-length") + keys.count(b"transfer-encoding") <= 1
    assert (b"transfer-encoding" in keys) is (version == "1.1" and head.body in {CHUNKED, UNTIL_CLOSE})
    assert keys.count(b"set-cookie") == [name for name, _ in received.headers].count(b"Set-Cookie")


@given(
    st.lists(st.binary(min_size=1, max_size=300), max_size=5),
    st.lists(st.tuples(cased, st.sampled_from([b"x"])), max_size=4),
)
def test_a_chunked_body_goes_round(pieces: list[bytes], trailers: Headers) -> None:
    raw = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    raw += b"".join(map(build_chunk, pieces)) + build_last_chunk(trailers)
    parsed = Parsed(raw, is_request=True)
    assert (parsed.body, parsed.complete) == (b"".join(pieces), 1)
    assert all(trailer in trailers for trailer in parsed.trailers)


@pytest.mark.parametrize("name", [b"X-Original-URL", b"X-Rewrite-URL", b"x_original_url"])
def test_nothing_but_the_target_says_where_a_request_goes(name: bytes) -> None:
    head = read_request_head(
        b"GET", b"/elsewhere", "1.1", [(b"Host", b"h"), (name, b"/meetings/1/join")], keep_alive=True
    )
    assert head.relayed == []
