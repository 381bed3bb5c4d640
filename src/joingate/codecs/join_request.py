"""Which requests are joins, and of whom into which meeting: no spelling of a join reaches an upstream unjudged.

A path of nothing but plain characters has one reading, and costs two dict look-ups. Any other path is read in every
way that `target` knows. Readings that are no join do not count: an upstream which reads the path so lets nobody in.
Those that are joins must agree, or the request is refused.

What this cannot know: routes of the upstream that no [[join]] names (a "/join.json" beside "/join"), and a JSON body
that the upstream merges into its query parameters. A form body is refused where the query or its token names the
meeting.
"""

import re
import string
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from joingate.codecs.ambiguity import AmbiguousRequestError
from joingate.codecs.join_route import JoinRoute, Source
from joingate.codecs.join_values import Headers, Reader, value_reader
from joingate.codecs.target import readings, readings_cut_short, segments_of, settled
from joingate.core.model import Join

__all__ = ["MAX_ID", "AmbiguousRequestError", "JoinMatcher"]

MAX_ID: Final = 512
"""Characters of a meeting's or participant's id."""

_PLAIN: Final = string.ascii_letters.encode() + string.digits.encode() + b"-._~!$&'()*,=:@/"
"""Unreserved characters and sub-delims (RFC 3986 2) but for ";", and for "+", which form decoders take for a space."""

_SPELLED_PATH: Final = re.compile(rb"(?:[!-$&-~]|%[0-9A-Fa-f]{2})*+").fullmatch
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]").search
_WORD: Final = re.compile(r"[a-z0-9._~-]+").fullmatch
_IN_TARGETS: Final = frozenset(("path", "query"))
_ANY: Final = b""
"""The key of routes that start with a placeholder, or have no segment at all."""


@dataclass(frozen=True, slots=True, eq=False)
class _Route:
    """A JoinRoute, taken apart once.

    Attributes:
        length: how many segments.
        literals: position and folded text of each literal segment.
        meeting_at: position of the meeting's id in the path; None when it stands elsewhere.
        meeting: what reads the meeting's id elsewhere.
        form_names_meeting: servers that merge form bodies into the query would find the meeting's id there too.
        participant_at: as `meeting_at`; both are None when requests name no participant.
        participant: as `meeting`.
        host: what reads the host's mark, and the value it has to have.
    """

    length: int
    literals: tuple[tuple[int, bytes], ...]
    meeting_at: int | None
    meeting: Reader | None
    form_names_meeting: bool
    participant_at: int | None
    participant: Reader | None
    host: tuple[Reader, str] | None

    @property
    def first(self) -> bytes:
        """The literal it starts with, or `_ANY`."""
        return self.literals[0][1] if self.literals and self.literals[0][0] == 0 else _ANY


Found = tuple[_Route, bytes, bytes]
"""A route, and the segments with the meeting's and the participant's id (empty where the path has none)."""


class JoinMatcher:
    """Says of each request whether it is a join, by the routes given at the start.

    Attributes:
        routes: those.
        reads_headers: whether anything it looks for stands elsewhere than in the target.
    """

    def __init__(self, routes: Sequence[JoinRoute], *, fold: Callable[[str], str]) -> None:
        """Prepare the routes.

        Args:
            routes: as configured, or as a meeting server's dialect has them.
            fold: how the meeting server folds meeting ids (identity, or e.g. str.lower).
        """
        self.routes = routes
        self._fold = fold
        self._by_length: dict[int, dict[bytes, list[_Route]]] = {}
        compiled = [_compile(route) for route in routes]
        for length in {route.length for route in compiled}:
            alike = [route for route in compiled if route.length == length]
            self._by_length[length] = {
                first: [route for route in alike if route.first in {_ANY, first}]
                for first in {_ANY, *(route.first for route in alike)}
            }
        self.reads_headers = any(source.kind not in _IN_TARGETS for route in routes for source in _sources_of(route))
        texts = [[text.decode() for _, text in route.literals] for route in compiled]
        self._words = {frozenset(filter(_WORD, literals)) for literals in texts}

    def match(self, method: bytes, target: bytes, headers: Headers) -> Join | None:
        """Read a request's head.

        Args:
            method: as received.
            target: in origin-form.
            headers: as received, names in any case.

        Returns:
            The join, or None for what no upstream could take for one. OPTIONS never is: it is a CORS preflight.

        Raises:
            AmbiguousRequestError: the request might be read as different joins, or is one without a meeting's id.
        """
        path, _, query = target.partition(b"?")
        # find(), because "in" takes three times as long for bytes: it tries an integer first
        if not path.translate(None, _PLAIN) and path.find(b"//") < 0 and path.find(b"/.") < 0 and path[:1] == b"/":
            segments = path.split(b"/")
            if not segments[-1]:
                segments.pop()
            del segments[0]
            by_first = self._by_length.get(len(segments))
            if by_first is None:
                return None
            lower = path.lower()
            found = _find(by_first, segments, segments if lower == path else lower[1:].split(b"/"))
        else:
            found = self._find_in_readings(path)
        if not found or method == b"OPTIONS":
            return None
        if target.find(b"#") >= 0:
            raise AmbiguousRequestError("A join's target has no fragment.")
        join = self._join(found[0], query, headers)
        for other in found[1:]:
            if self._join(other, query, headers) != join:
                raise AmbiguousRequestError("The path can be read as different joins.")
        return join

    def join_of(self, meeting: str, participant: str | None) -> Join:
        """Return the join that `match` would, where it reads these ids, and no host's mark."""
        return Join(self._fold(meeting), participant)

    def _find_in_readings(self, path: bytes) -> list[Found]:
        text = settled(path)
        if text.isascii():
            text = text.lower()
            if not any(all(word in text for word in words) for words in self._words):
                return []
        whole = readings(path)
        if self._find_in(readings_cut_short(whole)):
            raise AmbiguousRequestError('A join\'s path has no encoded "?" or "#".')
        found = self._find_in(whole)
        if found and _SPELLED_PATH(path) is None:
            raise AmbiguousRequestError('The path has a stray "%" or a character that has to be percent-encoded.')
        return found

    def _find_in(self, texts: Sequence[str]) -> list[Found]:
        found: dict[Found, None] = {}
        for segments in map(segments_of, texts):
            by_first = self._by_length.get(len(segments))
            if by_first is not None:
                found |= dict.fromkeys(_find(by_first, segments, [_folded(segment) for segment in segments]))
        return list(found)

    def _join(self, found: Found, query: bytes, headers: Headers) -> Join:
        route, meeting_segment, participant_segment = found
        meeting: str | None
        if route.meeting is None:
            meeting = _text(meeting_segment)
        else:
            if route.form_names_meeting and _has_form(headers):
                raise AmbiguousRequestError("A form in the body may name another meeting than the query does.")
            meeting = route.meeting(query, headers)
        if not meeting:
            raise AmbiguousRequestError("The request names no meeting.")
        if len(meeting) > MAX_ID or not meeting.isprintable():
            _check(meeting)
        participant = None
        if route.participant is not None:
            participant = route.participant(query, headers)
        elif route.participant_at is not None:
            participant = _text(participant_segment)
        if not participant:
            participant = None
        elif len(participant) > MAX_ID or not participant.isprintable():
            _check(participant)
        host = route.host is not None and route.host[0](query, headers) == route.host[1]
        return Join(self._fold(meeting), participant, host)


def _sources_of(route: JoinRoute) -> list[Source]:
    sources = [route.meeting, route.participant, None if route.host is None else route.host[0]]
    return [source for source in sources if source is not None]


def _compile(route: JoinRoute) -> _Route:
    segments = route.path.strip("/").split("/") if route.path != "/" else []
    literals = [(at, _folded(text.encode())) for at, text in enumerate(segments) if not text.startswith("{")]

    def position(source: Source | None) -> int | None:
        return segments.index(f"{{{source.name}}}") if source is not None and source.kind == "path" else None

    def reader(source: Source | None) -> Reader | None:
        return None if source is None or source.kind == "path" else value_reader(source)

    return _Route(
        length=len(segments),
        literals=tuple(literals),
        meeting_at=position(route.meeting),
        meeting=reader(route.meeting),
        form_names_meeting=route.meeting.kind in {"query", "jwt"},
        participant_at=position(route.participant),
        participant=reader(route.participant),
        host=None if route.host is None else (value_reader(route.host[0], is_mark=True), route.host[1]),
    )


def _find(by_first: dict[bytes, list[_Route]], segments: list[bytes], folded: list[bytes]) -> list[Found]:
    first = folded[0] if folded else _ANY
    found = []
    for route in by_first.get(first) or by_first[_ANY]:
        for at, text in route.literals:
            if folded[at] != text:
                break
        else:
            meeting = b"" if route.meeting_at is None else segments[route.meeting_at]
            participant = b"" if route.participant_at is None else segments[route.participant_at]
            found.append((route, meeting, participant))
    return found


def _folded(segment: bytes) -> bytes:
    """Fold a literal so far that no server's idea of "the same" is wider; bytes that are no UTF-8 are passed over."""
    if segment.isascii():
        return segment.lower()
    return unicodedata.normalize("NFKC", segment.decode(errors="ignore")).casefold().encode()


def _text(segment: bytes) -> str:
    try:
        return segment.decode()
    except UnicodeDecodeError as error:
        raise AmbiguousRequestError("An id in the path is not UTF-8.") from error


def _check(identifier: str) -> None:
    if len(identifier) > MAX_ID:
        raise AmbiguousRequestError(f"An id is longer than {MAX_ID} characters.")
    if _CONTROL(identifier) is not None:
        raise AmbiguousRequestError("An id has control characters.")


def _has_form(headers: Headers) -> bool:
    """Whether there is a body that some server takes for a form; Rack does without a Content-Type."""
    has_body = has_type = is_form = False
    for name, value in headers:
        length = len(name)
        if length == 12 and name.lower() == b"content-type":
            has_type = True
            is_form |= any(form in value.lower() for form in (b"x-www-form-urlencoded", b"form-data"))
        elif length == 14 and name.lower() == b"content-length":
            has_body |= value.strip() != b"0"
        elif length == 17 and name.lower() == b"transfer-encoding":
            has_body = True
    return has_body and (is_form or not has_type)
