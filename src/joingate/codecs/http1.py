"""HTTP/1.1 heads: what was received, and what is written anew for the next hop (RFC 9110, RFC 9112).

llhttp (httptools) takes bytes apart; this module says what the parts mean. Two house rules. What is ambiguous is
refused, never repaired. And nothing that frames a message is copied: every head that leaves is serialised from what
was understood, so the next hop cannot understand something else.
"""

import re
from dataclasses import dataclass, field
from typing import Final

Headers = list[tuple[bytes, bytes]]

NO_BODY: Final = 0
CHUNKED: Final = -1
UNTIL_CLOSE: Final = -2
"""How a body is framed: one of these, or its length in bytes."""

MAX_LENGTH_DIGITS: Final = 15
"""A Content-Length of more digits is no body anybody sends (a petabyte); int() of thousands of digits is an attack."""

CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
LAST_CHUNK: Final = b"0\r\n\r\n"


class BadRequestError(Exception):
    """A request that is refused; `status` and `detail` are the answer."""

    def __init__(self, status: int, detail: str) -> None:
        self.status = status
        self.detail = detail
        super().__init__(detail)


class BadResponseError(Exception):
    """The upstream's head cannot be relayed faithfully; the answer is 502."""


CLIENT_ADDRESS_HEADERS: Final = frozenset(
    b"""
    cf-connecting-ip cf-connecting-ipv6 cf-pseudo-ipv4 client-ip fastly-client-ip forwarded forwarded-for true-client-ip
    x-appengine-user-ip x-azure-clientip x-client-ip x-cluster-client-ip x-envoy-external-address x-forwarded
    x-forwarded-for x-forwarded-proto x-original-forwarded-for x-originating-ip x-real-ip x-remote-addr x-remote-ip
    """.split()
)
"""Headers from which some meeting server takes the client's address; never relayed as received."""

_HOP_BY_HOP: Final = frozenset(b"connection keep-alive proxy-connection te transfer-encoding upgrade".split())
_FRAMING: Final = frozenset((b"content-length", b"host", b"expect"))
_OTHER_TARGETS: Final = frozenset((b"x-original-url", b"x-rewrite-url"))
"""Headers that some frameworks route by instead of the target, past any judgement of it."""
_NOT_RELAYED: Final = _HOP_BY_HOP | _FRAMING | _OTHER_TARGETS | CLIENT_ADDRESS_HEADERS


@dataclass(slots=True)
class RequestHead:
    """One request as understood.

    Attributes:
        target: origin-form (or "*" for OPTIONS), whatever form was received.
        headers: as received.
        host: the value of Host, or the target's authority; None only in HTTP/1.0.
        relayed: lines for the next hop, each with its CRLF, without hop-by-hop, framing and client-address ones.
        body: NO_BODY, CHUNKED or a length in bytes.
        keep_alive: whether the connection may carry another request.
        wants_websocket: Connection and Upgrade ask for a WebSocket.
        expects_continue: the body waits for a 100.
        client_address_values: per client-address header name (lower case), its values in order.
    """

    method: bytes
    target: bytes
    http_version: str
    headers: Headers
    host: bytes | None = None
    relayed: list[bytes] = field(default_factory=list)
    body: int = NO_BODY
    keep_alive: bool = True
    wants_websocket: bool = False
    expects_continue: bool = False
    client_address_values: dict[bytes, list[bytes]] | None = None


def read_request_head(
    method: bytes, url: bytes, http_version: str, headers: Headers, *, keep_alive: bool
) -> RequestHead:
    """Understand a request head that llhttp has accepted.

    Raises:
        BadRequestError: the head is ambiguous or asks for what a gate does not do.
    """
    if http_version not in {"1.1", "1.0"}:
        raise BadRequestError(505, "Only HTTP/1.1 and HTTP/1.0 are spoken here.")
    if method in {b"CONNECT", b"TRACE"}:  # a tunnel to elsewhere, and an echo of what the hops have added
        raise BadRequestError(501, "This method is not relayed.")
    head = RequestHead(method, url, http_version, headers, keep_alive=keep_alive)
    relayed = head.relayed
    connection: list[bytes] = []
    upgrade = b""
    for name, value in headers:
        key = name.lower()
        if b"_" in key and key.replace(b"_", b"-") in _NOT_RELAYED:
            continue  # servers that map headers to variables (CGI, WSGI) read it as the other; it means nothing here
        if key not in _NOT_RELAYED:
            relayed.append(b"%b: %b\r\n" % (name, value))
        elif key == b"host":
            _take_host(head, value)
        elif key == b"connection":
            connection += [token.strip() for token in value.lower().split(b",")]
        elif key == b"content-length":
            head.body = _read_length(value)
        elif key == b"transfer-encoding":
            _take_transfer_encoding(head, value)
        elif key == b"upgrade":
            upgrade = value.lower()
        elif key == b"expect":
            _take_expectation(head, value)
        elif key in CLIENT_ADDRESS_HEADERS:
            if head.client_address_values is None:
                head.client_address_values = {}
            head.client_address_values.setdefault(key, []).append(value)
    if head.host is None and http_version == "1.1":
        raise BadRequestError(400, "An HTTP/1.1 request names its Host.")
    if not url.startswith(b"/"):
        _take_other_target_form(head)
    elif b"#" in url:
        raise BadRequestError(400, "A request target has no fragment.")
    if connection:
        _take_connection(head, connection, upgrade)
    return head


def names_other_protocol(method: bytes, url: bytes, raw: bytes, *, behind_body: bool = False) -> bool:
    """Whether the request line names RTSP or ICE: llhttp takes those for HTTP under another name, and tells nobody.

    Args:
        method: as llhttp has read it.
        url: likewise.
        raw: what was read, the request line among it. Where anything else in it is such a line of the same method and
            target, pipelined or in a body, that counts too: which is which only llhttp knows, and the doubt is refused.
        behind_body: whether the request before it may end in `raw` with a body: then no line end has to stand between.
    """
    before = rb"" if behind_body else rb"(?:\A|[\r\n])"  # llhttp skips either before a request line
    line = rb"%b%b +%b +(?:RTSP|ICE)/" % (before, re.escape(method), re.escape(url))
    return re.search(line, raw) is not None


_HOST = re.compile(rb"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~!$&'()*+,;=%-]*)(?::[0-9]{0,5})?")


def _take_host(head: RequestHead, value: bytes) -> None:
    if head.host is not None:
        raise BadRequestError(400, "A request names one Host.")
    value = value.rstrip(b" \t")  # llhttp leaves it on; it is no part of a value (RFC 9112 5.1)
    if _HOST.fullmatch(value) is None:
        raise BadRequestError(400, "The Host is not a host name or address with an optional port.")
    head.host = value


def _read_length(value: bytes) -> int:
    """Read Content-Length; llhttp has refused a second one, and one beside Transfer-Encoding."""
    value = value.rstrip(b" \t")
    if not value.isdigit() or len(value) > MAX_LENGTH_DIGITS:
        raise BadRequestError(400, "Content-Length is not a plain number of bytes.")
    return int(value)


def _take_transfer_encoding(head: RequestHead, value: bytes) -> None:
    if head.http_version == "1.0":
        raise BadRequestError(400, "HTTP/1.0 has no Transfer-Encoding.")
    if value.strip().lower() != b"chunked" or head.body == CHUNKED:
        raise BadRequestError(501, "The only transfer coding understood here is chunked, once.")
    head.body = CHUNKED


def _take_expectation(head: RequestHead, value: bytes) -> None:
    if value.strip().lower() != b"100-continue":
        raise BadRequestError(417, "The only expectation understood here is 100-continue.")
    head.expects_continue = head.http_version == "1.1"  # RFC 9110 10.1.1: ignored in HTTP/1.0


_ABSOLUTE_FORM = re.compile(rb"https?://([^/?#@]+)(/[^#]*|\?[^#]*)?", re.IGNORECASE)


def _take_other_target_form(head: RequestHead) -> None:
    """Turn absolute-form into origin-form (RFC 9112 3.2.2); its authority is the Host, and never picks an upstream."""
    if head.target == b"*" and head.method == b"OPTIONS":
        return
    match = _ABSOLUTE_FORM.fullmatch(head.target)
    if match is None:
        raise BadRequestError(400, "The request target is neither a path nor an absolute http URL.")
    if head.host is None:
        _take_host(head, match[1])
    elif head.host.lower() != match[1].lower():
        raise BadRequestError(400, "The request target and Host name different hosts.")
    path = match[2] or b"/"
    head.target = path if path.startswith(b"/") else b"/" + path


_CONNECTION_OPTIONS: Final = frozenset((b"", b"close", b"keep-alive", b"upgrade"))


def _take_connection(head: RequestHead, options: list[bytes], upgrade: bytes) -> None:
    """Honour Connection: fields it names are for this hop alone (RFC 9110 7.6.1)."""
    if b"upgrade" in options:
        protocols = [protocol.strip() for protocol in upgrade.split(b",")]
        head.wants_websocket = b"websocket" in protocols
        if (
            upgrade and head.body != NO_BODY
        ):  # without Upgrade (as proxies configured for both send it) none is asked for
            # A body behind an Upgrade is read as the next request by some servers (CVE-2026-69243): not guessed.
            raise BadRequestError(400, "A request to upgrade has no body.")
    named = {option for option in options if option not in _CONNECTION_OPTIONS}
    if named:
        head.relayed = [line for line in head.relayed if line.partition(b":")[0].lower() not in named]


def forbid_extensions(head: RequestHead) -> None:
    """Offer the upstream no WebSocket extension (RFC 6455 9): compressed messages could not be read on their way."""
    head.relayed = [line for line in head.relayed if not line.lower().startswith(b"sec-websocket-extensions:")]


def build_request(head: RequestHead, default_host: bytes, forwarded: bytes) -> bytes:
    """Serialise a request for the upstream.

    Args:
        head: the request; always sent as HTTP/1.1.
        default_host: Host when the request named none.
        forwarded: the X-Forwarded-For, X-Forwarded-Proto and Forwarded lines, each with its CRLF.
    """
    parts = [head.method, b" ", head.target, b" HTTP/1.1\r\nHost: ", head.host or default_host, b"\r\n"]
    parts += head.relayed
    parts.append(forwarded)
    if head.body == CHUNKED:
        parts.append(b"Transfer-Encoding: chunked\r\n")
    elif head.body or head.method in {b"POST", b"PUT", b"PATCH"}:
        parts.append(b"Content-Length: %d\r\n" % head.body)
    if head.wants_websocket:
        parts.append(b"Connection: Upgrade\r\nUpgrade: websocket\r\n")
    parts.append(b"\r\n")
    return b"".join(parts)


@dataclass(slots=True)
class ResponseHead:
    """One final response as understood.

    Attributes:
        relayed: lines for the next hop, each with its CRLF, without hop-by-hop and framing ones.
        body: NO_BODY, CHUNKED, UNTIL_CLOSE or a length in bytes; what follows on the upstream connection.
        length: the Content-Length as received, kept for answers to HEAD and for 304, which have no body.
    """

    status: int
    reason: bytes
    relayed: list[bytes]
    body: int
    length: bytes | None = None


def read_response_head(status: int, reason: bytes, headers: Headers, *, to_head: bool) -> ResponseHead:
    """Understand a response head that llhttp has accepted.

    Args:
        status: the status code, 200 or more.
        reason: the reason phrase, maybe empty.
        headers: as received.
        to_head: whether the request's method was HEAD.

    Raises:
        BadResponseError: it is framed in a way that cannot be relayed faithfully.
    """
    relayed: list[bytes] = []
    length: bytes | None = None
    is_chunked = False
    named: set[bytes] = set()
    for name, value in headers:
        key = name.lower()
        if key == b"content-length":
            value = value.rstrip(b" \t")  # noqa: PLW2901 - the value proper
            if not value.isdigit() or len(value) > MAX_LENGTH_DIGITS:
                raise BadResponseError("Content-Length is not a plain number")
            length = value
        elif key == b"transfer-encoding":
            if value.strip().lower() != b"chunked" or is_chunked:
                raise BadResponseError("a transfer coding other than chunked")
            is_chunked = True
        elif key == b"connection":
            named.update(token.strip() for token in value.lower().split(b","))
        elif key not in _HOP_BY_HOP:
            relayed.append(b"%b: %b\r\n" % (name, value))
    if named - _CONNECTION_OPTIONS:
        relayed = [line for line in relayed if line.partition(b":")[0].lower() not in named]
    if to_head or status in {204, 304}:
        body = NO_BODY
    elif is_chunked:
        body = CHUNKED
    elif length is not None:
        body = int(length)
    else:
        body = UNTIL_CLOSE
    return ResponseHead(status, reason, relayed, body, length)


def build_response(head: ResponseHead, http_version: str, *, keep_alive: bool) -> bytes:
    """Serialise a response head for the downstream.

    Args:
        head: the response.
        http_version: the request's; a body of unknown length is chunked in 1.1 and ends with the connection in 1.0.
        keep_alive: whether the connection stays open afterwards; the caller passes False where the body needs its end.
    """
    parts = [b"HTTP/1.1 %d %b\r\n" % (head.status, head.reason)]
    parts += head.relayed
    if head.body in {CHUNKED, UNTIL_CLOSE}:
        if http_version == "1.1":
            parts.append(b"Transfer-Encoding: chunked\r\n")
    elif head.length is not None and head.status != 204:
        parts.append(b"Content-Length: %b\r\n" % head.length)
    if not keep_alive:
        parts.append(b"Connection: close\r\n")
    elif http_version == "1.0":
        parts.append(b"Connection: keep-alive\r\n")
    parts.append(b"\r\n")
    return b"".join(parts)


def build_switching_protocols(headers: Headers) -> bytes:
    """Serialise the upstream's checked 101 for the downstream: subprotocol, extensions, cookies pass as they are."""
    parts = [b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"]
    for name, value in headers:
        if name.lower() not in _HOP_BY_HOP | _FRAMING:
            parts.append(b"%b: %b\r\n" % (name, value))
    parts.append(b"\r\n")
    return b"".join(parts)


def build_chunk(data: bytes) -> bytes:
    """Frame `data`, which is not empty, as one chunk (RFC 9112 7.1)."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def build_last_chunk(trailers: Headers) -> bytes:
    """End a chunked body, with those trailer fields that may be relayed (RFC 9110 6.5.1)."""
    if not trailers:
        return LAST_CHUNK
    lines = [
        b"%b: %b\r\n" % (name, value)
        for name, value in trailers
        if name.lower().replace(b"_", b"-") not in _NOT_IN_TRAILERS
    ]
    return b"0\r\n%b\r\n" % b"".join(lines)


_NOT_IN_TRAILERS: Final = _NOT_RELAYED | frozenset(
    b"authorization cache-control content-encoding content-range content-type cookie set-cookie trailer".split()
)
