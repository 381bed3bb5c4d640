"""Debian's Janus with a gate before it."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from tests.edges.served import Served
from tests.integration.gate_in_front import gate_in_front
from tests.integration.janus_server import ADMIN_SECRET, JanusServer, running_janus


@contextlib.asynccontextmanager
async def janus_behind_gate(
    path: Path, database: Path, *, http: bool = False, settings: str = "", media_address: str = ""
) -> AsyncIterator[tuple[JanusServer, Served]]:
    """Serve in front of one of its transports, HTTP or WebSocket; the rest as janus_server.running_janus has it."""
    for name in ("janus", "gate"):
        (path / name).mkdir()
    async with (
        running_janus(path / "janus", settings=settings, media_address=media_address) as janus,
        gate_in_front(
            path / "gate",
            database,
            janus.http_port if http else janus.websocket_port,
            "janus",
            admin_url=janus.admin_url,
            secret=ADMIN_SECRET,
        ) as gate,
    ):
        yield janus, gate
