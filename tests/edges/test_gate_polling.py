"""Sessions of many requests: joins in bodies, judged before they go on; an ejection ends the session's polls."""

import asyncio

import orjson
import pytest

from joingate.codecs.dialect import NOT_KNOWN
from joingate.core.record import Told
from joingate.core.rule_set import RuleSet
from joingate.gate.options import GateOptions
from tests.core.made import order
from tests.edges.gate_fixture import CN, HK, Bench, Response, Wire, answer_all, eventually, gate_bench, on_both_loops
from tests.edges.plain_dialect import PlainDialect, Remover

EJECT = RuleSet([order()])
NO_RULES = RuleSet([])


def post(token: str, body: bytes = b"", method: str = "POST") -> bytes:
    return f"{method} /poll/{token} HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def chunked(token: str, *pieces: bytes) -> bytes:
    body = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    return (
        f"POST /poll/{token} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n".encode() + body + b"0\r\n\r\n"
    )


async def ask(bench: Bench, request: bytes, local: str = HK) -> Response:
    return await bench.ask(request, local)


@on_both_loops
async def test_a_join_in_a_body_is_relayed_and_its_participant_stays_between_requests() -> None:
    async with gate_bench(dialect=PlainDialect()) as bench:
        assert (await ask(bench, post("s", b"enter m bob"))).body == b"POST /poll/s|enter m bob"
        assert [each.id for each in bench.gate.roster] == ["bob"]
        assert (await ask(bench, post("s", method="GET"))).status == 200
        assert (await ask(bench, chunked("s", b"enter ", b"other bob"))).body == b"POST /poll/s|enter other bob"
        assert [each.meeting for each in bench.gate.roster] == ["m", "other"]
        await ask(bench, post("s", b"leave"))
        assert (len(bench.gate.roster), len(bench.gate.polling or ())) == (0, 0)


@on_both_loops
async def test_a_rejected_join_is_refused_in_the_servers_words() -> None:
    async with gate_bench(dialect=PlainDialect(), rules=(order(),)) as bench:
        client = await bench.open(CN)
        client.send(post("s", b"enter m bob") + post("s", b"hello"))
        first, second = await client.response(), await client.response()
        assert (first.status, first.body, first["content-type"]) == (200, b"refused 451 enter m bob", b"text/plain")
        assert (first["access-control-allow-origin"], first["cache-control"]) == (b"*", b"no-store")
        assert second.body == b"POST /poll/s|hello"
        assert b"enter" not in bench.upstream.received
        assert [each.told for each in bench.recorder.recorded] == [Told.IN_BAND]
        assert not len(bench.gate.roster)


@on_both_loops
async def test_where_the_server_has_no_words_for_it_a_rejection_is_a_plain_451() -> None:
    async with gate_bench(dialect=PlainDialect(), rules=(order(),)) as bench:
        assert (await ask(bench, post("plainly", b"enter m bob"), CN)).status == 451
        assert [each.told for each in bench.recorder.recorded] == [Told.HTTP]
        response = await ask(bench, post("plainly", b"resume u"))
        assert (response.status, orjson.loads(response.body)["detail"]) == (400, NOT_KNOWN.text)


@on_both_loops
async def test_a_session_that_goes_on_from_elsewhere_is_judged_from_there() -> None:
    async with gate_bench(dialect=PlainDialect(), rules=(order(),)) as bench:
        await ask(bench, post("s", b"enter m bob"))
        denied = await ask(bench, post("s", method="GET"), CN)
        assert (denied.status, orjson.loads(denied.body)["located_as"]) == (451, "CN")
        assert [str(each.client_ip) for each in bench.gate.roster] == [HK]
        assert (await ask(bench, post("s", method="GET"), "127.0.0.1")).status == 200
        assert [str(each.client_ip) for each in bench.gate.roster] == ["127.0.0.1"]


@on_both_loops
async def test_an_ejection_answers_the_waiting_poll() -> None:
    polled = asyncio.Event()

    async def script(wire: Wire) -> None:
        first, headers = await wire.head()
        await wire.body(headers)
        if first.startswith(b"GET"):
            polled.set()
            await wire.rest()
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    async with gate_bench(script, dialect=PlainDialect()) as bench:
        await ask(bench, post("s", b"enter m bob"), CN)
        waiting = await bench.open(CN)
        waiting.send(post("s", method="GET"))
        await polled.wait()
        await bench.gate.swap_rules(EJECT)
        assert (await waiting.response()).status == 451
        assert [each.told for each in bench.recorder.recorded] == [Told.HTTP]
        assert (await ask(bench, post("t", b"enter m bob"), CN)).body == b"refused 451 enter m bob"


@on_both_loops
async def test_the_session_is_refused_for_as_long_as_the_order_stands() -> None:
    async with gate_bench(dialect=PlainDialect()) as bench:
        await ask(bench, post("s", b"enter m bob"), CN)
        await bench.gate.swap_rules(EJECT)
        assert not len(bench.gate.roster)
        assert [(await ask(bench, post("s", b"talk"), CN)).status for _ in range(3)] == [451] * 3
        assert b"talk" not in bench.upstream.received
        assert len(bench.recorder.recorded) == 1  # one ejection, however often it is said
        assert (await ask(bench, post("s", b"talk"), HK)).status == 200
        await bench.gate.swap_rules(NO_RULES)
        assert (await ask(bench, post("s", b"enter m bob"), CN)).status == 200
        assert len(bench.gate.roster) == 1


@on_both_loops
async def test_an_answer_under_way_is_left_and_the_next_request_is_told() -> None:
    begun = asyncio.Event()

    async def script(wire: Wire) -> None:
        while True:
            first, headers = await wire.head()
            await wire.body(headers)
            if first.startswith(b"GET"):
                wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab")
                await begun.wait()
                wire.send(b"cd")
            else:
                wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    async with gate_bench(script, dialect=PlainDialect()) as bench:
        await ask(bench, post("s", b"enter m bob"), CN)
        waiting = await bench.open(CN)
        waiting.send(post("s", method="GET"))
        await waiting.head()
        await bench.gate.swap_rules(EJECT)
        begun.set()
        assert await waiting.read(4) == b"abcd"
        assert (await ask(bench, post("s", b"talk"), CN)).status == 451


@on_both_loops
async def test_an_ejection_from_one_meeting_leaves_the_session_to_the_other() -> None:
    async with gate_bench(dialect=PlainDialect(), remover=Remover()) as bench:
        await ask(bench, post("s", b"enter m bob"), CN)
        await ask(bench, post("s", b"enter other bob"), CN)
        await bench.gate.swap_rules(EJECT)
        assert [each.told for each in bench.recorder.recorded] == [Told.NOT]
        assert (await ask(bench, post("s", b"talk"), CN)).status == 200
        assert [each.meeting for each in bench.gate.roster] == ["other"]


@on_both_loops
async def test_without_a_way_to_remove_one_participant_the_session_is_over() -> None:
    async with gate_bench(dialect=PlainDialect()) as bench:
        await ask(bench, post("s", b"enter m bob"), CN)
        await ask(bench, post("s", b"enter other bob"), CN)
        await bench.gate.swap_rules(EJECT)
        assert [each.told for each in bench.recorder.recorded] == [Told.HTTP]
        assert (await ask(bench, post("s", b"talk"), CN)).status == 451


@pytest.mark.interpreted
@on_both_loops
async def test_a_silent_session_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("joingate.gate.polling.IDLE", 0.0)
    async with gate_bench(dialect=PlainDialect(), options=GateOptions(response_timeout=0.05)) as bench:
        await ask(bench, post("s", b"enter m bob"))
        await eventually(lambda: not len(bench.gate.roster))
        assert bench.gate.tally.left == 1


@pytest.mark.parametrize(
    ("request_", "status", "detail"),
    [
        (post("s", b"odd"), 400, "That is odd."),
        (post("", b"enter m bob"), 400, "The request belongs to no session."),
        (post("s", bytes(262_145)), 413, "The request's body has more than 262144 bytes."),
        (chunked("s", bytes(262_144), b"a"), 413, "The request's body has more than 262144 bytes."),
    ],
)
@on_both_loops
async def test_what_cannot_be_read_goes_no_further(request_: bytes, status: int, detail: str) -> None:
    async with gate_bench(dialect=PlainDialect()) as bench:
        response = await ask(bench, request_)
        assert (response.status, orjson.loads(response.body)["detail"]) == (status, detail)
        assert not bench.upstream.received


@on_both_loops
async def test_the_gate_has_room_for_so_many_sessions() -> None:
    async with gate_bench(dialect=PlainDialect(), options=GateOptions(max_connections=1)) as bench:
        client = await bench.open()
        client.send(post("s", b"enter m bob") + post("t", b"enter m carol") + post("t", b"talk"))
        assert [(await client.response()).status for _ in range(3)] == [200, 503, 200]


@on_both_loops
async def test_a_body_that_is_awaited_is_asked_for() -> None:
    async with gate_bench(dialect=PlainDialect()) as bench:
        client = await bench.open()
        client.send(b"POST /poll/s HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\nExpect: 100-continue\r\n\r\n")
        assert (await client.response()).status == 100
        client.send(b"enter m bob")
        assert (await client.response()).body == b"POST /poll/s|enter m bob"


@on_both_loops
async def test_other_bodies_are_relayed_as_they_come() -> None:
    async with gate_bench(answer_all, dialect=PlainDialect()) as bench:
        client = await bench.open()
        client.send(b"POST /other HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\n" + bytes(300_000))
        assert (await client.response()).body == b"POST /other|" + bytes(300_000)


@on_both_loops
async def test_a_session_that_another_claims_keeps_its_people_for_want_of_the_servers_word() -> None:
    async with gate_bench(dialect=PlainDialect(), rules=(order(),)) as bench:
        await ask(bench, post("s", b"enter m bob"))
        assert (await ask(bench, post("t", b"resume s"), CN)).body == b"refused 451 resume s"
        assert len(bench.gate.roster) == 1
        assert (await ask(bench, post("t", b"resume s"))).status == 200
        assert len(bench.gate.roster) == 2  # nobody is inside uncounted (G6)


@on_both_loops
async def test_a_token_that_an_answer_gives_stands_for_the_join_that_it_answers() -> None:
    async def script(wire: Wire) -> None:
        while True:
            await wire.head()
            wire.send(b"HTTP/1.1 302 Found\r\nToken: t\r\nContent-Length: 0\r\n\r\n")

    async with gate_bench(script, dialect=PlainDialect(), rules=(order(),)) as bench:
        request = b"GET /meetings/m/join?user=bob HTTP/1.1\r\nHost: a\r\n\r\n"
        assert (await ask(bench, request)).status == 302
        await eventually(lambda: not len(bench.gate.roster))
        assert (await ask(bench, post("s", b"resume t"), CN)).body == b"refused 451 resume t"
        assert (await ask(bench, post("s", b"resume t"))).status == 302
        assert [each.id for each in bench.gate.roster] == ["bob"]
