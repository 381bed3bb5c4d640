"""A Prosody for the tests of one module, and who is where in it."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import ClientSession

from joingate.servers.admin_client import Whom
from joingate.servers.prosody import ProsodyAdmin
from tests.integration.prosody_server import ROOMS, TOKEN, ProsodyServer, XmppClient

CLIENT = "xmlns='jabber:client'"
X = "<x xmlns='http://jabber.org/protocol/muc'/>"

WHEREABOUTS = """
module:set_global();
module:depends("http");
module:provides("http", { route = { GET = function (event)
	local found = require "util.array"();
	for name, host in pairs(prosody.hosts) do
		local muc = host.modules and host.modules.muc;
		for room in (muc and muc.each_room(true) or function () end) do
			local jid = require "util.http".formdecode(event.request.url.query).jid;
			if room:get_occupant_by_real_jid(jid) then found:push(room.jid); end
		end
	end
	return { body = require "util.json".encode(found) };
end } });
"""


def to(address: str, inside: str = X) -> str:
    """Return a presence sent to `address`."""
    return f"<presence {CLIENT} to='{address}'>{inside}</presence>"


class Watched:
    """A Prosody with the accounts bob and carol, and a module that says in which rooms somebody is.

    Attributes:
        admin: what joingate asks it by.
        http: for requests of the test's own.
    """

    def __init__(self, server: ProsodyServer, http: ClientSession) -> None:
        self.server = server
        self.http = http
        self.port = server.port
        self.admin = ProsodyAdmin(http, server.admin_url, TOKEN)

    async def ask(self, method: str, path: str, token: str = TOKEN, **parameters: str) -> tuple[int, object]:
        """Return what mod_joingate answers."""
        url, headers = f"{self.server.admin_url}/{path}", {"Authorization": f"Bearer {token}"}
        async with self.http.request(method, url, params=parameters, headers=headers) as answer:
            return answer.status, await answer.json() if answer.status != 204 else None

    async def occupants(self, room: str) -> set[str] | None:
        """Return the nicks in a room of ROOMS, or one with a domain; None when there is no such room."""
        match await self.ask("GET", "occupants", room=room if "@" in room else f"{room}@{ROOMS}"):
            case 200, {"occupants": list() as nicks}:
                return set(nicks)
            case 404, {"error": "not-found"}:
                return None
            case answer:
                raise AssertionError(answer)

    async def whereabouts(self, jid: str) -> set[str]:
        """Return the addresses of the rooms in which somebody is."""
        url = f"http://127.0.0.1:{self.port}/whereabouts"
        async with self.http.get(url, params={"jid": jid}) as answer:
            return set(json.loads(await answer.text()))


@asynccontextmanager
async def watched(folder: Path) -> AsyncIterator[Watched]:
    server = ProsodyServer(folder, modules=["blocklist", "whereabouts"])
    server.plugins.joinpath("mod_whereabouts.lua").write_text(WHEREABOUTS)
    for name in ("bob", "carol"):
        server.register(name)
    async with server, ClientSession() as http:
        yield Watched(server, http)
    # A join without a nick makes Prosody itself stumble, and nothing else may.
    assert not [line for line in server.log().splitlines() if "Traceback" in line and "[c2s]" not in line]


def whom(room: str, client: XmppClient, nick: str = "?") -> Whom:
    return Whom(room, nick, (f"{room}@{ROOMS}", client.jid))
