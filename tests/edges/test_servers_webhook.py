"""A meeting server of one's own, called to remove one participant."""

import hashlib
import hmac
import re
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web

from joingate.servers.admin_client import ServerError, Whom
from joingate.servers.webhook import Method, WebhookAdmin
from tests.stubs import answering, serving

ANNA = Whom("board/1 ä", 'anna "{meeting}" & co')
BODY = '{"room": "{meeting}", "user": "{participant}"}'


class Receiver:
    """What an operator runs: it believes only what is signed, and keeps what it was told."""

    def __init__(self, secret: str | None) -> None:
        self.secret = secret
        self.told: list[tuple[str, str, bytes]] = []
        self.status = 204

    async def receive(self, request: web.Request) -> web.Response:
        body = await request.read()
        timestamp = request.headers["X-Joingate-Timestamp"]
        signature = request.headers.get("X-Joingate-Signature")
        if self.secret is None:
            assert signature is None
        else:
            signed = f"{timestamp}\n{request.method}\n{request.raw_path}\n".encode() + body
            expected = hmac.new(self.secret.encode(), signed, hashlib.sha256).hexdigest()
            if signature != f"sha256={expected}" or timestamp != "1700000000":
                return web.Response(status=401)
        assert (request.headers.get("Content-Type") == "application/json") is bool(body)
        self.told.append((request.method, request.raw_path, body))
        return web.Response(status=self.status)


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def receiver() -> Receiver:
    return Receiver("s3cret")


@pytest.fixture
async def url(receiver: Receiver) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", receiver.receive)
    async with serving(app) as port:
        yield f"http://127.0.0.1:{port}"


async def test_ids_are_written_into_the_body_as_json(
    session: aiohttp.ClientSession, url: str, receiver: Receiver
) -> None:
    admin = WebhookAdmin(session, f"{url}/remove", "POST", BODY, "s3cret", now=lambda: 1.7e9)
    await admin.remove(ANNA)
    body = '{"room": "board/1 ä", "user": "anna \\"{meeting}\\" & co"}'.encode()
    assert receiver.told == [("POST", "/remove", body)]
    assert not await admin.is_present(ANNA)
    assert len(receiver.told) == 1


async def test_ids_are_percent_encoded_in_the_address(
    session: aiohttp.ClientSession, url: str, receiver: Receiver
) -> None:
    template = f"{url}/remove/{{participant}}?room={{meeting}}"
    admin = WebhookAdmin(session, template, "PUT", "", "s3cret", now=lambda: 1.7e9)
    await admin.remove(Whom("a/b&c=d", "änna+1@x"))
    assert receiver.told == [("PUT", "/remove/%C3%A4nna%2B1%40x?room=a%2Fb%26c%3Dd", b"")]


@pytest.mark.parametrize("secret", [None, "another"])
async def test_who_is_not_signed_for_is_not_believed(
    session: aiohttp.ClientSession, url: str, receiver: Receiver, secret: str | None
) -> None:
    with pytest.raises(ServerError, match=r"^The webhook answered 401\.$"):
        await WebhookAdmin(session, f"{url}/r", "POST", BODY, secret, now=lambda: 1.7e9).remove(ANNA)
    with pytest.raises(ServerError):  # repeated a minute later
        await WebhookAdmin(session, f"{url}/r", "POST", BODY, "s3cret", now=lambda: 1.7e9 + 60).remove(ANNA)
    assert receiver.told == []


async def test_without_a_secret_nothing_is_signed(session: aiohttp.ClientSession, url: str, receiver: Receiver) -> None:
    receiver.secret = None
    await WebhookAdmin(session, f"{url}/r", "PUT", BODY, None).remove(ANNA)
    assert len(receiver.told) == 1


@pytest.mark.parametrize("status", [200, 202, 204, 404, 410])
async def test_gone_or_gone_already(session: aiohttp.ClientSession, url: str, receiver: Receiver, status: int) -> None:
    receiver.status = status
    await WebhookAdmin(session, f"{url}/r", "POST", BODY, "s3cret", now=lambda: 1.7e9).remove(ANNA)


@pytest.mark.parametrize("status", [301, 400, 403, 409, 429, 500])
async def test_not_gone(session: aiohttp.ClientSession, status: int) -> None:
    async with answering(status, b"anna is still here") as url:
        admin = WebhookAdmin(
            session, f"{url}/r", "POST", BODY, None, present_url=f"{url}/{{meeting}}?u={{participant}}"
        )
        with pytest.raises(ServerError, match=rf"^The webhook answered {status}\.$"):
            await admin.remove(ANNA)
        with pytest.raises(ServerError, match=rf"^present_url answered {status}\.$"):
            await admin.is_present(Whom("m", "anna"))


@pytest.mark.parametrize(("status", "is_present"), [(200, True), (204, True), (404, False), (410, False)])
async def test_looking(
    session: aiohttp.ClientSession, url: str, receiver: Receiver, status: int, is_present: bool
) -> None:
    receiver.status = status
    present_url = f"{url}/rooms/{{meeting}}/users/{{participant}}"
    admin = WebhookAdmin(session, url, "POST", BODY, "s3cret", present_url=present_url, now=lambda: 1.7e9)
    assert await admin.is_present(Whom("m", "anna")) is is_present
    assert receiver.told == [("GET", "/rooms/m/users/anna", b"")]


@pytest.mark.parametrize(
    "participant", ["..", ".", "", "a/b", "../m", "a\\b", "%2e%2e", "a;b", "a b", "a\tb", "a\x7f", "/", "a%2Fb"]
)
@pytest.mark.parametrize("as_meeting", [False, True])
async def test_no_id_can_mean_another_resource(
    session: aiohttp.ClientSession, url: str, receiver: Receiver, participant: str, as_meeting: bool
) -> None:
    """/removed/m/.. would be a call for the whole meeting."""
    admin = WebhookAdmin(session, f"{url}/removed/{{meeting}}/{{participant}}", "PUT", "", "s3cret")
    whom = Whom(participant, "anna") if as_meeting else Whom("m", participant)
    with pytest.raises(ServerError, match="cannot be written into a path safely"):
        await admin.remove(whom)
    assert receiver.told == []


async def test_a_join_without_a_participant(session: aiohttp.ClientSession, url: str, receiver: Receiver) -> None:
    with pytest.raises(ServerError, match="named no participant"):
        await WebhookAdmin(session, url, "POST", BODY, "s3cret").remove(Whom("m", None))
    assert receiver.told == []


PATH, ALL = "http://h/{meeting}", "http://h/{meeting}/{participant}"


@pytest.mark.parametrize(
    ("templates", "text"),
    [
        ((PATH, "POST", ""), "neither url nor body has {participant}: the call would not say whom to remove"),
        (
            ("http://h/{participant}", "POST", "{}"),
            "neither url nor body has {meeting}: the call would not say whom to remove",
        ),
        (
            ("http://h/", "POST", '{"room": {meeting}, "user": {participant}}'),
            "body is not JSON once the ids stand in it; put each placeholder inside a text",
        ),
        (("http://{meeting}.h/{participant}", "POST", ""), "an id cannot be a part of the host"),
        (("http://{meeting}?{participant}", "POST", ""), "an id cannot be a part of the host"),
        (("{meeting}{participant}", "POST", ""), "an id cannot be a part of the host"),
    ],
)
async def test_a_template_that_says_too_little(
    session: aiohttp.ClientSession, templates: tuple[str, Method, str], text: str
) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(text)}$"):
        WebhookAdmin(session, *templates, None)


@pytest.mark.parametrize(
    ("present_url", "text"),
    [
        (PATH, "present_url has no {participant}: the call would not say whom to look for"),
        ("http://h/{participant}", "present_url has no {meeting}: the call would not say whom to look for"),
        ("http://h:{participant}/{meeting}", "an id cannot be a part of the host"),
    ],
)
async def test_a_present_url_that_says_too_little(session: aiohttp.ClientSession, present_url: str, text: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(text)}$"):
        WebhookAdmin(session, ALL, "POST", "", None, present_url=present_url)
