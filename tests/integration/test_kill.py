"""kill -9 under load, again and again, on one ledger: what a client has seen is on record, and the tail recovers.

Each time the gate is started anew on what the last one left. Connections reject as fast as they can, people are inside
and are ejected by an order that comes at that moment, and the gate is killed in the midst of it.
"""

import asyncio
import contextlib
import os
import random
import re
import signal
from pathlib import Path

import orjson
import pytest

from joingate.codecs.receipt import commitment
from tests.edges.ledger_reading import entries, receipts
from tests.edges.room_relay import RoomRelay
from tests.edges.served import CN, Folder, Served, order, run, until
from tests.ws_client import Connected, connect

pytestmark = pytest.mark.integration

KILLS = int(os.environ.get("JOINGATE_KILLS", "40"))
"""Each takes a start of the gate, a second or two; 200 are for whoever changes the ledger's writer."""
CONNECTIONS = 4
INSIDE = 4
LONGEST_LIFE = 0.08  # seconds under load: a few dozen records


async def _reject(port: int, seen: set[str]) -> None:
    """Join again and again on one connection, until it breaks; note every receipt that arrives whole."""
    with contextlib.suppress(OSError, asyncio.IncompleteReadError):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(CN, 0))
        try:
            while True:
                writer.write(b"GET /meetings/m-1/join?user=u HTTP/1.1\r\nHost: a\r\n\r\n")
                head = await reader.readuntil(b"\r\n\r\n")
                size = re.search(rb"Content-Length: (\d+)", head)
                assert size is not None
                body = await reader.readexactly(int(size[1]))
                seen.add(orjson.loads(body)["receipt"])
        finally:
            writer.transport.abort()


async def _stay(port: int, seen: set[str]) -> None:
    """Be inside until the end, and note the receipt if it comes with a reason."""
    with contextlib.suppress(OSError, asyncio.IncompleteReadError):
        inside = await connect("127.0.0.1", port, "/meetings/m-2/join?user=u", local_addr=CN)
        if isinstance(inside, Connected):
            try:
                _, reason = await inside.recv_close()
                seen.add(reason.rpartition("receipt ")[2])
            finally:
                inside.abort()


async def _one_life(gate: Served, seen: set[str], chance: random.Random) -> None:
    before = len(seen)
    staying = [asyncio.create_task(_stay(gate.port, seen)) for _ in range(INSIDE)]
    await gate.status_when(lambda status: status["participants"] == INSIDE)
    rejecting = [asyncio.create_task(_reject(gate.port, seen)) for _ in range(CONNECTIONS)]
    await until(lambda: len(seen) > before or any(each.done() for each in rejecting))  # the load is on
    gate.folder.write("second.toml", order("o-2", ["m-2"]))
    gate.sighup()
    await asyncio.sleep(chance.uniform(0, LONGEST_LIFE))
    gate.signal(signal.SIGKILL)
    await asyncio.gather(*staying, *rejecting)
    assert await gate.ended() == -signal.SIGKILL
    gate.folder.remove("second.toml")


async def test_whatever_was_seen_is_on_record_however_often_it_is_killed(tmp_path: Path, demo_mmdb: Path) -> None:
    chance = random.Random(20200604)
    seen: set[str] = set()
    async with RoomRelay() as relay:
        folder = Folder(tmp_path, demo_mmdb, upstream_port=relay.port)
        folder.write("order.toml", order("o-1", ["m-1"]))
        for _ in range(KILLS):
            async with Served(folder) as gate:
                await _one_life(gate, seen, chance)
        async with Served(folder) as gate:  # and once more, to end as it should
            gate.process.terminate()
            assert await gate.ended() == 0
    ledger = tmp_path / "ledger"
    recorded = receipts(ledger)
    assert len(seen) > KILLS
    assert {commitment(code) for code in seen} <= set(recorded)
    assert len(recorded) == len(set(recorded))
    assert [entry.seq for entry in entries(ledger)] == list(range(len(entries(ledger))))
    done = run("ledger", "verify", "--ledger", ledger)
    assert done.returncode == 0, done.stdout + done.stderr
