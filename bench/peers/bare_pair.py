"""The floor: a pair of uvloop protocols that looks the client up and passes bytes on. It judges nobody.

python bare_pair.py PORT UPSTREAM_PORT DATABASE
"""

import asyncio
import sys
from ipaddress import ip_address
from typing import cast

import httptools
import maxminddb
import uvloop

PORT, UPSTREAM, DATABASE = int(sys.argv[1]), int(sys.argv[2]), maxminddb.open_database(sys.argv[3])
IDLE: list["Up"] = []


class Up(asyncio.Protocol):
    """Upstream side: follows where a response ends."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.parser = httptools.HttpResponseParser(self)
        self.is_done = False

    def carry(self, down: "Down", request: bytes) -> None:
        self.down = down
        self.is_done = False
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)
        self.down.transport.write(data)
        if self.is_done:
            IDLE.append(self)

    def on_message_complete(self) -> None:
        self.is_done = True


class Down(asyncio.Protocol):
    """Downstream side: one request at a time, each in one read, as wrk sends them."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.parser = httptools.HttpRequestParser(self)
        self.client = b""

    def on_header(self, name: bytes, value: bytes) -> None:
        if name == b"X-Forwarded-For":
            self.client = value

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)
        DATABASE.get(ip_address(self.client.decode()))
        if IDLE:
            IDLE.pop().carry(self, data)
        else:
            self.connecting = asyncio.create_task(self.connect(data))

    async def connect(self, data: bytes) -> None:
        _, up = await asyncio.get_running_loop().create_connection(Up, "127.0.0.1", UPSTREAM)
        up.carry(self, data)


async def main() -> None:
    server = await asyncio.get_running_loop().create_server(Down, "127.0.0.1", PORT)
    await server.serve_forever()


uvloop.run(main())
