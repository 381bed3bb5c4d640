"""B9: how long from start to ready, with 100,000 rules and a country database? Beside nginx with a map of them.

    python -m bench.starting [--rounds 5] [--rules 100000]

From the moment the process is made to the first answer on the port. joingate listens only when its rules are loaded and
its database is vetted, in a process of its own; nginx when its configuration is read. Both have one processor.
"""

import argparse
import sys
import time
import urllib.error
import urllib.request
from functools import partial

from bench.processes import PROXY_CPU, be_the_client, free_port, started
from bench.record import Notebook
from bench.side_by_side import alternate, parser_of, quickly, run
from bench.stage import Stage, stage

LIMIT = 1.0  # seconds
PAUSE = 0.005


def main() -> int:
    """Measure; see `bench.side_by_side` for the exit status."""
    parser = parser_of(__doc__, rounds=5)
    parser.add_argument("--rules", type=int, default=100_000)
    return run(parser, _measure)


def _measure(chosen: argparse.Namespace, notebook: Notebook) -> None:
    quickly(chosen, rounds=1, rules=2000)
    be_the_client()
    with stage(chosen.rules, needs=("nginx", "geoip2")) as prepared:
        starts = {name: partial(_start, prepared, name) for name in ("nginx", "joingate")}
        found = alternate(starts, chosen.rounds, lambda once: once())
    what = f"start to ready with {chosen.rules:,} rules"
    notebook.compare("B9, beside nginx", what, "s", found["joingate"], found["nginx"], peer_name="nginx")
    notebook.hold("B9", what, "s", found["joingate"], limit=LIMIT)


def _start(prepared: Stage, name: str) -> float:
    room = prepared.folder / "starting"
    room.mkdir(exist_ok=True)
    port = free_port()
    if name == "nginx":
        command = ["nginx", "-c", str(prepared.fill_in("nginx.conf", port, room))]
    else:
        command = [sys.executable, "-m", "joingate", "serve", "-c", str(prepared.write_gate_config(room, port))]
    began = time.perf_counter()
    with started(command, PROXY_CPU, port, room / "log", is_ready=_answers, pause=PAUSE):
        return time.perf_counter() - began


def _answers(port: int) -> bool:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/meetings/open/join?user=u1", headers={"X-Forwarded-For": "10.49.0.1"}
    )
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310 - an http URL of our own
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError):
        return False


if __name__ == "__main__":
    sys.exit(main())
