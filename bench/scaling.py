"""Does a join cost more the more people are inside, or the more meetings there are?

    python -m bench.scaling [--rounds 15] [--most 9000]

In process: a gate's roster is filled with people, all in one meeting or each in one of their own; then others join and
leave. To be registered, located, judged, counted and let go should cost nobody more for those who are not concerned.
Time is the thread's own.
"""

import argparse
import asyncio
import gc
import os
import statistics
import sys
import time
from ipaddress import IPv4Address

from bench.in_process import ROUTE, Nobody, NoRecorder
from bench.judging import rules_of
from bench.processes import PROXY_CPU
from bench.record import Notebook, Plot
from bench.side_by_side import parser_of, quickly, run
from joingate.codecs.join_request import JoinMatcher
from joingate.core.location import place
from joingate.core.model import Address, Join, Location
from joingate.core.rule_set import RuleSet
from joingate.gate.gate import Gate
from joingate.gate.options import GateOptions

GROWTH = 1.2
RULES = 1000
JOINS = 500
_HERE = place("DE")


def main() -> int:
    """Measure; see `bench.side_by_side` for the exit status."""
    parser = parser_of(__doc__, rounds=15)
    parser.add_argument("--most", type=int, default=9000, help="people inside at most")
    return run(parser, _measure)


def _measure(chosen: argparse.Namespace, notebook: Notebook) -> None:
    quickly(chosen, rounds=6, most=1000)
    os.sched_setaffinity(0, {int(PROXY_CPU)})
    counts = sorted({100, 300, 1000, 3000, chosen.most})
    counts = [count for count in counts if count <= chosen.most]
    rules = rules_of(RULES)
    lines = {}
    for name, is_one_meeting in (("in one meeting", True), ("in a meeting each", False)):
        found = asyncio.run(_rounds(rules, counts, chosen.rounds, is_one_meeting=is_one_meeting))
        notebook.compare(
            *(f"Scaling, {name}", f"join and leave beside {counts[-1]:,} people {name}", "us"),
            *(found[counts[-1]], found[counts[0]]),
            peer_name=f"beside {counts[0]:,}",
            limit=GROWTH,
        )
        lines[name] = [(float(count), statistics.median(found[count])) for count in counts]
    title = "Cost of a join and a leave against the people inside"
    notebook.plot(Plot("people", title, "people inside", "us", lines, log_x=True))


async def _rounds(rules: RuleSet, counts: list[int], rounds: int, *, is_one_meeting: bool) -> dict[int, list[float]]:
    gates = {count: _filled(rules, count, is_one_meeting=is_one_meeting) for count in counts}
    gc.collect()
    gc.freeze()  # as the gate does
    found: dict[int, list[float]] = {count: [] for count in counts}
    for number in range(rounds):
        for count in counts if number % 2 else counts[::-1]:
            found[count].append(_join_and_leave(gates[count]))
    return found


def _filled(rules: RuleSet, count: int, *, is_one_meeting: bool) -> Gate:
    gate = Gate(GateOptions(), JoinMatcher([ROUTE], fold=str), rules, _locate, NoRecorder(), now=lambda: 50.0)
    for number in range(count):
        meeting = "town-hall" if is_one_meeting else f"meeting-{number}"
        gate.judge(Join(meeting, f"u{number}"), IPv4Address(0x0A310000 + number), Nobody())
    return gate


def _join_and_leave(gate: Gate) -> float:
    """Return microseconds for one person, half of them in a meeting that an order names."""
    carrier, address = Nobody(), IPv4Address("10.49.7.7")
    joins = [Join("town-hall" if number % 2 else f"m{number:07}", "u") for number in range(JOINS)]
    began = time.thread_time_ns()
    for join in joins:
        participant, _, _ = gate.judge(join, address, carrier)
        gate.leave(participant)
    return (time.thread_time_ns() - began) / JOINS / 1000


def _locate(address: Address | None, now: float) -> Location:  # noqa: ARG001 - a Locate's signature
    return _HERE


if __name__ == "__main__":
    sys.exit(main())
