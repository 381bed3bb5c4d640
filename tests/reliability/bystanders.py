"""People who talk through a gate to which something is being done, in a process of their own.

    python -m tests.reliability.bystanders PORT [PID]

Ten people in five meetings that no rule names, some of them in an order's territory. Each sends a numbered message 25
times a second and notes every number that comes, from both in the meeting: none may be missing, doubled or out of
order, and nobody's connection may end. All the while somebody whom an order does mean tries to join, and must never get
in. Given a worker's process id, all who talk are at that worker. A line on standard input begins a phase; its end ends
it all, and what happened is printed as one line of JSON.
"""

import asyncio
import contextlib
import sys
import time
from collections import Counter
from dataclasses import dataclass, field

import orjson

from tests.edges.served import CN, DE, HK
from tests.edges.worker_processes import carries
from tests.ws_client import CLOSE, TEXT, Connected, build_frame, connected

MEETINGS = 5
PAUSE = 0.04
"""Seconds between two messages of one participant."""
KNOCK = b"GET /meetings/ordered/join?user=u HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
LAST_WORDS = 20.0
"""Seconds in which what was sent last has to arrive."""


@dataclass(slots=True)
class Heard:
    """What happened.

    Attributes:
        latencies: per phase, the seconds that messages took to come back to their senders.
        faults: numbers that were not the next one.
        ended: how connections ended that should not have: the Close's code, or "cut".
        doors: how often the one outside was answered what.
    """

    latencies: dict[str, list[float]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    doors: Counter[str] = field(default_factory=Counter)
    phase: str = "before"


class Bystander:
    """Somebody in a meeting."""

    def __init__(self, number: int, client: Connected, heard: Heard) -> None:
        self.number = number
        self.client = client
        self.heard = heard
        self.sent = 0
        self.sent_at: dict[int, tuple[float, str]] = {}
        self.last: dict[int, int] = {}

    def say(self) -> None:
        """Send the next message."""
        if self.client.writer.transport.is_closing():
            return
        self.sent += 1
        self.sent_at[self.sent] = time.perf_counter(), self.heard.phase
        self.client.writer.write(build_frame(TEXT, b"%d %d" % (self.number, self.sent)))

    async def listen(self) -> None:
        """Note what comes, until the connection ends."""
        how = "cut"
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                opcode, payload = await self.client.recv()
                if opcode == CLOSE:
                    how = str(int.from_bytes(payload[:2], "big"))
                    break
                self._take(*map(int, payload.split()))
        self.heard.ended.append(how)
        self.client.abort()

    def _take(self, sender: int, number: int) -> None:
        expected = self.last.get(sender, number - 1) + 1  # the other may have been there before
        if number != expected:
            self.heard.faults.append(f"message {number} instead of {expected}")
        self.last[sender] = number
        if sender == self.number:
            at, phase = self.sent_at.pop(number)
            self.heard.latencies.setdefault(phase, []).append(time.perf_counter() - at)


async def knock(port: int, heard: Heard) -> None:
    """Try to join where an order forbids it, again and again."""
    while True:
        heard.doors[await _answer(port)] += 1
        await asyncio.sleep(PAUSE)


async def _answer(port: int) -> str:
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(CN, 0))
    except OSError:
        return "no connection"
    try:
        writer.write(KNOCK)
        return (await reader.readuntil(b"\r\n"))[9:12].decode()
    except (OSError, asyncio.IncompleteReadError):
        return "no answer"
    finally:
        writer.transport.abort()


async def _join(port: int, number: int, worker: int | None) -> Connected:
    """Join, as often as it takes to come to the worker that is wanted, if one is."""
    while True:
        path = f"/meetings/calm-{number // 2}/join?user=b"
        client = await connected("127.0.0.1", port, path, local_addr=(HK, CN, DE)[number % 3])
        if worker is None or carries(worker, client):
            return client
        client.abort()


async def main(port: int, worker: int | None = None) -> None:
    """Talk until told to stop."""
    loop = asyncio.get_running_loop()
    heard = Heard()
    everybody = [Bystander(number, await _join(port, number, worker), heard) for number in range(2 * MEETINGS)]
    listening = [loop.create_task(each.listen()) for each in everybody]
    commands: asyncio.Queue[str] = asyncio.Queue()
    loop.add_reader(sys.stdin.fileno(), lambda: commands.put_nowait(sys.stdin.readline().strip()))
    knocking = loop.create_task(knock(port, heard))
    print("ready", flush=True)  # noqa: T201 - its parent waits for it

    while True:
        for each in everybody:
            each.say()
        await asyncio.sleep(PAUSE)
        if not commands.empty():
            if not (command := commands.get_nowait()):
                break
            heard.phase = command
    loop.remove_reader(sys.stdin.fileno())
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(LAST_WORDS):
            while not all(_has_heard_all(each, everybody) for each in everybody):  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.01)
    if not heard.ended:
        missing = sum(not _has_heard_all(each, everybody) for each in everybody)
        heard.faults += ["the last messages did not come"] * missing
    report = {name: getattr(heard, name) for name in ("latencies", "faults", "ended", "doors")}
    for task in [knocking, *listening]:
        task.cancel()
    await asyncio.gather(knocking, *listening, return_exceptions=True)
    print(orjson.dumps(report).decode())  # noqa: T201 - its output


def _has_heard_all(each: Bystander, everybody: list[Bystander]) -> bool:
    pair = everybody[each.number // 2 * 2 :][:2]
    return all(each.last.get(other.number) == other.sent for other in pair)


if __name__ == "__main__":
    asyncio.run(main(*map(int, sys.argv[1:])))
