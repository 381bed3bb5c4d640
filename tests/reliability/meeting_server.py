"""The meeting server of every scenario, in a process of its own: a room relay that has a fault at certain paths.

    python -m tests.reliability.meeting_server

It prints its port. On standard input `deaf` has it refuse connections, `listen HOST` take them again; the end ends it.
What it does at a path is said in `FAULTS`; people's meetings go through the same process, and are not touched.
"""

import asyncio
import socket
import struct
import sys
from collections.abc import Callable
from typing import Final, cast

from tests.edges.room_relay import Answer, RoomRelay, switching

LARGE: Final = 32 << 20
_PIECE: Final = bytes(65_536)
_FRAME: Final = b"\x82\x7f" + len(_PIECE).to_bytes(8, "big") + _PIECE
_TEXT: Final = b"\x81\x05hello"


def reset(transport: asyncio.Transport) -> None:
    """Reset a connection, when what was written before has left (socket(7), SO_LINGER)."""

    def now() -> None:
        held = transport.get_extra_info("socket")
        if not transport.is_closing() and held is not None:
            held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            transport.abort()

    asyncio.get_running_loop().call_later(0.02, now)


def says(raw: bytes, then: Callable[[asyncio.Transport], None] = lambda _: None) -> Answer:
    """Send these bytes, whatever was asked."""

    def answer(transport: asyncio.Transport, _: dict[bytes, bytes]) -> None:
        if raw:
            transport.write(raw)
        then(transport)

    return answer


def opens(then: Callable[[asyncio.Transport], None]) -> Answer:
    """Accept a WebSocket."""

    def answer(transport: asyncio.Transport, headers: dict[bytes, bytes]) -> None:
        transport.write(switching(headers[b"sec-websocket-key"]))
        then(transport)

    return answer


class _Pouring(asyncio.Protocol):
    """Sends a piece again and again, as fast as it is taken."""

    def __init__(self, transport: asyncio.Transport, piece: bytes, times: int) -> None:
        self._transport = transport
        self._piece = piece
        self._left = times
        self._is_full = False
        transport.set_protocol(self)
        self._pour()

    def _pour(self) -> None:
        while self._left and not self._is_full and not self._transport.is_closing():
            self._left -= 1
            self._transport.write(self._piece)

    def pause_writing(self) -> None:
        self._is_full = True

    def resume_writing(self) -> None:
        self._is_full = False
        self._pour()


class _Echo(asyncio.Protocol):
    """Sends back what comes: a ping in a client's frame becomes the same bytes, which the flood does not read."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        transport.set_protocol(self)

    def data_received(self, data: bytes) -> None:
        self._transport.write(b"\x8a\x02ok" * max(1, len(data) // 8))

    def pause_writing(self) -> None:
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        self._transport.resume_reading()


def _large(transport: asyncio.Transport, _: dict[bytes, bytes]) -> None:
    times = LARGE // len(_PIECE)
    transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (times * len(_PIECE)))
    _Pouring(transport, _PIECE, times)


def _resets_after(data: bytes) -> Callable[[asyncio.Transport], None]:
    def act(transport: asyncio.Transport) -> None:
        transport.write(data)
        reset(transport)

    return act


def _stop_reading(transport: asyncio.Transport) -> None:
    transport.pause_reading()


OK: Final = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello\n"
_PART: Final = b"HTTP/1.1 200 OK\r\nContent-Length: 600\r\n\r\npart"

FAULTS: Final[dict[bytes, Answer]] = {
    b"/silent": says(b""),
    b"/large": _large,
    b"/closes": says(b"", lambda transport: transport.close()),
    b"/mid-head": says(b"HTTP/1.1 200 OK\r\nContent-Le", reset),
    b"/mid-body": says(_PART, reset),
    b"/mid-chunk": says(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\npart", reset),
    b"/stops": says(_PART),
    b"/garbage": says(b"\x16\x03\x01 no HTTP at all\r\n\r\n"),
    b"/two-lengths": says(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 6\r\n\r\nhello\n"),
    b"/long-head": says(b"HTTP/1.1 200 OK\r\nX-A: " + bytes(1_000_000)),
    b"/two-answers": says(OK + b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nsmuggled\n"),
    b"/interim": says(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 1000),
    b"/mid-frame": opens(_resets_after(_TEXT + b"\x82\x7dpart")),
    b"/between-frames": opens(_resets_after(_TEXT)),
    b"/no-tunnel": says(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n" + _TEXT
    ),
    b"/deaf": opens(_stop_reading),
    b"/quiet": opens(lambda _: None),
    b"/echo": opens(lambda transport: cast("None", _Echo(transport))),
    b"/chatter": opens(lambda transport: cast("None", _Pouring(transport, _FRAME, 1 << 30))),
}


async def main() -> None:
    """Serve until standard input ends."""
    loop = asyncio.get_running_loop()
    commands: asyncio.Queue[str] = asyncio.Queue()
    async with RoomRelay(FAULTS) as relay:
        print(relay.port, flush=True)  # noqa: T201 - how the parent process learns the port
        loop.add_reader(sys.stdin.fileno(), lambda: commands.put_nowait(sys.stdin.readline().strip()))
        while command := await commands.get():
            if command == "deaf":
                relay.be_deaf()
            else:
                await relay.listen(command.removeprefix("listen "))
            print("done", flush=True)  # noqa: T201 - and that it has been done


if __name__ == "__main__":
    asyncio.run(main())
