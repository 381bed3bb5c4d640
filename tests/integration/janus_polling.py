"""Clients of Janus over HTTP: requests and long polls, one by one, or what janus.js makes of them."""

import asyncio
from collections.abc import Callable
from itertools import count

import aiohttp
import orjson

from tests.integration.janus_server import LIMIT, JanusTalk, Message


class Polling:
    """Janus over HTTP: one session, its requests and its long polls."""

    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self.http = http
        self.url = url
        self.path = ""

    async def ask(self, path: str = "", **fields: object) -> tuple[int, Message]:
        body = orjson.dumps({"transaction": "t", **fields})
        async with self.http.post(self.url + path, data=body) as answer:
            return answer.status, orjson.loads(await answer.read())

    async def begin(self) -> None:
        _, said = await self.ask(janus="create")
        self.path = f"/{said['data']['id']}"

    async def attach(self) -> str:
        _, said = await self.ask(self.path, janus="attach", plugin="janus.plugin.videoroom")
        return f"{self.path}/{said['data']['id']}"

    async def poll(self) -> tuple[int, Message]:
        async with self.http.get(f"{self.url}{self.path}?maxev=1") as answer:
            return answer.status, orjson.loads(await answer.read())

    async def message(self, handle: str, **body: object) -> tuple[int, Message]:
        return await self.ask(handle, janus="message", body=body)


class PollingClient(JanusTalk):
    """One session over HTTP that asks and is answered as over a WebSocket; it polls when it waits for something.

    Attributes:
        polling: its requests.
        refused_with: the status that has answered a poll instead of an event; None so far.
    """

    def __init__(self, polling: Polling) -> None:
        self.polling = polling
        self.refused_with: int | None = None
        self._numbers = count(1)

    async def ask(self, janus: str, **fields: object) -> Message:
        transaction = f"t{next(self._numbers)}"
        path = "".join(f"/{fields.pop(name)}" for name in ("session_id", "handle_id") if name in fields)
        _, said = await self.polling.ask(path, **{"janus": janus, "transaction": transaction, **fields})
        if janus == "create":
            self.polling.path = f"/{said['data']['id']}"
        if said["janus"] != "ack":
            return said
        return await self.hear(lambda event: event.get("transaction") == transaction)

    async def hear(self, is_it: Callable[[Message], bool]) -> Message:
        async with asyncio.timeout(LIMIT):
            while True:
                status, said = await self.polling.poll()
                if status != 200:
                    self.refused_with = status
                    raise ConnectionError(said)
                if is_it(said):
                    return said
