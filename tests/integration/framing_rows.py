"""What the tables of requests are written in: bytes to send, and what is to become of them at the gate.

HIDDEN is a join that an order forbids to whoever sends it. It stands where a body may be, so that a server that reads
another length than the gate would let somebody in whom nobody has judged.
"""

from typing import Final, NamedTuple

HIDDEN_TARGET: Final = "/meetings/smuggled/join?user=u"
HIDDEN: Final = b"GET /meetings/smuggled/join?user=u HTTP/1.1\r\nHost: a\r\n\r\n"
END: Final = b"GET /end HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
"""Follows each request, so that the connection ends where all was understood."""

CHUNKED_HIDDEN: Final = b"%x\r\n%b\r\n0\r\n\r\n" % (len(HIDDEN), HIDDEN)
NOTHING_THEN_HIDDEN: Final = b"0\r\n\r\n" + HIDDEN
"""A whole chunked body and another request; or, by a Content-Length, one body."""

Forwarded = tuple[str, str, str]  # method, target, body


class Row(NamedTuple):
    """One thing to send.

    Attributes:
        payload: the bytes.
        answers: the statuses that come back, but for END's.
        forwarded: what every server sees, but for END.
    """

    payload: bytes
    answers: tuple[int, ...]
    forwarded: tuple[Forwarded, ...] = ()


def head(*lines: bytes, method: bytes = b"POST", target: bytes = b"/r", version: bytes = b"HTTP/1.1") -> bytes:
    return b"\r\n".join((b"%b %b %b" % (method, target, version), b"Host: a", *lines, b"", b""))


def refused(payload: bytes, status: int = 400) -> Row:
    return Row(payload, (status,))


def broken_off(payload: bytes) -> Row:
    """A body that goes wrong when its head is on its way already: both connections are cut, without an answer."""
    return Row(payload, ())


def sent(payload: bytes, body: bytes = b"", *, method: str = "POST", target: str = "/r") -> Row:
    return Row(payload, (200,), ((method, target, body.decode("latin-1")),))


LENGTH: Final = b"Content-Length: %d" % len(HIDDEN)
CODING: Final = b"Transfer-Encoding: chunked"
LENGTH_OF_BOTH: Final = b"Content-Length: %d" % len(NOTHING_THEN_HIDDEN)


def get(*lines: bytes, target: bytes = b"/r", version: bytes = b"HTTP/1.1") -> bytes:
    return head(*lines, method=b"GET", target=target, version=version)
