"""Debian's Prosody behind the gate: joins by WebSocket and BOSH, resumption, an order, a removal that it confirms."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from tests.edges.served import CN, DE, HK, Served
from tests.integration.gate_in_front import coming_from, confirmed, gate_in_front, lift, order_against
from tests.integration.prosody_server import ACCOUNTS, HOST, PATIENCE, ROOMS, TOKEN, ProsodyServer, XmppClient, abort

pytestmark = pytest.mark.integration

ROOM = "room1"


@contextlib.asynccontextmanager
async def prosody_behind_gate(
    path: Path, database: Path, *, server: str = "prosody", accounts: tuple[str, ...] = ()
) -> AsyncIterator[tuple[ProsodyServer, Served]]:
    for name in ("prosody", "gate"):
        (path / name).mkdir()
    prosody = ProsodyServer(path / "prosody")
    for name in accounts:
        prosody.register(name)
    async with (
        prosody,
        gate_in_front(path / "gate", database, prosody.port, server, admin_url=prosody.admin_url, secret=TOKEN) as gate,
    ):
        yield prosody, gate


@contextlib.asynccontextmanager
async def person(
    gate: Served, address: str, query: str = "", *, name: str | None = None, binds: bool = True
) -> AsyncIterator[XmppClient]:
    """Somebody anonymous, or with an account: nobody else can resume a stream."""
    host = HOST if name is None else ACCOUNTS
    async with (
        coming_from(address) as http,
        http.ws_connect(
            f"http://127.0.0.1:{gate.port}/xmpp-websocket{query}", protocols=["xmpp"], headers={"Host": host}
        ) as socket,
    ):
        client = XmppClient(socket, host)
        await client.authenticate(name)
        if binds:
            await client.bind()
        yield client


async def occupants(prosody: ProsodyServer, room: str = ROOM) -> set[str]:
    async with (
        aiohttp.ClientSession() as http,
        http.get(
            f"{prosody.admin_url}/occupants?room={room}@{ROOMS}", headers={"Authorization": f"Bearer {TOKEN}"}
        ) as answer,
    ):
        return set((await answer.json()).get("occupants", ()))


async def close_code(client: XmppClient) -> int | None:
    async with asyncio.timeout(PATIENCE):
        while (await client.socket.receive()).type is aiohttp.WSMsgType.TEXT:
            pass
    return client.socket.close_code


async def test_one_of_three_is_ejected_and_the_others_talk_on(tmp_path: Path, demo_mmdb: Path) -> None:
    async with (
        prosody_behind_gate(tmp_path, demo_mmdb) as (prosody, gate),
        person(gate, DE) as alice,
        person(gate, CN) as bob,
        person(gate, HK) as carol,
    ):
        for each, nick in ((alice, "alice"), (bob, "bob"), (carol, "carol")):
            await each.enable_resumption()
            assert "110" in await each.join(ROOM, nick)
        assert (await gate.status())["participants"] == 3
        await order_against(gate, ROOM)
        assert await close_code(bob) == 4451
        await confirmed(gate, 1)
        assert await occupants(prosody) == {"alice", "carol"}
        await alice.hear("unavailable", "/bob")
        await alice.send(
            f"<message xmlns='jabber:client' type='groupchat' to='{ROOM}@{ROOMS}'><body>still here</body></message>"
        )
        await carol.hear("still here")

        async with person(gate, CN) as again:
            refused = await again.join(ROOM, "bob")
            assert "forbidden" in refused
            assert "cac-1" in refused
            assert "110" in await again.join("another", "bob")  # on the same socket, another room
            refused = await again.join(ROOM, "bob")
            assert "forbidden" in refused
            await lift(gate)
            assert "110" in await again.join(ROOM, "bob")  # no ban is left


async def test_an_ejection_from_one_room_leaves_the_other_and_the_socket(tmp_path: Path, demo_mmdb: Path) -> None:
    async with (
        prosody_behind_gate(tmp_path, demo_mmdb) as (prosody, gate),
        person(gate, DE) as alice,
        person(gate, CN) as bob,
    ):
        await alice.join(ROOM, "alice")
        for room in (ROOM, "another"):
            assert "110" in await bob.join(room, "bob")
        await order_against(gate, ROOM)
        assert "cac-1" in await bob.hear("unavailable", f"{ROOM}@{ROOMS}/bob", "307")
        await confirmed(gate, 1)
        assert (await occupants(prosody), await occupants(prosody, "another")) == ({"alice"}, {"bob"})
        await bob.settle()
        assert "forbidden" in await bob.join(ROOM, "bob")  # the same socket
        assert [each for each in await alice.settle() if "unavailable" in each]


async def test_who_resumes_is_judged_by_where_they_resume_from(tmp_path: Path, demo_mmdb: Path) -> None:
    async with (
        prosody_behind_gate(tmp_path, demo_mmdb, accounts=("bob",)) as (prosody, gate),
        person(gate, DE) as alice,
    ):
        await alice.join(ROOM, "alice")
        async with person(gate, DE, name="bob") as bob:
            token = await bob.enable_resumption()
            await bob.join(ROOM, "bob")
            abort(bob)
        await gate.status_when(lambda status: status["participants"] == 1)
        assert await occupants(prosody) == {"alice", "bob"}  # the stream waits to be resumed
        await order_against(gate, ROOM)
        async with person(gate, CN, name="bob", binds=False) as elsewhere:
            await elsewhere.send(f"<resume xmlns='urn:xmpp:sm:3' previd='{token}' h='0'/>")
            await elsewhere.hear("<failed")
        assert (await gate.status())["participants"] == 1
        async with person(gate, HK, name="bob", binds=False) as here:
            await here.send(f"<resume xmlns='urn:xmpp:sm:3' previd='{token}' h='0'/>")
            await here.hear("<resumed")
            await gate.status_when(lambda status: status["participants"] == 2)


async def test_an_ejected_stream_is_gone_and_does_not_wait(tmp_path: Path, demo_mmdb: Path) -> None:
    """With stream management a cut socket alone would keep the seat for ten minutes."""
    async with (
        prosody_behind_gate(tmp_path, demo_mmdb, accounts=("bob",)) as (prosody, gate),
        person(gate, DE) as alice,
        person(gate, CN, name="bob") as bob,
    ):
        token = await bob.enable_resumption()
        await alice.join(ROOM, "alice")
        await bob.join(ROOM, "bob")
        await order_against(gate, ROOM)
        await confirmed(gate, 1)
        assert await occupants(prosody) == {"alice"}
        await lift(gate)
        async with person(gate, CN, name="bob", binds=False) as again:
            await again.send(f"<resume xmlns='urn:xmpp:sm:3' previd='{token}' h='0'/>")
            await again.hear("urn:xmpp:sm:3")
            assert await occupants(prosody) == {"alice"}


async def test_no_spelling_of_a_room_slips_past(tmp_path: Path, demo_mmdb: Path) -> None:
    async with prosody_behind_gate(tmp_path, demo_mmdb) as (prosody, gate), person(gate, DE) as alice:
        await alice.join(ROOM, "alice")
        await order_against(gate, ROOM)
        x = "<x xmlns='http://jabber.org/protocol/muc'/>"
        spellings = [
            f"<presence to='ROOM1@{ROOMS}/bob'>{x}</presence>",
            f"<presence xmlns='jabber:client' to='ROOM1@{ROOMS}/bob'>{x}</presence>",
            f"<presence xmlns='jabber:client' to='&#114;oom1@{ROOMS.upper()}/bob'/>",
            f'<presence xmlns="jabber:client" to="r&#x6f;om1@{ROOMS}/bob" type=""/>',
            f"<c:presence xmlns:c='jabber:client' to='\uff52oom1@{ROOMS}/bob'>{x}</c:presence>",
            f" <presence xmlns='jabber:client' to='room1@{ROOMS}/bob'>{x}</presence>",
            f"<presence xmlns='jabber:client' to='room1@{ROOMS}./bob'>{x}</presence>",
            f"<presence xmlns='jabber:client' to='ro\u00adom1@{ROOMS}/bob'>{x}</presence>",
            f"<presence xmlns='jabber:client' to='room1@{ROOMS}/bob'>{x}</presence>" * 2,
            f"<presence xmlns='jabber:client' to='room1@{ROOMS}/bob'>{x}",
            f"<!DOCTYPE a [<!ENTITY r 'room1'>]><presence xmlns='jabber:client' to='&r;@{ROOMS}/bob'>{x}</presence>",
        ]
        for spelling in spellings:
            async with person(gate, CN, "?room=another") as bob:  # what the URL says binds nobody
                with contextlib.suppress(ConnectionError):
                    await bob.send(spelling)
                    half, rest = spelling[:40], spelling[40:]
                    await bob.send(half)
                    await bob.send(rest)
                async with asyncio.timeout(PATIENCE):
                    message = await bob.socket.receive()
                    assert message.type is not aiohttp.WSMsgType.TEXT or "forbidden" in message.data, (
                        spelling,
                        message,
                    )
        assert await occupants(prosody) == {"alice"}
        assert not [each for each in await alice.settle() if "/bob" in each]


async def test_the_last_one_inside_the_territory_may_go_and_the_room_is_there_for_others(
    tmp_path: Path, demo_mmdb: Path
) -> None:
    async with prosody_behind_gate(tmp_path, demo_mmdb) as (prosody, gate):
        async with person(gate, CN) as bob:
            await bob.join(ROOM, "bob")
            await order_against(gate, ROOM)
            assert await close_code(bob) == 4451
        await confirmed(gate, 1)
        assert await occupants(prosody) == set()
        async with person(gate, HK) as carol:
            assert "110" in await carol.join(ROOM, "carol")


class Bosh:
    """BOSH (XEP-0124) as plainly as the tests need it: one request at a time, or a poll beside it."""

    def __init__(self, http: aiohttp.ClientSession, port: int) -> None:
        self.http = http
        self.url = f"http://127.0.0.1:{port}/http-bind"
        self.sid = ""
        self.rid = 1000

    async def send(self, inside: str = "", more: str = "") -> tuple[int, str]:
        self.rid += 1
        sid = f" sid='{self.sid}'" if self.sid else ""
        body = f"<body xmlns='http://jabber.org/protocol/httpbind' rid='{self.rid}'{sid} {more}>{inside}</body>"
        headers = {"Host": HOST, "Content-Type": "text/xml; charset=utf-8"}
        async with self.http.post(self.url, data=body.encode(), headers=headers) as answer:
            return answer.status, await answer.text()

    async def begin(self) -> None:
        version = "xmlns:xmpp='urn:xmpp:xbosh' xmpp:version='1.0'"
        _, said = await self.send("", f"to='{HOST}' wait='10' hold='1' ver='1.6' {version}")
        self.sid = said.partition(" sid='")[2].partition("'")[0]
        assert self.sid, said
        await self.send("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='ANONYMOUS'/>")
        await self.send("", f"to='{HOST}' xmpp:restart='true' xmlns:xmpp='urn:xmpp:xbosh'")
        bind = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>"
        _, said = await self.send(f"<iq xmlns='jabber:client' type='set' id='b'>{bind}</iq>")
        assert "<jid>" in said, said

    async def join(self, nick: str) -> tuple[int, str]:
        x = "<x xmlns='http://jabber.org/protocol/muc'/>"
        return await self.send(f"<presence xmlns='jabber:client' to='{ROOM}@{ROOMS}/{nick}'>{x}</presence>")


async def test_bosh_is_one_participant_and_an_ejection_ends_it(tmp_path: Path, demo_mmdb: Path) -> None:
    async with (
        prosody_behind_gate(tmp_path, demo_mmdb) as (prosody, gate),
        coming_from(DE) as from_de,
        coming_from(CN) as from_cn,
        coming_from(HK) as from_hk,
    ):
        alice, bob, carol = Bosh(from_de, gate.port), Bosh(from_cn, gate.port), Bosh(from_hk, gate.port)
        for each, nick in ((alice, "alice"), (carol, "carol"), (bob, "bob")):
            await each.begin()
            status, _ = await each.join(nick)
            assert status == 200
        assert (await gate.status())["participants"] == 3
        assert await occupants(prosody) == {"alice", "bob", "carol"}
        waiting = asyncio.create_task(bob.send())
        await asyncio.sleep(0.3)
        await order_against(gate, ROOM)
        status, _ = await waiting
        if status == 200:  # it was answered with what the room had to say; the next one is told
            status, _ = await bob.send()
        assert status == 451
        await confirmed(gate, 1)
        assert await occupants(prosody) == {"alice", "carol"}
        body = "<body xmlns='jabber:client'>still here</body>"
        await alice.send(f"<message xmlns='jabber:client' type='groupchat' to='{ROOM}@{ROOMS}'>{body}</message>")
        async with asyncio.timeout(PATIENCE):
            while "still here" not in (await carol.send())[1]:
                pass
        new = Bosh(from_cn, gate.port)
        await new.begin()
        status, said = await new.join("bob")
        assert (status, "forbidden" in said, "cac-1" in said) == (200, True, True)
        assert await occupants(prosody) == {"alice", "carol"}


async def test_jitsi_is_known_by_its_name_alone(tmp_path: Path, demo_mmdb: Path) -> None:
    async with (
        prosody_behind_gate(tmp_path, demo_mmdb, server="jitsi") as (prosody, gate),
        person(gate, DE, f"?room={ROOM}") as alice,
        person(gate, CN, f"?room={ROOM}") as bob,
    ):
        await alice.join(ROOM, "alice")
        await bob.join(ROOM, "bob")
        await order_against(gate, ROOM)
        assert await close_code(bob) == 4451
        await confirmed(gate, 1)
        assert await occupants(prosody) == {"alice"}
