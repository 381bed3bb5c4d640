"""A gate, as an operator runs it, in front of a real meeting server; clients that come to it from made-up countries."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from tests.edges.served import Folder, Served
from tests.edges.served_stub import coming_from, order_against
from tests.integration.recorded_admin import tapped

__all__ = ["coming_from", "confirmed", "gate_in_front", "lift", "order_against"]


@contextlib.asynccontextmanager
async def gate_in_front(
    path: Path,
    database: Path,
    port: int,
    server: str,
    *,
    admin_url: str = "",
    secret: str = "",
    more: str = "",
    admin_more: str = "",
) -> AsyncIterator[Served]:
    """Serve in front of the meeting server at a port of this machine.

    Args:
        path: an empty folder.
        database: the demo database.
        port: the meeting server's.
        server: its kind.
        admin_url: its own interface; "" for none.
        secret: of that interface.
        more: further lines of [upstream].
        admin_more: further lines of [upstream.admin].

    Whatever the gate asks of that interface is looked through at the end: nothing may end a meeting (G3).
    """
    lines = [f'server = "{server}"', more]
    async with contextlib.AsyncExitStack() as stack:
        tap = None
        if admin_url:
            tap = await stack.enter_async_context(tapped(admin_url))
            (path / "secret").write_text(secret)
            (path / "secret").chmod(0o600)
            lines += ["[upstream.admin]", f'url = "{tap.url}"', 'secret_file = "secret"', admin_more]
        folder = Folder(path, database, upstream_port=port, server="\n".join(lines))
        yield await stack.enter_async_context(Served(folder))
        if tap is not None:
            assert tap.offences() == []


async def lift(gate: Served) -> None:
    """Take the order away again."""
    gate.folder.remove("order.toml")
    await gate.reloaded()


async def confirmed(gate: Served, count: int) -> None:
    """Wait until nothing of an ejection is left open, and the ledger says that each ended as it should."""
    await gate.status_when(lambda status: status["ejections"]["under_way"] == 0)
    await gate.ledger_says(f"{count} ejections, {count} confirmed, 0 still present")
