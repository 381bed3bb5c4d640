"""The gate's own HTTP/1.1 answers as bytes: one way to assemble them, and the plain ones for faults (RFC 9457).

Every answer says `no-store`: an answer that depends on where the reader is must not be shown to somebody elsewhere, nor
stay in the cache of a device for others to find. There is no Date field: time is no input here.

Source: RFC 9112 4 (status line), RFC 9110 15 (phrases), RFC 9457 3 and 4.2.1 (about:blank).
"""

from collections.abc import Iterable

import orjson

# RFC 9110's and RFC 6585's phrases; http.HTTPStatus has other ones in other Python versions.
PHRASES: dict[int, str] = {
    200: "OK",
    400: "Bad Request",
    403: "Forbidden",
    408: "Request Timeout",
    413: "Content Too Large",
    414: "URI Too Long",
    417: "Expectation Failed",
    421: "Misdirected Request",
    426: "Upgrade Required",
    431: "Request Header Fields Too Large",
    451: "Unavailable For Legal Reasons",
    500: "Internal Server Error",
    501: "Not Implemented",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
    505: "HTTP Version Not Supported",
}
"""The statuses the gate itself answers with."""

PROBLEM_JSON = b"Content-Type: application/problem+json\r\n"
HTML = b"Content-Type: text/html; charset=utf-8\r\n"

_STATUS_LINES = {status: f"HTTP/1.1 {status} {phrase}\r\n".encode() for status, phrase in PHRASES.items()}
_ALWAYS = b"Cache-Control: no-store\r\nReferrer-Policy: no-referrer\r\nX-Content-Type-Options: nosniff\r\n"


def assemble(
    status: int, fields: bytes, body: bytes, *, keep_alive: bool, head_only: bool, options: bytes = b""
) -> bytes:
    """Put a complete response together.

    Args:
        status: one of `PHRASES`.
        fields: field lines, each ended by CRLF; what stands in them must be safe already.
        body: the content; its length is announced even when `head_only`, as RFC 9110 9.3.2 has it.
        keep_alive: whether the connection stays open afterwards.
        head_only: whether the request was a HEAD.
        options: further ones of Connection where it is closed, as b", upgrade".

    Raises:
        KeyError: a status that is not the gate's to answer.
    """
    return b"%b%b%bContent-Length: %d\r\n%b\r\n%b" % (
        _STATUS_LINES[status],
        fields,
        _ALWAYS,
        len(body),
        b"" if keep_alive else b"Connection: close%b\r\n" % options,
        b"" if head_only else body,
    )


def render_in_band(content_type: bytes, body: bytes, *, keep_alive: bool) -> bytes:
    """Answer 200 in a meeting server's stead, readable from other origins too, as these servers' own answers are."""
    fields = b"Content-Type: %b\r\nAccess-Control-Allow-Origin: *\r\n" % content_type
    return assemble(200, fields, body, keep_alive=keep_alive, head_only=False)


def render_problem(
    status: int,
    detail: str,
    *,
    keep_alive: bool,
    head_only: bool = False,
    retry_after: int | None = None,
    headers: Iterable[tuple[bytes, bytes]] = (),
) -> bytes:
    """Answer a fault: a request that cannot be served, an upstream that cannot be reached, an overload.

    Args:
        status: one of `PHRASES`.
        detail: one English sentence for the client's developer; it names nobody and no upstream address.
        keep_alive: whether the connection stays open afterwards.
        head_only: whether the request was a HEAD.
        retry_after: seconds after which to try again.
        headers: more of them; an Upgrade is named in Connection too (RFC 9110 7.8).

    Raises:
        KeyError: a status that is not the gate's to answer.
    """
    problem = {"type": "about:blank", "title": PHRASES[status], "status": status, "detail": detail}
    fields = PROBLEM_JSON + b"Content-Language: en\r\n"
    if retry_after is not None:
        fields += b"Retry-After: %d\r\n" % retry_after
    options = b""
    for name, value in headers:
        fields += b"%b: %b\r\n" % (name, value)
        if name == b"Upgrade":
            options = b", upgrade"
    return assemble(status, fields, orjson.dumps(problem), keep_alive=keep_alive, head_only=head_only, options=options)
