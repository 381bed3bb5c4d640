"""Whatever the gate forwards, every server behind it understands as the one request that the gate has judged.

The requests of framing_requests, and drawn ones, go through a serving gate to five servers with parsers of their own.
A join that an order forbids is hidden in most. What the gate has judged bears its X-Forwarded-For, what is smuggled in
does not; and no server may ever see the hidden join, since the gate rejects it wherever it reads it.
"""

import asyncio
import os
import random
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
import pytest_asyncio

from tests.edges.served import CN, limited, until
from tests.integration.framing_requests import HARMFUL, ROWS
from tests.integration.framing_rows import HIDDEN_TARGET
from tests.integration.framing_stand import Stand, compare, outcomes, standing
from tests.integration.http_upstreams import Seen, running

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

DRAWN = int(os.environ.get("JOINGATE_FRAMING_DRAWN", "150"))
"""Each costs five connections and a tenth of a second; thousands are for whoever changes how requests are read."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stands(tmp_path_factory: pytest.TempPathFactory, demo_mmdb: Path) -> AsyncIterator[Sequence[Stand]]:
    async with standing(tmp_path_factory.mktemp("framing"), demo_mmdb) as found:
        yield found


@pytest.mark.parametrize("name", ROWS)
async def test_a_request_is_refused_or_is_one_and_the_same_to_all(stands: Sequence[Stand], name: str) -> None:
    row = ROWS[name]
    seen = tuple(Seen(*forwarded, CN) for forwarded in row.forwarded)
    end = Seen("GET", "/end", "", CN)
    for server, outcome in (await outcomes(stands, row.payload)).items():
        assert outcome in ((row.answers, seen), ((*row.answers, 200), (*seen, end))), server


async def test_whatever_is_drawn_is_the_same_to_all_and_judged(stands: Sequence[Stand]) -> None:
    chance = random.Random(9112)
    forwarded = refused = 0
    for _ in range(DRAWN):
        went_on, did_not = await compare(stands, chance)
        forwarded += went_on
        refused += did_not
    assert min(forwarded, refused) > DRAWN // 4  # or they would say little about the one or the other


@pytest.mark.parametrize("name", HARMFUL)
async def test_without_a_gate_the_hidden_join_gets_in(name: str, tmp_path: Path) -> None:
    async with running(name, tmp_path) as upstream, limited():
        _, writer = await asyncio.open_connection("127.0.0.1", upstream.port)
        writer.write(HARMFUL[name])
        await until(lambda: HIDDEN_TARGET in {seen.target for seen in upstream.seen()})
        writer.transport.abort()
