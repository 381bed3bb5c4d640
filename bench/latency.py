"""B8: how much latency does the proxy add at half load? p50, p99 and p99.9 over a direct connection, beside others.

    python -m bench.latency [--rounds 5] [--seconds 3] [--rules 100000]

Half load is half of what the slowest proxy of this run can carry, the same rate for everyone, asked for in an open loop
(`bench.open_loop`). What is added is taken round by round: the percentile through the proxy less the percentile direct.
The target is met where joingate adds no more than nginx, so the verdict is on the difference of the two.
"""

import argparse
import statistics
import sys

from bench.open_loop import OpenLoop, percentile
from bench.processes import NotMeasuredError, be_the_client
from bench.record import NO_TARGET, Notebook, Plot, Result
from bench.side_by_side import alternate, column, parser_of, quickly, run, say
from bench.spread import interval_of_median, verdict
from bench.stage import Proxy, stage
from bench.wrk import load

SHARES = {"p50": 0.5, "p99": 0.99, "p99.9": 0.999}
MOST_PER_SECOND = 4000
"""Joins that the client sends on time; above that it would be the client that is measured."""


def main() -> int:
    """Measure; see `bench.side_by_side` for the exit status."""
    parser = parser_of(__doc__, rounds=5)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--rules", type=int, default=100_000)
    return run(parser, _measure)


def _measure(chosen: argparse.Namespace, notebook: Notebook) -> None:
    quickly(chosen, rounds=1, seconds=1, rules=2000)
    be_the_client()
    with stage(chosen.rules) as prepared:
        proxies = {"nginx": prepared.nginx(), "joingate": prepared.joingate()}
        if (haproxy := prepared.haproxy()) is not None:
            proxies["haproxy"] = haproxy
        rate = min(MOST_PER_SECOND, min(load(proxy, 1).per_second for proxy in proxies.values()) / 2)
        say(f"{rate:.0f} joins per second")
        everyone = {"direct": Proxy("direct", prepared.upstream, 0, prepared.folder), **proxies}
        found = alternate(everyone, chosen.rounds, lambda proxy: _percentiles(proxy, rate, chosen.seconds))
    for at, label in enumerate(SHARES):
        direct = column(found["direct"], at)
        added = {
            name: [through - without for through, without in zip(column(found[name], at), direct, strict=True)]
            for name in proxies
        }
        for name in proxies:
            _compare(notebook, label, name, added)
    ticks = tuple((float(at), label) for at, label in enumerate(SHARES))
    lines = {
        name: [(float(at), statistics.median(column(rounds, at))) for at in range(len(SHARES))]
        for name, rounds in found.items()
    }
    title = f"Latency at {rate:.0f} joins per second"
    notebook.plot(Plot("latency", title, "percentile of the joins", "us", lines, ticks=ticks))


def _percentiles(proxy: Proxy, rate: float, seconds: float) -> tuple[float, ...]:
    """Return the percentiles in microseconds, without the first tenth of the run."""
    warm = seconds / 10
    found = OpenLoop(proxy.port, rate).run(lambda now: now < warm + seconds)
    if found.failed:
        raise NotMeasuredError(f"{proxy.name}: {found.failed} joins failed at {rate:.0f} per second")
    latencies = found.between(warm, warm + seconds)
    return tuple(percentile(latencies, share) * 1e6 for share in SHARES.values())


def _compare(notebook: Notebook, label: str, name: str, added: dict[str, list[float]]) -> None:
    """Hold what `name` adds against what nginx adds."""
    if name == "nginx":
        return
    beyond = [one - other for one, other in zip(added[name], added["nginx"], strict=True)]
    ours, peer = statistics.median(added[name]), statistics.median(added["nginx"])
    ratio = ours / peer if peer > 0 else None  # what is added may drown in the noise of the direct run
    is_ours = name == "joingate"
    notebook.keep(
        Result(
            name=f"B8, {label}" if is_ours else f"B8, {label}, {name}",
            question=f"latency that {name} adds at half load, {label}",
            unit="us",
            ours=ours,
            peer=peer,
            peer_name="nginx",
            ratio=ratio,
            interval=interval_of_median(beyond),
            target="<= 0 us more than nginx" if is_ours else NO_TARGET,
            verdict=verdict(beyond, 0) if is_ours else NO_TARGET,
        )
    )


if __name__ == "__main__":
    sys.exit(main())
