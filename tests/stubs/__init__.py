"""Stand-ins for meeting servers that cannot run here: on loopback, and behaving as the servers' sources say they do."""

import contextlib
from collections.abc import AsyncIterator, Mapping

from aiohttp import web


@contextlib.asynccontextmanager
async def serving(app: web.Application) -> AsyncIterator[int]:
    """Serve an application on a port of 127.0.0.1 that the system chooses, and yield the port."""
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


@contextlib.asynccontextmanager
async def answering(status: int, body: bytes, headers: Mapping[str, str] | None = None) -> AsyncIterator[str]:
    """Answer every request alike, and yield the address to ask."""

    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, body=body, headers=headers)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    async with serving(app) as port:
        yield f"http://127.0.0.1:{port}"
