"""Connections to the meeting server: each carries one exchange at a time and waits in a pool between two.

None is opened without a participant's (or visitor's) own request that needs it (G6). A connection that has waited may
have been closed by the other side meanwhile; a request that cannot be repeated safely therefore only takes one that has
just been used, and any other is repeated once on a new connection.
"""

import asyncio
import ssl
from dataclasses import dataclass
from typing import Final, Protocol, cast

import httptools

from joingate.codecs.endpoint import Endpoint, UnixEndpoint
from joingate.codecs.http1 import (
    NO_BODY,
    UNTIL_CLOSE,
    BadResponseError,
    Headers,
    ResponseHead,
    read_response_head,
)
from joingate.gate.sockets import begin_engine, connect, end_engine

FRESH: Final = 1.0
"""Seconds since its last answer for which a waiting connection is taken to be alive without asking. Servers keep idle
connections 2 s (gunicorn), 5 s (Node), 75 s (nginx): within 1 s none of these has begun to close."""

WRITE_BUFFER: Final = 64 * 1024
"""Bytes written and not yet taken by a peer before the other side is asked to pause; asyncio's own default."""

LARGE_READ: Final = 32 * 1024
"""Bytes in one read after which all others have their turn first. libuv reads a socket up to 32 times in a row, 256,000
bytes each time, as long as they fill its buffer."""


_SPENT: Final = httptools.HttpResponseParser(object())
"""In place of a parser that has done its work: it and its connection would hold each other for the collector."""


@dataclass(frozen=True, slots=True)
class UpstreamOptions:
    """Where the meeting server is and how long it may take. Times in seconds."""

    endpoint: Endpoint
    host_header: bytes
    tls: ssl.SSLContext | None = None
    connect_timeout: float = 5.0
    idle_timeout: float = 30.0
    max_idle_connections: int = 64
    max_head_bytes: int = 65_536


class ResponseSink(Protocol):
    """The exchange, as its upstream connection sees it."""

    is_to_head: bool

    def response_head(self, head: ResponseHead) -> None:
        """Take the head of the final response."""

    def response_body(self, data: bytes) -> None:
        """Take a piece of the body, without framing."""

    def response_end(self, trailers: Headers, *, reusable: bool) -> None:
        """Take the end of the response; `reusable` says whether the connection may carry another exchange."""

    def upgraded(self, headers: Headers, rest: bytes) -> None:
        """Take a 101 and the bytes after it; nothing has been checked yet."""

    def flush(self) -> None:
        """All that has been read so far has been handed over."""

    def upstream_lost(self, why: str, *, is_silent: bool) -> None:
        """Take note that no more will come; `is_silent` says that not a byte of a response has."""

    def upstream_is_full(self, is_full: bool) -> None:
        """Stop or go on reading the request's body."""


class UpstreamConnection(asyncio.Protocol):
    """One connection to the meeting server."""

    __slots__ = (
        "_ended",
        "_framing",
        "_head_bytes",
        "_head_complete",
        "_headers",
        "_is_held",
        "_keep_alive",
        "_parser",
        "_pool",
        "_reason",
        "_surplus",
        "_trailers",
        "idle_since",
        "is_reused",
        "sink",
        "transport",
    )

    transport: asyncio.Transport  # from connection_made on

    def __init__(self, pool: "UpstreamPool") -> None:
        self._pool = pool
        self.sink: ResponseSink | None = None
        self.is_reused = False
        self._is_held = False  # the client takes no more
        self.idle_since = 0.0
        self._await_head()

    def _await_head(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._begin_message()

    def _begin_message(self) -> None:
        self._headers: Headers = []
        self._trailers: Headers = []
        self._reason = b""
        self._framing = NO_BODY
        self._head_complete = False
        self._head_bytes = 0
        self._keep_alive = False
        self._ended = False
        self._surplus = False

    # asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.transport.set_write_buffer_limits(high=WRITE_BUFFER)

    def data_received(self, data: bytes) -> None:
        sink = self.sink
        if sink is None:  # an answer nobody asked for: this connection is out of step
            self.close()
            return
        self._head_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as stop:
            self.sink = None
            sink.upgraded(self._headers, data[stop.args[0] :])
            self._parser = _SPENT
            return
        except httptools.HttpParserError as error:
            if not self._ended:
                self._lose(_blame(error))
                return
            self._surplus = True
        if self._ended:
            self._end(sink)
        elif not self._head_complete and self._head_bytes > self._pool.options.max_head_bytes:
            self._lose("the response's head is too large")
        else:
            sink.flush()
            if len(data) >= LARGE_READ:
                self._give_way()

    def _give_way(self) -> None:
        """Read no more before everybody else has had a turn."""
        if not self._is_held and not self.transport.is_closing():
            self.transport.pause_reading()
            asyncio.get_running_loop().call_soon(self._go_on)

    def _go_on(self) -> None:
        if not self._is_held and not self.transport.is_closing():
            self.transport.resume_reading()

    def _end(self, sink: ResponseSink) -> None:
        """Hand over the end, and only now that this read is used up: what follows an answer unasked is no answer."""
        reusable = self._keep_alive and self._framing != UNTIL_CLOSE and not self._surplus
        trailers = self._trailers
        if sink.is_to_head:
            self._await_head()  # llhttp still waits for the body that Content-Length announced
        else:
            self._begin_message()
        sink.response_end(trailers, reusable=reusable)

    def eof_received(self) -> None:
        self._lose("the connection was closed", clean=True)

    def connection_lost(self, exc: Exception | None) -> None:
        self._pool.forget(self)
        self._lose("the connection was lost", clean=exc is None)
        self._parser = _SPENT

    def pause_writing(self) -> None:
        if self.sink is not None:
            self.sink.upstream_is_full(True)

    def resume_writing(self) -> None:
        if self.sink is not None:
            self.sink.upstream_is_full(False)

    def _lose(self, why: str, *, clean: bool = False) -> None:
        sink, self.sink = self.sink, None
        self.close()
        if sink is None:
            return
        if clean and self._head_complete and self._framing == UNTIL_CLOSE:
            sink.response_end([], reusable=False)
        else:
            sink.upstream_lost(why, is_silent=not self._head_bytes)

    # httptools

    def on_message_begin(self) -> None:
        """Notice an answer that nobody asked for; nothing of it is taken."""
        self._surplus |= self._ended

    def on_status(self, reason: bytes) -> None:
        """Collect the reason phrase."""
        self._reason += reason

    def on_header(self, name: bytes, value: bytes) -> None:
        """Collect a header, or a trailer field after the body."""
        if not self._surplus:
            (self._trailers if self._head_complete else self._headers).append((name, value))

    def on_headers_complete(self) -> None:
        """Hand over the head; interim responses (1xx) are the gate's own business and are not relayed."""
        status = self._parser.get_status_code()
        sink = self.sink
        if status < 200 or sink is None or self._surplus:
            return
        head = read_response_head(status, self._reason, self._headers, to_head=sink.is_to_head)
        self._head_complete = True
        self._framing = head.body
        self._keep_alive = self._parser.should_keep_alive()
        sink.response_head(head)
        self._ended = sink.is_to_head  # whatever Content-Length says, nothing follows (RFC 9110 9.3.2)

    def on_body(self, data: bytes) -> None:
        """Hand over a piece of the body."""
        if self._ended:
            self._surplus = True
        elif self.sink is not None:
            self.sink.response_body(data)

    def on_message_complete(self) -> None:
        """Note the end of the response; after an interim one, the final response is still to come."""
        if self._head_complete:
            self._ended = True
        elif self._parser.get_status_code() != 101:
            self._begin_message()

    # The exchange

    def carry(self, sink: ResponseSink, request: bytes) -> None:
        """Begin an exchange."""
        self.sink = sink
        self._is_held = False
        self.transport.write(request)

    def hold(self, is_held: bool) -> None:
        """Stop or go on reading the response."""
        self._is_held = is_held
        if not self.transport.is_closing():
            if is_held:
                self.transport.pause_reading()
            else:
                self.transport.resume_reading()

    def release(self, *, reusable: bool) -> None:
        """End an exchange: wait for another one, or close."""
        self.sink = None
        if reusable and not self.transport.is_closing():
            self.is_reused = True
            self._pool.put(self)
        else:
            self.close()

    def close(self) -> None:
        """Close when all that was written has been sent."""
        self._pool.forget(self)
        self.transport.close()

    def abort(self) -> None:
        """Close at once: whoever this was carried for is gone."""
        self.sink = None
        self._pool.forget(self)
        self.transport.abort()


def _blame(error: httptools.HttpParserError) -> str:
    """Say what the upstream did; anything but its own fault is raised on."""
    if isinstance(error, httptools.HttpParserCallbackError):
        cause = error.__context__
        if not isinstance(cause, BadResponseError):
            raise error
        return str(cause)
    return "the response is not HTTP/1.1"


class UpstreamPool:
    """Opens connections to the meeting server, and keeps those that wait.

    Attributes:
        engine: what carries connections without TLS, to the meeting server and from clients; None for the event loop.
    """

    def __init__(self, options: UpstreamOptions) -> None:
        """Open nothing yet."""
        self.options = options
        self.engine = begin_engine()
        self._time = asyncio.get_running_loop().time
        self._idle: list[UpstreamConnection] = []

    def __len__(self) -> int:
        return len(self._idle)

    def take(self, now: float, *, is_repeatable: bool) -> UpstreamConnection | None:
        """Return the connection used last; for a request that cannot be repeated, only if that was just now."""
        while self._idle:
            connection = self._idle.pop()
            if connection.transport.is_closing():
                continue
            if is_repeatable or now - connection.idle_since <= FRESH:
                return connection
            self._idle.append(connection)
            return None
        return None

    async def connect(self) -> UpstreamConnection:
        """Open a connection.

        Raises:
            OSError, TimeoutError, ssl.SSLError: it could not be opened in time.
        """
        options = self.options
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(options.connect_timeout):
            if self.engine is not None and options.tls is None:
                connection = UpstreamConnection(self)
                await connect(self.engine, options.endpoint, connection)
            elif isinstance(options.endpoint, UnixEndpoint):
                _, connection = await loop.create_unix_connection(
                    lambda: UpstreamConnection(self), str(options.endpoint.unix)
                )
            else:
                host = options.endpoint.host
                _, connection = await loop.create_connection(
                    lambda: UpstreamConnection(self),
                    host,
                    options.endpoint.port,
                    ssl=options.tls,
                    server_hostname=host if options.tls else None,
                )
        return connection

    def put(self, connection: UpstreamConnection) -> None:
        """Let a connection wait for its next exchange."""
        if len(self._idle) >= self.options.max_idle_connections:
            connection.close()
            return
        connection.idle_since = self._time()
        self._idle.append(connection)

    def forget(self, connection: UpstreamConnection) -> None:
        """Drop a connection that is closing."""
        if connection in self._idle:
            self._idle.remove(connection)

    def sweep(self, now: float) -> None:
        """Close what has waited too long; the oldest come first."""
        while self._idle and now - self._idle[0].idle_since > self.options.idle_timeout:
            self._idle[0].close()

    def close(self) -> None:
        """Close whatever waits; nothing can be carried by the engine afterwards."""
        while self._idle:
            self._idle[-1].close()
        if self.engine is not None:
            end_engine(self.engine)
