"""B4: what does a live participant cost in memory? Growth of the proxy from 0 to N idle WebSockets, beside nginx.

    python -m bench.memory [--rounds 5] [--sockets 3000] [--rules 1000]

Measured is the resident anonymous memory of the process tree, pages shared within it by their share (Pss_Anon). Every
round starts the proxy anew, lets 100 WebSockets come and go, and takes what is there then as nought: what the first
connection costs once is not the price of one more. What loading the rules has left free is used up first, so the target
is held against the growth from N/2 to N. The kernel's socket buffers are in neither figure. Each WebSocket
needs 2 file descriptors in the proxy, so N is bounded by the limit on those.
"""

import argparse
import asyncio
import resource
import statistics
import sys
from functools import partial

import uvloop

from bench.processes import NotMeasuredError, be_the_client, resident_bytes
from bench.record import Notebook, Plot
from bench.side_by_side import alternate, column, parser_of, quickly, run
from bench.sockets import handshake, join_all, leave_all
from bench.stage import Stage, stage

LIMIT = 0.25
STEPS = 4
SETTLED = 0.5
"""Seconds after the last handshake: the proxy has done all that it does for it."""


def main() -> int:
    """Measure; see `bench.side_by_side` for the exit status."""
    parser = parser_of(__doc__, rounds=5)
    parser.add_argument("--sockets", type=int, default=3000)
    parser.add_argument("--rules", type=int, default=1000)
    return run(parser, _measure)


def _measure(chosen: argparse.Namespace, notebook: Notebook) -> None:
    quickly(chosen, rounds=1, sockets=800)
    most = (resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 200) // 2
    if chosen.sockets > most:
        raise NotMeasuredError(f"{chosen.sockets} WebSockets need more file descriptors; at most {most} here")
    be_the_client()
    with stage(chosen.rules, echo=True, needs=("nginx", "geoip2")) as prepared:
        proxies = {name: partial(_growth, prepared, name, chosen.sockets) for name in ("nginx", "joingate")}
        found = alternate(proxies, chosen.rounds, lambda once: once())
    half = chosen.sockets - chosen.sockets * (STEPS // 2) // STEPS
    later = {
        name: [(grown[-1] - grown[STEPS // 2]) / half / 1024 for grown in rounds] for name, rounds in found.items()
    }
    each = {name: [grown[-1] / chosen.sockets / 1024 for grown in rounds] for name, rounds in found.items()}
    question = f"memory for an idle WebSocket participant, of {chosen.sockets}"
    notebook.compare("B4, all", question, "KB", each["joingate"], each["nginx"], peer_name="nginx")
    notebook.compare(
        *("B4", f"{question}, the second half", "KB", later["joingate"], later["nginx"]),
        peer_name="nginx",
        limit=LIMIT,
    )
    steps = [chosen.sockets * step // STEPS for step in range(STEPS + 1)]
    lines = {
        name: [(steps[at], statistics.median(column(rounds, at)) / 1e6) for at in range(STEPS + 1)]
        for name, rounds in found.items()
    }
    notebook.plot(Plot("memory", "Memory against connections", "idle WebSockets", "MB more than with none", lines))


def _growth(prepared: Stage, name: str, sockets: int) -> list[int]:
    """Start a proxy, fill it step by step, and return by how many bytes it has grown after each."""
    with prepared.apart():
        proxy = prepared.nginx("nginx_websocket") if name == "nginx" else prepared.joingate()
        return uvloop.run(_fill(proxy.port, proxy.pid, sockets))


async def _fill(port: int, pid: int, sockets: int) -> list[int]:
    requests = [handshake("open", at, f"10.49.{at >> 8}.{at & 255}") for at in range(sockets)]
    leave_all(await join_all(port, requests[:100]))
    await asyncio.sleep(SETTLED)
    nought = resident_bytes(pid)
    grown, joined = [0], []
    for step in range(STEPS):
        joined += await join_all(port, requests[sockets * step // STEPS : sockets * (step + 1) // STEPS])
        await asyncio.sleep(SETTLED)
        grown.append(resident_bytes(pid) - nought)
    leave_all(joined)
    await asyncio.sleep(0)
    return grown


if __name__ == "__main__":
    sys.exit(main())
