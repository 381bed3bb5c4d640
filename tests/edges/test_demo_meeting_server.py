"""The demo's meeting server over real sockets: who hears whom, who is listed, what is refused."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType, WSServerHandshakeError

from joingate.demo.meeting_server import LONGEST_MESSAGE, LONGEST_NAME, MeetingServer


class Guest:
    """Joins and asks over real connections to one server."""

    def __init__(self, session: ClientSession) -> None:
        self.session = session

    async def join(self, user: str, meeting: str = "8412345678") -> ClientWebSocketResponse:
        socket = await self.session.ws_connect(f"/meetings/{meeting}/join", params={"user": user})
        assert (await socket.receive_json())["event"] == "welcome"
        return socket

    async def listing(self, meeting: str = "8412345678") -> tuple[int, Any]:
        async with self.session.get(f"/meetings/{meeting}") as answer:
            return answer.status, await answer.json()


@pytest.fixture
async def guest() -> AsyncIterator[Guest]:
    async with MeetingServer() as server, ClientSession(f"http://127.0.0.1:{server.port}") as session:
        yield Guest(session)


async def test_the_others_hear_what_one_says_and_the_speaker_does_not(guest: Guest) -> None:
    ruth, kit = await guest.join("Ruth"), await guest.join("Kit")
    assert await ruth.receive_json() == {"event": "joined", "user": "Kit", "participants": ["Kit", "Ruth"]}

    await kit.send_json({"seq": 1, "text": "hello"})
    assert await ruth.receive_json() == {"from": "Kit", "seq": 1, "text": "hello"}

    # Had Kit been sent his own words they would arrive first.
    await ruth.send_json({"seq": 1, "text": "welcome"})
    assert await kit.receive_json() == {"from": "Ruth", "seq": 1, "text": "welcome"}


async def test_what_one_sender_says_arrives_in_its_order(guest: Guest) -> None:
    ruth, kit = await guest.join("Ruth"), await guest.join("Kit")
    for seq in range(1, 101):
        await ruth.send_json({"seq": seq, "text": "x"})
    assert [(await kit.receive_json())["seq"] for _ in range(100)] == list(range(1, 101))


async def test_meetings_do_not_hear_each_other(guest: Guest) -> None:
    ruth = await guest.join("Ruth", "reading-group")
    kit, mei = await guest.join("Kit"), await guest.join("Mei")
    assert (await kit.receive_json())["event"] == "joined"

    await mei.send_json({"seq": 1, "text": "here"})
    assert (await kit.receive_json())["text"] == "here"
    assert await guest.listing("reading-group") == (200, {"meeting": "reading-group", "participants": ["Ruth"]})
    await ruth.send_json("not understood")  # whatever had been sent to Ruth would come before the answer
    assert (await ruth.receive_json())["event"] == "error"


async def test_a_leaver_is_announced_and_the_meeting_goes_on(guest: Guest) -> None:
    ruth, kit = await guest.join("Ruth"), await guest.join("Kit")
    await ruth.receive_json()
    await kit.close()
    assert await ruth.receive_json() == {"event": "left", "user": "Kit", "participants": ["Ruth"]}
    assert await guest.listing() == (200, {"meeting": "8412345678", "participants": ["Ruth"]})


async def test_someone_in_from_two_devices_is_listed_twice(guest: Guest) -> None:
    both = [await guest.join("Ruth"), await guest.join("Ruth")]
    assert (await guest.listing())[1]["participants"] == ["Ruth", "Ruth"]
    await both[0].close()
    assert (await both[1].receive_json())["event"] == "left"
    assert (await guest.listing())[1]["participants"] == ["Ruth"]


async def test_a_meeting_with_nobody_in_it_is_not_listed(guest: Guest) -> None:
    assert await guest.listing("empty") == (404, {"meeting": "empty", "participants": []})


@pytest.mark.parametrize(
    "said", ["no json", "[]", "7", "null", '{"seq": 1}', '{"text": "a"}', '{"seq": "one", "text": "a"}']
)
async def test_what_is_not_understood_is_answered_and_passed_to_nobody(guest: Guest, said: str) -> None:
    ruth, kit = await guest.join("Ruth"), await guest.join("Kit")
    assert (await ruth.receive_json())["event"] == "joined"
    await kit.send_str(said)
    assert await kit.receive_json() == {"event": "error", "text": 'not understood; send {"seq": 1, "text": "hello"}'}
    await kit.send_json({"seq": 1, "text": "hello"})
    assert await ruth.receive_json() == {"from": "Kit", "seq": 1, "text": "hello"}


async def test_a_message_past_the_limit_ends_that_connection_alone(guest: Guest) -> None:
    ruth, kit = await guest.join("Ruth"), await guest.join("Kit")
    await ruth.receive_json()
    await kit.send_json({"seq": 1, "text": "x" * LONGEST_MESSAGE})
    closed = await kit.receive()
    assert (closed.type, closed.data) == (WSMsgType.CLOSE, 1009)
    assert (await ruth.receive_json())["event"] == "left"


@pytest.mark.parametrize("user", ["", "  ", "x" * (LONGEST_NAME + 1)])
async def test_a_join_needs_a_name(guest: Guest, user: str) -> None:
    with pytest.raises(WSServerHandshakeError) as refused:
        await guest.session.ws_connect("/meetings/8412345678/join", params={"user": user})
    assert refused.value.status == 400


async def test_a_join_that_is_no_websocket_handshake_gets_426(guest: Guest) -> None:
    async with guest.session.get("/meetings/8412345678/join", params={"user": "Ruth"}) as answer:
        assert (answer.status, await answer.text()) == (426, "a join is a WebSocket handshake\n")
        assert answer.headers["Upgrade"] == "websocket"
    assert (await guest.listing())[0] == 404


async def test_the_page_loads_nothing_from_elsewhere(guest: Guest) -> None:
    async with guest.session.get("/") as answer:
        page = await answer.text()
        assert (answer.status, answer.content_type) == (200, "text/html")
    assert "<title>Meetings</title>" in page
    assert "src=" not in page
    assert "@import" not in page
    assert "//" not in page.split("<script>")[0].replace("<!doctype html>", "")


async def test_the_server_says_goodbye_when_it_stops() -> None:
    async with ClientSession() as session:
        async with MeetingServer() as server:
            socket = await session.ws_connect(f"http://127.0.0.1:{server.port}/meetings/1/join?user=Ruth")
            await socket.receive_json()
        closed = await socket.receive()
        assert (closed.type, closed.data, closed.extra) == (WSMsgType.CLOSE, 1001, "server stops")
