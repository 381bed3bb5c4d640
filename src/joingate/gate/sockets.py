"""Who carries the bytes of connections without TLS: the event loop or, where it is compiled, the engine in C.

The engine (deploy/native/engine.c) has its own epoll instance inside the event loop's. Its transports do what the
event loop's do, for less; what runs over them is the same.
"""

import asyncio
import contextlib
import errno
import os
import socket
from collections.abc import Sequence
from functools import partial
from importlib.util import find_spec
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final, cast

from joingate.codecs.endpoint import Endpoint, UnixEndpoint

if TYPE_CHECKING:
    from joingate.gate._engine import Engine, Transport

HAS_ENGINE: Final = find_spec("joingate.gate._engine") is not None


def begin_engine() -> "Engine | None":
    """Begin an engine on the running event loop; None where it is not compiled."""
    if not HAS_ENGINE:
        return None
    from joingate.gate import _engine  # noqa: PLC0415 - only there where it is compiled

    loop = asyncio.get_running_loop()
    engine = _engine.Engine(partial(_report, loop))
    engine.wake = partial(loop.call_soon, engine.run)
    loop.add_reader(engine.fileno(), engine.run)
    return engine


def _report(
    loop: asyncio.AbstractEventLoop, what: str, error: BaseException, transport: "Transport", protocol: object
) -> None:
    """Say what an event loop would say of an exception that came out of a protocol."""
    if not isinstance(error, Exception):
        loop.call_soon(_raise, error)  # it is for whoever runs the loop
        return
    context = {"message": what, "exception": error, "transport": transport, "protocol": protocol}
    loop.call_exception_handler(context)


def _raise(error: BaseException) -> None:
    raise error


def end_engine(engine: "Engine") -> None:
    """End all connections that are left, at once."""
    asyncio.get_running_loop().remove_reader(engine.fileno())
    engine.close()


async def connect(engine: "Engine", endpoint: Endpoint, protocol: asyncio.Protocol) -> None:
    """Open a connection to `endpoint` for `protocol`, by the first of its addresses that can be reached.

    Raises:
        OSError: there is none.
    """
    problem = OSError("no address")
    for family, address in await _addresses_of(endpoint):
        try:
            await _connect_to(engine, family, address, protocol)
        except OSError as error:
            problem = error
        else:
            return
    raise problem


def send_at_once(each: socket.socket) -> None:
    """Have a small write sent although an earlier one is not acknowledged; what is accepted inherits it (Linux)."""
    if each.family != socket.AF_UNIX:
        each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


async def _addresses_of(endpoint: Endpoint) -> Sequence[tuple[int, object]]:
    """Return families and addresses of an endpoint; a name is looked up, in a thread of the event loop's."""
    if isinstance(endpoint, UnixEndpoint):
        return [(socket.AF_UNIX, str(endpoint.unix))]
    with contextlib.suppress(ValueError):
        literal = ip_address(endpoint.host)
        return [(socket.AF_INET if literal.version == 4 else socket.AF_INET6, (endpoint.host, endpoint.port))]
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM)
    return [(family, address) for family, _, _, _, address in found]


async def _connect_to(engine: "Engine", family: int, address: object, protocol: asyncio.Protocol) -> None:
    connecting = socket.socket(family, socket.SOCK_STREAM)
    try:
        connecting.setblocking(False)
        send_at_once(connecting)
        _check(connecting.connect_ex(cast("str", address)), errno.EINPROGRESS)
        await _writable(connecting)
        _check(connecting.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
    except BaseException:
        connecting.close()
        raise
    engine.adopt(connecting.detach(), protocol, address)


def _check(error: int, *expected: int) -> None:
    if error and error not in expected:
        raise OSError(error, os.strerror(error))


async def _writable(connecting: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    connected: asyncio.Future[None] = loop.create_future()
    loop.add_writer(connecting, _settle, connected)
    try:
        await connected
    finally:
        loop.remove_writer(connecting)


def _settle(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
