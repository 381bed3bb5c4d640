"""The answers, against what Janus 1.1.2 has sent in the same place."""

import orjson
import pytest

from joingate.codecs.dialect import Refusal
from joingate.codecs.janus_answers import farewell_messages, refusal_answer, refusal_messages
from joingate.codecs.janus_requests import AUDIOBRIDGE, VIDEOROOM, read_request

WHY = Refusal(451, 'legal order "cac-1" until 2020-06-04T16:00:00Z, receipt k7q2m5xw3b6ahcde')
S, H = 7345254316184706, 606929606697602


def ask(body: dict[str, object] | None = None, **fields: object) -> bytes:
    whole = {"janus": "message", "transaction": "t6", "session_id": S, "handle_id": H, "body": body}
    return orjson.dumps({**whole, **fields})


def messages(raw: bytes) -> list[object]:
    return [orjson.loads(text) for text in refusal_messages(read_request(raw), WHY)]


def from_plugin(plugin: str, data: dict[str, object], janus: str = "event", **more: object) -> dict[str, object]:
    where = {"session_id": S, "sender": H}
    return {"janus": janus, **where, **more, "plugindata": {"plugin": f"janus.plugin.{plugin}", "data": data}}


@pytest.mark.parametrize(
    ("body", "plugin", "code"),
    [
        ({"request": "join", "ptype": "publisher", "room": "m1"}, "videoroom", 433),
        ({"request": "join", "room": "a1"}, "audiobridge", 489),
    ],
)
def test_a_join_gets_an_ack_and_the_plugins_error(body: dict[str, object], plugin: str, code: int) -> None:
    data = {plugin: "event", "error_code": code, "error": WHY.text}
    ack = {"janus": "ack", "session_id": S, "transaction": "t6"}
    assert messages(ask(body)) == [ack, from_plugin(plugin, data, transaction="t6")]


def test_a_forward_is_answered_at_once() -> None:
    data = {"videoroom": "event", "error_code": 433, "error": WHY.text}
    raw = ask({"request": "rtp_forward", "room": "m1", "publisher_id": "bob"})
    assert messages(raw) == [from_plugin("videoroom", data, "success", transaction="t6")]


def test_a_claim_gets_the_servers_own_error() -> None:
    error = {"code": 403, "reason": WHY.text}
    expected = {"janus": "error", "session_id": S, "transaction": "t6", "error": error}
    claim = ask(janus="claim")
    assert messages(claim) == [expected]
    assert orjson.loads(refusal_answer(read_request(claim), WHY)) == expected


def test_what_a_request_does_not_say_the_error_does_not_say() -> None:
    bare = read_request(b'{"janus":"claim"}')
    assert orjson.loads(refusal_answer(bare, WHY)) == {"janus": "error", "error": {"code": 403, "reason": WHY.text}}


@pytest.mark.parametrize("room", ["m1", 1234])
def test_a_farewell_in_a_video_room(room: object) -> None:
    why = {"videoroom": "event", "error_code": 433, "error": WHY.text, "room": room}
    out = {"videoroom": "event", "room": room, "leaving": "ok", "reason": "kicked"}
    said = [orjson.loads(text) for text in farewell_messages(VIDEOROOM, room, (S, H), WHY)]
    assert said == [from_plugin("videoroom", why), from_plugin("videoroom", out)]


def test_a_farewell_in_an_audio_bridge() -> None:
    why = {"audiobridge": "event", "error_code": 489, "error": WHY.text, "room": "a1"}
    said = [orjson.loads(text) for text in farewell_messages(AUDIOBRIDGE, "a1", (S, H), WHY)]
    assert said == [from_plugin("audiobridge", why)]
