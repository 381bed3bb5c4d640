"""B3: what does a WebSocket message cost the proxy? CPU per message relayed, 64 B and 16 KB, beside nginx.

    python -m bench.relay [--rounds 5] [--seconds 2] [--sockets 32]

Each participant sends a message, and sends the next one when it has come back: the proxy relays two messages a round.
CPU is the proxy's own, by the kernel's accounting, so a client or an echo that is slow changes the throughput only.
joingate follows frame boundaries all the while, which is what lets it eject between two messages; nginx copies bytes.
"""

import argparse
import asyncio
import sys
import time
from functools import partial

import uvloop

from bench.processes import be_the_client, cpu_seconds
from bench.record import Notebook
from bench.side_by_side import alternate, parser_of, quickly, run
from bench.sockets import TEXT, Socket, handshake, join_all, leave_all, message
from bench.stage import Proxy, stage

LIMIT = 1.0
SIZES = {"64 B": 64, "16 KB": 16_384}


def main() -> int:
    """Measure; see `bench.side_by_side` for the exit status."""
    parser = parser_of(__doc__, rounds=5)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--sockets", type=int, default=32)
    parser.add_argument("--rules", type=int, default=1000)
    return run(parser, _measure)


def _measure(chosen: argparse.Namespace, notebook: Notebook) -> None:
    quickly(chosen, rounds=1, seconds=0.5)
    be_the_client()
    with stage(chosen.rules, echo=True, needs=("nginx", "geoip2")) as prepared:
        proxies = {"nginx": prepared.nginx("nginx_websocket"), "joingate": prepared.joingate()}
        for label, size in SIZES.items():
            once = partial(_cost, message(TEXT, b"x" * size), chosen.sockets, chosen.seconds)
            found = alternate(proxies, chosen.rounds, once)
            notebook.compare(
                *(f"B3, {label}", f"CPU for a WebSocket message of {label}", "us"),
                *(found["joingate"], found["nginx"]),
                peer_name="nginx",
                limit=LIMIT,
            )


def _cost(frame: bytes, sockets: int, seconds: float, proxy: Proxy) -> float:
    """Return microseconds of the proxy's CPU for one message."""
    return uvloop.run(_relay(proxy, frame, sockets, seconds))


async def _relay(proxy: Proxy, frame: bytes, sockets: int, seconds: float) -> float:
    joined = await join_all(proxy.port, [handshake("open", at, f"10.49.0.{at % 250 + 1}") for at in range(sockets)])
    turns = [_Turns(socket, frame) for socket in joined]
    await asyncio.sleep(seconds / 10)  # warm up
    before, relayed, began = cpu_seconds(proxy.pid), sum(turn.count for turn in turns), time.monotonic()
    await asyncio.sleep(began + seconds - time.monotonic())
    cpu, relayed = cpu_seconds(proxy.pid) - before, sum(turn.count for turn in turns) - relayed
    leave_all(joined)
    return cpu / (2 * relayed) * 1e6


class _Turns:
    """Sends the same message over and over, each when the one before has come back."""

    def __init__(self, socket: Socket, frame: bytes) -> None:
        self._write = socket.transport.write
        self._frame = frame
        self.count = 0
        socket.on_message = self._again
        self._write(frame)

    def _again(self) -> None:
        self.count += 1
        self._write(self._frame)


if __name__ == "__main__":
    sys.exit(main())
