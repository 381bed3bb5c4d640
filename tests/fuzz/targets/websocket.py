"""However a stream of frames is cut, the same messages come out of it, each with its own bytes and none lost."""

import random
import zlib

from joingate.codecs.websocket_messages import MessageError, MessageReader, Piece

MOST = 1000
TOKENS = (
    *(
        b"\x81\x82\x00\x00\x00\x00hi",
        b"\x01\x82\x00\x00\x00\x00hi",
        b"\x80\x82\x00\x00\x00\x00hi",
        b"\x89\x80\x00\x00\x00\x00",
    ),
    *(
        b"\x88\x82\x00\x00\x00\x00\x03\xe8",
        b"\x81\xfe\x03\xe8\x00\x00\x00\x00",
        b"\x82\xff\x00\x00\x00\x00\x00\x00\x03\xe9",
    ),
    *(
        b"\xc1\x80\x00\x00\x00\x00",
        b"\x83\x80\x00\x00\x00\x00",
        b"\x8b\x80\x12\x34\x56\x78",
        b"\x88\x80\x00\x00\x00\x00",
    ),
)


def check(data: bytes) -> None:
    """Read the input in one piece, and in many."""
    whole = _read([data])
    chance = random.Random(zlib.crc32(data))
    assert _read(_cut(data, chance)) == whole, "it depends on how the stream is cut"
    assert _read([data[at : at + 1] for at in range(len(data))]) == whole, "it depends on how the stream is cut"
    pieces, unread, code = whole
    assert code in (None, 1002, 1009), "an error has no such Close code"
    said = b"".join(piece.raw for piece in pieces)
    assert data.startswith(said), "what goes on is not what came"
    if code is None:
        assert data.startswith(said + unread), "what goes on is not what came"
    for piece in pieces:
        alone, rest, _ = _read([piece.raw])
        assert (alone, rest) == ([piece], b""), "a piece does not say by itself what it said among others"


def _read(parts: list[bytes]) -> tuple[list[Piece], bytes, int | None]:
    reader = MessageReader(masked=True, most=MOST)
    pieces: list[Piece] = []
    try:
        for part in parts:
            if not reader.is_closed:
                pieces.extend(reader.feed(part))
    except MessageError as error:
        return pieces, b"", error.code
    return pieces, b"" if reader.is_closed else reader.unread, None


def _cut(data: bytes, chance: random.Random) -> list[bytes]:
    places = sorted(chance.randrange(len(data) + 1) for _ in range(5))
    return [data[start:end] for start, end in zip([0, *places], [*places, len(data)], strict=True)]
