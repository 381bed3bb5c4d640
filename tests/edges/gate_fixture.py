"""A whole gate inside a test's own event loop, between raw clients and a meeting server that the test scripts.

Every byte is the test's: no HTTP library stands between it and the gate, so what is malformed can be sent, what arrives
at the meeting server is recorded as it came, and what is sent to the client is read strictly.
"""

import asyncio
import contextlib
import functools
import inspect
import math
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest
import uvloop

from joingate.codecs.dialect import Dialect
from joingate.codecs.endpoint import Endpoint, TcpEndpoint, UnixEndpoint
from joingate.codecs.join_request import JoinMatcher
from joingate.codecs.join_route import JoinRoute, Source
from joingate.core.location import place
from joingate.core.model import UNKNOWN, Address, Cause, Location, Verdict
from joingate.core.recording import Remover
from joingate.core.rule_set import RuleSet
from joingate.core.rules import Rule
from joingate.gate.binding import bind
from joingate.gate.gate import Gate
from joingate.gate.listener import Listening, drain, listen, sweep
from joingate.gate.options import GateOptions
from joingate.gate.upstream import UpstreamOptions, UpstreamPool
from tests.recorders import FreeRecorder

CN = "127.86.0.1"
HK = "127.85.0.1"
NOWHERE = "127.99.0.1"
PLACES = {CN: "CN", "127.86.0.2": "CN", HK: "HK", "127.0.0.1": "HK"}

JOIN = "/meetings/m/join"
ROUTE = JoinRoute(
    "/meetings/{meeting}/join", Source("path", "meeting"), Source("query", "user"), (Source("query", "role"), "host")
)

LIMIT = 60.0
"""Seconds after which a test is stuck: a bound for a broken gate, never a figure."""

Header = tuple[bytes, bytes]


def on_both_loops(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Run a test on uvloop and on asyncio's own loop, and fail it on anything the loop reports as unhandled."""

    @functools.wraps(test)
    def run(loop_factory: Callable[[], asyncio.AbstractEventLoop], **arguments: Any) -> None:
        reported: list[dict[str, Any]] = []
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            runner.get_loop().set_exception_handler(lambda _, context: reported.append(context))
            runner.run(asyncio.wait_for(test(**arguments), LIMIT))
        assert not reported, reported

    signature = inspect.signature(test)
    extra = inspect.Parameter("loop_factory", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    vars(run)["__signature__"] = signature.replace(
        parameters=[extra, *signature.parameters.values()], return_annotation=None
    )
    mark = pytest.mark.parametrize(
        "loop_factory", [uvloop.new_event_loop, asyncio.new_event_loop], ids=["uvloop", "asyncio"]
    )
    return cast("Callable[..., None]", mark(run))


async def eventually(condition: Callable[[], object]) -> None:
    """Wait until `condition` holds; a test in which it never does ends at its limit."""
    while not condition():  # noqa: ASYNC110 - anything may make it true
        await asyncio.sleep(0.002)


def rejected(gate: Gate) -> int:
    """Count the joins that a gate has rejected."""
    return sum(count for (verdict, _), count in gate.tally.decisions.items() if verdict is Verdict.REJECT)


@dataclass(slots=True)
class Response:
    """One response as it came; header names in lower case."""

    status: int
    headers: list[Header]
    body: bytes = b""
    trailers: list[Header] = field(default_factory=list)
    is_complete: bool = True

    def __getitem__(self, name: str) -> bytes | None:
        values = [value for key, value in self.headers if key == name.encode()]
        assert len(values) < 2, values
        return values[0] if values else None


class Wire:
    """One raw connection: the client's to the gate, or the gate's to the meeting server. `received` keeps all read."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer
        self.received = bytearray()

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    def stop_reading(self) -> None:
        """Leave what comes to the kernel, until its buffers are full."""
        cast("asyncio.Transport", self.writer.transport).pause_reading()

    def go_on_reading(self) -> None:
        cast("asyncio.Transport", self.writer.transport).resume_reading()

    async def read(self, size: int) -> bytes:
        return self._kept(await self._reader.readexactly(size))

    async def until(self, end: bytes) -> bytes:
        return self._kept(await self._reader.readuntil(end))

    async def rest(self) -> bytes:
        """Read up to the end of the stream, a reset included."""
        rest = bytearray()
        with contextlib.suppress(ConnectionError):
            while data := await self._reader.read(1 << 16):
                rest += data
        return self._kept(bytes(rest))

    def _kept(self, data: bytes) -> bytes:
        self.received += data
        return data

    async def head(self) -> tuple[bytes, list[Header]]:
        """Read a head, strictly: its first line and its headers."""
        first, *lines = (await self.until(b"\r\n\r\n")).removesuffix(b"\r\n\r\n").split(b"\r\n")
        return first, [_header(line) for line in lines]

    async def chunks(self) -> tuple[bytes, list[Header]]:
        """Read a chunked body and its trailers."""
        body = bytearray()
        while size := int(await self.until(b"\r\n"), 16):
            body += await self.read(size)
            assert await self.read(2) == b"\r\n"
        trailers = []
        while (line := await self.until(b"\r\n")) != b"\r\n":
            trailers.append(_header(line.removesuffix(b"\r\n")))
        return bytes(body), trailers

    async def body(self, headers: list[Header]) -> tuple[bytes, list[Header]]:
        """Read a request's body as its headers frame it."""
        framing = _framing(headers)
        if framing is None:
            return b"", []
        return await self.chunks() if framing == b"chunked" else (await self.read(int(framing)), [])

    async def response(self, *, to_head: bool = False) -> Response:
        """Read one response, interim ones as well; a body cut short is not `is_complete`."""
        first, headers = await self.head()
        version, status, *_ = first.split(b" ", 2)
        assert version == b"HTTP/1.1"
        response = Response(int(status), headers)
        framing = _framing(headers)
        if to_head or response.status < 200 or response.status in {204, 304}:
            return response
        try:
            if framing is None:
                assert response["connection"] == b"close"
                response.body = await self.rest()
            elif framing == b"chunked":
                response.body, response.trailers = await self.chunks()
            else:
                response.body = await self.read(int(framing))
        except (asyncio.IncompleteReadError, ConnectionError):
            response.is_complete = False
        return response

    def abort(self) -> None:
        with contextlib.suppress(AttributeError):  # asyncio's transport after its end, up to Python 3.12 or so
            self.writer.transport.abort()


def _header(line: bytes) -> Header:
    name, colon, value = line.partition(b":")
    assert colon, line
    assert name == name.strip()
    return name.lower(), value.strip(b" \t")


def _framing(headers: list[Header]) -> bytes | None:
    values = [value for name, value in headers if name in {b"content-length", b"transfer-encoding"}]
    assert len(values) < 2, headers
    return values[0] if values else None


Script = Callable[[Wire], Awaitable[None]]


async def answer_all(wire: Wire) -> None:
    """A meeting server that answers each request with its own method and target, and its body."""
    while True:
        try:
            first, headers = await wire.head()
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        body, _ = await wire.body(headers)
        content = first.removesuffix(b" HTTP/1.1") + b"|" + body
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(content))
        if not first.startswith(b"HEAD "):
            wire.send(content)


class Upstream:
    """The meeting server: `script` runs once for each connection, which is closed when it returns."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.wires: list[Wire] = []
        self.open = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    @property
    def received(self) -> bytes:
        """What all connections have brought and the script has read, one after the other."""
        return b"".join(bytes(wire.received) for wire in self.wires)

    async def start(self, path: Path | None, tls: ssl.SSLContext | None) -> Endpoint:
        if path is not None:
            self._server = await asyncio.start_unix_server(self._serve, path)
            return UnixEndpoint(path)
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=tls)
        return TcpEndpoint("127.0.0.1", self._server.sockets[0].getsockname()[1])

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.open += 1
        wire = Wire(reader, writer)
        self.wires.append(wire)
        try:
            with contextlib.suppress(asyncio.CancelledError, asyncio.IncompleteReadError, ConnectionError):
                await self.script(wire)
        finally:
            self.open -= 1
            writer.close()
            self._tasks.discard(task)

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        for task in self._tasks.copy():
            task.cancel()
        await eventually(lambda: not self._tasks)


@dataclass(slots=True)
class Bench:
    """The gate, its meeting server, and the way to both."""

    gate: Gate
    recorder: FreeRecorder
    pool: UpstreamPool
    upstream: Upstream
    servers: list[Listening]
    endpoint: Endpoint
    clients: list[Wire] = field(default_factory=list)

    @property
    def port(self) -> int:
        assert isinstance(self.endpoint, TcpEndpoint)
        return self.endpoint.port

    async def open(self, local: str = HK, *, tls: ssl.SSLContext | None = None) -> Wire:
        """Connect a client whose address is `local`."""
        if isinstance(self.endpoint, UnixEndpoint):
            reader, writer = await asyncio.open_unix_connection(self.endpoint.unix)
        else:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port, local_addr=(local, 0), ssl=tls)
        wire = Wire(reader, writer)
        self.clients.append(wire)
        return wire

    async def ask(self, request: bytes, local: str = HK) -> Response:
        """Send a request on a connection of its own and read its response."""
        wire = await self.open(local)
        wire.send(request)
        return await wire.response(to_head=request.startswith(b"HEAD "))

    async def drain(self, grace: float) -> None:
        """Send the gate away."""
        await drain(self.gate, self.pool, self.servers, grace)


@contextlib.asynccontextmanager
async def gate_bench(
    script: Script = answer_all,
    *,
    options: GateOptions | None = None,
    upstream_options: dict[str, Any] | None = None,
    dialect: Dialect | None = None,
    remover: Remover | None = None,
    rules: tuple[Rule, ...] = (),
    tls: ssl.SSLContext | None = None,
    upstream_tls: ssl.SSLContext | None = None,
    unix: tuple[Path, Path] | None = None,
    listen_on: str = "127.0.0.1",
) -> AsyncIterator[Bench]:
    """Run a gate; at the end nothing may be left of any connection.

    Args:
        script: the meeting server.
        options: of the gate.
        upstream_options: of the pool, beside the endpoint.
        dialect: what reads joins that are no requests of their own.
        remover: what sees ejections through.
        rules: in force from the start; the gate's clock stands at 50.
        tls: downstream.
        upstream_tls: the meeting server's; the gate's own context is among `upstream_options`.
        unix: sockets of the gate and of the meeting server, instead of TCP.
        listen_on: the gate's address.
    """
    upstream = Upstream(script)
    given = {"endpoint": await upstream.start(unix and unix[1], upstream_tls), "host_header": b"up"}
    pool = UpstreamPool(UpstreamOptions(**(given | (upstream_options or {}))))
    matcher = JoinMatcher([ROUTE], fold=str)
    recorder = FreeRecorder()
    gate = Gate(
        options or GateOptions(),
        matcher,
        RuleSet(rules),
        _locate,
        recorder,
        dialect=dialect,
        remover=remover,
        now=lambda: 50.0,
    )
    endpoint: Endpoint = UnixEndpoint(unix[0]) if unix else TcpEndpoint(listen_on, 0)
    servers = await listen(gate, pool, bind([endpoint]), tls)
    if not unix:
        endpoint = TcpEndpoint(listen_on, servers[0].sockets[0].getsockname()[1])
    bench = Bench(gate, recorder, pool, upstream, servers, endpoint)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("joingate.gate.listener.TICK", 0.01)
        sweeper = asyncio.get_running_loop().create_task(sweep(gate, pool))
        await asyncio.sleep(0)
        try:
            yield bench
            assert not sweeper.done()
            for client in bench.clients:
                client.abort()
            if gate.polling is not None:
                gate.polling.sweep(math.inf)
            await eventually(lambda: not gate.connections and not len(gate.roster))
            pool.close()
            await eventually(lambda: not upstream.open)
        finally:
            sweeper.cancel()
            for server in servers:
                server.close()
            for client in bench.clients:
                client.abort()
            await upstream.stop()
            pool.close()
            await asyncio.sleep(0)


def _locate(address: Address | None, now: float) -> Location:  # noqa: ARG001 - a Locate's signature
    code = PLACES.get(str(address))
    return UNKNOWN[Cause.NOT_FOUND] if code is None else place(code)
