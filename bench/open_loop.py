"""Joins at a constant rate, whatever the answers do: latency without coordinated omission.

Every join has its moment, fixed before the run, and its latency counts from that moment: a proxy that stands still for
100 ms is late for every join due meanwhile, not for the one that happened to wait. A join for which no connection is
free waits in the client, and its clock runs. One thread, `select` (whose timeout knows microseconds), keep-alive
connections; what the client itself adds is the same for everyone, and visible in the direct run.
"""

import contextlib
import errno
import gc
import math
import random
import select
import socket
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

LONGEST_WAIT = 5.0
"""Seconds for which answers are awaited after the last join was due; what is missing then has failed."""


@dataclass(slots=True)
class Run:
    """What came of it.

    Attributes:
        latencies: seconds, each with the moment at which its join was due (seconds since the start).
        failed: joins without an answer of 200: refused, or their connection ended.
    """

    latencies: list[tuple[float, float]] = field(default_factory=list)
    failed: int = 0

    def between(self, first: float, last: float) -> list[float]:
        """Return the latencies of the joins due in [first, last), sorted."""
        return sorted(latency for due, latency in self.latencies if first <= due < last)


def percentile(ordered: list[float], share: float) -> float:
    """Return the least value that `share` of the sorted values do not exceed."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


class OpenLoop:
    """The client of one run."""

    def __init__(self, port: int, rate: float, *, connections: int = 32) -> None:
        """Connect; `rate` is in joins per second."""
        self._port = port
        self._rate = rate
        self._idle = deque(self._connect() for _ in range(connections))
        self._busy: dict[socket.socket, tuple[float, bytes]] = {}  # when its join was due, and what has come of it
        self._requests = _requests()
        self._run = Run()
        self._began = 0.0

    def run(self, goes_on: Callable[[float], bool]) -> Run:
        """Ask for joins as long as `goes_on` says so of the seconds since the start; return what came of them."""
        gc.collect()
        gc.disable()  # a pause of the client would look like one of the proxy
        self._began = began = time.perf_counter()
        waiting: deque[float] = deque()
        sent = 0
        due = 0.0
        is_going = True
        last = 0.0
        try:
            while True:
                now = time.perf_counter() - began
                if is_going and (is_going := goes_on(now)):
                    while due <= now:
                        waiting.append(due)
                        sent += 1
                        due = sent / self._rate
                    last = now
                while waiting and self._idle:
                    self._send(waiting.popleft())
                if not is_going and ((not self._busy and not waiting) or now - last > LONGEST_WAIT):
                    break
                pause = max(0.0, due - (time.perf_counter() - began)) if is_going else 0.05
                self._receive(pause)
        finally:
            gc.enable()
            self._close()
        self._run.failed += len(waiting) + len(self._busy)
        return self._run

    def _connect(self) -> socket.socket:
        made = socket.create_connection(("127.0.0.1", self._port), timeout=5)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        made.setblocking(False)
        return made

    def _send(self, due: float) -> None:
        """Send a join on the connection that has waited longest, or on a new one where the server has closed that."""
        request = self._requests[random.randrange(len(self._requests))]
        one = self._idle.popleft()
        try:
            if _is_closed(one):
                one.close()
                one = self._connect()
            one.sendall(request)
        except OSError:
            self._lose(one)
            return
        self._busy[one] = due, b""

    def _receive(self, pause: float) -> None:
        readable, _, _ = select.select(list(self._busy), [], [], pause)
        for one in readable:
            due, unread = self._busy.pop(one)
            try:
                data = one.recv(65_536)
            except OSError as error:
                if error.errno in {errno.EAGAIN, errno.EINTR}:
                    self._busy[one] = due, unread
                    continue
                data = b""
            if not data:
                self._lose(one)
                continue
            unread += data
            head, end, body = unread.partition(b"\r\n\r\n")
            if not end or len(body) < _content_length(head):
                self._busy[one] = due, unread
                continue
            if head.startswith(b"HTTP/1.1 200 "):
                self._run.latencies.append((due, time.perf_counter() - self._began - due))
            else:
                self._run.failed += 1
            if b"connection: close" in head.lower():
                self._replace(one)
            else:
                self._idle.append(one)

    def _lose(self, one: socket.socket) -> None:
        self._run.failed += 1
        self._replace(one)

    def _replace(self, one: socket.socket) -> None:
        one.close()
        with contextlib.suppress(OSError):
            self._idle.append(self._connect())

    def _close(self) -> None:
        for one in [*self._idle, *self._busy]:
            one.close()


def _is_closed(one: socket.socket) -> bool:
    """Whether the server has closed a connection on which nothing is under way."""
    try:
        return one.recv(1, socket.MSG_PEEK) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


def _requests() -> list[bytes]:
    """Return joins as in joins.lua: nobody is in a restricted place and a restricted meeting at once."""
    drawn = random.Random(20200604)
    countries = (1, 33, 44, 49, 81)
    return [
        (
            f"GET /meetings/m{drawn.randrange(100_000):06}/join?user=u{number} HTTP/1.1\r\nHost: meet.example\r\n"
            "User-Agent: bench\r\nAccept: */*\r\nAccept-Language: en\r\n"
            f"X-Forwarded-For: 10.{drawn.choice(countries)}.{drawn.randrange(256)}.{drawn.randrange(1, 255)}\r\n"
            "Cookie: session=0123456789abcdef0123456789abcdef\r\n\r\n"
        ).encode()
        for number in range(1000)
    ]
