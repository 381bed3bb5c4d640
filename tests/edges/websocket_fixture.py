"""WebSockets over the wires of `gate_fixture`: handshakes, frames and Close frames, to the byte."""

import struct

from tests.edges.gate_fixture import HK, Bench, Wire
from tests.ws_client import CLOSE, _accept

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
SWITCHING = (
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    f"Sec-WebSocket-Accept: {_accept(KEY)}\r\nSec-WebSocket-Protocol: chat\r\n\r\n"
).encode()


def handshake(user: str = "u", meeting: str = "m", extra: str = "") -> bytes:
    return (
        f"GET /meetings/{meeting}/join?user={user} HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n{extra}\r\n"
    ).encode()


def server_frame(opcode: int, payload: bytes, *, fin: bool = True) -> bytes:
    size = len(payload)
    head = bytes((opcode | (128 if fin else 0),))
    if size < 126:
        return head + bytes((size,)) + payload
    return head + (struct.pack("!BH", 126, size) if size < 1 << 16 else struct.pack("!BQ", 127, size)) + payload


def close_frame(code: int) -> bytes:
    return server_frame(CLOSE, code.to_bytes(2, "big"))


async def accept_and_hold(wire: Wire) -> None:
    """Accept the handshake and read to the end."""
    await wire.head()
    wire.send(SWITCHING)
    await wire.rest()


async def join(bench: Bench, user: str = "u", local: str = HK, meeting: str = "m") -> Wire:
    """Join by WebSocket, and leave only frames to be read."""
    client = await bench.open(local)
    client.send(handshake(user, meeting))
    first, headers = await client.head()
    assert first == b"HTTP/1.1 101 Switching Protocols"
    assert (b"sec-websocket-protocol", b"chat") in headers
    return client


def of_user(bench: Bench, user: str) -> Wire:
    """The meeting server's end of a participant's WebSocket."""
    (wire,) = [wire for wire in bench.upstream.wires if b"user=%b " % user.encode() in wire.received]
    return wire


def after_head(wire: Wire) -> bytes:
    return bytes(wire.received).partition(b"\r\n\r\n")[2]


async def read_close(client: Wire) -> tuple[int, bytes]:
    """Read one Close frame, strictly: nothing may stand before it."""
    first, size = await client.read(2)
    assert (first, size < 126) == (128 | CLOSE, True)
    payload = await client.read(size)
    return int.from_bytes(payload[:2], "big"), payload[2:]


def unmasked_close(raw: bytes) -> int:
    assert (raw[0], raw[1] & 128) == (128 | CLOSE, 128)
    return int.from_bytes(bytes(byte ^ raw[2 + at % 4] for at, byte in enumerate(raw[6:8])), "big")
