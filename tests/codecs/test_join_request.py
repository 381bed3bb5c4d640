from base64 import urlsafe_b64encode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from joingate.codecs.join_request import AmbiguousRequestError, JoinMatcher
from joingate.codecs.join_route import JoinRoute, Source
from joingate.core.model import Join

MEETING, PARTICIPANT = Source("path", "meeting"), Source("path", "participant")
USER, ROOM = Source("query", "user"), Source("query", "room")

JOIN = JoinRoute("/meetings/{meeting}/join", MEETING, USER, None)
HOSTED = JoinRoute("/hosted/{meeting}", MEETING, None, (Source("query", "role"), "host"))
TENANT = JoinRoute("/{*}/rooms/{meeting}/as/{participant}", MEETING, PARTICIPANT, None)
QUERY = JoinRoute("/join", ROOM, USER, None)
RTC = JoinRoute("/rtc", Source("jwt", "video.room"), Source("jwt", "sub"), (Source("jwt", "video.roomAdmin"), "true"))
HEADER = JoinRoute("/ws", Source("header", "x-room"), Source("cookie", "user"), None)

ALL = JoinMatcher([JOIN, HOSTED, TENANT, QUERY, RTC, HEADER], fold=str.lower)

DIFFERENT = "The path can be read as different joins."
STRAY = 'The path has a stray "%" or a character that has to be percent-encoded.'
MARK = 'A join\'s path has no encoded "?" or "#".'
NO_MEETING = "The request names no meeting."
TOO_MANY = "The path can be read in too many ways; write it without needless encoding."


def token(payload: bytes) -> bytes:
    return b"aGVhZGVy." + urlsafe_b64encode(payload).rstrip(b"=") + b".c2ln"


@pytest.mark.parametrize(
    ("target", "join"),
    [
        (b"/meetings/M1/join?user=Al", Join("m1", "Al")),
        (b"/meetings/m1/join", Join("m1")),
        (b"/meetings/m1/join?user=", Join("m1")),
        (b"/meetings/m1/join/", Join("m1")),
        (b"/Meetings/m1/JOIN", Join("m1")),
        (b"//meetings/m1/join", Join("m1")),
        (b"/meetings//m1/join", Join("m1")),
        (b"/meetings/m1/./join", Join("m1")),
        (b"/meetings/x/../m1/join", Join("m1")),
        (b"/meetings/m0/../m1/join/../join", Join("m1")),
        (b"/meetings/m0/x/..%2f../m1/join", Join("m1")),
        (b"/x/../meetings/m1/join", Join("m1")),
        (b"/x/..;/meetings/m1/join", Join("m1")),
        (b"/meetings/m1/%6Aoin", Join("m1")),
        (b"/meetings/m1/%256Aoin", Join("m1")),
        (b"/meetings%2Fm1%2fjoin", Join("m1")),
        (b"/meetings\\m1%5Cjoin", Join("m1")),
        (b"/meetings/m1/join;jsessionid=1", Join("m1")),
        (b"/meetings/m1/join%00", Join("m1")),
        (b"/meetings/m1/join%20/", Join("m1")),
        (b"/meetings/m1/%EF%BD%8A%EF%BD%8F%EF%BD%89%EF%BD%8E", Join("m1")),  # fullwidth
        (b"/meetings/m1/%C1%AAoin", Join("m1")),  # overlong
        (b"/meetings/m1/jo%C5%BFin/../join", Join("m1")),
        (b"/meetings/m1/%ffjoin", Join("m1")),  # decoded by something that passes over what is no UTF-8
        (b"/meetings/my%20room/join", Join("my room")),
        (b"/meetings/100%25/join", Join("100%")),
        (b"/meetings/a%E2%80%8Bb/join", Join("a\u200bb")),  # not printable, but no control character
        (b"/meetings/a%2Fb/join", Join("a/b")),
        (b"/meetings/a%2Bb/join", Join("a+b")),
        (b"/meetings/C%23/join", Join("c#")),
        (b"/meetings/%E4%BC%9A%E8%AE%AE%EF%BC%88%E4%B8%80%EF%BC%89/join", Join("会议（一）")),  # noqa: RUF001 - an id
        (b"/meetings/a.b:c@d,e=f/join", Join("a.b:c@d,e=f")),
        (b"/hosted/m1", Join("m1")),
        (b"/hosted/m1?role=host", Join("m1", host=True)),
        (b"/hosted/m1?role=Host", Join("m1")),
        (b"/acme/rooms/m1/as/Al", Join("m1", "Al")),
        (b"/acme/rooms/m1/as/J%C3%BCrgen", Join("m1", "Jürgen")),
        (b"/a;b/rooms/m1/as/Al", Join("m1", "Al")),
        (b"/join?room=M1&user=Al", Join("m1", "Al")),
        (b"/join?room=my+room", Join("my room")),
        (b"/join/?room=m1", Join("m1")),
        (b"/j%6Fin?room=m1&user=J%C3%BCrgen", Join("m1", "Jürgen")),
        (b"/rtc?access_token=" + token(b'{"video":{"room":"R"},"sub":"s"}'), Join("r", "s")),
        (b"//rtc?access_token=" + token(b'{"video":{"room":"R","roomAdmin":true}}'), Join("r", host=True)),
        (b"/rtc?token=" + token(b'{"video":{"room":7}}'), Join("7")),
    ],
)
def test_is_a_join(target: bytes, join: Join) -> None:
    assert ALL.match(b"GET", target, []) == join


@pytest.mark.parametrize(
    "target",
    [
        b"/",
        b"*",
        b"",
        b"/static/app.js?room=m1",
        b"/meetings",
        b"/meetings/m1",
        b"/meetings/m1/leave",
        b"/meetings/m1/join/x",
        b"/meetings/m1/join.json",
        b"/meeting/m1/join",
        b"/.well-known/acme-challenge/x",
        b"/files/a%2Fb%2Fc",
        b"/files//a;v=1/..%2Fb\\c%00?x=%zz",
        b"/files/%E4%BC%9A%2F%E8%AE%AE",
        b"/files/100%",
        b"/proxy/https%3A%2F%2Fexample.org%2F%3Fa%3Db",
        b"/joinery%20",
        b"/rtcx%2F",
        b"/x#/join",
        b"/files/a+b",
        b"/meetings/m1/join%2Fx",
    ],
)
def test_is_no_join(target: bytes) -> None:
    assert ALL.match(b"GET", target, []) is None


@pytest.mark.parametrize(
    ("target", "detail"),
    [
        (b"/meetings/a%252Fb/join", DIFFERENT),
        (b"/meetings/%2561/join", DIFFERENT),
        (b"/meetings/a;b/join", DIFFERENT),
        (b"/meetings/a%20/join", DIFFERENT),
        (b"/meetings/a+b/join", DIFFERENT),
        (b"/hosted/x%2F..%2Fm1", DIFFERENT),
        (b"/hosted/x\\..\\m1", DIFFERENT),
        (b"/meetings/%/join", STRAY),
        (b"/meetings/a%zz/join", STRAY),
        (b"/meetings/%u0061/join", STRAY),
        (b"/meetings/\xc3\xbc/join", STRAY),
        (b"/meetings/m1/jo\tin", STRAY),
        (b"/meetings/%ff/join", "An id in the path is not UTF-8."),
        (b"/acme/rooms/m1/as/%C0", "An id in the path is not UTF-8."),
        (b"/meetings/a%0Ab/join", "An id has control characters."),
        (b"/meetings/a%C2%85b/join", "An id has control characters."),
        (b"/meetings/m1/join?user=a%00", "An id has control characters."),
        (b"/meetings/" + b"a" * 513 + b"/join", "An id is longer than 512 characters."),
        (b"/meetings/m1/join?user=" + b"a" * 513, "An id is longer than 512 characters."),
        (b"/meetings//join", NO_MEETING),
        (b"/meetings/%20/join", None),
        (b"/meetings/m1/join%3Fuser=x", MARK),
        (b"/meetings/m1/join%2523", MARK),
        (b"/hosted/C%23", MARK),
        (b"/meetings/m1/join#x", MARK),
        (b"/meetings/m1/join?user=a#b", "A join's target has no fragment."),
        (b"/meetings/m1/%2525252525256Aoin", "The path is percent-encoded more than 4 times over."),
        (b"/meetings/m1/join" + b"/%252e%2e;x\\%00//..%c0%af" * 9, TOO_MANY),
        (b"/meetings/m1/join?user=a&user=b", '"user" is given more than once.'),
        (b"/hosted/m1?role=host&role=guest", '"role" is given more than once.'),
        (b"/join", NO_MEETING),
        (b"/join?room=", NO_MEETING),
        (b"/join?user=Al", NO_MEETING),
        (b"/rtc", NO_MEETING),
        (b"/rtc?access_token=" + token(b'{"sub":"s"}'), NO_MEETING),
        (b"/rtc?access_token=x", "The token is not a signed JSON Web Token."),
        (b"/ws", NO_MEETING),
    ],
)
def test_is_refused(target: bytes, detail: str | None) -> None:
    """Where `detail` is None, more than one is right."""
    with pytest.raises(AmbiguousRequestError) as caught:
        ALL.match(b"GET", target, [])
    assert detail in {None, caught.value.detail}


def test_ids_of_the_greatest_length() -> None:
    target = b"/meetings/" + b"%C3%BC" * 512 + b"/join?user=" + b"a" * 512
    assert ALL.match(b"GET", target, []) == Join("ü" * 512, "a" * 512)


@pytest.mark.parametrize("target", [b"/meetings/m1/join", b"/meetings/m1/%6Aoin", b"/join"])
def test_only_options_is_never_a_join(target: bytes) -> None:
    assert ALL.match(b"OPTIONS", target, []) is None
    for method in (b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"PATCH", b"options", b"QUERY"):
        assert ALL.match(method, b"/meetings/m1/join", []) == Join("m1")


def test_header_and_cookie() -> None:
    headers = [(b"Host", b"h"), (b"X-Room", b"M1"), (b"Cookie", b"a=b; user=Al")]
    assert ALL.match(b"GET", b"/ws", headers) == Join("m1", "Al")


def test_the_header_token_stands_with_the_same_in_the_query() -> None:
    text = token(b'{"video":{"room":"r"}}')
    assert ALL.match(b"GET", b"/rtc?access_token=" + text, [(b"Authorization", b"Bearer " + text)]) == Join("r")
    with pytest.raises(AmbiguousRequestError, match=r"^The request carries different tokens.$"):
        ALL.match(b"GET", b"/rtc?access_token=x", [(b"Authorization", b"Bearer " + text)])


FORM = "A form in the body may name another meeting than the query does."


@pytest.mark.parametrize(
    "headers",
    [
        [(b"Content-Type", b"application/x-www-form-urlencoded"), (b"Content-Length", b"6")],
        [(b"content-type", b"Multipart/Form-Data; boundary=x"), (b"transfer-encoding", b"chunked")],
        [(b"Content-Length", b"6")],
    ],
)
def test_a_form_may_name_another_meeting(headers: list[tuple[bytes, bytes]]) -> None:
    with pytest.raises(AmbiguousRequestError) as caught:
        ALL.match(b"POST", b"/join?room=m1", headers)
    assert caught.value.detail == FORM
    assert ALL.match(b"POST", b"/meetings/m1/join", headers) == Join("m1")


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [(b"Content-Length", b"0")],
        [(b"content-length", b"6"), (b"Content-Type", b"application/sdp")],
        [
            (b"content-type", b"application/x-www-form-urlencoded"),
            (b"X-ContentType", b""),
            (b"x-transfer-codings", b""),
        ],
        [(b"x-content-sized", b""), (b"x-typed-conts", b""), (b"content-typed", b""), (b"x-transferenced", b"")],
    ],
)
def test_no_form(headers: list[tuple[bytes, bytes]]) -> None:
    assert ALL.match(b"POST", b"/join?room=m1", headers) == Join("m1")


def test_the_root_as_a_join() -> None:
    matcher = JoinMatcher([JoinRoute("/", ROOM, None, None)], fold=str)
    assert matcher.match(b"GET", b"/?room=m1", []) == Join("m1")
    assert matcher.match(b"GET", b"//?room=m1", []) == Join("m1")
    assert matcher.match(b"GET", b"?room=m1", []) == Join("m1")
    assert matcher.match(b"GET", b"/x?room=m1", []) is None
    assert matcher.match(b"GET", b"/x%2Fy?room=m1", []) is None


def test_several_routes_on_one_path_have_to_agree() -> None:
    """A literal first segment does not hide the routes that start with a placeholder."""
    routes = [
        JoinRoute("/{*}/{meeting}", MEETING, None, None),
        JoinRoute("/rooms/{*}", Source("header", "x-room"), None, None),
    ]
    matcher = JoinMatcher(routes, fold=str)
    assert matcher.match(b"GET", b"/halls/m1", []) == Join("m1")
    assert matcher.match(b"GET", b"/rooms/m1", [(b"x-room", b"m1")]) == Join("m1")
    with pytest.raises(AmbiguousRequestError, match=f"^{DIFFERENT}$"):
        matcher.match(b"GET", b"/rooms/m1", [(b"x-room", b"m2")])


def test_a_literal_beyond_ascii() -> None:
    matcher = JoinMatcher([JoinRoute("/Räume/{meeting}", MEETING, None, None)], fold=str)
    for spelling in (b"/R%C3%A4ume/m1", b"/r%c3%84UME/m1", b"/Ra%CC%88ume/m1"):
        assert matcher.match(b"GET", spelling, []) == Join("m1")


def test_without_routes_nothing_is_a_join() -> None:
    matcher = JoinMatcher([], fold=str)
    assert matcher.match(b"GET", b"/meetings/m1/join", []) is None
    assert matcher.match(b"GET", b"/meetings%2Fm1", []) is None


WORDS = [b"/", b"meetings", b"rooms", b"hosted", b"join", b"rtc", b"ws", b"m1", b"%2F", b"%", b"?", b"#", b"&", b"="]
WORDS += [b"room", b"user", b"token", b"role", b";", b"..", b"\\", b"%C0", b"\xff", b"\x00", b".a.b.c"]
TARGETS = st.binary(max_size=60) | st.lists(st.sampled_from(WORDS) | st.binary(max_size=3), max_size=14).map(b"".join)
NAMES = st.sampled_from([b"Cookie", b"X-Room", b"x_room", b"Authorization", b"Content-Type", b"Content-Length"])
VALUES = st.sampled_from([b"user=a", b'user="', b"Bearer a.b.c", b"Bearer", b"6"]) | st.binary(max_size=20)


@settings(deadline=None, max_examples=400)
@given(
    method=st.binary(max_size=8), target=TARGETS, headers=st.lists(st.tuples(NAMES | st.binary(max_size=17), VALUES))
)
def test_whatever_is_sent_is_a_join_or_none_or_refused(
    method: bytes, target: bytes, headers: list[tuple[bytes, bytes]]
) -> None:
    try:
        join = ALL.match(method, target, headers)
    except AmbiguousRequestError:
        pass
    else:
        assert join is None or 0 < len(join.meeting) <= 512


def test_a_join_of_ids_that_were_read_elsewhere_is_folded_as_any_other() -> None:
    matcher = JoinMatcher([JOIN], fold=str.lower)
    assert matcher.join_of("M", "U") == matcher.match(b"GET", b"/meetings/M/join?user=U", [])
    assert matcher.join_of("M", None) == matcher.match(b"GET", b"/meetings/M/join", [])


def test_whether_headers_are_read_is_known_beforehand() -> None:
    assert not JoinMatcher([JOIN, HOSTED, QUERY], fold=str).reads_headers
    assert JoinMatcher([JOIN, HEADER], fold=str).reads_headers
    assert JoinMatcher([RTC], fold=str).reads_headers
