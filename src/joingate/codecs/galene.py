"""Galene: one WebSocket, on which a client shakes hands and then joins a group by a message.

    {"type": "handshake", "version": ["2"], "id": "a1b2"}
    {"type": "join", "kind": "join", "group": "g", "username": "anna"}

The group is the meeting. The client's id, which it chooses itself, is what Galene knows the participant by; names may
be shared. A client is in one group at a time, and may leave and join another on the same WebSocket. Galene removes
whoever's WebSocket is gone, so cutting it is enough, and there is no resuming.

Galene is written in Go, whose encoding/json takes "TYPE" for "type", and "\u017fource" for "source", and the last of
two. Keys are folded as there, and a message in which two fold alike is refused. So is everything that Go takes for no
message at all, or that has more than one value in it.

WHIP publishers come without a WebSocket: POST /group/NAME/.whip. Where NAME has a "/", for a subgroup, no route can
name the meeting, so the request is refused.

Limits. Who is an operator, Galene says only in its answer, so no join is a host's here. Where a group has `autokick`,
the last operator's departure sends the others away, and the gate cannot know whom to spare. A WHIP publisher is judged
at the POST alone: there is no connection to cut afterwards, and no call that removes them.

Sources: jech/galene rtpconn/webclient.go (StartClient, handleClientMessage, errorMessage), group/group.go (AddClient,
validGroupName), webserver/webserver.go (splitPath, parseGroupName), webserver/whip.go, static/galene.js (gotJoined);
Go's encoding/json (Decoder.Decode; foldName).
"""

import json
import re
from collections.abc import Sequence
from typing import Final

import orjson

from joingate.codecs.ambiguity import AmbiguousRequestError
from joingate.codecs.dialect import Conversation, Enters, Leaves, Polled, Refusal, Said, UnreadableError
from joingate.codecs.http1 import Headers, RequestHead, ResponseHead
from joingate.codecs.join_request import MAX_ID
from joingate.codecs.join_route import JoinRoute, Source
from joingate.codecs.target import settled
from joingate.core.model import Join

_LONG_S: Final = "\u017f"
"""Go takes it for "s", and the Kelvin sign for "k"; str.lower knows of the latter alone."""

_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class Galene:
    """See the module; a Dialect."""

    name: str = "galene"
    routes: Sequence[JoinRoute] = (JoinRoute("/group/{meeting}/.whip", Source("path", "meeting"), None, None),)
    keeps_after_close: float | None = 0.0

    def fold(self, meeting: str) -> str:
        """Return the id as it is: groups are the keys of a map."""
        return meeting

    def conversation(self, target: bytes, headers: Headers) -> Conversation | None:  # noqa: ARG002 - the Dialect's
        """Return what reads the WebSocket. Galene has one path for it, and no spelling of that is worth the risk."""
        return _Conversation()

    def reads_body(self, head: RequestHead) -> bool:
        """Whether this is a WHIP publisher's POST, though by no route."""
        if head.method != b"POST":
            return False
        try:
            return ".whip" in settled(head.target.partition(b"?")[0]).lower()
        except AmbiguousRequestError:
            return True

    def polled(self, head: RequestHead, body: bytes) -> Polled:  # noqa: ARG002 - the Dialect's
        """Refuse the request."""
        raise UnreadableError("A WHIP publisher joins at /group/NAME/.whip; subgroups are not supported.")

    def poll_refusal(self, head: RequestHead, body: bytes, why: Refusal) -> tuple[bytes, bytes] | None:  # noqa: ARG002 - the Dialect's
        """Return None: no session is polled, so nobody asks."""
        return None

    def left_by(self, join: Join, head: ResponseHead) -> str | None:  # noqa: ARG002 - the Dialect's
        """Return None: nothing is left."""
        return None


class _Conversation:
    """One WebSocket."""

    hears_server = False

    def __init__(self) -> None:
        self.tokens: set[str] = set()
        self._client_id: str | None = None  # "" for a client that has none, which Galene lets into no group

    def from_client(self, message: bytes) -> Said:
        said = _read(message)
        kind = _text(said, "type")
        if self._client_id is None:
            if kind != "handshake":
                raise UnreadableError("The first message is no handshake.")
            self._client_id = _checked(_text(said, "id"))
            return None
        if kind != "join":
            return None
        group = _checked(_text(said, "group"))
        match _text(said, "kind"):
            case "join":
                if not group:
                    raise UnreadableError("The join names no group.")
                return Enters(Join(group, self._client_id or None))
            case "leave":
                return Leaves(group)
        return None

    def from_server(self, message: bytes) -> Leaves | None:  # noqa: ARG002 - the Conversation's
        """Return None: who is removed loses the WebSocket."""
        return None

    def refusal(self, message: bytes, why: Refusal) -> Sequence[bytes]:
        """Return the answer to a join that failed; Galene's client shows the text."""
        group = _text(_read(message), "group")
        error = "restricted"
        return (orjson.dumps({"type": "joined", "kind": "fail", "error": error, "group": group, "value": why.text}),)

    def farewell(self, join: Join, why: Refusal) -> Sequence[bytes]:
        """Return what Galene sends to somebody who is kicked out."""
        said = {"type": "usermessage", "kind": "kicked", "dest": join.participant, "privileged": True}
        return (orjson.dumps({**said, "value": why.text}),)


def _read(message: bytes) -> dict[str, object]:
    """Return a message's members, by their folded keys; an object inside is a tuple of pairs."""
    try:
        value: object = json.loads(
            message.decode(),
            object_pairs_hook=tuple,
            parse_int=_passed_over,
            parse_float=_passed_over,
            parse_constant=_no_number,
        )
    except (ValueError, RecursionError) as error:
        raise UnreadableError("The message is not JSON in UTF-8.") from error
    if not isinstance(value, tuple):
        raise UnreadableError("The message is not a JSON object.")
    members = {key.replace(_LONG_S, "s").lower(): member for key, member in value}
    if len(members) < len(value):
        raise UnreadableError("The message has two keys that are read as one.")
    return members


def _passed_over(_: str) -> None:
    """Read no number: none means anything here, and a long one would cost time."""


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _text(members: dict[str, object], key: str) -> str:
    """Return a text as Go has it: "" for none, and U+FFFD for half a surrogate pair."""
    value = members.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise UnreadableError(f'"{key}" is not a text.')
    return _SURROGATE.sub("\ufffd", value)


def _checked(identifier: str) -> str:
    if len(identifier) > MAX_ID:
        raise UnreadableError(f"An id is longer than {MAX_ID} characters.")
    if _CONTROL.search(identifier):
        raise UnreadableError("An id has control characters.")
    return identifier
