"""No spelling of a join is unjudged: generated spellings, and other software's readings beside the matcher's."""

import posixpath
import re
from collections.abc import Callable
from urllib.parse import quote, unquote, urlsplit

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from yarl import URL

from joingate.codecs.join_request import AmbiguousRequestError, JoinMatcher
from joingate.codecs.join_route import JoinRoute, Source
from joingate.core.model import Join

MATCHER = JoinMatcher(
    [JoinRoute("/meetings/{meeting}/join", Source("path", "meeting"), Source("query", "user"), None)], fold=str.lower
)

IDS = st.text(st.characters(codec="utf-8", categories=["L", "N"]) | st.sampled_from("-_.~ @,"), min_size=1).filter(
    lambda text: text.strip(" .") == text and len(text) < 20
)
GAPS = st.sampled_from(
    ["/"] * 6
    + ["//", "/./", "/x/../", "/%2e/", "/x/%2E%2e/", "/x/..;p/", ";p/", ";p=1/./", "\\", "%2F", "%5c", "%252f", "/.%2f"]
)
ENDS = st.sampled_from([""] * 4 + ["/", "//", "/.", "/x/..", ";p", "%00", "%20", "/%2e/", "\\", "%2f"])


@st.composite
def spelled(draw: st.DrawFn, text: str, *, literal: bool) -> str:
    """Write a segment with any of its characters percent-encoded, once or twice."""
    parts = []
    for char in "".join(draw(st.sampled_from([c, c.swapcase()])) for c in text) if literal else text:
        written = quote(char, safe="~@,")
        kind = draw(st.sampled_from(["as is", "as is", "encoded", "doubled"]))
        if kind != "as is" and "%" not in written:
            written = f"%{ord(char):02x}"
        parts.append(quote(written, safe="") if kind == "doubled" else written)
    return "".join(parts)


@st.composite
def spellings(draw: st.DrawFn) -> tuple[str, bytes]:
    meeting = draw(IDS)
    path = "".join(
        [
            draw(GAPS),
            draw(spelled("meetings", literal=True)),
            draw(GAPS),
            draw(spelled(meeting, literal=False)),
            draw(GAPS),
            draw(spelled("join", literal=True)),
            draw(ENDS),
        ]
    )
    return meeting, (path if path.startswith("/") else "/" + path).encode()


@settings(deadline=None, max_examples=300)
@given(spelling=spellings())
@example(spelling=("m", b"/x/..//%6deetings;p/./m/%256aoin%00"))
def test_no_spelling_of_a_join_is_unjudged(spelling: tuple[str, bytes]) -> None:
    meeting, path = spelling
    try:
        join = MATCHER.match(b"GET", path, [])
    except AmbiguousRequestError:
        return
    assert join == Join(meeting.lower())


def segments(path: str) -> list[str]:
    return path.split("/")[1:]


def as_express(path: str) -> list[str]:
    return [unquote(segment) for segment in segments(path)]


def as_twice(path: str) -> list[str]:
    return segments(unquote(unquote(path)))


def as_yarl(path: str) -> list[str]:
    return [unquote(segment) for segment in segments(URL("http://h" + path).raw_path)]


def as_yarl_decoded(path: str) -> list[str]:
    return segments(URL.build(path=path, encoded=True).path)


def as_urllib(path: str) -> list[str]:
    return segments(unquote(urlsplit(path).path))


def as_nginx(path: str) -> list[str]:
    return segments(posixpath.normpath(re.sub("/+", "/", unquote(path.partition("#")[0]))))


def as_nginx_in_front(path: str) -> list[str]:
    """As Express, behind a proxy that forwards the path it has decoded and merged."""
    return as_express("/" + "/".join(as_nginx(path)).partition("?")[0])


def as_tomcat(path: str) -> list[str]:
    return segments(posixpath.normpath(unquote(re.sub(";[^/]*", "", path)).replace("\\", "/").replace("//", "/")))


def as_shiro(path: str) -> list[str]:
    return segments(posixpath.normpath(unquote(path).partition(";")[0]))


def as_whatwg(path: str) -> list[str]:
    kept: list[str] = []
    path = re.sub(r"[\t\r\n]", "", path).replace("\\", "/").partition("#")[0]
    if path.startswith("//"):
        path = "/" + path.lstrip("/").partition("/")[2]
    for segment in segments(path):
        dots = segment.lower().replace("%2e", ".")
        if dots == "..":
            del kept[-1:]
        elif dots != ".":
            kept.append(unquote(segment))
    return kept


def as_c_string(path: str) -> list[str]:
    return segments(unquote(path).partition("\0")[0])


def as_java_form(path: str) -> list[str]:
    return [unquote(segment.replace("+", " ")) for segment in segments(path)]


def as_trimming(path: str) -> list[str]:
    return [segment.strip() for segment in as_express(path)]


READERS: list[Callable[[str], list[str]]] = [
    as_express, as_twice, as_yarl, as_yarl_decoded, as_urllib, as_nginx, as_nginx_in_front, as_tomcat, as_shiro,
    as_whatwg, as_c_string, as_java_form, as_trimming,
]  # fmt: skip


def routed(found: list[str]) -> str | None:
    """The meeting, when a router that ignores case and a trailing slash would see a join."""
    if found and not found[-1]:
        found = found[:-1]
    if len(found) == 3 and (found[0].lower(), found[2].lower()) == ("meetings", "join") and found[1]:
        return found[1]
    return None


NOISE = st.sampled_from(
    [
        *("/", "//", ".", "..", ";x", ";x/y", "..;", "\\", "x", "M", "+", "#", "\t", " ", "é", "%"),
        *("%2F", "%5C", "%2e", "%2e%2e", "%252F", "%252e", "%25", "%00", "%20", "%3B", "%3F", "%23", "%2B", "m%32"),
        *("%EF", "%6A", "%C3%A9"),
    ]
)
BASE = ["/", "meetings", "/", "M1", "/", "join"]


@st.composite
def disturbed(draw: st.DrawFn) -> str:
    tokens = list(BASE)
    for noise in draw(st.lists(NOISE, max_size=5)):
        at = draw(st.integers(0, len(tokens)))
        tokens[at : at + draw(st.integers(0, 1))] = [noise]
    path = "".join(tokens)
    return path if path.startswith("/") else "/" + path


@pytest.mark.parametrize("reader", READERS)
def test_each_reader_sees_a_plain_join(reader: Callable[[str], list[str]]) -> None:
    assert routed(reader("/meetings/M1/join")) == "M1"


def meetings_read(path: str) -> set[str]:
    found = set()
    for reader in READERS:
        try:
            meeting = routed(reader(path))
        except ValueError:  # yarl and urllib take some for no URL at all
            continue
        if meeting is not None:
            found.add(meeting)
    return found


@settings(deadline=None, max_examples=600)
@given(path=disturbed())
@example(path="/x/..;/meetings/M1/join")
@example(path="//x/meetings/M1/join")
@example(path="/meetings/M1/join%3Fq")
@example(path="/meetings/M1/join;x/y")
@example(path="/meetings/M+1/join")
@example(path="/%20meetings/%00M1/join")
def test_whoever_would_route_it_to_a_join_finds_it_judged(path: str) -> None:
    meetings = meetings_read(path)
    try:
        join = MATCHER.match(b"GET", path.encode(), [])
    except AmbiguousRequestError:
        return
    for meeting in meetings:
        assert join == Join(meeting.lower())


ORDINARY = st.lists(
    st.sampled_from(["files", "join", "a%2Fb", "b;v=1", "..", "//", "%E4%BC%9A", "%20", "x+y"]), max_size=8
)


@settings(deadline=None)
@given(parts=ORDINARY)
def test_ordinary_paths_pass(parts: list[str]) -> None:
    assert MATCHER.match(b"GET", ("/app/" + "/".join(parts)).encode(), []) is None


@settings(deadline=None, max_examples=150)
@given(path=disturbed())
def test_the_look_ahead_for_literals_changes_nothing(path: str) -> None:
    """What is dismissed without a closer look would have been dismissed after one."""
    thorough = JoinMatcher(
        [JoinRoute("/meetings/{meeting}/join", Source("path", "meeting"), None, None)], fold=str.lower
    )
    thorough._words = {frozenset()}
    target = path.encode()
    try:
        expected: Join | str | None = thorough.match(b"GET", target, [])
    except AmbiguousRequestError as error:
        expected = error.detail
    try:
        found: Join | str | None = MATCHER.match(b"GET", target, [])
    except AmbiguousRequestError as error:
        found = error.detail
    assert found == expected or (found is None and "too many" in str(expected))
