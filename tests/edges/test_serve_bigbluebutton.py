"""BigBlueButton behind the gate, as far as a stand-in that behaves as its source does can show."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import orjson
import pytest

from tests.edges.served import CN, DE, HK, LIMIT, Served, until
from tests.edges.served_stub import close_code, coming_from, gate_before, order_against, serving
from tests.stubs.bigbluebutton_server import BigBlueButtonServer

MEETING = "m1"


@pytest.fixture
async def server() -> BigBlueButtonServer:
    return BigBlueButtonServer(meetings={MEETING, "m2"})


@pytest.fixture
async def gate(tmp_path: Path, demo_mmdb: Path, server: BigBlueButtonServer) -> AsyncIterator[Served]:
    async with serving(server.app()) as port:
        lines = f"""
server = "bigbluebutton"
[upstream.admin]
url = "http://127.0.0.1:{port}/bigbluebutton"
secret_file = "secret"
"""
        async with gate_before(tmp_path, demo_mmdb, port, lines, server.secret) as gate:
            yield gate


async def follow(http: aiohttp.ClientSession, gate: Served, link: str) -> tuple[int, str]:
    """Open a link that joins; return the status and the session token it leads to."""
    async with http.get(f"http://127.0.0.1:{gate.port}{link}", allow_redirects=False) as answer:
        return answer.status, answer.headers.get("Location", "").partition("sessionToken=")[2]


async def graphql(http: aiohttp.ClientSession, gate: Served, token: str) -> tuple[aiohttp.ClientWebSocketResponse, str]:
    socket = await http.ws_connect(f"http://127.0.0.1:{gate.port}/graphql", protocols=["graphql-transport-ws"])
    headers = {"X-Session-Token": token}
    await socket.send_str(orjson.dumps({"type": "connection_init", "payload": {"headers": headers}}).decode())
    return socket, str(await socket.receive_str(timeout=LIMIT))


async def media(http: aiohttp.ClientSession, gate: Served, token: str) -> aiohttp.ClientWebSocketResponse:
    socket = await http.ws_connect(f"http://127.0.0.1:{gate.port}/bbb-webrtc-sfu?sessionToken={token}")
    await socket.send_str("hello")
    assert await socket.receive_str(timeout=LIMIT) == "hello"
    return socket


async def test_the_link_is_judged_and_passes_with_its_checksum(gate: Served, server: BigBlueButtonServer) -> None:
    await order_against(gate, MEETING)
    async with coming_from(DE) as from_de, coming_from(CN) as from_cn:
        status, token = await follow(from_de, gate, server.link(MEETING, "anna", fullName="Anna & Co"))
        assert (status, token in server.sessions) == (302, True)
        assert (await follow(from_cn, gate, server.link(MEETING, "bert")))[0] == 451
        assert (await follow(from_cn, gate, server.link("m2", "bert")))[0] == 302
    assert [session.user_id for session in server.sessions.values()] == ["anna", "bert"]


async def test_the_session_token_stands_for_its_meeting_wherever_it_is_used(
    gate: Served, server: BigBlueButtonServer
) -> None:
    await order_against(gate, MEETING)
    async with coming_from(DE) as from_de, coming_from(CN) as from_cn, coming_from(HK) as from_hk:
        _, token = await follow(from_de, gate, server.link(MEETING, "anna"))
        _, said = await graphql(from_cn, gate, token)
        assert "cac-1" in said
        assert server.attendees(MEETING) == []
        socket, said = await graphql(from_hk, gate, token)
        assert "connection_ack" in said
        assert server.attendees(MEETING) == ["anna"]
        _, said = await graphql(from_hk, gate, "a-token-of-nobody")
        assert "join anew" in said
        await socket.close()


async def test_all_of_a_participant_s_sockets_are_cut_and_the_others_stay(
    gate: Served, server: BigBlueButtonServer
) -> None:
    async with coming_from(DE) as from_de, coming_from(CN) as from_cn:
        _, anna_token = await follow(from_de, gate, server.link(MEETING, "anna"))
        _, bert_token = await follow(from_cn, gate, server.link(MEETING, "bert"))
        anna, _ = await graphql(from_de, gate, anna_token)
        bert, _ = await graphql(from_cn, gate, bert_token)
        bert_media = await media(from_cn, gate, bert_token)
        await order_against(gate, MEETING)
        assert [await close_code(socket) for socket in (bert, bert_media)] == [4451, 4451]
        await until(lambda: server.sessions[bert_token].sockets == 0)  # the server hears of it after the client does
        server.let_time_pass()
        await gate.status_when(lambda status: status["ejections"]["under_way"] == 0)
        assert server.attendees(MEETING) == ["anna"]
        await anna.send_str('{"type":"ping"}')
        assert await anna.receive_str(timeout=LIMIT) == '{"type":"ping"}'
        _, said = await graphql(from_cn, gate, bert_token)  # the token is good still, and its bearer is not let in
        assert "cac-1" in said
        assert set(server.api_requests) <= {"/bigbluebutton/api/join", "/bigbluebutton/api/getMeetingInfo"}
