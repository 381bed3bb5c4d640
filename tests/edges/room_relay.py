"""A meeting server of the leanest kind: what one participant sends, everybody in the same meeting receives.

It runs in a test's own event loop (`RoomRelay`), or as a process of its own where thousands talk
(`python -m tests.edges.room_relay`, which prints its port and ends with its standard input). Raw asyncio, no code of
the gate. A path of `/meetings/ID/join` with a handshake joins; `/slow` answers once `release` is set; any other
path answers at once. A server with whims of its own (`tests.soak.meeting_server`) derives from both classes.
"""

import asyncio
import base64
import hashlib
import sys
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self, cast

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 1.3

Answer = Callable[[asyncio.Transport, dict[bytes, bytes]], None]
"""What is done instead of an answer, with the connection and the request's headers; the relay reads no more of it."""


class RoomRelay:
    """The server on a port of 127.0.0.1 chosen by the system, as an async context manager.

    Attributes:
        port: where it listens, once entered.
        rooms: the connections inside each meeting.
        seen: the request lines, in the order of their arrival.
        release: lets `/slow` answer.
        answers: what is done at which path, where it is not what the module says.
    """

    def __init__(self, answers: Mapping[bytes, Answer] | None = None) -> None:
        self.port = 0
        self.answers = answers or {}
        self.rooms: dict[bytes, set[Connection]] = {}
        self.seen: list[bytes] = []
        self.release = asyncio.Event()
        self.connections: set[Connection] = set()
        self.tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        await self.listen()
        return self

    def serve_one(self) -> "Connection":
        """Return what serves one connection."""
        return Connection(self)

    def note(self, request_line: bytes) -> None:
        """Keep in mind what was asked for."""
        self.seen.append(request_line)

    async def listen(self, host: str = "127.0.0.1") -> None:
        """Accept connections, on the port of before where there was one."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self.serve_one, host, self.port, backlog=4096)
        self.port = self._server.sockets[0].getsockname()[1]

    def be_deaf(self) -> None:
        """Refuse connections; those that are open stay."""
        assert self._server is not None
        self._server.close()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for connection in tuple(self.connections):
            connection.transport.abort()
        for task in tuple(self.tasks):
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await self._server.wait_closed()


def switching(key: bytes) -> bytes:
    """Write the 101 to a handshake with `key`."""
    accept = base64.b64encode(hashlib.sha1(key + _GUID, usedforsecurity=False).digest())
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
    )


class Connection(asyncio.Protocol):
    """One connection from the gate: HTTP requests without a body, then perhaps a WebSocket."""

    def __init__(self, relay: RoomRelay) -> None:
        self._relay = relay
        self._buffer = b""
        self._room: set[Connection] | None = None
        self._is_given_away = False
        self.transport: asyncio.Transport = cast("asyncio.Transport", None)  # until connection_made

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self._relay.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self._relay.connections.discard(self)
        if self._room is not None:
            self._room.discard(self)

    def data_received(self, data: bytes) -> None:
        if self._is_given_away:
            return
        self._buffer += data
        if self._room is None:
            self._read_heads()
        if self._room is not None:
            self._read_frames(self._room)

    def _read_heads(self) -> None:
        while self._room is None and b"\r\n\r\n" in self._buffer:
            head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
            request_line, *lines = head.split(b"\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(b":") for line in lines)}
            self._relay.note(request_line)
            target = request_line.split(b" ")[1]
            path = target.partition(b"?")[0]
            if path in self._relay.answers:
                self._is_given_away = True
                self._relay.answers[path](self.transport, headers)
                return
            if b"sec-websocket-key" in headers:
                self._join(path.split(b"/")[2], headers[b"sec-websocket-key"])
            elif path == b"/slow":
                task = asyncio.get_running_loop().create_task(self._answer_when_released())
                self._relay.tasks.add(task)
                task.add_done_callback(self._relay.tasks.discard)
            else:
                self.answer(target)

    def _join(self, meeting: bytes, key: bytes) -> None:
        self.transport.write(switching(key))
        self._room = self._relay.rooms.setdefault(meeting, set())
        self._room.add(self)

    async def _answer_when_released(self) -> None:
        await self._relay.release.wait()
        self.answer(b"/slow")

    def answer(self, target: bytes) -> None:  # noqa: ARG002 - for servers whose answer depends on it
        """Answer a request."""
        self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 6\r\n\r\nhello\n")

    def _read_frames(self, room: set["Connection"]) -> None:
        """Take each short text frame of a client, unmasked; answer a Close with a Close."""
        while len(self._buffer) >= 6:
            opcode, size = self._buffer[0] & 15, self._buffer[1] & 127
            assert size < 126, "messages here are short"
            if len(self._buffer) < 6 + size:
                return
            key, masked = self._buffer[2:6], self._buffer[6 : 6 + size]
            self._buffer = self._buffer[6 + size :]
            pattern = int.from_bytes((key * (size // 4 + 1))[:size], "big")
            payload = (int.from_bytes(masked, "big") ^ pattern).to_bytes(size, "big")
            frame = bytes((128 | opcode, size)) + payload
            if opcode == 8:
                self.transport.write(frame)
                self.transport.close()
                return
            self.heard(room, frame)

    def heard(self, room: set["Connection"], frame: bytes) -> None:
        """Pass a message, unmasked, to everybody inside."""
        for member in room:
            if not member.transport.is_closing():
                member.transport.write(frame)


async def _serve_until_stdin_ends() -> None:
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    async with RoomRelay() as relay:
        print(relay.port, flush=True)  # noqa: T201 - how the parent process learns the port
        loop.add_reader(sys.stdin.fileno(), ended.set)
        await ended.wait()


if __name__ == "__main__":
    asyncio.run(_serve_until_stdin_ends())
