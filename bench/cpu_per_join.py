"""B1: what does a join cost? CPU per admitted join over keep-alive connections, beside nginx + geoip2 in one run.

    python -m bench.cpu_per_join [--rounds 9] [--seconds 3] [--rules 100000]

Both locate the client named by a trusted proxy, look the meeting up among the same rules, and pass the join on to the
same meeting server over kept connections. The rounds alternate; the figures are medians, and the ratio is taken round
by round. Client and meeting server run on the other processor. The bare pair is no gate: it is what Python, uvloop and
llhttp cost by themselves, with one look-up and nothing understood, refused, counted or written anew.
"""

import argparse
import statistics
import sys
from functools import partial

from bench.record import Notebook
from bench.side_by_side import alternate, parser_of, quickly, run, say
from bench.stage import Proxy, stage
from bench.wrk import Load, load

LIMIT = 1.0


def main() -> int:
    """Measure; see `bench.side_by_side` for the exit status."""
    return run(join_options(__doc__), _measure)


def join_options(doc: str | None) -> argparse.ArgumentParser:
    """Return the options of a measurement with wrk."""
    parser = parser_of(doc, rounds=9)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--rules", type=int, default=100_000)
    return parser


def _measure(chosen: argparse.Namespace, notebook: Notebook) -> None:
    rounds = measure_joins(chosen, new_connections=False)
    report_joins(notebook, "B1", "a join, keep-alive", rounds, LIMIT)


def measure_joins(chosen: argparse.Namespace, *, new_connections: bool) -> dict[str, list[Load]]:
    """Run the load against each proxy in turn."""
    quickly(chosen, rounds=1, seconds=1, rules=2000)
    with stage(chosen.rules) as prepared:
        proxies: dict[str, Proxy] = {"nginx": prepared.nginx(), "joingate": prepared.joingate()}
        if not new_connections:  # it keeps its connections to the meeting server, but has no way to end a client's
            proxies["bare pair"] = prepared.bare_pair()
        if (haproxy := prepared.haproxy()) is not None:
            proxies["haproxy"] = haproxy
        for proxy in proxies.values():
            load(proxy, 1, new_connections=new_connections)  # warm up
            say(f"{proxy.name} is ready")
        return alternate(proxies, chosen.rounds, partial(_load, chosen.seconds, new_connections))


def _load(seconds: int, new_connections: bool, proxy: Proxy) -> Load:
    return load(proxy, seconds, new_connections=new_connections)


def report_joins(notebook: Notebook, name: str, what: str, rounds: dict[str, list[Load]], limit: float) -> None:
    """Print the costs and the throughput of each, and hold every one against nginx; `limit` is joingate's."""
    for proxy, each in rounds.items():
        print(
            f"{proxy:<10} {statistics.median(run.cpu_per_join for run in each):7.1f} us of CPU,"
            f" {statistics.median(run.per_second for run in each):8.0f} joins/s,"
            f" p50 latency {statistics.median(run.median_latency for run in each):6.0f} us"
        )
    costs = {proxy: [run.cpu_per_join for run in each] for proxy, each in rounds.items()}
    for proxy in [other for other in rounds if other not in {"nginx", "joingate"}]:
        label = f"{name}, {proxy}"
        notebook.compare(label, f"CPU for {what}: {proxy}", "us", costs[proxy], costs["nginx"], peer_name="nginx")
    notebook.compare(name, f"CPU for {what}", "us", costs["joingate"], costs["nginx"], peer_name="nginx", limit=limit)


if __name__ == "__main__":
    sys.exit(main())
