"""B10: do two workers do twice the work of one? Joins over keep-alive connections, one worker beside two in one run.

    python -m bench.workers [--rounds 5] [--seconds 3] [--rules 100000]

Throughput from one worker to two can only be seen whole where both have a processor to themselves, and the client and
the meeting server two more. What can be seen on two processors is what a join costs: where two workers need no more CPU
for each than one does, they share nothing that would keep them from 1.8 times the throughput. The throughput is
told beside it.
"""

import argparse
import os
import sys
from functools import partial

from bench.cpu_per_join import join_options
from bench.processes import OTHER_CPU, PROXY_CPU
from bench.record import Notebook
from bench.side_by_side import alternate, quickly, run
from bench.stage import Proxy, stage
from bench.wrk import Load, load

LIMIT = 2 / 1.8
"""CPU per join beside one worker's, at which two processors still do 1.8 times the work of one."""


def main() -> int:
    """Measure; see `bench.side_by_side` for the exit status."""
    return run(join_options(__doc__), _measure)


def _measure(chosen: argparse.Namespace, notebook: Notebook) -> None:
    quickly(chosen, rounds=1, seconds=1, rules=2000)
    with stage(chosen.rules, needs=("nginx", "wrk")) as prepared:
        gates = {
            "one": prepared.joingate("one"),
            "two": prepared.joingate("two", gate="workers = 2", cpus=f"{PROXY_CPU},{OTHER_CPU}"),
        }
        for gate in gates.values():
            load(gate, 1)  # warm up
        rounds = alternate(gates, chosen.rounds, partial(_load, chosen.seconds))
    one, two = rounds["one"], rounds["two"]
    notebook.compare(
        "B10",
        "CPU for a join: 2 workers",
        "us",
        [each.cpu_per_join for each in two],
        [each.cpu_per_join for each in one],
        peer_name="1 worker",
        limit=LIMIT,
    )
    notebook.compare(
        "B10, throughput",
        f"joins a second: 2 workers, with client and meeting server on {os.cpu_count()} processors",
        "/s",
        [each.per_second for each in two],
        [each.per_second for each in one],
        peer_name="1 worker",
    )


def _load(seconds: int, gate: Proxy) -> Load:
    return load(gate, seconds)


if __name__ == "__main__":
    sys.exit(main())
