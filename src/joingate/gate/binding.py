"""The sockets that a gate listens on, bound before anything is served: what cannot be had is known at once.

For several processes every TCP address is bound once for each of them (SO_REUSEPORT): the kernel spreads connections
over them, and what waits in one's queue stays there while its process is replaced, as long as another has the socket
open. A unix socket cannot be bound twice; its processes share one queue.
"""

import errno
import os
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from joingate.codecs.endpoint import Endpoint, TcpEndpoint, UnixEndpoint
from joingate.core.errors import RefusedInputError


def bind(endpoints: Sequence[Endpoint]) -> list[socket.socket]:
    """Bind a socket, or several where a name has several addresses, to each endpoint; none listens yet.

    Raises:
        RefusedInputError: an endpoint cannot be had, with the reason; nothing stays open.
    """
    (bound,) = bind_for_several(endpoints, 1)
    return bound


def bind_for_several(endpoints: Sequence[Endpoint], processes: int) -> list[list[socket.socket]]:
    """Bind for several processes; returns each one's sockets. Port 0 is the same port for all.

    Raises:
        RefusedInputError: an endpoint cannot be had, with the reason; nothing stays open.
    """
    bound: list[list[socket.socket]] = [[] for _ in range(processes)]
    for endpoint in endpoints:
        try:
            if isinstance(endpoint, UnixEndpoint):
                shared = _bind_unix(endpoint.unix)
                for each in bound:
                    each.append(shared if each is bound[0] else shared.dup())
            else:
                _bind_tcp(endpoint, bound)
        except OSError as error:
            close_all(bound)
            # A resolver's errors have numbers of their own.
            is_lookup = isinstance(error, socket.gaierror)
            reason = error.strerror if is_lookup else os.strerror(error.errno or errno.EADDRNOTAVAIL)
            raise RefusedInputError(f"gate.listen: {endpoint}: {reason}; free it or choose another") from None
    return bound


def bind_beside(family: int, address: Any) -> socket.socket:
    """Bind an address once more, of which others of the same gate's processes have sockets (SO_REUSEPORT).

    Raises:
        OSError: it cannot be had.
    """
    made = _tcp_socket(family, socket.SOCK_STREAM, 0)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        made.bind(address)
    except OSError:
        made.close()
        raise
    return made


def close_all(bound: Sequence[Sequence[socket.socket]]) -> None:
    """Close every socket: what still waits in a queue that nobody else has open is refused."""
    for sockets in bound:
        for each in sockets:
            each.close()


def _bind_tcp(endpoint: TcpEndpoint, bound: list[list[socket.socket]]) -> None:
    found = socket.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    for family, kind, protocol, _, address in dict.fromkeys(found):
        if len(bound) > 1:
            # Without SO_REUSEPORT, for a moment: with it, a second gate on the same port would be let in unnoticed.
            probe = _tcp_socket(family, kind, protocol)
            with probe:
                probe.bind(address)
                wanted = (address[0], probe.getsockname()[1], *address[2:])
            for each in bound:
                each.append(bind_beside(family, wanted))
            continue
        alone = _tcp_socket(family, kind, protocol)
        bound[0].append(alone)
        alone.bind(address)


def _tcp_socket(family: int, kind: int, protocol: int) -> socket.socket:
    made = socket.socket(family, kind, protocol)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)  # "[::]:80" and "0.0.0.0:80" are two addresses
    return made


def _bind_unix(path: Path) -> socket.socket:
    _remove_stale_socket(path)
    made = socket.socket(socket.AF_UNIX)
    try:
        made.bind(str(path))
    except OSError:
        made.close()
        raise
    return made


def _remove_stale_socket(path: Path) -> None:
    """Remove a socket file that nobody answers on, as a gate that was killed leaves behind.

    Raises:
        OSError: somebody answers; to take the path away from them would say nothing to anybody.
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
