"""LiveKit behind the gate, as far as a stand-in that behaves as its source does can show."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from tests.edges.served import CN, DE, LIMIT, Served, until
from tests.edges.served_stub import close_code, coming_from, gate_before, order_against, serving
from tests.stubs.livekit_server import LivekitServer

ROOM = "m1"


def settings(port: int) -> str:
    return f"""
server = "livekit"
[upstream.admin]
url = "http://127.0.0.1:{port}"
key = "devkey"
secret_file = "secret"
"""


@pytest.fixture
async def livekit() -> LivekitServer:
    return LivekitServer()


@pytest.fixture
async def gate(tmp_path: Path, demo_mmdb: Path, livekit: LivekitServer) -> AsyncIterator[Served]:
    async with (
        serving(livekit.app()) as port,
        gate_before(tmp_path, demo_mmdb, port, settings(port), livekit.secret) as gate,
    ):
        yield gate


async def join(
    http: aiohttp.ClientSession, gate: Served, token: str, more: str = ""
) -> aiohttp.ClientWebSocketResponse:
    socket = await http.ws_connect(f"http://127.0.0.1:{gate.port}/rtc?access_token={token}{more}")
    assert await socket.receive_bytes(timeout=LIMIT) == b"joined"
    return socket


async def test_an_ejection_is_confirmed_when_the_room_lists_nobody_and_not_before(
    gate: Served, livekit: LivekitServer
) -> None:
    async with coming_from(DE) as from_de, coming_from(CN) as from_cn:
        anna = await join(from_de, gate, livekit.token(ROOM, "anna"))
        bert = await join(from_cn, gate, livekit.token(ROOM, "bert"))
        screen = await join(from_cn, gate, livekit.token(ROOM, "bert"), "&publish=screen")
        assert livekit.rooms[ROOM].keys() == {"anna", "bert", "bert#screen"}
        await order_against(gate, ROOM)
        assert [await close_code(socket) for socket in (bert, screen)] == [4451, 4451]
        await gate.status_when(lambda status: status["ejections"]["under_way"] == 0)
        assert livekit.rooms[ROOM].keys() == {"anna"}
        await anna.send_bytes(b"still here")
        assert await anna.receive_bytes(timeout=LIMIT) == b"still here"
        async with from_cn.get(
            f"http://127.0.0.1:{gate.port}/rtc/validate?access_token={livekit.token(ROOM, 'bert')}"
        ) as answer:
            assert answer.status == 451
    await gate.ledger_says("2 ejections, 2 confirmed, 0 still present")
    assert {path.rpartition("/")[2] for path in livekit.admin_requests} == {"ListParticipants", "RemoveParticipant"}
    assert all(claims["video"] == {"roomAdmin": True, "room": ROOM} for claims in livekit.admin_claims)


async def test_who_has_just_joined_is_found_all_the_same(gate: Served, livekit: LivekitServer) -> None:
    """The RoomService does not know whoever joined a moment ago: its 404 proves nothing."""
    livekit.unlisted_calls = 2
    async with coming_from(CN) as from_cn:
        bert = await join(from_cn, gate, livekit.token(ROOM, "bert"))
        await order_against(gate, ROOM)
        assert await close_code(bert) == 4451
        await until(lambda: "bert" not in livekit.rooms[ROOM])
        await gate.status_when(lambda status: status["ejections"]["under_way"] == 0)


async def test_what_the_gate_says_of_the_client_s_address_is_all_that_livekit_hears(
    gate: Served, livekit: LivekitServer
) -> None:
    """LiveKit believes these three headers from anybody."""
    forged = {"CF-Connecting-IP": "198.51.100.7", "X-Real-IP": "198.51.100.7", "X-Forwarded-For": "198.51.100.7"}
    async with coming_from(DE) as from_de:
        socket = await from_de.ws_connect(
            f"http://127.0.0.1:{gate.port}/rtc?access_token={livekit.token(ROOM, 'anna')}", headers=forged
        )
        assert await socket.receive_bytes(timeout=LIMIT) == b"joined"
    (headers,) = livekit.join_headers
    assert headers["X-Forwarded-For"] == DE
    assert "198.51.100.7" not in str(headers)


async def test_a_room_service_that_cannot_be_asked_is_an_alarm(tmp_path: Path, demo_mmdb: Path) -> None:
    livekit = LivekitServer()
    (tmp_path / "gate").mkdir()
    async with (
        serving(livekit.app()) as port,
        gate_before(tmp_path / "gate", demo_mmdb, port, settings(port), "a wrong secret") as gate,
        coming_from(CN) as from_cn,
    ):
        bert = await join(from_cn, gate, livekit.token(ROOM, "bert"))
        await order_against(gate, ROOM)
        assert await close_code(bert) == 4451
        status = await gate.status_when(lambda status: status["ejections"]["still_present"] == 1)
        assert status["state"] == "degraded"
        assert "1 ejected participants are cut off, and still present on the server" in status["problems"]
        assert any("LiveKit answered" in problem for problem in status["problems"])
        assert b"joingate_still_present 1.0" in await gate.get("/metrics")
        assert "bert" in livekit.rooms[ROOM]
        await gate.ledger_says("1 ejections, 0 confirmed, 1 still present")
