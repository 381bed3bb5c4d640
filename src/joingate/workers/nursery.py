"""Where workers come from: a process forked while there was one thread and nothing open, which forks and does no more.

Python's multiprocessing has a fork server too; that one begins a second interpreter, imports everything once more,
loses its workers' ends when a signal meant for the whole group ends it, and brings a further process along. This one
holds what the supervisor had imported, so a worker is there within milliseconds, and it heeds no signal but SIGKILL.
The supervisor cannot fork for itself: by then it has threads.
"""

import contextlib
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from typing import Final, NoReturn

_log = logging.getLogger("joingate")

Life = Callable[[int, Sequence[int]], None]
"""What a worker does, given its place and the descriptors that it was handed, until it ends."""

MOST_FDS: Final = 253  # in one message: SCM_MAX_FD of Linux

_GROUP: Final = frozenset((signal.SIGHUP, signal.SIGINT, signal.SIGTERM))
"""What terminals and service managers send to every process at once; only the supervisor acts on them for all."""

_PATIENCE: Final = 5.0
"""Seconds for a fork; it takes milliseconds."""


class NurseryGoneError(Exception):
    """No worker can be begun any more."""


class Nursery:
    """The supervisor's end of it."""

    def __init__(self, life: Life) -> None:
        """Fork it off; to be called before there is a second thread, an event loop or anything to hide."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.pid = os.fork()
        if not self.pid:
            ours.close()
            _tend(theirs, life)
        theirs.close()
        ours.settimeout(_PATIENCE)
        self._socket = ours

    def begin(self, place: int, fds: Sequence[int]) -> int:
        """Begin a worker for `place`, hand it descriptors, which stay open here, and return its process id.

        The event loop waits for it, a few milliseconds: no participant's message comes through the supervisor, and a
        wait that could be cancelled midway would leave descriptors and process ids to be mistaken for others.

        Raises:
            NurseryGoneError: nothing is begun, now or later.
            OSError: nothing is begun for now, for want of memory or processes.
        """
        try:
            socket.send_fds(self._socket, [b"%d" % place], fds)
            answer = self._socket.recv(32)
        except OSError:
            answer = b""
        if not answer:
            raise NurseryGoneError("the process that begins workers is gone; restart the gate")
        if (pid := int(answer)) < 0:
            raise OSError(-pid, os.strerror(-pid))
        return pid

    def close(self) -> None:
        """Let it end, and wait for nothing: workers that are still there are none the worse for it."""
        self._socket.close()


def _tend(control: socket.socket, life: Life) -> NoReturn:
    """Fork a worker for every message, until there is nobody to send one."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _GROUP)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for workers: their channel says when they have gone
    while True:
        place, fds, _, _ = socket.recv_fds(control, 32, MOST_FDS)
        if not place:
            os._exit(0)
        try:
            pid = os.fork()
        except OSError as error:
            pid = -(error.errno or 1)
        if not pid:
            control.close()
            _live(life, int(place), fds)
        for fd in fds:
            os.close(fd)
        with contextlib.suppress(OSError):
            control.send(b"%d" % pid)


def _live(life: Life, place: int, fds: Sequence[int]) -> NoReturn:
    """Be a worker, and never go on as a second nursery."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    status = 1
    try:
        life(place, fds)
        status = 0
    except BaseException:  # noqa: BLE001 - whatever it is, this process ends here
        _log.exception("defect: a worker ends")
    finally:
        sys.stderr.flush()
        os._exit(status)
