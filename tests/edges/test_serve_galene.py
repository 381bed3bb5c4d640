"""Galene behind the gate: groups joined inside a WebSocket; a stand-in answers as Galene does."""

from pathlib import Path

import aiohttp
import orjson
from aiohttp import web

from tests.edges.served import CN, DE, LIMIT, Served
from tests.edges.served_stub import close_code, coming_from, gate_before, order_against, serving

GROUP = "m1"


class Galene:
    """Groups, and who is in them."""

    def __init__(self) -> None:
        self.groups: dict[str, set[str]] = {}

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/ws", self._talk)
        return app

    async def _talk(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        client = ""
        async for message in socket:
            said = orjson.loads(message.data)
            if said["type"] == "handshake":
                client = said["id"]
            elif said["type"] == "join" and said["kind"] == "join":
                self.groups.setdefault(said["group"], set()).add(client)
                await socket.send_json({"type": "joined", "kind": "join", "group": said["group"]})
            else:
                await socket.send_str(message.data)
        for group in self.groups.values():
            group.discard(client)
        return socket


async def join(
    http: aiohttp.ClientSession, gate: Served, name: str
) -> tuple[aiohttp.ClientWebSocketResponse, dict[str, str]]:
    socket = await http.ws_connect(f"http://127.0.0.1:{gate.port}/ws")
    await socket.send_json({"type": "handshake", "version": ["2"], "id": name})
    await socket.send_json({"type": "join", "kind": "join", "group": GROUP, "username": name})
    return socket, await socket.receive_json(timeout=LIMIT)


async def test_a_cut_is_an_ejection_and_needs_no_interface(tmp_path: Path, demo_mmdb: Path) -> None:
    galene = Galene()
    async with (
        serving(galene.app()) as port,
        gate_before(tmp_path, demo_mmdb, port, 'server = "galene"') as gate,
        coming_from(DE) as from_de,
        coming_from(CN) as from_cn,
    ):
        anna, said = await join(from_de, gate, "anna")
        assert said["kind"] == "join"
        bert, said = await join(from_cn, gate, "bert")
        assert said["kind"] == "join"
        await order_against(gate, GROUP)
        said = await bert.receive_json(timeout=LIMIT)
        assert (said["type"], said["kind"], "cac-1" in said["value"]) == ("usermessage", "kicked", True)
        assert await close_code(bert) == 4451
        await gate.status_when(lambda status: status["participants"] == 1 and galene.groups[GROUP] == {"anna"})
        _, said = await join(from_cn, gate, "bert")
        assert (said["type"], said["kind"], "cac-1" in said["value"]) == ("joined", "fail", True)
        await anna.send_json({"type": "chat", "value": "still here"})
        assert (await anna.receive_json(timeout=LIMIT))["value"] == "still here"
        await gate.ledger_says("1 ejections, 1 confirmed, 0 still present")
