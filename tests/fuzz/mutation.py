"""One input out of others: a few changes at random, of the kinds that parsers stumble over."""

import random
from collections.abc import Sequence
from typing import Final

LONGEST: Final = 4096
"""Bytes; what is longer tests patience."""

_ODD: Final = (
    b"\x00\x01\x09\x0a\x0b\x0c\x0d\x1f\x20\x22\x26\x27\x2b\x2c\x2d\x2e\x3a\x3b\x3c\x3d\x5c\x7f\x80\xa0\xc2\xed\xff"
)
_NUMBERS: Final = tuple(b"-1 0 00 1e9 127 128 255 256 65535 65536 2147483648 4294967296 9223372036854775808".split())


def mutated(chance: random.Random, corpus: Sequence[bytes], tokens: Sequence[bytes]) -> bytes:
    """Take an entry of the corpus, now and then half of another behind it, and change it in one to six places."""
    data = bytearray(chance.choice(corpus))
    if chance.random() < 0.2:
        other = chance.choice(corpus)
        data[chance.randrange(len(data) + 1) :] = other[chance.randrange(len(other) + 1) :]
    for _ in range(chance.choice((1, 1, 1, 2, 3, 6))):
        _change(chance, data, tokens)
    return bytes(data[:LONGEST])


def _change(chance: random.Random, data: bytearray, tokens: Sequence[bytes]) -> None:
    start = chance.randrange(len(data) + 1)
    end = min(len(data), start + chance.choice((0, 0, 1, 1, 2, 4, 16, 64)))
    match chance.randrange(9):
        case 0:
            data[start:end] = b""
        case 1:
            data[start:start] = data[start:end] * chance.choice((1, 1, 2, 8))
        case 2:
            data[start:end] = chance.choice(tokens)
        case 3:
            data[start:end] = bytes((chance.choice(_ODD),))
        case 4:
            data[start:end] = chance.randbytes(end - start)
        case 5:
            data[start:end] = chance.choice(_NUMBERS)
        case 6:
            lines = data.splitlines(keepends=True)
            first, second = chance.randrange(len(lines) + 1), chance.randrange(len(lines) + 1)
            lines[first:first] = lines[second : second + 1]
            data[:] = b"".join(lines)
        case 7:
            line = data.rfind(b"\n", 0, start) + 1
            data[line : data.find(b"\n", line) + 1 or len(data)] = chance.choice(tokens)
        case _ if start < len(data):
            data[start] ^= 1 << chance.randrange(8)
        case _:
            data += chance.choice(tokens)
