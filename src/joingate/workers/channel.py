"""What a supervisor and a worker say to each other: lines of JSON over one socket, descriptors over another.

The supervisor asks, the worker answers, in any order; each question has a number, and the answer bears it. When one of
them is gone, however it went, the kernel closes its end, and the other hears of it at once.
"""

import asyncio
import os
import socket
from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson

from joingate.workers.nursery import MOST_FDS

Message = dict[str, Any]

_LONGEST: Final = 1 << 28
"""Bytes of a line: a worker names its meetings, some tens of bytes each, and there may be a million."""


class Channel:
    """One end of it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, passing: socket.socket) -> None:
        """Use `over` instead."""
        self._reader = reader
        self._writer = writer
        self._passing = passing

    @classmethod
    async def over(cls, talking: socket.socket, passing: socket.socket) -> "Channel":
        """Speak over one socket, pass descriptors over the other; both are closed with the channel."""
        reader, writer = await asyncio.open_connection(sock=talking, limit=_LONGEST)
        passing.setblocking(False)
        return cls(reader, writer, passing)

    def send(self, message: Mapping[str, object], fds: Sequence[int] = ()) -> None:
        """Send a message, and descriptors that stay open here.

        Raises:
            OSError: the other takes no more descriptors, or is gone.
        """
        if fds:  # sent first, so that they are there when the message is
            socket.send_fds(self._passing, [b"."], fds)
        self._writer.write(orjson.dumps({**message, "fds": len(fds)}) + b"\n")

    async def receive(self) -> tuple[Message, list[int]] | None:
        """Wait for a message and the descriptors that came with it; None when the other is gone."""
        try:
            line = await self._reader.readline()
        except ConnectionError:
            return None
        if not line.endswith(b"\n"):
            return None
        message: Message = orjson.loads(line)
        fds: list[int] = []
        if message["fds"]:
            _, fds, _, _ = socket.recv_fds(self._passing, 1, MOST_FDS)
            if len(fds) != message["fds"]:  # this process may have no more of them
                for fd in fds:
                    os.close(fd)
                fds = []
        return message, fds

    def close(self) -> None:
        """Be gone, for the other."""
        self._writer.close()
        self._passing.close()
