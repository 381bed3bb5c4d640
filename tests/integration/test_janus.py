"""Debian's Janus behind the gate: joins by WebSocket and by long polling, an order, an ejection that Janus confirms."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.edges.served import CN, DE, HK, Served
from tests.integration.gate_in_front import coming_from, confirmed, lift, order_against
from tests.integration.janus_behind_gate import janus_behind_gate
from tests.integration.janus_polling import Polling
from tests.integration.janus_server import (
    JanusClient,
    JanusServer,
    admin_ask,
    eventually,
)

pytestmark = pytest.mark.integration

ROOM = "m1"


class Person:
    """A WebSocket from somewhere, with one session and, once inside, a handle."""

    def __init__(self, client: JanusClient, session: int) -> None:
        self.client = client
        self.session = session
        self.handle = 0

    async def join(self, room: str, name: str) -> None:
        self.handle = await self.client.join(self.session, room, name)


@contextlib.asynccontextmanager
async def person(gate: Served, address: str) -> AsyncIterator[Person]:
    async with coming_from(address) as session:
        client = await JanusClient.connect(session, f"http://127.0.0.1:{gate.port}/anything/else")
        yield Person(client, await client.create())
        await client.close()


async def make_rooms(somebody: Person, *rooms: str) -> None:
    handle = await somebody.client.attach(somebody.session)
    for room in rooms:
        await somebody.client.make_room(somebody.session, handle, room, notify_joining=True, publishers=50)


async def sessions_and_handles(janus: JanusServer) -> dict[int, list[int]]:
    async with aiohttp.ClientSession() as http:
        sessions = (await admin_ask(http, janus, "", janus="list_sessions"))["sessions"]
        return {
            session: (await admin_ask(http, janus, f"/{session}", janus="list_handles")).get("handles", [])
            for session in sessions
        }


async def refused(somebody: Person, room: str, name: str) -> dict[str, Any]:
    """Join, and get what Janus's own clients take for an error."""
    handle = await somebody.client.attach(somebody.session)
    return await somebody.client.message(somebody.session, handle, "join", ptype="publisher", room=room, id=name)


async def close_code(somebody: Person) -> int | None:
    """Hear everything up to the end, and return how it ended."""
    async with asyncio.timeout(30):
        while (await somebody.client.socket.receive()).type is aiohttp.WSMsgType.TEXT:
            pass
    return somebody.client.socket.close_code


async def test_one_of_three_publishers_is_ejected_and_the_others_talk_on(tmp_path: Path, demo_mmdb: Path) -> None:
    async with (
        janus_behind_gate(tmp_path, demo_mmdb) as (janus, gate),
        person(gate, DE) as alice,
        person(gate, CN) as bob,
        person(gate, HK) as carol,
    ):
        await make_rooms(alice, ROOM, "m2")
        await alice.join(ROOM, "alice")
        await bob.join(ROOM, "bob")
        await carol.join(ROOM, "carol")
        watching = await bob.client.attach(bob.session)  # counts, though Janus gives no stream: alice sends no media
        await bob.client.message(
            bob.session, watching, "join", ptype="subscriber", room=ROOM, streams=[{"feed": "alice"}]
        )
        assert (await gate.status())["participants"] == 4
        assert await alice.client.inside(alice.session, alice.handle, ROOM) == {"alice", "bob", "carol"}

        await order_against(gate, ROOM)
        assert await close_code(bob) == 4451

        await confirmed(gate, 2)
        assert await alice.client.inside(alice.session, alice.handle, ROOM) == {"alice", "carol"}
        handles = await sessions_and_handles(janus)
        assert bob.handle not in handles.get(bob.session, [])
        assert watching not in handles.get(bob.session, [])

        async with person(gate, DE) as dave:  # the two others hear of whoever comes
            await dave.join(ROOM, "dave")
            for each in (alice, carol):
                heard = await each.client.hear(lambda said: "dave" in str(said))
                assert heard["plugindata"]["data"]["room"] == ROOM

        async with person(gate, CN) as again:
            said = await refused(again, ROOM, "bob")
            assert said["error_code"]
            assert "cac-1" in said["error"]
            await again.join("m2", "bob")  # on the same socket, another meeting
            await lift(gate)
            await again.join(ROOM, "bob")  # no ban is left


async def test_an_ejection_from_one_room_leaves_the_other_and_the_socket(tmp_path: Path, demo_mmdb: Path) -> None:
    async with (
        janus_behind_gate(tmp_path, demo_mmdb) as (janus, gate),
        person(gate, DE) as alice,
        person(gate, CN) as bob,
    ):
        await make_rooms(alice, ROOM, "m2")
        await alice.join(ROOM, "alice")
        await bob.join(ROOM, "bob")
        first = bob.handle
        await bob.join("m2", "bob")
        await order_against(gate, ROOM)
        heard = await bob.client.hear(lambda said: "cac-1" in str(said))
        assert heard["plugindata"]["data"]["room"] == ROOM
        await confirmed(gate, 1)
        assert await alice.client.inside(alice.session, alice.handle, ROOM) == {"alice"}
        assert await bob.client.inside(bob.session, bob.handle, "m2") == {"bob"}
        assert first not in (await sessions_and_handles(janus))[bob.session]
        said = await refused(bob, ROOM, "bob")  # the same socket
        assert "cac-1" in said["error"]
        assert await bob.client.inside(bob.session, bob.handle, "m2") == {"bob"}


async def test_who_claims_a_session_is_judged_by_where_they_claim_it_from(tmp_path: Path, demo_mmdb: Path) -> None:
    async with (
        janus_behind_gate(tmp_path, demo_mmdb, settings="reclaim_session_timeout=30") as (_, gate),
        person(gate, DE) as alice,
        coming_from(CN) as from_cn,
        coming_from(HK) as from_hk,
    ):
        await make_rooms(alice, ROOM)
        async with person(gate, DE) as bob:
            await bob.join(ROOM, "bob")
            bob.client.socket._response.close()  # no goodbye: the session stays
        await order_against(gate, ROOM)
        elsewhere = await JanusClient.connect(from_cn, f"http://127.0.0.1:{gate.port}/")
        said = await elsewhere.ask("claim", session_id=bob.session)
        assert (said["janus"], "cac-1" in said["error"]["reason"]) == ("error", True)
        here = await JanusClient.connect(from_hk, f"http://127.0.0.1:{gate.port}/")
        assert (await here.ask("claim", session_id=bob.session))["janus"] == "success"
        await gate.status_when(lambda status: status["participants"] == 1)
        said = await here.ask("claim", session_id=12345)
        assert said["janus"] == "error"


async def test_long_polling_is_one_participant_and_an_ejection_ends_it(tmp_path: Path, demo_mmdb: Path) -> None:
    async with (
        janus_behind_gate(tmp_path, demo_mmdb, http=True) as (janus, gate),
        coming_from(DE) as from_de,
        coming_from(CN) as from_cn,
        coming_from(HK) as from_hk,
    ):
        url = f"http://127.0.0.1:{gate.port}/janus"
        alice, bob, carol = Polling(from_de, url), Polling(from_cn, url), Polling(from_hk, url)
        places = []
        for each, name in ((alice, "alice"), (bob, "bob"), (carol, "carol")):
            await each.begin()
            handle = await each.attach()
            if each is alice:
                await each.message(
                    handle, request="create", room=ROOM, admin_key="roomadmin", secret="s3", notify_joining=True
                )
            status, said = await each.message(handle, request="join", ptype="publisher", room=ROOM, id=name)
            assert (status, said["janus"]) == (200, "ack")
            places.append(handle)
        watching = await bob.attach()  # counts, though Janus gives nobody a stream here: alice sends no media
        await bob.message(watching, request="join", ptype="subscriber", room=ROOM, streams=[{"feed": "alice"}])
        assert (await gate.status())["participants"] == 4
        while "'carol'" not in str(await bob.poll()):
            pass
        waiting = asyncio.create_task(bob.poll())
        await asyncio.sleep(0.2)
        await order_against(gate, ROOM)
        status, problem = await waiting
        while status == 200:  # it was answered with what the room had to say; the next one is told
            status, problem = await bob.poll()
        assert (status, problem["order"]) == (451, "cac-1")
        await confirmed(gate, 2)
        _, listed = await alice.message(places[0], request="listparticipants", room=ROOM)
        assert {each["id"] for each in listed["plugindata"]["data"]["participants"]} == {"alice", "carol"}
        for handle in (places[1], watching):  # the session itself goes on until it falls silent
            session_id, handle_id = map(int, handle.strip("/").split("/"))
            assert handle_id not in (await sessions_and_handles(janus))[session_id]
        dave = Polling(from_de, url)
        await dave.begin()
        await dave.message(await dave.attach(), request="join", ptype="publisher", room=ROOM, id="dave")
        for each in (alice, carol):  # the two others hear of whoever comes
            async with asyncio.timeout(30):
                while "'dave'" not in str(await each.poll()):
                    pass

        status, problem = await bob.poll()  # the session is over, for as long as the order stands
        assert (status, problem["order"]) == (451, "cac-1")
        new = Polling(from_cn, url)
        await new.begin()
        status, said = await new.message(await new.attach(), request="join", ptype="publisher", room=ROOM, id="bob")
        assert "cac-1" in str(said)
        await lift(gate)
        status, said = await new.message(await new.attach(), request="join", ptype="publisher", room=ROOM, id="bob")
        assert said["janus"] == "ack"


async def test_a_janus_that_reclaims_is_asked_until_the_participant_is_gone(tmp_path: Path, demo_mmdb: Path) -> None:
    async with (
        janus_behind_gate(tmp_path, demo_mmdb, settings="reclaim_session_timeout=30") as (janus, gate),
        person(gate, DE) as alice,
        person(gate, CN) as bob,
    ):
        await make_rooms(alice, ROOM)
        await alice.join(ROOM, "alice")
        await bob.join(ROOM, "bob")
        await order_against(gate, ROOM)
        await confirmed(gate, 1)

        async def is_gone() -> bool:
            return await alice.client.inside(alice.session, alice.handle, ROOM) == {"alice"}

        await eventually(is_gone)
        assert bob.handle not in (await sessions_and_handles(janus)).get(bob.session, [])
