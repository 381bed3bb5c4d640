"""What the dialect rests on, from a real Prosody: what it takes for a join, and what else leads into a room."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from joingate.codecs.dialect import Conversation, Enters, Leaves, Resumes, UnreadableError
from joingate.codecs.xmpp import Prosody
from joingate.codecs.xmpp_address import prepare_domain, prepare_node, split
from tests.integration.prosody_rooms import CLIENT, Watched, X, to, watched
from tests.integration.prosody_server import HOST, ROOMS, abort, visit

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def prosody(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Watched]:
    async with watched(tmp_path_factory.mktemp("prosody")) as prosody:
        yield prosody


@pytest.fixture
def room() -> str:
    return f"room-{random.getrandbits(48):x}"


def talk(*components: str) -> Conversation:
    conversation = Prosody(components).conversation(b"/", [(b"Sec-WebSocket-Protocol", b"xmpp")])
    assert conversation is not None
    return conversation


# What is a join: whatever Prosody lets in, the dialect has read as exactly that, or refused


def shape(attributes: str = "", inside: str = X, name: str = "presence", namespace: str = CLIENT) -> str:
    return f"<{name} {namespace} {attributes}>{inside}</{name}>"


R = f"R@{ROOMS}"
SHAPES: dict[str, list[str | bytes]] = {
    "as it should be": [to(f"{R}/n")],
    "upper case": [to(f"r@{ROOMS.upper()}/n")],
    "root label": [to(f"{R}./n")],
    "decimal entities": [to(f"&#82;&#64;{ROOMS}/n")],
    "hexadecimal entities": [to(f"&#x52;&#x40;{ROOMS}&#x2f;n")],
    "quotes of the other kind": [shape(f'to="{R}/n"')],
    "a prefix": [f"<p:presence xmlns:p='jabber:client' to='{R}/n'>{X}</p:presence>"],
    "prefixes inside": [to(f"{R}/n", "<q:x xmlns:q='http://jabber.org/protocol/muc'/>")],
    "an entity in the namespace": [to(f"{R}/n", "<x xmlns='http://jabber.org/protocol/m&#117;c'/>")],
    "its namespace in entities": [shape(f"to='{R}/n'", namespace="xmlns='jabber&#58;client'")],
    "much else inside": [to(f"{R}/n", f"<show>dnd</show><c xmlns='u'/>text{X}<![CDATA[<x/>]]>")],
    "blanks everywhere": [f"<presence\n\t{CLIENT}\r\n to = '{R}/n' >\n{X} </presence >\n"],
    "an XML declaration": ["<?xml version='1.0'?>" + to(f"{R}/n")],
    "a comment": [to(f"{R}/n", f"<!-- -->{X}")],
    "no x": [to(f"{R}/n", "")],
    "x of another kind": [to(f"{R}/n", "<x xmlns='http://jabber.org/protocol/muc#user'/>")],
    "x further down": [to(f"{R}/n", f"<y xmlns='u'>{X}</y>")],
    "an empty type": [shape(f"to='{R}/n' type=''")],
    "type available": [shape(f"to='{R}/n' type='available'")],
    "type error": [shape(f"to='{R}/n' type='error'")],
    "type probe": [shape(f"to='{R}/n' type='probe'")],
    "type subscribe": [shape(f"to='{R}/n' type='subscribe'")],
    "type unavailable": [shape(f"to='{R}/n' type='unavailable'")],
    "a type with a prefix": [shape(f"to='{R}/n' p:type='unavailable' xmlns:p='u'")],
    "a to with a prefix": [shape(f"to='{R}/n' p:to='other@{ROOMS}/n' xmlns:p='u'")],
    "from somebody else": [shape(f"to='{R}/n' from='other@{HOST}/r'")],
    "no namespace": [shape(f"to='{R}/n'", namespace="")],
    "an empty namespace": [shape(f"to='{R}/n'", namespace="xmlns=''")],
    "the servers' namespace": [shape(f"to='{R}/n'", namespace="xmlns='jabber:server'")],
    "the framing's namespace": [shape(f"to='{R}/n'", namespace="xmlns='urn:ietf:params:xml:ns:xmpp-framing'")],
    "another name": [shape(f"to='{R}/n'", name="Presence")],
    "a message": [shape(f"to='{R}/n'", name="message")],
    "no nick": [to(R)],
    "an empty nick": [to(f"{R}/")],
    "no room": [to(f"{ROOMS}/n")],
    "neither": [to(ROOMS)],
    "a nick with slashes": [to(f"{R}/a/b@c/d")],
    "a blank nick": [to(f"{R}/ ")],
    "a nick of today": [to(f"{R}/🤗")],
    "a room in wide letters": [to(f"\uff32oom@{ROOMS}/n")],
    "a room with a ligature": [to(f"ﬁne@{ROOMS}/n")],
    "sharp s": [to(f"Straße@{ROOMS}/n")],
    "sigma": [to(f"ΣΟΦΟΣ@{ROOMS}/n")],
    "combining": [to(f"E\u0301te\u0301@{ROOMS}/n")],
    "soft hyphens": [to(f"r\u00ado\u200bom@{ROOMS}/n")],
    "from right to left": [to(f"שלום@{ROOMS}/n")],
    "both ways": [to(f"aש@{ROOMS}/n")],
    "a letter that has no small one yet": [to(f"\u10a0@{ROOMS}/n")],
    "a letter of today": [to(f"\u023a@{ROOMS}/n")],
    "an emoji": [to(f"🤗@{ROOMS}/n")],
    "percent signs": [to(f"%E4%BC%9A@{ROOMS}/n")],
    "brackets": [to(f"[Tenant]R@{ROOMS}/n")],
    "a blank in the room": [to(f"r m@{ROOMS}/n")],
    "an at sign in another width": [to(f"r\uff20@{ROOMS}/n")],
    "no at sign but one in another width": [to(f"R\uff20{ROOMS}/n")],
    "no slash but one in another width": [to(f"{R}\uff0fn")],
    "an accounted slash": [to(f"{R}.\u2100/n")],
    "a domain in wide letters": [to("r@\uff2duc.meet.test/n")],
    "a domain with another dot": [to("r@muc\uff0emeet.test/n")],
    "a lobby": [to(f"R@lobby.{HOST}/n")],
    "an unknown component": [to(f"r@elsewhere.{HOST}/n")],
    "two in a message": [to(f"{R}/n") + to(f"other@{ROOMS}/n")],
    "one in two messages": [to(f"{R}/n")[:60], "<" + to(f"{R}/n")[60:]],
    "halves that are each readable": [f"<presence {CLIENT} to='{R}/n'>", X, "</presence>"],
    "inside another element": [f"<a xmlns='u'>{to(f'{R}/n')}</a>"],
    "inside a stream of its own": [f"<s:stream xmlns:s='http://etherx.jabber.org/streams'>{to(f'{R}/n')}</s:stream>"],
    "inside an opening": [f"<open xmlns='urn:ietf:params:xml:ns:xmpp-framing'>{to(f'{R}/n')}</open>"],
    "a blank before it": [" " + to(f"{R}/n")],
    "a byte order mark": ["\ufeff" + to(f"{R}/n")],
    "UTF-16": [to(f"{R}/n").encode("utf-16-le")],
    "a nick changed": [to(f"{R}/n"), to(f"{R}/m", "")],
    "left again": [to(f"{R}/n"), shape(f"to='{R}/m' type='unavailable'")],
    "in two rooms": [to(f"{R}/n"), to(f"other@{ROOMS}/n")],
}
LET_IN = 30
"""How many of them Prosody lets in, at least: else there is nothing to compare."""


async def _sent(prosody: Watched, messages: list[str | bytes]) -> set[str]:
    """Return the rooms in which somebody is who has said this."""
    async with visit(prosody.port) as client:
        for message in messages:
            raw = message.encode() if isinstance(message, str) else message
            await client.socket._writer.send_frame(raw, 1)
        with contextlib.suppress(AssertionError, TimeoutError, ConnectionError):  # the stream may be over
            await asyncio.wait_for(client.settle(), 5)  # which only what Prosody never answers takes
        return await prosody.whereabouts(client.jid)


def _read(messages: list[str | bytes]) -> set[str] | None:
    """Return the rooms that the dialect sees joined and not left; None for what it refuses."""
    conversation = talk(ROOMS, f"lobby.{HOST}")
    inside: dict[str, str] = {}
    for message in messages:
        try:
            said = conversation.from_client(message.encode() if isinstance(message, str) else message)
        except UnreadableError:
            return None
        if isinstance(said, Enters):
            inside[said.join.place[0]] = said.join.meeting
        elif isinstance(said, Leaves):
            inside = {room: meeting for room, meeting in inside.items() if (room,) != said.place}
    assert all(room.startswith(f"{meeting}@") for room, meeting in inside.items())
    return set(inside)


async def test_whatever_prosody_lets_in_the_dialect_has_seen(prosody: Watched) -> None:
    let_in = 0
    for name, messages in SHAPES.items():
        inside = await _sent(prosody, messages)
        seen = _read(messages)
        assert seen is None or inside <= seen, f"{name}: in {inside}, seen in {seen}"
        let_in += bool(inside) and seen is not None
    assert let_in >= LET_IN


async def test_what_the_dialect_refuses_would_have_come_through(prosody: Watched) -> None:
    """One parser for the whole stream: the reason for which a message has to stand by itself."""
    for name in ("two in a message", "halves that are each readable"):
        assert await _sent(prosody, SHAPES[name]), name
        assert _read(SHAPES[name]) is None


PREPARE = """
package.cpath = "/usr/lib/prosody/?.so;"..package.cpath; package.path = "/usr/lib/prosody/?.lua;"..package.path
local split = require "util.jid".split;
local prep = require "util.encodings".stringprep;
local function hex(s) return s and (s:gsub(".", function (c) return ("%02x"):format(c:byte()) end)) or "-"; end
for line in io.lines() do
	local node, host, resource = split((line:gsub("%x%x", function (h) return string.char(tonumber(h, 16)) end)));
	if host and host:sub(-1) == "." then host = host:sub(1, -2); end
	print(hex(node and prep.nodeprep(node, true)), hex(host and prep.nameprep(host, true)), hex(resource));
end
"""


def _prepared(address: str) -> tuple[str, str, str]:
    try:
        parts = split(address)
        node = prepare_node(parts.node) if parts.node else ""
        return node, prepare_domain(parts.domain), parts.resource
    except UnreadableError:
        return "", "", ""


async def test_addresses_are_prepared_as_prosody_s_own_library_does(tmp_path: Path) -> None:
    chance = random.Random(6122)
    alphabet = [chr(code) for code in (*range(1, 0xD800), *range(0xE000, 0x1_1000), *range(0x1D400, 0x1D800))]
    common = "aAzZ09-._@/ ßéΣשא١\u0301\u200d\u00ad[]%"
    addresses = [f"a{character}b@c{character}d/r" for character in alphabet]
    addresses += ["".join(chance.choices(common, k=chance.randrange(9))) + "@d/r" for _ in range(20_000)]
    addresses += ["".join(chance.choices(common, k=chance.randrange(9))) for _ in range(20_000)]
    addresses += ["".join(chance.choices(alphabet, k=3)) + "@d" for _ in range(20_000)]
    script = tmp_path / "prepare.lua"
    script.write_text(PREPARE)
    child = await asyncio.create_subprocess_exec(
        *("lua5.4", str(script)), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    answer, _ = await child.communicate("".join(f"{address.encode().hex()}\n" for address in addresses).encode())
    for address, line in zip(addresses, answer.decode().splitlines(), strict=True):
        node, domain, resource = ("" if part == "-" else bytes.fromhex(part).decode() for part in line.split("\t"))
        is_whole = domain and (node or "@" not in address.partition("/")[0]) and not {"@", "/"} & set(domain)
        expected = (node, domain, resource) if is_whole else ("", "", "")
        assert _prepared(address) == expected, ascii(address)


# Resuming, and what else leads into a room


async def test_a_stream_is_resumed_by_the_token_that_the_dialect_has_heard(prosody: Watched, room: str) -> None:
    conversation = talk()
    async with visit(prosody.port, name="bob", binds=False) as bob:
        conversation.from_server((await bob.bind()).encode())
        await bob.send("<enable xmlns='urn:xmpp:sm:3' resume='true'/>")
        conversation.from_server((await bob.hear("<enabled")).encode())
        (token,) = conversation.tokens
        said = conversation.from_client(to(f"{room}@{ROOMS}/bob").encode())
        assert isinstance(said, Enters)
        assert said.join.place == (f"{room}@{ROOMS}", bob.jid)
        await bob.join(room, "bob")
        abort(bob)
        async with visit(prosody.port, name="bob", binds=False) as again:
            resume = f"<resume xmlns='urn:xmpp:sm:3' previd='{token}' h='0'/>"
            assert conversation.from_client(resume.encode()) == Resumes(token)
            await again.send(resume)
            other = talk()
            other.from_server((await again.hear("<resumed")).encode())
            assert other.tokens == {token}
            again.jid = bob.jid
            assert await prosody.whereabouts(again.jid) == {f"{room}@{ROOMS}"}
            await again.settle()
            other.from_server(b"<iq xmlns='jabber:client' type='result' to='" + again.jid.encode() + b"'/>")
            said = other.from_client(to(f"{room}@{ROOMS}/bob").encode())
            assert isinstance(said, Enters)
            assert said.join.place == (f"{room}@{ROOMS}", bob.jid)


async def test_a_refused_resumption_is_told_as_prosody_tells_it(prosody: Watched) -> None:
    async with visit(prosody.port, name="bob", binds=False) as bob:
        resume = "<resume xmlns='urn:xmpp:sm:3' previd='unknown' h='0'/>"
        await bob.send(resume)
        answer = await bob.hear("<failed")
        assert "<item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>" in answer
        await bob.bind()  # and the stream goes on


async def test_whoever_takes_the_place_of_a_waiting_stream_takes_no_seat(prosody: Watched, room: str) -> None:
    async with visit(prosody.port) as alice, visit(prosody.port, name="bob", resource="same") as bob:
        await alice.join(room, "alice")
        await bob.enable_resumption()
        await bob.join(room, "bob")
        abort(bob)
        async with visit(prosody.port, name="bob", resource="same") as another:
            assert another.jid == bob.jid
            await alice.send(
                f"<message {CLIENT} type='groupchat' to='{room}@{ROOMS}'><body>said inside</body></message>"
            )
            await alice.hear("said inside")
            assert not any("said inside" in message for message in await another.settle())
            assert await prosody.occupants(room) == {"alice"}


async def test_whoever_blocks_a_room_leaves_it_all_the_same(prosody: Watched, room: str) -> None:
    for resource, destination in (("full", f"{room}@{ROOMS}/bob"), ("bare", f"{room}@{ROOMS}")):
        async with visit(prosody.port, name="bob", resource=resource) as bob:
            await bob.join(room, "bob")
            for verb in ("block", "unblock"):
                what = f"<{verb} xmlns='urn:xmpp:blocking'><item jid='{ROOMS}'/></{verb}>"
                await bob.send(f"<iq {CLIENT} type='set' id='{verb}'>{what}</iq>")
                await bob.hear("type='result'", verb)
                if verb == "block":
                    await bob.send(f"<presence {CLIENT} type='unavailable' to='{destination}'/>")
                    await bob.settle()
            assert await prosody.occupants(room) is None


async def test_an_archive_is_read_without_joining(prosody: Watched, room: str) -> None:
    async with visit(prosody.port) as alice, visit(prosody.port) as bob:
        await alice.join(room, "alice")
        await alice.send(f"<message {CLIENT} type='groupchat' to='{room}@{ROOMS}'><body>said inside</body></message>")
        await alice.hear("said inside")
        query = f"<iq {CLIENT} type='set' id='q' to='{room}@{ROOMS}'><query xmlns='urn:xmpp:mam:2'/></iq>"
        await bob.send(query)
        await bob.hear("said inside")
        assert await prosody.whereabouts(bob.jid) == set()
        assert _read([query]) == {f"{room}@{ROOMS}"}
