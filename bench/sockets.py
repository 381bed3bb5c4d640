"""A WebSocket client of which thousands fit into one process, and which costs little: the load of B3, B4 and B6.

It knows one key and one mask (nought), and looks at the heads of the server's frames only. Not a client to copy.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import cast

from bench.processes import NotMeasuredError

TEXT, CLOSE = 1, 8
AT_ONCE = 64
"""Handshakes under way at a time."""


def handshake(meeting: str, user: int, client_ip: str) -> bytes:
    """Return the request with which a participant joins, as a trusted proxy passes it on."""
    return (
        f"GET /meetings/{meeting}/join?user=u{user} HTTP/1.1\r\nHost: meet.example\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        f"X-Forwarded-For: {client_ip}\r\n\r\n"
    ).encode()


def message(opcode: int, payload: bytes) -> bytes:
    """Return a client's frame."""
    size = len(payload)
    if size < 126:
        length = bytes((128 | size,))
    elif size < 1 << 16:
        length = bytes((128 | 126,)) + size.to_bytes(2, "big")
    else:
        length = bytes((128 | 127,)) + size.to_bytes(8, "big")
    return bytes((128 | opcode,)) + length + bytes(4) + payload


class Socket(asyncio.Protocol):
    """One participant.

    Attributes:
        on_message: called for each whole message of the server.
        on_end: called once, with the code of the server's Close (0 where none came), when the connection is over.
    """

    __slots__ = ("_code", "_is_open", "_opened", "_request", "_unread", "on_end", "on_message", "transport")

    def __init__(self, request: bytes) -> None:
        """Join when connected."""
        self._request = request
        self._opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._is_open = False
        self._unread = b""
        self._code = 0
        self.on_message: Callable[[], None] = _nothing
        self.on_end: Callable[[int], None] = _nothing_of
        self.transport: asyncio.Transport = cast("asyncio.Transport", None)  # until connection_made

    async def opened(self) -> None:
        """Wait for the 101."""
        await self._opened

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._unread += data
        if not self._is_open:
            head, end, rest = self._unread.partition(b"\r\n\r\n")
            if not end:
                return
            if not head.startswith(b"HTTP/1.1 101 "):
                self._opened.set_exception(NotMeasuredError(f"a join was not admitted: {head[:80]!r}"))
                self.transport.abort()
                return
            self._is_open = True
            self._unread = rest
            self._opened.set_result(None)
        self._read_frames()

    def _read_frames(self) -> None:
        unread, at = self._unread, 0
        while len(unread) - at >= 2:
            size, head = unread[at + 1], 2
            if size > 125:
                head = 4 if size == 126 else 10
                size = int.from_bytes(unread[at + 2 : at + head], "big")
            end = at + head + size
            if len(unread) < max(end, at + head):
                break
            if unread[at] & 15 == CLOSE:
                code = unread[at + head : at + head + 2]
                self._code = int.from_bytes(code, "big")
                self.transport.write(message(CLOSE, code))
            else:
                self.on_message()
            at = end
        self._unread = unread[at:]

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._opened.done():
            self._opened.set_exception(NotMeasuredError(f"a connection ended during the handshake: {exc}"))
        self.on_end(self._code)


async def join_all(port: int, requests: Sequence[bytes]) -> list[Socket]:
    """Open one WebSocket for each handshake.

    Raises:
        NotMeasuredError: one was not admitted.
    """
    loop = asyncio.get_running_loop()
    joined: list[Socket] = []
    for first in range(0, len(requests), AT_ONCE):
        made = (_join(loop, port, request) for request in requests[first : first + AT_ONCE])
        joined += await asyncio.gather(*made)
    return joined


async def _join(loop: asyncio.AbstractEventLoop, port: int, request: bytes) -> Socket:
    _, socket = await loop.create_connection(lambda: Socket(request), "127.0.0.1", port)
    await socket.opened()
    return socket


def leave_all(sockets: Sequence[Socket]) -> None:
    """End every connection at once."""
    for socket in sockets:
        socket.on_end = _nothing_of
        socket.transport.abort()


def _nothing() -> None:
    pass


def _nothing_of(_: int) -> None:
    pass
