"""A wire tap before a meeting server's own interface: everything that the gate asks of it, for the tests to look at."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web
from yarl import URL

NEVER = re.compile(rb"destroy|delete|\bend\b|end_?meeting|lock|close_?room|kick_?all|ban|outcast", re.IGNORECASE)
"""What would end, close, lock or delete a meeting, or outlast the order; no request may hold any of it."""


@dataclass
class Tap:
    """What went through.

    Attributes:
        url: to be used instead of the interface's own.
        asked: method, path with query, and body of every request.
    """

    url: str = ""
    asked: list[tuple[str, str, bytes]] = field(default_factory=list)

    def offences(self) -> list[tuple[str, str, bytes]]:
        """Return the requests that ask for what no adapter may ask for."""
        return [
            each for each in self.asked if each[0] not in {"GET", "POST"} or NEVER.search(each[1].encode() + each[2])
        ]


@contextlib.asynccontextmanager
async def tapped(url: str) -> AsyncIterator[Tap]:
    """Pass on what comes to whoever answers at `url`."""
    tap, target = Tap(), URL(url)
    async with aiohttp.ClientSession() as session:

        async def relay(request: web.Request) -> web.Response:
            body = await request.read()
            tap.asked.append((request.method, request.path_qs, body))
            headers = {name: value for name, value in request.headers.items() if name.lower() != "host"}
            asked = target.origin().join(URL(request.raw_path, encoded=True))
            async with session.request(request.method, asked, data=body, headers=headers) as answer:
                return web.Response(status=answer.status, body=await answer.read())

        application = web.Application()
        application.router.add_route("*", "/{path:.*}", relay)
        runner = web.AppRunner(application)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        try:
            port = runner.addresses[0][1]
            tap.url = str(target.with_host("127.0.0.1").with_port(port))
            yield tap
        finally:
            await runner.cleanup()
            await asyncio.sleep(0)
