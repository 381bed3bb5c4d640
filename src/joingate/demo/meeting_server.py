"""A small real meeting server: rooms over WebSocket in which participants talk. It knows nothing of the gate.

Paths:
    GET /                          the page to join from
    GET /meetings/{meeting}        who is in: `{"meeting": "8412345678", "participants": ["Kit"]}`; 404 when nobody is
    GET /meetings/{meeting}/join   WebSocket, `?user=NAME`; a request that is no WebSocket handshake gets 426

Messages are JSON text. A participant sends `{"seq": 7, "text": "hello"}`; the others in the same meeting receive
`{"from": "Ruth", "seq": 7, "text": "hello"}`. The number is the sender's own: a receiver can tell what is missing.
The server says `{"event": "welcome" | "joined" | "left", "user": "Ruth", "participants": ["Kit", "Ruth"]}`.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib.resources import files
from types import TracebackType
from typing import Self

import orjson
from aiohttp import WSCloseCode, WSMsgType, web

LONGEST_NAME = 64
LONGEST_MESSAGE = 4096  # bytes of one WebSocket message; a line of talk is far below


@dataclass(slots=True)
class Room:
    """One meeting: its open sockets, each with its participant's name, in the order of their joins."""

    members: dict[web.WebSocketResponse, str] = field(default_factory=dict)

    @property
    def participants(self) -> list[str]:
        """Names in alphabetical order; somebody in from two devices stands twice."""
        return sorted(self.members.values())

    async def announce(self, event: str, user: str, to: Iterable[web.WebSocketResponse]) -> None:
        """Tell `to` what has happened, and who is in now."""
        await _send({"event": event, "user": user, "participants": self.participants}, to)

    def others(self, than: web.WebSocketResponse) -> list[web.WebSocketResponse]:
        """Return everyone's socket but one."""
        return [socket for socket in self.members if socket is not than]


class MeetingServer:
    """The server on a port of 127.0.0.1 chosen by the system, as an async context manager.

    Attributes:
        port: where it listens, once entered.
    """

    def __init__(self) -> None:
        self.port = 0
        self._rooms: dict[str, Room] = {}
        self._page = files("joingate.demo").joinpath("page.html").read_bytes()
        app = web.Application()
        app.router.add_get("/", self._show_page)
        app.router.add_get("/meetings/{meeting}", self._list)
        app.router.add_get("/meetings/{meeting}/join", self._join)
        app.on_shutdown.append(self._close_all)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._runner.cleanup()

    async def _show_page(self, _request: web.Request) -> web.Response:
        headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
        return web.Response(body=self._page, content_type="text/html", charset="utf-8", headers=headers)

    async def _list(self, request: web.Request) -> web.Response:
        meeting = request.match_info["meeting"]
        room = self._rooms.get(meeting)
        listing = {"meeting": meeting, "participants": room.participants if room else []}
        return web.Response(
            body=orjson.dumps(listing), content_type="application/json", status=200 if room is not None else 404
        )

    async def _join(self, request: web.Request) -> web.StreamResponse:
        user = request.query.get("user", "").strip()
        if not 0 < len(user) <= LONGEST_NAME:
            return web.Response(status=400, text=f"user: a name of 1 to {LONGEST_NAME} characters, as in ?user=Ruth\n")
        socket = web.WebSocketResponse(heartbeat=30.0, timeout=1.0, max_msg_size=LONGEST_MESSAGE)
        if not socket.can_prepare(request).ok:
            upgrade = {"Upgrade": "websocket", "Connection": "Upgrade"}
            return web.Response(status=426, text="a join is a WebSocket handshake\n", headers=upgrade)
        await socket.prepare(request)
        meeting = request.match_info["meeting"]
        room = self._rooms.setdefault(meeting, Room())
        room.members[socket] = user
        try:
            await room.announce("welcome", user, [socket])
            await room.announce("joined", user, room.others(socket))
            await _relay(room, socket, user)
        finally:
            del room.members[socket]
            if room.members:
                await room.announce("left", user, list(room.members))
            else:
                self._rooms.pop(meeting, None)
        return socket

    async def _close_all(self, _app: web.Application) -> None:
        sockets = [socket for room in self._rooms.values() for socket in room.members]
        await asyncio.gather(
            *(socket.close(code=WSCloseCode.GOING_AWAY, message=b"server stops") for socket in sockets)
        )


async def _relay(room: Room, socket: web.WebSocketResponse, user: str) -> None:
    """Pass on what one participant says until they leave."""
    async for message in socket:
        if message.type is not WSMsgType.TEXT:
            continue
        try:
            said = orjson.loads(message.data)
            passed_on = {"from": user, "seq": int(said["seq"]), "text": str(said["text"])}
        except (ValueError, TypeError, KeyError):
            await _send({"event": "error", "text": 'not understood; send {"seq": 1, "text": "hello"}'}, [socket])
            continue
        await _send(passed_on, room.others(socket))


async def _send(message: object, to: Iterable[web.WebSocketResponse]) -> None:
    """Send to each; somebody who is just going is skipped, and their own handler notices."""
    text = orjson.dumps(message).decode()
    for socket in to:
        try:
            await socket.send_str(text)
        except ConnectionError:
            continue
