"""Whatever the gate forwards, every server behind it understands as the one request that the gate has judged.

The requests of framing_requests, and drawn ones, go through a serving gate to five servers with parsers of their own.
A join that an order forbids is hidden in most. What the gate has judged bears its X-Forwarded-For, what is smuggled in
does not; and no server may ever see the hidden join, since the gate rejects it wherever it reads it.
"""

import asyncio
import contextlib
import os
import random
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from tests.edges.served import CN, Folder, Served, limited, order, until
from tests.integration.framing_drawn import drawn
from tests.integration.framing_requests import HARMFUL, ROWS
from tests.integration.framing_rows import END, HIDDEN_TARGET
from tests.integration.http_upstreams import NAMES, HttpUpstream, Seen, running

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

DRAWN = int(os.environ.get("JOINGATE_FRAMING_DRAWN", "150"))
"""Each costs five connections and a tenth of a second; thousands are for whoever changes how requests are read."""
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


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stands(tmp_path_factory: pytest.TempPathFactory, demo_mmdb: Path) -> AsyncIterator[Sequence[Stand]]:
    """Start every server, and a gate before each."""
    async with contextlib.AsyncExitStack() as stack:

        async def stand(name: str) -> Stand:
            upstream = await stack.enter_async_context(running(name, tmp_path_factory.mktemp(name)))
            folder = Folder(tmp_path_factory.mktemp("gate"), demo_mmdb, upstream_port=upstream.port, gate=SETTINGS)
            folder.write("order.toml", order("o-1", ["smuggled"]))
            return Stand(upstream, await stack.enter_async_context(Served(folder)))

        found = [await stand(name) for name in NAMES]
        yield found
        for each in found:
            assert HIDDEN_TARGET not in {seen.target for seen in each.upstream.seen()}, each.upstream.name


Outcomes = dict[str, tuple[tuple[int, ...], tuple[Seen, ...]]]


async def _outcomes(stands: Sequence[Stand], payload: bytes) -> Outcomes:
    found = await asyncio.gather(*(stand.outcome(payload) for stand in stands))
    return {stand.upstream.name: outcome for stand, outcome in zip(stands, found, strict=True)}


@pytest.mark.parametrize("name", ROWS)
async def test_a_request_is_refused_or_is_one_and_the_same_to_all(stands: Sequence[Stand], name: str) -> None:
    row = ROWS[name]
    seen = tuple(Seen(*forwarded, CN) for forwarded in row.forwarded)
    end = Seen("GET", "/end", "", CN)
    for server, outcome in (await _outcomes(stands, row.payload)).items():
        assert outcome in ((row.answers, seen), ((*row.answers, 200), (*seen, end))), server


async def test_whatever_is_drawn_is_the_same_to_all_and_judged(stands: Sequence[Stand]) -> None:
    chance = random.Random(9112)
    forwarded = refused = 0
    for _ in range(DRAWN):
        payload = drawn(chance)
        outcomes = await _outcomes(stands, payload)
        answers, seen = outcomes["nginx"]
        assert set(outcomes.values()) == {(answers, seen)}, (payload, outcomes)
        assert len(seen) == answers.count(200), (payload, outcomes)
        for each in seen:
            assert (each.forwarded_for, each.target != HIDDEN_TARGET) == (CN, True), (payload, each)
        forwarded += len(seen)
        refused += len(answers) - len(seen)
    assert min(forwarded, refused) > DRAWN // 4  # or they would say little about the one or the other


@pytest.mark.parametrize("name", HARMFUL)
async def test_without_a_gate_the_hidden_join_gets_in(name: str, tmp_path: Path) -> None:
    async with running(name, tmp_path) as upstream, limited():
        _, writer = await asyncio.open_connection("127.0.0.1", upstream.port)
        writer.write(HARMFUL[name])
        await until(lambda: HIDDEN_TARGET in {seen.target for seen in upstream.seen()})
        writer.transport.abort()
