"""What Janus would say to somebody who may not come in, or who is out: for a client that knows Janus and no gate.

A join is answered as the plugins answer one: an `ack`, then an `event` with an error of the plugin's own. Clients show
its text (videoroomtest.js, audiobridgetest.js). Everything else is answered by an `error` of the server itself.

Sources: janus.js (sendMessage, handleEvent), apierror.h, janus_videoroom.c, janus_audiobridge.c.
"""

from typing import Final

import orjson

from joingate.codecs.dialect import Refusal
from joingate.codecs.janus_requests import FORWARDS, VIDEOROOM, Request

Place = tuple[int | None, int | None]
"""A session and a handle."""

_UNAUTHORIZED: Final = 403  # JANUS_ERROR_UNAUTHORIZED
_PLUGIN_UNAUTHORIZED: Final = {VIDEOROOM: 433, "audiobridge": 489}  # JANUS_*_ERROR_UNAUTHORIZED


def refusal_messages(request: Request, why: Refusal) -> list[bytes]:
    """Return the messages that refuse a request on a WebSocket."""
    if request.verb != "message":
        return [refusal_answer(request, why)]
    at_once = request.asks in FORWARDS
    place = request.session, request.handle
    data = _plugin_error(request.plugin, why)
    said = _from_plugin("success" if at_once else "event", place, request.plugin, data, request.transaction)
    ack = {"janus": "ack", "session_id": request.session, "transaction": request.transaction}
    return [said] if at_once else [orjson.dumps(ack), said]


def refusal_answer(request: Request, why: Refusal) -> bytes:
    """Return the server's own error, by which a client knows that a request has failed, whatever it was."""
    error = {"code": _UNAUTHORIZED, "reason": why.text}
    answer = {"janus": "error", "session_id": request.session, "transaction": request.transaction, "error": error}
    return orjson.dumps({name: value for name, value in answer.items() if value is not None})


def farewell_messages(plugin: str, room: object, place: Place, why: Refusal) -> list[bytes]:
    """Return the messages that tell of an ejection on a WebSocket: why, and in a video room that one is out.

    Args:
        plugin: VIDEOROOM or AUDIOBRIDGE.
        room: the room's id, a text or a number as the client has written it.
        place: where they were.
        why: for the person.
    """
    said = [{**_plugin_error(plugin, why), "room": room}]
    if plugin == VIDEOROOM:  # as after a "kick"; an audio bridge only tells everybody the id of who was kicked
        said.append({"videoroom": "event", "room": room, "leaving": "ok", "reason": "kicked"})
    return [_from_plugin("event", place, plugin, data) for data in said]


def _plugin_error(plugin: str, why: Refusal) -> dict[str, object]:
    return {plugin: "event", "error_code": _PLUGIN_UNAUTHORIZED[plugin], "error": why.text}


def _from_plugin(
    verb: str, place: Place, plugin: str, data: dict[str, object], transaction: str | None = None
) -> bytes:
    message: dict[str, object] = {"janus": verb, "session_id": place[0], "sender": place[1]}
    if transaction is not None:
        message["transaction"] = transaction
    message["plugindata"] = {"plugin": f"janus.plugin.{plugin}", "data": data}
    return orjson.dumps(message)
