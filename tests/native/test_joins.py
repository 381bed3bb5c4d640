"""A join that the engine finds in a target is the one that codecs/join_request finds there."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from joingate.codecs.ambiguity import AmbiguousRequestError
from joingate.codecs.join_request import JoinMatcher
from joingate.codecs.join_route import JoinRoute, parse_source
from joingate.core.model import Join

engine = pytest.importorskip("joingate.gate._engine", reason="the engine is not compiled: make native")

from joingate.codecs.join_route import Source  # noqa: E402
from joingate.gate.fast_path import names_of, routes_for_engine  # noqa: E402 - only with the engine


def route(path: str, meeting: str, participant: str | None = None) -> JoinRoute:
    found = [None if text is None else source(text) for text in (meeting, participant)]
    assert found[0] is not None
    return JoinRoute(path, found[0], found[1], None)


def source(text: str) -> Source:
    return Source("path", text.removeprefix("path:")) if text.startswith("path:") else parse_source(text)


ROUTES = [
    route("/meetings/{meeting}/join", "path:meeting", "query:user"),
    route("/{meeting}", "path:meeting"),
    route("/Rooms/{meeting}/{participant}", "path:meeting", "path:participant"),
    route("/bbb/api/join", "query:meetingID", "query:userID"),
    route("/x/{*}/in", "query:a.b"),
    route("/z/{*}/{meeting}/{*}", "path:meeting"),
]


def both(routes: list[JoinRoute], target: bytes) -> tuple[Join | None, Join | str | None]:
    """Return what the engine finds, and what the matcher does: a join, None or "ambiguous"."""
    matcher = JoinMatcher(routes, fold=str.lower)
    found = engine.FastPath(*names_of(), routes_for_engine(routes), 16_384).find_join(target)
    try:
        read: Join | str | None = matcher.match(b"GET", target, [])
    except AmbiguousRequestError:
        read = "ambiguous"
    return (None if found is None else matcher.join_of(*found)), read


@pytest.mark.parametrize(
    ("target", "join"),
    [
        (b"/meetings/M-1/join?user=u", Join("m-1", "u")),
        (b"/meetings/m/join", Join("m", None)),
        (b"/MEETINGS/m/Join/?user=", Join("m", None)),
        (b"/m?user=u", Join("m", None)),
        (b"/rooms/m/U", Join("m", "U")),
        (b"/bbb/api/join?a=b&meetingID=M&userID=u&&=x", Join("m", "u")),
        (b"/x/y/in?a.b=M", Join("m", None)),
    ],
)
def test_a_plain_join_is_found(target: bytes, join: Join) -> None:
    assert both(ROUTES, target) == (join, join)


@pytest.mark.parametrize(
    "target",
    [
        *(b"/", b"/a/b/c/d", b"/meetings/m/leave", b"/meetings//join", b"/meetings/./join", b"/meetings/m/join/.."),
        *(b"/meetings/m%31/join", b"/meetings/m;x/join", b"/meetings/m+1/join", b"/meetings/\xc3\xa4/join"),
        *(b"/meetings/m/join?user=a&user=b", b"/meetings/m/join?User=a", b"/meetings/m/join?user=%41"),
        *(b"/meetings/m/join?user=a+b", b"/meetings/m/join?user=a;b", b"/meetings/m/join?user[]=a"),
        *(b"/bbb/api/join", b"/bbb/api/join?meetingID=", b"/x/y/in?a_b=m", b"/x/join/in?a.b=m&a_b=m"),
        *(b"/meetings/" + b"m" * 513 + b"/join", b"/meetings/m/join?user=" + b"u" * 513),
        b"/meetings/in/join" + b"/x" * 20,
    ],
)
def test_what_is_not_plain_is_left_to_the_matcher(target: bytes) -> None:
    assert both(ROUTES, target)[0] is None


def test_two_routes_are_left_to_the_matcher() -> None:
    routes = [route("/a/{meeting}", "path:meeting"), route("/{meeting}/b", "path:meeting")]
    assert both(routes, b"/a/b") == (None, "ambiguous")
    assert both(routes, b"/a/c") == (Join("c", None), Join("c", None))


PIECES = st.sampled_from(
    b"""
    / / / meetings join rooms bbb api in x z m M . .. // ? ? & = user user= User= u meetingID= meetingID=m a.b=m a_b=
    % + ; # %2f \xff
    """.split()
)


@given(st.lists(PIECES, max_size=12).map(b"".join), st.lists(st.sampled_from(ROUTES), min_size=1, max_size=6))
@settings(max_examples=1500)
def test_whatever_is_found_the_matcher_finds_too(rest: bytes, routes: list[JoinRoute]) -> None:
    found, read = both(routes, b"/" + rest)
    assert found is None or found == read


SEGMENTS = st.sampled_from(
    [b"meetings", b"Meetings", b"join", b"rooms", b"bbb", b"api", b"x", b"in", b"m", b"", b".", b"a%62"]
)
PARAMETERS = st.sampled_from(
    [
        b"user=u",
        b"user=",
        b"user",
        b"USER=u",
        b"meetingID=m",
        b"meetingid=m",
        b"userID=u",
        b"a.b=c",
        b"a_b=c",
        b"",
        b"x=%41",
        b"=y",
    ]
)


@given(
    st.lists(SEGMENTS, max_size=4).map(b"/".join),
    st.lists(PARAMETERS, max_size=3).map(b"&".join),
    st.lists(st.sampled_from(ROUTES), min_size=1, max_size=6, unique=True),
)
@settings(max_examples=1500)
def test_joins_that_are_nearly_plain_are_found_alike(path: bytes, query: bytes, routes: list[JoinRoute]) -> None:
    found, read = both(routes, b"/%b?%b" % (path, query))
    assert found is None or found == read


@pytest.mark.parametrize(
    "odd",
    [
        JoinRoute("/m/{meeting}", Source("path", "meeting"), None, (parse_source("query:role"), "host")),
        route("/ä/{meeting}", "path:meeting"),
        route("/m", "query:room[id]"),
        route("/" + "a" * 65 + "/{meeting}", "path:meeting"),
        route("/a" * 13 + "/{meeting}", "path:meeting"),
    ],
)
def test_what_the_engine_cannot_know_takes_all_routes_from_it(odd: JoinRoute) -> None:
    assert routes_for_engine([*ROUTES, odd]) == []
    assert routes_for_engine(ROUTES * 3) == []


@pytest.mark.parametrize(
    "routes",
    [
        [([b"a"], 1, b"")],
        [([b"a" * 65], 0, b"")],
        [([b"a"] * 13, 0, b"")],
        [([b"a"], 0, b"")] * 17,
        [([b"a"], 0, "b")],
    ],
)
def test_more_than_there_is_room_for_is_refused(routes: list[tuple[list[bytes], int, bytes]]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - which, no configuration can bring about
        engine.FastPath(*names_of(), routes, 16_384)
