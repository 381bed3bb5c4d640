"""Debian's Janus itself: what JanusAdmin does to it, and whether the dialect reads and expects what it does.

No gate here: the client speaks to Janus directly, and the dialect listens on both sides.
"""

from collections.abc import AsyncIterator

import aiohttp
import orjson
import pytest
import pytest_asyncio
from yarl import URL

from joingate.codecs.dialect import Enters, Leaves, Refusal, Resumes, UnreadableError
from joingate.codecs.http1 import RequestHead
from joingate.codecs.janus import JanusDialect
from joingate.core.model import Join
from joingate.servers.admin_client import ServerError, Whom
from joingate.servers.janus import JanusAdmin
from tests.integration.janus_server import (
    ADMIN_SECRET,
    ROOM_SECRET,
    JanusClient,
    JanusServer,
    Message,
    admin_ask,
    eventually,
    running_janus,
)

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[JanusServer]:
    async with running_janus(tmp_path_factory.mktemp("janus")) as janus:
        yield janus


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


class Heard:
    """A client whose every message the dialect reads too."""

    def __init__(self, client: JanusClient) -> None:
        self.client = client
        self.conversation = JanusDialect().conversation(b"/", [])
        self.said: list[object] = []
        self.left: list[Leaves] = []
        client.on_send = self._on_send
        client.on_heard = self._on_heard

    def _on_send(self, message: bytes) -> None:
        self.said.append(self.conversation.from_client(message))

    def _on_heard(self, message: bytes) -> None:
        if (left := self.conversation.from_server(message)) is not None:
            self.left.append(left)

    @property
    def joins(self) -> list[Join]:
        return [said.join for said in self.said if isinstance(said, Enters)]


@pytest_asyncio.fixture(loop_scope="module")
async def heard(server: JanusServer, http: aiohttp.ClientSession) -> AsyncIterator[Heard]:
    client = await JanusClient.connect(http, server.websocket_url)
    yield Heard(client)
    await client.close()


def admin_of(server: JanusServer, http: aiohttp.ClientSession, secret: str = ADMIN_SECRET) -> JanusAdmin:
    return JanusAdmin(http, server.admin_url, secret)


def place(session: int, handle: int) -> tuple[str, str]:
    return str(session), str(handle)


async def test_one_participant_is_removed_and_nobody_else(
    server: JanusServer, http: aiohttp.ClientSession, heard: Heard
) -> None:
    admin, client = admin_of(server, http), heard.client
    session = await client.create()
    control = await client.attach(session)
    await client.make_room(session, control, "remove-1")
    await client.make_room(session, control, "remove-2")
    bob = await client.join(session, "remove-1", "bob")
    elsewhere = await client.join(session, "remove-2", "bob")
    alice = await client.join(session, "remove-1", "alice")
    whom, other, neighbour = (
        Whom(join.meeting, join.participant, join.place)
        for join in (
            Join("remove-1", "bob", place=place(session, bob)),
            Join("remove-2", "bob", place=place(session, elsewhere)),
            Join("remove-1", "alice", place=place(session, alice)),
        )
    )
    assert [Whom(join.meeting, join.participant, join.place) for join in heard.joins] == [whom, other, neighbour]
    assert [await admin.is_present(each) for each in (whom, other, neighbour)] == [True, True, True]

    await admin.remove(whom)

    await client.hear(lambda said: said["janus"] == "detached")
    assert [await admin.is_present(each) for each in (whom, other, neighbour)] == [False, True, True]
    assert await client.inside(session, control, "remove-1") == {"alice"}
    assert await client.inside(session, control, "remove-2") == {"bob"}
    handles = (await admin_ask(http, server, f"/{session}", janus="list_handles"))["handles"]
    assert set(handles) == {control, elsewhere, alice}
    assert heard.left == [Leaves(place=whom.place)]
    await admin.remove(whom)  # gone already

    answer = await client.message(session, elsewhere, "configure", bitrate=1000)  # still in the other room
    assert answer["configured"] == "ok"
    again = await client.join(session, "remove-1", "bob")  # no ban: only the gate's judgement keeps anybody out
    assert await client.inside(session, control, "remove-1") == {"alice", "bob"}
    assert again != bob


async def test_an_audio_bridge(server: JanusServer, http: aiohttp.ClientSession, heard: Heard) -> None:
    admin, client = admin_of(server, http), heard.client
    session = await client.create()
    control, handle = await client.attach(session, "audiobridge"), await client.attach(session, "audiobridge")
    await client.make_room(session, control, "bridge-1")
    await client.make_room(session, control, "bridge-2")
    await client.message(session, handle, "join", room="bridge-1", id="dave")
    first, second = (Whom(room, "dave", place(session, handle)) for room in ("bridge-1", "bridge-2"))
    assert await admin.is_present(first)
    await client.message(session, handle, "ChangeRoom", room="bridge-2", id="dave")
    assert [join.meeting for join in heard.joins] == ["bridge-1", "bridge-2"]
    assert [await admin.is_present(first), await admin.is_present(second)] == [False, True]
    await admin.remove(first)  # which they have left for another room: that one is not touched
    assert await client.inside(session, control, "bridge-2") == {"dave"}
    await admin.remove(second)
    await client.hear(lambda said: said["janus"] == "detached")
    assert await client.inside(session, control, "bridge-2") == set()


@pytest.mark.parametrize("plugin", ["videoroom", "audiobridge"])
async def test_a_handle_in_no_room_is_removed_before_its_join_is_carried_out(
    server: JanusServer, http: aiohttp.ClientSession, heard: Heard, plugin: str
) -> None:
    admin, client = admin_of(server, http), heard.client
    session = await client.create()
    handle = await client.attach(session, plugin)
    whom = Whom("idle-1", "bob", place(session, handle))
    assert await admin.is_present(whom)
    await admin.remove(whom)
    assert not await admin.is_present(whom)
    assert (await admin_ask(http, server, f"/{session}", janus="list_handles"))["handles"] == []


async def test_errors_of_the_real_admin_api(server: JanusServer, http: aiohttp.ClientSession) -> None:
    whom = Whom("m1", "bob", ("123", "456"))
    assert not await admin_of(server, http).is_present(whom)  # 458
    await admin_of(server, http).remove(whom)
    with pytest.raises(
        ServerError, match=r"^Janus answered handle_info with error 403 \(the admin_secret is wrong\)\.$"
    ):
        await admin_of(server, http, "wrong").remove(whom)
    wrong_url = JanusAdmin(http, f"http://127.0.0.1:{server.admin_port}/nothing", ADMIN_SECRET)
    with pytest.raises(ServerError, match=r"^Janus's Admin API answered with HTTP status 404\.$"):
        await wrong_url.remove(whom)


async def test_who_has_left_by_janus_own_word(heard: Heard) -> None:
    client = heard.client
    session = await client.create()
    control = await client.attach(session)
    await client.make_room(session, control, "leave-1")
    await client.join(session, "leave-1", "alice")
    ok = await client.join(session, "leave-1", "ok")
    eve = await client.join(session, "leave-1", "eve")

    said = await client.message(session, ok, "leave")  # the others hear {"leaving": "ok"} of somebody called "ok"
    assert said == {"videoroom": "event", "room": "leave-1", "leaving": "ok"}
    assert sum(b'"leaving":"ok"' in raw for raw in client.heard) == 3
    assert heard.left == [Leaves(place=place(session, ok))]
    again = await client.message(session, ok, "join", ptype="publisher", room="leave-1", id="ok")
    assert again["error_code"] == 425  # a handle that has left does not come back

    await client.message(session, control, "kick", room="leave-1", id="eve", secret=ROOM_SECRET)
    await eventually(lambda: _answered(client, heard, 2))
    assert heard.left[-1] == Leaves(place=place(session, eve))
    assert await client.inside(session, control, "leave-1") == {"alice"}


async def _answered(client: JanusClient, heard: Heard, count: int) -> bool:
    await client.ask("ping")
    return len(heard.left) == count


async def test_leaving_an_audio_bridge(heard: Heard) -> None:
    client = heard.client
    session = await client.create()
    handle = await client.attach(session, "audiobridge")
    await client.make_room(session, handle, "leave-2")
    await client.message(session, handle, "join", room="leave-2", id="dave")
    await client.message(session, handle, "leave")
    assert heard.left == [Leaves(place=place(session, handle))]


async def test_what_a_refused_detach_shows(server: JanusServer, http: aiohttp.ClientSession, heard: Heard) -> None:
    """Why a client's word is no proof: Janus refuses it, and the participant stays."""
    client = heard.client
    session = await client.create()
    await client.make_room(session, await client.attach(session), "detach-1")
    bob = await client.join(session, "detach-1", "bob")
    await client.send(orjson.dumps({"janus": "detach", "session_id": session, "handle_id": bob}))  # no transaction
    error = await client.hear(lambda said: said["janus"] == "error")
    assert error["error"]["code"] == 456
    assert heard.left == []
    assert await admin_of(server, http).is_present(Whom("detach-1", "bob", place(session, bob)))


async def test_sessions_are_used_from_anywhere_and_claimed(
    server: JanusServer, http: aiohttp.ClientSession, heard: Heard
) -> None:
    client = heard.client
    session = await client.create()
    handle = await client.attach(session)
    await client.make_room(session, handle, "claim-1")
    other = Heard(await JanusClient.connect(http, server.websocket_url))
    refused = orjson.dumps({"janus": "attach", "transaction": "x", "session_id": session, "plugin": "p"})
    with pytest.raises(UnreadableError):
        other.conversation.from_client(refused)
    other.client.on_send = bytes
    answer = await other.client.ask("attach", session_id=session, plugin="janus.plugin.videoroom")
    assert answer["janus"] == "success"  # Janus itself lets any connection use it
    await other.client.close()
    other = Heard(await JanusClient.connect(http, server.websocket_url))
    answer = await other.client.ask("keepalive", session_id=session)
    assert (answer["janus"], other.conversation.tokens) == ("ack", set())
    answer = await other.client.ask("CLAIM", session_id=session)
    assert other.said[-1] == Resumes(str(session), (str(session),))
    assert set(answer) == {"janus", "session_id", "transaction"}
    assert other.conversation.tokens == {str(session)}
    await client.close()
    assert await other.client.inside(session, handle, "claim-1") == set()  # the session lives on over there
    await other.client.close()


async def test_a_closed_websocket_takes_its_participants_along(
    server: JanusServer, http: aiohttp.ClientSession
) -> None:
    admin = admin_of(server, http)
    client = await JanusClient.connect(http, server.websocket_url)
    session = await client.create()
    await client.make_room(session, await client.attach(session), "close-1")
    whom = Whom("close-1", "bob", place(session, await client.join(session, "close-1", "bob")))
    assert await admin.is_present(whom)
    await client.close()
    await eventually(lambda: _absent(admin, whom))


async def _absent(admin: JanusAdmin, whom: Whom) -> bool:
    return not await admin.is_present(whom)


async def test_verbs_in_any_case_and_several_objects_in_one_message(heard: Heard) -> None:
    client = heard.client
    session = await client.create()
    handle = await client.attach(session)
    await client.make_room(session, handle, "case-1")
    body = {"request": "JoinAndConfigure", "ptype": "PUBLISHER", "room": "case-1", "id": "bob"}
    answer = await client.ask("MESSAGE", session_id=session, handle_id=handle, body=body)
    assert answer["plugindata"]["data"]["videoroom"] == "joined"
    assert heard.joins == [Join("case-1", "bob", place=place(session, handle))]

    two = b'{"janus":"ping","transaction":"one"}{"janus":"ping","transaction":"two"}'
    with pytest.raises(UnreadableError):
        heard.conversation.from_client(two)
    client.on_send = bytes
    await client.send(two)
    for transaction in ("one", "two"):  # Janus reads both
        assert (await client.hear(lambda said: said["janus"] == "pong"))["transaction"] == transaction


def shape(value: object) -> object:
    """Return a value with its texts and numbers replaced by their kinds."""
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in value.items()}
    return type(value)


async def test_the_refusal_has_the_shape_of_janus_own(heard: Heard) -> None:
    client, conversation = heard.client, heard.conversation
    session = await client.create()
    for plugin, body in (
        ("videoroom", {"request": "join", "ptype": "publisher", "room": "none", "id": "bob"}),
        ("audiobridge", {"request": "join", "room": "none", "id": "bob"}),
        ("videoroom", {"request": "rtp_forward", "room": "none", "publisher_id": "bob", "host": "127.0.0.1"}),
    ):
        handle = await client.attach(session, plugin)
        start = len(client.heard)
        await client.ask("message", session_id=session, handle_id=handle, body=body)  # there is no such room
        await client.ask("ping")
        own = [message for raw in client.heard[start:] if (message := orjson.loads(raw))["janus"] != "pong"]
        own.sort(key=lambda message: message["janus"] != "ack")  # a plugin's thread may be faster than the ack
        refusal = [orjson.loads(raw) for raw in conversation.refusal(client.sent[-2], Refusal(451, "why"))]
        assert [shape(message) for message in refusal] == [shape(message) for message in own]
        for mine, theirs in zip(refusal, own, strict=True):
            assert {**mine, "plugindata": None} == {**theirs, "plugindata": None}
            assert mine.get("plugindata", {}).get("plugin") == theirs.get("plugindata", {}).get("plugin")


async def test_http(server: JanusServer, http: aiohttp.ClientSession) -> None:
    """The HTTP transport: which paths Janus takes, against what the dialect reads."""
    dialect, admin = JanusDialect(), admin_of(server, http)

    async def post(path: str, janus: str, **fields: object) -> tuple[Message, object]:
        body = orjson.dumps({"janus": janus, "transaction": "t", **fields})
        url = URL(f"http://127.0.0.1:{server.http_port}{path}", encoded=True)
        head = RequestHead(b"POST", path.encode(), "1.1", [])
        assert dialect.reads_body(head)
        try:
            read: object = dialect.polled(head, body)
        except UnreadableError as error:
            read = error
        async with http.post(url, data=body) as response:
            answer: Message = orjson.loads(await response.read())
            return answer, read

    answer, read = await post("/janus", "create")
    assert read == ("", None)
    session = answer["data"]["id"]
    answer, read = await post(f"/janus/{session}", "attach", plugin="janus.plugin.videoroom")
    handle = answer["data"]["id"]
    path = f"/janus/{session}/{handle}"
    await post(path, "message", body={"request": "create", "room": "http-1", "admin_key": "roomadmin"})
    body = {"request": "join", "ptype": "publisher", "room": "http-1", "id": "bob"}
    answer, read = await post(path, "message", body=body)
    assert answer["janus"] == "ack"
    assert read == (str(session), Enters(Join("http-1", "bob", place=place(session, handle))))
    whom = Whom("http-1", "bob", place(session, handle))
    await eventually(lambda: admin.is_present(whom))

    for odd in (f"/x/janus/{session}", f"/%6aanus/{session}", f"/janus/{session}abc", f"/janus/{session}%00z"):
        answer, read = await post(odd, "keepalive")
        assert answer["janus"] == "ack", odd  # Janus takes it
        assert isinstance(read, UnreadableError), odd
    answer, read = await post(f"/janus/{session}", "keepalive", session_id=session + 1)
    assert answer["error"]["code"] == 457  # in Janus too
    assert isinstance(read, UnreadableError)

    polls = RequestHead(b"GET", f"/janus/{session}".encode(), "1.1", [])
    assert dialect.polled(polls, b"") == (str(session), None)
    async with http.get(f"{server.http_url}/{session}?maxev=1") as response:
        assert b'"joined"' in await response.read()
    await admin.remove(whom)
    await eventually(lambda: _absent(admin, whom))
