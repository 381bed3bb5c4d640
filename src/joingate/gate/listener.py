"""Where the gate listens, how deadlines are kept, and how it goes away."""

import asyncio
import contextlib
import errno
import os
import socket
import ssl
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Final, Protocol

from joingate.codecs.endpoint import Endpoint, UnixEndpoint
from joingate.core.errors import RefusedInputError
from joingate.gate.downstream import Downstream
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
    gate: Gate, pool: UpstreamPool, endpoints: Sequence[Endpoint], tls: ssl.SSLContext | None
) -> list[Listening]:
    """Accept connections on every endpoint.

    Raises:
        RefusedInputError: an endpoint cannot be had, with the reason; nothing stays open.
    """
    loop = asyncio.get_running_loop()
    servers: list[Listening] = []
    for endpoint in endpoints:
        try:
            if isinstance(endpoint, UnixEndpoint):
                _remove_stale_socket(endpoint.unix)
                server = await loop.create_unix_server(
                    lambda: Downstream(gate, pool), str(endpoint.unix), backlog=BACKLOG, start_serving=tls is None
                )
            else:
                server = await loop.create_server(
                    lambda: Downstream(gate, pool),
                    endpoint.host,
                    endpoint.port,
                    backlog=BACKLOG,
                    start_serving=tls is None,
                )
        except OSError as error:
            for opened in servers:
                opened.close()
            # asyncio's own text names the address a second time; a resolver's errors have numbers of their own.
            is_lookup = isinstance(error, socket.gaierror)
            reason = error.strerror if is_lookup else os.strerror(error.errno or errno.EADDRNOTAVAIL)
            raise RefusedInputError(f"gate.listen: {endpoint}: {reason}; free it or choose another") from None
        _find_the_dead(server.sockets)
        servers.append(server if tls is None else TlsServer(server, gate, pool, tls, BACKLOG))
    return servers


def _find_the_dead(listening: Sequence[socket.socket]) -> None:
    """Have the kernel ask silent peers whether they are there; what is accepted inherits it (Linux), at no cost."""
    for each in listening:
        if each.family != socket.AF_UNIX:
            with socket.socket(fileno=os.dup(each.fileno())) as same:  # uvloop's own stands for it, and sets nothing
                same.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
                for option, value in KEEPALIVE.items():
                    same.setsockopt(socket.IPPROTO_TCP, option, value)


def _remove_stale_socket(path: Path) -> None:
    """Remove a socket file that nobody answers on, as a gate that was killed leaves behind.

    Raises:
        OSError: somebody answers; asyncio would take the path away from them without a word.
    """
    if not path.is_socket():
        return
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
            return
    raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))


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
