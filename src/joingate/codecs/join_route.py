"""Which requests are joins, as written in [[join]]: a path template, and where the ids and the host's mark stand.

A segment of a template is literal, `{meeting}`, `{participant}`, or `{*}` for any one segment. A literal is written
as it reads after percent-decoding: requests are compared in that form, so that no spelling of a join slips past.
"""

import re
from dataclasses import dataclass
from typing import Literal, cast

from joingate.codecs.quoted import quoted

SourceKind = Literal["path", "query", "header", "cookie", "jwt"]


@dataclass(frozen=True, slots=True)
class Source:
    """Where in a request a value stands.

    Attributes:
        kind: the part of the request; "path" only where the template has the placeholder called `name`.
        name: the placeholder, the query parameter, the header (lower case), the cookie, or the claim, whose parts
            are joined by dots ("video.room").
    """

    kind: SourceKind
    name: str


@dataclass(frozen=True, slots=True)
class JoinRoute:
    """One [[join]].

    Attributes:
        path: the template, starting with "/".
        meeting: where the meeting's id stands.
        participant: where the participant's id stands; None when the request names none.
        host: where a request says that it comes with host rights, and the value that says so.
    """

    path: str
    meeting: Source
    participant: Source | None
    host: tuple[Source, str] | None


@dataclass(frozen=True, slots=True)
class _Kind:
    called: str
    names: re.Pattern[str]
    example: str


_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")  # RFC 9110 5.6.2, and RFC 6265 4.1.1 for cookies
_KINDS = {
    "query": _Kind("query parameter", re.compile(r"[^\s&=?#]+"), "query:room"),
    "header": _Kind("header", _TOKEN, "header:x-room"),
    "cookie": _Kind("cookie", _TOKEN, "cookie:room"),
    "jwt": _Kind("claim", re.compile(r"[^\s.=]+(?:\.[^\s.=]+)*"), "jwt:video.room"),
}
_PLACEHOLDERS = ("{meeting}", "{participant}", "{*}")
_NEVER_LITERAL = re.compile(r"[%;\\]")


def parse_source(text: str) -> Source:
    """Read `query:NAME`, `header:NAME`, `cookie:NAME` or `jwt:CLAIM.PATH`.

    Raises:
        ValueError: `text` is none of them; the message says what to write.
    """
    kind, colon, name = text.partition(":")
    if kind == "path" and colon:
        raise ValueError(f"{quoted(text)} is not written here; put {{meeting}} or {{participant}} into path instead")
    if kind not in _KINDS or not colon:
        raise ValueError(
            f'{quoted(text)} is not query:NAME, header:NAME, cookie:NAME or jwt:CLAIM; write e.g. "query:room"'
        )
    if _KINDS[kind].names.fullmatch(name) is None:
        raise ValueError(f'{quoted(text)} names no {_KINDS[kind].called}; write e.g. "{_KINDS[kind].example}"')
    return Source(cast("SourceKind", kind), name.lower() if kind == "header" else name)


def parse_host_mark(text: str) -> tuple[Source, str]:
    """Read `SOURCE=VALUE`: a request comes with host rights when SOURCE has exactly VALUE.

    Raises:
        ValueError: there is no VALUE, or SOURCE is none; the message says what to write.
    """
    source, equals, value = text.partition("=")
    if not equals or not value:
        raise ValueError(f'{quoted(text)} is not SOURCE=VALUE; write e.g. "query:role=moderator"')
    return parse_source(source), value


def parse_template(text: str) -> str:
    """Check a path template and return it.

    Raises:
        ValueError: a request could never match it, or could match it in more than one way.
    """
    if not text.startswith("/"):
        raise ValueError(f'{quoted(text)} does not start with "/"; write {quoted(f"/{text}")}')
    if found := re.search(r"[?#]", text):
        raise ValueError(
            f"{quoted(text)} has more than a path; write {quoted(text[: found.start()])}, "
            'and name query parameters as meeting = "query:NAME"'
        )
    segments = text[1:].split("/")
    if text != "/" and "" in segments:
        whole = "/" + "/".join(filter(None, segments))
        raise ValueError(f"{quoted(text)} has an empty segment; write {quoted(whole)}")
    for segment in segments:
        _check_segment(text, segment)
    for name in _PLACEHOLDERS[:2]:
        if segments.count(name) > 1:
            raise ValueError(f"{quoted(text)} has {name} twice; write {{*}} for a segment whose value does not matter")
    return text


def _check_segment(template: str, segment: str) -> None:
    if segment in _PLACEHOLDERS:
        return
    if segment in {".", ".."}:
        raise ValueError(
            f'{quoted(template)} has the segment "{segment}", which is resolved away; write the path without it'
        )
    if "{" in segment or "}" in segment:
        raise ValueError(
            f"{quoted(template)} has the segment {quoted(segment)}; "
            "a placeholder is a whole segment, {meeting}, {participant} or {*}"
        )
    if _NEVER_LITERAL.search(segment) or not segment.isprintable():
        raise ValueError(
            f"{quoted(template)} has the segment {quoted(segment)}; "
            "write it percent-decoded, without % ; \\ or control characters"
        )


def meeting_source(path: str, written: Source | None) -> Source:
    """Say where the meeting's id stands, given the template and the source written beside it.

    Raises:
        ValueError: it stands in both, or in neither.
    """
    source = _one_place(path, "meeting", written)
    if source is None:
        raise ValueError('is neither in path nor named; write {meeting} into path, or e.g. meeting = "query:room"')
    return source


def participant_source(path: str, written: Source | None) -> Source | None:
    """Say where the participant's id stands, if anywhere, given the template and the source written beside it.

    Raises:
        ValueError: it stands in both.
    """
    return _one_place(path, "participant", written)


def _one_place(path: str, name: str, written: Source | None) -> Source | None:
    if f"{{{name}}}" not in path.split("/"):
        return written
    if written is not None:
        raise ValueError(f"stands in path as {{{name}}} already; remove one of the two")
    return Source("path", name)
