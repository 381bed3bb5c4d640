"""What a WebSocket server may be sent, and what an echoing one answers by RFC 6455; numbered in families as Autobahn's.

Its own suite (families 1 to 7, 9, 10) needs Python 2, so these cases are written anew; sizes are kept small. Each says
what has to come back, so that the server which they compare a gate with is itself held to the standard.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from tests.ws_client import BINARY, CLOSE, PING, PONG, TEXT, build_frame

CONTINUATION: Final = 0
NO_CODE: Final = 1005
"""Stands for a Close without a code, and never travels."""

Wrap = Callable[[bytes], bytes]
"""Makes a message, of the kind that is spoken, out of the text that a case is about."""


@dataclass(frozen=True, slots=True)
class Move:
    """Bytes to send, in pieces of `chop` bytes if not 0; then `awaits` messages or Pongs are waited for."""

    raw: bytes
    awaits: int = 0
    chop: int = 0


@dataclass(frozen=True, slots=True)
class Case:
    """One connection.

    Attributes:
        name: its family, and what it is about.
        moves: what is sent, in order.
        code: of the Close that comes back.
        messages: every message that comes back, its opcode and its payload.
        pongs: the payload of every Pong.
    """

    name: str
    moves: Sequence[Move]
    code: int
    messages: Sequence[tuple[int, bytes]] = ()
    pongs: Sequence[bytes] = ()


def frame(opcode: int, payload: bytes = b"", *, fin: bool = True, rsv: int = 0) -> bytes:
    """Build a client's frame; `rsv` are its three reserved bits."""
    raw = build_frame(opcode, payload, fin=fin)
    return bytes((raw[0] | rsv << 4,)) + raw[1:]


def close(code: int, reason: bytes = b"") -> bytes:
    return frame(CLOSE, code.to_bytes(2, "big") + reason)


def fragments(opcode: int, parts: Sequence[bytes], between: bytes = b"") -> bytes:
    """Build a message of several frames, with other frames between any two of them."""
    last = len(parts) - 1
    return between.join(frame(CONTINUATION if at else opcode, part, fin=at == last) for at, part in enumerate(parts))


def cut(payload: bytes, size: int) -> list[bytes]:
    return [payload[at : at + size] for at in range(0, len(payload), size)] or [b""]


def cases(wrap: Wrap) -> dict[str, Case]:
    """Return every case by its name.

    Args:
        wrap: makes the messages, all but those that are too short to be of any kind.
    """
    make = _Maker(wrap)
    found = [
        *make.messages(),
        *make.pings(),
        *make.reserved(),
        *make.fragmented(),
        *make.utf8(),
        *make.closing(),
        *make.large(),
    ]
    assert len({case.name for case in found}) == len(found)
    return {case.name: case for case in found}


class _Maker:
    def __init__(self, wrap: Wrap) -> None:
        self._wrap = wrap

    def _of_size(self, size: int) -> bytes:
        room = size - len(self._wrap(b""))
        return b"*" * size if room < 0 else self._wrap(b"*" * room)

    def _echoed(
        self, name: str, raw: bytes, *messages: tuple[int, bytes], pongs: Sequence[bytes] = (), chop: int = 0
    ) -> Case:
        replies = len(messages) + len(pongs)
        return Case(name, [Move(raw, replies, chop), Move(close(1000))], 1000, messages, pongs)

    def _failed(self, name: str, raw: bytes, code: int = 1002, *, after: bool = False) -> Case:
        """What is sent ends the connection; `after` a message has gone well."""
        good = self._wrap(b"before")
        if after:
            return Case(name, [Move(frame(TEXT, good), 1), Move(raw)], code, [(TEXT, good)])
        return Case(name, [Move(raw)], code)

    def messages(self) -> Iterator[Case]:
        for part, opcode in ((1, TEXT), (2, BINARY)):
            for size in (0, 125, 126, 127, 128, 65535, 65536):
                payload = self._of_size(size)
                yield self._echoed(f"1.{part}: a message of {size} bytes", frame(opcode, payload), (opcode, payload))
            payload = self._of_size(65536)
            name = f"1.{part}: a message of 65536 bytes in pieces of 997"
            yield self._echoed(name, frame(opcode, payload), (opcode, payload), chop=997)

    def pings(self) -> Iterator[Case]:
        for name, payload in {
            "without a payload": b"",
            "with a text": b"Hello, world!",
            "with bytes": b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff",
            "of 125 bytes": b"\xfe" * 125,
        }.items():
            yield self._echoed(f"2: a Ping {name}", frame(PING, payload), pongs=[payload])
        yield self._echoed("2: a Ping byte by byte", frame(PING, b"\xfe" * 125), pongs=[b"\xfe" * 125], chop=1)
        yield self._failed("2: a Ping of 126 bytes", frame(PING, b"\xfe" * 126))
        yield self._echoed("2: a Pong that nobody asked for", frame(PONG))
        yield self._echoed("2: a Pong with a payload", frame(PONG, b"unasked"))
        yield self._echoed("2: a Pong, then a Ping", frame(PONG, b"unasked") + frame(PING, b"x"), pongs=[b"x"])
        ten = [b"payload-%d" % number for number in range(10)]
        pings = b"".join(frame(PING, payload) for payload in ten)
        yield self._echoed("2: ten Pings", pings, pongs=ten)
        yield self._echoed("2: ten Pings byte by byte", pings, pongs=ten, chop=1)

    def reserved(self) -> Iterator[Case]:
        for rsv in range(1, 8):
            payload = self._wrap(b"reserved")
            raw = frame(TEXT, payload, rsv=rsv) + frame(PING)
            yield self._failed(f"3: reserved bits {rsv:03b} in a text", raw, after=rsv % 2 == 0)
        yield self._failed("3: reserved bits in a Ping", frame(PING, b"x", rsv=5), after=True)
        yield self._failed("3: reserved bits in a Close", frame(CLOSE, rsv=7))
        yield self._failed("3: reserved bits, byte by byte", frame(BINARY, b"x", rsv=3), after=True)
        for part, opcodes in ((1, range(3, 8)), (2, range(11, 16))):
            for opcode in opcodes:
                payload = b"reserved" if opcode % 2 else b""
                raw = frame(opcode, payload) + frame(PING)
                yield self._failed(f"4.{part}: opcode {opcode}", raw, after=opcode in {5, 6, 7, 13, 14, 15})

    def fragmented(self) -> Iterator[Case]:
        whole = self._wrap(b"fragment1fragment2")
        two = [whole[: len(whole) // 2], whole[len(whole) // 2 :]]
        five = cut(whole, len(whole) // 4)
        ping = frame(PING, b"between")
        yield self._failed("5: a Ping in two fragments", fragments(PING, [b"fragment1", b"fragment2"]))
        yield self._failed("5: a Pong in two fragments", fragments(PONG, [b"fragment1", b"fragment2"]))
        for chop in (0, 1):
            pieces = " byte by byte" if chop else ""
            yield self._echoed(f"5: two fragments{pieces}", fragments(TEXT, two), (TEXT, whole), chop=chop)
            yield self._echoed(
                f"5: a Ping between two fragments{pieces}",
                fragments(TEXT, two, ping),
                (TEXT, whole),
                pongs=[b"between"],
                chop=chop,
            )
            yield self._failed(f"5: a continuation of nothing{pieces}", frame(CONTINUATION, whole), after=True)
            yield self._failed(
                f"5: an unfinished continuation of nothing{pieces}",
                frame(CONTINUATION, two[0], fin=False) + frame(TEXT, whole),
                after=True,
            )
            yield self._failed(f"5: a text inside a text{pieces}", frame(TEXT, two[0], fin=False) + frame(TEXT, two[1]))
        many = len(five) - 1
        yield self._echoed("5: many fragments", fragments(TEXT, five), (TEXT, whole))
        yield self._echoed(
            "5: Pings between many", fragments(TEXT, five, ping), (TEXT, whole), pongs=[b"between"] * many
        )
        yield self._echoed("5: many in binary", fragments(BINARY, five, frame(PONG)), (BINARY, whole))
        yield Case(
            "5: a continuation after a whole message",
            [Move(fragments(TEXT, two), 1), Move(frame(CONTINUATION, b"fragment3", fin=False) + frame(TEXT, whole))],
            1002,
            [(TEXT, whole)],
        )
        yield self._echoed(
            "6.1: three empty fragments around a text", fragments(TEXT, [b"", whole, b""]), (TEXT, whole)
        )

    def utf8(self) -> Iterator[Case]:
        long = self._wrap("Hello-µ@ßöäüàá-UTF-8!!".encode())
        yield self._echoed("6.2: text in UTF-8", frame(TEXT, long), (TEXT, long))
        for size in (1, 2, 3):
            name = f"6.2: text in fragments of {size} bytes"
            yield self._echoed(name, fragments(TEXT, cut(long, size)), (TEXT, long))
        yield self._echoed("6.2: text in UTF-8, byte by byte", frame(TEXT, long), (TEXT, long), chop=1)
        for name, text in _TEXTS.items():
            payload = self._wrap(text)
            if _is_utf8(text):
                yield self._echoed(f"6: {name}", frame(TEXT, payload), (TEXT, payload))
            else:
                yield self._failed(f"6: {name}", frame(TEXT, payload), 1007)
        for at, number in ((1, 0), (12, 1)):
            bad = self._wrap("κόσμε".encode() + b"\xf4\x90\x80\x80" + b"edited")
            parts = [bad[:at], bad[at:]]
            yield self._failed(f"6.4: no UTF-8, in two fragments ({number})", fragments(TEXT, parts), 1007)
        bad = self._wrap(b"\xce\xba\xed\xa0\x80edited")
        yield self._echoed("6.3: bytes that are no UTF-8, in binary", frame(BINARY, bad), (BINARY, bad))

    def closing(self) -> Iterator[Case]:
        good = self._wrap(b"before")
        once = [Move(frame(TEXT, good), 1)]
        echoed = [(TEXT, good)]
        yield Case("7.1: a message, then a Close", [*once, Move(close(1000))], 1000, echoed)
        yield Case("7.1: two Closes", [Move(close(1000) + close(1000))], 1000)
        yield Case("7.1: a Ping after a Close", [Move(close(1000) + frame(PING))], 1000)
        yield Case("7.1: a message after a Close", [*once, Move(close(1000) + frame(TEXT, good))], 1000, echoed)
        # RFC 6455 5.5.1 would have it echoed; the websockets library says that the message is incomplete.
        yield Case("7.1: a Close inside a message", [Move(frame(TEXT, good[:5], fin=False) + close(1000))], 1002)
        large = self._of_size(262_000)
        yield Case(
            "7.1: a Close right behind a large message, and a Ping",
            [Move(frame(TEXT, large), 1), Move(close(1000) + frame(PING))],
            1000,
            [(TEXT, large)],
        )
        yield Case("7.3: a Close without a code", [Move(frame(CLOSE))], NO_CODE)
        yield Case("7.3: a Close with half a code", [Move(frame(CLOSE, b"\x03"))], 1002)
        yield Case("7.3: a Close with a reason", [Move(close(1000, b"Hello World!"))], 1000)
        yield Case("7.3: a Close with the longest reason", [Move(close(1000, b"*" * 123))], 1000)
        yield Case("7.3: a Close with too long a reason", [Move(close(1000, b"*" * 124))], 1002)
        yield Case("7.5: a Close with a reason that is no UTF-8", [Move(close(1000, b"\xce\xba\xe1\xbd"))], 1007)
        for code in (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999):
            yield Case(f"7.7: a Close of {code}", [Move(close(code))], code)
        for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535):
            yield Case(f"7.9: a Close of {code}", [Move(close(code))], 1002)

    def large(self) -> Iterator[Case]:
        for part, opcode in ((1, TEXT), (2, BINARY)):
            for size in (131_072, 262_144, 262_145, 1_048_576):
                payload = self._of_size(size)
                yield self._echoed(f"9.{part}: a message of {size} bytes", frame(opcode, payload), (opcode, payload))
        for part, opcode in ((3, TEXT), (4, BINARY)):
            payload = self._of_size(131_072)
            for size in (64, 1024, 65_536):
                name = f"9.{part}: a message in fragments of {size} bytes"
                yield self._echoed(name, fragments(opcode, cut(payload, size)), (opcode, payload))
        for part, opcode in ((5, TEXT), (6, BINARY)):
            for chop in (64, 512, 2048):
                payload = self._of_size(65_536)
                name = f"9.{part}: a message in pieces of {chop} bytes"
                yield self._echoed(name, frame(opcode, payload), (opcode, payload), chop=chop)
        for part, opcode in ((7, TEXT), (8, BINARY)):
            for size in (0, 64, 1024):
                payload = self._of_size(size)
                moves = [Move(frame(opcode, payload), 1)] * 100
                name = f"9.{part}: a hundred messages of {size} bytes, one after another"
                yield Case(name, [*moves, Move(close(1000))], 1000, [(opcode, payload)] * 100)
        payload = self._of_size(65_536)
        yield self._echoed(
            "10: a message in frames of 1300 bytes", fragments(TEXT, cut(payload, 1300)), (TEXT, payload)
        )


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _sequences() -> Iterator[tuple[str, bytes]]:
    """Yield texts about which readers of UTF-8 disagree (RFC 3629 3, 10), and valid ones close to them."""
    greek = "κόσμε".encode()
    for end in range(1, len(greek) + 1):
        yield f"the first {end} bytes of a Greek word", greek[:end]
    for name, codes in {
        "first of its length": (0x01, 0x80, 0x800, 0x10000),
        "last of its length": (0x7F, 0x7FF, 0xFFFF, 0x10FFFF),
        "at a border": (0xD7FF, 0xE000, 0xFFFD),
        "no character": (0xFFFE, 0x1FFFE, 0x2FFFF, 0xFDD0, 0xFDEF),
    }.items():
        for code in codes:
            yield f"U+{code:04X}, {name}", chr(code).encode()
    for code in (0xD800, 0xDB7F, 0xDBFF, 0xDC00, 0xDFFF):
        yield f"the surrogate U+{code:04X}", chr(code).encode(errors="surrogatepass")
    for high, low in ((0xD800, 0xDC00), (0xDB7F, 0xDC00), (0xDBFF, 0xDFFF)):
        yield f"the surrogates U+{high:04X} U+{low:04X}", (chr(high) + chr(low)).encode(errors="surrogatepass")
    for name, text in {
        "beyond the last character": b"\xf4\x90\x80\x80",
        "the largest of four bytes": b"\xf7\xbf\xbf\xbf",
        "five bytes": b"\xf8\x88\x80\x80\x80",
        "the largest of five bytes": b"\xfb\xbf\xbf\xbf\xbf",
        "six bytes": b"\xfc\x84\x80\x80\x80\x80",
        "the largest of six bytes": b"\xfd\xbf\xbf\xbf\xbf\xbf",
        "a continuation alone": b"\x80",
        "the last continuation alone": b"\xbf",
        "seven continuations": b"\x80\xbf\x80\xbf\x80\xbf\x80",
        "every continuation": bytes(range(0x80, 0xC0)),
        "every start of two bytes": b" ".join(bytes((each,)) for each in range(0xC0, 0xE0)),
        "every start of three bytes": b" ".join(bytes((each,)) for each in range(0xE0, 0xF0)),
        "every start of four bytes": b" ".join(bytes((each,)) for each in range(0xF0, 0xF8)),
        "two bytes, the last missing": b"\xdf",
        "three bytes, the last missing": b"\xef\xbf",
        "four bytes, the last missing": b"\xf0\x80\x80",
        "the byte FE": b"\xfe",
        "the byte FF": b"\xff",
        "both": b"\xfe\xfe\xff\xff",
        "a slash in two bytes": b"\xc0\xaf",
        "a slash in three bytes": b"\xe0\x80\xaf",
        "a slash in four bytes": b"\xf0\x80\x80\xaf",
        "the largest overlong of two bytes": b"\xc1\xbf",
        "the largest overlong of three bytes": b"\xe0\x9f\xbf",
        "the largest overlong of four bytes": b"\xf0\x8f\xbf\xbf",
        "NUL in two bytes": b"\xc0\x80",
        "NUL in three bytes": b"\xe0\x80\x80",
        "a byte order mark": b"\xef\xbb\xbf",
    }.items():
        yield name, text


_TEXTS: Final = dict(_sequences())
