"""What happens to the gate itself: storms of signals, a worker killed, no descriptors left, a clock that is set."""

import asyncio
import contextlib
import os
import random
import signal
import sys
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Final

from joingate.workers.keeping import YOUNG
from tests.edges.served import CN, Folder, limited, order, until_true
from tests.edges.worker_processes import workers_of
from tests.reliability.clients import Client, connect, crowd
from tests.reliability.scenario import Scenario
from tests.reliability.stage import Stage

DESCRIPTORS: Final = 256
LOADING: Final = 8
"""Clients who ask and ask."""
SURVIVOR: Final = 1
"""The worker that is not killed."""


async def _ask_until(stage: Stage, done: asyncio.Event, path: bytes) -> None:
    """Ask again and again on connections of one's own, and note what comes, an answer that is not whole above all."""
    while not done.is_set():
        try:
            client = await connect(stage)
        except OSError:
            stage.saw("no connection")
            await asyncio.sleep(0.01)
            continue
        with contextlib.suppress(OSError):
            while not done.is_set():
                client.send(b"GET %b HTTP/1.1\r\nHost: a\r\n\r\n" % path)
                status, head = await client.answer()
                stage.saw(status)
                if status != "200":
                    break
                stage.expect(await client.reader.read(6) == b"hello\n", "an answer was cut short")
                if b"connection: close" in head.lower():
                    break
        client.writer.transport.abort()


@contextlib.asynccontextmanager
async def _load(stage: Stage, clients: int = LOADING) -> AsyncIterator[None]:
    done = asyncio.Event()
    asking = [asyncio.ensure_future(_ask_until(stage, done, b"/hello")) for _ in range(clients)]
    try:
        yield
    finally:
        done.set()
        await asyncio.gather(*asking)


async def hangups(stage: Stage, times: int) -> None:
    """Send SIGHUP again and again under load, with other rules each time: the last ones count."""
    gate = stage.gate
    target = await gate.join("storm", CN)
    chance = random.Random(1000)
    async with _load(stage):
        for number in range(times):
            gate.folder.write("storm.toml", order(f"other-{number}", ["nobody-is-here"]))
            gate.sighup()
            await asyncio.sleep(chance.uniform(0, 0.02))
        gate.folder.write("storm.toml", order("last", ["storm"]))
        gate.sighup()
        async with limited():
            code, reason = await target.recv_close()
    stage.expect((code, reason[:16]) == (4451, "legal order last"), f"closed with {code} {reason}")
    reloads = (await stage.status())["reloads"]
    stage.expect(reloads["failed"] == 0, "a reload failed")
    stage.result.figures.append(f"{reloads['succeeded']} reloads")
    stage.only("200")


async def terminate(stage: Stage, times: int) -> None:
    """Send SIGTERM under load."""
    asking = asyncio.Event()
    tasks = [asyncio.ensure_future(_ask_until(stage, asking, b"/hello")) for _ in range(times)]
    await asyncio.sleep(0.5)
    stage.gate.signal(signal.SIGTERM)
    stage.expect(await stage.gate.ended() == 0, "exit status other than 0")
    asking.set()
    await asyncio.gather(*tasks)
    # A connection that ends before its next request, or is not accepted any more, has lost nothing.
    stage.only("200", "closed", "reset", "503", "no connection")


async def descriptors(stage: Stage, times: int) -> None:
    """Take more connections than the gate has descriptors for, each with a request."""
    request = b"GET /silent HTTP/1.1\r\nHost: a\r\n\r\n"
    for _ in range(times):
        opened: list[Client] = []
        async with crowd(stage, 2 * DESCRIPTORS, lambda client: client.send(request)) as clients:
            opened += clients
            await asyncio.sleep(0.2)
            for status in await asyncio.gather(*(client.status() for client in clients)):
                stage.saw(status)
        await stage.alone()
    # So many are told in full; behind that the kernel drops what was still being sent, and an answer with it.
    stage.only("503", "504", "closed", "reset")
    stage.expect(stage.result.seen["503"] > stage.result.seen["reset"], "most did not read why")
    stage.expect(stage.result.seen["503"] > 0, "it was never full")


async def kills(stage: Stage, times: int) -> None:
    """Kill one of two workers under load, and wait until another serves in its place."""
    longest, survivor = 0.0, workers_of(stage.gate)[SURVIVOR]
    async with _load(stage):
        for number in range(times):
            if number:
                await asyncio.sleep(YOUNG)  # who goes young again and again is not replaced at once
            (killed,) = set(workers_of(stage.gate)) - {survivor}
            began = time.monotonic()
            os.kill(killed, signal.SIGKILL)

            async def is_back(restarts: int = number + 1) -> bool:
                workers = (await stage.status())["workers"]
                return (sum(each["restarts"] for each in workers), {each["state"] for each in workers}) == (
                    restarts,
                    {"serving"},
                )

            await until_true(is_back)
            longest = max(longest, time.monotonic() - began)
    stage.result.figures.append(f"back after {longest:.2f} s at most")
    stage.only("200", "closed", "closed in a head", "reset")
    lost = stage.result.seen.total() - stage.result.seen["200"]
    stage.expect(lost <= LOADING * times, f"{lost} lost their connection")


async def clock(stage: Stage, times: int) -> None:
    """Set the gate's clock 18 hours ahead, past the end of one order and into the time of another, and back."""
    gate = stage.gate
    now = datetime.now(UTC)
    earlier = order("earlier", ["earlier"], closes=now + timedelta(hours=6))
    later = order("later", ["later"], opens=now + timedelta(hours=12), closes=now + timedelta(days=2))
    gate.folder.write("both.toml", earlier + later)
    await gate.reloaded()
    stage.expect(await gate.rejected("earlier", CN) == 451, "an order in force is not carried out")
    for number in range(times):
        ahead = number % 2 == 0
        set_clock(gate.folder, 64_800 if ahead else 0)
        await gate.join("earlier", CN)  # once its end is on record, the order is over for good
        if ahead:
            stage.saw(f"{await gate.rejected('later', CN)} ahead")
        else:
            await gate.join("later", CN)
            stage.saw("101 back")
    set_clock(gate.folder, -64_800)
    await gate.join("later", CN)
    set_clock(gate.folder, 0)
    await gate.ledger_says("")
    stage.only("451 ahead", "101 back")


def set_clock(folder: Folder, seconds: int) -> None:
    """Set the clock of the gate that runs there."""
    beside = folder.path / "clock.new"
    beside.write_text(str(seconds))
    beside.replace(folder.path / "clock")


PROCESS: Final = (
    Scenario(
        "SIGHUP, again and again, each with other rules, under load",
        "no answer but 200; the last rules are in force; only whom they mean is ejected",
        hangups,
        20,
        1000,
    ),
    Scenario(
        "SIGTERM under load",
        "every answer that was begun is whole, WebSockets get 1001, exit status 0",
        terminate,
        8,
        64,
        ends=True,
    ),
    Scenario(
        "a worker killed under load, of two",
        "those whose connections it had lose them, and nobody else anything; another serves in its place",
        kills,
        1,
        10,
        gate="workers = 2\n",
        survives=SURVIVOR,
    ),
    Scenario(
        f"more connections than file descriptors ({DESCRIPTORS})",
        "503 for those too many, an end without a word where even those are too many; nobody inside notices; room "
        "again afterwards",
        descriptors,
        1,
        10,
        under=("prlimit", f"--nofile={DESCRIPTORS}"),
        upstream="response_timeout = 1.0\n",
    ),
    Scenario(
        "the clock set 18 hours ahead, and back",
        "who joins is judged by the clock as it is, but an order that has ended stays so; the ledger verifies",
        clock,
        2,
        40,
        prepare=lambda folder: set_clock(folder, 0),
        under=(sys.executable, "-m", "tests.reliability.set_clock", "FOLDER/clock"),
    ),
)
