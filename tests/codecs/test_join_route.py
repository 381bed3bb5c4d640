import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joingate.codecs.join_route import (
    Source,
    meeting_source,
    parse_host_mark,
    parse_source,
    parse_template,
    participant_source,
)


def refusal_of(function: Callable[..., object], *arguments: object) -> str:
    with pytest.raises(ValueError) as refusal:  # noqa: PT011 - the whole text is compared
        function(*arguments)
    return str(refusal.value)


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("query:room", Source("query", "room")),
        ("query:a:b[]", Source("query", "a:b[]")),
        ("header:X-Room", Source("header", "x-room")),
        ("cookie:Session", Source("cookie", "Session")),
        ("jwt:sub", Source("jwt", "sub")),
        ("jwt:video.room", Source("jwt", "video.room")),
    ],
)
def test_a_source_is_read(text: str, source: Source) -> None:
    assert parse_source(text) == source


NO_SOURCE = 'is not query:NAME, header:NAME, cookie:NAME or jwt:CLAIM; write e.g. "query:room"'


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        *((text, NO_SOURCE) for text in ("", "room", "query", "Query:room", "body:room", ":room", "path")),
        *((f"query:{name}", 'names no query parameter; write e.g. "query:room"') for name in ("", "a b", "a=b", "a&b")),
        *((f"header:{name}", 'names no header; write e.g. "header:x-room"') for name in ("", "a b", "a:b", "é")),
        *((f"cookie:{name}", 'names no cookie; write e.g. "cookie:room"') for name in ("", "a=b", "a;b")),
        *((f"jwt:{name}", 'names no claim; write e.g. "jwt:video.room"') for name in ("", ".", "a.", "a..b", "a b")),
        ("path:meeting", "is not written here; put {meeting} or {participant} into path instead"),
    ],
)
def test_what_is_no_source_is_refused_with_what_to_write(text: str, problem: str) -> None:
    assert refusal_of(parse_source, text) == f'"{text}" {problem}'


def test_the_mark_of_a_host_is_a_source_and_its_value() -> None:
    assert parse_host_mark("query:role=moderator") == (Source("query", "role"), "moderator")
    assert parse_host_mark("jwt:video.role=a=b") == (Source("jwt", "video.role"), "a=b")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("query:role", '"query:role" is not SOURCE=VALUE; write e.g. "query:role=moderator"'),
        ("query:role=", '"query:role=" is not SOURCE=VALUE; write e.g. "query:role=moderator"'),
        ("role=moderator", f'"role" {NO_SOURCE}'),
    ],
)
def test_what_is_no_mark_of_a_host_is_refused(text: str, problem: str) -> None:
    assert refusal_of(parse_host_mark, text) == problem


@pytest.mark.parametrize(
    "text",
    ["/", "/meetings/{meeting}/join", "/{*}/{meeting}/{participant}/{*}", "/réunion/a b", "/a.b/..c/@:!$&'()*+,="],
)
def test_a_template_is_kept_as_written(text: str) -> None:
    assert parse_template(text) == text


WHOLE = "a placeholder is a whole segment, {meeting}, {participant} or {*}"
DECODED = "write it percent-decoded, without % ; \\ or control characters"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", 'does not start with "/"; write "/"'),
        ("a/{meeting}", 'does not start with "/"; write "/a/{meeting}"'),
        ("/a?room={meeting}", 'has more than a path; write "/a", and name query parameters as meeting = "query:NAME"'),
        ("/a#b", 'has more than a path; write "/a", and name query parameters as meeting = "query:NAME"'),
        ("//a", 'has an empty segment; write "/a"'),
        ("/a//b/", 'has an empty segment; write "/a/b"'),
        ("/a/{meeting}/", 'has an empty segment; write "/a/{meeting}"'),
        ("/a/./b", 'has the segment ".", which is resolved away; write the path without it'),
        ("/a/../b", 'has the segment "..", which is resolved away; write the path without it'),
        ("/{room}", f'has the segment "{{room}}"; {WHOLE}'),
        ("/room-{meeting}", f'has the segment "room-{{meeting}}"; {WHOLE}'),
        ("/a}", f'has the segment "a}}"; {WHOLE}'),
        ("/a%20b", f'has the segment "a%20b"; {DECODED}'),
        ("/a;b", f'has the segment "a;b"; {DECODED}'),
        ("/{meeting}/a/{meeting}", "has {meeting} twice; write {*} for a segment whose value does not matter"),
        (
            "/{participant}/{participant}",
            "has {participant} twice; write {*} for a segment whose value does not matter",
        ),
    ],
)
def test_what_is_no_template_is_refused_with_what_to_write(text: str, problem: str) -> None:
    assert refusal_of(parse_template, text) == f'"{text}" {problem}'


@pytest.mark.parametrize(("char", "escaped"), [("\\", "\\\\"), ("\n", "\\n"), ("\x7f", "\\u007f")])
def test_characters_that_no_path_has_are_refused_on_one_line(char: str, escaped: str) -> None:
    assert refusal_of(parse_template, f"/a{char}") == f'"/a{escaped}" has the segment "a{escaped}"; {DECODED}'


@given(st.text("/{}*.%;?ameting", max_size=20))
def test_a_template_that_is_accepted_has_each_id_once_and_no_second_spelling(text: str) -> None:
    try:
        template = parse_template(text)
    except ValueError:
        return
    segments = template[1:].split("/")
    assert template == "/" or all(segments)
    assert segments.count("{meeting}") <= 1
    assert re.search(r"[%;?]|(^|/)\.\.?(/|$)", template) is None


QUERY = Source("query", "room")


def test_an_id_stands_in_the_path_or_where_it_is_said_to() -> None:
    assert meeting_source("/{meeting}", None) == Source("path", "meeting")
    assert meeting_source("/join", QUERY) == QUERY
    assert participant_source("/{participant}", None) == Source("path", "participant")
    assert participant_source("/join", QUERY) == QUERY
    assert participant_source("/join", None) is None


def test_an_id_never_stands_in_two_places_and_a_meeting_always_in_one() -> None:
    twice = "stands in path as {meeting} already; remove one of the two"
    assert refusal_of(meeting_source, "/{meeting}", QUERY) == twice
    assert refusal_of(participant_source, "/{participant}", QUERY) == twice.replace("meeting", "participant")
    nowhere = 'is neither in path nor named; write {meeting} into path, or e.g. meeting = "query:room"'
    assert refusal_of(meeting_source, "/join", None) == nowhere
