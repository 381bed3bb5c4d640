"""A meeting server whose answers go wrong when a request asks for that: `fault=` in the target, or a message of `!`.

So it is known of each request what has to become of it, and whatever else goes wrong is the gate's doing.
"""

import asyncio
import socket
import struct
from collections.abc import Callable
from enum import StrEnum
from typing import Any, cast
from urllib.parse import parse_qs

from tests.edges.room_relay import Connection, RoomRelay

FLOOD_FRAMES, FLOOD_FRAME = 256, 16_384
"""What `!flood` brings: 4 MiB, more than the kernel's buffers and the gate's together will hold for one reader."""

HELD_SECONDS = 2.0
A_MOMENT = 0.05
"""Seconds between the last bytes and a reset, which would otherwise take them back."""


class Fault(StrEnum):
    """What goes wrong with an answer."""

    NONE = ""
    HELD = "held"  # it comes after a while
    RESET = "reset"  # there is none: the connection is reset
    HEAD = "head"  # it ends in the middle of its head
    BODY = "body"  # it ends in the middle of its body
    GARBAGE = "garbage"  # it is no HTTP


class Demand(StrEnum):
    """What a participant may ask of the server, for themselves, by a message."""

    RESET = "!reset"  # in the middle of a frame
    GARBAGE = "!garbage"
    FLOOD = "!flood"


class FaultyServer(RoomRelay):
    """Rooms, and answers to joins.

    Attributes:
        numbers: of the joins that came; whoever asks after one takes it away.
        strangers: requests without a number, which nobody has sent as they came.
    """

    def __init__(self) -> None:
        super().__init__()
        self.numbers: set[int] = set()
        self.strangers: list[bytes] = []

    def serve_one(self) -> "FaultyConnection":
        return FaultyConnection(self)

    def note(self, request_line: bytes) -> None:
        number = _query(request_line.split(b" ")[1]).get("n", "")
        if number.isdigit():
            self.numbers.add(int(number))
        else:
            self.strangers.append(request_line)

    def has_seen(self, number: int) -> bool:
        """Whether a join came; forgotten by this."""
        if number in self.numbers:
            self.numbers.remove(number)
            return True
        return False

    async def accept_nobody(self, seconds: float) -> None:
        """Listen no more for a while; connections that are open stay."""
        assert self._server is not None
        self._server.close()
        await asyncio.sleep(seconds)
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self.serve_one, "127.0.0.1", self.port, backlog=4096)


class FaultyConnection(Connection):
    """One connection from the gate."""

    def __init__(self, relay: FaultyServer) -> None:
        super().__init__(relay)
        self._flooded = FLOOD_FRAMES
        self._is_full = False

    def answer(self, target: bytes) -> None:
        query = _query(target)
        number, fault = query.get("n", ""), Fault(query.get("fault", ""))
        body = f"hello {number}\n".encode()
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n" % len(body)
        match fault:
            case Fault.NONE:
                self.transport.write(head + body)
            case Fault.HELD:
                asyncio.get_running_loop().call_later(HELD_SECONDS, self._answer_late, head + body)
            case Fault.RESET:
                self._reset()
            case Fault.HEAD:
                self._break_off(head[:30])
            case Fault.BODY:
                self._break_off(head + body[:4])
            case Fault.GARBAGE:
                self._break_off(b"\x00\xff no HTTP \r\n\r\n" * 3)

    def heard(self, room: set[Connection], frame: bytes) -> None:
        match frame[2:].decode("latin-1"):
            case Demand.RESET:
                self.transport.write(b"\x81\x7dhalf of a frame")
                asyncio.get_running_loop().call_later(A_MOMENT, self._reset)
            case Demand.GARBAGE:
                self._break_off(b"\xff" * 64)
            case Demand.FLOOD:
                self._flooded = 0
                self._flood()
            case _:
                super().heard(room, frame)

    def pause_writing(self) -> None:
        self._is_full = True

    def resume_writing(self) -> None:
        self._is_full = False
        self._flood()

    def _flood(self) -> None:
        """Go on sending numbered frames while there is room."""
        while self._flooded < FLOOD_FRAMES and not self._is_full and not self.transport.is_closing():
            self.transport.write(flood_frame(self._flooded))
            self._flooded += 1

    def _answer_late(self, answer: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(answer)

    def _break_off(self, part: bytes) -> None:
        self.transport.write(part)
        self.transport.close()

    def _reset(self) -> None:
        reset(self.transport)


def flood_frame(number: int) -> bytes:
    """Return one frame of a flood."""
    return b"\x82\x7e" + FLOOD_FRAME.to_bytes(2, "big") + flood_payload(number)


def flood_payload(number: int) -> bytes:
    """Return what is in it."""
    return number.to_bytes(4, "big") * (FLOOD_FRAME // 4)


def reset(transport: asyncio.BaseTransport) -> None:
    """End a connection by RST, as a crashed peer's kernel does."""
    if transport.is_closing():
        return
    one: Any = transport.get_extra_info("socket")
    cast("Callable[[int, int, bytes], None]", one.setsockopt)(
        socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
    )
    cast("asyncio.Transport", transport).abort()


def _query(target: bytes) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(target.partition(b"?")[2].decode()).items()}
