"""Where the gate listens, how deadlines are kept, and how it goes away."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Final, Protocol

from joingate.core.errors import RefusedInputError
from joingate.gate.downstream import Downstream
from joingate.gate.fast_path import EngineServer
from joingate.gate.gate import Gate
from joingate.gate.tls_server import TlsServer
from joingate.gate.upstream import UpstreamPool

BACKLOG: Final = 4096
"""Handshakes that wait for accept; the kernel caps it at net.core.somaxconn, whose default is 4096 since Linux 5.4."""

KEEPALIVE: Final = {socket.TCP_KEEPIDLE: 60, socket.TCP_KEEPINTVL: 15, socket.TCP_KEEPCNT: 4}
"""Seconds of silence after which a peer is asked, between two questions, and how many: whoever has vanished without a
word, as a telephone out of reach does, is gone from the roster within two minutes."""

TICK: Final = 0.25
"""Seconds between two looks at all deadlines: one sweep is cheaper than a timer for each connection and phase."""


def tls_server_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """Return a context for downstream TLS.

    Raises:
        RefusedInputError: the files are no certificate and its key.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(certificate, key, password="")  # an encrypted key is refused, not asked for
    except (OSError, ssl.SSLError) as error:
        reason = getattr(error, "reason", None) or error.strerror or "unreadable"
        raise RefusedInputError(
            f"{certificate}: not a certificate chain with its key in {key} ({reason}); "
            "give PEM files that belong together"
        ) from None
    return context


def tls_client_context(ca_file: Path | None) -> ssl.SSLContext:
    """Return a context for TLS to the upstream, whose name is always checked.

    Raises:
        RefusedInputError: the CA file is none.
    """
    try:
        context = ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
    except (OSError, ssl.SSLError):
        raise RefusedInputError(f"{ca_file}: not a PEM file of CA certificates; give one") from None
    context.set_alpn_protocols(["http/1.1"])
    return context


class Listening(Protocol):
    """What accepts connections."""

    @property
    def sockets(self) -> Sequence[socket.socket]:
        """Where."""

    def close(self) -> None:
        """Accept no more."""


async def listen(
    gate: Gate, pool: UpstreamPool, sockets: Sequence[socket.socket], tls: ssl.SSLContext | None
) -> list[Listening]:
    """Accept connections on every socket, each bound to its address; closing what is returned closes its socket."""
    loop = asyncio.get_running_loop()
    servers: list[Listening] = []
    for each in sockets:
        _find_the_dead(each)
        if tls is not None:
            servers.append(TlsServer(each, gate, pool, tls, BACKLOG))
            continue
        if pool.engine is not None:
            servers.append(EngineServer(each, gate, pool, pool.engine, BACKLOG))
            continue
        create = loop.create_unix_server if each.family == socket.AF_UNIX else loop.create_server
        servers.append(await create(lambda: Downstream(gate, pool), sock=each, backlog=BACKLOG))
    return servers


def _find_the_dead(listening: socket.socket) -> None:
    """Have the kernel ask silent peers whether they are there; what is accepted inherits it (Linux), at no cost."""
    if listening.family != socket.AF_UNIX:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in KEEPALIVE.items():
            listening.setsockopt(socket.IPPROTO_TCP, option, value)


async def sweep(gate: Gate, pool: UpstreamPool) -> None:
    """Keep deadlines until cancelled."""
    time = asyncio.get_running_loop().time
    while True:
        await asyncio.sleep(TICK)
        now = time()
        for connection in [each for each in chain(gate.connections, gate.turned_away) if each.deadline < now]:
            connection.on_deadline()
        pool.sweep(now)
        if gate.polling is not None:
            gate.polling.sweep(now)


async def drain(gate: Gate, pool: UpstreamPool, servers: Sequence[Listening], grace: float) -> None:
    """Go away: accept nothing, let exchanges end, and after `grace` seconds close every WebSocket with 1001."""
    gate.is_draining = True
    for server in servers:
        server.close()
    for connection in tuple(gate.connections):
        if isinstance(connection, Downstream) and not connection.is_fresh:
            connection.drain()
    await _until_empty(gate, grace)
    for connection in tuple(gate.connections):
        connection.drain()
    await _until_empty(gate, gate.options.close_timeout)
    for connection in (*gate.connections, *gate.turned_away):
        connection.abort()
    pool.close()


async def _until_empty(gate: Gate, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while gate.connections:  # noqa: ASYNC110 - connections end by themselves; nothing to wait on for all of them
                await asyncio.sleep(0.02)
