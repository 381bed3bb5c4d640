"""Downstream connections: requests are read one after the other, answered in order, and never read ahead without bound.

Reading is held while a pipelined request waits for its turn, while the upstream cannot take more of a body, and when
much has come behind a WebSocket handshake before its answer: nothing follows an Upgrade upstream until a checked 101.
A turn of the event loop answers one request of a connection, however many have come at once, and reads one slice of a
body that comes in small chunks.

The file is long because reading, waiting for a turn and closing are one state: each must know of the other two.
"""

import asyncio
import math
from collections import deque
from typing import Final, cast

import httptools

from joingate.codecs.http1 import (
    BadRequestError,
    Headers,
    RequestHead,
    build_switching_protocols,
    names_other_protocol,
    read_request_head,
)
from joingate.codecs.http_answer import render_problem
from joingate.codecs.proxy_protocol import ProxyHeaderError
from joingate.gate.exchange import Exchange
from joingate.gate.gate import Gate
from joingate.gate.peer import Peer
from joingate.gate.tunnel import Tunnel
from joingate.gate.upstream import LARGE_READ, WRITE_BUFFER, UpstreamPool

_TURN: Final = 1  # a pipelined request waits for its turn
_BODY: Final = 2  # the upstream takes no more of the request's body
_UPGRADE: Final = 4  # a handshake waits for its answer, and much has come behind it
_SHARE: Final = 8  # everybody else has their turn

_SPENT: Final = httptools.HttpRequestParser(object())
"""In place of a parser that has done its work: it and its connection would hold each other for the collector."""

SLICE: Final = 4 * 1024
"""Bytes read at a time: of the 256,000 that libuv may bring, the rest waits until all requests before are answered. So
many hold some eighty of the shortest requests, which are taken apart in about a millisecond."""

PIECES: Final = 64
"""Pieces of a body after which a turn of the event loop reads no other slice. 256,000 bytes have as many, a slice each;
in the smallest chunks they have 42,000, and a slice 680."""

_LARGE_HEAD: Final = "The request's head is too large."


class Downstream(asyncio.Protocol):
    """One connection from a participant, or from the proxy in front."""

    __slots__ = (
        "_after_upgrade",
        "_begun",
        "_exchange",
        "_first_read",
        "_head_bytes",
        "_headers",
        "_held",
        "_incoming",
        "_is_advancing",
        "_is_behind_body",
        "_is_closing",
        "_is_full",
        "_is_receiving_head",
        "_is_turn_due",
        "_is_turn_over",
        "_parser",
        "_pieces",
        "_queue",
        "_read",
        "_trailers",
        "_unread",
        "_url",
        "deadline",
        "gate",
        "peer",
        "pool",
        "time",
        "transport",
    )

    transport: asyncio.Transport  # from connection_made on
    peer: Peer

    def __init__(self, gate: Gate, pool: UpstreamPool) -> None:
        """Await a connection; asyncio calls `connection_made`."""
        self.gate = gate
        self.pool = pool
        self.time = asyncio.get_running_loop().time
        self.deadline = math.inf
        self._parser = httptools.HttpRequestParser(self)
        self._url = b""
        self._headers: Headers = []
        self._trailers: Headers = []
        self._is_receiving_head = False
        self._read = b""  # while it is being parsed
        self._begun: list[bytes] = []  # the reads before it that hold the head's beginning
        self._first_read = 0  # the size of the read in which the head began, with whatever was before it
        self._is_behind_body = False  # whether a body may have ended in the read in which the head began
        self._head_bytes = 0  # of the head, in the reads after that one; then of the trailers
        self._incoming: Exchange | None = None  # the request being read
        self._exchange: Exchange | None = None  # the request being answered
        self._queue: deque[Exchange] = deque()
        self._held = 0
        self._is_advancing = False
        self._is_turn_over = False  # this turn of the event loop has begun a request
        self._is_turn_due = False  # another is asked for
        self._is_closing = False
        self._is_full = False
        self._after_upgrade: bytes | None = None
        self._unread = b""  # what came behind more requests, or pieces of a body, than are looked at in a turn
        self._pieces = 0  # of a body, in this turn

    # asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        options = self.gate.options
        if self.gate.is_full:
            self._turn_away()
            return
        self.gate.connections.add(self)
        self.transport.set_write_buffer_limits(high=WRITE_BUFFER)
        self.peer = Peer(transport, options, self.gate.known_proxies)
        self.deadline = self.time() + options.head_timeout

    def _turn_away(self) -> None:
        """Say that there is no room, before anything is read, and let the client read that: see `finish`."""
        linger = self.gate.can_turn_away
        if linger:
            self.gate.turned_away.add(self)
        self.finish(render_problem(503, "The gate is full.", keep_alive=False, retry_after=5), linger=linger)

    def data_received(self, data: bytes) -> None:
        if self._is_closing:
            return
        if self.peer.owes_header:
            try:
                data = self.peer.take_header(data)
            except ProxyHeaderError:
                self.abort()
                return
        if self._after_upgrade is not None:
            self._keep_after_upgrade(self._after_upgrade + data)
            return
        self._is_turn_over = False
        self._feed(data)

    def eof_received(self) -> None:
        """Take the end of the stream for the end of the client's interest, as nginx does."""

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self.gate.connections.discard(self)
        self.gate.turned_away.discard(self)
        self._is_closing = True
        self.deadline = math.inf
        self._queue.clear()
        self._parser = _SPENT
        exchange, self._exchange, self._incoming = self._exchange, None, None
        if exchange is not None:
            exchange.abandon()

    def pause_writing(self) -> None:
        self._is_full = True
        if self._exchange is not None:
            self._exchange.downstream_is_full(True)

    def resume_writing(self) -> None:
        self._is_full = False
        if self._exchange is not None:
            self._exchange.downstream_is_full(False)
        else:
            self._advance()

    # Reading

    def _feed(self, data: bytes) -> None:
        at = self._pieces = 0
        while at < len(data) and not self._is_closing:
            if self._pieces >= PIECES:
                self._share()
            if self._held & (_TURN | _SHARE):
                self._unread += data[at:]
                return
            self._read = piece = data[at : at + SLICE]
            at += len(piece)
            if self._is_receiving_head:
                self._head_bytes += len(piece)
            else:
                self._is_behind_body = False
            try:
                self._parser.feed_data(piece)
            except httptools.HttpParserUpgrade as stop:
                data, at = self._hold_upgrade(piece[stop.args[0] :] + data[at:]), 0
            except httptools.HttpParserCallbackError:
                raise
            except httptools.HttpParserError:
                if not self._ends_with_last():
                    self._refuse(400, "The request is not well-formed HTTP/1.1.")
                return
            if self._is_receiving_head:
                self._begun.append(piece)
                if self._head_bytes > self.gate.options.max_head_bytes:
                    self._refuse(431, _LARGE_HEAD)
        self._read = b""  # a large one is not kept until the next
        if len(data) >= LARGE_READ and not self._is_closing:
            self._share()

    def _ends_with_last(self) -> bool:
        """Whether the connection closes, or will after the request read last; what comes then does not matter."""
        if self._is_closing:
            return True
        last = self._queue[-1] if self._queue else self._exchange
        return last is not None and not last.head.keep_alive and last.is_received

    def _hold_upgrade(self, rest: bytes) -> bytes:
        """Keep what follows a WebSocket handshake until it is answered; return what follows any other Upgrade."""
        last = self._queue[-1] if self._queue else self._exchange
        if last is not None and last.head.wants_websocket:
            self._keep_after_upgrade(rest)
            return b""
        self._parser = httptools.HttpRequestParser(self)
        return b"" if self._is_closing else rest

    def _keep_after_upgrade(self, early: bytes) -> None:
        """Keep a little and go on reading, or else nobody would see the client go away before the answer."""
        self._after_upgrade = early
        if len(early) > WRITE_BUFFER:
            self._hold(_UPGRADE)

    def _refuse(self, status: int, detail: str) -> None:
        """Queue an error behind the requests already read, and read no more."""
        self._is_receiving_head = False
        incoming, self._incoming = self._incoming, None
        if incoming is not None:  # in the middle of a body
            if not self._queue or incoming is not self._queue[-1]:  # its exchange has begun, and cannot be completed
                self.abort()
                return
            self._queue.pop()
        head = RequestHead(b"GET", b"/", "1.1", [], keep_alive=False)
        self._enter(Exchange(self, head, (status, detail)))

    # httptools

    def on_message_begin(self) -> None:
        """Begin a request."""
        self._url = b""
        self._headers = []
        self._trailers = []
        self._is_receiving_head = True
        self._first_read = len(self._read)
        self._head_bytes = 0
        if self._exchange is None:
            self.deadline = self.time() + self.gate.options.head_timeout

    def on_url(self, url: bytes) -> None:
        """Collect the request target."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Collect a header, or a trailer field after the body."""
        if self._is_receiving_head:
            self._headers.append((name, value))
        elif self._incoming is not None:
            self._trailers.append((name, value))
            self._head_bytes += len(name) + len(value) + 4
            if self._head_bytes > self.gate.options.max_head_bytes:
                self._refuse(431, "The request's trailers are too large.")

    def on_headers_complete(self) -> None:
        """Let the request take its turn."""
        self._is_receiving_head = False
        parser = self._parser
        most = self._first_read + self._head_bytes
        self._head_bytes = 0
        raw = self._read
        if self._begun:
            raw = b"".join((*self._begun, raw))
            self._begun.clear()
        try:
            if b"RTSP/" in raw or b"ICE/" in raw:
                self._check_protocol(raw)
            if most > self.gate.options.max_head_bytes:
                self._check_head_size()
            head = read_request_head(
                parser.get_method(),
                self._url,
                parser.get_http_version(),
                self._headers,
                keep_alive=parser.should_keep_alive(),
            )
        except BadRequestError as error:
            head = RequestHead(parser.get_method(), self._url, "1.1", self._headers, keep_alive=False)
            self._enter(Exchange(self, head, (error.status, error.detail)))
            return
        self._enter(Exchange(self, head))

    def _check_protocol(self, raw: bytes) -> None:
        method, behind_body = self._parser.get_method(), self._is_behind_body
        if names_other_protocol(method, self._url, raw, behind_body=behind_body):
            raise BadRequestError(400, "The request line names another protocol than HTTP.")

    def _check_head_size(self) -> None:
        """Count, where there may be too much: the answer must not hang on how TCP has cut the head."""
        size = len(self._url) + sum(len(name) + len(value) + 4 for name, value in self._headers)
        if size > self.gate.options.max_head_bytes:
            raise BadRequestError(431, _LARGE_HEAD)

    def on_body(self, data: bytes) -> None:
        """Pass a piece of the body to its request."""
        self._is_behind_body = True
        self._pieces += 1
        incoming = self._incoming
        if incoming is not None:
            incoming.request_body(data)  # which may be too much, and the end of everything
            if incoming is self._exchange:
                self.deadline = self.time() + self.gate.options.body_timeout

    def on_message_complete(self) -> None:
        """End the request."""
        incoming, self._incoming = self._incoming, None
        if incoming is None:
            return
        incoming.request_end(self._trailers)
        if incoming is self._exchange:
            self.await_response()

    # Turns

    def _enter(self, exchange: Exchange) -> None:
        if self._is_closing:
            return
        self._incoming = exchange if exchange.error is None else None
        self._queue.append(exchange)
        if not self._is_turn_over:
            self._advance()
        if self._queue and not self._held & _TURN:
            self._hold(_TURN)
            self._ask_for_turn()

    def _ask_for_turn(self) -> None:
        """Where none is under way, begin the next request once the event loop has turned to everybody else.

        nginx does so between two requests that came at once. Otherwise a thousand of them in one read, each answered
        by the gate itself, would keep all others waiting.
        """
        if self._exchange is None and not self._is_turn_due:
            self._is_turn_due = True
            asyncio.get_running_loop().call_soon(self._take_turn)

    def _take_turn(self) -> None:
        self._is_turn_due = self._is_turn_over = False
        self._advance()

    def _advance(self) -> None:
        """Begin the next request, where none is under way; the one behind it in another turn of the event loop."""
        if self._is_advancing or self._exchange is not None or self._is_closing or self._is_full:
            return
        if self._queue:
            self._is_advancing = self._is_turn_over = True
            self._exchange = exchange = self._queue.popleft()
            self._begin(exchange)
            self._is_advancing = False
            if self._queue:
                self._ask_for_turn()
        if not self._queue and self._held & _TURN:
            self._release(_TURN)
            self._feed_unread()

    def _begin(self, exchange: Exchange) -> None:
        exchange.begin()

    def _share(self) -> None:
        """Read no more before everybody else has had a turn."""
        if not self._held & _SHARE:
            self._hold(_SHARE)
            asyncio.get_running_loop().call_soon(self._go_on)

    def _go_on(self) -> None:
        if not self._is_closing:  # else the transport may be a tunnel's by now
            self._is_turn_over = False
            self._release(_SHARE)
            self._feed_unread()

    def _feed_unread(self) -> None:
        """Read what was held: it may be whole requests, which nothing new would bring to the parser."""
        if self._unread and not self._held & (_TURN | _SHARE):
            rest, self._unread = self._unread, b""
            self._feed(rest)

    def exchange_over(self, *, keep_alive: bool) -> None:
        """Go on to the next request, or close."""
        exchange, self._exchange = self._exchange, None
        if not keep_alive:
            self.finish(linger=exchange is None or not exchange.is_received or exchange.error is not None)
            return
        self._release(_BODY)  # what of it was waiting to be sent is not waited for any more
        if self._after_upgrade is not None and exchange is not None and exchange.head.wants_websocket:
            # the handshake was answered by something else than a 101
            if self._after_upgrade:
                self.finish()  # what was sent behind it is not HTTP
                return
            self._after_upgrade = None
            self._parser = httptools.HttpRequestParser(self)
            self._release(_UPGRADE)
        if self.gate.is_draining and not self._queue:
            self.finish()
            return
        options = self.gate.options
        self.deadline = self.time() + (options.head_timeout if self._is_receiving_head else options.idle_timeout)
        self._advance()

    def await_response(self) -> None:
        """Wait for the meeting server, from now on."""
        exchange = self._exchange
        if exchange is not None:
            options = self.gate.options
            self.deadline = self.time() + (options.response_timeout if exchange.is_received else options.body_timeout)

    def become(self, tunnel: Tunnel, upstream: asyncio.Transport, headers: Headers, rest: bytes) -> None:
        """Answer 101 and hand the connection over to a tunnel."""
        self.write(build_switching_protocols(headers))
        self.gate.connections.discard(self)
        self._exchange = self._incoming = None
        self._is_closing = True
        self._parser = _SPENT
        early, self._after_upgrade = self._after_upgrade or b"", None
        self._queue.clear()
        tunnel.begin(self.transport, upstream, from_downstream=early, from_upstream=rest)

    # Writing, holding, closing

    def write(self, data: bytes) -> None:
        """Send to the client."""
        self.transport.write(data)

    def hold_request_body(self, is_held: bool) -> None:
        """Stop or go on reading the request's body."""
        if is_held:
            self._hold(_BODY)
        else:
            self._release(_BODY)

    def _hold(self, why: int) -> None:
        if not self._held and not self._is_closing:
            self.transport.pause_reading()
        self._held |= why

    def _release(self, why: int) -> None:
        if self._held & why:
            self._held &= ~why
            if not self._held and not self.transport.is_closing():
                self.transport.resume_reading()

    def finish(self, last_words: bytes = b"", *, linger: bool = True) -> None:
        """Send `last_words` and close; with `linger`, read on for a while.

        Closing a socket with unread bytes resets it, and a reset can take the last answer away from a client that
        is still sending (RFC 9112 9.6).
        """
        self._exchange = None
        self._incoming = None
        self._queue.clear()
        if last_words:
            self.write(last_words)
        if self._is_closing:
            return
        self._is_closing = True
        self.deadline = self.time() + self.gate.options.close_timeout
        if linger and self.transport.can_write_eof():
            self._release(_TURN | _BODY | _UPGRADE | _SHARE)
            self.transport.write_eof()
        else:
            self.transport.close()

    def abort(self) -> None:
        """Close at once."""
        self._is_closing = True
        self.transport.abort()

    def on_deadline(self) -> None:
        """Give up on whatever has been waited for."""
        self.deadline = math.inf
        if self._is_closing:
            self.abort()
        elif self._exchange is not None:
            self._exchange.on_deadline()
        elif self._is_receiving_head:
            self._refuse(408, "The request did not arrive in time.")
        else:
            self.finish()

    @property
    def is_at_rest(self) -> bool:
        """Whether all that has come is answered, and nothing is held, half read or full."""
        return not (
            self._is_closing
            or self._exchange is not None
            or self._queue
            or self._held
            or self._unread
            or self._is_receiving_head
            or self._incoming is not None
            or self._after_upgrade is not None
            or self._is_full
            or self.peer.owes_header
        )

    @property
    def is_fresh(self) -> bool:
        """Whether nothing has come yet. To close it now would be to refuse a request that may be under way."""
        return not self._first_read and not self._is_closing

    def drain(self) -> None:
        """Close if idle; otherwise the exchange at hand is the last one."""
        if self._exchange is None and not self._queue and not self._is_receiving_head:
            self.finish()
