"""A gate without sockets: one join at a time, from bytes in to bytes out, each step in this thread.

The transports note what is written and do nothing else. What a join does between them is all of joingate's part in it:
reading the head, finding the join, resolve_client, locate, decide, the roster, the request and the response written
anew.
"""

import asyncio
from collections.abc import Sequence
from ipaddress import ip_network
from typing import Any

from joingate.codecs.endpoint import TcpEndpoint
from joingate.codecs.join_request import JoinMatcher
from joingate.codecs.join_route import JoinRoute, Source
from joingate.core.client_address import ClientIpFrom, TrustedProxies
from joingate.core.decision import Decision
from joingate.core.location import place
from joingate.core.model import Address, Location
from joingate.core.receipt import Receipt
from joingate.core.record import Told
from joingate.core.recording import Recorded, Restricting
from joingate.core.roster import Participant
from joingate.core.rule_set import RuleSet
from joingate.gate.downstream import Downstream
from joingate.gate.gate import Gate
from joingate.gate.options import GateOptions
from joingate.gate.upstream import UpstreamConnection, UpstreamOptions, UpstreamPool

PROXY = "127.0.0.1"
ROUTE = JoinRoute("/meetings/{meeting}/join", Source("path", "meeting"), Source("query", "user"), None)
ANSWER = (
    b"HTTP/1.1 200 OK\r\nServer: bench\r\nContent-Type: application/json\r\nContent-Length: 43\r\n"
    b'Connection: keep-alive\r\n\r\n{"joined":true,"token":"0123456789abcdefg"}'
)


class Nowhere(asyncio.Transport):
    """A transport that keeps what was written last."""

    def __init__(self, peer: str) -> None:
        super().__init__({"peername": (peer, 40_000)})
        self.written = b""

    def write(self, data: Any) -> None:
        self.written = bytes(data)

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def get_write_buffer_size(self) -> int:
        return 0

    def is_closing(self) -> bool:
        return False

    def is_reading(self) -> bool:
        return True

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass

    def close(self) -> None:
        pass

    def abort(self) -> None:
        pass


class NoRecorder:
    """Is asked for nothing: every join is admitted without doubt."""

    def record(self, restricting: Sequence[Restricting], now: float) -> Sequence[Recorded] | None:  # noqa: ARG002
        return None

    def count(self, decision: Decision, location: Location) -> None:
        pass

    def confirm(self, seq: int) -> None:
        pass

    def still_present(self, seq: int) -> None:
        pass


class Nobody:
    """A connection that is none, to carry people who are only counted."""

    telling = Told.HTTP

    def eject(self, participant: Participant, decision: Decision, receipt: Receipt) -> None:  # noqa: ARG002 - Carrier's
        raise AssertionError("nobody is to be ejected here")


class Line:
    """One client's kept connection to the gate, and the gate's to the meeting server. Made on an event loop."""

    def __init__(self, rules: RuleSet, *, behind_proxy: bool) -> None:
        """Connect both sides; `behind_proxy`: the client is named by a trusted proxy."""
        options = GateOptions(
            trusted_proxies=TrustedProxies([ip_network(PROXY)] if behind_proxy else ()),
            client_ip_from=ClientIpFrom.X_FORWARDED_FOR if behind_proxy else ClientIpFrom.PEER,
        )
        recorder = NoRecorder()
        self.gate = Gate(options, JoinMatcher([ROUTE], fold=str), rules, _locate, recorder, now=lambda: 50.0)
        pool = UpstreamPool(UpstreamOptions(TcpEndpoint("127.0.0.1", 9000), b"meet.example"))
        self._up, self._down = Nowhere("127.0.0.1"), Nowhere(PROXY)
        self._upstream = UpstreamConnection(pool)
        self._upstream.connection_made(self._up)
        pool.put(self._upstream)
        self._downstream = Downstream(self.gate, pool)
        self._downstream.connection_made(self._down)
        self._request = request(behind_proxy=behind_proxy)

    def join(self) -> None:
        """Carry one join through, and see that it was."""
        self._up.written = self._down.written = b""
        self._downstream.data_received(self._request)
        if not self._up.written.startswith(b"GET /meetings/m000007/join?user=u1 "):
            raise AssertionError(f"the join did not reach the meeting server: {self._down.written[:80]!r}")
        self._upstream.data_received(ANSWER)
        if not self._down.written.startswith(b"HTTP/1.1 200 "):
            raise AssertionError(f"the answer did not reach the client: {self._down.written[:80]!r}")


_HERE = place("DE")


def _locate(address: Address | None, now: float) -> Location:  # noqa: ARG001 - a Locate's signature
    return _HERE


def request(*, behind_proxy: bool) -> bytes:
    """Return the join as a client, or a proxy in front, sends it."""
    forwarded = "X-Forwarded-For: 10.49.7.7\r\n" if behind_proxy else ""
    return (
        "GET /meetings/m000007/join?user=u1 HTTP/1.1\r\nHost: meet.example\r\nUser-Agent: bench\r\nAccept: */*\r\n"
        f"Accept-Language: en\r\n{forwarded}Cookie: session=0123456789abcdef0123456789abcdef\r\n\r\n"
    ).encode()
