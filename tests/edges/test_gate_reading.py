"""Joins inside a WebSocket: read before they go on, judged, refused in the server's own words, resumed, ejected."""

import asyncio
import itertools

import pytest

from joingate.codecs.close_codes import LEGAL_ORDER
from joingate.core.model import Join
from joingate.core.record import Told
from joingate.core.rule_set import RuleSet
from joingate.gate.seats import MOST
from tests.core.made import order
from tests.edges.gate_fixture import CN, HK, Bench, Wire, eventually, gate_bench, on_both_loops, rejected
from tests.edges.plain_dialect import PlainDialect, Remover
from tests.edges.websocket_fixture import (
    KEY,
    SWITCHING,
    after_head,
    close_frame,
    read_close,
    server_frame,
    unmasked_close,
)
from tests.ws_client import BINARY, CLOSE, PING, TEXT, build_frame

CONTINUATION = 0
EJECT = RuleSet([order()])
EXTENSIONS = "Sec-WebSocket-Extensions: permessage-deflate\r\n"


def handshake(target: str = "/socket") -> bytes:
    return (
        f"GET {target} HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {KEY}\r\n"
        f"Sec-WebSocket-Version: 13\r\n{EXTENSIONS}\r\n".encode()
    )


async def open_socket(bench: Bench, local: str = HK, target: str = "/socket") -> Wire:
    client = await bench.open(local)
    client.send(handshake(target))
    first, _ = await client.head()
    assert first == b"HTTP/1.1 101 Switching Protocols"
    return client


async def text(client: Wire) -> bytes:
    """Read one text frame of a server."""
    first, size = await client.read(2)
    assert first == 128 | TEXT
    return await client.read(size)


async def accept_and_echo(wire: Wire) -> None:
    """Accept, and answer every masked client frame with its payload as a text."""
    await wire.head()
    wire.send(SWITCHING)
    while True:
        first, size = await wire.read(2)
        if size & 127 == 126:
            size = int.from_bytes(await wire.read(2), "big")
        mask = await wire.read(4)
        payload = bytes(byte ^ mask[at % 4] for at, byte in enumerate(await wire.read(size & 0x7FFF & ~128)))
        if first & 15 == CLOSE:
            return
        wire.send(server_frame(TEXT, payload))


@on_both_loops
async def test_a_join_is_relayed_as_it_came_and_its_participant_is_on_the_roster() -> None:
    async with gate_bench(accept_and_echo, dialect=PlainDialect()) as bench:
        client = await open_socket(bench)
        assert EXTENSIONS.encode() not in bench.upstream.received
        frame = build_frame(TEXT, b"enter m bob")
        client.send(frame)
        assert await text(client) == b"enter m bob"
        assert after_head(bench.upstream.wires[0]) == frame
        (participant,) = bench.gate.roster
        assert participant.join == Join("m", "bob", place=("bob",))
        client.send(build_frame(TEXT, b"enter m bob"))
        await text(client)
        assert len(bench.gate.roster) == 1
        client.send(build_frame(TEXT, b"leave m"))
        await text(client)
        assert not len(bench.gate.roster)


REFUSED = {
    b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno": 403,
    b"HTTP/1.1 426 U\r\nUpgrade: websocket\r\nConnection: upgrade\r\nContent-Length: 0\r\n\r\n": 426,
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi": 200,
    SWITCHING.replace(b"Sec-WebSocket-Accept: ", b"Sec-WebSocket-Accept: A"): 502,
}


@pytest.mark.parametrize("answer", REFUSED)
@on_both_loops
async def test_a_join_behind_a_handshake_that_is_not_accepted_is_never_heard(answer: bytes) -> None:
    async def refuse(wire: Wire) -> None:
        await wire.head()
        wire.send(answer)
        await wire.rest()

    async with gate_bench(refuse, dialect=PlainDialect()) as bench:
        client = await bench.open()
        client.send(handshake() + build_frame(TEXT, b"enter m bob"))
        assert (await client.response()).status == REFUSED[answer]
        assert await client.rest() == b""
        assert not len(bench.gate.roster)
        bench.pool.close()  # or the connection would wait for another request, and be read no further
        await eventually(lambda: not bench.upstream.open)
        assert after_head(bench.upstream.wires[0]) == b""


@on_both_loops
async def test_who_leaves_by_the_servers_word_is_off_the_roster() -> None:
    async with gate_bench(accept_and_echo, dialect=PlainDialect()) as bench:
        client = await open_socket(bench)
        for message in (b"enter m bob", b"enter other bob", b"left m"):
            client.send(build_frame(TEXT, message))
            await text(client)
        assert [each.meeting for each in bench.gate.roster] == ["other"]


@on_both_loops
async def test_a_rejected_join_goes_no_further_and_the_socket_stays() -> None:
    async with gate_bench(accept_and_echo, dialect=PlainDialect(), rules=(order(),)) as bench:
        client = await open_socket(bench, CN)
        client.send(build_frame(TEXT, b"enter m bob"))
        assert await text(client) == b"refused 451 enter m bob"
        client.send(build_frame(TEXT, b"enter other bob") + build_frame(TEXT, b"talk"))
        assert [await text(client), await text(client)] == [b"enter other bob", b"talk"]
        assert b"enter m bob" not in bench.upstream.received
        assert [each.told for each in bench.recorder.recorded] == [Told.IN_BAND]
        assert [each.meeting for each in bench.gate.roster] == ["other"]


@on_both_loops
async def test_a_join_in_fragments_between_pings_is_read_whole() -> None:
    async with gate_bench(accept_and_echo, dialect=PlainDialect(), rules=(order(),)) as bench:
        client = await open_socket(bench, CN)
        client.send(build_frame(TEXT, b"enter m", fin=False) + build_frame(PING, b"p"))
        await asyncio.sleep(0.02)
        assert not after_head(bench.upstream.wires[0])
        client.send(build_frame(CONTINUATION, b" bob"))
        assert await text(client) == b"refused 451 enter m bob"
        assert not after_head(bench.upstream.wires[0])


@on_both_loops
async def test_a_socket_that_carries_no_joins_is_not_read() -> None:
    async with gate_bench(accept_and_echo, dialect=PlainDialect(), rules=(order(),)) as bench:
        client = await open_socket(bench, CN, "/unread")
        assert EXTENSIONS.encode() in bench.upstream.received
        client.send(build_frame(BINARY, b"enter m bob"))
        assert await text(client) == b"enter m bob"


@pytest.mark.parametrize(
    ("frame", "code", "reason"),
    [
        (build_frame(TEXT, b"odd"), 1008, b"That is odd."),
        (build_frame(CONTINUATION, b"enter m bob"), 1002, b"A fragment is out of place."),
        (build_frame(TEXT, bytes(262_145)), 1009, b"A message has more than 262144 bytes."),
        (build_frame(TEXT, b"defect"), 1011, b"The gate could not read a message."),
    ],
    ids=["odd", "out of place", "too long", "a defect"],
)
@on_both_loops
async def test_what_cannot_be_read_goes_no_further(frame: bytes, code: int, reason: bytes) -> None:
    async with gate_bench(accept_and_echo, dialect=PlainDialect()) as bench:
        client = await open_socket(bench)
        client.send(frame + build_frame(TEXT, b"enter m bob"))
        assert await read_close(client) == (code, reason)
        client.send(build_frame(CLOSE, code.to_bytes(2, "big")))
        assert not await client.rest()
        assert unmasked_close(after_head(bench.upstream.wires[0])) == 1001


@on_both_loops
async def test_an_ejection_closes_a_socket_that_carries_nobody_else() -> None:
    remover = Remover()
    async with gate_bench(accept_and_echo, dialect=PlainDialect(), remover=remover) as bench:
        client = await open_socket(bench, CN)
        client.send(build_frame(TEXT, b"enter m bob"))
        await text(client)
        await bench.gate.swap_rules(EJECT)
        assert await text(client) == b"farewell 451 m bob"
        assert (await read_close(client))[0] == LEGAL_ORDER
        assert remover.asked == [(Join("m", "bob", place=("bob",)), 0)]
        assert [each.told for each in bench.recorder.recorded] == [Told.CLOSE]
        assert not bench.recorder.confirmed  # the remover does, once the server has said so


@on_both_loops
async def test_an_ejection_from_one_meeting_leaves_the_socket_to_the_other() -> None:
    remover = Remover()
    async with gate_bench(accept_and_echo, dialect=PlainDialect(), remover=remover) as bench:
        client = await open_socket(bench, CN)
        for message in (b"enter m bob", b"enter other bob"):
            client.send(build_frame(TEXT, message))
            await text(client)
        await bench.gate.swap_rules(EJECT)
        assert await text(client) == b"farewell 451 m bob"
        assert [each.meeting for each in bench.gate.roster] == ["other"]
        assert [each.told for each in bench.recorder.recorded] == [Told.IN_BAND]
        client.send(build_frame(TEXT, b"enter m bob"))
        assert await text(client) == b"refused 451 enter m bob"
        client.send(build_frame(TEXT, b"still here"))
        assert await text(client) == b"still here"


@on_both_loops
async def test_without_a_way_to_remove_one_participant_the_socket_is_cut() -> None:
    async with gate_bench(accept_and_echo, dialect=PlainDialect()) as bench:
        client = await open_socket(bench, CN)
        for message in (b"enter m bob", b"enter other bob"):
            client.send(build_frame(TEXT, message))
            await text(client)
        await bench.gate.swap_rules(EJECT)
        assert await text(client) == b"farewell 451 m bob"
        assert (await read_close(client))[0] == LEGAL_ORDER


@on_both_loops
async def test_two_ejected_at_once_are_both_told_before_the_socket_closes() -> None:
    async with gate_bench(accept_and_echo, dialect=PlainDialect(), remover=Remover()) as bench:
        client = await open_socket(bench, CN)
        for message in (b"enter m bob", b"enter m carol"):
            client.send(build_frame(TEXT, message))
            await text(client)
        await bench.gate.swap_rules(EJECT)
        assert [await text(client), await text(client)] == [b"farewell 451 m bob", b"farewell 451 m carol"]
        assert (await read_close(client))[0] == LEGAL_ORDER


@on_both_loops
async def test_a_refusal_waits_for_the_end_of_the_servers_message() -> None:
    more = asyncio.Event()

    async def script(wire: Wire) -> None:
        await wire.head()
        wire.send(SWITCHING + server_frame(TEXT, b"first", fin=False))
        await more.wait()
        wire.send(server_frame(CONTINUATION, b"last") + server_frame(TEXT, b"next", fin=False))
        await wire.rest()

    async with gate_bench(script, dialect=PlainDialect(), rules=(order(),)) as bench:
        client = await open_socket(bench, CN)
        client.send(build_frame(TEXT, b"enter m bob"))
        await eventually(lambda: bench.recorder.recorded)
        more.set()
        expected = [
            server_frame(TEXT, b"first", fin=False),
            server_frame(CONTINUATION, b"last"),
            server_frame(TEXT, b"refused 451 enter m bob"),
            server_frame(TEXT, b"next", fin=False),
        ]
        assert await client.read(sum(map(len, expected))) == b"".join(expected)


@on_both_loops
async def test_nothing_is_said_after_the_servers_close() -> None:
    async def script(wire: Wire) -> None:
        await wire.head()
        wire.send(SWITCHING + close_frame(1000))
        await wire.rest()

    async with gate_bench(script, dialect=PlainDialect(), rules=(order(),)) as bench:
        client = await open_socket(bench, CN)
        assert (await read_close(client))[0] == 1000
        client.send(build_frame(TEXT, b"enter m bob") + build_frame(CLOSE, b"\x03\xe8"))
        await eventually(lambda: bench.recorder.recorded)
        client.writer.close()
        await eventually(lambda: after_head(bench.upstream.wires[0]))
        assert unmasked_close(after_head(bench.upstream.wires[0])) == 1000
        assert not len(bench.gate.roster)


@on_both_loops
async def test_a_server_that_speaks_no_websocket_ends_it() -> None:
    async def script(wire: Wire) -> None:
        await wire.head()
        wire.send(SWITCHING + b"\xff\xff\xff")
        await wire.rest()

    async with gate_bench(script, dialect=PlainDialect()) as bench:
        client = await open_socket(bench)
        code, reason = await read_close(client)
        assert (code, reason) == (1002, b"The meeting server sent what is no WebSocket message.")


# Resumption


async def with_token(bench: Bench, local: str, token: bytes = b"token t") -> Wire:
    client = await open_socket(bench, local)
    client.send(build_frame(TEXT, token) + build_frame(TEXT, b"enter m bob"))
    assert [await text(client), await text(client)] == [token, b"enter m bob"]
    return client


async def say(bench: Bench, local: str, message: bytes) -> bytes:
    client = await open_socket(bench, local)
    client.send(build_frame(TEXT, message))
    return await text(client)


@on_both_loops
async def test_who_resumes_is_judged_by_where_they_resume_from() -> None:
    async with gate_bench(accept_and_echo, dialect=PlainDialect(), rules=(order(),)) as bench:
        client = await with_token(bench, HK)
        client.abort()
        await eventually(lambda: not len(bench.gate.roster))
        assert await say(bench, CN, b"resume t") == b"refused 451 resume t"
        assert not len(bench.gate.roster)
        assert await say(bench, HK, b"resume t") == b"resume t"
        assert [each.join for each in bench.gate.roster] == [Join("m", "bob", place=("bob",))]


@on_both_loops
async def test_a_live_socket_is_taken_over_only_by_who_may_be_inside() -> None:
    async with gate_bench(accept_and_echo, dialect=PlainDialect(), rules=(order(),)) as bench:
        await with_token(bench, HK)
        (before,) = bench.gate.roster
        assert await say(bench, CN, b"resume t") == b"refused 451 resume t"
        assert list(bench.gate.roster) == [before]
        assert await say(bench, "127.0.0.1", b"resume t") == b"resume t"
        (after,) = bench.gate.roster
        assert (after.join, str(after.client_ip)) == (before.join, "127.0.0.1")


@on_both_loops
async def test_a_claim_that_the_server_does_not_grant_takes_nobody_away() -> None:
    async def script(wire: Wire) -> None:
        await wire.head()
        wire.send(SWITCHING + server_frame(TEXT, b"token t" if len(bench.upstream.wires) == 1 else b"no"))
        await wire.rest()

    async with gate_bench(script, dialect=PlainDialect()) as bench:
        client = await open_socket(bench)
        assert await text(client) == b"token t"
        client.send(build_frame(TEXT, b"enter m bob"))
        await eventually(lambda: len(bench.gate.roster) == 1)
        (before,) = bench.gate.roster
        other = await open_socket(bench)
        other.send(build_frame(TEXT, b"resume t"))
        await eventually(lambda: len(bench.gate.roster) == 2)
        other.abort()
        await eventually(lambda: len(bench.gate.roster) == 1)
        assert list(bench.gate.roster) == [before]


@on_both_loops
async def test_who_was_ejected_does_not_come_back_by_a_token() -> None:
    async with gate_bench(accept_and_echo, dialect=PlainDialect(), remover=Remover()) as bench:
        alone, two = await with_token(bench, CN), await with_token(bench, CN, b"token u")
        two.send(build_frame(TEXT, b"enter other bob"))
        await text(two)
        await bench.gate.swap_rules(EJECT)
        assert await text(two) == b"farewell 451 m bob"
        assert await say(bench, CN, b"resume u") == b"refused 451 resume u"  # from the living
        alone.abort()
        two.abort()
        await eventually(lambda: not len(bench.gate.roster))
        assert await say(bench, CN, b"resume t") == b"refused 451 resume t"
        assert await say(bench, CN, b"resume u") == b"refused 451 resume u"
        assert await say(bench, HK, b"resume t") == b"resume t"


@on_both_loops
async def test_sockets_that_share_a_token_are_judged_and_ejected_each() -> None:
    async with gate_bench(accept_and_echo, dialect=PlainDialect(), rules=(order(meetings=("n",)),)) as bench:
        first = await with_token(bench, CN)
        others = [await open_socket(bench, CN) for _ in range(2)]
        for other in others:
            other.send(build_frame(TEXT, b"share t"))
            assert await text(other) == b"share t"
        assert len(bench.gate.roster) == 3
        first.abort()
        await eventually(lambda: len(bench.gate.roster) == 2)
        await bench.gate.swap_rules(EJECT)
        for other in others:
            assert await text(other) == b"farewell 451 m bob"
            assert (await read_close(other))[0] == LEGAL_ORDER
        assert await say(bench, CN, b"share t") == b"refused 451 share t"


@on_both_loops
async def test_a_socket_may_resume_itself() -> None:
    async with gate_bench(accept_and_echo, dialect=PlainDialect()) as bench:
        client = await with_token(bench, HK)
        client.send(build_frame(TEXT, b"resume t"))
        assert await text(client) == b"resume t"
        assert len(bench.gate.roster) == 1


@on_both_loops
async def test_what_nobody_knows_is_not_resumed_unless_that_brings_nobody_in() -> None:
    async with gate_bench(accept_and_echo, dialect=PlainDialect()) as bench:
        assert await say(bench, HK, b"resume u") == b"refused 403 resume u"
        assert await say(bench, HK, b"restore u") == b"restore u"
        assert b"resume" not in bench.upstream.received


@on_both_loops
async def test_all_whom_a_token_stands_for_come_back_or_nobody() -> None:
    async with gate_bench(accept_and_echo, dialect=PlainDialect(), rules=(order(),)) as bench:
        client = await open_socket(bench)
        for message in (b"token t", b"enter other bob", b"enter m bob"):
            client.send(build_frame(TEXT, message))
            await text(client)
        client.abort()
        await eventually(lambda: not len(bench.gate.roster))
        assert await say(bench, CN, b"resume t") == b"refused 451 resume t"
        assert not len(bench.gate.roster)


@on_both_loops
async def test_messages_that_came_at_once_are_read_while_others_are_answered() -> None:
    async with gate_bench(accept_and_echo, dialect=PlainDialect(), rules=(order(),)) as bench:
        greedy, other = await open_socket(bench, CN), await bench.open()
        greedy.send(build_frame(TEXT, b"enter m bob") * 2000)
        await greedy.writer.drain()
        other.send(b"GET /.well-known/joingate HTTP/1.1\r\nHost: a\r\n\r\n")
        assert (await other.response()).status == 200
        assert 0 < rejected(bench.gate) < 2000
        await eventually(lambda: rejected(bench.gate) == 2000)


@on_both_loops
async def test_what_came_at_once_goes_on_whole_and_in_order_both_ways() -> None:
    said = [b"%d " % number + b"x" * (number % 7 * 300) for number in range(500)]

    async def answer_all_at_once(wire: Wire) -> None:
        await wire.head()
        wire.send(SWITCHING)
        await wire.read(sum(map(len, frames)))
        wire.send(b"".join(server_frame(TEXT, message) for message in said))
        await wire.rest()

    frames = [build_frame(TEXT, message) for message in said]
    async with gate_bench(answer_all_at_once, dialect=PlainDialect()) as bench:
        client = await open_socket(bench)
        client.send(b"".join(frames))
        heard = b"".join(server_frame(TEXT, message) for message in said)
        assert await client.read(len(heard)) == heard
        assert after_head(bench.upstream.wires[0]) == b"".join(frames)


@pytest.mark.interpreted
@on_both_loops
async def test_one_socket_carries_so_many_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("joingate.gate.seats.MOST", 2)
    assert MOST > 100
    async with gate_bench(accept_and_echo, dialect=PlainDialect()) as bench:
        client = await open_socket(bench)
        for meeting in (b"a", b"b"):
            client.send(build_frame(TEXT, b"enter %b bob" % meeting))
            await text(client)
        client.send(build_frame(TEXT, b"enter c bob"))
        assert await read_close(client) == (1008, b"One connection carries at most 2 participants.")


@on_both_loops
async def test_however_the_stream_is_cut_no_join_slips_past() -> None:
    """Every cut of the same stream in two: the server never hears of the join."""
    hi = build_frame(TEXT, b"hi")
    stream = hi + build_frame(TEXT, b"enter m", fin=False) + build_frame(CONTINUATION, b" bob")
    async with gate_bench(accept_and_echo, dialect=PlainDialect(), rules=(order(),)) as bench:
        for end in itertools.chain(range(1, len(stream), 3), [len(stream)]):
            client = await open_socket(bench, CN)
            client.send(stream[:end])
            await asyncio.sleep(0.001)
            client.send(stream[end:])
            assert {await text(client), await text(client)} == {b"hi", b"refused 451 enter m bob"}
            client.abort()
        assert {after_head(wire) for wire in bench.upstream.wires} == {hi}
