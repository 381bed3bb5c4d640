"""B7: does a join wait while 100,000 rules reload, or while the database swaps? p99 meanwhile beside p99 before.

    python -m bench.reloading [--rounds 5] [--rate 1000] [--rules 100000]

Joins come at a constant rate in an open loop. After a second of quiet the rules' files are changed, all or one that is
added, and SIGHUP is sent; or a newer database takes the old one's place, which the gate looks for. It is over when the
gate's log says so. nginx does both by a reload, which is over when its old worker is gone: a row for comparison.

No join may fail.
"""

import argparse
import os
import signal
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from bench.open_loop import OpenLoop, percentile
from bench.processes import NotMeasuredError, be_the_client, tree
from bench.record import Notebook
from bench.side_by_side import alternate, parser_of, quickly, run
from bench.stage import Proxy, Stage, build_database, stage, write_orders

LIMIT = 2.0
STEADY = 2.0
LONGEST = 40.0
LOOK = 0.01

Change = Callable[[], None]
Measured = tuple[float, float, int, float]
"""p99 before and meanwhile in milliseconds, joins that failed, and the seconds that the change took."""


def main() -> int:
    """Measure; see `bench.side_by_side` for the exit status."""
    parser = parser_of(__doc__, rounds=5)
    parser.add_argument("--rate", type=float, default=1000)
    parser.add_argument("--rules", type=int, default=100_000)
    return run(parser, _measure)


def _measure(chosen: argparse.Namespace, notebook: Notebook) -> None:
    quickly(chosen, rounds=1, rules=2000)
    be_the_client()
    with stage(chosen.rules, needs=("nginx", "geoip2")) as prepared:
        gate = prepared.joingate(geodb="watch_seconds = 0.2")
        nginx = prepared.nginx()
        once = {
            "rules": partial(_round, gate, chosen.rate, partial(_reload_rules, prepared, gate)),
            "one order": partial(_round, gate, chosen.rate, partial(_add_an_order, prepared, gate)),
            "database": partial(_database_round, prepared, gate, chosen.rate),
            "nginx": partial(_round, nginx, chosen.rate, partial(_reload_nginx, nginx)),
        }
        found = alternate(once, chosen.rounds, lambda measure: measure())
    for kind, what in {
        "rules": f"p99 of a join while {chosen.rules:,} rules reload",
        "one order": f"p99 of a join while one order is added to {chosen.rules:,}",
        "database": "p99 of a join while the database swaps",
        "nginx": f"p99 of a join while nginx reloads a map of {chosen.rules:,}",
    }.items():
        limit = None if kind == "nginx" else LIMIT
        steady, meanwhile, failed, took = ([each[at] for each in found[kind]] for at in range(4))
        notebook.compare(f"B7, {kind}", what, "ms", meanwhile, steady, peer_name="before", limit=limit)
        no_failure = None if kind == "nginx" else 0.0
        notebook.hold(f"B7, {kind}, failed", "joins that failed", "joins", failed, limit=no_failure)
        notebook.hold(f"B7, {kind}, took", "the change itself", "s", took)


def _round(proxy: Proxy, rate: float, change: Change) -> Measured:
    """Send joins, change something under them, and go on until half a second after it is done."""
    client = OpenLoop(proxy.port, rate)
    began = time.perf_counter()
    window: list[float] = []

    def work() -> None:
        time.sleep(STEADY)
        window.append(time.perf_counter() - began)
        try:
            change()
        finally:
            window.append(time.perf_counter() - began)

    with ThreadPoolExecutor(1) as beside:
        working = beside.submit(work)
        run = client.run(lambda now: len(window) < 2 or now < window[1] + 0.5)
        working.result()
    first, last = window
    steady, meanwhile = run.between(STEADY / 4, first), run.between(first, last)
    if not steady or not meanwhile:
        raise NotMeasuredError(f"{proxy.name}: no join was answered, before or meanwhile")
    return percentile(steady, 0.99) * 1e3, percentile(meanwhile, 0.99) * 1e3, run.failed, last - first


def _reload_rules(prepared: Stage, gate: Proxy) -> None:
    """Change every file, and add one order, so that all are read, checked and indexed for something."""
    with (prepared.folder / "rules/orders.json").open("a") as orders:
        orders.write("\n")
    _add_an_order(prepared, gate)


def _add_an_order(prepared: Stage, gate: Proxy) -> None:
    """Add one order, in a file of its own: the others are read, and not parsed again."""
    write_orders(prepared.folder / "rules/one-more.json", [f"extra-{time.time_ns()}"])
    _until_logged(gate, "reload by signal", lambda: os.kill(gate.pid, signal.SIGHUP))


def _database_round(prepared: Stage, gate: Proxy, rate: float) -> Measured:
    """Build the newer database before the run: that is not the gate's work."""
    newer = build_database(prepared.folder / "newer.mmdb")
    swap = partial(newer.replace, prepared.database)
    return _round(gate, rate, lambda: _until_logged(gate, "reload by watch", swap))


def _until_logged(gate: Proxy, words: str, act: Callable[[], object]) -> None:
    """Act, and wait until the gate says that it is done."""
    log = gate.folder / "log"
    size = log.stat().st_size
    act()
    deadline = time.monotonic() + LONGEST
    while True:
        with log.open() as file:
            file.seek(size)
            lines = [line for line in file.read().splitlines() if words in line]
        if lines:
            if "ERROR" in lines[-1]:
                raise NotMeasuredError(lines[-1])
            return
        if time.monotonic() > deadline:
            raise NotMeasuredError(f"no {words} in {LONGEST:.0f} s")
        time.sleep(LOOK)


def _reload_nginx(nginx: Proxy) -> None:
    old = set(tree(nginx.pid)) - {nginx.pid}
    os.kill(nginx.pid, signal.SIGHUP)
    deadline = time.monotonic() + LONGEST
    while old & set(tree(nginx.pid)):
        if time.monotonic() > deadline:
            raise NotMeasuredError("nginx's old worker does not go")
        time.sleep(LOOK)


if __name__ == "__main__":
    sys.exit(main())
