"""B5: what do `locate` and `decide` cost in process, and does it grow with the number of rules?

    python -m bench.judging [--rounds 15] [--most 1000000]

10 to 1,000,000 orders, one for each meeting. Joins of 1,000 meetings spread over all of them, from 1,000 addresses,
half of them to meetings that no rule names: so that a larger rule set is also colder in the processor's caches, as it
is in the gate. Time is the thread's own. The peer is maxminddb's look-up alone in the database as it is published, the
same addresses, in the same round; the gate makes itself a smaller one, so it can be below that.
"""

import argparse
import gc
import os
import random
import statistics
import sys
import tempfile
import time
from datetime import date
from ipaddress import IPv4Address
from pathlib import Path

import maxminddb

from bench.processes import PROXY_CPU
from bench.record import Notebook, Plot
from bench.side_by_side import parser_of, quickly, run, say
from bench.stage import build_database
from joingate.core.decision import decide
from joingate.core.model import Address, Join
from joingate.core.rule_set import RuleSet
from joingate.core.rules import Action, Authority, Order
from joingate.core.territory import Territory
from joingate.geodb.atlas import Atlas
from joingate.geodb.load import load_atlas

LIMIT = 2.0  # microseconds
GROWTH = 1.2
JOINS = 1000
REPEATS = 20


def main() -> int:
    """Measure; see `bench.side_by_side` for the exit status."""
    parser = parser_of(__doc__, rounds=15)
    parser.add_argument("--most", type=int, default=1_000_000, help="rules in the largest set")
    return run(parser, _measure)


def _measure(chosen: argparse.Namespace, notebook: Notebook) -> None:
    quickly(chosen, rounds=6, most=10_000)
    os.sched_setaffinity(0, {int(PROXY_CPU)})
    counts = [10**power for power in range(1, 10) if 10**power <= chosen.most]
    with tempfile.TemporaryDirectory() as folder:
        database = build_database(Path(folder) / "demo.mmdb")
        atlas = load_atlas([database], 0, None)
        sets = {}
        for count in counts:
            say(f"building {count:,} rules")
            sets[count] = rules_of(count)
        gc.freeze()  # as the gate does
        rounds = [_round(atlas, database, sets) for _ in range(chosen.rounds)]
    costs = {count: [each[0][count] for each in rounds] for count in counts}
    bare = [each[1] for each in rounds]
    for count in (counts[0], counts[-1]):
        notebook.compare(
            *(f"B5, {count:,} rules, beside the look-up", "locate + decide", "us", costs[count], bare),
            peer_name="maxminddb alone",
        )
        notebook.hold(f"B5, {count:,} rules", "locate + decide", "us", costs[count], limit=LIMIT)
    notebook.compare(
        *("B5, growth", f"locate + decide with {counts[-1]:,} rules", "us", costs[counts[-1]], costs[counts[0]]),
        peer_name=f"with {counts[0]:,}",
        limit=GROWTH,
    )
    lines = {
        "locate + decide": [(float(count), statistics.median(costs[count])) for count in counts],
        "maxminddb alone": [(float(count), statistics.median(bare)) for count in counts],
    }
    notebook.plot(Plot("rules", "Cost of a judgement against the number of rules", "rules", "us", lines, log_x=True))


def rules_of(count: int) -> RuleSet:
    """Return so many orders, one for each meeting, in force and closed to CN."""
    territory: Territory = frozenset(("CN",))
    authority = Authority("cac", "An authority", "regulator", territory)
    received, window = date(2026, 1, 1), (0.0, 4e9)
    return RuleSet(
        Order(
            *(f"order-m{number:07}", authority, territory, (f"m{number:07}",), Action.EJECT),
            *("Benchmark Act, section 1", "none", received, *window),
        )
        for number in range(count)
    )


def _round(atlas: Atlas, database: Path, sets: dict[int, RuleSet]) -> tuple[dict[int, float], float]:
    """Return microseconds for each rule set, and for the look-up alone."""
    drawn = random.Random(20200604)
    addresses = [IPv4Address(f"10.{drawn.choice((1, 33, 44, 49, 81))}.{drawn.randrange(256)}.9") for _ in range(JOINS)]
    costs = {}
    for count, rules in sets.items():
        # Below `count` an order names the meeting, above it none does.
        joins = [Join(f"m{drawn.randrange(2 * count):07}", "u") for _ in range(JOINS)]
        costs[count] = _judge(atlas, rules, joins, addresses)
    with maxminddb.open_database(database, maxminddb.MODE_MMAP_EXT) as reader:
        began = time.thread_time_ns()
        for _ in range(REPEATS):
            for address in addresses:
                reader.get(address)
        bare = time.thread_time_ns() - began
    return costs, bare / (REPEATS * JOINS) / 1000


def _judge(atlas: Atlas, rules: RuleSet, joins: list[Join], addresses: list[IPv4Address]) -> float:
    asked: list[tuple[Join, Address]] = list(zip(joins, addresses, strict=True))
    locate, now = atlas.locate, time.time()
    began = time.thread_time_ns()
    for _ in range(REPEATS):
        for join, address in asked:
            decide(join, locate(address, now), rules, now)
    return (time.thread_time_ns() - began) / (REPEATS * JOINS) / 1000


if __name__ == "__main__":
    sys.exit(main())
