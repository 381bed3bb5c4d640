"""Ejections: one by one, at a frame boundary, in time, with the others undisturbed and no meeting ended (G3, G5)."""

import asyncio

import pytest

from joingate.codecs.close_codes import HOST_POLICY, LEGAL_ORDER
from joingate.core.rule_set import RuleSet
from joingate.core.rules import Action, HostPolicy, Rule
from joingate.gate.gate import FEW_AT_ONCE
from joingate.gate.options import GateOptions
from tests.core.made import order
from tests.edges.gate_fixture import CN, Wire, eventually, gate_bench, on_both_loops
from tests.edges.websocket_fixture import (
    KEY,
    SWITCHING,
    accept_and_hold,
    after_head,
    handshake,
    join,
    of_user,
    read_close,
    server_frame,
    unmasked_close,
)
from tests.ws_client import BINARY, CLOSE, PING, TEXT, _accept, build_frame

EJECT = RuleSet([order()])
NO_RULES = RuleSet([])


@pytest.mark.parametrize(
    ("rule", "code"),
    [(order(), LEGAL_ORDER), (HostPolicy("p", ("m",), Action.EJECT, deny=frozenset({"CN"})), HOST_POLICY)],
)
@on_both_loops
async def test_an_ejection_says_why_and_disturbs_nobody_else(rule: Rule, code: int) -> None:
    async with gate_bench(accept_and_hold) as bench:
        out, other = await join(bench, "out", CN), await join(bench, "other")
        elsewhere = await join(bench, "elsewhere", CN, "n")
        frame = build_frame(TEXT, b"before")
        out.send(frame)
        await eventually(lambda: len(bench.gate.roster) == 3)
        await asyncio.sleep(0.02)
        effect = await bench.gate.swap_rules(RuleSet([rule]))
        assert (effect.ejected, effect.deferred, len(bench.gate.roster)) == (1, 0, 3)
        out.send(build_frame(TEXT, b"after"))
        assert (await read_close(out))[0] == code
        out.send(build_frame(CLOSE, code.to_bytes(2, "big")))
        assert await out.rest() == b""
        await eventually(lambda: len(bench.gate.roster) == 2 and bench.upstream.open == 2)
        told = after_head(of_user(bench, "out"))
        assert told.startswith(frame)
        assert unmasked_close(told.removeprefix(frame)) == 1001
        assert len(told) - len(frame) < 40
        for client, user in ((other, "other"), (elsewhere, "elsewhere")):
            client.send(build_frame(PING, b""))
            of_user(bench, user).send(server_frame(TEXT, b"still here"))
            assert await client.read(12) == server_frame(TEXT, b"still here")
        other.abort()
        elsewhere.abort()
        await eventually(lambda: not bench.upstream.open)
        assert len(after_head(of_user(bench, "other"))) == 6
        again = await bench.open(CN)
        again.send(handshake())
        assert (await again.response()).status == (451 if code == LEGAL_ORDER else 403)


@pytest.mark.parametrize("cut", [1, 2, 5, 13, 14, 5000, 99_999])
@on_both_loops
async def test_the_close_comes_at_a_frame_boundary_even_within_a_fragmented_message(cut: int) -> None:
    fragments = [server_frame(BINARY if n == 0 else 0, bytes([n]) * 100_000, fin=False) for n in range(3)]
    go_on = asyncio.Event()

    async def script(wire: Wire) -> None:
        await wire.head()
        wire.send(SWITCHING + fragments[0] + fragments[1][:cut])
        await go_on.wait()
        wire.send(fragments[1][cut:] + fragments[2])
        await wire.rest()

    async with gate_bench(script) as bench:
        client = await join(bench, local=CN)
        sent = len(fragments[0]) + cut
        await client.read(sent)
        half = build_frame(BINARY, bytes(500))[:300]
        client.send(half)
        await asyncio.sleep(0.02)
        await bench.gate.swap_rules(EJECT)
        client.send(b"never" * 10)
        await asyncio.sleep(0.02)
        go_on.set()
        assert await client.read(len(fragments[1]) - cut) == fragments[1][cut:]
        assert (await read_close(client))[0] == LEGAL_ORDER
        client.abort()
        await eventually(lambda: not bench.upstream.open)
        assert after_head(bench.upstream.wires[0]) == half  # within a frame nothing can be added, and nothing is


@on_both_loops
async def test_a_meeting_server_that_dies_within_a_frame_ends_an_ejection_at_once() -> None:
    go_on = asyncio.Event()

    async def script(wire: Wire) -> None:
        await wire.head()
        wire.send(SWITCHING + server_frame(TEXT, b"abcdef")[:5])
        await go_on.wait()

    async with gate_bench(script, options=GateOptions(close_timeout=60)) as bench:
        client = await join(bench, local=CN)
        await client.read(5)
        await bench.gate.swap_rules(EJECT)
        go_on.set()
        assert await client.rest() == b""  # no Close stands within a frame


@pytest.mark.parametrize("peer", ["never answers", "never reads", "server never ends its frame", "server never reads"])
@on_both_loops
async def test_an_ejection_ends_in_time_whatever_the_peers_do(peer: str) -> None:
    async def script(wire: Wire) -> None:
        await wire.head()
        wire.send(SWITCHING)
        if peer == "server never ends its frame":
            wire.send(server_frame(BINARY, bytes(1000))[:-1])
        if peer == "never reads":
            for _ in range(400):
                wire.send(server_frame(BINARY, bytes(100_000)))
                await wire.writer.drain()
        if peer == "server never reads":
            wire.stop_reading()
            await done.wait()
            wire.go_on_reading()
        await wire.rest()

    done = asyncio.Event()
    async with gate_bench(script, options=GateOptions(close_timeout=0.1)) as bench:
        client = await join(bench, local=CN)
        if peer == "never reads":
            client.stop_reading()
            await asyncio.sleep(0.2)
        if peer == "server never reads":
            for _ in range(400):
                client.send(build_frame(BINARY, bytes(100_000)))
            await asyncio.sleep(0.2)
        effect = await bench.gate.swap_rules(EJECT)
        assert effect.ejected == 1
        await eventually(lambda: not len(bench.gate.roster) and not bench.gate.connections)
        done.set()
        await eventually(lambda: not bench.upstream.open)


@pytest.mark.parametrize("extra", ["", "early"])
@on_both_loops
async def test_an_ejection_while_the_handshake_is_pending_is_a_451(extra: str) -> None:
    async def script(wire: Wire) -> None:
        await wire.head()
        await wire.rest()

    async with gate_bench(script) as bench:
        client = await bench.open(CN)
        client.send(handshake() + extra.encode())
        await eventually(lambda: bench.upstream.received)
        await bench.gate.swap_rules(EJECT)
        assert (await client.response()).status == 451
        assert len(bench.gate.roster) == 0
        await eventually(lambda: not bench.upstream.open)
        if extra:
            assert await client.rest() == b""
            return
        client.send(handshake())
        assert (await client.response()).status == 451
        assert len(bench.upstream.wires) == 1


@on_both_loops
async def test_a_rejected_handshake_is_answered_in_http_or_where_asked_for_by_a_close() -> None:
    async with gate_bench(rules=(order(),)) as bench:
        client = await bench.open(CN)
        client.send(handshake())
        response = await client.response()
        assert (response.status, response["link"]) == (451, b'</.well-known/joingate>; rel="blocked-by"')
        assert bench.upstream.wires == []
    async with gate_bench(rules=(order(),), options=GateOptions(websocket_reject="close")) as bench:
        for early in (b"", build_frame(TEXT, b"early")):
            client = await bench.open(CN)
            client.send(handshake() + early)
            response = await client.response()
            assert (response.status, response["sec-websocket-accept"]) == (101, _accept(KEY).encode())
            code, reason = await read_close(client)
            assert code == LEGAL_ORDER
            assert reason
            assert await client.rest() == b""
        plain = await bench.ask(b"GET /meetings/m/join HTTP/1.1\r\nHost: a\r\n\r\n", CN)
        assert plain.status == 451
        assert bench.upstream.wires == []


@on_both_loops
async def test_a_last_host_is_deferred_until_another_host_is_there() -> None:
    options = GateOptions(ends_without_host=True)
    async with gate_bench(accept_and_hold, options=options) as bench:
        host = await join(bench, "host&role=host", CN)
        guest = await join(bench, "guest")
        effect = await bench.gate.swap_rules(EJECT)
        assert (effect.ejected, effect.deferred) == (0, 1)
        assert len(bench.gate.roster) == 2
        of_user_wire = next(wire for wire in bench.upstream.wires if b"user=host&" in wire.received)
        of_user_wire.send(server_frame(TEXT, b"on"))
        assert await host.read(4) == server_frame(TEXT, b"on")
        second = await join(bench, "second&role=host")
        assert (await read_close(host))[0] == LEGAL_ORDER
        host.abort()
        await eventually(lambda: len(bench.gate.roster) == 2)
        for client in (guest, second):
            assert not client.writer.transport.is_closing()


@on_both_loops
async def test_a_deferred_host_goes_when_nobody_is_left_to_lose_the_meeting() -> None:
    async with gate_bench(accept_and_hold, options=GateOptions(ends_without_host=True)) as bench:
        host = await join(bench, "host&role=host", CN)
        guest = await join(bench, "guest")
        assert (await bench.gate.swap_rules(EJECT)).deferred == 1
        guest.abort()
        assert (await read_close(host))[0] == LEGAL_ORDER


@on_both_loops
async def test_a_deferred_host_stays_when_the_order_is_lifted() -> None:
    async with gate_bench(accept_and_hold, options=GateOptions(ends_without_host=True)) as bench:
        host = await join(bench, "host&role=host", CN)
        guest = await join(bench, "guest")
        assert (await bench.gate.swap_rules(EJECT)).deferred == 1
        assert (await bench.gate.swap_rules(NO_RULES)).ejected == 0
        guest.abort()
        await eventually(lambda: len(bench.gate.roster) == 1)
        of_host = next(wire for wire in bench.upstream.wires if b"user=host&" in wire.received)
        of_host.send(server_frame(TEXT, b"on"))
        assert await host.read(4) == server_frame(TEXT, b"on")


@pytest.mark.parametrize("change", ["lifted", "host leaves"])
@on_both_loops
async def test_what_changes_between_two_slices_of_an_ejection_counts_for_those_still_inside(change: str) -> None:
    async with gate_bench(accept_and_hold, options=GateOptions(ends_without_host=True)) as bench:
        staying = await join(bench, "staying&role=host")
        await join(bench, "guest")
        for number in range(FEW_AT_ONCE + 6):
            await join(bench, f"n{number}", CN)
        last = await join(bench, "last&role=host", CN)
        swapping = asyncio.get_running_loop().create_task(bench.gate.swap_rules(EJECT))
        await asyncio.sleep(0)  # one slice
        assert sum(not each.is_inside for each in bench.gate.roster) == FEW_AT_ONCE
        if change == "lifted":
            await bench.gate.swap_rules(NO_RULES)
        else:
            staying.abort()
            for each in list(bench.gate.roster):
                if each.id == "staying":
                    bench.gate.leave(each)
        effect = await swapping
        assert effect.ejected == (FEW_AT_ONCE if change == "lifted" else FEW_AT_ONCE + 6)
        of_last = next(wire for wire in bench.upstream.wires if b"user=last&" in wire.received)
        of_last.send(server_frame(TEXT, b"on"))
        assert await last.read(4) == server_frame(TEXT, b"on")
