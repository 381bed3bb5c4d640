"""Acceptance: 2,000 people talk in 50 meetings, and an order for one territory in one meeting reaches nobody else.

The gate is a process of its own and so is the meeting server; the 2,000 WebSockets are in this one. Everybody sends
numbered messages all the time, and everybody notes every number of everybody else in the meeting.
"""

import asyncio
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.edges.served import Folder, Served, environment, limited, order, until
from tests.ws_client import CLOSE, TEXT, Connected, build_frame

MEETINGS, EACH = 50, 40
NETWORKS = ("127.86.{0}.{1}", "127.85.2.{1}", "127.49.{0}.{1}", "127.1.{0}.{1}", "127.33.{0}.{1}", "127.55.{0}.{1}")
CN = 0  # place in NETWORKS
ORDERED = 7  # the number of the meeting with the order
ROUNDS_BEFORE, ROUNDS_AFTER = 4, 4
DESCRIPTORS = 3 * MEETINGS * EACH  # the gate needs two for each participant


class Participant:
    """Somebody in one meeting over one WebSocket, who is never let back in by the test.

    Attributes:
        last: per sender, the number of the last message received.
        faults: numbers that were not the next one.
        closed: code and reason of the Close that came; None while there is none.
        closed_at: when it came, by time.perf_counter.
        has_ended: whether the stream is over.
    """

    __slots__ = (
        "client",
        "closed",
        "closed_at",
        "faults",
        "has_ended",
        "last",
        "meeting",
        "network",
        "number",
        "source",
    )

    def __init__(self, number: int) -> None:
        self.number = number
        self.meeting, place = divmod(number, EACH)
        self.network = place % len(NETWORKS)
        self.source = NETWORKS[self.network].format(self.meeting, place + 1)
        self.client: Connected
        self.last: dict[int, int] = {}
        self.faults: list[tuple[int, int, int]] = []
        self.closed: tuple[int, str] | None = None
        self.closed_at = 0.0
        self.has_ended = False

    def say(self, number: int) -> None:
        """Send a message."""
        self.client.writer.write(build_frame(TEXT, b"%d %d" % (self.number, number)))

    async def listen(self) -> None:
        """Take frames until the stream ends, many with one read."""
        rest = b""
        while data := await self.client.reader.read(65536):
            rest += data
            at = 0
            while len(rest) - at >= 2 and len(rest) - at >= 2 + rest[at + 1]:
                end = at + 2 + rest[at + 1]
                self._take(rest[at] & 15, rest[at + 2 : end])
                at = end
            rest = rest[at:]
        assert not rest, "the stream ended in the middle of a frame"
        self.has_ended = True

    def _take(self, opcode: int, payload: bytes) -> None:
        assert self.closed is None, "nothing follows a Close"
        if opcode == CLOSE:
            self.closed = int.from_bytes(payload[:2], "big"), payload[2:].decode()
            self.closed_at = time.perf_counter()
            self.client.writer.write(build_frame(CLOSE, payload[:2]))
            return
        sender, number = map(int, payload.split())
        expected = self.last.get(sender, 0) + 1
        if number != expected:
            self.faults.append((sender, expected, number))
        self.last[sender] = number


@pytest.fixture
def relay_port() -> Iterator[int]:
    """Let the meeting server run as a process of its own."""
    before, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most != resource.RLIM_INFINITY and most < DESCRIPTORS:
        pytest.skip(f"needs {DESCRIPTORS} file descriptors (ulimit -n), and may have {most}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(before, DESCRIPTORS), most))
    command = [sys.executable, "-m", "tests.edges.room_relay"]
    root = Path(__file__).parents[2]
    process = subprocess.Popen(
        command, cwd=root, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout is not None
        assert process.stdin is not None
        yield int(process.stdout.readline())
        process.stdin.close()  # which it ends with
    resource.setrlimit(resource.RLIMIT_NOFILE, (before, most))
    assert process.returncode == 0


async def join_all(gate: Served) -> list[Participant]:
    everybody = [Participant(number) for number in range(MEETINGS * EACH)]
    at_once = asyncio.Semaphore(50)

    async def join(participant: Participant) -> None:
        async with at_once:
            meeting, user = f"meeting-{participant.meeting}", f"user-{participant.number}"
            participant.client = await gate.join(meeting, participant.source, user)

    await asyncio.gather(*map(join, everybody))
    return everybody


async def talk(talking: list[Participant], number: int) -> None:
    """Have everybody say their next message, at most two ahead of what the slowest has heard of their own."""
    await until(lambda: all(each.last.get(each.number, 0) >= number - 2 for each in talking if not each.closed))
    for place, each in enumerate(talking):
        if not each.closed:
            each.say(number)
        if place % 64 == 0:
            await asyncio.sleep(0)


async def test_an_order_reaches_only_whom_it_names(tmp_path: Path, demo_mmdb: Path, relay_port: int) -> None:
    folder = Folder(tmp_path, demo_mmdb, upstream_port=relay_port)
    async with Served(folder) as gate:
        everybody = await join_all(gate)
        named = [each for each in everybody if each.meeting == ORDERED and each.network == CN]
        spared = [each for each in everybody if each not in named]
        assert len(named) == 7
        listening = [asyncio.ensure_future(each.listen()) for each in everybody]
        number = 0
        for _ in range(ROUNDS_BEFORE):
            number += 1
            await talk(everybody, number)
        assert not any(each.closed for each in everybody)

        folder.write("order.toml", order("cac-1", [f"meeting-{ORDERED}"]))
        began = time.perf_counter()
        gate.sighup()
        last_close = asyncio.ensure_future(until(lambda: all(each.closed for each in named)))
        while not last_close.done():
            number += 1
            await talk(everybody, number)
        await last_close
        took = max(each.closed_at for each in named) - began

        for _ in range(ROUNDS_AFTER):
            number += 1
            await talk(spared, number)
        for each in spared:
            peers = {other.number for other in everybody[each.meeting * EACH :][:EACH] if other not in named}
            await until(lambda each=each, peers=peers: all(each.last.get(peer) == number for peer in peers))  # type: ignore[misc]
        await until(lambda: all(each.has_ended for each in named))
        status = await gate.status_when(lambda status: status["participants"] == len(spared))

        assert {each.closed[0] for each in named if each.closed} == {4451}
        assert all(each.closed and each.closed[1].startswith("legal order cac-1 until ") for each in named)
        assert [each.number for each in spared if each.closed or each.has_ended] == []
        assert [(each.number, each.faults) for each in everybody if each.faults] == []
        decided = {(each["verdict"], each["reason"]): each["count"] for each in status["decisions"]}
        assert decided == {("admit", "no_rule"): len(everybody), ("eject", "order"): len(named)}
        assert (status["left"], status["meetings"], status["reloads"]["failed"]) == (0, MEETINGS, 0)
        assert "Traceback" not in gate.log()
        assert "defect" not in gate.log()

        print(f"from SIGHUP to the last of {len(named)} Closes: {took:.3f} s; {number} messages from everybody")  # noqa: T201 - a measurement
        for each in everybody:
            each.client.abort()
        async with limited():
            await asyncio.gather(*listening)
