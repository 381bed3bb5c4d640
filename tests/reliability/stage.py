"""A gate of its own for each scenario, a meeting server behind it, and people who talk through it meanwhile.

Whatever the scenario, some promises are the same and are looked at here: nobody who is inside is cut, loses a message
or gets it out of order; whoever an order means is not let in; afterwards a stranger can join and talk; and the log has
no defect. How long messages took is told, not judged: the machine may have other work.
"""

import asyncio
import contextlib
import math
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import orjson
from bench.processes import resident_bytes

from tests.edges.served import DE, GENERIC, Folder, Served, environment, exchange, limited, order, states, until_true
from tests.edges.worker_processes import workers_of
from tests.reliability.bystanders import MEETINGS
from tests.reliability.scenario import Result, Scenario
from tests.ws_client import Connected

ROOT: Final = Path(__file__).parents[2]
BYSTANDERS: Final = 2 * MEETINGS + 2
"""Connections: theirs, and those of whoever tries to join, of which one may have ended a moment ago."""
CALM: Final = 1.0
"""Seconds of talk before a scenario begins, to compare with."""
FOLDER: Final = "FOLDER"
"""In the command under which a gate runs: where its files are."""
SLACK: Final = 8 << 20
"""Bytes that a gate may grow by whatever the number of clients: the allocator's, the loop's and Python's caches."""


class Helper:
    """A process of the scenario's own that obeys lines on its standard input and answers each with one."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def line(self) -> str:
        """Wait for its next line."""
        assert self._process.stdout is not None
        async with limited():
            return (await self._process.stdout.readline()).decode().strip()

    def tell(self, command: str) -> None:
        """Send a line."""
        assert self._process.stdin is not None
        self._process.stdin.write(command.encode() + b"\n")

    async def end(self) -> str:
        """End it, and return what it says last."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        return await self.line()


@contextlib.asynccontextmanager
async def helper(module: str, *arguments: str) -> AsyncIterator[Helper]:
    """Run a module of this package until the block ends."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module, *arguments),
        cwd=ROOT,
        env=environment(PYTHONPATH=f"{ROOT / 'src'}"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=1 << 26,
    )
    try:
        yield Helper(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


class Stage:
    """What a scenario works with.

    Attributes:
        gate: the serving gate.
        server: the meeting server.
        bystanders: the people inside.
        result: what came of it so far.
        state: what the gate has to call itself afterwards.
    """

    def __init__(self, gate: Served, server: Helper, bystanders: Helper, result: Result) -> None:
        self.gate = gate
        self.server = server
        self.bystanders = bystanders
        self.result = result
        self.state = "serving"
        self._before = 0

    def saw(self, what: str, times: int = 1) -> None:
        """Note what a client saw."""
        self.result.seen[what] += times

    def expect(self, is_so: bool, otherwise: str) -> None:
        """Note a promise that was not kept."""
        if not is_so:
            self.result.broken.append(otherwise)

    def only(self, *allowed: str) -> None:
        """Expect that clients saw nothing else."""
        self.expect(not (others := set(self.result.seen) - set(allowed)), f"seen: {', '.join(sorted(others))}")

    def weigh(self) -> None:
        """Remember how much memory the gate has."""
        self._before = resident_bytes(self.gate.process.pid)

    def grew_at_most(self, each: int, clients: int) -> None:
        """Expect that the gate has grown by no more than `each` bytes for each of so many clients, and the slack."""
        grown = resident_bytes(self.gate.process.pid) - self._before
        self.result.figures.append(f"memory +{grown / (1 << 20):.1f} MiB (bound {each * clients + SLACK >> 20} MiB)")
        self.expect(grown <= each * clients + SLACK, f"it grew by {grown} bytes for {clients} clients")

    async def status(self) -> dict[str, Any]:
        """Return the gate's status."""
        return await self.gate.status()

    async def alone(self) -> None:
        """Wait until nobody is connected but the bystanders."""

        async def are_gone() -> bool:
            return int((await self.status())["connections"]) <= BYSTANDERS

        await until_true(are_gone)

    async def _aftermath(self) -> None:
        """See that strangers can join and talk as before."""

        async def can_join() -> bool:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                return isinstance(await self.gate.knock("after", DE), Connected)
            return False

        await until_true(can_join)
        guests = [await self.gate.join("afterwards", DE, name) for name in ("a", "b")]
        await exchange(guests[0], guests, "as before")
        status = await self.gate.status_when(lambda status: "silent" not in states(status))
        self.expect(status["state"] == self.state, f"the gate is not {self.state} afterwards")

    async def conclude(self, *, ends: bool) -> None:
        """See to what every scenario promises."""
        if not ends:
            await self._aftermath()
        heard = orjson.loads(await self.bystanders.end())
        doors: dict[str, int] = heard["doors"]
        for fault in heard["faults"]:
            self.result.broken.append(f"somebody else: {fault}")
        for how in heard["ended"]:
            self.expect(ends and how == "1001", f"somebody else's connection ended ({how})")
        let_in = set(doors) - {"451", "503", "no connection", "no answer"}
        self.expect(not let_in, f"somebody who may not join was answered {', '.join(sorted(let_in))}")
        self.expect(doors.get("451", 0) > 0, "nobody was rejected")
        log = self.gate.log()
        self.expect("Traceback" not in log and "defect" not in log, "the log has a defect")
        self.result.figures.append(_compared(heard["latencies"]))


def _compared(latencies: dict[str, list[float]]) -> str:
    before, during = (sorted(latencies.get(name, [])) for name in ("before", "during"))
    if not before or not during:
        return "no messages to compare"
    p99 = [each[math.ceil(0.99 * len(each)) - 1] for each in (before, during)]
    return f"others' p99 x{p99[1] / p99[0]:.1f} over {len(during)} messages"


def _survivor(scenario: Scenario, gate: Served) -> list[str]:
    return [] if scenario.survives is None else [str(workers_of(gate)[scenario.survives])]


async def carry_out(scenario: Scenario, times: int, path: Path, database: Path) -> Result:
    """Do a scenario in an empty folder."""
    result = Result(skipped=scenario.unmet())
    if result.skipped is not None:
        return result
    async with helper("tests.reliability.meeting_server") as server:
        folder = Folder(
            path,
            database,
            upstream_port=int(await server.line()),
            gate=scenario.gate,
            server=scenario.upstream + GENERIC,
        )
        folder.write("ordered.toml", order("cac-1", ["ordered"]))
        scenario.prepare(folder)
        async with (
            Served(folder, under=[each.replace(FOLDER, str(path)) for each in scenario.under]) as gate,
            helper("tests.reliability.bystanders", str(gate.port), *_survivor(scenario, gate)) as bystanders,
        ):
            assert await bystanders.line() == "ready"
            await asyncio.sleep(CALM)
            stage = Stage(gate, server, bystanders, result)
            bystanders.tell("during")
            stage.weigh()
            try:
                await scenario.run(stage, times)
                result.tried = times
                await stage.conclude(ends=scenario.ends)
            except (AssertionError, TimeoutError) as error:
                result.broken.append(f"stopped: {str(error) or type(error).__name__}")
    return result
