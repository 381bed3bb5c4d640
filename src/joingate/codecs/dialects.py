"""The meeting servers the gate knows, by the name that `server = "..."` gives them, and where their joins stand."""

from collections.abc import Callable, Sequence
from typing import Final

from joingate.codecs.bigbluebutton import BigBlueButton
from joingate.codecs.dialect import Dialect
from joingate.codecs.galene import Galene
from joingate.codecs.janus import JanusDialect
from joingate.codecs.join_route import JoinRoute, Source
from joingate.codecs.livekit import LiveKit
from joingate.codecs.xmpp import Jitsi, Prosody

_DIALECTS: Final[dict[str, Callable[[Sequence[str]], Dialect]]] = {
    "livekit": lambda _: LiveKit(),
    "jitsi": Jitsi,
    "prosody": Prosody,
    "janus": lambda _: JanusDialect(),
    "bigbluebutton": lambda _: BigBlueButton(),
    "galene": lambda _: Galene(),
}

_XMPP: Final = (
    "WebSocket messages and BOSH bodies: <presence to='MEETING@component/PARTICIPANT'>",
    "WebSocket messages: <resume previd>, for whoever the stream with that id carried",
)
_IN_BAND: Final[dict[str, Sequence[str]]] = {
    "jitsi": _XMPP,
    "prosody": _XMPP,
    "janus": (
        "WebSocket messages and POST bodies: join, joinandconfigure: meeting from body.room, participant from body.id",
        "WebSocket messages: claim, for whoever the session carried",
    ),
    "bigbluebutton": ("WebSocket messages: connection_init, for whoever the session token was given to",),
    "galene": ("WebSocket messages: type join, meeting from group, participant from the id of the handshake",),
}


def dialect_of(server: str, components: Sequence[str] = ()) -> Dialect | None:
    """Return the dialect of a kind of server; None for generic, whose joins are configured.

    Args:
        server: the kind.
        components: domains of the rooms, of those that speak XMPP.
    """
    made = _DIALECTS.get(server)
    return None if made is None else made(components)


def describe_joins(server: str, routes: Sequence[JoinRoute]) -> list[str]:
    """Say which requests and messages are joins, and which id stands where, a line each.

    Args:
        server: the kind of server.
        routes: those that are joins by their heads.
    """
    lines = []
    for route in routes:
        participant = "" if route.participant is None else f", participant from {_source(route.participant)}"
        host = "" if route.host is None else f", host by {_source(route.host[0])}={route.host[1]}"
        lines.append(f"requests to {route.path}: meeting from {_source(route.meeting)}{participant}{host}")
    return lines + list(_IN_BAND.get(server, ()))


def _source(source: Source) -> str:
    return f"{source.kind}:{source.name}"
