"""What a client asks of Janus in one message (WebSocket) or one request (HTTP), as far as joins go.

Janus compares its verbs without regard to case, and ids exactly. It reads JSON by jansson: of two members with one name
the last counts, which is how orjson reads too. What only orjson takes would never get anybody in: NUL in a text and ids
over 63 bits are refused here, other numbers over 63 bits by Janus. Several objects in one message, which Janus takes on
a WebSocket, are refused: one message is judged as a whole.

Sources: janus.c (janus_process_incoming_request), janus_websockets.c, janus_http.c, janus_videoroom.c,
janus_audiobridge.c, in 1.1.2 and 1.4.1.
"""

import re
from dataclasses import dataclass
from typing import Final

import orjson

from joingate.codecs.ambiguity import AmbiguousRequestError
from joingate.codecs.dialect import Enters, Resumes, UnreadableError
from joingate.codecs.target import settled
from joingate.core.model import Join

VIDEOROOM: Final = "videoroom"
AUDIOBRIDGE: Final = "audiobridge"

FORWARDS: Final = frozenset("rtp_forward publish_remotely add_remote_publisher".split())
"""Requests that carry a room's media out to an address, or bring media in, for somebody who never joins it."""

_ENTERS: Final = FORWARDS | frozenset("join joinandconfigure changeroom".split())
_LARGEST: Final = 2**63 - 1  # jansson's integers are signed


@dataclass(frozen=True, slots=True)
class Request:
    """One request.

    Attributes:
        verb: the value of "janus" in lower case; "" for none.
        session: the session's id; None for none.
        handle: the handle's id; None for none.
        transaction: by which the client knows the answer; None for none.
        body: what is for the plugin; empty for none.
        asks: the body's "request" in lower case; "" for none.
    """

    verb: str
    session: int | None
    handle: int | None
    transaction: str | None
    body: dict[str, object]
    asks: str

    @property
    def plugin(self) -> str:
        """For which plugin the body is: only the video room's joins have a ptype in words, its forwards a publisher."""
        video = "publisher_id" in self.body if self.asks == "rtp_forward" else isinstance(self.body.get("ptype"), str)
        only_video = self.asks in {"joinandconfigure", "publish_remotely", "add_remote_publisher"}
        return VIDEOROOM if video or only_video else AUDIOBRIDGE


def read_request(message: bytes, session: int | None = None, handle: int | None = None) -> Request:
    """Read a message.

    Args:
        message: the payload of a WebSocket message, or a request's body.
        session: as the request's path names it.
        handle: likewise.

    Raises:
        UnreadableError: Janus might read it otherwise, or not at all.
    """
    if b"\\u0000" in message:
        raise UnreadableError("The message has a NUL in a text.")
    try:
        fields: object = orjson.loads(message)
    except orjson.JSONDecodeError as error:
        raise UnreadableError("The message is not one JSON text.") from error
    if not isinstance(fields, dict):
        raise UnreadableError("The message is not a JSON object.")
    body = fields.get("body")
    body = body if isinstance(body, dict) else {}
    transaction = fields.get("transaction")
    return Request(
        verb=_word(fields.get("janus")),
        session=_the_one(_id(fields.get("session_id")), session),
        handle=_the_one(_id(fields.get("handle_id")), handle),
        transaction=transaction if isinstance(transaction, str) else None,
        body=body,
        asks=_word(body.get("request")),
    )


def said_by(request: Request) -> Enters | Resumes | None:
    """Return what a request means, if Janus does as asked.

    That somebody leaves is not among it: Janus may refuse (a wrong token), and a video room's subscriber who has
    left may subscribe again without joining. Of leaving, only Janus's own word counts.

    Raises:
        UnreadableError: it is a join that names no room.
    """
    if request.session is None:
        return None
    if request.verb == "claim":
        session = str(request.session)
        return Resumes(session, place=(session,))  # the other connection may carry further sessions, which stay there
    if request.verb != "message" or request.asks not in _ENTERS or request.handle is None:
        return None
    room = _name(request.body.get("room"))
    if room is None:
        raise UnreadableError("The message joins no room that Janus could know.")
    return Enters(Join(room, _participant(request), place=(str(request.session), str(request.handle))))


def _participant(request: Request) -> str | None:
    ptype = request.body.get("ptype")
    if request.asks in FORWARDS or (isinstance(ptype, str) and ptype.lower() != "publisher"):
        return None  # what an "id" says here, Janus does not read
    return _name(request.body.get("id"))


def _word(value: object) -> str:
    return value.lower() if isinstance(value, str) else ""


def _is_integer(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LARGEST


def _name(value: object) -> str | None:
    """Return the id of a room or a participant: a text where `string_ids` is on, else a number; None for neither."""
    return str(value) if isinstance(value, str) or _is_integer(value) else None


def _id(value: object) -> int | None:
    if value is None:
        return None
    if not (isinstance(value, int) and _is_integer(value) and value):
        raise UnreadableError("A session_id or handle_id is no number that Janus gives out.")
    return value


def _the_one(in_body: int | None, in_path: int | None) -> int | None:
    if in_body is not None and in_path is not None and in_body != in_path:
        raise UnreadableError("The path and the message name different sessions or handles.")
    return in_path if in_body is None else in_body


class JanusPath:
    """Where the HTTP transport listens: POST {base}, {base}/SESSION and {base}/SESSION/HANDLE, GET {base}/SESSION.

    Janus takes any prefix before its base path, whatever follows the digits of an id, and what is percent-encoded.
    Its own clients write none of that, so whatever might be meant for it is to be spelled plainly here.
    """

    def __init__(self, base: str) -> None:
        """Take the base path as clients see it, as in Janus's `base_path`: "/janus"."""
        name = re.escape(base.rstrip("/"))
        self._plain = re.compile(name + r"(?:/([1-9][0-9]{0,18})(?:/([1-9][0-9]{0,18}))?)?/?", re.ASCII)
        self._meant = re.compile(name + r"(?![\w.-])", re.ASCII | re.IGNORECASE)
        self._polled = re.compile(name + r"/[\s+-]*[0-9]", re.ASCII | re.IGNORECASE)  # as strtoull() reads a number

    def is_meant(self, target: bytes) -> bool:
        """Whether a request target may be meant for Janus, in some spelling."""
        text = _settled(target)
        return text is None or self._meant.search(text) is not None

    def read(self, target: bytes, *, polls: bool) -> tuple[int | None, int | None]:
        """Return the session and the handle that a target names; None for none.

        Args:
            target: origin-form.
            polls: whether it can only poll (GET): then a path that names no session at all is fine too.

        Raises:
            UnreadableError: it is not spelled as Janus's own clients spell it.
        """
        found = self._plain.fullmatch(target.partition(b"?")[0].decode("latin-1"))
        if found is not None:
            session, handle = (None if digits is None else int(digits) for digits in found.groups())
            if max(session or 0, handle or 0) <= _LARGEST:
                return session, handle
        elif polls and (text := _settled(target)) is not None and self._polled.search(text) is None:
            return None, None
        raise UnreadableError("The path is not spelled as BASE/SESSION/HANDLE, in plain digits.")


def _settled(target: bytes) -> str | None:
    """Return a target's path decoded until nothing is encoded, with one kind of slash; None where there is no end."""
    try:
        return re.sub(r"[/\\]+", "/", settled(target.partition(b"?")[0]))
    except AmbiguousRequestError:
        return None
