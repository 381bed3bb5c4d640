"""JanusAdmin against a stand-in on loopback that answers as Janus does, or as it should not.

The real Janus: tests/integration/test_janus_admin.py.
"""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import aiohttp
import orjson
import pytest
import pytest_asyncio
from aiohttp import web

from joingate.servers import asking, janus
from joingate.servers.admin_client import AdminClient, ServerError, Whom
from joingate.servers.janus import MAX_ANSWER, JanusAdmin

SECRET = "correct-horse"
S, H = "7345254316184706", "606929606697602"
BOB = Whom("m1", "bob", (S, H))


class StandIn:
    """Answers what it is told to, and notes what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, object]]] = []
        self.answers: dict[str, object] = {}
        self.status = 200
        self.raw: bytes | None = None
        self.silent = asyncio.Event()
        self.silent.set()

    async def answer(self, request: web.Request) -> web.Response:
        body = orjson.loads(await request.read())
        self.asked.append((request.path, body))
        await self.silent.wait()
        raw = self.raw if self.raw is not None else orjson.dumps(self.answers[body["janus"]])
        headers = {"Location": "/admin"} if self.status == 302 else {}
        return web.Response(status=self.status, body=raw, headers=headers)

    def error(self, what: str, code: int) -> None:
        # Janus's reason names ids; the gate's text must not.
        self.answers[what] = {"janus": "error", "error": {"code": code, "reason": f"No such handle {H} in {S}"}}

    def info(self, *, plugin: str = "videoroom", **specific: object) -> None:
        info: dict[str, object] = {"session_id": int(S), "handle_id": int(H), "plugin_specific": specific}
        info["plugin"] = f"janus.plugin.{plugin}"
        self.answers["handle_info"] = {"janus": "success", "session_id": int(S), "info": info}


@pytest_asyncio.fixture
async def stand_in() -> AsyncIterator[tuple[StandIn, AdminClient]]:
    answers = StandIn()
    answers.info(type="publisher", room="m1", id="bob")
    answers.answers["detach_handle"] = {"janus": "success", "session_id": int(S)}
    app = web.Application()
    app.router.add_post("/admin/{session}/{handle}", answers.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    async with aiohttp.ClientSession() as session:
        yield answers, JanusAdmin(session, f"http://127.0.0.1:{port}/admin/", SECRET)
    answers.silent.set()
    await runner.cleanup()


async def failure(admin: AdminClient, whom: Whom = BOB) -> str:
    """Return the text of the error, after checking that it names nobody and nothing secret."""
    with pytest.raises(ServerError) as caught:
        await admin.remove(whom)
    text = str(caught.value)
    assert not any(word in text for word in (S, H, SECRET, "m1", "bob"))
    return text


async def test_a_removal_asks_for_exactly_one_handle(stand_in: tuple[StandIn, AdminClient]) -> None:
    server, admin = stand_in
    await admin.remove(BOB)
    secret = {"transaction": "joingate", "admin_secret": SECRET}
    assert server.asked == [
        (f"/admin/{S}/{H}", {"janus": "handle_info", "plugin_only": True, **secret}),
        (f"/admin/{S}/{H}", {"janus": "detach_handle", **secret}),
    ]


@pytest.mark.parametrize("code", [458, 459])
@pytest.mark.parametrize("asked", ["handle_info", "detach_handle"])
async def test_gone_already(stand_in: tuple[StandIn, AdminClient], code: int, asked: str) -> None:
    server, admin = stand_in
    server.error(asked, code)
    await admin.remove(BOB)
    assert server.asked[-1][1]["janus"] == asked
    assert await admin.is_present(BOB) is (asked == "detach_handle")


@pytest.mark.parametrize(
    ("specific", "meeting", "present"),
    [
        ({"type": "publisher", "room": "m1"}, "m1", True),
        ({"type": "subscriber", "room": 1234}, "1234", True),
        ({"state": "inroom", "room": "m2"}, "m1", False),  # who has moved to another room
        ({"hangingup": 0}, "m1", True),  # in no room, and a join may be on its way
        ({"plugin": "audiobridge", "state": "idle"}, "m1", True),
        ({"room": None}, "m1", True),
        ({"plugin": "echotest", "state": "idle"}, "m1", False),  # which has no rooms to be in
    ],
)
async def test_presence_is_what_the_plugin_says(
    stand_in: tuple[StandIn, AdminClient], specific: dict[str, Any], meeting: str, present: bool
) -> None:
    server, admin = stand_in
    server.info(**specific)
    whom = Whom(meeting, "bob", (S, H))
    assert await admin.is_present(whom) is present
    await admin.remove(whom)
    assert [body["janus"] for _, body in server.asked[1:]] == ["handle_info", *(["detach_handle"] if present else [])]


async def test_a_handle_without_a_plugin(stand_in: tuple[StandIn, AdminClient]) -> None:
    server, admin = stand_in
    server.answers["handle_info"] = {"janus": "success", "info": {"handle_id": int(H)}}
    assert not await admin.is_present(BOB)


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ({"janus": "success"}, "Janus answered handle_info without an info."),
        ({"janus": "success", "info": []}, "Janus answered handle_info without an info."),
        ({"janus": "ack"}, "Janus answered handle_info with neither success nor an error."),
        ({"janus": "error"}, "Janus answered handle_info with neither success nor an error."),
        ({"janus": "error", "error": {"code": "459"}}, "Janus answered handle_info with neither success nor an error."),
        ({}, "Janus answered handle_info with neither success nor an error."),
        ([], "Janus answered handle_info with something that is not a JSON object."),
    ],
)
async def test_status_200_proves_nothing(stand_in: tuple[StandIn, AdminClient], answer: object, text: str) -> None:
    server, admin = stand_in
    server.answers["handle_info"] = answer
    assert await failure(admin) == text


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (403, "Janus answered detach_handle with error 403 (the admin_secret is wrong)."),
        (463, "Janus answered detach_handle with error 463 (no plugin was at the handle)."),
        (490, "Janus answered detach_handle with error 490."),
    ],
)
async def test_errors_inside_a_200(stand_in: tuple[StandIn, AdminClient], code: int, text: str) -> None:
    server, admin = stand_in
    server.error("detach_handle", code)
    assert await failure(admin) == text


@pytest.mark.parametrize("status", [302, 400, 404, 500])
async def test_other_statuses(stand_in: tuple[StandIn, AdminClient], status: int) -> None:
    server, admin = stand_in
    server.status = status
    assert await failure(admin) == f"Janus's Admin API answered with HTTP status {status}."
    assert len(server.asked) == 1  # no redirect is followed with the secret


@pytest.mark.parametrize("raw", [b"", b"<html>", b"\xff", b'{"janus":"success"'])
async def test_no_json(stand_in: tuple[StandIn, AdminClient], raw: bytes) -> None:
    server, admin = stand_in
    server.raw = raw
    assert await failure(admin) == "Janus answered handle_info with something that is not JSON."


async def test_an_answer_that_is_too_long(stand_in: tuple[StandIn, AdminClient]) -> None:
    server, admin = stand_in
    server.raw = b" " * (MAX_ANSWER + 1)
    assert await failure(admin) == "The meeting server's answer is longer than 262144 bytes."
    server.raw = orjson.dumps(server.answers["handle_info"]).ljust(MAX_ANSWER)
    assert await admin.is_present(BOB)


async def test_no_answer_in_time(stand_in: tuple[StandIn, AdminClient], monkeypatch: pytest.MonkeyPatch) -> None:
    server, admin = stand_in
    server.silent.clear()
    monkeypatch.setattr(janus, "ask", partial(asking.ask, seconds=0.1))
    assert await failure(admin) == "The meeting server did not answer within 0.1 seconds."


async def test_nobody_listens() -> None:
    async with aiohttp.ClientSession() as session:
        admin = JanusAdmin(session, "http://127.0.0.1:1/admin", SECRET)
        assert await failure(admin) == "The meeting server could not be asked (ClientConnectorError)."


@pytest.mark.parametrize("place", [(), (S,), (S, H, "1")])
async def test_a_place_that_is_no_handle(stand_in: tuple[StandIn, AdminClient], place: tuple[str, ...]) -> None:
    server, admin = stand_in
    whom = Whom("m1", "bob", place)
    assert await failure(admin, whom) == "It is not known at which session and handle the participant is."
    assert server.asked == []
