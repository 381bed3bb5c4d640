"""Removing one participant from a LiveKit room, against a server that behaves as LiveKit's sources do."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp
import orjson
import pytest
from aiohttp import web

from joingate.servers.admin_client import AdminClient, ServerError, Whom
from joingate.servers.asking import ask
from joingate.servers.livekit import LivekitAdmin
from tests.stubs import answering, serving
from tests.stubs.livekit_server import Inside, LivekitServer

ALICE = Whom("Board", "alice")
LIST = "/twirp/livekit.RoomService/ListParticipants"
REMOVE = "/twirp/livekit.RoomService/RemoveParticipant"


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
async def server() -> LivekitServer:
    return LivekitServer()


@pytest.fixture
async def url(server: LivekitServer) -> AsyncIterator[str]:
    async with serving(server.app()) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def admin(session: aiohttp.ClientSession, url: str, server: LivekitServer) -> AdminClient:
    return LivekitAdmin(session, url + "/", server.key, server.secret, settling_seconds=0)


Join = Callable[..., Awaitable[aiohttp.ClientWebSocketResponse]]


@pytest.fixture
def join(session: aiohttp.ClientSession, url: str, server: LivekitServer) -> Join:
    async def join(identity: str, room: str = "Board", **query: str) -> aiohttp.ClientWebSocketResponse:
        token = server.token(room, identity)
        socket = await session.ws_connect(f"{url}/rtc", params={"access_token": token, **query})
        assert await socket.receive_bytes() == b"joined"
        return socket

    return join


async def test_one_is_removed_and_nobody_else(admin: AdminClient, server: LivekitServer, join: Join) -> None:
    alice, bob, elsewhere = await join("alice"), await join("bob"), await join("alice", "board")
    assert await admin.is_present(ALICE)
    await admin.remove(ALICE)
    assert not await admin.is_present(ALICE)
    assert (await alice.receive()).type is aiohttp.WSMsgType.CLOSE
    assert server.rooms["Board"].keys() == {"bob"}
    for stays in (bob, elsewhere):
        await stays.send_bytes(b"still here")
        assert await stays.receive_bytes() == b"still here"
        await stays.close()


async def test_a_lost_websocket_removes_nobody(admin: AdminClient, join: Join) -> None:
    await (await join("alice")).close()
    assert await admin.is_present(ALICE)
    await admin.remove(ALICE)
    assert not await admin.is_present(ALICE)


async def test_what_they_publish_besides_goes_with_them(admin: AdminClient, server: LivekitServer, join: Join) -> None:
    for identity, query in (("alice", {}), ("alice", {"publish": "screen"}), ("alicia", {"publish": "screen"})):
        await join(identity, **query)
    server.rooms["Board"]["alice#2"] = Inside(can_subscribe=True, unlisted_calls=0)  # somebody else's own identity
    server.rooms["Board"]["alice2"] = Inside(can_subscribe=False, unlisted_calls=0)
    del server.rooms["Board"]["alice"]
    assert await admin.is_present(ALICE)
    await join("alice")
    await admin.remove(ALICE)
    assert server.rooms["Board"].keys() == {"alicia#screen", "alice#2", "alice2"}
    assert not await admin.is_present(ALICE)


async def test_nobody_there_is_no_error(admin: AdminClient, server: LivekitServer) -> None:
    await admin.remove(ALICE)
    assert not await admin.is_present(ALICE)
    assert server.admin_requests == [LIST, LIST, LIST]


async def test_who_has_just_joined_is_looked_for_again(admin: AdminClient, server: LivekitServer, join: Join) -> None:
    server.unlisted_calls = 1
    await join("alice")
    await admin.remove(ALICE)
    assert "alice" not in server.rooms["Board"]


async def test_who_goes_between_list_and_removal_is_no_error(
    server: LivekitServer, join: Join, monkeypatch: pytest.MonkeyPatch
) -> None:
    await join("alice")
    listed = server._twirp

    async def gone_after_the_list(request: web.Request) -> web.Response:
        answer = await listed(request)
        server.rooms["Board"].clear()
        return answer

    monkeypatch.setattr(server, "_twirp", gone_after_the_list)
    async with serving(server.app()) as port, aiohttp.ClientSession() as session:
        await LivekitAdmin(session, f"http://127.0.0.1:{port}", server.key, server.secret).remove(ALICE)
    assert server.admin_requests[-1] == REMOVE


async def test_the_token_is_good_for_one_room_and_one_minute(
    session: aiohttp.ClientSession, url: str, server: LivekitServer, join: Join
) -> None:
    await join("alice")
    admin = LivekitAdmin(session, url, server.key, server.secret, now=lambda: 4_000_000_000.9)
    await admin.remove(ALICE)
    claims = {
        "iss": server.key,
        "nbf": 4_000_000_000,
        "exp": 4_000_000_060,
        "video": {"roomAdmin": True, "room": "Board"},
    }
    assert server.admin_claims == [claims, claims]
    assert server.admin_requests == [LIST, REMOVE]


async def test_a_wrong_secret_is_an_error(session: aiohttp.ClientSession, url: str, server: LivekitServer) -> None:
    admin = LivekitAdmin(session, url, server.key, "another")
    with pytest.raises(ServerError, match=r"^LiveKit answered ListParticipants with 401 \(unauthenticated\)\.$"):
        await admin.is_present(ALICE)


async def test_a_wrong_path_is_an_error(session: aiohttp.ClientSession, url: str, server: LivekitServer) -> None:
    """Twirp's 404 for a path that it does not know is no word about a participant."""
    with pytest.raises(ServerError, match=r"^LiveKit answered ListParticipants with 404\.$"):
        await LivekitAdmin(session, f"{url}/twirp", server.key, server.secret).is_present(ALICE)


async def test_a_join_without_an_identity(admin: AdminClient) -> None:
    for call in (admin.remove, admin.is_present):
        with pytest.raises(ServerError, match="named no participant"):
            await call(Whom("Board", None))


@pytest.mark.parametrize(
    ("status", "body", "text"),
    [
        (200, b"<html>", "LiveKit answered ListParticipants with 200."),
        (200, b"[]", "LiveKit answered ListParticipants with 200."),
        (200, b'{"participants":{}}', "The meeting server's list of participants is none."),
        (200, b'{"participants":["alice"]}', "The meeting server's list of participants is none."),
        (404, b"no such page", "LiveKit answered ListParticipants with 404."),
        (404, b'{"code":"bad_route"}', "LiveKit answered ListParticipants with 404 (bad_route)."),
        (500, b'{"code":"Board has alice"}', "LiveKit answered ListParticipants with 500."),
        (500, b'{"code":7}', "LiveKit answered ListParticipants with 500."),
        (302, b"", "LiveKit answered ListParticipants with 302."),
    ],
)
async def test_an_answer_that_proves_nothing(
    session: aiohttp.ClientSession, status: int, body: bytes, text: str
) -> None:
    async with answering(status, body) as url:
        with pytest.raises(ServerError) as caught:
            await LivekitAdmin(session, url, "k", "s").is_present(ALICE)
    assert str(caught.value) == text


@pytest.mark.parametrize(
    ("body", "is_present"),
    [
        (b"{}", False),
        (b'{"participants":[{"sid":"x"},{"identity":7},{"identity":"alice#x"}]}', False),
        (b'{"participants":[{"identity":"alice#x","permission":{"canSubscribe":true}}]}', False),
        (b'{"participants":[{"identity":"alice#x","permission":{}}]}', True),  # defaults may be left out
    ],
)
async def test_other_ways_to_write_a_list(session: aiohttp.ClientSession, body: bytes, is_present: bool) -> None:
    async with answering(200, body) as url:
        assert await LivekitAdmin(session, url, "k", "s").is_present(ALICE) is is_present


# One call (servers/asking.py)


async def test_nobody_listens(session: aiohttp.ClientSession) -> None:
    async with answering(200, b"") as url:
        pass
    with pytest.raises(ServerError) as caught:
        await ask(session, "GET", f"{url}/alice?checksum=secret")
    assert str(caught.value) == "The meeting server could not be asked (ClientConnectorError)."
    assert caught.value.__suppress_context__


async def test_an_address_that_is_none(session: aiohttp.ClientSession) -> None:
    with pytest.raises(ServerError, match=r"^The meeting server could not be asked \(\w+\)\.$"):
        await ask(session, "GET", "nonsense")


async def test_no_answer_in_time(session: aiohttp.ClientSession) -> None:
    answered = asyncio.Event()

    async def wait(_: web.Request) -> web.Response:
        await answered.wait()
        return web.Response()

    app = web.Application()
    app.router.add_get("/", wait)
    async with serving(app) as port:
        with pytest.raises(ServerError, match=r"^The meeting server did not answer within 0\.05 seconds\.$"):
            async with asyncio.timeout(30):
                await ask(session, "GET", f"http://127.0.0.1:{port}/", seconds=0.05)
        answered.set()


async def test_an_answer_too_long(session: aiohttp.ClientSession) -> None:
    async with answering(200, b"x" * 1001) as url:
        assert (await ask(session, "GET", url, max_answer=1001)).body == b"x" * 1001
        with pytest.raises(ServerError, match=r"^The meeting server's answer is longer than 1000 bytes\.$"):
            await ask(session, "GET", url, max_answer=1000)


async def test_no_redirect_is_followed(session: aiohttp.ClientSession) -> None:
    async with answering(200, b"secret") as elsewhere, answering(307, b"", {"Location": elsewhere}) as url:
        assert await ask(session, "POST", url, {"Authorization": "Bearer t"}, orjson.dumps({})) == (307, b"")
