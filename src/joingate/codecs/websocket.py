"""WebSocket (RFC 6455) as far as a relay needs it: where frames begin, how to close, and whether a handshake is one.

Payloads are never read, unmasked or altered: a relayed byte stream stays what it was (G5). All the gate may add is one
Close frame, and that only where a frame ends.
"""

import re
import sys
from base64 import b64encode
from collections.abc import Iterable, Sequence
from hashlib import sha1
from struct import Struct

Chunk = bytes | bytearray | memoryview

Header = tuple[bytes, bytes]
"""One header line: its name, in any case, and its value."""

_OPCODE = 0x0F
_CLOSE = 8
_CONTROL = 0x08  # the bit that sets the opcodes 8 to 15 apart (RFC 6455 5.5)
_FIN = _MASKED = 0x80
_LONG = (Struct("!2xH"), Struct("!2xQ"))  # by the lowest bit of 126 and 127: a header up to its masking key

_SMALL = tuple(2 + 4 * (second >> 7) + (second & 127) if second & 127 < 126 else 0 for second in range(256))
"""The size in bytes of the whole frame by its second byte; 0 where a longer length follows (RFC 6455 5.2)."""

_PLAIN = tuple(first & _OPCODE != _CLOSE and (first & _FIN != 0 or not first & _CONTROL) for first in range(256))
"""By the first byte: whether nothing but the length of the frame matters."""


class FrameFollower:
    """Knows where frames begin in one direction of a relayed WebSocket, however its bytes are cut into chunks.

    Attributes:
        broken: a header has come that leaves the next boundary in doubt or a Close out of place: a control frame in
            fragments or over 125 bytes (RFC 6455 5.5), or a 64-bit length with its top bit set (5.2). It stays so.
            What else may be wrong with a frame is for the two ends to judge.
        close_seen: a Close frame has begun in this direction, so none may be added to it (RFC 6455 5.5.1).
    """

    __slots__ = ("_header", "_left", "broken", "close_seen")  # two for each live participant: 64 bytes apiece

    def __init__(self) -> None:
        self._left = 0  # bytes of the current frame still to come; -1 inside a header, and once broken
        self._header = b""  # the part of a header that has come, at most 9 bytes
        self.broken = False
        self.close_seen = False

    @property
    def at_boundary(self) -> bool:
        """Whether the next byte begins a frame."""
        return self._left == 0

    def feed(self, data: Chunk, most: int = sys.maxsize) -> int:
        """Follow `data`, the next bytes of the direction, through at most `most` frames that begin in it.

        Returns:
            how many bytes that was: all of them, or as many as lead to a boundary, and the rest is to be fed again.
        """
        size = len(data)
        at = 0
        if self._left:
            at = self._resume(data, size)
        elif size > 1 and size == _SMALL[data[1]] and not data[0] & _CONTROL:
            return size  # one small message and nothing else: by far the most common chunk
        while at < size and most > 0:
            most -= 1
            if size - at > 1 and _PLAIN[data[at]] and (frame_size := _SMALL[data[at + 1]]) and at + frame_size <= size:
                at += frame_size  # a whole small frame
            else:
                at = self._begin(data, at, size)
        return at

    def feed_until_boundary(self, data: Chunk) -> int:
        """Follow `data` no further than the frame under way, and return how many of its bytes belong to that frame.

        It is 0 at a boundary, and all of `data` when the frame goes on after it, or when the direction is broken.
        """
        return self._resume(data, len(data)) if self._left else 0

    def _resume(self, data: Chunk, size: int) -> int:
        """Take the rest of the frame under way and return where it ends in `data`."""
        left = self._left
        if left > size:
            self._left = left - size
            return size
        if left > 0:
            self._left = 0
            return left
        if self.broken:
            return size
        held = self._header  # a header cut in two is rare enough to join with its chunk
        self._header = b""
        joined = held + data
        return self._begin(joined, 0, len(joined)) - len(held)

    def _begin(self, data: Chunk, at: int, size: int) -> int:
        """Take the frame that begins at `at` and return where it ends in `data`."""
        first = data[at]
        if first & _OPCODE == _CLOSE:
            self.close_seen = True
        if size - at < 2:
            return self._hold(data, at)
        second = data[at + 1]
        frame_size = _SMALL[second]
        if first & _CONTROL and not (first & _FIN and frame_size):
            return self._break(size)
        if not frame_size:
            layout = _LONG[second & 1]
            if size - at < layout.size:
                return self._hold(data, at)
            length = layout.unpack_from(data, at)[0]
            if length >> 63:
                return self._break(size)
            frame_size = layout.size + length + (4 if second & _MASKED else 0)
        end = at + frame_size
        if end > size:
            self._left = end - size
            return size
        self._left = 0
        return end

    def _hold(self, data: Chunk, at: int) -> int:
        """Keep the part of a header that begins at `at` until the rest comes."""
        self._left = -1
        self._header = bytes(data[at:])
        return len(data)

    def _break(self, size: int) -> int:
        self._left = -1
        self.broken = True
        return size


def build_close(code: int, reason: bytes = b"", *, mask: bytes | None = None) -> bytes:
    """Build a Close frame (RFC 6455 5.5.1).

    Args:
        code: 1000-1003, 1007-1014 or 3000-4999. The others stand for what never travels, such as 1006 for a lost
            connection, or have no meaning yet (7.4): a peer that gets one fails the connection.
        reason: at most 123 bytes of UTF-8.
        mask: four unpredictable bytes towards the upstream (5.3), None towards the downstream.

    Raises:
        ValueError: when any of them is something else.
    """
    if not (1000 <= code <= 1003 or 1007 <= code <= 1014 or 3000 <= code <= 4999):
        raise ValueError(f"close code {code} may not be sent")
    if len(reason) > 123:
        raise ValueError("a close reason has at most 123 bytes")
    try:
        reason.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError("a close reason is UTF-8") from error
    payload = code.to_bytes(2, "big") + reason
    size = len(payload)
    if mask is None:
        return bytes((_FIN | _CLOSE, size)) + payload
    if len(mask) != 4:
        raise ValueError("a mask has 4 bytes")
    key = (mask * 32)[:size]
    masked = (int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")).to_bytes(size, "big")
    return bytes((_FIN | _CLOSE, _MASKED | size)) + mask + masked


class HandshakeError(ValueError):
    """A request that asks for a WebSocket and is no opening handshake; the text names nothing of the request's own.

    Attributes:
        detail: what is wrong, for the person who wrote the client.
        status: of the response, 400 or 426.
        headers: what that response has to carry besides: with 426 the version spoken here (RFC 6455 4.4) and Upgrade
            (RFC 9110 15.5.22).
    """

    def __init__(self, detail: str, status: int = 400, headers: tuple[Header, ...] = ()) -> None:
        super().__init__(detail)
        self.detail = detail
        self.status = status
        self.headers = headers


_VERSION_SPOKEN: tuple[Header, ...] = ((b"Sec-WebSocket-Version", b"13"), (b"Upgrade", b"websocket"))
_KEY = re.compile(rb"[A-Za-z0-9+/]{22}==")
_ACCEPT_SUFFIX = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 1.3


def is_valid_key(key: bytes) -> bool:
    """Whether `key` is 16 bytes in base64, as Sec-WebSocket-Key has to be (RFC 6455 4.1)."""
    return _KEY.fullmatch(key) is not None


def accept_value(key: bytes) -> bytes:
    """Return the Sec-WebSocket-Accept that answers a Sec-WebSocket-Key (RFC 6455 4.2.2)."""
    return b64encode(sha1(key + _ACCEPT_SUFFIX, usedforsecurity=False).digest())


def check_handshake(method: bytes, http_version: str, headers: Sequence[Header]) -> bytes:
    """Check a client's opening handshake (RFC 6455 4.2.1) and return its Sec-WebSocket-Key.

    Args:
        method: as on the wire; methods are case-sensitive.
        http_version: "1.1" and the like. Upgrade means nothing in 1.0 (RFC 9110 7.8) and is gone from 2 on.
        headers: every header line.

    Raises:
        HandshakeError: with the status of the response.
    """
    if method != b"GET":
        raise HandshakeError("a WebSocket handshake is a GET request")
    if http_version != "1.1":
        raise HandshakeError("a WebSocket handshake needs HTTP/1.1")
    if b"websocket" not in _listed(headers, b"upgrade"):
        raise HandshakeError("the Upgrade header does not name websocket")
    if b"upgrade" not in _listed(headers, b"connection"):
        raise HandshakeError("the Connection header does not name upgrade")
    versions = _values(headers, b"sec-websocket-version")
    if len(versions) != 1:
        raise HandshakeError("a WebSocket handshake has one Sec-WebSocket-Version")
    if versions[0] != b"13":
        raise HandshakeError("only WebSocket version 13 is spoken here", 426, _VERSION_SPOKEN)
    keys = _values(headers, b"sec-websocket-key")
    if len(keys) != 1 or not is_valid_key(keys[0]):
        raise HandshakeError("a WebSocket handshake has one Sec-WebSocket-Key, 16 bytes in base64")
    return keys[0]


def check_acceptance(key: bytes, status: int, headers: Sequence[Header]) -> bool:
    """Whether the upstream has accepted the handshake that carried `key` (RFC 6455 4.1).

    The status alone does not tell: an endpoint that can be made to answer 101 would turn the gate into a tunnel.
    """
    return (
        status == 101
        and _listed(headers, b"upgrade") == [b"websocket"]
        and b"upgrade" in _listed(headers, b"connection")
        and _values(headers, b"sec-websocket-accept") == [accept_value(key)]
    )


def build_accept_response(key: bytes) -> bytes:
    """Build the least 101 that accepts `key`, for a gate that opens a WebSocket only to say why it closes it."""
    head = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    return head + b"Sec-WebSocket-Accept: " + accept_value(key) + b"\r\n\r\n"


def _values(headers: Iterable[Header], name: bytes) -> list[bytes]:
    """Return the value of every line called `name` (in lower case)."""
    return [value.strip(b" \t") for line_name, value in headers if line_name.lower() == name]


def _listed(headers: Iterable[Header], name: bytes) -> list[bytes]:
    """Return the elements, in lower case, of the comma-separated header `name`, which may span lines."""
    return _tokens(b",".join(_values(headers, name)))


def _tokens(value: bytes) -> list[bytes]:
    """Return the elements of a list in lower case; empty ones do not count (RFC 9110 5.6.1)."""
    return [token for part in value.lower().split(b",") if (token := part.strip(b" \t"))]
