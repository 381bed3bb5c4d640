"""Does the ledger cost those who are admitted anything? CPU per admitted join, with the ledger and without, in one run.

    python -m bench.ledger_admissions [--rounds 61] [--seconds 1] [--rules 1000]

Both gates are joingate, on the same rules and database, and the rounds alternate; the one without a ledger
(`peers/no_ledger.py`) has its journal taken out. What is printed is the median of the ratios, taken round by round, and
the interval that holds it with 95 % confidence: the limit is met where the whole interval is below it.
"""

import argparse
import contextlib
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.cpu_per_join import HERE, load, write_rules
from bench.processes import OTHER_CPU, PROXY_CPU, free_port, started
from bench.spread import interval_of_median, verdict

LIMIT = 1.03


def main() -> int:
    """Measure and print; exit status 1 when the limit is passed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=61)
    parser.add_argument("--seconds", type=int, default=1)
    parser.add_argument("--rules", type=int, default=1000)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, _gates(Path(folder), chosen.rules) as (ours, without):
        for gate in (ours, without):
            load(*gate, 1)  # warm up
        pairs = []
        for number in range(chosen.rounds):
            # Who goes first alternates too: a machine that slows down for a while slows both.
            order = (ours, without) if number % 2 else (without, ours)
            costs = {gate: load(*gate, chosen.seconds).cpu_per_join for gate in order}
            pairs.append((costs[ours], costs[without]))
    ratios = sorted(one / other for one, other in pairs)
    ratio = statistics.median(ratios)
    for at, name in enumerate(("with a ledger", "without")):
        each = [pair[at] for pair in pairs]
        print(f"{name:<14} {statistics.median(each):7.1f} us of CPU per join ({min(each):.1f}-{max(each):.1f})")
    low, high = interval_of_median(ratios)
    found = verdict(ratios, LIMIT)
    print(f"ratio {ratio:.3f}, 95 %: {low:.3f}-{high:.3f} (rounds {ratios[0]:.3f}-{ratios[-1]:.3f})")
    print(f"limit {LIMIT}: {found}")
    return found != "met"


@contextlib.contextmanager
def _gates(folder: Path, rules: int) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """Start the meeting server and both gates; yields their ports and process ids."""
    upstream = free_port()
    database = folder / "demo.mmdb"
    subprocess.run(
        [sys.executable, "-m", "joingate", "geodb", "build", HERE.parent / "geodb/demo.csv", database],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    write_rules(folder, rules)
    text = (HERE / "peers" / "upstream.conf").read_text()
    for key, value in {"DIR": folder, "UPSTREAM": upstream, "PORT": upstream}.items():
        text = text.replace(f"@{key}@", str(value))
    (folder / "upstream.conf").write_text(text)
    with contextlib.ExitStack() as stack:

        def start(command: list[str], cpu: str, port: int) -> tuple[int, int]:
            return port, stack.enter_context(started(command, cpu, port, folder / "log"))

        def gate(name: str, *command: str) -> tuple[int, int]:
            port, path = free_port(), folder / f"{name}.toml"
            path.write_text(_settings(port, upstream, database, name))
            return start([sys.executable, *command, str(path)], PROXY_CPU, port)

        start(["nginx", "-c", str(folder / "upstream.conf")], OTHER_CPU, upstream)
        yield gate("ledger", "-m", "joingate", "serve", "-c"), gate("none", str(HERE / "peers/no_ledger.py"))


def _settings(port: int, upstream: int, database: Path, ledger: str) -> str:
    return f"""
        [gate]
        listen = ["127.0.0.1:{port}"]
        trusted_proxies = ["127.0.0.1"]
        client_ip_from = "x-forwarded-for"
        [upstream]
        url = "http://127.0.0.1:{upstream}"
        [[join]]
        path = "/meetings/{{meeting}}/join"
        participant = "query:user"
        [geodb]
        paths = ["{database}"]
        [rules]
        path = "rules"
        [ledger]
        path = "{ledger}"
        [admin]
        listen = "127.0.0.1:{free_port()}"
        """


if __name__ == "__main__":
    sys.exit(main())
