"""Accepting on a socket that is watched for it, where an event loop's own server will not do."""

import asyncio
import socket
from typing import Final

AT_A_TIME: Final = 64
"""Connections accepted before everybody else has a turn."""

PAUSE: Final = 1.0
"""Seconds without accepting after the kernel had no descriptor or memory for one more; asyncio's own."""


class Accepting:
    """Accepts on a socket.

    Attributes:
        sockets: that one, until it is closed.
    """

    def __init__(self, listening: socket.socket, backlog: int) -> None:
        """Begin to accept on a socket that is bound to its address."""
        self._loop = asyncio.get_running_loop()
        self.sockets = [listening]
        listening.setblocking(False)
        listening.listen(backlog)
        self._loop.add_reader(listening, self._accept, listening)

    def close(self) -> None:
        """Accept no more."""
        for each in self.sockets:
            self._loop.remove_reader(each)
            each.close()
        self.sockets = []

    def _accept(self, listening: socket.socket) -> None:
        for _ in range(AT_A_TIME):
            try:
                if not self._accept_one(listening):
                    return
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError:
                self._loop.remove_reader(listening)
                self._loop.call_later(PAUSE, self._go_on, listening)
                return

    def _accept_one(self, listening: socket.socket) -> bool:
        """Take one connection; whether one was waiting.

        Raises:
            OSError: none could be taken.
        """
        raise NotImplementedError

    def _go_on(self, listening: socket.socket) -> None:
        if listening in self.sockets:
            self._loop.add_reader(listening, self._accept, listening)
