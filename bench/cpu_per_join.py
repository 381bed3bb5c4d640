"""What does a join cost? CPU per admitted join over keep-alive connections: joingate beside nginx + geoip2, in one run.

    python -m bench.cpu_per_join [--rounds 5] [--seconds 3] [--rules 100000]

Both locate the client named by a trusted proxy, look the meeting up among the same rules, and pass the join on to the
same meeting server over kept connections. The rounds alternate; the figures are medians, and the ratio is taken round
by round. Client and meeting server run on the other processor. The bare pair is no gate: it is what Python, uvloop and
llhttp cost by themselves, with one look-up and nothing understood, refused, counted or written anew.
"""

import argparse
import contextlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson

from bench.processes import OTHER_CPU, PROXY_CPU, cpu_seconds, free_port, started

HERE = Path(__file__).parent
MODULES = "/usr/lib/nginx/modules"
TARGET = 1.5  # the first issue's limit; DESIGN's B1 is 1.0


@dataclass(frozen=True, slots=True)
class Round:
    """One run of the load against one proxy."""

    joins: int
    cpu: float  # seconds
    wall: float  # seconds
    median_latency: int  # microseconds

    @property
    def cpu_per_join(self) -> float:
        """In microseconds."""
        return self.cpu / self.joins * 1e6


def main() -> int:
    """Measure and print; exit status 1 when the target is missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--rules", type=int, default=100_000)
    chosen = parser.parse_args()
    for needed in ("/usr/sbin/nginx", "/usr/bin/wrk", f"{MODULES}/ngx_http_geoip2_module.so"):
        if not Path(needed).exists():
            raise SystemExit(f"{needed} is missing; install nginx, libnginx-mod-http-geoip2 and wrk")
    with tempfile.TemporaryDirectory() as folder, _proxies(Path(folder), chosen.rules) as proxies:
        rounds: dict[str, list[Round]] = {name: [] for name in proxies}
        for name, (port, pid) in proxies.items():
            load(port, pid, 1)  # warm up
            print(f"{name} is ready", file=sys.stderr)
        for _ in range(chosen.rounds):
            for name, (port, pid) in proxies.items():
                rounds[name].append(load(port, pid, chosen.seconds))
    return _report(rounds)


@contextlib.contextmanager
def _proxies(folder: Path, rules: int) -> Iterator[dict[str, tuple[int, int]]]:
    """Start the meeting server and both proxies; yields (port, process id) by name."""
    upstream, nginx, bare, joingate = (free_port() for _ in range(4))
    database = folder / "demo.mmdb"
    subprocess.run(
        [sys.executable, "-m", "joingate", "geodb", "build", HERE.parent / "geodb/demo.csv", database],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    write_rules(folder, rules)
    values = {"DIR": folder, "MODULES": MODULES, "DATABASE": database, "UPSTREAM": upstream}
    for name, port in (("upstream", upstream), ("nginx", nginx)):
        text = (HERE / "peers" / f"{name}.conf").read_text()
        for key, value in {**values, "PORT": port}.items():
            text = text.replace(f"@{key}@", str(value))
        (folder / f"{name}.conf").write_text(text)
    (folder / "joingate.toml").write_text(
        f"""
        [gate]
        listen = ["127.0.0.1:{joingate}"]
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
        [admin]
        listen = "127.0.0.1:{free_port()}"
        """
    )
    log = folder / "log"
    with contextlib.ExitStack() as stack:

        def start(command: list[str], cpu: str, port: int) -> tuple[int, int]:
            return port, stack.enter_context(started(command, cpu, port, log))

        start(["nginx", "-c", str(folder / "upstream.conf")], OTHER_CPU, upstream)
        yield {
            "nginx": start(["nginx", "-c", str(folder / "nginx.conf")], PROXY_CPU, nginx),
            "bare pair": start(
                [sys.executable, str(HERE / "peers/bare_pair.py"), str(bare), str(upstream), str(database)],
                PROXY_CPU,
                bare,
            ),
            "joingate": start(
                [sys.executable, "-m", "joingate", "serve", "-c", str(folder / "joingate.toml")], PROXY_CPU, joingate
            ),
        }


def write_rules(folder: Path, count: int) -> None:
    """Write the same restrictions for both: meeting m000000 and so on, closed to CN."""
    now = datetime.now(UTC).replace(microsecond=0)
    order = {
        "authority": "cac",
        "action": "eject",
        "legal_basis": "Benchmark Act, section 1",
        "reference": "none",
        "received": (now - timedelta(days=2)).date().isoformat(),
        "from": (now - timedelta(days=1)).isoformat(),
        "until": (now + timedelta(days=30)).isoformat(),
    }
    rules = folder / "rules"
    rules.mkdir()
    (rules / "authorities.toml").write_text(
        '[authority.cac]\nname = "An authority"\nbranch = "regulator"\nterritory = ["CN"]\n'
    )
    meetings = [f"m{number:06}" for number in range(count)]
    orders = [{**order, "id": f"order-{meeting}", "meetings": [meeting]} for meeting in meetings]
    (rules / "orders.json").write_bytes(orjson.dumps({"order": orders}))
    (folder / "restricted.map").write_text("".join(f'"{meeting}:CN" 1;\n' for meeting in meetings))


def load(port: int, pid: int, seconds: int) -> Round:
    """Ask for joins as fast as one client can, for so many seconds."""
    before, began = cpu_seconds(pid), time.monotonic()
    wrk = ["wrk", "-t1", "-c32", f"-d{seconds}s", "-s", str(HERE / "joins.lua"), f"http://127.0.0.1:{port}"]
    output = subprocess.run(["taskset", "-c", OTHER_CPU, *wrk], check=True, capture_output=True, text=True).stdout
    cpu, wall = cpu_seconds(pid) - before, time.monotonic() - began
    joins, refused, failed, median = map(int, output.rpartition("RESULT ")[2].split())
    if refused or failed:
        raise SystemExit(f"{refused} joins were not admitted and {failed} failed: the run measures something else")
    return Round(joins, cpu, wall, median)


def _report(rounds: dict[str, list[Round]]) -> int:
    print(f"{'proxy':<10} {'CPU us/join':>18} {'joins/s':>10} {'p50 latency us':>15}")
    for name, each in rounds.items():
        costs = sorted(run.cpu_per_join for run in each)
        print(
            f"{name:<10} {statistics.median(costs):7.1f} ({costs[0]:.1f}-{costs[-1]:.1f})"
            f" {statistics.median(run.joins / run.wall for run in each):10.0f}"
            f" {statistics.median(run.median_latency for run in each):15.0f}"
        )
    for name in ("bare pair", "joingate"):
        pairs = zip(rounds[name], rounds["nginx"], strict=True)
        ratios = sorted(ours.cpu_per_join / peer.cpu_per_join for ours, peer in pairs)
        ratio = statistics.median(ratios)
        print(f"{name} / nginx: {ratio:.2f} ({ratios[0]:.2f}-{ratios[-1]:.2f})")
    print(f"target {TARGET}: {'met' if ratio <= TARGET else 'missed'}")
    return 0 if ratio <= TARGET else 1


if __name__ == "__main__":
    sys.exit(main())
