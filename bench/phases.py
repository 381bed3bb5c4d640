"""Where do a join's microseconds in Python go? Each phase alone, in process, beside the whole of `in_process.py`.

    python -m bench.phases [--rounds 15]

A join behind a trusted proxy, with 1,000 orders. What the phases leave of the whole is what lies between them: the
connections, the exchange, turns and deadlines. The kernel's and uvloop's part is in none of it.
"""

import argparse
import asyncio
import gc
import os
import sys
import tempfile
import time
from collections.abc import Callable
from ipaddress import IPv4Address, ip_network
from pathlib import Path

import httptools

from bench.in_process import ANSWER, PROXY, ROUTE, Line, Nobody, NoRecorder, Nowhere, request
from bench.judging import rules_of
from bench.processes import PROXY_CPU
from bench.record import Notebook
from bench.side_by_side import parser_of, quickly, run
from bench.stage import build_database
from joingate.codecs.http1 import (
    Headers,
    RequestHead,
    ResponseHead,
    build_request,
    build_response,
    read_request_head,
    read_response_head,
)
from joingate.codecs.join_request import JoinMatcher
from joingate.core.client_address import ClientIpFrom, TrustedProxies
from joingate.core.decision import decide
from joingate.core.location import place
from joingate.core.model import Address, Join, Location
from joingate.core.rule_set import RuleSet
from joingate.gate.gate import Gate
from joingate.gate.options import GateOptions
from joingate.gate.peer import Peer
from joingate.geodb.atlas import Atlas
from joingate.geodb.load import load_atlas

RULES = 1000
AT_ONCE = 200
_NOW = 50.0
_HERE = place("DE")
_CLIENT = IPv4Address("10.49.7.7")
_JOIN = Join("m0000007", "u1")

Step = Callable[[], object]


def main() -> int:
    """Measure; see `bench.side_by_side` for the exit status."""
    return run(parser_of(__doc__, rounds=15), _measure)


def _measure(chosen: argparse.Namespace, notebook: Notebook) -> None:
    quickly(chosen, rounds=6)
    os.sched_setaffinity(0, {int(PROXY_CPU)})
    asyncio.run(_measure_here(chosen.rounds, notebook))


async def _measure_here(rounds: int, notebook: Notebook) -> None:
    rules = rules_of(RULES)
    with tempfile.TemporaryDirectory() as folder:
        steps = _steps(rules, load_atlas([build_database(Path(folder) / "demo.mmdb")], 0, None))
        whole = Line(rules, behind_proxy=True).join
        gc.collect()
        gc.freeze()  # as the gate does
        found: dict[str, list[float]] = {name: [] for name in (*steps, "whole")}
        for _ in range(rounds):
            for name, step in {**steps, "whole": whole}.items():
                found[name].append(_time(step))
    between = [total - sum(found[name][at] for name in steps) for at, total in enumerate(found["whole"])]
    for name in steps:
        notebook.compare(
            f"phases, {name}", name, "us", found[name], found["whole"], peer_name="of the whole, in process"
        )
    notebook.compare(
        *("phases, between", "connections, exchange, turns, deadlines: what the phases leave", "us"),
        *(between, found["whole"]),
        peer_name="of the whole, in process",
    )


def _time(step: Step) -> float:
    """Return microseconds for one of many."""
    began = time.thread_time_ns()
    for _ in range(AT_ONCE):
        step()
    return (time.thread_time_ns() - began) / AT_ONCE / 1000


def _steps(rules: RuleSet, atlas: Atlas) -> dict[str, Step]:
    options = GateOptions(
        trusted_proxies=TrustedProxies([ip_network(PROXY)]), client_ip_from=ClientIpFrom.X_FORWARDED_FOR
    )
    matcher = JoinMatcher([ROUTE], fold=str)
    gate = Gate(options, matcher, RuleSet(), _locate, NoRecorder(), now=lambda: _NOW)
    peer, carrier = Peer(Nowhere(PROXY), options, {}), Nobody()
    requests, responses = _Requests(), _Responses()
    requests.read()
    responses.read()
    head, answer = requests.head, responses.head

    def register_count_and_leave() -> None:
        gate.leave(gate.judge(_JOIN, _CLIENT, carrier)[0])

    return {
        "read the request's head": requests.read,
        "find the join": lambda: matcher.match(head.method, head.target, head.headers),
        "resolve_client": lambda: peer.client_ip(head.client_address_values or {}),
        "locate": lambda: atlas.locate(_CLIENT, _NOW),
        "decide": lambda: decide(_JOIN, _HERE, rules, _NOW),
        "register, count and leave": register_count_and_leave,
        "write the request anew": lambda: build_request(
            head, b"up", peer.forwarded_lines(head.client_address_values or {}, _CLIENT)
        ),
        "read the response's head": responses.read,
        "write the response anew": lambda: build_response(answer, "1.1", keep_alive=True),
    }


def _locate(address: Address | None, now: float) -> Location:  # noqa: ARG001 - a Locate's signature
    return _HERE


class _Requests:
    """Reads one request again and again, and keeps its head."""

    def __init__(self) -> None:
        self._request = request(behind_proxy=True)
        self._parser = httptools.HttpRequestParser(self)
        self.head: RequestHead

    def read(self) -> None:
        self._headers: Headers = []
        self._parser.feed_data(self._request)

    def on_url(self, url: bytes) -> None:
        self._url = url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        parser = self._parser
        self.head = read_request_head(
            parser.get_method(), self._url, parser.get_http_version(), self._headers, keep_alive=True
        )


class _Responses:
    """Reads one response again and again, and keeps its head."""

    def __init__(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self.head: ResponseHead

    def read(self) -> None:
        self._headers: Headers = []
        self._parser.feed_data(ANSWER)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        self.head = read_response_head(200, b"OK", self._headers, to_head=False)


if __name__ == "__main__":
    sys.exit(main())
