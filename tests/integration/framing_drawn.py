"""Requests drawn around the table of framing_requests: its lines in any company, and a byte or two out of place."""

import random
from typing import Final

from tests.integration.framing_rows import CHUNKED_HIDDEN, HIDDEN, NOTHING_THEN_HIDDEN

_LINES: Final = (
    b"Content-Length: %d" % len(HIDDEN),
    b"Content-Length: %d" % len(NOTHING_THEN_HIDDEN),
    b"Content-Length: 0",
    b"Transfer-Encoding: chunked",
    b"Transfer-Encoding: chunked",
    b"Transfer-Encoding: identity",
    b"Transfer_Encoding: chunked",
    b"Content_Length: 0",
    b"Connection: close",
    b"Connection: keep-alive",
    b"Connection: Upgrade\r\nUpgrade: h2c",
    b"Connection: Upgrade\r\nUpgrade: websocket",
    b"Connection: transfer-encoding",
    b"Expect: 100-continue",
    b"X: y",
)
_BODIES: Final = (
    HIDDEN,
    CHUNKED_HIDDEN,
    CHUNKED_HIDDEN,
    NOTHING_THEN_HIDDEN,
    b"3;a=b\r\nabc\r\n0\r\nX: y\r\n\r\n" + HIDDEN,
    b"",
)
# No "%" and no second dot: what a path means is a matter of its own, and nginx refuses some of those paths.
_BYTES: Final = (b"\r\n", *(bytes([byte]) for byte in b'\r\n\t \x00\x0b\x0c\x7f\x80:;,+-_x01f"'))


def drawn(chance: random.Random) -> bytes:
    """Draw a request."""
    method = chance.choice((b"POST", b"POST", b"GET", b"PUT"))
    version = chance.choice((b"HTTP/1.1", b"HTTP/1.1", b"HTTP/1.1", b"HTTP/1.0"))
    lines = [b"Host: a", *chance.sample(_LINES, chance.choice((1, 1, 2, 3)))]
    chance.shuffle(lines)
    request = b"\r\n".join((b"%b /r %b" % (method, version), *lines, b"", b"")) + chance.choice(_BODIES)
    for _ in range(chance.choice((0, 0, 1, 1, 2))):
        request = _spoilt(request, chance)
    return request


def _spoilt(request: bytes, chance: random.Random) -> bytes:
    """Put a byte in, take one out, or another one in its place."""
    at = chance.randrange(len(request))
    return request[:at] + chance.choice((*_BYTES, b"")) + request[at + chance.randrange(2) :]
