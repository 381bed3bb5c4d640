"""BigBlueButton: a signed link is the join, and every WebSocket after it belongs to the session that the link opened.

GET /bigbluebutton/api/join?meetingID=..&userID=..&role=..&checksum=.. is answered by a redirect to the client with
`sessionToken=`. The client then opens WebSockets: /graphql, where the first message carries the token,

    {"type": "connection_init", "payload": {"headers": {"X-Session-Token": "abc", ...}}}

and others (media, voice, shared notes), which carry it in their query. Whoever has the token is the person who joined,
wherever they are: so each WebSocket takes over what the link has left, and is judged from its own address. Requests
over HTTP with the token show things, and bring nobody in. Half a minute after the last WebSocket BigBlueButton takes
the person for having left.

A host is whom the link says is one: `role=MODERATOR`, so written. BigBlueButton takes the word in any case, and takes a
moderator's password for it too; whoever makes the links has to write it so for the gate to know its hosts.

This is BigBlueButton 3.0 and later. Before, its client spoke Meteor over WebSockets that name no session at their
start; they are refused.

Limits. A link with `redirect=false` is answered in a body which the gate does not read: the session is not known, and
its WebSockets are refused. So are WebSockets without a session token, which LiveKit as BigBlueButton's media server
would use. A userID that the link does not give is made up by BigBlueButton, and not known here.

Sources: docs.bigbluebutton.org, "API Reference" (join); bigbluebutton-web ApiController.groovy (join; meetingID is
stripped in some versions), UrlMappings.groovy ("/bigbluebutton/$controller/$action?/$id?(.${format})?": more than one
path leads to join), ConnectionController.groovy (checkAuthorization); bbb-graphql-middleware websrv/connhandler.go
(connectionInitHandler, disconnectWithError) and, in its first versions, websrv/sessiontokenreader.go; the packages'
nginx files (graphql, sip, webrtc-sfu, bbb-shared-notes-server, livekit).
"""

import json
import re
from collections.abc import Sequence
from typing import Final

import orjson

from joingate.codecs.ambiguity import AmbiguousRequestError
from joingate.codecs.dialect import Conversation, Leaves, Polled, Refusal, Resumes, Said, UnreadableError
from joingate.codecs.http1 import Headers, RequestHead, ResponseHead
from joingate.codecs.join_route import JoinRoute, Source
from joingate.codecs.join_values import read_parameter
from joingate.codecs.target import settled
from joingate.core.model import Join

_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{1,128}")
_TOKEN_PARAMETER: Final = b"sessionToken"
_REDIRECTS: Final = frozenset((301, 302, 303, 307, 308))
_WHITE_SPACE: Final = " \t\n\v\f\r\x1c\x1d\x1e\x1f\u1680\u2028\u2029\u205f\u3000" + "".join(
    chr(code) for code in range(0x2000, 0x200B) if code != 0x2007
)
"""Java's Character.isWhitespace: no-break spaces are none."""

_JOIN_WITH_FORMAT: Final = re.compile(r"bigbluebutton.*api.*join\s*\.", re.DOTALL)
_INIT: Final = "connection_init"
_INIT_QUOTED: Final = b'"connection_init"'
_HARMLESS: Final = frozenset(("ping", "pong"))  # graphql-transport-ws allows both before connection_init


class BigBlueButton:
    """See the module; a Dialect."""

    name: str = "bigbluebutton"
    routes: Sequence[JoinRoute] = tuple(
        JoinRoute(
            path,
            meeting=Source("query", "meetingID"),
            participant=Source("query", "userID"),
            host=(Source("query", "role"), "MODERATOR"),
        )
        for path in ("/bigbluebutton/api/join", "/bigbluebutton/api/join/{*}")
    )
    keeps_after_close: float | None = 30.0

    def fold(self, meeting: str) -> str:
        """Take white space off the ends, as some versions do; no rule can mean an id that has some."""
        return meeting.strip(_WHITE_SPACE)

    def conversation(self, target: bytes, headers: Headers) -> Conversation | None:  # noqa: ARG002 - the Dialect's
        """Return what reads the WebSocket: each belongs to a session, or goes nowhere."""
        path, _, query = target.partition(b"?")
        try:
            token = read_parameter(query, _TOKEN_PARAMETER)
            return _Conversation(token, is_graphql="graphql" in settled(path).lower())
        except AmbiguousRequestError as error:
            return _Conversation(None, fault=error.detail)

    def reads_body(self, head: RequestHead) -> bool:
        """Whether the path is one of join's with a format ("/bigbluebutton/api/join.xml"), which no route can name."""
        try:
            return _JOIN_WITH_FORMAT.search(settled(head.target.partition(b"?")[0]).lower()) is not None
        except AmbiguousRequestError:
            return True

    def polled(self, head: RequestHead, body: bytes) -> Polled:  # noqa: ARG002 - the path says it all
        """Refuse the request: no client writes a join so."""
        raise UnreadableError("Write the path of a join as /bigbluebutton/api/join.")

    def poll_refusal(self, head: RequestHead, body: bytes, why: Refusal) -> tuple[bytes, bytes] | None:  # noqa: ARG002 - the Dialect's
        """Return None: no session is polled, so nobody asks."""
        return None

    def left_by(self, join: Join, head: ResponseHead) -> str | None:  # noqa: ARG002 - the Dialect's
        """Return the session token in the redirect to the client."""
        if head.status not in _REDIRECTS:
            return None
        fields = [line.rstrip().partition(b":") for line in head.relayed]
        locations = [value for name, _, value in fields if name.lower() == b"location"]
        if len(locations) != 1:
            return None
        query = locations[0].partition(b"#")[0].partition(b"?")[2]
        try:
            token = read_parameter(query, _TOKEN_PARAMETER)
        except AmbiguousRequestError:
            return None
        return token if token is not None and _TOKEN.fullmatch(token) else None


class _Conversation:
    """One WebSocket. It says whose it is until it may go on; what is refused does not go on, so it has to say it again.

    Attributes:
        tokens: none. A token counts once the session is taken over, and not by being named.
        hears_server: never.
    """

    def __init__(self, token: str | None, *, is_graphql: bool = False, fault: str | None = None) -> None:
        """Begin.

        Args:
            token: of the query.
            is_graphql: whether a message has to name the session.
            fault: why no message can be understood.
        """
        self.tokens: set[str] = set()
        self.hears_server = False
        self._token = token
        self._is_graphql = is_graphql
        self._fault = fault
        self._is_named = False

    def from_client(self, message: bytes) -> Said:
        if self._fault is not None:
            raise UnreadableError(self._fault)
        if self._is_named:
            return None
        if self._is_graphql:
            token = _token_in(message)
            if token is None:
                return None
            if self._token not in {None, token}:
                raise UnreadableError("The WebSocket names two sessions.")
        else:
            token = self._token
        if token is None or _TOKEN.fullmatch(token) is None:
            raise UnreadableError("The WebSocket names no session.")
        self._is_named = True
        return Resumes(token, is_shared=True)  # one person, a WebSocket for each kind of media

    def from_server(self, message: bytes) -> Leaves | None:  # noqa: ARG002 - the Conversation's
        """Return None: who leaves closes the WebSocket."""
        return None

    def refusal(self, message: bytes, why: Refusal) -> Sequence[bytes]:  # noqa: ARG002 - the Conversation's
        """Return the error by which the middleware turns a client away.

        The other WebSockets have none in common; what comes next on them is refused for the same reason.
        """
        self._is_named = False
        if self._is_graphql:
            return (_error(why),)
        self._fault = why.text
        return ()

    def farewell(self, join: Join, why: Refusal) -> Sequence[bytes]:  # noqa: ARG002 - the Conversation's
        """Return the same error: BigBlueButton's client leaves on it."""
        return (_error(why),) if self._is_graphql else ()


def _error(why: Refusal) -> bytes:
    reason = {"messageId": "access_denied", "message": why.text}
    return orjson.dumps({"id": "-1", "type": "error", "payload": [reason]})


def _token_in(message: bytes) -> str | None:
    """Return the session that a message of the start names; None for one that says nothing.

    The middleware decodes by Go's encoding/json into maps: keys are exact, and the last of two wins; other ends of a
    graphql connection differ, so two keys that resemble each other are refused. A version of it takes every message
    with the text "connection_init" anywhere for one, so there that text may not stand.

    Raises:
        UnreadableError: it names none, or more than one, or something else comes before.
    """
    members = _read(message)
    kind = _member(members, "type")
    if kind != _INIT:
        if isinstance(kind, str) and kind in _HARMLESS and _INIT_QUOTED not in message:
            return None
        raise UnreadableError("The first message is no connection_init.")
    token = _member(_member(_member(members, "payload"), "headers"), "X-Session-Token")
    if not isinstance(token, str):
        raise UnreadableError("The connection_init names no session.")
    return token


def _read(message: bytes) -> object:
    """Return a message's JSON, objects as tuples of pairs."""
    try:
        return json.loads(
            message.decode(errors="replace"),
            object_pairs_hook=tuple,
            parse_int=_passed_over,
            parse_float=_passed_over,
        )
    except (ValueError, RecursionError) as error:
        raise UnreadableError("The message is not JSON.") from error


def _passed_over(_: str) -> None:
    """Read no number: none means anything here, and a long one would cost time."""


def _member(value: object, key: str) -> object:
    """Return a member of an object, None where there is no such object or member."""
    if not isinstance(value, tuple):
        return None
    alike = [(name, member) for name, member in value if name.casefold() == key.casefold()]
    if len(alike) > 1 or (alike and alike[0][0] != key):
        raise UnreadableError("The message has keys that can be read as one.")
    return alike[0][1] if alike else None
