"""However the bytes of a connection are cut, the same requests go on, and a strict reader reads each as it was judged.

Where RTSP or ICE is named anywhere, fewer may go on, never others.

The gate's own connection and exchange run on paper: a meeting server answers at once and keeps what it was sent.
"""

import asyncio
import random
import re
import zlib
from collections import deque
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple, cast

from joingate.codecs.http1 import NO_BODY, Headers, ResponseHead
from joingate.codecs.join_request import JoinMatcher
from joingate.core.decision import Decision
from joingate.core.model import UNKNOWN, Address, Cause, Location
from joingate.core.rule_set import RuleSet
from joingate.gate.downstream import Downstream
from joingate.gate.exchange import Exchange
from joingate.gate.gate import Gate
from joingate.gate.options import GateOptions
from tests.edges.gate_fixture import ROUTE
from tests.recorders import FreeRecorder

TOKENS = (
    *(
        b"GET /r HTTP/1.1\r\n",
        b"POST /r HTTP/1.1\r\n",
        b"HTTP/1.0",
        b"RTSP/1.0",
        b"ICE/1.0",
        b"Host: a\r\n",
        b"\r\n\r\n",
        b"\r\n",
        b"\n",
        b"\r",
        b" ",
        b"\t",
    ),
    *(
        b"Content-Length: 5\r\n",
        b"Content-Length: 0\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Connection: close\r\n",
        b"0\r\n\r\n",
    ),
    *(
        b"Connection: Upgrade\r\nUpgrade: h2c\r\n",
        b"Connection: Upgrade\r\nUpgrade: websocket\r\n",
        b"Expect: 100-continue\r\n",
    ),
    *(
        b"5\r\nabcde\r\n",
        b"Content_Length: 5\r\n",
        b"http://a/r",
        b"X-Forwarded-For: 1.2.3.4\r\n",
        b"%2e",
        b"//",
        b"#",
        b"chunked",
    ),
    *(b"GET /meetings/m/join?user=u HTTP/1.1\r\nHost: a\r\n\r\n", b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"),
)
_HEAD = re.compile(rb"([A-Z-]+) (/[!-~]*|\*) HTTP/1\.1\r\n((?:[!#-'*+.^_`|~0-9A-Za-z-]+: ?[\t -~\x80-\xff]*\r\n)*)\r\n")
_OTHER_PROTOCOLS = re.compile(rb"RTSP/|ICE/")
_CHUNK = re.compile(rb"([0-9a-f]{1,8})\r\n")
_TRAILERS = re.compile(rb"(?:[!#-'*+.^_`|~0-9A-Za-z-]+: ?[\t -~\x80-\xff]*\r\n)*\r\n")


class Request(NamedTuple):
    """One request, as the strict reader reads it."""

    method: bytes
    target: bytes
    body: bytes


class Forwarded(NamedTuple):
    """One request on its way to the meeting server.

    Attributes:
        judged: the method and target that the gate has judged.
        sent: the bytes that it has written.
        is_whole: whether it has come to the request's end.
    """

    judged: tuple[bytes, bytes]
    sent: bytes
    is_whole: bool


def check(data: bytes) -> None:
    """Send the input in one piece, cut somewhere, and byte by byte."""
    whole = _sent(data)
    chance = random.Random(zlib.crc32(data))
    places = sorted(chance.randrange(len(data) + 1) for _ in range(4))
    exactly = _sent(data, *range(len(data))) if len(data) < 300 else None
    for found in (whole, _sent(data, *places)):
        if _OTHER_PROTOCOLS.search(data) is None:
            assert found == (whole if exactly is None else exactly), "it depends on how the bytes are cut"
        elif exactly is not None:  # in doubt RTSP and ICE are refused (names_other_protocol); a byte leaves none
            assert found == exactly[: len(found)], "another protocol goes on for HTTP"


def _sent(data: bytes, *places: int) -> list[Request]:
    """Return the whole requests that go on."""
    found = []
    for judged, sent, is_whole in forwarded(_gate(), data, *places):
        request = strictly(sent)
        assert (request is not None) == is_whole, "a body ends elsewhere than it did"
        if request is not None:
            assert (request.method, request.target) == judged, "another request than the one judged"
            found.append(request)
    return found


def forwarded(gate: Gate, data: bytes, *places: int) -> list[Forwarded]:
    """Send an input, cut at some places, and return what the meeting server gets of it."""
    server, line, loop = _Server(), _Line(), _Loop()
    running = asyncio.get_running_loop()
    asyncio._set_running_loop(cast("Any", loop))
    try:
        connection = Downstream(gate, cast("Any", server))
        connection.connection_made(cast("Any", line))
        for start, end in zip((0, *places), (*places, len(data)), strict=True):
            if start < end and not line.is_closed:
                connection.data_received(data[start:end])
                loop.turn()
        connection.connection_lost(None)
    finally:
        asyncio._set_running_loop(running)
    return [Forwarded(judged, bytes(sent), is_whole) for judged, sent, is_whole in server.exchanges]


class _Loop:
    """The event loop, which turns until nothing is left to be done."""

    def __init__(self) -> None:
        self._due: deque[Callable[[], None]] = deque()

    def time(self) -> float:
        return 0.0

    def call_soon(self, do: Callable[[], None]) -> None:
        self._due.append(do)

    def turn(self) -> None:
        while self._due:
            self._due.popleft()()


class _Line:
    """The transport of the connection to the client."""

    is_closed = False

    def get_extra_info(self, name: str) -> object:
        return ("127.0.0.1", 5) if name == "peername" else None

    def close(self) -> None:
        self.is_closed = True

    abort = close

    def is_closing(self) -> bool:
        return self.is_closed

    def can_write_eof(self) -> bool:
        return True

    def ignore(self, *_: object, **__: object) -> None:
        """Take anything else."""

    write = write_eof = set_write_buffer_limits = pause_reading = resume_reading = ignore


class _Server:
    """The pool and its connections, each for one request. A request is answered when all of it is there."""

    def __init__(self) -> None:
        self.exchanges: list[tuple[tuple[bytes, bytes], bytearray, bool]] = []
        self.options = _Server
        self.transport = self
        self.is_reused = False
        self._sink: Exchange | None = None

    host_header = b"up"

    def take(self, now: float, *, is_repeatable: bool) -> "_Server":  # noqa: ARG002 - UpstreamPool's
        return self

    def carry(self, sink: Exchange, request: bytes) -> None:
        self._sink = sink
        self.exchanges.append(((sink.head.method, sink.head.target), bytearray(), False))
        self.write(request)

    def write(self, data: bytes) -> None:
        judged, sent, _ = self.exchanges[-1]
        sent += data
        sink = self._sink
        if sink is not None and sink.is_received:
            self.exchanges[-1] = judged, sent, True
            self._sink = None
            sink.response_head(ResponseHead(200, b"OK", [], NO_BODY, b"0"))
            sink.response_end([], reusable=True)

    def release(self, *, reusable: bool) -> None:
        del reusable

    def abort(self) -> None:
        self._sink = None

    def is_closing(self) -> bool:
        return False

    def get_write_buffer_size(self) -> int:
        return 0

    def pause_reading(self) -> None:
        raise AssertionError

    resume_reading = pause_reading


def strictly(data: bytes) -> Request | None:
    """Read all of `data` as one request by the grammar alone; None where it is the beginning of one."""
    head = _HEAD.match(data)
    assert head is not None, "what goes on is no head"
    fields: Headers = []
    for line in head[3].split(b"\r\n")[:-1]:
        name, _, value = line.partition(b":")
        fields.append((name.lower(), value.strip()))
    names = [name for name, _ in fields]
    assert names.count(b"host") == 1, "Host is not there once"
    assert [value for name, value in fields if name == b"x-forwarded-for"] == [b"127.0.0.1"], "the client is forged"
    framing = [(name, value) for name, value in fields if name in {b"content-length", b"transfer-encoding"}]
    assert len(framing) < 2, "framed twice"
    assert not {name.replace(b"_", b"-") for name in names if b"_" in name} & {b"content-length", b"transfer-encoding"}
    rest = data[head.end() :]
    if framing == [(b"transfer-encoding", b"chunked")]:
        body = _unchunked(rest)
    else:
        length = int(framing[0][1]) if framing else 0
        assert len(rest) <= length, "more than was announced"
        body = rest if len(rest) == length else None
    return None if body is None else Request(head[1], head[2], body)


def _unchunked(rest: bytes) -> bytes | None:
    body, at = bytearray(), 0
    while at < len(rest):
        size = _CHUNK.match(rest, at)
        assert size is not None, "no chunk"
        if not (length := int(size[1], 16)):
            assert _TRAILERS.fullmatch(rest, size.end()) is not None, "no end of chunks"
            return bytes(body)
        at = size.end() + length + 2
        assert rest[at - 2 : at] == b"\r\n", "a chunk of another size"
        body += rest[size.end() : at - 2]
    return None


def _locate(address: Address | None, now: float) -> Location:  # noqa: ARG001 - a Locate's signature
    return UNKNOWN[Cause.NOT_FOUND]


class Forgetful(FreeRecorder):
    """Counts nothing, since nobody asks, and there are millions."""

    def count(self, decision: Decision, location: Location) -> None:
        """Take an admission."""


@cache
def _gate() -> Gate:
    """Return the one gate; a gate asks for the running loop, which importing this must not need."""
    matcher = JoinMatcher([ROUTE], fold=str)
    return Gate(GateOptions(), matcher, RuleSet(()), _locate, Forgetful(), now=lambda: 50.0)
