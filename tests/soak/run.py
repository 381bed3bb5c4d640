"""One run: everything is started, loaded, wound down, counted, and stopped, whatever happens."""

import asyncio
import contextlib
import random
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from bench.circumstances import minute_now, this_machine

from tests.edges.served import Folder, Served, run, until_true
from tests.soak.account import Account, Row
from tests.soak.answers import GRACE, World
from tests.soak.changes import RULES_FILE, Schedule
from tests.soak.joins import KEPT_CONNECTIONS, NEW_AT_ONCE, join_anew, keep_joining
from tests.soak.meeting_server import FaultyServer
from tests.soak.nuisances import be_a_nuisance, read_slowly
from tests.soak.oracle import Timeline
from tests.soak.places import Places
from tests.soak.process import Sample, judge, keep_looking, look, open_files
from tests.soak.rulebook import Rulebook, authorities_text
from tests.soak.visitors import Population, databases
from tests.soak.visits import COMING_AND_GOING, STAYING, Visit, attend

GATE = 'trusted_proxies = ["127.0.0.1"]\nclient_ip_from = "x-forwarded-for"\nclose_timeout = 2\n'
SERVER = """\
idle_timeout = 2
[[join]]
path = "/meetings/{meeting}/join"
participant = "query:user"
"""
_GATE_FAILED = (OSError, aiohttp.ClientError, AssertionError)
"""What the load meets when the gate's process is gone, or has not done within a minute what it was asked for."""
AUDIT_EVERY = 1.0  # seconds
CENSUS_EVERY = 10  # audits


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for."""

    minutes: float
    seed: int
    is_steady: bool


async def soak(options: Options, samples: list[Sample]) -> Account:
    """Run, and return what was tried and what was lost; the process's series goes to `samples`."""
    account = Account()
    stop = asyncio.Event()
    with _stopped_by_signals(stop), tempfile.TemporaryDirectory(prefix="joingate-soak-") as temporary:
        path = Path(temporary)
        (path / "gate").mkdir()
        first, second = (Places(each) for each in databases(path))
        book = Rulebook(random.Random(f"rules {options.seed}"), time.time())
        async with FaultyServer() as server:
            folder = Folder(path / "gate", first.path, upstream_port=server.port, server=SERVER, gate=GATE)
            folder.write("authorities.toml", authorities_text())
            folder.write(RULES_FILE, book.text())
            timeline = Timeline(book.rule_set(), first, time.time())
            drawn = random.Random(f"load {options.seed}")
            async with Served(folder) as gate:
                population = Population(drawn)
                world = World(gate.port, timeline, server, drawn, account, population, options.is_steady)
                schedule = Schedule(options.seed, world, gate, book, (first, second))
                account.note_tried(Row.PROCESS)
                try:
                    await _load(options.minutes, world, gate, schedule, stop=stop, samples=samples)
                except* _GATE_FAILED as failed:  # it is gone, or does nothing any more: the table so far says so
                    first_failure = failed.exceptions[0]
                    account.note_lost(Row.PROCESS, f"status {gate.process.poll()}, {first_failure!r}")
                await _end_gate(gate, world)
    judge(samples, account)
    return account


async def _end_gate(gate: Served, world: World) -> None:
    """Stop the gate as an operator does, and look at what it leaves behind."""
    account, ledger = world.account, gate.folder.path / "ledger"
    if gate.process.poll() is None:
        gate.process.terminate()
    if (status := await gate.ended()) != 0:
        account.note_lost(Row.PROCESS, f"it ended with status {status}")
    for line in gate.log().splitlines():
        if "Traceback" in line or "defect" in line:
            account.note_lost(Row.PROCESS, f"the log says: {line}")
    account.note_tried(Row.LEDGER)
    done = await asyncio.to_thread(run, "ledger", "verify", "--ledger", ledger)
    if done.returncode:
        account.note_lost(Row.LEDGER, done.stdout + done.stderr)
    world.receipts.compare(ledger, account)


async def _load(
    minutes: float, world: World, gate: Served, schedule: Schedule, *, stop: asyncio.Event, samples: list[Sample]
) -> None:
    """Load the gate until it is time or somebody says stop; then let everybody leave, and look at what is left."""
    before = await _at_rest(gate)
    open_before = open_files(gate.process.pid)
    visits: set[Visit] = set()
    began = time.monotonic()
    looking = asyncio.ensure_future(keep_looking(gate.process.pid, samples))
    try:
        async with asyncio.TaskGroup() as group:
            load = [keep_joining(world, place) for place in range(KEPT_CONNECTIONS)]
            load += [join_anew(world, place) for place in range(NEW_AT_ONCE)]
            load += [attend(world, visits, stays=False) for _ in range(COMING_AND_GOING)]
            load += [attend(world, visits, stays=True) for _ in range(STAYING)]
            if not world.is_steady:
                load += [schedule.run(), be_a_nuisance(world), read_slowly(world, 0), read_slowly(world, 3)]
            for each in load:
                group.create_task(each)
            group.create_task(_watch(minutes, world, gate, visits, stop))
    finally:
        looking.cancel()
    world.account.notes.append(f"{(time.monotonic() - began) / 60:.1f} minutes of load, its end included")
    await asyncio.sleep(GRACE)  # who left at the end may still be counted as unseen
    await _compare_at_rest(world, gate, before, open_before, len(samples))


async def _watch(minutes: float, world: World, gate: Served, visits: set[Visit], stop: asyncio.Event) -> None:
    """Hold those inside against the rules each second, say each minute how it goes, and end the load in time."""
    began, said, audits = time.monotonic(), -1, 0
    while not stop.is_set() and (passed := (time.monotonic() - began) / 60) < minutes:
        if int(passed) > said:
            said = int(passed)
            joins = sum(world.account.tried[row] for row in (Row.KEPT, Row.NEW, Row.WEBSOCKET))
            lost = world.account.lost.total()
            sys.stderr.write(f"minute {said} of {minutes:g}: {joins:,} joins, {len(visits)} inside, {lost} lost\n")
        now = time.time()
        for place, visit in enumerate(tuple(visits)):
            visit.audit(now)
            if place % 32 == 0:
                await asyncio.sleep(0)
        audits += 1
        if audits % CENSUS_EVERY == 0:
            await _count_inside(world, gate, visits)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(AUDIT_EVERY):
                await stop.wait()
    world.is_over = True


async def _count_inside(world: World, gate: Served, visits: set[Visit]) -> None:
    """See that nobody is inside unseen: whoever is inside before and after the count must be in it (G6)."""
    async with world.asking:
        before = {visit for visit in visits if visit.is_inside}
        counted = (await gate.status())["participants"]
    known = sum(visit in visits and visit.is_inside for visit in before)
    world.account.note_tried(Row.CENSUS)
    if counted < known:
        world.account.note_lost(Row.CENSUS, f"{counted} are counted, and {known} are inside")


async def _at_rest(gate: Served) -> Sample:
    status = await gate.status()
    assert (status["participants"], status["connections"]) == (0, 0), status
    return look(gate.process.pid, 0.0)


async def _compare_at_rest(world: World, gate: Served, before: Sample, open_before: str, looks: int) -> None:
    """See that the gate has nobody and holds nothing any more."""
    account = world.account
    account.note_tried(Row.CENSUS)
    account.note_tried(Row.DESCRIPTORS, looks)
    for stranger in world.server.strangers:
        account.note_lost(Row.MALFORMED, f"the meeting server has seen {stranger!r}")

    async def has_nobody() -> bool:
        status = await gate.status()
        return not any(status[key] for key in ("participants", "meetings", "connections", "idle_upstream_connections"))

    async def has_closed_all() -> bool:
        await gate.status()  # on the admin connection that was open before, or on one in its place
        return look(gate.process.pid, 0.0).descriptors <= before.descriptors

    try:
        await until_true(has_nobody)
    except AssertionError:
        status = await gate.status()
        left = {key: status[key] for key in ("participants", "meetings", "connections", "idle_upstream_connections")}
        account.note_lost(Row.CENSUS, f"everybody has left, and the status has {left}")
    try:
        await until_true(has_closed_all)
    except AssertionError:
        open_now = open_files(gate.process.pid)
        account.note_lost(Row.DESCRIPTORS, f"before the load: {open_before}; when everybody had left: {open_now}")


def about(options: Options) -> list[str]:
    """Say what was run, when, and where."""
    kind = "constant load, no changes" if options.is_steady else "mixed load, changes and faults"
    return [f"{kind}; seed {options.seed}", f"{minute_now()}, {this_machine()}"]


@contextlib.contextmanager
def _stopped_by_signals(stop: asyncio.Event) -> Iterator[None]:
    """Let the first Ctrl-C end the load and bring the table; a second one ends everything at once."""
    loop = asyncio.get_running_loop()
    numbers = signal.SIGINT, signal.SIGTERM

    def forget() -> None:
        for number in numbers:
            loop.remove_signal_handler(number)

    def first() -> None:
        stop.set()
        forget()

    for number in numbers:
        loop.add_signal_handler(number, first)
    try:
        yield
    finally:
        forget()
