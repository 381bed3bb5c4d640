"""A generic server with a webhook: an ejected participant is removed by it, and the record waits for its word."""

import hmac
from pathlib import Path

from aiohttp import web

from tests.edges.room_relay import RoomRelay
from tests.edges.served import CN, DE, GENERIC, exchange
from tests.edges.served_stub import gate_before, order_against, serving

SECRET = "a secret of the webhook"


class Interface:
    """A meeting server's own: notes who is removed, and has everybody else."""

    def __init__(self) -> None:
        self.removed: list[tuple[str, bytes]] = []

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/meetings/{meeting}/remove", self._remove)
        app.router.add_get("/meetings/{meeting}/participants/{participant}", self._look)
        return app

    async def _remove(self, request: web.Request) -> web.Response:
        body = await request.read()
        signed = "\n".join((request.headers["X-Joingate-Timestamp"], request.method, request.path_qs)).encode()
        expected = hmac.new(SECRET.encode(), signed + b"\n" + body, "sha256").hexdigest()
        assert request.headers["X-Joingate-Signature"] == f"sha256={expected}"
        self.removed.append((request.match_info["meeting"], body))
        return web.Response(status=204)

    async def _look(self, request: web.Request) -> web.Response:
        participant = request.match_info["participant"].encode()
        return web.Response(status=404 if any(participant in body for _, body in self.removed) else 200)


async def test_an_ejected_participant_is_removed_and_looked_for(tmp_path: Path, demo_mmdb: Path) -> None:
    interface = Interface()
    async with RoomRelay() as relay, serving(interface.app()) as port:
        lines = f"""
keeps_after_close = 30
[upstream.admin]
url = "http://127.0.0.1:{port}/meetings/{{meeting}}/remove"
body = '{{"participant": "{{participant}}"}}'
secret_file = "secret"
present_url = "http://127.0.0.1:{port}/meetings/{{meeting}}/participants/{{participant}}"
{GENERIC}
"""
        async with gate_before(tmp_path, demo_mmdb, relay.port, lines, SECRET) as gate:
            anna, bert = await gate.join("m1", DE, "anna"), await gate.join("m1", CN, "bert")
            await order_against(gate, "m1")
            assert (await bert.recv_close())[0] == 4451
            await gate.status_when(lambda status: status["ejections"]["under_way"] == 0)
            assert interface.removed == [("m1", b'{"participant": "bert"}')]
            await exchange(anna, [anna], "still here")
            await gate.ledger_says("1 ejections, 1 confirmed, 0 still present")
