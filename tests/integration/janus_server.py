"""Debian's own Janus on loopback, in a folder of its own, and a client that speaks to it as janus.js does.

Only media, where a test asks for it, leaves 127.0.0.1, and not the machine: Janus offers no loopback address for it.
"""

import asyncio
import contextlib
import signal
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Self

import aiohttp
import orjson

from joingate.demo.gate_process import free_ports

JANUS = "/usr/bin/janus"
LIBRARIES = Path("/usr/lib/x86_64-linux-gnu/janus")
KEPT = {"libjanus_videoroom.so", "libjanus_audiobridge.so", "libjanus_http.so", "libjanus_websockets.so"}
ADMIN_SECRET, ROOM_SECRET, ADMIN_KEY = "adminsecret", "s3", "roomadmin"
LIMIT = 30.0  # seconds after which something is taken never to happen

Message = dict[str, Any]


@dataclass(frozen=True, slots=True)
class JanusServer:
    """A running Janus.

    Attributes:
        websocket_port: of its WebSocket transport.
        http_port: of its HTTP transport, below /janus.
        admin_port: of its Admin API, below /admin.
        process: its process.
    """

    websocket_port: int
    http_port: int
    admin_port: int
    process: asyncio.subprocess.Process

    @property
    def admin_url(self) -> str:
        return f"http://127.0.0.1:{self.admin_port}/admin"

    @property
    def http_url(self) -> str:
        return f"http://127.0.0.1:{self.http_port}/janus"

    @property
    def websocket_url(self) -> str:
        return f"http://127.0.0.1:{self.websocket_port}/whatever"  # Janus looks at no path


def write_configuration(folder: Path, ports: tuple[int, int, int], settings: str = "", media_address: str = "") -> None:
    """Write the least that Janus needs, so that it neither reads nor binds what the package configures.

    Args:
        folder: an empty one.
        ports: WebSocket, HTTP, Admin API.
        settings: further lines for `general` in janus.jcfg.
        media_address: the only address of this machine to which media goes; "" for any, where no test sends some.
    """
    folders = " ".join(f'{name}_folder="{LIBRARIES / name}"' for name in ("plugins", "transports", "events", "loggers"))
    disabled = {
        kind: ",".join(sorted({path.name for path in (LIBRARIES / kind).glob("*.so")} - KEPT))
        for kind in ("plugins", "transports")
    }
    websocket, http, admin = ports
    files = {
        "janus.jcfg": f'general: {{ configs_folder="{folder}" {folders} admin_secret="{ADMIN_SECRET}" {settings} }}\n'
        f'plugins: {{ disable="{disabled["plugins"]}" }}\ntransports: {{ disable="{disabled["transports"]}" }}\n'
        f'nat: {{ ice_enforce_list="{media_address}" }}\n',
        "janus.transport.websockets.jcfg": 'general: { json="compact" ws=true ws_ip="127.0.0.1" wss=false '
        f"ws_port={websocket} }}\nadmin: {{ admin_ws=false }}\n",
        "janus.transport.http.jcfg": 'general: { json="compact" base_path="/janus" http=true ip="127.0.0.1" '
        f'https=false port={http} }}\nadmin: {{ admin_base_path="/admin" admin_http=true admin_ip="127.0.0.1" '
        f"admin_https=false admin_port={admin} }}\n",
        "janus.plugin.videoroom.jcfg": f'general: {{ string_ids=true admin_key="{ADMIN_KEY}" }}\n',
        "janus.plugin.audiobridge.jcfg": f'general: {{ string_ids=true admin_key="{ADMIN_KEY}" }}\n',
    }
    for name, text in files.items():
        (folder / name).write_text(text)


@asynccontextmanager
async def running_janus(folder: Path, *, settings: str = "", media_address: str = "") -> AsyncIterator[JanusServer]:
    """Start Janus in `folder`, wait until all its ports answer, and stop it at the end."""
    websocket, http, admin = free_ports(3)
    write_configuration(folder, (websocket, http, admin), settings, media_address)
    with (folder / "janus.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *(JANUS, "-F", str(folder), "-C", str(folder / "janus.jcfg"), "--disable-colors"),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=folder,
        )
    try:
        async with asyncio.timeout(LIMIT):
            for port in (websocket, http, admin):
                await _answering(port, process)
        yield JanusServer(websocket, http, admin, process)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), LIMIT)
        except TimeoutError:
            process.kill()
            await process.wait()


async def _answering(port: int, process: asyncio.subprocess.Process) -> None:
    while True:
        assert process.returncode is None, "janus has ended; see janus.log"
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return
        await asyncio.sleep(0.05)


async def admin_ask(session: aiohttp.ClientSession, server: JanusServer, path: str, **fields: object) -> Message:
    """Ask the Admin API by hand, past the code under test."""
    body = {"transaction": "by hand", "admin_secret": ADMIN_SECRET, **fields}
    async with session.post(f"{server.admin_url}{path}", data=orjson.dumps(body)) as response:
        answer: Message = orjson.loads(await response.read())
        return answer


class JanusTalk(ABC):
    """What janus.js asks for, whatever carries it."""

    @abstractmethod
    async def ask(self, janus: str, **fields: object) -> Message:
        """Send a request and return its last answer: what follows an ack to a message, if one comes."""

    @abstractmethod
    async def hear(self, is_it: Callable[[Message], bool]) -> Message:
        """Return the next message of a kind; those before it are passed over."""

    async def create(self) -> int:
        """Open a session."""
        session: int = (await self.ask("create"))["data"]["id"]
        return session

    async def attach(self, session: int, plugin: str = "videoroom") -> int:
        """Take a handle."""
        answer = await self.ask("attach", session_id=session, plugin=f"janus.plugin.{plugin}")
        handle: int = answer["data"]["id"]
        return handle

    async def message(self, session: int, handle: int, request: str, **body: object) -> Message:
        """Ask a plugin, and return what it says."""
        answer = await self.ask("message", session_id=session, handle_id=handle, body={"request": request, **body})
        data: Message = answer["plugindata"]["data"] if "plugindata" in answer else answer
        return data

    async def make_room(self, session: int, handle: int, room: str, **options: object) -> None:
        """Create a room, by the plugin that is at the handle."""
        said = await self.message(
            session, handle, "create", room=room, admin_key=ADMIN_KEY, secret=ROOM_SECRET, **options
        )
        assert "created" in said.values()

    async def join(self, session: int, room: str, name: str) -> int:
        """Take a handle and join a video room to be seen there; return the handle."""
        handle = await self.attach(session)
        said = await self.message(session, handle, "join", ptype="publisher", room=room, id=name)
        assert said["videoroom"] == "joined"
        return handle

    async def inside(self, session: int, handle: int, room: str) -> set[str]:
        """Return who is in a video room, by the plugin's own list."""
        said = await self.message(session, handle, "listparticipants", room=room)
        return {participant["id"] for participant in said["participants"]}


@dataclass
class JanusClient(JanusTalk):
    """One WebSocket to Janus, straight or through something.

    Attributes:
        socket: the WebSocket.
        sent: every message sent.
        heard: every message received, as bytes.
        on_send: called with each message before it is sent; likewise on_heard.
    """

    socket: aiohttp.ClientWebSocketResponse
    sent: list[bytes] = field(default_factory=list)
    heard: list[bytes] = field(default_factory=list)
    on_send: Callable[[bytes], object] = bytes
    on_heard: Callable[[bytes], object] = bytes
    _read: int = 0
    _numbers: "count[int]" = field(default_factory=lambda: count(1))

    @classmethod
    async def connect(cls, session: aiohttp.ClientSession, url: str) -> Self:
        return cls(await session.ws_connect(url, protocols=["janus-protocol"]))

    async def send(self, message: bytes) -> None:
        """Send one message as it is."""
        self.sent.append(message)
        self.on_send(message)
        await self.socket.send_str(message.decode())

    async def hear(self, is_it: Callable[[Message], bool]) -> Message:
        """Return the next message of a kind; those before it are passed over."""
        async with asyncio.timeout(LIMIT):
            while True:
                while self._read < len(self.heard):
                    message: Message = orjson.loads(self.heard[self._read])
                    self._read += 1
                    if is_it(message):
                        return message
                raw = (await self.socket.receive_str()).encode()
                self.heard.append(raw)
                self.on_heard(raw)

    async def ask(self, janus: str, **fields: object) -> Message:
        """Send a request and return its last answer: what follows an ack to a message, if one comes."""
        transaction = f"t{next(self._numbers)}"
        await self.send(orjson.dumps({"janus": janus, "transaction": transaction, **fields}))
        waits = janus.lower() == "message"
        return await self.hear(
            lambda said: said.get("transaction") == transaction and not (waits and said["janus"] == "ack")
        )

    async def close(self) -> None:
        await self.socket.close()


async def eventually(holds: Callable[[], Awaitable[bool]]) -> None:
    """Wait for something that happens by itself."""
    async with asyncio.timeout(LIMIT):
        while not await holds():  # noqa: ASYNC110 - what is waited for is another process
            await asyncio.sleep(0.02)
