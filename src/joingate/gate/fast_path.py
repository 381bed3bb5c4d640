"""The fast path of a plain join, where the engine is compiled: one call when it comes, and one when it is answered.

The engine takes a request that is whole and plain, and its answer, from socket to socket (deploy/native/heads.c says
what is plain). What is judged here is judged as every other join; whatever does not simply get through is left to
Downstream and Exchange, with the request as it was received and as if it had just come: a rejection, a request that
the meeting server does not answer plainly, an ejection meanwhile, a deadline, a lost connection.
"""

import asyncio
import socket
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, cast

from joingate.codecs.http1 import CLIENT_ADDRESS_HEADERS
from joingate.codecs.join_request import AmbiguousRequestError
from joingate.codecs.join_route import JoinRoute, Source
from joingate.codecs.notice import ABOUT_PATH
from joingate.core.decision import Decision
from joingate.core.model import Address, Join
from joingate.core.receipt import Receipt
from joingate.core.record import Told
from joingate.core.roster import Participant
from joingate.gate.accepting import Accepting
from joingate.gate.downstream import Downstream
from joingate.gate.exchange import Exchange
from joingate.gate.gate import Gate
from joingate.gate.sockets import send_at_once
from joingate.gate.upstream import UpstreamConnection, UpstreamPool

if TYPE_CHECKING:
    from joingate.gate._engine import Engine, FastPath, Transport

_ABOUT: Final = ABOUT_PATH.encode()


def fast_path_of(gate: Gate, pool: UpstreamPool) -> "FastPath | None":
    """Prepare the fast path; None where joins are not to be found in the target alone, or the upstream speaks TLS."""
    if pool.engine is None or gate.dialect is not None or gate.matcher.reads_headers or pool.options.tls is not None:
        return None
    from joingate.gate._engine import FastPath  # noqa: PLC0415 - only there where it is compiled

    return FastPath(*names_of(), routes_for_engine(gate.matcher.routes), gate.options.max_head_bytes)


def names_of() -> tuple[dict[bytes, int], dict[bytes, int]]:
    """Return what field names mean, in requests and in responses; codecs/http1 treats them so."""
    from joingate.gate._engine import (  # noqa: PLC0415 - likewise
        CONNECTION,
        CONTENT_LENGTH,
        DECISIVE,
        DROPPED,
        FORWARDED_FOR,
        FORWARDED_PROTO,
        HOST,
    )

    decisive = b"""
        content-length transfer-encoding upgrade expect te keep-alive proxy-connection x-original-url x-rewrite-url
        forwarded
    """.split()
    request = dict.fromkeys(CLIENT_ADDRESS_HEADERS, DROPPED) | dict.fromkeys(decisive, DECISIVE)
    request[b"host"] = HOST
    request[b"connection"] = CONNECTION
    request[b"x-forwarded-for"] = FORWARDED_FOR
    request[b"x-forwarded-proto"] = FORWARDED_PROTO
    # llhttp heeds Proxy-Connection as it does Connection.
    response = dict.fromkeys((b"te", b"transfer-encoding", b"upgrade", b"proxy-connection"), DECISIVE)
    response[b"keep-alive"] = DROPPED
    response[b"connection"] = CONNECTION
    response[b"content-length"] = CONTENT_LENGTH
    return request, response


_MOST_ROUTES: Final = 16
_MOST_SEGMENTS: Final = 12
_LONGEST_WORD: Final = 64
"""What there is room for in deploy/native/joins.h."""

Where = int | bytes


def routes_for_engine(routes: Sequence[JoinRoute]) -> list[tuple[list[bytes], Where, Where]]:
    """Return routes as the engine takes them; none where it would not know all of them, and so could mistake one."""
    taken: list[tuple[list[bytes], Where, Where]] = []
    for route in routes:
        segments = route.path.strip("/").split("/") if route.path != "/" else []
        literals = [b"" if text.startswith("{") else text.lower().encode() for text in segments]
        meeting, participant = _where(route.meeting, segments), _where(route.participant, segments)
        words = [word for word in (*literals, meeting, participant) if isinstance(word, bytes)]
        if (
            route.host is not None
            or len(segments) > _MOST_SEGMENTS
            or any(len(word) > _LONGEST_WORD or not word.isascii() or b"[" in word for word in words)
        ):
            return []
        taken.append((literals, meeting, participant))
    return taken if len(taken) <= _MOST_ROUTES else []


def _where(source: Source | None, segments: list[str]) -> Where:
    """Return which segment or query parameter it is; empty for none."""
    if source is None:
        return b""
    return segments.index(f"{{{source.name}}}") if source.kind == "path" else source.name.encode()


class FastDownstream(Downstream):
    """A connection whose plain requests take the fast path, while it is at rest. It is their participants' Carrier."""

    __slots__ = ("_admitted", "_client", "_engine_transport", "_fast_path", "_upstream")

    def __init__(self, gate: Gate, pool: UpstreamPool, fast_path: "FastPath") -> None:
        super().__init__(gate, pool)
        self._fast_path = fast_path
        self._admitted: Participant | None = None
        self._client: Address | None = None
        self._upstream: UpstreamConnection | None = None  # of the plain request under way; None where none is

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._engine_transport = cast("Transport", transport)
        self._rest()

    def connection_lost(self, exc: Exception | None) -> None:
        self._let_go()
        super().connection_lost(exc)

    def _rest(self) -> None:
        if self.is_at_rest:
            self._engine_transport.rest(self._fast_path)

    # The engine

    def admit_plain(  # noqa: PLR0917 - the engine's own call, which names nothing
        self,
        target: bytes | None,
        meeting: str | None,
        participant_id: str | None,
        forwarded_for: bytes | None,
        number: int,
        forwarded_proto: bytes | None,
    ) -> "tuple[Transport, bytes] | None":
        """Judge a plain request: resolve_client -> locate -> decide -> admit.

        Args:
            target: in origin-form; None where it is plainly a join.
            meeting: the meeting's id then.
            participant_id: the participant's, where there is one.
            forwarded_for: the only X-Forwarded-For; None where there is none.
            number: of the IPv4 address that it is; -1 where it is something else.
            forwarded_proto: the only X-Forwarded-Proto; None where there is none.

        Returns:
            The upstream connection to send it on, and what the meeting server is told about the client; None where it
            has to be looked into, and nothing has been done.
        """
        gate = self.gate
        if gate.is_draining:
            return None
        join: Join | None
        if meeting is not None:
            join = gate.matcher.join_of(meeting, participant_id)
        else:
            if target is None or target == _ABOUT:
                return None
            try:
                join = gate.matcher.match(b"GET", target, ())
            except AmbiguousRequestError:
                return None
        named = self.peer.plain_client(forwarded_for, number, forwarded_proto)
        if named is None:
            return None
        client_ip, lines = named
        now = self.time()
        upstream = self.pool.take(now, is_repeatable=True)
        if upstream is None:
            return None
        self._upstream = upstream  # and if anything fails from here on, it goes with the connection
        if join is not None:
            self._admitted = gate.admit(join, client_ip, self)
            if self._admitted is None:
                self._upstream = None
                idle_since = upstream.idle_since
                self.pool.put(upstream)
                upstream.idle_since = idle_since  # it has not been used
                return None
        self._first_read = 1  # it is not fresh any more
        self._client = client_ip
        self.deadline = now + gate.options.response_timeout
        return cast("Transport", upstream.transport), lines

    def answered_plain(self, is_last: bool) -> None:
        """End a plain request: its answer has been sent; `is_last` says that the client asks for no more."""
        upstream, self._upstream = self._upstream, None
        participant, self._admitted = self._admitted, None
        if upstream is not None:
            upstream.release(reusable=True)
        if participant is not None:
            self.gate.leave(participant)
        if is_last:
            self.finish(linger=False)
        else:
            self.deadline = self.time() + self.gate.options.idle_timeout

    def look_into(self, request: bytes) -> None:
        """Go on with a plain request that is under way as with any other: something has happened that is not plain."""
        if self._is_closing:
            self._let_go()
            return
        deadline = self.deadline
        self.data_received(request)
        if self._upstream is not None:
            self._let_go()
            raise RuntimeError("a plain request was not one")
        self.deadline = deadline  # it has waited for its answer since then

    def _begin(self, exchange: Exchange) -> None:
        upstream, self._upstream = self._upstream, None
        if upstream is None:
            exchange.begin()
            return
        participant, self._admitted = self._admitted, None
        exchange.go_on(participant, self._client, upstream)

    def _let_go(self) -> None:
        upstream, self._upstream = self._upstream, None
        participant, self._admitted = self._admitted, None
        if upstream is not None:
            upstream.abort()
        if participant is not None:
            self.gate.leave(participant)

    # What else can happen meanwhile

    @property
    def telling(self) -> Told:
        """How the participant would be told (Carrier)."""
        return Told.HTTP

    def eject(self, participant: Participant, decision: Decision, receipt: Receipt) -> None:
        """End a plain request whose participant is ejected (Carrier)."""
        self._engine_transport.look_into()
        if participant.carrier is not self:  # else the connection is ending already
            participant.carrier.eject(participant, decision, receipt)

    def exchange_over(self, *, keep_alive: bool) -> None:
        super().exchange_over(keep_alive=keep_alive)
        self._rest()

    def on_deadline(self) -> None:
        self._engine_transport.look_into()
        super().on_deadline()

    def drain(self) -> None:
        self._engine_transport.look_into()
        super().drain()


class EngineServer(Accepting):
    """Accepts on a socket, for the engine."""

    def __init__(
        self, listening: socket.socket, gate: Gate, pool: UpstreamPool, engine: "Engine", backlog: int
    ) -> None:
        """Begin to accept on a socket that is bound to its address."""
        self._gate = gate
        self._pool = pool
        self._engine = engine
        self._fast_path = fast_path_of(gate, pool)
        send_at_once(listening)
        super().__init__(listening, backlog)

    def _accept_one(self, listening: socket.socket) -> bool:
        taken = self._engine.accept(listening.fileno())
        if taken is None:
            return False
        accepted, peername = taken
        fast_path = self._fast_path
        gate, pool = self._gate, self._pool
        protocol = Downstream(gate, pool) if fast_path is None else FastDownstream(gate, pool, fast_path)
        self._engine.adopt(accepted, protocol, peername)
        return True
