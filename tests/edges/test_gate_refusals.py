"""What is ambiguous, malformed or too large is refused, the connection ends, and nothing of it reaches the upstream."""

import asyncio

import pytest

from joingate.gate.options import GateOptions
from tests.core.made import order
from tests.edges.gate_fixture import CN, HK, JOIN, gate_bench, on_both_loops

HOST = b"Host: a\r\n"
HANDSHAKE = HOST + b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
KEY = b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

MALFORMED = {
    "length and chunked": (
        b"POST /a HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
        400,
    ),
    "chunked and length": (
        b"POST /a HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n",
        400,
    ),
    "two lengths": (b"POST /a HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\nContent-Length: 4\r\n", 400),
    "the same length twice": (b"POST /a HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\nContent-Length: 3\r\n", 400),
    "a list of lengths": (b"POST /a HTTP/1.1\r\n" + HOST + b"Content-Length: 3, 3\r\n", 400),
    "a length with a sign": (b"POST /a HTTP/1.1\r\n" + HOST + b"Content-Length: +1\r\n", 400),
    "a negative length": (b"POST /a HTTP/1.1\r\n" + HOST + b"Content-Length: -1\r\n", 400),
    "a hexadecimal length": (b"POST /a HTTP/1.1\r\n" + HOST + b"Content-Length: 0x1\r\n", 400),
    "an empty length": (b"POST /a HTTP/1.1\r\n" + HOST + b"Content-Length:\r\n", 400),
    "an absurd length": (b"POST /a HTTP/1.1\r\n" + HOST + b"Content-Length: 9999999999999999\r\n", 400),
    "another coding": (b"POST /a HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: gzip, chunked\r\n", 501),
    "chunked twice": (
        b"POST /a HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        400,
    ),
    "chunked in HTTP/1.0": (b"POST /a HTTP/1.0\r\n" + HOST + b"Transfer-Encoding: chunked\r\n", 400),
    "no Host": (b"GET /a HTTP/1.1\r\n", 400),
    "two Hosts": (b"GET /a HTTP/1.1\r\n" + HOST + HOST, 400),
    "a Host that is none": (b"GET /a HTTP/1.1\r\nHost: a/b\r\n", 400),
    "a Host with a user": (b"GET /a HTTP/1.1\r\nHost: u@a\r\n", 400),
    "a folded line": (b"GET /a HTTP/1.1\r\n" + HOST + b"X-A: b\r\n c\r\n", 400),
    "a bare LF": (b"GET /a HTTP/1.1\n" + HOST, 400),
    "a bare LF after a header": (b"GET /a HTTP/1.1\r\nHost: a\nX-A: b\r\n", 400),
    "a bare CR in a value": (b"GET /a HTTP/1.1\r\n" + HOST + b"X-A: b\rX-B: c\r\n", 400),
    "a NUL in a value": (b"GET /a HTTP/1.1\r\n" + HOST + b"X-A: b\0\r\n", 400),
    "a space before the colon": (b"GET /a HTTP/1.1\r\nHost : a\r\n", 400),
    "a space in a name": (b"GET /a HTTP/1.1\r\n" + HOST + b"X A: b\r\n", 400),
    "no name": (b"GET /a HTTP/1.1\r\n" + HOST + b": b\r\n", 400),
    "another host in the target": (b"GET http://b/a HTTP/1.1\r\n" + HOST, 400),
    "a target with a user": (b"GET http://u@a/a HTTP/1.1\r\n" + HOST, 400),
    "a target of another scheme": (b"GET ftp://a/a HTTP/1.1\r\n" + HOST, 400),
    "a fragment": (b"GET /a#b HTTP/1.1\r\n" + HOST, 400),
    "a target that is a star": (b"GET * HTTP/1.1\r\n" + HOST, 400),
    "CONNECT": (b"CONNECT a:443 HTTP/1.1\r\n" + HOST, 501),
    "TRACE": (b"TRACE /a HTTP/1.1\r\n" + HOST, 501),
    "RTSP/1.0": (b"GET /a RTSP/1.0\r\n" + HOST, 400),
    "RTSP/1.1": (b"GET /a  RTSP/1.1\r\n" + HOST, 400),
    "a method of RTSP": (b"DESCRIBE /a RTSP/1.0\r\n" + HOST, 400),
    "ICE/1.0": (b"\r\nSOURCE /a ICE/1.0\r\n" + HOST, 400),
    "ICE/1.0 behind a bare CR": (b"\rSOURCE /a ICE/1.0\r\n" + HOST, 400),
    "HTTP/2.0": (b"GET /a HTTP/2.0\r\n" + HOST, 505),
    "the HTTP/2 preface": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n", 400),
    "HTTP/0.9": (b"GET /a\r\n", 505),
    "no HTTP": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    "another expectation": (b"GET /a HTTP/1.1\r\n" + HOST + b"Expect: 200-ok\r\n", 417),
    "a handshake of another version": (b"GET /a HTTP/1.1\r\n" + HANDSHAKE.replace(b"13", b"8") + KEY, 426),
    "an upgrade with a body": (b"GET /a HTTP/1.1\r\n" + HANDSHAKE + KEY + b"Content-Length: 3\r\n", 400),
    "an h2c upgrade with a body": (
        b"POST /a HTTP/1.1\r\n" + HOST + b"Upgrade: h2c\r\nConnection: upgrade\r\nTransfer-Encoding: chunked\r\n",
        400,
    ),
    "a handshake without a key": (b"GET /a HTTP/1.1\r\n" + HANDSHAKE, 400),
    "a handshake that is a POST": (b"POST /a HTTP/1.1\r\n" + HANDSHAKE + KEY, 400),
    "a handshake in HTTP/1.0": (b"GET /a HTTP/1.0\r\n" + HANDSHAKE + KEY, 400),
    "a join that names no meeting": (b"GET /meetings//join HTTP/1.1\r\n" + HOST, 400),
}


@pytest.mark.parametrize("name", MALFORMED)
@on_both_loops
async def test_it_is_refused_and_the_connection_ends(name: str) -> None:
    raw, status = MALFORMED[name]
    async with gate_bench() as bench:
        client = await bench.open()
        client.send(raw + b"\r\n" + b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n")
        response = await client.response(to_head=raw.startswith(b"HEAD"))
        assert (response.status, response["connection"]) == (status, b"close, upgrade" if status == 426 else b"close")
        assert response["content-type"] == b"application/problem+json"
        assert await client.rest() == b""
        assert bench.upstream.wires == []


@pytest.mark.parametrize("name", [name for name in MALFORMED if name not in {"no HTTP", "a bare LF"}])
@on_both_loops
async def test_it_is_refused_in_the_same_words_when_it_comes_byte_by_byte(name: str) -> None:
    raw, status = MALFORMED[name]
    async with gate_bench() as bench:
        client = await bench.open()
        for byte in raw + b"\r\n":
            if client.writer.transport.is_closing():
                break
            client.send(bytes((byte,)))
        assert (await client.response()).status == status
        assert bench.upstream.wires == []


@on_both_loops
async def test_another_version_of_websocket_is_told_which_one_is_spoken() -> None:
    async with gate_bench() as bench:
        client = await bench.open()
        client.send(b"GET /a HTTP/1.1\r\n" + HANDSHAKE.replace(b"13", b"8") + KEY + b"\r\n")
        response = await client.response()
        told = [response[name] for name in ("connection", "upgrade", "sec-websocket-version")]
        assert told == [b"close, upgrade", b"websocket", b"13"]


@on_both_loops
async def test_rtsp_is_refused_wherever_its_line_is_cut() -> None:
    raw = b"GET /a RTSP/1.0\r\nHost: a\r\n\r\n"
    async with gate_bench() as bench:
        for at in range(1, len(raw)):
            client = await bench.open()
            for part in (raw[:at], raw[at:]):
                client.send(part)
                await asyncio.sleep(0.01)  # so that each is a read of its own
            assert (await client.response()).status == 400
        assert bench.upstream.wires == []


@pytest.mark.parametrize("method", [b"GET", b"POST", b"OPTIONS"])
@on_both_loops
async def test_rtsp_is_refused_behind_others_and_is_no_word_that_a_request_may_not_have(method: bytes) -> None:
    async with gate_bench() as bench:
        client = await bench.open()
        own = b"GET /RTSP/ HTTP/1.1\r\nHost: a\r\nX-A: %b /RTSP/ RTSP/1.0\r\nX-B: ICE/\r\n\r\n" % method
        for at in range(len(own)):
            client.send(own[:at])
            await client.writer.drain()
            client.send(own[at:])
            assert (await client.response()).body == b"GET /RTSP/|"
        client.send(own + b"%b /RTSP RTSP/1.0\r\nHost: a\r\n\r\n" % method + own)
        assert [(await client.response()).status for _ in range(2)] == [200, 400]
        assert await client.rest() == b""


@pytest.mark.parametrize("cut", [1, 3, 35, 40, 60])
@on_both_loops
async def test_rtsp_is_refused_right_behind_a_body(cut: int) -> None:
    async with gate_bench() as bench:
        client = await bench.open()
        raw = b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabcdeGET /b RTSP/1.0\r\nHost: a\r\n\r\n"
        client.send(raw[:-cut])
        await asyncio.sleep(0.01)  # so that each is a read of its own
        client.send(raw[-cut:])
        assert [(await client.response()).status for _ in range(2)] == [200, 400]
        assert await client.rest() == b""
        assert b"RTSP" not in bench.upstream.received
        assert b"GET /b" not in bench.upstream.received


@pytest.mark.parametrize(
    "body", [b"3\r\nabcd\r\n", b"3 \r\nabc\r\n", b"-1\r\n", b"g\r\n", b"3\nabc\r\n", b"fffffffffffffffff\r\n"]
)
@on_both_loops
async def test_a_malformed_chunk_ends_both_connections_and_what_was_a_body_is_no_request(body: bytes) -> None:
    async with gate_bench() as bench:
        client = await bench.open()
        client.send(b"POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + body)
        client.send(b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n")
        assert await client.rest() == b""
        assert b"smuggled" not in bench.upstream.received


@pytest.mark.parametrize(
    ("line", "body"),
    [
        (b"Content_Length: 90\r\n", b""),
        (b"Content_Length: 1\r\nContent-Length: 3\r\n", b"abc"),
        (b"Content-Length: 3\r\nContent_Length: 1\r\n", b"abc"),
        (b"Content-Length: 3\r\nTransfer_Encoding: chunked\r\n", b"abc"),
        (b"Transfer_Encoding: chunked\r\n", b""),
        (b"Transfer_Encoding: gzip\r\nContent_Length: x\r\n", b""),
    ],
)
@on_both_loops
async def test_a_framing_header_spelt_with_an_underscore_frames_nothing(line: bytes, body: bytes) -> None:
    async with gate_bench() as bench:
        client = await bench.open()
        for _ in range(2):
            client.send(b"PUT /a HTTP/1.1\r\nHost: a\r\n" + line + b"\r\n" + body)
            assert (await client.response()).body == b"PUT /a|" + body
        assert b"_" not in bench.upstream.received
        assert bench.upstream.received.count(b"Content-Length: %d\r\n" % len(body)) == 2


@on_both_loops
async def test_an_upgrade_to_anything_else_is_served_as_plain_http() -> None:
    async with gate_bench() as bench:
        client = await bench.open()
        h2c = (
            HOST
            + b"Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\nConnection: Upgrade, HTTP2-Settings\r\n\r\n"
        )
        client.send((b"GET /a HTTP/1.1\r\n" + h2c) * 400)
        for _ in range(400):
            assert (await client.response()).body == b"GET /a|"
        assert b"pgrade" not in bench.upstream.received
        assert b"HTTP2-Settings" not in bench.upstream.received
        client.send(b"POST /b HTTP/1.1\r\n" + HOST + b"Connection: upgrade\r\nContent-Length: 2\r\n\r\nhi")
        assert (await client.response()).body == b"POST /b|hi"  # a proxy in front that always says so


@pytest.mark.parametrize("target", [b"http://a/b?c", b"HTTP://A/b?c", b"https://a/b?c"])
@on_both_loops
async def test_an_absolute_target_of_the_same_host_becomes_a_path(target: bytes) -> None:
    async with gate_bench() as bench:
        response = await bench.ask(b"GET " + target + b" HTTP/1.1\r\n" + HOST + b"\r\n")
        assert response.body == b"GET /b?c|"


@on_both_loops
async def test_an_absolute_target_is_judged_as_the_path_it_names() -> None:
    async with gate_bench(rules=(order(),)) as bench:
        for target in (f"http://a{JOIN}", "/meetings//m/%6aoin", f"{JOIN};x", f"{JOIN}/"):
            response = await bench.ask(f"GET {target} HTTP/1.1\r\nHost: a\r\n\r\n".encode(), CN)
            assert response.status in {400, 451}
        assert bench.upstream.wires == []


@on_both_loops
async def test_white_space_around_a_value_is_no_part_of_it() -> None:
    async with gate_bench() as bench:
        client = await bench.open()
        for framing, body in (
            (b"Content-Length:\t 3 \t", b"abc"),
            (b"Transfer-Encoding: Chunked ", b"3\r\nabc\r\n0\r\n\r\n"),
        ):
            client.send(b"POST /a HTTP/1.1\r\nHost: a \r\n" + framing + b"\r\nConnection: keep-alive \r\n\r\n" + body)
            assert (await client.response()).body == b"POST /a|abc"


@pytest.mark.parametrize("in_one_piece", [True, False])
@pytest.mark.parametrize(("size", "status"), [(16_000, 200), (16_400, 431), (60_000, 431)])
@on_both_loops
async def test_a_head_has_a_limit_however_it_is_cut(size: int, status: int, in_one_piece: bool) -> None:
    head = b"GET /a HTTP/1.1\r\n" + HOST + b"X-A: " + b"x" * (size - 40) + b"\r\nX-B: c\r\n\r\n"
    async with gate_bench() as bench:
        client = await bench.open()
        if in_one_piece:
            client.send(b"GET /before HTTP/1.1\r\nHost: a\r\n\r\n" + head)
            assert (await client.response()).status == 200
        else:
            for at in range(0, len(head), 1000):
                client.send(head[at : at + 1000])
                await client.writer.drain()
        assert (await client.response()).status == status
        assert bench.upstream.received.count(b"GET /a") == (status == 200)


@on_both_loops
async def test_many_small_requests_in_one_piece_are_no_large_head() -> None:
    async with gate_bench(options=GateOptions(max_head_bytes=200)) as bench:
        client = await bench.open()
        client.send((b"GET /a HTTP/1.1\r\n" + HOST + b"\r\n") * 40 + b"GET /b")
        for _ in range(40):
            assert (await client.response()).status == 200
        client.send(b" HTTP/1.1\r\n" + HOST + b"\r\n")
        assert (await client.response()).body == b"GET /b|"


@pytest.mark.parametrize("end", [b"\r\n", b""])
@on_both_loops
async def test_a_target_and_trailers_have_a_limit_too(end: bytes) -> None:
    async with gate_bench(options=GateOptions(max_head_bytes=2000)) as bench:
        long = await bench.ask(b"GET /" + b"a" * 600_000 + (b" HTTP/1.1\r\n" + HOST + b"\r\n" if end else b""))
        assert long.status == 431
        client = await bench.open()
        client.send(b"POST /a HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n")
        client.send(b"X-A: 12345\r\n" * 200 + end)
        assert await client.rest() == b""
        assert b"12345" not in bench.upstream.received
        few = await bench.ask(
            b"POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-A: 1\r\n\r\n", HK
        )
        assert few.status == 200
