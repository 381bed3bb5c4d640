"""BOSH with a real Prosody: how a session is known, and what only seems to happen in it."""

import base64
import random
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from aiohttp import ClientSession

from joingate.codecs.bosh import owner_of, read_body
from joingate.codecs.dialect import Enters, UnreadableError
from joingate.codecs.xmpp_joins import Rooms
from joingate.servers.admin_client import Whom
from tests.integration.prosody_rooms import CLIENT, Watched, to, watched
from tests.integration.prosody_server import ACCOUNTS, ROOMS, visit

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def prosody(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Watched]:
    async with watched(tmp_path_factory.mktemp("prosody")) as prosody:
        yield prosody


@pytest.fixture
def room() -> str:
    return f"room-{random.getrandbits(48):x}"


class Bosh:
    """A session of many requests, on ACCOUNTS."""

    def __init__(self, http: ClientSession, port: int) -> None:
        self.http = http
        self.url = f"http://127.0.0.1:{port}/http-bind"
        self.rid = 1000
        self.sid = ""

    def body(self, inside: str = "", attributes: str = "") -> bytes:
        session = f" sid='{self.sid}'" if self.sid else ""
        return (
            f"<body xmlns='http://jabber.org/protocol/httpbind' rid='{self.rid}'{session} {attributes}>{inside}</body>"
        ).encode()

    async def post(self, body: bytes) -> str:
        async with self.http.post(self.url, data=body, headers={"Host": ACCOUNTS}) as answer:
            return await answer.text()

    async def say(self, inside: str = "", attributes: str = "") -> str:
        self.rid += 1
        return await self.post(self.body(inside, attributes))

    async def open(self, name: str) -> None:
        answer = await self.say("", f"to='{ACCOUNTS}' wait='1' hold='1' xmlns:xmpp='urn:xmpp:xbosh' xmpp:version='1.0'")
        self.sid = answer.partition(" sid='")[2].partition("'")[0]
        plain = base64.b64encode(f"\0{name}\0secret".encode()).decode()
        assert "<success" in await self.say(
            f"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{plain}</auth>"
        )
        await self.say("", "xmlns:xmpp='urn:xmpp:xbosh' xmpp:restart='true'")
        bound = await self.say(f"<iq {CLIENT} type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>")
        assert "<jid>" in bound


async def test_a_session_of_requests_is_known_by_a_digest_of_its_sid(prosody: Watched, room: str) -> None:
    session = Bosh(prosody.http, prosody.port)
    await session.open("carol")
    join = session.body(to(f"{room}@{ROOMS}/carol"))
    token, said = read_body(join, Rooms([ROOMS]))
    assert token == session.sid
    assert isinstance(said, Enters)
    assert said.join.place == (f"{room}@{ROOMS}", owner_of(token))
    async with visit(prosody.port) as alice:
        await alice.join(room, "alice")
        await session.say(to(f"{room}@{ROOMS}/carol"))
        carol = Whom(room, "carol", said.join.place)
        assert await prosody.admin.is_present(carol)
        await prosody.admin.remove(carol)
        assert not await prosody.admin.is_present(carol)
        assert await prosody.occupants(room) == {"alice"}
    await session.say("", "type='terminate'")


async def test_a_repeated_request_number_only_seems_to_leave(prosody: Watched, room: str) -> None:
    """Why of leaving over BOSH nothing is believed."""
    session = Bosh(prosody.http, prosody.port)
    await session.open("carol")
    await session.say(to(f"{room}@{ROOMS}/carol"))
    for inside, attributes in (
        (f"<presence {CLIENT} type='unavailable' to='{room}@{ROOMS}/carol'/>", ""),
        ("", "type='terminate'"),
    ):
        leave = session.body(inside, attributes)  # with the number of the join
        await session.post(leave)
        assert await prosody.occupants(room) == {"carol"}
        assert read_body(leave, Rooms([ROOMS])).said is None
    await session.say("", "type='terminate'")
    assert await prosody.occupants(room) is None


async def test_a_body_inside_another_element_would_have_counted(prosody: Watched, room: str) -> None:
    session = Bosh(prosody.http, prosody.port)
    await session.open("carol")
    session.rid += 1
    hidden = b"<a>" + session.body(to(f"{room}@{ROOMS}/carol")) + b"</a>"
    await session.post(hidden)
    assert await prosody.occupants(room) == {"carol"}
    with pytest.raises(UnreadableError, match="no BOSH body"):
        read_body(hidden, Rooms([ROOMS]))
    await session.say("", "type='terminate'")
