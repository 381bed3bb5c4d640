from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode

from joingate.codecs.websocket_messages import MessageError, MessageReader, Piece, build_text

MOST = 1000


def frame(opcode: Opcode, data: bytes = b"", *, fin: bool = True, masked: bool = True) -> bytes:
    return Frame(opcode, data, fin=fin).serialize(mask=masked)


def text(data: bytes, *, fin: bool = True) -> bytes:
    return frame(Opcode.TEXT, data, fin=fin)


def rest(data: bytes, *, fin: bool = True) -> bytes:
    return frame(Opcode.CONT, data, fin=fin)


def read(*chunks: bytes) -> list[Piece]:
    reader = MessageReader(masked=True, most=MOST)
    return [piece for chunk in chunks for piece in reader.feed(chunk)]


messages = st.lists(st.binary(max_size=20), min_size=1, max_size=4)
controls = st.lists(st.sampled_from([frame(Opcode.PING, b"a"), frame(Opcode.PONG)]), max_size=2).map(b"".join)


@st.composite
def streams(draw: st.DrawFn) -> tuple[bytes, list[bytes]]:
    raw, said = b"", []
    for fragments in draw(st.lists(messages, max_size=5)):
        for at, data in enumerate(fragments):
            is_last = at == len(fragments) - 1
            opcode = Opcode.CONT if at else draw(st.sampled_from((Opcode.TEXT, Opcode.BINARY)))
            raw += draw(controls) + frame(opcode, data, fin=is_last)
        said.append(b"".join(fragments))
    return raw + draw(controls), said


@given(streams(), st.lists(st.integers(0, 200)))
def test_however_a_stream_is_cut_its_messages_are_read_and_its_bytes_given_back(
    stream: tuple[bytes, list[bytes]], cuts: Sequence[int]
) -> None:
    raw, said = stream
    ends = sorted({min(cut, len(raw)) for cut in cuts} | {0, len(raw)})
    pieces = read(*(raw[start:end] for start, end in pairwise(ends)))
    assert [piece.message for piece in pieces if piece.message is not None] == said
    assert b"".join(piece.raw for piece in pieces) == raw


def test_a_message_is_held_until_it_is_whole() -> None:
    reader = MessageReader(masked=True, most=MOST)
    first, ping, last = text(b"he", fin=False), frame(Opcode.PING), rest(b"y")
    assert reader.is_between_messages
    assert not list(reader.feed(first + ping))
    assert (reader.unread, reader.is_between_messages) == (first + ping, False)
    assert list(reader.feed(last)) == [Piece(first + ping + last, b"hey")]
    assert reader.is_between_messages


def test_control_frames_between_messages_go_on_at_once() -> None:
    ping = frame(Opcode.PING, b"a")
    assert read(ping + ping) == [Piece(ping, None)] * 2


def test_nothing_is_read_after_a_close() -> None:
    close = frame(Opcode.CLOSE, b"\x03\xe8")
    assert read(text(b"a", fin=False) + close + rest(b"b"), text(b"c"))[0].message is None
    assert len(read(close, text(b"c"))) == 1


def test_what_came_before_what_cannot_be_read_is_given() -> None:
    reader = MessageReader(masked=True, most=MOST)
    feeding = reader.feed(text(b"a") + b"\xff\xff")
    assert next(feeding).message == b"a"
    with pytest.raises(MessageError) as raised:
        next(feeding)
    assert (raised.value.code, raised.value.text) == (1002, "Not a WebSocket frame: invalid opcode.")
    assert not list(reader.feed(text(b"b")))


@pytest.mark.parametrize(
    "stream",
    [
        rest(b"a"),
        text(b"a", fin=False) + text(b"b"),
        frame(Opcode.TEXT, b"a", masked=False),
        b"\x89\xfe\x00\x7e" + bytes(130),
        b"\xc1\x80" + bytes(4),
    ],
    ids=["a rest of nothing", "no rest", "not masked", "a ping of 126 bytes", "compressed, which was not negotiated"],
)
def test_what_is_no_websocket_is_refused(stream: bytes) -> None:
    with pytest.raises(MessageError) as raised:
        read(stream)
    assert raised.value.code == 1002


@pytest.mark.parametrize(
    "stream",
    [
        b"\x81\xfe\x03\xe9",  # the length alone is enough
        b"\x81\xff" + b"\xff" * 8,
        text(bytes(MOST), fin=False) + rest(b"a"),
        text(b"a", fin=False) + frame(Opcode.PING, bytes(125)) * 20,
    ],
)
def test_what_is_too_long_is_refused(stream: bytes) -> None:
    with pytest.raises(MessageError) as raised:
        read(stream)
    assert (raised.value.code, raised.value.text) == (1009, "A message has more than 1000 bytes.")


def test_the_longest_message_is_read() -> None:
    assert read(text(bytes(MOST)))[0].message == bytes(MOST)


@given(st.lists(st.binary(max_size=60)))
def test_no_bytes_break_it(chunks: list[bytes]) -> None:
    reader = MessageReader(masked=True, most=MOST)
    given_back = b""
    try:
        for chunk in chunks:
            for piece in reader.feed(chunk):
                given_back += piece.raw
    except MessageError:
        assert reader.is_closed
    assert b"".join(chunks).startswith(given_back)


@given(st.text(max_size=300))
def test_a_servers_text_frame_is_not_masked(said: str) -> None:
    reader = MessageReader(masked=False, most=2000)
    assert [piece.message for piece in reader.feed(build_text(said.encode()))] == [said.encode()]
