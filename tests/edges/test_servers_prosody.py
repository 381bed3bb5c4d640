"""ProsodyAdmin against a stand-in for mod_joingate that answers as it is told."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from joingate.servers.admin_client import ServerError, Whom
from joingate.servers.prosody import ProsodyAdmin

ROOM = "room é&=@muc.example"
ME = "me@meet.example/here +#"
WHOM = Whom("room", "nick", (ROOM, ME))
TOKEN = "t0ken-of-the-test"


class StandIn:
    """Answers every request alike, and notes it.

    Attributes:
        asked: method, path, query and authorization of each request.
        status: of the answers.
        body: of the answers.
        headers: of the answers.
    """

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, dict[str, str], str | None]] = []
        self.status = 200
        self.body = b'{"occupants":[]}'
        self.headers: dict[str, str] = {}
        self.url = ""

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(
            (request.method, request.path, dict(request.query), request.headers.get("Authorization")),
        )
        return web.Response(status=self.status, body=self.body, headers=self.headers)


@pytest_asyncio.fixture
async def stand_in() -> AsyncIterator[StandIn]:
    stand_in = StandIn()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", stand_in.answer)
    async with TestServer(app) as server:
        stand_in.url = str(server.make_url("/joingate/"))
        yield stand_in


@pytest_asyncio.fixture
async def admin(stand_in: StandIn) -> AsyncIterator[ProsodyAdmin]:
    async with ClientSession() as session:
        yield ProsodyAdmin(session, stand_in.url, TOKEN)


async def test_what_is_asked(stand_in: StandIn, admin: ProsodyAdmin) -> None:
    assert not await admin.is_present(WHOM)
    stand_in.status, stand_in.body = 204, b""
    await admin.remove(WHOM)
    await admin.remove(Whom("room", "nick é", (ROOM, "")))
    bearer = f"Bearer {TOKEN}"
    assert stand_in.asked == [
        ("GET", "/joingate/occupants", {"room": ROOM, "session": ME}, bearer),
        ("POST", "/joingate/remove", {"room": ROOM, "session": ME}, bearer),
        ("POST", "/joingate/remove", {"room": ROOM, "nick": "nick é"}, bearer),
    ]


async def test_whoever_has_neither_address_nor_nick_is_in_no_list(stand_in: StandIn, admin: ProsodyAdmin) -> None:
    reader = Whom("room", None, (ROOM, ""))
    await admin.remove(reader)
    assert not await admin.is_present(reader)
    assert stand_in.asked == []


async def test_present_or_not(stand_in: StandIn, admin: ProsodyAdmin) -> None:
    stand_in.body = b'{"occupants":["nick"]}'
    assert await admin.is_present(WHOM)
    stand_in.body = b'{"occupants":[]}'
    assert not await admin.is_present(WHOM)
    stand_in.status, stand_in.body = 404, b'{"error":"not-found"}'
    assert not await admin.is_present(WHOM)
    await admin.remove(WHOM)  # gone already


@pytest.mark.parametrize(
    ("status", "body", "complaint"),
    [
        (404, b"", "Prosody answered 404: mod_joingate is not loaded, or this is not its address."),
        (404, b"<html>", "Prosody answered 404: mod_joingate is not loaded, or this is not its address."),
        (404, b'{"error":"other"}', "Prosody answered 404: mod_joingate is not loaded, or this is not its address."),
        (404, b'["not-found"]', "Prosody answered 404: mod_joingate is not loaded, or this is not its address."),
        (401, b'{"error":"not-authorized"}', "Prosody answered 401: the token is not its joingate_token."),
        (422, b"{}", "Prosody answered 422: the room is on none of its MUC components."),
        (302, b"", "Prosody answered 302."),
        (400, b'{"error":"bad-request"}', "Prosody answered 400."),
        (500, b"\xff", "Prosody answered 500."),
        (503, b'{"error":"room-not-loaded"}', "Prosody answered 503."),
        (200, b"x" * 70_000, "The meeting server's answer is longer than 65536 bytes."),
    ],
)
async def test_what_the_operator_is_told(
    stand_in: StandIn, admin: ProsodyAdmin, status: int, body: bytes, complaint: str
) -> None:
    stand_in.status, stand_in.body, stand_in.headers = status, body, {"Location": "/elsewhere"} if status == 302 else {}
    for ask in (admin.is_present, admin.remove):
        stand_in.asked.clear()
        with pytest.raises(ServerError) as caught:
            await ask(WHOM)
        assert str(caught.value) == complaint
        assert len(stand_in.asked) == 1


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"{", b'{"occupants":{}}', b'{"occupants":"nick"}', b"null"])
async def test_a_200_alone_proves_nothing(stand_in: StandIn, admin: ProsodyAdmin, body: bytes) -> None:
    stand_in.body = body
    with pytest.raises(ServerError, match=r"^Prosody answered without a list of occupants\.$"):
        await admin.is_present(WHOM)
    with pytest.raises(ServerError, match=r"^Prosody answered 200\.$"):
        await admin.remove(WHOM)


async def test_no_server() -> None:
    async with ClientSession() as session:
        admin = ProsodyAdmin(session, "http://127.0.0.1:1/joingate", TOKEN)
        for ask in (admin.is_present, admin.remove):
            with pytest.raises(ServerError) as caught:
                await ask(WHOM)
            assert str(caught.value) == "The meeting server could not be asked (ClientConnectorError)."
