"""The meeting server of the WebSocket benchmarks: accepts every handshake and says every message back.

    python echo.py PORT

It answers each handshake with the same Accept, so it takes one key only: the example of RFC 6455, which
`bench.sockets` sends. A request that is no handshake gets a short answer, so that a load may consist of both.

Whoever joins the meeting of `bench.bystanders` is served by a process of their own, which the kernel prefers: what this
server has to do for thousands who are ejected at once is not what they are there to notice.
"""

import asyncio
import contextlib
import os
import socket
import sys
from typing import cast

import uvloop

ACCEPTED = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
)
CLOSE = 8
APART = b" /meetings/elsewhere/"


class Echo(asyncio.Protocol):
    """One participant's connection."""

    __slots__ = ("apart", "is_open", "transport", "unread")

    def __init__(self, apart: socket.socket | None) -> None:
        """Serve one participant, or hand the connection on over `apart`."""
        self.apart = apart

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.unread = b""
        self.is_open = False

    def data_received(self, data: bytes) -> None:
        self.unread += data
        if not self.is_open:
            head, end, rest = self.unread.partition(b"\r\n\r\n")
            if not end:
                return
            if self.apart is not None and APART in head:
                mine = self.transport.get_extra_info("socket")
                socket.send_fds(self.apart, [self.unread], [mine.fileno()])
                self.transport.abort()
                return
            self.is_open = True
            self.unread = rest
            self.transport.write(ACCEPTED)
        self.answer_frames()

    def answer_frames(self) -> None:
        """Send back each whole frame without its mask, which `bench.sockets` leaves at nought."""
        answers, at, unread = [], 0, self.unread
        while len(unread) - at >= 2:
            short = unread[at + 1] & 127
            head = 2 if short < 126 else 4 if short == 126 else 10
            if len(unread) - at < head:
                break
            size = short if short < 126 else int.from_bytes(unread[at + 2 : at + head], "big")
            end = at + head + 4 + size
            if end > len(unread):
                break
            answers += [unread[at : at + 1], bytes((short,)), unread[at + 2 : at + head], unread[at + head + 4 : end]]
            is_close = unread[at] & 15 == CLOSE
            at = end
            if is_close:
                self.transport.write(b"".join(answers))
                self.transport.close()
                return
        self.unread = unread[at:]
        if answers:
            self.transport.write(b"".join(answers))


async def serve(apart: socket.socket) -> None:
    """Accept whoever comes."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Echo(apart), "127.0.0.1", int(sys.argv[1]), backlog=4096)
    await server.serve_forever()


async def serve_apart(handed: socket.socket) -> None:
    """Serve whoever is handed on, ahead of everything else on this processor, until nobody can be any more."""
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    loop = asyncio.get_running_loop()
    handed.setblocking(False)
    while True:
        readable = loop.create_future()
        loop.add_reader(handed, readable.set_result, None)
        await readable
        loop.remove_reader(handed)
        request, fds, _, _ = socket.recv_fds(handed, 65_536, 1)
        if not fds:
            return
        _, echo = await loop.connect_accepted_socket(lambda: Echo(None), socket.socket(fileno=fds[0]))
        echo.data_received(request)


if __name__ == "__main__":
    OURS, THEIRS = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    if os.fork():
        THEIRS.close()
        uvloop.run(serve(OURS))
    else:
        OURS.close()
        uvloop.run(serve_apart(THEIRS))
