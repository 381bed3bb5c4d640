"""Requests and responses through the gate, byte by byte: what was sent is what arrives, in order, framed once."""

import asyncio

import pytest

from joingate.core.rules import Action
from joingate.gate.options import GateOptions
from tests.core.made import order
from tests.edges.gate_fixture import CN, HK, JOIN, Wire, eventually, gate_bench, on_both_loops

GET = b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
BIG = bytes(range(256)) * 20_000


def join(extra: str = "", method: str = "GET", meeting: str = "m") -> bytes:
    return f"{method} /meetings/{meeting}/join HTTP/1.1\r\nHost: a\r\n{extra}\r\n".encode()


def answer(*pieces: bytes) -> object:
    """Make a meeting server that reads a head, sends `pieces` one by one and closes."""

    async def script(wire: Wire) -> None:
        await wire.head()
        for piece in pieces:
            wire.send(piece)
            await asyncio.sleep(0.01)

    return script


@on_both_loops
async def test_a_connection_carries_one_request_after_the_other_and_so_does_the_upstreams() -> None:
    async with gate_bench() as bench:
        client = await bench.open()
        for target in (b"/a", b"/b?c=d", b"*"):
            method = b"OPTIONS" if target == b"*" else b"GET"
            client.send(method + b" " + target + b" HTTP/1.1\r\nHost: a\r\n\r\n")
            response = await client.response()
            assert (response.status, response.body) == (200, method + b" " + target + b"|")
            assert response["connection"] is None
        assert len(bench.upstream.wires) == 1


@on_both_loops
async def test_the_upstream_gets_the_request_as_received_less_what_is_for_this_hop() -> None:
    async with gate_bench() as bench:
        await bench.ask(
            b"GET /a?b=%2e HTTP/1.1\r\nhOsT: m.example:8\r\nX-One:  a b\r\nConnection: x-hop, keep-alive\r\n"
            b"X-Hop: 1\r\nKeep-Alive: 5\r\nTE: trailers\r\nX-One: c\r\nCookie: q=1\r\n\r\n"
        )
        assert bench.upstream.received == (
            b"GET /a?b=%2e HTTP/1.1\r\nHost: m.example:8\r\nX-One: a b\r\nX-One: c\r\nCookie: q=1\r\n"
            b"X-Forwarded-For: 127.85.0.1\r\nX-Forwarded-Proto: http\r\nForwarded: for=127.85.0.1;proto=http\r\n\r\n"
        )


@on_both_loops
async def test_200_requests_in_one_write_are_answered_in_order_rejections_among_admissions() -> None:
    async with gate_bench(rules=(order(),)) as bench:
        client = await bench.open(CN)
        client.send(b"".join(join(meeting="m" if number % 3 else f"n{number}") for number in range(200)))
        for number in range(200):
            response = await client.response()
            assert response.status == (451 if number % 3 else 200)
            if not number % 3:
                assert response.body == b"GET /meetings/n%d/join|" % number
        assert b"/meetings/m/" not in bench.upstream.received
        assert len(bench.upstream.wires) == 1


@on_both_loops
async def test_an_error_behind_pipelined_requests_waits_for_its_turn_and_ends_the_connection() -> None:
    async with gate_bench() as bench:
        client = await bench.open()
        client.send(GET * 3 + b"GET /b HTTP/1.1\r\nHost : a\r\n\r\n" + GET)
        assert [(await client.response()).status for _ in range(4)] == [200, 200, 200, 400]
        assert await client.rest() == b""
        assert bench.upstream.received.count(b"GET ") == 3


@on_both_loops
async def test_so_does_one_in_a_body_that_waits_for_its_turn() -> None:
    async with gate_bench() as bench:
        client = await bench.open()
        post = b"POST /b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n"
        client.send(GET * 3 + post + GET)
        assert [(await client.response()).status for _ in range(4)] == [200, 200, 200, 400]
        assert await client.rest() == b""
        assert bench.upstream.received.count(b"GET ") == 3
        assert b"POST" not in bench.upstream.received


@on_both_loops
async def test_nothing_that_follows_a_request_to_close_is_answered() -> None:
    async with gate_bench() as bench:
        client = await bench.open()
        client.send(GET + b"GET /b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" + GET)
        assert (await client.response())["connection"] is None
        last = await client.response()
        assert (last.body, last["connection"]) == (b"GET /b|", b"close")
        assert await client.rest() == b""
        assert bench.upstream.received.count(b"GET ") == 2


@on_both_loops
async def test_requests_and_responses_may_come_byte_by_byte() -> None:
    async def script(wire: Wire) -> None:
        first, headers = await wire.head()
        body, trailers = await wire.body(headers)
        assert (first, body, trailers) == (b"POST /a HTTP/1.1", b"abcde", [(b"x-sum", b"1")])
        for (
            byte
        ) in b"HTTP/1.1 200 Fine\r\nX-A: b\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nfgh\r\n0\r\nX-T: u\r\n\r\n":
            wire.send(bytes((byte,)))
            await asyncio.sleep(0)
        await wire.rest()

    async with gate_bench(script) as bench:
        client = await bench.open()
        for byte in (
            b"POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"2\r\nab\r\n3;ext\r\ncde\r\n0\r\nX-Sum: 1\r\nCookie: 9\r\nX_Real_IP: 1.2.3.4\r\n\r\n"
        ):
            client.send(bytes((byte,)))
            await asyncio.sleep(0)
        response = await client.response()
        assert (response.status, response["x-a"], response.body) == (200, b"b", b"fgh")
        assert response.trailers == [(b"x-t", b"u")]


@pytest.mark.parametrize("framing", ["length", "chunked"])
@on_both_loops
async def test_large_bodies_arrive_whole_in_both_directions(framing: str) -> None:
    async def script(wire: Wire) -> None:
        _, headers = await wire.head()
        assert (await wire.body(headers))[0] == BIG
        wire.send(framed(b"HTTP/1.1 200 OK\r\n", BIG))
        await wire.rest()

    def framed(head: bytes, body: bytes) -> bytes:
        if framing == "length":
            return head + b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
        return head + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)

    async with gate_bench(script) as bench:
        client = await bench.open()
        client.send(framed(b"POST /a HTTP/1.1\r\nHost: a\r\n", BIG))
        response = await client.response()
        assert response.body == BIG
        client.send(GET)


@on_both_loops
async def test_the_gate_itself_says_continue_and_only_to_whom_it_admits() -> None:
    async with gate_bench(rules=(order(),)) as bench:
        client = await bench.open()
        client.send(join("Content-Length: 3\r\nExpect: 100-Continue\r\n", "POST"))
        assert (await client.response()).status == 100
        client.send(b"abc")
        assert (await client.response()).body == b"POST /meetings/m/join|abc"
        assert b"xpect" not in bench.upstream.received
        before = len(bench.upstream.received)
        rejected = await bench.open(CN)
        rejected.send(join("Content-Length: 3\r\nExpect: 100-continue\r\n", "POST"))
        response = await rejected.response()
        assert (response.status, response["connection"]) == (451, b"close")
        assert await rejected.rest() == b""
        assert len(bench.upstream.received) == before


@on_both_loops
async def test_no_continue_in_http_1_0_nor_for_a_body_that_is_none() -> None:
    async with gate_bench() as bench:
        client = await bench.open()
        client.send(b"POST /a HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx")
        assert (await client.response()).status == 200
        assert (await bench.ask(join("Expect: 100-continue\r\n"))).status == 200


@on_both_loops
async def test_a_head_request_keeps_the_length_and_has_no_body() -> None:
    async with gate_bench() as bench:
        client = await bench.open()
        for _ in range(2):
            client.send(GET.replace(b"GET", b"HEAD"))
            response = await client.response(to_head=True)
            assert (response.status, response["content-length"]) == (200, b"8")
        client.send(GET)
        assert (await client.response()).body == b"GET /a|"
        assert len(bench.upstream.wires) == 1


NO_BODIES = [
    (b"HTTP/1.1 204 No Content\r\nX-A: b\r\n\r\n", 204, None),
    (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 700\r\nETag: x\r\n\r\n", 304, b"700"),
    (b"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, b"0"),
    (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 P\r\n\r\nHTTP/1.1 204 N\r\n\r\n", 204, None),
]


@pytest.mark.parametrize(("raw", "status", "length"), NO_BODIES)
@on_both_loops
async def test_responses_without_a_body_and_interim_ones_that_are_dropped(
    raw: bytes, status: int, length: bytes | None
) -> None:
    async def script(wire: Wire) -> None:
        for _ in range(2):
            await wire.head()
            wire.send(raw)
        await wire.rest()

    async with gate_bench(script) as bench:
        client = await bench.open()
        for _ in range(2):
            client.send(GET)
            response = await client.response()
            assert (response.status, response["content-length"], response["link"]) == (status, length, None)
        assert len(bench.upstream.wires) == 1


@on_both_loops
async def test_a_body_that_ends_with_the_connection_ends_with_a_chunk_in_1_1_and_with_the_connection_in_1_0() -> None:
    async with gate_bench(answer(b"HTTP/1.0 200 OK\r\n\r\none", b"two")) as bench:  # type: ignore[arg-type]
        client = await bench.open()
        for _ in range(2):
            client.send(GET)
            response = await client.response()
            assert (response["transfer-encoding"], response.body) == (b"chunked", b"onetwo")
        response = await bench.ask(b"GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        assert (response["connection"], response["transfer-encoding"], response.body) == (b"close", None, b"onetwo")


@on_both_loops
async def test_an_http_1_0_client_gets_no_chunks() -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n2\r\nbc\r\n0\r\nX-T: u\r\n\r\n"
    async with gate_bench(answer(chunked)) as bench:  # type: ignore[arg-type]
        response = await bench.ask(b"GET /a HTTP/1.0\r\n\r\n")
        assert (response["transfer-encoding"], response["connection"], response.body) == (None, b"close", b"abc")
        assert b"GET /a HTTP/1.1\r\nHost: up\r\n" in bench.upstream.received


@on_both_loops
async def test_http_1_0_stays_open_only_when_asked_to() -> None:
    async with gate_bench() as bench:
        client = await bench.open()
        client.send(b"GET /a HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n")
        assert (await client.response())["connection"] == b"keep-alive"
        client.send(b"GET /a HTTP/1.0\r\n\r\n")
        assert (await client.response())["connection"] == b"close"
        assert await client.rest() == b""


@on_both_loops
async def test_an_answer_before_the_end_of_the_body_is_relayed_and_both_connections_end() -> None:
    async def script(wire: Wire) -> None:
        await wire.head()
        wire.send(b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig")
        await done.wait()  # reads nothing more, and does not close

    done = asyncio.Event()
    async with gate_bench(script) as bench:
        client = await bench.open()
        client.send(b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 9000000\r\n\r\n" + bytes(8_000_000))
        response = await client.response()
        assert (response.status, response["connection"], response.body) == (413, b"close", b"big")
        client.writer.close()
        await eventually(lambda: not bench.gate.connections and not len(bench.pool))
        wire = bench.upstream.wires[0]
        await wire.rest()  # an end: the gate has not kept the connection to write the rest to nobody
        done.set()


@on_both_loops
async def test_surplus_bytes_after_a_response_reach_nobody() -> None:
    for surplus in (OK, b"HTTP/1.1 200 OK\r\nX-Evil: 1\r\nContent-Length: 4\r\n\r\nevil", b"garbage"):
        for method in (b"GET", b"HEAD"):
            with_body = OK if method == b"GET" else OK.removesuffix(b"ok")

            async def script(wire: Wire, first: bytes = with_body + surplus) -> None:
                await wire.head()
                wire.send(first)
                await wire.rest()

            async with gate_bench(script) as bench:
                client = await bench.open()
                client.send(GET.replace(b"GET", method) + GET.replace(b"GET", method))
                for _ in range(2):
                    response = await client.response(to_head=method == b"HEAD")
                    assert (response.status, response["x-evil"], response["content-length"]) == (200, None, b"2")
                assert len(bench.upstream.wires) == 2
                client.writer.write_eof()
                assert await client.rest() == b""


@on_both_loops
async def test_what_comes_unasked_on_a_waiting_connection_reaches_nobody() -> None:
    async def script(wire: Wire) -> None:
        await wire.head()
        wire.send(OK)
        if len(bench.upstream.wires) == 1:
            await eventually(lambda: len(bench.pool))
            wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
        await wire.rest()

    async with gate_bench(script) as bench:
        assert (await bench.ask(GET)).body == b"ok"
        await eventually(lambda: not len(bench.pool))
        assert (await bench.ask(GET)).body == b"ok"


@on_both_loops
async def test_a_rejection_is_the_gates_own_and_leaves_the_connection_usable() -> None:
    async with gate_bench(rules=(order(),)) as bench:
        client = await bench.open(CN)
        for meeting, status in (("m", 451), ("n", 200), ("m", 451)):
            client.send(join(meeting=meeting))
            assert (await client.response()).status == status
        client.send(join(method="HEAD"))
        assert (await client.response(to_head=True)).status == 451
        client.send(join("Content-Length: 4\r\n", "POST") + b"abcd" + GET)
        assert (await client.response()).status == 451
        assert await client.rest() == b""  # whether what follows is a body or a request is not guessed
        assert bench.upstream.received.count(b"HTTP/1.1") == 1
        assert bench.gate.tally.left == 1


@on_both_loops
async def test_the_about_page_is_served_by_the_gate() -> None:
    async with gate_bench(options=GateOptions(operator="Example")) as bench:
        client = await bench.open()
        for method in (b"GET", b"HEAD", b"GET"):
            client.send(method + b" /.well-known/joingate HTTP/1.1\r\nHost: a\r\n\r\n")
            response = await client.response(to_head=method == b"HEAD")
            assert response.status == 200
            assert (b"Example" in response.body) is (method == b"GET")
        assert bench.upstream.wires == []


@on_both_loops
async def test_an_ejection_in_the_middle_of_a_request_is_said_or_else_cut_never_completed() -> None:
    async def script(wire: Wire) -> None:
        first, _ = await wire.head()
        if b"user=2" in first:
            wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart")
        await wire.rest()

    from joingate.core.rule_set import RuleSet

    async with gate_bench(script) as bench:
        waiting, midway, other = await bench.open(CN), await bench.open(CN), await bench.open(HK)
        for client, user in ((waiting, 1), (midway, 2), (other, 2)):
            client.send(f"GET {JOIN}?user={user} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        part = await midway.until(b"part"), await other.until(b"part")
        assert part[0] == part[1]
        await eventually(lambda: len(bench.upstream.wires) == 3)
        effect = await bench.gate.swap_rules(RuleSet([order(action=Action.EJECT)]))
        assert (effect.reassessed, effect.ejected) == (3, 2)
        assert (await waiting.response()).status == 451
        assert await midway.rest() == b""
        waiting.send(join(meeting="n"))
        await eventually(lambda: len(bench.upstream.wires) == 4)
        assert len(bench.gate.roster) == 2
        await eventually(lambda: bench.upstream.open == 2)
