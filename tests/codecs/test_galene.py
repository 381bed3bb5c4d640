"""Galene's messages, read as Go's encoding/json reads them."""

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from joingate.codecs.dialect import Conversation, Dialect, Enters, Leaves, Refusal, Said, UnreadableError
from joingate.codecs.galene import Galene
from joingate.codecs.http1 import RequestHead, ResponseHead
from joingate.codecs.join_request import JoinMatcher
from joingate.core.model import Join

DIALECT: Dialect = Galene()
WHY = Refusal(451, "legal order o-1 until 2020-06-04T16:00:00Z, receipt k7q2")
HANDSHAKE = b'{"type":"handshake","version":["2"],"id":"c1"}'
NO_JSON = "The message is not JSON in UTF-8."
TWO_KEYS = "The message has two keys that are read as one."


def opened(handshake: bytes = HANDSHAKE) -> Conversation:
    conversation = DIALECT.conversation(b"/ws", [])
    assert conversation is not None
    assert conversation.from_client(handshake) is None
    return conversation


def said(message: bytes | dict[str, Any]) -> Said:
    return opened().from_client(message if isinstance(message, bytes) else orjson.dumps(message))


def test_a_join() -> None:
    join = {"type": "join", "kind": "join", "group": "Board/sub", "username": "anna", "password": "x", "data": {"a": 1}}
    assert said(join) == Enters(Join("Board/sub", "c1"))
    assert said({"type": "join", "kind": "join", "group": "g", "token": "t"}) == Enters(Join("g", "c1"))


def test_one_group_after_the_other_on_one_websocket() -> None:
    conversation = opened()
    assert conversation.from_client(b'{"type":"join","kind":"join","group":"a"}') == Enters(Join("a", "c1"))
    assert conversation.from_client(b'{"type":"join","kind":"leave","group":"a"}') == Leaves("a")
    assert conversation.from_client(b'{"type":"join","kind":"join","group":"b"}') == Enters(Join("b", "c1"))


@pytest.mark.parametrize(
    "message",
    [
        {"type": "ping"},
        {"type": "chat", "kind": "", "value": '{"type":"join","kind":"join","group":"g"}'},
        {"type": "offer", "id": "s1", "sdp": "v=0", "group": 7},
        {"type": "handshake", "id": "c2"},
        {"type": "join", "kind": "change", "group": "g"},
        {"type": "join", "group": "g"},
        {"type": "JOIN", "kind": "join", "group": "g"},
        {"kind": "join", "group": "g"},
        {},
    ],
)
def test_what_brings_nobody_in(message: dict[str, Any]) -> None:
    """Galene itself ends the connection on some of these."""
    assert said(message) is None


def test_the_clients_id_is_that_of_its_first_message() -> None:
    conversation = opened()
    assert conversation.from_client(b'{"type":"handshake","id":"c2"}') is None
    assert conversation.from_client(b'{"type":"join","kind":"join","group":"g"}') == Enters(Join("g", "c1"))


@pytest.mark.parametrize("handshake", [b'{"type":"handshake"}', b'{"type":"handshake","id":null}'])
def test_a_client_without_an_id(handshake: bytes) -> None:
    assert opened(handshake).from_client(b'{"type":"join","kind":"join","group":"g"}') == Enters(Join("g", None))


@pytest.mark.parametrize(
    "message",
    [
        b'{"Type":"join","KIND":"join","gRoUp":"g"}',
        '{"type":"join","\u212aind":"join","group":"g"}'.encode(),
        b'{"type":"join","\\u212aIND":"join","group":"g"}',
        b' \t\r\n{"\\u0074ype":"\\u006aoin","kind":"join","group":"g"}\n',
        b'{"type":"join","kind":"join","group":"g","unknown":{"type":"chat","type":"ping"}}',
        b'{"type":"join","kind":"join","group":"g","value":1e400,"time":123456789012345678901234567890}',
    ],
)
def test_a_key_is_read_as_go_reads_it(message: bytes) -> None:
    assert said(message) == Enters(Join("g", "c1"))


def test_half_a_surrogate_pair_is_what_go_makes_of_it() -> None:
    message = b'{"type":"join","kind":"join","group":"\\ud83d\\ude00 \\ud83d \\ude00"}'
    assert said(message) == Enters(Join("\U0001f600 \ufffd \ufffd", "c1"))


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (b"", NO_JSON),
        (b"{", NO_JSON),
        (b"{} {}", NO_JSON),
        (b'\xef\xbb\xbf{"type":"ping"}', NO_JSON),
        (b'{"type":"\xff"}', NO_JSON),
        (b'{"type":NaN}', NO_JSON),
        (b'{"type":"a\nb"}', NO_JSON),
        (b"[" * 100_000, NO_JSON),
        (b'{"a":' * 100_000, NO_JSON),
        (b"null", "The message is not a JSON object."),
        (b"[]", "The message is not a JSON object."),
        (b'"join"', "The message is not a JSON object."),
        (b'{"type":"chat","type":"join"}', TWO_KEYS),
        (b'{"type":"chat","Type":"join"}', TWO_KEYS),
        ('{"kind":"a","\u212aind":"b"}'.encode(), TWO_KEYS),
        ('{"source":"a","\u017fource":"b"}'.encode(), TWO_KEYS),
        (b'{"type":["join"]}', '"type" is not a text.'),
        (b'{"type":true}', '"type" is not a text.'),
        (b'{"type":"join","kind":{}}', '"kind" is not a text.'),
        (b'{"type":"join","kind":"join","group":["g"]}', '"group" is not a text.'),
        (b'{"type":"join","kind":"join"}', "The join names no group."),
        (b'{"type":"join","kind":"join","group":""}', "The join names no group."),
        (b'{"type":"join","kind":"join","group":"%b"}' % (b"g" * 513), "An id is longer than 512 characters."),
        (b'{"type":"join","kind":"join","group":"g\\u0000"}', "An id has control characters."),
    ],
)
def test_what_cannot_be_read(message: bytes, text: str) -> None:
    with pytest.raises(UnreadableError) as caught:
        said(message)
    assert str(caught.value) == text
    assert len(text.encode()) <= 123


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (b'{"type":"join","kind":"join","group":"g"}', "The first message is no handshake."),
        (b'{"id":"c1"}', "The first message is no handshake."),
        (b'{"type":"handshake","id":{}}', '"id" is not a text.'),
        (b'{"type":"handshake","id":"%b"}' % (b"c" * 513), "An id is longer than 512 characters."),
    ],
)
def test_what_cannot_begin(message: bytes, text: str) -> None:
    conversation = DIALECT.conversation(b"/anything", [])
    assert conversation is not None
    with pytest.raises(UnreadableError) as caught:
        conversation.from_client(message)
    assert str(caught.value) == text


def test_a_refusal_is_a_join_that_failed() -> None:
    (answer,) = opened().refusal(b'{"type":"join","kind":"join","GROUP":"g"}', WHY)
    assert json.loads(answer) == {
        "type": "joined",
        "kind": "fail",
        "error": "restricted",
        "group": "g",
        "value": WHY.text,
    }


def test_a_farewell_is_a_kick() -> None:
    (answer,) = opened().farewell(Join("g", "c1"), WHY)
    assert json.loads(answer) == {
        "type": "usermessage",
        "kind": "kicked",
        "dest": "c1",
        "privileged": True,
        "value": WHY.text,
    }


def test_there_is_nothing_to_resume() -> None:
    conversation = opened()
    assert conversation.from_server(b'{"type":"joined","kind":"join"}') is None
    assert (conversation.tokens, conversation.hears_server) == (set(), False)
    assert DIALECT.left_by(Join("g", "c1"), ResponseHead(201, b"Created", [], 0)) is None
    assert (DIALECT.keeps_after_close, DIALECT.name) == (0, "galene")
    assert DIALECT.fold("Board") != DIALECT.fold("board")


# WHIP

MATCHER = JoinMatcher(DIALECT.routes, fold=DIALECT.fold)


@pytest.mark.parametrize(
    ("target", "group"),
    [
        (b"/group/g/.whip", "g"),
        (b"/group/g/.whip?x=/group/h/.whip", "g"),
        (b"/group/a%2Fb/.whip", "a/b"),
        (b"/group/g/%2ewhip", "g"),
        (b"//group/g//.whip", "g"),
        (b"/group/r%C3%A4ume/.whip", "räume"),
    ],
)
def test_whip_names_its_group_in_the_path(target: bytes, group: str) -> None:
    assert MATCHER.match(b"POST", target, []) == Join(group)


@pytest.mark.parametrize(
    "target",
    [b"/group/a/b/.whip", b"/group/a/b%2Fc/.w%68ip", b"/group/a/b/.WHIP?x", b"/%2525252525252525"],
)
def test_whip_into_a_subgroup_is_refused(target: bytes) -> None:
    head = RequestHead(b"POST", target, "1.1", [])
    assert DIALECT.reads_body(head)
    with pytest.raises(UnreadableError) as caught:
        DIALECT.polled(head, b"v=0")
    assert str(caught.value) == "A WHIP publisher joins at /group/NAME/.whip; subgroups are not supported."
    assert DIALECT.poll_refusal(head, b"v=0", WHY) is None


@pytest.mark.parametrize(
    ("method", "target"),
    [
        (b"GET", b"/group/a/b/.whip"),
        (b"PATCH", b"/group/a/b/.whip/id"),
        (b"POST", b"/group/g/"),
        (b"POST", b"/galene-api/v0/.groups/g"),
    ],
)
def test_what_is_no_whip(method: bytes, target: bytes) -> None:
    assert MATCHER.match(method, target, []) is None
    assert not DIALECT.reads_body(RequestHead(method, target, "1.1", []))


# Properties

CASES = {"k": "kK\u212a", "s": "sS\u017f"}


@st.composite
def spelled(draw: st.DrawFn, word: str) -> str:
    """One of the spellings that Go takes for a key."""
    return "".join(draw(st.sampled_from(CASES.get(letter, letter + letter.upper()))) for letter in word)


@given(st.data(), st.booleans())
def test_no_spelling_of_a_join_slips_past(data: st.DataObject, escaped: bool) -> None:
    members = [("type", "join"), ("kind", "join"), ("group", "g"), ("username", "anna"), ("source", "c1")]
    ordered = data.draw(st.permutations([(data.draw(spelled(key)), value) for key, value in members]))
    message = json.dumps(dict(ordered), ensure_ascii=escaped).encode()
    assert said(message) == Enters(Join("g", "c1"))


@given(st.binary() | st.text().map(str.encode))
def test_any_bytes_are_read_or_refused(message: bytes) -> None:
    conversation = opened()
    text = "read"
    try:
        assert conversation.from_client(message) is None
    except UnreadableError as error:
        text = str(error)
    assert 0 < len(text.encode()) <= 123


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text() | st.sampled_from(["join", "leave", "handshake", "g"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["type", "kind", "group", "id", "Kind"]) | st.text(), inner, max_size=6)
    ),
)


@given(JSON)
def test_any_json_is_read_or_refused(value: object) -> None:
    conversation = opened()
    try:
        meant = conversation.from_client(json.dumps(value).encode())
    except UnreadableError:
        return
    if isinstance(meant, Enters):
        assert isinstance(value, dict)
        assert {key.lower(): item for key, item in value.items()}["type"] == "join"
        assert meant.join.meeting


@given(st.text(min_size=1, max_size=40))
def test_a_group_is_taken_as_it_is(group: str) -> None:
    message = json.dumps({"type": "join", "kind": "join", "group": group}).encode()
    try:
        assert said(message) == Enters(Join(group, "c1"))
    except UnreadableError:
        assert any(ord(character) < 32 or 127 <= ord(character) < 160 for character in group)
