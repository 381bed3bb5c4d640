"""Any bytes in client frames: the gate has no defect, and no join reaches the meeting server unjudged.

Somebody whom an order keeps out of every meeting sends what resembles joins, cut and damaged, in frames that are cut
and damaged too. Whatever arrives upstream is read again from the start: nothing in it is a join.
"""

import asyncio
import contextlib
import logging
import random

import pytest

from joingate.codecs.dialect import Dialect, Enters, Resumes, UnreadableError
from joingate.codecs.dialects import dialect_of
from joingate.codecs.websocket_messages import MessageError, MessageReader
from tests.core.made import order
from tests.edges.gate_fixture import CN, LIMIT, Bench, Wire, gate_bench
from tests.edges.websocket_fixture import KEY, SWITCHING, after_head, server_frame
from tests.ws_client import BINARY, CLOSE, PING, TEXT, build_frame

CONNECTIONS = 250
EVERYWHERE = order(meetings=("*",))

OPENED = b'{"janus":"success","transaction":"t","data":{"id":1}}'
"""What the meeting server says first: on Janus, that the session is this WebSocket's; to the others, nothing."""

JANUS = [
    b'{"janus":"message","transaction":"t","session_id":1,"handle_id":2,"body":{"request":"join","room":"m","id":"b"}}',
    b'{"janus":"message","transaction":"t","session_id":1,"handle_id":2,"body":{"request":"JoinAndConfigure","room":1}}',
    b'{"janus":"claim","transaction":"t","session_id":1}',
    b'{"janus":"create","transaction":"t"}',
    b'{"janus":"keepalive","transaction":"t","session_id":1}',
]
XMPP = [
    b"<presence xmlns='jabber:client' to='m@muc.x/b'><x xmlns='http://jabber.org/protocol/muc'/></presence>",
    b"<presence xmlns='jabber:client' to='&#109;@muc.x/b'/>",
    b"<resume xmlns='urn:xmpp:sm:3' previd='p' h='0'/>",
    b"<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='x' version='1.0'/>",
    b"<iq xmlns='jabber:client' type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>",
]
GALENE = [
    b'{"type":"handshake","id":"b"}',
    b'{"type":"join","kind":"join","group":"m","username":"b"}',
    b'{"Type":"join","KIND":"join","group":"m"}',
    b'{"type":"chat","value":"hello"}',
]


def damaged(data: bytes, chance: random.Random) -> bytes:
    """Change, drop or add a byte or two."""
    for _ in range(chance.choice((0, 0, 1, 2))):
        at = chance.randrange(len(data) + 1)
        data = (
            data[:at]
            + bytes(chance.randrange(256) for _ in range(chance.randrange(3)))
            + data[at + chance.randrange(3) :]
        )
    return data


def stream(templates: list[bytes], chance: random.Random) -> bytes:
    raw = b""
    for _ in range(chance.randrange(1, 6)):
        message = damaged(chance.choice(templates), chance)
        cuts = sorted(chance.randrange(len(message) + 1) for _ in range(chance.choice((0, 0, 1, 3))))
        ends = [0, *cuts, len(message)]
        for number, (start, end) in enumerate(zip(ends, ends[1:], strict=False)):  # noqa: RUF007 - its index counts
            opcode = 0 if number else chance.choice((TEXT, TEXT, BINARY))
            raw += build_frame(opcode, message[start:end], fin=number == len(cuts))
            if chance.random() < 0.1:
                raw += build_frame(chance.choice((PING, CLOSE, 0, 3)), b"")
    return damaged(raw, chance) if chance.random() < 0.3 else raw


async def accept_and_open(wire: Wire) -> None:
    await wire.head()
    wire.send(SWITCHING + server_frame(TEXT, OPENED))
    await wire.rest()


async def say(bench: Bench, data: bytes, chance: random.Random) -> None:
    client = await bench.open(CN)
    client.send(
        f"GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {KEY}\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: xmpp\r\n\r\n".encode()
    )
    await client.head()
    await client.read(2 + len(OPENED))
    at = chance.randrange(len(data) + 1)
    with contextlib.suppress(ConnectionError):
        client.send(data[:at])
        await asyncio.sleep(0)
        client.send(data[at:])
        client.writer.write_eof()
        await asyncio.wait_for(client.rest(), LIMIT)
    client.abort()


def joins_in(dialect: Dialect, relayed: bytes) -> list[object]:
    """Read what has arrived upstream as the server would, and return what of it brings somebody in."""
    conversation = dialect.conversation(b"/ws", [(b"Sec-WebSocket-Protocol", b"xmpp")])
    assert conversation is not None
    conversation.from_server(OPENED)
    found: list[object] = []
    with contextlib.suppress(MessageError):
        for piece in MessageReader(masked=True, most=1 << 20).feed(relayed):
            if piece.message is not None:
                said = conversation.from_client(piece.message)  # what it cannot read has not been relayed
                found += [said] if isinstance(said, Enters | Resumes) else []
    return found


@pytest.mark.parametrize(("server", "templates"), [("janus", JANUS), ("prosody", XMPP), ("galene", GALENE)])
async def test_no_bytes_are_a_join_unjudged(
    server: str, templates: list[bytes], caplog: pytest.LogCaptureFixture
) -> None:
    dialect, reading = dialect_of(server), dialect_of(server)
    assert dialect is not None
    assert reading is not None
    chance = random.Random(20200604)
    with caplog.at_level(logging.WARNING):
        async with gate_bench(accept_and_open, dialect=dialect, rules=(EVERYWHERE,)) as bench:
            for _ in range(CONNECTIONS):
                await say(bench, stream(templates, chance), chance)
            relayed = [after_head(wire) for wire in bench.upstream.wires]
    assert not caplog.records
    assert sum(map(len, relayed)) > 1000, "nothing went through: nothing is proved"
    assert bench.recorder.recorded, "nothing was judged: nothing is proved"
    for data in relayed:
        try:
            assert joins_in(reading, data) == []
        except UnreadableError as error:
            pytest.fail(f"{data!r} went on and cannot be read: {error}")
