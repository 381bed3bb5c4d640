"""LiveKit's routes, read as the gate reads them."""

from base64 import urlsafe_b64encode

import orjson
import pytest

from joingate.codecs.ambiguity import AmbiguousRequestError
from joingate.codecs.dialect import Dialect, Polled, Refusal
from joingate.codecs.http1 import RequestHead, ResponseHead
from joingate.codecs.join_request import JoinMatcher
from joingate.codecs.livekit import LiveKit
from joingate.core.model import Join

DIALECT: Dialect = LiveKit()
MATCHER = JoinMatcher(DIALECT.routes, fold=DIALECT.fold)
HEAD = RequestHead(b"POST", b"/twirp/livekit.RoomService/ListRooms", "1.1", [])


def token(claims: object) -> bytes:
    return b"eyJhbGciOiJIUzI1NiJ9." + urlsafe_b64encode(orjson.dumps(claims)).rstrip(b"=") + b".c2ln"


ALICE = token({"sub": "alice", "iss": "key", "video": {"room": "Board", "roomJoin": True}})


@pytest.mark.parametrize(
    ("method", "path"),
    [
        (b"GET", b"/rtc"),
        (b"GET", b"//rtc"),
        (b"GET", b"/rtc/"),
        (b"GET", b"/%72tc"),
        (b"GET", b"/rtc/v1"),
        (b"GET", b"/rtc/validate"),
        (b"GET", b"/rtc/v1/validate"),
        (b"POST", b"/whip/v1"),
    ],
)
def test_every_way_in_is_a_join(method: bytes, path: bytes) -> None:
    join = Join("Board", "alice")
    assert MATCHER.match(method, path + b"?access_token=" + ALICE, []) == join
    assert MATCHER.match(method, path, [(b"Authorization", b"Bearer " + ALICE)]) == join


@pytest.mark.parametrize("query", [b"&reconnect=1&sid=PA_1", b"&publish=screen", b"&join_request=CgA"])
def test_a_reconnect_and_a_second_connection_are_joins(query: bytes) -> None:
    assert MATCHER.match(b"GET", b"/rtc?access_token=" + ALICE + query, []) == Join("Board", "alice")


@pytest.mark.parametrize("path", [b"/", b"/rtc/v2", b"/whip/v1/PA_1", b"/twirp/livekit.RoomService/ListRooms"])
def test_what_is_no_join(path: bytes) -> None:
    assert MATCHER.match(b"POST", path, [(b"Authorization", b"Bearer " + ALICE)]) is None


@pytest.mark.parametrize("claims", [{}, {"video": {}}, {"sub": "alice", "video": {"room": ""}}])
def test_a_token_without_a_room_is_refused(claims: object) -> None:
    with pytest.raises(AmbiguousRequestError):
        MATCHER.match(b"GET", b"/rtc?access_token=" + token(claims), [])


def test_rooms_are_told_apart_by_case() -> None:
    assert DIALECT.fold("Board") != DIALECT.fold("board")


def test_nothing_else_is_read() -> None:
    answer = ResponseHead(101, b"Switching Protocols", [], 0)
    assert DIALECT.conversation(b"/rtc?access_token=" + ALICE, []) is None
    assert not DIALECT.reads_body(HEAD)
    assert DIALECT.polled(HEAD, b"{}") == Polled("", None)
    assert DIALECT.poll_refusal(HEAD, b"{}", Refusal(451, "legal order o")) is None
    assert DIALECT.left_by(Join("Board", "alice"), answer) is None


def test_leaving_is_up_to_the_media() -> None:
    assert DIALECT.name == "livekit"
    assert DIALECT.keeps_after_close is None
