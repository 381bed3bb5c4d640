"""What a client asks of Janus: joins in every spelling that Janus takes, and nothing that it might read otherwise."""

import contextlib

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from joingate.codecs.dialect import Enters, Resumes, UnreadableError
from joingate.codecs.janus_requests import AUDIOBRIDGE, VIDEOROOM, JanusPath, read_request, said_by
from joingate.core.model import Join

S, H = 7345254316184706, 606929606697602
PLACE = (str(S), str(H))


def message(janus: object = "message", **fields: object) -> bytes:
    return orjson.dumps({"janus": janus, "transaction": "t", "session_id": S, "handle_id": H, **fields})


def body(request: object = "join", **fields: object) -> dict[str, object]:
    return {"request": request, "ptype": "publisher", "room": "m1", "id": "bob", **fields}


def said(raw: bytes) -> Enters | Resumes | None:
    return said_by(read_request(raw))


@pytest.mark.parametrize(
    ("fields", "join"),
    [
        (body(), Join("m1", "bob", place=PLACE)),
        (body("JoinAndConfigure", ptype="PUBLISHER"), Join("m1", "bob", place=PLACE)),
        (body("JOIN", room=1234, id=7), Join("1234", "7", place=PLACE)),
        (body(room=0), Join("0", "bob", place=PLACE)),
        (body(room=2**63 - 1), Join(str(2**63 - 1), "bob", place=PLACE)),
        (body(room="M1 "), Join("M1 ", "bob", place=PLACE)),  # exact, as Janus compares
        (body(id=None), Join("m1", place=PLACE)),  # the server chooses one
        (body(id=True), Join("m1", place=PLACE)),
        (body(id=2**63), Join("m1", place=PLACE)),
        (body(ptype="subscriber"), Join("m1", place=PLACE)),
        (body(ptype="Listener"), Join("m1", place=PLACE)),
        ({"request": "join", "room": "a1", "id": "eve"}, Join("a1", "eve", place=PLACE)),  # an audio bridge
        ({"request": "changeroom", "room": "a2", "id": "eve"}, Join("a2", "eve", place=PLACE)),
        (body("rtp_forward", publisher_id="bob"), Join("m1", place=PLACE)),
        (body("publish_remotely"), Join("m1", place=PLACE)),
        (body("add_remote_publisher"), Join("m1", place=PLACE)),
    ],
)
def test_joins(fields: dict[str, object], join: Join) -> None:
    assert said(message(body=fields)) == Enters(join)
    assert said(message("MessagE", body=fields)) == Enters(join)


@pytest.mark.parametrize(
    "fields",
    [
        {"janus": "create"},
        {"janus": "keepalive"},
        {"janus": "trickle", "body": body()},  # Janus looks at a body in a "message" alone
        {"janus": "messages", "body": body()},
        {"janus": ["message"], "body": body()},
        {"janus": None, "body": body()},
        {"body": body("joins")},
        {"body": body("")},
        {"body": body(["join"])},
        {"body": body("subscribe")},  # more streams of the room that one is in
        {"body": body("leave")},
        {"janus": "detach"},
        {"body": [body()]},
        {"body": None},
        {},
        {"body": body(), "handle_id": None},
        {"body": body(), "session_id": None},
        {"janus": "claim", "session_id": None},
    ],
)
def test_what_is_no_join(fields: dict[str, object]) -> None:
    assert said(message(**{"janus": "message", **fields})) is None


@pytest.mark.parametrize("verb", ["claim", "CLAIM"])
def test_a_claim_is_a_resume(verb: str) -> None:
    assert said(message(verb, handle_id=None)) == Resumes(str(S), (str(S),))


@pytest.mark.parametrize("room", [None, True, 1234.0, -1, 2**63, ["m1"], {"id": "m1"}])
def test_a_join_without_a_room(room: object) -> None:
    with pytest.raises(UnreadableError, match=r"^The message joins no room that Janus could know\.$"):
        said(message(body=body(room=room)))


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"", "The message is not one JSON text."),
        (b"{", "The message is not one JSON text."),
        (b'{"janus":"keepalive"}{"janus":"message"}', "The message is not one JSON text."),  # Janus reads both
        (b'{"janus":"keepalive"}\x00', "The message is not one JSON text."),
        (b'{"janus":"keep\x00alive"}', "The message is not one JSON text."),
        (b'\xef\xbb\xbf{"janus":"ping"}', "The message is not one JSON text."),
        (b'{"janus":"\xff"}', "The message is not one JSON text."),
        (b'{"janus":"\\ud800"}', "The message is not one JSON text."),
        (b'{"janus":NaN}', "The message is not one JSON text."),
        (b"[" * 1500 + b"]" * 1500, "The message is not one JSON text."),
        (b'{"janus":"ping","x":"\\u0000"}', "The message has a NUL in a text."),
        (b'{"\\u0000":1}', "The message has a NUL in a text."),
        (b'[{"janus":"ping"}]', "The message is not a JSON object."),
        (b'"ping"', "The message is not a JSON object."),
        (b"1", "The message is not a JSON object."),
    ],
)
def test_unreadable(raw: bytes, text: str) -> None:
    with pytest.raises(UnreadableError) as caught:
        read_request(raw)
    assert str(caught.value) == text


@pytest.mark.parametrize("member", ["session_id", "handle_id"])
@pytest.mark.parametrize("value", [b"0", b"-1", b"1.0", b"1e3", b'"1"', b"true", b"[]", b"{}", b"9223372036854775808"])
def test_ids_that_janus_does_not_give_out(member: str, value: bytes) -> None:
    raw = b'{"janus":"message","%b":%b}' % (member.encode(), value)
    with pytest.raises(UnreadableError, match=r"^A session_id or handle_id is no number that Janus gives out\.$"):
        read_request(raw)


def test_the_last_of_two_members_counts() -> None:
    joins = b'{"session_id":1,"handle_id":2,"janus":"ping","body":'
    joins += b'{"request":"x","reque\\u0073t":"join","room":"m0","room":"m1"},'
    assert said(joins + b'"j\\u0061nus":"message"}') == Enters(Join("m1", place=("1", "2")))
    assert said(joins + b'"janus":"message","janus":"ping"}') is None


def test_ids_from_the_path() -> None:
    bare = orjson.dumps({"janus": "message", "body": body()})
    assert said_by(read_request(bare, 1, 2)) == Enters(Join("m1", "bob", place=("1", "2")))
    assert said_by(read_request(message(body=body()), S, H)) == Enters(Join("m1", "bob", place=PLACE))
    assert said_by(read_request(message(body=body()))) == Enters(Join("m1", "bob", place=PLACE))
    for session, handle in ((1, H), (S, 1)):
        with pytest.raises(UnreadableError, match=r"^The path and the message name different sessions or handles\.$"):
            read_request(message(body=body()), session, handle)


@pytest.mark.parametrize(
    ("fields", "plugin"),
    [
        (body(), VIDEOROOM),
        (body("joinandconfigure", ptype=None), VIDEOROOM),
        ({"request": "join", "room": "a1"}, AUDIOBRIDGE),
        ({"request": "changeroom", "room": "a1"}, AUDIOBRIDGE),
        ({"request": "rtp_forward", "room": "m1", "publisher_id": "bob"}, VIDEOROOM),
        ({"request": "rtp_forward", "room": "a1", "ptype": 111}, AUDIOBRIDGE),
        ({"request": "publish_remotely", "room": "m1"}, VIDEOROOM),
        ({"request": "add_remote_publisher", "room": "m1"}, VIDEOROOM),
    ],
)
def test_the_plugin(fields: dict[str, object], plugin: str) -> None:
    assert read_request(message(body=fields)).plugin == plugin


def test_the_transaction() -> None:
    assert read_request(message()).transaction == "t"
    assert read_request(message(transaction=1)).transaction is None


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**64), 2**64) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
words = st.sampled_from(["message", "Claim", "join", "JOINANDCONFIGURE", "changeroom", "leave"])
objects = st.fixed_dictionaries(
    {},
    optional={
        "janus": words | values,
        "session_id": st.integers(-1, 2**64) | values,
        "handle_id": st.integers(-1, 2**64) | values,
        "body": st.fixed_dictionaries({}, optional={"request": words | values, "room": values, "id": values}) | values,
    },
)


@given(objects)
def test_any_object_is_said_or_refused(fields: dict[str, object]) -> None:
    with contextlib.suppress(UnreadableError, TypeError):  # TypeError: orjson writes no number of 65 bits
        found = said(orjson.dumps(fields))
        if isinstance(found, Enters):
            assert str(fields["janus"]).lower() == "message"
            assert found.join.place == (str(fields["session_id"]), str(fields["handle_id"]))


@given(st.binary(max_size=60), st.integers(0, 200))
def test_any_bytes_are_said_or_refused(noise: bytes, at: int) -> None:
    whole = message(body=body())
    for raw in (noise, whole[:at] + noise + whole[at:], whole[:at] + noise):
        with contextlib.suppress(UnreadableError):
            said(raw)


JANUS = JanusPath("/janus")
ODD = r"^The path is not spelled as BASE/SESSION/HANDLE, in plain digits\.$"


@pytest.mark.parametrize(
    ("target", "ids"),
    [
        (b"/janus", (None, None)),
        (b"/janus/", (None, None)),
        (b"/janus?x=1", (None, None)),
        (b"/janus/12", (12, None)),
        (b"/janus/12/", (12, None)),
        (b"/janus/12?maxev=1&rid=/janus/13", (12, None)),
        (b"/janus/12/34", (12, 34)),
        (b"/janus/12/34/", (12, 34)),
        (b"/janus/9223372036854775807", (2**63 - 1, None)),
    ],
)
def test_plain_paths(target: bytes, ids: tuple[int | None, int | None]) -> None:
    for polls in (True, False):
        assert JANUS.is_meant(target)
        assert JANUS.read(target, polls=polls) == ids


@pytest.mark.parametrize(
    "target",
    [
        b"/%6aanus/12",  # this and most of what follows was seen to be taken by Janus 1.1.2
        b"/x/janus/12",
        b"/janus/12abc",
        b"/janus/12%00zz",
        b"/janus//12",
        b"/janus/012",
        b"/janus/+12",
        b"/janus/%2012",
        b"/janus/12/34/56",
        b"/janus%2F12",
        b"/JANUS/12",
        b"\\janus\\12",
        b"/janus/9223372036854775808",
        b"/janus/12/9223372036854775808",
        b"/%25%36%61anus/12",
        b"/%" + b"25" * 9 + b"6aanus/12",  # encoded too often to say
    ],
)
def test_other_spellings(target: bytes) -> None:
    assert JANUS.is_meant(target)
    for polls in (True, False):
        with pytest.raises(UnreadableError, match=ODD):
            JANUS.read(target, polls=polls)


@pytest.mark.parametrize(
    "target", [b"/janus/info", b"/janus/info/", b"/JANUS", b"/demos/janus/janus.js", b"/janus/x/12"]
)
def test_gets_that_poll_nothing(target: bytes) -> None:
    assert JANUS.is_meant(target)
    assert JANUS.read(target, polls=True) == (None, None)
    with pytest.raises(UnreadableError, match=ODD):
        JANUS.read(target, polls=False)


@pytest.mark.parametrize("target", [b"/", b"/janus.js", b"/janus-demo/12", b"/janusx/12", b"/x?/janus/12", b"*"])
def test_what_is_not_meant_for_janus(target: bytes) -> None:
    assert not JANUS.is_meant(target)


@pytest.mark.parametrize("base", ["", "/"])
def test_a_base_path_that_is_the_root(base: str) -> None:
    path = JanusPath(base)
    assert path.is_meant(b"/12/34")
    assert path.read(b"/12/34", polls=False) == (12, 34)
    assert path.read(b"/", polls=False) == (None, None)


def test_a_base_path_is_taken_as_it_is_written() -> None:
    path = JanusPath("/a.b+/")
    assert path.read(b"/a.b+/12", polls=False) == (12, None)
    assert not path.is_meant(b"/aXb+/12")


@given(st.text(st.sampled_from("/janus%2f6A1\\;.? "), max_size=14).map(lambda text: text.encode()))
def test_a_path_is_read_or_refused(target: bytes) -> None:
    for polls in (True, False):
        with contextlib.suppress(UnreadableError):
            session, handle = JANUS.read(target, polls=polls)
            assert session is None or f"/{session}".encode() in target
            assert handle is None or f"/{session}/{handle}".encode() in target
