"""Whether somebody attends a BigBlueButton meeting, against a server that behaves as its sources do."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
from yarl import URL

from joingate.servers.admin_client import AdminClient, ServerError, Whom
from joingate.servers.bigbluebutton import MAX_DEPTH, BigBlueButtonAdmin, texts_of
from tests.stubs import answering, serving
from tests.stubs.bigbluebutton_server import BigBlueButtonServer

ANNA = Whom("m 1 & räum", "anna<&>")


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield session


@pytest.fixture
async def server() -> BigBlueButtonServer:
    return BigBlueButtonServer(meetings={ANNA.meeting})


@pytest.fixture
async def url(server: BigBlueButtonServer) -> AsyncIterator[str]:
    async with serving(server.app()) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def admin(session: aiohttp.ClientSession, url: str, server: BigBlueButtonServer) -> AdminClient:
    return BigBlueButtonAdmin(session, f"{url}/bigbluebutton/", server.secret)


async def attend(
    session: aiohttp.ClientSession, url: str, server: BigBlueButtonServer, user_id: str | None
) -> aiohttp.ClientWebSocketResponse:
    """Follow a link, and open the client's connection."""
    async with session.get(URL(url + server.link(ANNA.meeting, user_id), encoded=True)) as answer:
        assert answer.status == 200
        token = answer.url.query["sessionToken"]
    socket = await session.ws_connect(f"{url}/graphql", protocols=("graphql-transport-ws",))
    await socket.send_json({"type": "connection_init", "payload": {"headers": {"X-Session-Token": token}}})
    assert await socket.receive_str() == '{"type":"connection_ack"}'
    return socket


async def test_somebody_attends_until_their_websockets_have_been_gone_for_a_while(
    admin: AdminClient, session: aiohttp.ClientSession, url: str, server: BigBlueButtonServer
) -> None:
    assert not await admin.is_present(ANNA)
    anna = await attend(session, url, server, ANNA.participant)
    bert = await attend(session, url, server, "bert")
    await admin.remove(ANNA)  # for which BigBlueButton has no call
    server.let_time_pass()
    assert await admin.is_present(ANNA)
    await anna.close()
    assert await admin.is_present(ANNA)
    server.let_time_pass()
    assert not await admin.is_present(ANNA)
    assert await admin.is_present(Whom(ANNA.meeting, "bert"))
    await bert.close()
    assert set(server.api_requests) == {"/bigbluebutton/api/join", "/bigbluebutton/api/getMeetingInfo"}


async def test_no_such_meeting(admin: AdminClient) -> None:
    assert not await admin.is_present(Whom("m-2", "anna"))


async def test_a_join_without_a_user_id(admin: AdminClient) -> None:
    with pytest.raises(ServerError, match=r"^The join named no userID, so nobody can be looked for\.$"):
        await admin.is_present(Whom(ANNA.meeting, None))


async def test_a_wrong_secret_is_an_error(session: aiohttp.ClientSession, url: str) -> None:
    with pytest.raises(ServerError, match=r"^BigBlueButton refused getMeetingInfo \(checksumError\)\.$"):
        await BigBlueButtonAdmin(session, f"{url}/bigbluebutton", "another").is_present(ANNA)


OK = b"<response><returncode>SUCCESS</returncode>%b</response>"
NESTED = b"<a>" * (MAX_DEPTH + 1) + b"</a>" * (MAX_DEPTH + 1)
BOMB = b'<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><response>&b;</response>'


@pytest.mark.parametrize(
    ("status", "body", "text"),
    [
        (200, b"", "The meeting server's answer is no XML."),
        (200, b"<html><br></html>", "The meeting server's answer is no XML."),
        (200, b"<response>\xff</response>", "The meeting server's answer is no XML."),
        (200, b"<response>&undeclared;</response>", "The meeting server's answer is no XML."),
        (200, BOMB, "The meeting server's XML has a document type."),
        (200, b'<!DOCTYPE r SYSTEM "http://127.0.0.1/x"><response/>', "The meeting server's XML has a document type."),
        (200, NESTED, "The meeting server's XML is too deep."),
        (200, b"<response/>", "BigBlueButton refused getMeetingInfo (no reason given)."),
        (200, b"<html/>", "BigBlueButton refused getMeetingInfo (no reason given)."),
        (
            200,
            b"<response><returncode>FAILED</returncode><messageKey>anna m1</messageKey></response>",
            "BigBlueButton refused getMeetingInfo (no reason given).",
        ),
        (
            200,
            OK % b"<returncode>FAILED</returncode><messageKey>x</messageKey>",
            "BigBlueButton refused getMeetingInfo (x).",
        ),
        (404, b"not found", "BigBlueButton answered getMeetingInfo with 404."),
        (302, b"", "BigBlueButton answered getMeetingInfo with 302."),
    ],
)
async def test_an_answer_that_proves_nothing(
    session: aiohttp.ClientSession, status: int, body: bytes, text: str
) -> None:
    async with answering(status, body) as url:
        with pytest.raises(ServerError) as caught:
            await BigBlueButtonAdmin(session, url, "s").is_present(ANNA)
    assert str(caught.value) == text


@pytest.mark.parametrize(
    ("content", "is_present"),
    [
        (b"<attendees><attendee><userID>anna&lt;<![CDATA[&]]>&#62;</userID></attendee></attendees>", True),
        (
            b"<attendees><attendee><userID>b</userID></attendee><attendee><userID>anna</userID></attendee></attendees>",
            False,
        ),
        (b"<attendees><attendee><fullName>anna&lt;&amp;&gt;</fullName></attendee></attendees>", False),
        (b"<metadata><userID>anna&lt;&amp;&gt;</userID></metadata>", False),
        (b"<attendees/>", False),
        (b"", False),
    ],
)
async def test_who_is_listed(session: aiohttp.ClientSession, content: bytes, is_present: bool) -> None:
    async with answering(200, OK % content) as url:
        assert await BigBlueButtonAdmin(session, url, "s").is_present(ANNA) is is_present


def test_texts_of_mixed_content_belong_to_the_innermost_element() -> None:
    assert texts_of(b"<a>1<b>2</b>3</a>", {("a",), ("a", "b")}) == {("a",): ["3"], ("a", "b"): ["2"]}
