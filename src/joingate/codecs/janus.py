"""Janus (Meetecho): joins inside WebSocket messages and request bodies, for its video rooms and audio bridges.

One participant sits at one handle of one session, and that is the place of a join: a session holds many handles, a
WebSocket many sessions, and each handle is in at most one room. Publishing and subscribing are joins of their own.

Not seen from here: a text room, joined inside an encrypted data channel (leave its plugin out), and media that another
server forwards.

Sources: janus.c, janus_websockets.c, janus_http.c, the plugins' own files, in 1.1.2 and 1.4.1; what it says was seen
from 1.1.2 (tests/integration/test_janus_admin.py).
"""

from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from weakref import WeakValueDictionary

import orjson

from joingate.codecs.dialect import Enters, Leaves, Polled, Refusal, Resumes, Said, UnreadableError
from joingate.codecs.http1 import Headers, RequestHead, ResponseHead
from joingate.codecs.janus_answers import farewell_messages, refusal_answer, refusal_messages
from joingate.codecs.janus_requests import AUDIOBRIDGE, VIDEOROOM, JanusPath, read_request, said_by
from joingate.codecs.join_route import JoinRoute
from joingate.core.model import Join

MAX_SEATS: Final = 4096
"""Handles of one WebSocket that have joined something. A client takes one for each participant that it watches."""

_FOREIGN: Final = "The session is another connection's; claim it first."


@dataclass(slots=True)
class _Seat:
    """A handle that has asked to join: for which plugin, the room as last written, and how often."""

    plugin: str = VIDEOROOM
    room: object = None
    joins: int = 0


class JanusConversation:
    """One WebSocket. Which sessions are its own, and who has left, is taken from the server's messages alone.

    A session can be used from any connection, and stays with the one that has opened or claimed it. Were a join let
    through on another connection, whoever came in by it would stay behind, unseen, when that one closes.

    Attributes:
        tokens: the sessions that this WebSocket has opened or claimed, by Janus's own word, and no other has since.
        hears_server: always.
    """

    def __init__(self, owners: MutableMapping[str, "JanusConversation"]) -> None:
        """Begin with no session; `owners` is for all conversations with one Janus: whose each session is."""
        self._owners = owners
        self.tokens: set[str] = set()
        self.hears_server = True
        self._seats: dict[tuple[str, ...], _Seat] = {}

    def from_client(self, message: bytes) -> Said:
        """See codecs.dialect.Conversation.

        Raises:
            UnreadableError: as there; also where the session belongs to another connection.
        """
        request = read_request(message)
        said = said_by(request)
        if request.session is None or str(request.session) in self.tokens:
            if isinstance(said, Enters):
                self._take_seat(said.join.place, request.plugin, request.body["room"])
            return None if isinstance(said, Resumes) else said  # Janus takes its own claim for nothing
        if not isinstance(said, Resumes) and request.verb != "keepalive":
            raise UnreadableError(_FOREIGN)
        return said

    def from_server(self, message: bytes) -> Leaves | None:
        """Take note of what the server says, and return who is out by its word."""
        try:
            fields: object = orjson.loads(message)
        except orjson.JSONDecodeError:
            return None
        if not isinstance(fields, dict):
            return None
        session, handle = str(fields.get("session_id")), str(fields.get("sender"))
        match fields:
            case {"janus": "success", "session_id": int()}:
                self._own(session)  # only a claim succeeds in a session that was another's
            case {"janus": "success", "data": {"id": int() as opened}}:
                self._own(str(opened))
            case {"janus": "timeout"}:
                return Leaves(place=(session,))
            case {"janus": "detached"}:
                self._seats.pop((session, handle), None)
                return Leaves(place=(session, handle))
            case {"janus": "event", "plugindata": {"data": dict() as data}}:
                return self._left((session, handle), data, is_answer="transaction" in fields)
        return None

    def refusal(self, message: bytes, why: Refusal) -> Sequence[bytes]:
        """See codecs.dialect.Conversation."""
        return refusal_messages(read_request(message), why)

    def farewell(self, join: Join, why: Refusal) -> Sequence[bytes]:
        """See codecs.dialect.Conversation."""
        session, handle = join.place
        seat = self._seats.get(join.place, _Seat(room=join.meeting))  # one that was taken over is not known
        return farewell_messages(seat.plugin, seat.room, (int(session), int(handle)), why)

    def _own(self, session: str) -> None:
        before = self._owners.get(session)
        if before is not None:
            before.tokens.discard(session)
        self._owners[session] = self
        self.tokens.add(session)

    def _take_seat(self, place: tuple[str, ...], plugin: str, room: object) -> None:
        seat = self._seats.get(place)
        if seat is None:
            if len(self._seats) >= MAX_SEATS:
                raise UnreadableError("There are too many handles in rooms on this connection.")
            seat = self._seats[place] = _Seat()
        seat.plugin = plugin
        seat.room = room
        seat.joins += 1

    def _left(self, place: tuple[str, ...], data: dict[str, object], *, is_answer: bool) -> Leaves | None:
        """Tell from a plugin's event whether whoever sits at a handle has left.

        A video room's publisher never joins again at the same handle, so the event is the last word. The others in the
        room are told of it too, by `"leaving": ID`, and "ok" may be an id; but that answers no request, and gives no
        reason. A bridge's handle may join again, and the event may be older than that: it counts for the first join.
        """
        if data.get("leaving") == "ok" and (is_answer or data.get("reason") == "kicked"):
            return Leaves(place=place)
        seat = self._seats.get(place)
        if data.get(AUDIOBRIDGE) == "left" and is_answer and seat is not None and seat.joins == 1:
            return Leaves(place=place)
        return None


@dataclass(frozen=True)
class JanusDialect:
    """See codecs.dialect.Dialect.

    Over HTTP nobody is seen to leave before the session falls silent: Janus's answers are not read there, and the
    client's word is no proof.

    Attributes:
        base_path: of the HTTP transport, as clients see it (`base_path` in janus.transport.http.jcfg).
        keeps_after_close: seconds, Janus's `reclaim_session_timeout`.
    """

    base_path: str = "/janus"
    keeps_after_close: float | None = 0.0
    name: str = "janus"
    routes: Sequence[JoinRoute] = ()
    _path: JanusPath = field(init=False, repr=False, compare=False)
    _owners: WeakValueDictionary[str, JanusConversation] = field(
        init=False, repr=False, compare=False, default_factory=WeakValueDictionary
    )

    def __post_init__(self) -> None:
        object.__setattr__(self, "_path", JanusPath(self.base_path))

    def fold(self, meeting: str) -> str:
        """Return the id as it is: Janus compares exactly, and a number is only ever itself."""
        return meeting

    def conversation(self, target: bytes, headers: Headers) -> JanusConversation:
        """Return the reader of any WebSocket: Janus looks at the path of none."""
        del target, headers
        return JanusConversation(self._owners)

    def reads_body(self, head: RequestHead) -> bool:
        """See codecs.dialect.Dialect; the long poll has no body, but keeps a session alive."""
        return head.method in {b"POST", b"GET"} and self._path.is_meant(head.target)

    def polled(self, head: RequestHead, body: bytes) -> Polled:
        """See codecs.dialect.Dialect."""
        session, handle = self._path.read(head.target, polls=head.method == b"GET")
        if head.method == b"GET":  # Janus reads no body there
            return Polled("" if session is None else str(session), None)
        request = read_request(body, session, handle)
        token = "" if request.session is None else str(request.session)
        said = said_by(request)
        if isinstance(said, Enters) and token in self._owners:
            raise UnreadableError(_FOREIGN)
        return Polled(token, said)

    def poll_refusal(self, head: RequestHead, body: bytes, why: Refusal) -> tuple[bytes, bytes]:
        """See codecs.dialect.Dialect. An error of Janus's own: what the plugin says would come by the long poll."""
        request = read_request(body, *self._path.read(head.target, polls=False))
        return b"application/json", refusal_answer(request, why)

    def left_by(self, join: Join, head: ResponseHead) -> str | None:
        """See codecs.dialect.Dialect: no such answer."""
        del join, head
        return None
