"""Participants whom an ejection does not mean, in a process of their own: how long do their messages take meanwhile?

    python -m bench.bystanders PORT

20 WebSockets in a meeting that no rule names; 500 messages a second among them, each due at a moment fixed before, so
that a gate that stands still is late for all that are due meanwhile. Where the kernel lets it, it puts this process,
and the one that serves these few (`peers/echo.py`), before everything else on this processor: what thousands of ends
cost the client and the meeting server of a benchmark is theirs, and not the gate's.

Prints "ready" when all have joined; when its standard input ends, one line of JSON:
`{"messages": [[due, seconds], ...], "closed": n}`, due by CLOCK_MONOTONIC.
"""

import contextlib
import gc
import json
import os
import select
import socket
import sys
import time
from collections import deque

from bench.sockets import TEXT, handshake, message

RATE = 500
SOCKETS = 20
FRAME = message(TEXT, b"x" * 64)
ANSWER = 2 + 64
"""The bytes in which FRAME comes back."""


def main() -> None:
    """Join, and send until told to stop."""
    gc.disable()  # this process's own pauses are nobody's fault
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    open_sockets = [_join(int(sys.argv[1]), at) for at in range(SOCKETS)]
    print("ready", flush=True)
    due_of: dict[socket.socket, deque[float]] = {one: deque() for one in open_sockets}
    unread = dict.fromkeys(open_sockets, 0)
    done: list[tuple[float, float]] = []
    began, sent, closed = time.monotonic(), 0, 0
    while True:
        due = began + sent / RATE
        while open_sockets and due <= time.monotonic():
            one = open_sockets[sent % len(open_sockets)]
            one.sendall(FRAME)
            due_of[one].append(due)
            sent += 1
            due = began + sent / RATE
        readable, _, _ = select.select([*open_sockets, sys.stdin], [], [], max(0.0, due - time.monotonic()))
        if sys.stdin in readable:
            break
        for one in [each for each in open_sockets if each in readable]:
            data = one.recv(65_536)
            if not data:
                closed += 1
                open_sockets.remove(one)
            unread[one] += len(data)
            while unread[one] >= ANSWER:
                unread[one] -= ANSWER
                at = due_of[one].popleft()
                done.append((at, time.monotonic() - at))
    print(json.dumps({"messages": done, "closed": closed}))


def _join(port: int, user: int) -> socket.socket:
    one = socket.create_connection(("127.0.0.1", port), timeout=10)
    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    one.sendall(handshake("elsewhere", user, "10.49.0.1"))
    answer = b""
    while not answer.endswith(b"\r\n\r\n"):
        answer += one.recv(1)
    if not answer.startswith(b"HTTP/1.1 101 "):
        raise SystemExit(f"a bystander was not admitted: {answer[:80]!r}")
    return one


if __name__ == "__main__":
    main()
