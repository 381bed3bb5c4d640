"""Five gates, each before another real server, and what becomes of a request at all of them."""

import asyncio
import contextlib
import random
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.edges.served import CN, Folder, Served, limited, order, until
from tests.integration.framing_drawn import drawn
from tests.integration.framing_rows import END, HIDDEN_TARGET
from tests.integration.http_upstreams import NAMES, HttpUpstream, Seen, running

SETTINGS = "body_timeout = 1\nclose_timeout = 1\n"
"""A body that is cut short is given up soon; a whole one comes with its head, in one piece."""
FENCE = b"GET /fence HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
_STATUS = re.compile(rb"HTTP/1\.1 ([2-5][0-9]{2}) ")


@dataclass(frozen=True, slots=True)
class Stand:
    """A gate and the server behind it."""

    upstream: HttpUpstream
    gate: Served

    async def outcome(self, payload: bytes) -> tuple[tuple[int, ...], tuple[Seen, ...]]:
        """Send a request; return the statuses of the answers, and what the server has seen of it.

        A plain request on another connection comes last: it finds a connection to the server spoilt, if one is.
        """
        before = len(self.upstream.seen())
        answers = await ask(self.gate.port, payload + END)
        assert await ask(self.gate.port, FENCE) == (200,)
        await until(lambda: "/fence" in {seen.target for seen in self.upstream.seen()[before:]})
        *seen, fence = self.upstream.seen()[before:]
        assert fence == Seen("GET", "/fence", "", CN), fence
        return answers, tuple(seen)


async def ask(port: int, payload: bytes) -> tuple[int, ...]:
    """Send bytes from China, read to the end of the connection, and return the statuses that came."""
    async with limited():
        reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(CN, 0))
        received = b""
        with contextlib.suppress(ConnectionError):
            writer.write(payload)
            while data := await reader.read(1 << 16):
                received += data
        writer.transport.abort()
    return tuple(int(status) for status in _STATUS.findall(received))


@contextlib.asynccontextmanager
async def standing(path: Path, database: Path) -> AsyncIterator[Sequence[Stand]]:
    """Start every server, and a gate before each; at the end no server may have seen the hidden join."""
    async with contextlib.AsyncExitStack() as stack:

        async def stand(name: str) -> Stand:
            for each in (name, f"{name}-gate"):
                (path / each).mkdir()
            upstream = await stack.enter_async_context(running(name, path / name))
            folder = Folder(path / f"{name}-gate", database, upstream_port=upstream.port, gate=SETTINGS)
            folder.write("order.toml", order("o-1", ["smuggled"]))
            return Stand(upstream, await stack.enter_async_context(Served(folder)))

        found = [await stand(name) for name in NAMES]
        yield found
        for each in found:
            assert HIDDEN_TARGET not in {seen.target for seen in each.upstream.seen()}, each.upstream.name


Outcomes = dict[str, tuple[tuple[int, ...], tuple[Seen, ...]]]


async def outcomes(stands: Sequence[Stand], payload: bytes) -> Outcomes:
    found = await asyncio.gather(*(stand.outcome(payload) for stand in stands))
    return {stand.upstream.name: outcome for stand, outcome in zip(stands, found, strict=True)}


async def compare(stands: Sequence[Stand], chance: random.Random) -> tuple[int, int]:
    """Draw a request and hold all servers to one reading of it; return how many went on, and how many did not."""
    payload = drawn(chance)
    found = await outcomes(stands, payload)
    answers, seen = found["nginx"]
    assert set(found.values()) == {(answers, seen)}, (payload, found)
    assert len(seen) == answers.count(200), (payload, found)
    for each in seen:
        assert (each.forwarded_for, each.target != HIDDEN_TARGET) == (CN, True), (payload, each)
    return len(seen), len(answers) - len(seen)
