"""BigBlueButton's links and sessions, read as the gate reads them."""

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from joingate.codecs.ambiguity import AmbiguousRequestError
from joingate.codecs.bigbluebutton import BigBlueButton
from joingate.codecs.dialect import Conversation, Dialect, Refusal, Resumes, Said, UnreadableError
from joingate.codecs.http1 import RequestHead, ResponseHead
from joingate.codecs.join_request import JoinMatcher
from joingate.core.model import Join

DIALECT: Dialect = BigBlueButton()
MATCHER = JoinMatcher(DIALECT.routes, fold=DIALECT.fold)
WHY = Refusal(403, "host policy p, receipt k7q2")
NO_INIT = "The first message is no connection_init."
NO_SESSION = "The connection_init names no session."
UNNAMED = "The WebSocket names no session."
ALIKE = "The message has keys that can be read as one."
LINK = b"fullName=Anna&meetingID=m-1&userID=u1&role=MODERATOR&checksum=a1b2"


def connection(target: bytes) -> Conversation:
    conversation = DIALECT.conversation(target, [])
    assert conversation is not None
    return conversation


def init(session: object = "abc", **more: object) -> dict[str, Any]:
    headers = {"X-Session-Token": session, "X-ClientSessionUUID": "u", **more}
    return {"type": "connection_init", "payload": {"headers": headers}}


def said(message: object, target: bytes = b"/graphql") -> Said:
    return connection(target).from_client(message if isinstance(message, bytes) else orjson.dumps(message))


# The link


@pytest.mark.parametrize(
    "path",
    [
        b"/bigbluebutton/api/join",
        b"/bigbluebutton/api/join/",
        b"/bigbluebutton/api/join/7",
        b"/bigbluebutton//api/%6Aoin",
        b"/bigbluebutton/api/join;x=1",
        b"/bigbluebutton/api/join/7.xml",
    ],
)
def test_the_link_is_the_join(path: bytes) -> None:
    assert MATCHER.match(b"GET", path + b"?" + LINK, []) == Join("m-1", "u1", host=True)


def test_what_a_link_may_leave_out() -> None:
    join = b"/bigbluebutton/api/join?meetingID=m-1&fullName=Anna&checksum=a"
    assert MATCHER.match(b"GET", join, []) == Join("m-1")
    assert MATCHER.match(b"GET", join + b"&role=VIEWER&password=mp", []) == Join("m-1")


@pytest.mark.parametrize(
    "path", [b"/bigbluebutton/api/enter?sessionToken=abc", b"/api/rest/clientSettings", b"/graphql"]
)
def test_what_is_no_join(path: bytes) -> None:
    assert MATCHER.match(b"GET", path, []) is None
    assert not DIALECT.reads_body(RequestHead(b"GET", path, "1.1", []))


@pytest.mark.parametrize("query", [b"", LINK + b"&meetingID=m-2", b"MeetingID=m-1"])
def test_a_link_that_is_unclear_is_refused(query: bytes) -> None:
    with pytest.raises(AmbiguousRequestError):
        MATCHER.match(b"GET", b"/bigbluebutton/api/join?" + query, [])


def test_a_form_is_refused() -> None:
    """bbb-web takes the parameters from a POST's body where the query has none."""
    form = [(b"Content-Type", b"application/x-www-form-urlencoded"), (b"Content-Length", b"13")]
    for query in (b"", b"?" + LINK):
        with pytest.raises(AmbiguousRequestError):
            MATCHER.match(b"POST", b"/bigbluebutton/api/join" + query, form)


@pytest.mark.parametrize(
    "target",
    [
        b"/bigbluebutton/api/join.xml?" + LINK,
        b"/bigbluebutton/API/Join.json",
        b"/bigbluebutton/api/jo%69n%2ehtml",
        b"/bigbluebutton;a/api;b/join.x",
        b"/%2525252525252525",
    ],
)
def test_a_join_with_a_format_is_refused(target: bytes) -> None:
    head = RequestHead(b"GET", target, "1.1", [])
    assert MATCHER.match(b"GET", target.replace(b"%25", b""), []) is None
    assert DIALECT.reads_body(head)
    with pytest.raises(UnreadableError, match=r"^Write the path of a join as /bigbluebutton/api/join\.$"):
        DIALECT.polled(head, b"")
    assert DIALECT.poll_refusal(head, b"", WHY) is None


def test_ids_lose_white_space_at_their_ends_and_nothing_else() -> None:
    assert DIALECT.fold(" \u2003m 1\t") == "m 1"
    assert DIALECT.fold("\u00a0M\u2007") == "\u00a0M\u2007"


# What the link leaves


def redirect(*lines: bytes, status: int = 302) -> ResponseHead:
    return ResponseHead(status, b"Found", [b"Cache-Control: no-cache\r\n", *lines], 0)


@pytest.mark.parametrize(
    ("head", "token"),
    [
        (redirect(b"Location: https://bbb.test/html5client/?sessionToken=abc\r\n"), "abc"),
        (redirect(b"location:/html5client/?a=b&sessionToken=abc&c#d?sessionToken=e\r\n", status=303), "abc"),
        (redirect(b"Location: /bigbluebutton/api/guestWait?sessionToken=abc&locale=de\r\n"), "abc"),
        (redirect(b"Location: https://example.org/logout\r\n"), None),
        (redirect(b"Location: /x#?sessionToken=abc\r\n"), None),
        (redirect(b"Location: /x?sessionToken=\r\n"), None),
        (redirect(b"Location: /x?sessionToken=a%20b\r\n"), None),
        (redirect(b"Location: /x?sessionToken=abc&sessionToken=def\r\n"), None),
        (redirect(b"Location: /x?sessionToken=a\r\n", b"Location: /x?sessionToken=b\r\n"), None),
        (redirect(b"X: /x?sessionToken=abc\r\n"), None),
        (redirect(b"Location: /x?sessionToken=abc\r\n", status=200), None),
    ],
)
def test_the_redirect_names_the_session(head: ResponseHead, token: str | None) -> None:
    assert DIALECT.left_by(Join("m-1", "u1"), head) == token


# WebSockets


def test_the_first_message_names_the_session() -> None:
    conversation = connection(b"/graphql")
    assert conversation.from_client(b'{"type":"ping"}') is None
    assert conversation.from_client(orjson.dumps(init())) == Resumes("abc", is_shared=True)
    assert conversation.from_client(b'{"id":"1","type":"subscribe","payload":{"query":"subscription"}}') is None
    assert conversation.from_client(b"\xff") is None
    assert not conversation.hears_server
    assert conversation.from_server(b'{"type":"connection_ack"}') is None


@pytest.mark.parametrize("path", [b"/bbb-webrtc-sfu", b"/ws", b"/hocuspocus/collaboration"])
def test_the_query_names_the_session(path: bytes) -> None:
    conversation = connection(path + b"?sessionToken=abc&x=y")
    assert conversation.from_client(b"\x00\xff anything") == Resumes("abc", is_shared=True)
    assert conversation.from_client(b"more") is None


def test_both_may_name_it() -> None:
    assert said(init(), b"/graphql?sessionToken=abc") == Resumes("abc", is_shared=True)
    with pytest.raises(UnreadableError, match=r"^The WebSocket names two sessions\.$"):
        said(init("def"), b"/graphql?sessionToken=abc")


@pytest.mark.parametrize("path", [b"/graphql", b"/graphql/", b"/GraphQL", b"/x/../graphq%6C", b"/v1/graphql"])
def test_no_spelling_of_graphql_takes_the_querys_word_for_it(path: bytes) -> None:
    with pytest.raises(UnreadableError, match=NO_INIT):
        said(b'{"type":"subscribe"}', path + b"?sessionToken=abc")


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (b"", "The message is not JSON."),
        (b'{"type":"connection_init"}{}', "The message is not JSON."),
        (b"[" * 100_000, "The message is not JSON."),
        (b"[]", NO_INIT),
        (b'"connection_init"', NO_INIT),
        (b"{}", NO_INIT),
        (b'{"type":[]}', NO_INIT),
        (b'{"type":{"a":[]}}', NO_INIT),
        (b'{"id":"1","type":"subscribe","payload":{}}', NO_INIT),
        (b'{"id":"1","type":"start","payload":{}}', NO_INIT),
        ({"type": "ping", "x": "connection_init", "payload": init()["payload"]}, NO_INIT),
        ({"type": "connection_init"}, NO_SESSION),
        ({"type": "connection_init", "payload": None}, NO_SESSION),
        ({"type": "connection_init", "payload": {"headers": []}}, NO_SESSION),
        ({"type": "connection_init", "payload": {"headers": {}}}, NO_SESSION),
        (init(None), NO_SESSION),
        (init(["abc"]), NO_SESSION),
        (init(7), NO_SESSION),
        (init(7.5), NO_SESSION),
        (init(""), UNNAMED),
        (init("a b"), UNNAMED),
        (init("a" * 129), UNNAMED),
        ({"type": "connection_init", "payload": {"headers": {"x-session-token": "abc"}}}, ALIKE),
        ({**init(), "TYPE": "ping"}, ALIKE),
        (init(**{"x-session-token": "def"}), ALIKE),
        (b'{"type":"connection_init","type":"connection_init"}', ALIKE),
        (b'{"type":"connection_init","payload":{"headers":{"X-Session-Token":"a"}},"payload":{}}', ALIKE),
    ],
)
def test_what_cannot_come_first(message: object, text: str) -> None:
    with pytest.raises(UnreadableError) as caught:
        said(message)
    assert str(caught.value) == text
    assert len(text) <= 123


def test_what_go_reads_in_spite_of_itself() -> None:
    """Escapes, and bytes that are not UTF-8, hide no connection_init from the middleware."""
    message = b'{"x":"\xff\xc3","\\u0074ype":"connection\\u005finit","payload":{"headers":{"X-Session-Token":"abc"}}}'
    assert said(message) == Resumes("abc", is_shared=True)


@pytest.mark.parametrize(
    ("target", "text"),
    [
        (b"/livekit/rtc?access_token=a.b.c", UNNAMED),
        (b"/ws?sessionToken=a%20b", UNNAMED),
        (b"/ws?sessionToken=a&sessionToken=b", '"sessionToken" is given more than once.'),
        (b"/ws?SessionToken=abc", '"sessionToken" is spelled as some servers take it and others not.'),
        (b"/%2525252525252525?sessionToken=abc", "The path is percent-encoded more than 4 times over."),
    ],
)
def test_a_websocket_without_a_clear_session_goes_nowhere(target: bytes, text: str) -> None:
    conversation = connection(target)
    for message in (b"x", orjson.dumps(init())):
        with pytest.raises(UnreadableError) as caught:
            conversation.from_client(message)
        assert str(caught.value) == text


def test_a_refusal_is_the_middlewares_own() -> None:
    error = {"id": "-1", "type": "error", "payload": [{"messageId": "access_denied", "message": WHY.text}]}
    (refusal,) = connection(b"/graphql").refusal(b"", WHY)
    (farewell,) = connection(b"/graphql").farewell(Join("m-1"), WHY)
    assert json.loads(refusal) == json.loads(farewell) == error
    media = connection(b"/bbb-webrtc-sfu?sessionToken=abc")
    assert not media.refusal(b"", WHY)
    assert not media.farewell(Join("m-1"), WHY)


def test_what_is_refused_has_to_say_again_whose_it_is() -> None:
    """Nothing that comes after a refusal may go on for having been understood once."""
    graphql = connection(b"/graphql")
    for _ in range(2):
        assert graphql.from_client(orjson.dumps(init())) == Resumes("abc", is_shared=True)
        graphql.refusal(orjson.dumps(init()), WHY)
    with pytest.raises(UnreadableError, match=NO_INIT):
        graphql.from_client(b'{"type":"subscribe"}')
    media = connection(b"/bbb-webrtc-sfu?sessionToken=abc")
    assert media.from_client(b"x") == Resumes("abc", is_shared=True)
    media.refusal(b"x", WHY)
    with pytest.raises(UnreadableError, match=f"^{WHY.text}$"):
        media.from_client(b"x")


def test_a_token_that_is_only_named_counts_for_nothing() -> None:
    for target in (b"/graphql", b"/ws?sessionToken=abc"):
        conversation = connection(target)
        conversation.from_client(orjson.dumps(init()))
        assert conversation.tokens == set()


def test_how_long_somebody_is_kept() -> None:
    assert (DIALECT.name, DIALECT.keeps_after_close) == ("bigbluebutton", 30)


# Properties

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text() | st.sampled_from(["connection_init", "ping", "abc"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["type", "payload", "headers", "X-Session-Token"]), inner, max_size=4)
    ),
)


@given(st.binary() | JSON.map(orjson.dumps) | JSON.map(init).map(orjson.dumps))
def test_any_first_message_names_a_session_or_is_refused(message: bytes) -> None:
    conversation = connection(b"/graphql")
    try:
        meant = conversation.from_client(message)
    except UnreadableError:
        return
    if meant is None:
        assert orjson.loads(message)["type"] in {"ping", "pong"}
    else:
        assert meant == Resumes(orjson.loads(message)["payload"]["headers"]["X-Session-Token"])


@given(st.binary())
def test_any_target_is_read(target: bytes) -> None:
    conversation = connection(b"/" + target)
    try:
        meant = conversation.from_client(b"x")
    except UnreadableError:
        return
    assert isinstance(meant, Resumes)
    assert b"sessionToken" in target or b"%" in target
