"""Janus as a dialect: whose session it is, who has left, and the HTTP transport."""

import contextlib
import gc

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from joingate.codecs.dialect import Enters, Leaves, Polled, Refusal, Resumes, UnreadableError
from joingate.codecs.http1 import NO_BODY, Headers, RequestHead, ResponseHead
from joingate.codecs.janus import MAX_SEATS, JanusConversation, JanusDialect
from joingate.core.model import Join

WHY = Refusal(403, "host policy board-eu-only, receipt k7q2m5xw3b6ahcde")
NO_HEADERS: Headers = []
FOREIGN = r"^The session is another connection's; claim it first\.$"
S, H = 11, 22
PLACE = ("11", "22")


def ask(janus: str, session: int | None = S, handle: int | None = None, **fields: object) -> bytes:
    return orjson.dumps({"janus": janus, "transaction": "t", "session_id": session, "handle_id": handle, **fields})


def join(room: object = "m1", session: int = S, handle: int = H, **fields: object) -> bytes:
    body = {"request": "join", "ptype": "publisher", "room": room, "id": "bob", **fields}
    return ask("message", session, handle, body=body)


def bridge(request: str = "join", room: str = "a1", handle: int = H) -> bytes:
    return ask("message", S, handle, body={"request": request, "room": room})


def event(data: dict[str, object], handle: int = H, **fields: object) -> bytes:
    plugindata = {"plugin": "janus.plugin.videoroom", "data": data}
    return orjson.dumps({"janus": "event", "session_id": S, "sender": handle, "plugindata": plugindata, **fields})


def opened(*sessions: int) -> JanusConversation:
    conversation = JanusDialect().conversation(b"/any/path", NO_HEADERS)
    for session in sessions:
        assert conversation.from_client(ask("create", None)) is None
        assert conversation.from_server(b'{"janus":"success","transaction":"t","data":{"id":%d}}' % session) is None
    return conversation


def test_a_join_in_ones_own_session() -> None:
    conversation = opened(S, 12)
    assert conversation.hears_server
    assert conversation.tokens == {"11", "12"}
    assert conversation.from_client(join()) == Enters(Join("m1", "bob", place=PLACE))
    assert conversation.from_client(join("m2", 12, 33)) == Enters(Join("m2", "bob", place=("12", "33")))
    assert conversation.from_client(ask("keepalive")) is None
    assert conversation.from_client(ask("ping", None)) is None


@pytest.mark.parametrize("said", [join(), ask("attach"), ask("detach", S, H), ask("trickle", S, H)])
def test_a_session_that_is_another_connections(said: bytes) -> None:
    conversation = opened(12)
    with pytest.raises(UnreadableError, match=FOREIGN):
        conversation.from_client(said)
    assert conversation.from_client(ask("keepalive")) is None


def test_a_session_is_ones_own_once_janus_has_granted_the_claim() -> None:
    conversation = opened()
    assert conversation.from_client(ask("claim")) == Resumes("11", ("11",))
    with pytest.raises(UnreadableError, match=FOREIGN):
        conversation.from_client(join())
    assert conversation.from_server(b'{"janus":"error","session_id":11,"error":{"code":403}}') is None
    with pytest.raises(UnreadableError, match=FOREIGN):
        conversation.from_client(join())
    assert conversation.from_client(ask("Claim")) == Resumes("11", ("11",))
    assert conversation.from_server(b'{"janus":"success","session_id":11,"transaction":"t"}') is None
    assert conversation.tokens == {"11"}
    assert conversation.from_client(join()) == Enters(Join("m1", "bob", place=PLACE))
    assert conversation.from_client(ask("claim")) is None  # it is here already


def test_a_session_that_another_connection_claims_is_ones_own_no_more() -> None:
    dialect = JanusDialect()
    first, second, stranger = (dialect.conversation(b"/", NO_HEADERS) for _ in range(3))
    JanusDialect().conversation(b"/", NO_HEADERS).from_server(b'{"janus":"success","session_id":11}')  # another Janus
    first.from_server(b'{"janus":"success","data":{"id":11}}')
    first.from_server(b'{"janus":"success","data":{"id":12}}')
    second.from_client(ask("claim"))
    assert first.tokens == {"11", "12"}  # Janus may refuse the claim
    second.from_server(b'{"janus":"success","session_id":11,"transaction":"t"}')
    second.from_server(b'{"janus":"success","session_id":11,"transaction":"t"}')
    assert (first.tokens, second.tokens, stranger.tokens) == ({"12"}, {"11"}, set())
    with pytest.raises(UnreadableError, match=FOREIGN):
        first.from_client(join())
    assert second.from_client(join()) == Enters(Join("m1", "bob", place=PLACE))


def test_what_has_closed_owns_nothing() -> None:
    dialect = JanusDialect()
    first = dialect.conversation(b"/", NO_HEADERS)
    first.from_server(b'{"janus":"success","data":{"id":11}}')
    assert len(dialect._owners) == 1
    del first
    gc.collect()
    assert len(dialect._owners) == 0


def test_an_attached_handle_is_no_session() -> None:
    conversation = opened(S)
    conversation.from_server(b'{"janus":"success","session_id":11,"transaction":"t","data":{"id":22}}')
    assert conversation.tokens == {"11"}


@pytest.mark.parametrize(
    ("said", "left"),
    [
        (b'{"janus":"detached","session_id":11,"sender":22}', Leaves(place=PLACE)),
        (b'{"janus":"timeout","session_id":11}', Leaves(place=("11",))),
        (event({"videoroom": "event", "room": "m1", "leaving": "ok"}, transaction="t"), Leaves(place=PLACE)),
        (event({"videoroom": "event", "room": "m1", "leaving": "ok", "reason": "kicked"}), Leaves(place=PLACE)),
        # Somebody called "ok" has left.
        (event({"videoroom": "event", "room": "m1", "leaving": "ok"}), None),
        (event({"videoroom": "event", "room": "m1", "leaving": "eve"}), None),
        (event({"videoroom": "event", "room": "m1", "kicked": "ok"}), None),
        (event({"videoroom": "event", "room": "m1", "unpublished": "ok"}, transaction="t"), None),
        # A subscriber can subscribe anew without joining.
        (event({"videoroom": "event", "room": "m1", "left": "ok"}, transaction="t"), None),
        (event({"audiobridge": "left", "room": "m1"}, handle=33, transaction="t"), None),  # never seen to join
        (b'{"janus":"event","session_id":11,"sender":22,"plugindata":{"data":[]}}', None),
        (b'{"janus":"success","data":{"id":"12"}}', None),
        (b'{"janus":"ack","session_id":11}', None),
        (b"[]", None),
        (b"no JSON", None),
        (b"", None),
    ],
)
def test_who_has_left_by_the_servers_word(said: bytes, left: Leaves | None) -> None:
    conversation = opened(S)
    conversation.from_client(join())
    assert conversation.from_server(said) == left
    assert conversation.tokens == {"11"}


def test_who_has_left_an_audio_bridge() -> None:
    left = event({"audiobridge": "left", "room": "a1", "id": "bob"}, transaction="t")
    conversation = opened(S)
    conversation.from_client(bridge())
    assert conversation.from_server(event({"audiobridge": "left", "room": "a1"})) is None  # no answer
    assert conversation.from_server(left) == Leaves(place=PLACE)
    # From the second join on, the event may be the first one's: who was counted stays so until the handle is detached.
    conversation.from_client(bridge("changeroom", "a2"))
    assert conversation.from_server(left) is None
    assert conversation.from_server(b'{"janus":"detached","session_id":11,"sender":22}') == Leaves(place=PLACE)


def test_the_clients_word_that_it_leaves_is_no_proof() -> None:
    conversation = opened(S)
    conversation.from_client(join())
    for said in (ask("detach", S, H), ask("message", S, H, body={"request": "leave"}), ask("hangup", S, H)):
        assert conversation.from_client(said) is None


def test_seats_are_bounded_and_given_back() -> None:
    conversation = opened(S)
    for handle in range(1, MAX_SEATS + 1):
        conversation.from_client(join(handle=handle))
    with pytest.raises(UnreadableError, match=r"^There are too many handles in rooms on this connection\.$"):
        conversation.from_client(join(handle=MAX_SEATS + 1))
    conversation.from_client(join("m2", handle=1))
    conversation.from_server(b'{"janus":"detached","session_id":11,"sender":1}')
    conversation.from_client(join(handle=MAX_SEATS + 1))


def test_refusal() -> None:
    conversation = opened(S)
    ack, error = map(orjson.loads, conversation.refusal(join(), WHY))
    assert ack == {"janus": "ack", "session_id": S, "transaction": "t"}
    assert error["plugindata"]["data"]["error"] == WHY.text
    assert error["plugindata"]["plugin"] == "janus.plugin.videoroom"


def test_farewell_is_the_plugins_and_names_the_room_as_the_client_did() -> None:
    conversation = opened(S)
    conversation.from_client(join(1234))
    conversation.from_client(bridge(handle=33))
    first, _ = map(orjson.loads, conversation.farewell(Join("1234", "bob", place=PLACE), WHY))
    (second,) = map(orjson.loads, conversation.farewell(Join("a1", place=("11", "33")), WHY))
    assert (first["session_id"], first["sender"], first["plugindata"]["data"]["room"]) == (S, H, 1234)
    assert second["plugindata"]["plugin"] == "janus.plugin.audiobridge"


def test_farewell_to_one_who_was_taken_over() -> None:
    first, _ = map(orjson.loads, opened().farewell(Join("m1", "bob", place=PLACE), WHY))
    assert first["plugindata"]["data"]["room"] == "m1"


@given(st.lists(st.tuples(st.booleans(), st.binary(max_size=30) | st.sampled_from([join(), ask("claim"), bridge()]))))
def test_any_conversation(messages: list[tuple[bool, bytes]]) -> None:
    conversation = opened(S)
    for is_client, said in messages:
        with contextlib.suppress(UnreadableError):
            conversation.from_client(said) if is_client else conversation.from_server(said)


def head(method: bytes, target: bytes) -> RequestHead:
    return RequestHead(method, target, "1.1", [])


JANUS = JanusDialect()


def test_what_the_dialect_declares() -> None:
    assert (JANUS.name, JANUS.routes, JANUS.keeps_after_close) == ("janus", (), 0)
    assert JANUS.fold("MixedCase ") == "MixedCase "
    assert JanusDialect(keeps_after_close=8).keeps_after_close == 8
    assert JANUS.left_by(Join("m1"), ResponseHead(200, b"", [], NO_BODY)) is None


@pytest.mark.parametrize(
    ("method", "target", "reads"),
    [
        (b"POST", b"/janus", True),
        (b"POST", b"/x/%6Aanus/1", True),
        (b"GET", b"/janus/1?maxev=1", True),
        (b"OPTIONS", b"/janus", False),
        (b"PUT", b"/janus", False),
        (b"POST", b"/upload", False),
        (b"GET", b"/", False),
    ],
)
def test_which_bodies_are_read(method: bytes, target: bytes, reads: bool) -> None:
    assert JANUS.reads_body(head(method, target)) is reads


def test_another_base_path() -> None:
    dialect = JanusDialect(base_path="/sfu")
    assert dialect.reads_body(head(b"POST", b"/sfu/1"))
    assert not dialect.reads_body(head(b"POST", b"/janus/1"))


BODY = orjson.dumps({"janus": "message", "transaction": "t", "body": {"request": "join", "room": "m1"}})


@pytest.mark.parametrize(
    ("method", "target", "body", "polled"),
    [
        (b"GET", b"/janus/11?maxev=5", b"", Polled("11", None)),
        (b"GET", b"/janus/11", join(), Polled("11", None)),  # Janus reads no body there
        (b"GET", b"/janus/info", b"", Polled("", None)),
        (b"POST", b"/janus", ask("create", None), Polled("", None)),
        (b"POST", b"/janus/11", ask("attach", None), Polled("11", None)),
        (b"POST", b"/janus/11/22", BODY, Polled("11", Enters(Join("m1", place=PLACE)))),
        (b"POST", b"/janus", join(), Polled("11", Enters(Join("m1", "bob", place=PLACE)))),
        (b"POST", b"/janus/11", ask("claim", None), Polled("11", Resumes("11", ("11",)))),
        (b"POST", b"/janus/11/22", ask("detach", None), Polled("11", None)),
    ],
)
def test_requests(method: bytes, target: bytes, body: bytes, polled: Polled) -> None:
    assert JANUS.polled(head(method, target), body) == polled


@pytest.mark.parametrize(
    ("method", "target", "body"),
    [
        (b"POST", b"/janus/11/22", b""),
        (b"POST", b"/janus/12/22", join()),
        (b"POST", b"/janus//11/22", BODY),
        (b"GET", b"/%6aanus/11", b""),
    ],
)
def test_unreadable_requests(method: bytes, target: bytes, body: bytes) -> None:
    with pytest.raises(UnreadableError):
        JANUS.polled(head(method, target), body)


def test_a_join_by_request_in_a_websockets_session() -> None:
    dialect = JanusDialect()
    conversation = dialect.conversation(b"/", NO_HEADERS)
    conversation.from_server(b'{"janus":"success","data":{"id":11}}')
    asked = head(b"POST", b"/janus/11/22")
    with pytest.raises(UnreadableError, match=FOREIGN):
        dialect.polled(asked, BODY)
    assert dialect.polled(asked, ask("keepalive", None)) == Polled("11", None)
    assert dialect.polled(head(b"POST", b"/janus/12/22"), BODY) == Polled("12", Enters(Join("m1", place=("12", "22"))))
    del conversation
    assert dialect.polled(asked, BODY) == Polled("11", Enters(Join("m1", place=PLACE)))


def test_the_refusal_of_a_request() -> None:
    kind, text = JANUS.poll_refusal(head(b"POST", b"/janus/11/22"), BODY, WHY)
    error = {"code": 403, "reason": WHY.text}
    assert kind == b"application/json"
    assert orjson.loads(text) == {"janus": "error", "session_id": 11, "transaction": "t", "error": error}
