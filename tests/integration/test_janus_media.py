"""An ejection ends what one participant sends and hears: real media through Debian's Janus, packet by packet."""

import contextlib
from itertools import permutations
from pathlib import Path

import aiohttp
import pytest

from tests.edges.served import CN, DE, HK, Served
from tests.integration.gate_in_front import coming_from, confirmed, order_against
from tests.integration.janus_behind_gate import janus_behind_gate
from tests.integration.janus_media import Talker, media_address, talking
from tests.integration.janus_polling import Polling, PollingClient
from tests.integration.janus_server import (
    JanusClient,
    JanusServer,
    JanusTalk,
    admin_ask,
    eventually,
)

pytestmark = pytest.mark.integration

ROOM = "m1"
PLACES = {"alice": DE, "bob": CN, "carol": HK}
ENOUGH = 25  # packets: half a second's, so that nothing which still flows goes unseen


async def client_of(gate: Served, http: aiohttp.ClientSession, carrier: str) -> JanusTalk:
    url = f"http://127.0.0.1:{gate.port}/janus"
    return PollingClient(Polling(http, url)) if carrier == "polling" else await JanusClient.connect(http, url)


async def told(client: JanusTalk) -> int | None:
    """Hear everything up to the end, and return how the client was told of it: a status, or a Close code."""
    with contextlib.suppress(ConnectionError, TypeError):  # aiohttp's: what came is no text
        await client.hear(lambda _: False)
    if isinstance(client, JanusClient):
        return client.socket.close_code
    assert isinstance(client, PollingClient)
    return client.refused_with


async def reach(talkers: list[Talker], more: int) -> None:
    """Wait until so many more packets have come to everybody from everybody else."""
    for here, there in permutations(talkers, 2):
        before = await here.packets(there.name)

        async def have_come(here: Talker = here, feed: str = there.name, before: int = before) -> bool:
            return await here.packets(feed) >= before + more

        await eventually(have_come)


async def handles_in(janus: JanusServer, talker: Talker) -> set[int]:
    async with aiohttp.ClientSession() as http:
        answer = await admin_ask(http, janus, f"/{talker.session}", janus="list_handles")
        return set(answer.get("handles", [])) & set(talker.handles)


@pytest.mark.parametrize(("carrier", "code"), [("websocket", 4451), ("polling", 451)])
async def test_who_is_ejected_hears_no_more_and_the_others_hear_each_other(
    tmp_path: Path, demo_mmdb: Path, carrier: str, code: int
) -> None:
    async with contextlib.AsyncExitStack() as stack:
        janus, gate = await stack.enter_async_context(
            janus_behind_gate(tmp_path, demo_mmdb, http=carrier == "polling", media_address=media_address())
        )
        clients = []
        for name, address in PLACES.items():
            client = await client_of(gate, await stack.enter_async_context(coming_from(address)), carrier)
            clients.append((name, client, await client.create()))
        _, first, session = clients[0]
        control = await first.attach(session)
        await first.make_room(session, control, ROOM, notify_joining=True, publishers=50)
        alice, bob, carol = talkers = await stack.enter_async_context(talking(ROOM, clients))
        await reach(talkers, ENOUGH)
        assert (await gate.status())["participants"] == 9  # each once as publisher and twice as subscriber
        assert await handles_in(janus, bob) == set(bob.handles)

        await order_against(gate, ROOM)
        assert await told(bob.client) == code
        await confirmed(gate, 3)

        assert await first.inside(session, control, ROOM) == {"alice", "carol"}
        assert await handles_in(janus, bob) == set()
        await reach([alice, carol], ENOUGH)  # whatever of bob's was on its way has come by then
        silenced = [(bob, alice), (bob, carol), (alice, bob), (carol, bob)]
        before = [await here.packets(there.name) for here, there in silenced]
        await reach([alice, carol], 2 * ENOUGH)
        assert [await here.packets(there.name) for here, there in silenced] == before
        for each in (alice, carol):
            assert await handles_in(janus, each) == set(each.handles)

        late = await client_of(gate, await stack.enter_async_context(coming_from(DE)), carrier)
        await late.join(await late.create(), ROOM, "dave")
        for each in (alice, carol):  # and what the room says reaches them too
            heard = await each.client.hear(lambda said: "'dave'" in str(said))
            assert heard["plugindata"]["data"]["room"] == ROOM
