"""Accepting TLS: a handshake counts as a connection from its first moment, and has a deadline like a head.

An event loop's own TLS server tells nobody of a connection before its handshake is over: any number of clients that
never finish theirs would be held, a minute each, beside `max_connections`.
"""

import asyncio
import math
import socket
import ssl
from typing import cast

from joingate.gate.accepting import Accepting
from joingate.gate.downstream import Downstream
from joingate.gate.gate import Gate
from joingate.gate.upstream import UpstreamPool


class Handshake:
    """A handshake under way, in the place of the connection to come (gate.Connection)."""

    __slots__ = ("deadline", "task")

    def __init__(self) -> None:
        self.deadline = math.inf  # the event loop keeps it
        self.task: asyncio.Task[None] = cast("asyncio.Task[None]", None)  # set as soon as there is one

    def on_deadline(self) -> None:
        """Nothing: see `deadline`."""

    def drain(self) -> None:
        """End now: nothing has been asked yet."""
        self.abort()

    def abort(self) -> None:
        """End now."""
        self.task.cancel()


class _AfterHandshake(Downstream):
    """A connection that takes the place of its handshake."""

    __slots__ = ("handshake",)

    def __init__(self, gate: Gate, pool: UpstreamPool, handshake: Handshake) -> None:
        super().__init__(gate, pool)
        self.handshake = handshake

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.gate.connections.discard(self.handshake)
        self.gate.turned_away.discard(self.handshake)
        super().connection_made(transport)


class TlsServer(Accepting):
    """Accepts on a socket, and shakes hands."""

    def __init__(
        self, listening: socket.socket, gate: Gate, pool: UpstreamPool, context: ssl.SSLContext, backlog: int
    ) -> None:
        """Begin to accept on a socket that is bound to its address."""
        self._gate = gate
        self._pool = pool
        self._context = context
        super().__init__(listening, backlog)

    def _accept_one(self, listening: socket.socket) -> bool:
        accepted, _ = listening.accept()
        accepted.setblocking(False)
        self._begin(accepted)
        return True

    def _begin(self, accepted: socket.socket) -> None:
        """Shake hands; where there is no room, too, to say so, unless too many are being told already."""
        gate = self._gate
        if gate.is_full and not gate.can_turn_away:
            accepted.close()
            return
        handshake = Handshake()
        (gate.turned_away if gate.is_full else gate.connections).add(handshake)
        handshake.task = self._loop.create_task(self._shake_hands(accepted, handshake))

    async def _shake_hands(self, accepted: socket.socket, handshake: Handshake) -> None:
        gate, options = self._gate, self._gate.options
        try:
            await self._loop.connect_accepted_socket(
                lambda: _AfterHandshake(gate, self._pool, handshake),
                accepted,
                ssl=self._context,
                ssl_handshake_timeout=options.head_timeout,
                ssl_shutdown_timeout=options.close_timeout,
            )
        except OSError:
            accepted.close()  # what was no handshake, or none in time: there is nobody to be told
        except asyncio.CancelledError:
            accepted.close()
            raise
        finally:
            gate.connections.discard(handshake)
            gate.turned_away.discard(handshake)
