"""A message to Janus is unreadable, or means to the gate what another JSON parser reads in it."""

import json
from typing import Any

from joingate.codecs.dialect import Enters, Refusal, UnreadableError
from joingate.codecs.janus import JanusConversation, JanusDialect
from tests.fuzz.refusals import fits_a_close_frame

TOKENS = (
    *(b'"janus":"message"', b'"janus":"claim"', b'"request":"join"', b'"request":"joinandconfigure"', b'"room":1234'),
    *(
        b'"session_id":1',
        b'"handle_id":2',
        b'"ptype":"publisher"',
        b'"ptype":"subscriber"',
        b'"body":{',
        b"}",
        b"{",
        b'"room":"a"',
    ),
    *(
        b"\n>",
        b"\n<",
        b"\\u0000",
        b"\\u006a",
        b"\\ud800",
        b'"transaction":"t"',
        b"[[[[",
        b"1e400",
        b"null",
        b"true",
        b",",
    ),
)


def check(data: bytes) -> None:
    """Let a conversation go on: what begins with ">" is the client's, with "<" the server's, one message in a line."""
    conversation = JanusDialect().conversation(b"/", [])
    for line in data.split(b"\n"):
        if line.startswith(b"<"):
            conversation.from_server(line[1:])
        elif line.startswith(b">"):
            _check_message(conversation, line[1:])


def _check_message(conversation: JanusConversation, message: bytes) -> None:
    try:
        said = conversation.from_client(message)
    except UnreadableError as error:
        fits_a_close_frame(str(error))
        return
    if not isinstance(said, Enters):
        return
    fields: dict[str, Any] = json.loads(message)
    assert said.join.meeting == str(fields["body"]["room"]), "another room than the one written"
    assert said.join.place == (str(fields["session_id"]), str(fields["handle_id"])), "another place"
    for answer in conversation.refusal(message, Refusal(451, "why")):
        assert isinstance(json.loads(answer), dict), "the refusal is no JSON object"
