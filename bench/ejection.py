"""B6: how long does it take to eject those an order means, each on record, and does anybody else notice?

    python -m bench.ejection [--rounds 9] [--sockets 9000] [--rules 1000]

Two cases: everybody in a meeting of 9,000 is where the order says, and 90 of them are. The order is put among the rules
and the gate gets a SIGHUP; the clock runs from the signal to the end of the last connection meant, so reading all rules
anew is part of it. Beside it a pair of protocols that closes as many on SIGHUP, and does nothing else. The client has
to answer and end each of them, on one processor together with the meeting server, and may be what takes longest: hence
the gate's own CPU beside it. Collateral closes are connections that end and were not meant, in that meeting or
elsewhere. Beside them `bench.bystanders` exchange messages, and what these take meanwhile is held against what they
took before.
"""

import argparse
import asyncio
import contextlib
import json
import math
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import uvloop

from bench.open_loop import percentile
from bench.processes import OTHER_CPU, NotMeasuredError, be_the_client, cpu_seconds
from bench.record import Notebook, Plot
from bench.side_by_side import parser_of, quickly, run, say
from bench.sockets import Socket, handshake, join_all, leave_all
from bench.stage import Proxy, Stage, stage, write_orders

LIMIT = 0.4  # seconds
BARE = (
    0.21  # seconds of a bare pair, where that limit comes from: on another machine it is their proportion that counts
)
STALL = 2.0
MEETING = "town-hall"
BY_ORDER = 4451
STEADY = 1.0
LONGEST = 30.0


@dataclass(slots=True)
class Ejected:
    """What one round saw. Times in seconds since the signal, which is by the monotonic clock."""

    signalled: float = math.inf
    ends: list[float] = field(default_factory=list)
    collateral: int = 0
    without_reason: int = 0  # ended without Close 4451
    recorded: int = 0
    cpu: float = 0  # of the gate, from the signal to a little after the last end
    before: list[float] = field(default_factory=list)  # bystanders' messages, sorted
    meanwhile: list[float] = field(default_factory=list)


def main() -> int:
    """Measure; see `bench.side_by_side` for the exit status."""
    parser = parser_of(__doc__, rounds=9)
    parser.add_argument("--sockets", type=int, default=9000)
    parser.add_argument("--rules", type=int, default=1000)
    return run(parser, _measure)


def _measure(chosen: argparse.Namespace, notebook: Notebook) -> None:
    quickly(chosen, rounds=1, sockets=500)
    most = (resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 400) // 2
    if chosen.sockets > most:
        raise NotMeasuredError(f"{chosen.sockets} WebSockets need more file descriptors; at most {most} here")
    be_the_client()
    lines = {}
    for meant in (chosen.sockets, chosen.sockets // 100):
        label = f"{meant:,} of {chosen.sockets:,}"
        rounds, bare = [], []
        for number in range(chosen.rounds):
            say(f"round {number + 1} of {chosen.rounds}: {label}")
            with stage(chosen.rules, echo=True, needs=()) as prepared:
                if meant == chosen.sockets:
                    with prepared.apart():
                        bare.append(uvloop.run(_close_all(prepared.bare_tunnel(), chosen.sockets)))
                rounds.append(_eject(prepared, chosen.sockets, meant))
        _report(notebook, label, meant, rounds)
        if bare:
            ours = [max(each.ends) for each in rounds]
            what = "SIGHUP to the last one closed"
            beside = f"B6, {label}, beside a bare pair"
            notebook.compare(beside, what, "s", ours, bare, peer_name="bare pair", limit=LIMIT / BARE)
        ends = sorted(rounds[-1].ends)
        some = ends[:: max(1, len(ends) // 200)] + ends[-1:]
        lines[label] = [(0.0, 0.0), *((at, 100 * (ends.index(at) + 1) / len(ends)) for at in some)]
    title = "Ejection: who has been closed"
    notebook.plot(Plot("ejection", title, "seconds since SIGHUP", "per cent of those meant", lines))


def _report(notebook: Notebook, label: str, meant: int, rounds: list[Ejected]) -> None:
    name = f"B6, {label}"
    if any(each.recorded != meant for each in rounds):
        raise NotMeasuredError(f"{label}: {[each.recorded for each in rounds]} ejections on record")
    notebook.hold(name, "SIGHUP to the last one closed", "s", [max(each.ends) for each in rounds], limit=LIMIT)
    notebook.hold(
        f"{name}, CPU", "CPU of the gate meanwhile, the bystanders' included", "s", [each.cpu for each in rounds]
    )
    collateral = [float(each.collateral) for each in rounds]
    notebook.hold(f"{name}, collateral", "connections closed that were not meant", "closes", collateral, limit=0)
    unexplained = [float(each.without_reason) for each in rounds]
    notebook.hold(f"{name}, reasons", "ejected without a Close frame that says why", "closes", unexplained, limit=0)
    notebook.compare(
        *(f"{name}, bystanders", "p99 of the bystanders' messages meanwhile", "ms"),
        [percentile(each.meanwhile, 0.99) * 1e3 for each in rounds],
        [percentile(each.before, 0.99) * 1e3 for each in rounds],
        peer_name="before",
        limit=STALL,
    )


def _eject(prepared: Stage, sockets: int, meant: int) -> Ejected:
    gate = prepared.joingate()
    found = Ejected()
    with _bystanders(gate) as bystanders:
        began, signalled, ended = uvloop.run(_run(prepared, gate, sockets, meant, found))
        said, _ = bystanders.communicate("")
    told = json.loads(said)
    found.collateral += told["closed"]
    found.before = sorted(took for due, took in told["messages"] if began <= due < signalled)
    found.meanwhile = sorted(took for due, took in told["messages"] if signalled <= due <= ended)
    if not found.before or not found.meanwhile:
        raise NotMeasuredError("the bystanders have sent nothing")
    return found


@contextlib.contextmanager
def _bystanders(gate: Proxy) -> Iterator["subprocess.Popen[str]"]:
    command = ["taskset", "-c", OTHER_CPU, sys.executable, "-m", "bench.bystanders", str(gate.port)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            if process.stdout is None or process.stdout.readline() != "ready\n":
                raise NotMeasuredError("the bystanders could not join")
            yield process
        finally:
            process.kill()


async def _run(prepared: Stage, gate: Proxy, sockets: int, meant: int, found: Ejected) -> tuple[float, float, float]:
    """Fill the meeting, order, and wait for the last end; return when the quiet, the signal and the end were."""
    requests = [
        handshake(MEETING, at, f"10.{86 if at < meant else 49}.{at >> 8 & 255}.{at & 255}") for at in range(sockets)
    ]
    joined = await join_all(gate.port, requests)
    done = asyncio.Event()
    write_orders(prepared.folder / "rules/town-hall.json", [MEETING])
    before = _records(gate)
    for at, socket in enumerate(joined):
        socket.on_end = _watch(found, meant, done) if at < meant else _collateral(found)
    await asyncio.sleep(0.2)  # the bystanders share this processor, and are not to wait for what was done just now
    began = time.monotonic()
    await asyncio.sleep(STEADY)
    cpu = cpu_seconds(gate.pid)
    signalled = found.signalled = time.monotonic()
    os.kill(gate.pid, signal.SIGHUP)
    try:
        await asyncio.wait_for(done.wait(), LONGEST)
    except TimeoutError:
        raise NotMeasuredError(f"{len(found.ends)} of {meant} were ejected in {LONGEST:.0f} s") from None
    ended = time.monotonic()
    await asyncio.sleep(0.2)  # for whatever else may end
    found.cpu = cpu_seconds(gate.pid) - cpu
    found.recorded = _records(gate) - before
    _leave(joined)
    return began, signalled, ended


async def _close_all(pair: Proxy, sockets: int) -> float:
    """Return the seconds in which a pair of protocols that records nothing closes as many."""
    found = Ejected()
    done = asyncio.Event()
    joined = await join_all(pair.port, [handshake(MEETING, at, "10.86.0.1") for at in range(sockets)])
    for socket in joined:
        socket.on_end = _watch(found, sockets, done)
    found.signalled = time.monotonic()
    os.kill(pair.pid, signal.SIGHUP)
    await asyncio.wait_for(done.wait(), LONGEST)
    return max(found.ends)


def _watch(found: Ejected, meant: int, done: asyncio.Event) -> Any:
    def ended(code: int) -> None:
        found.ends.append(time.monotonic() - found.signalled)
        found.without_reason += code != BY_ORDER
        if len(found.ends) == meant:
            done.set()

    return ended


def _collateral(found: Ejected) -> Any:
    def ended(_: int) -> None:
        found.collateral += 1

    return ended


def _leave(joined: list[Socket]) -> None:
    leave_all([socket for socket in joined if not socket.transport.is_closing()])


def _records(gate: Proxy) -> int:
    """Return how many ejections stand in the ledger's files."""
    files = (gate.folder / "ledger/records").iterdir()
    return sum(file.read_bytes().count(b'"kind":"restriction","action":"eject"') for file in files)


if __name__ == "__main__":
    sys.exit(main())
