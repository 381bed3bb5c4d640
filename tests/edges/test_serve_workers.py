"""`workers = 2`: two processes on one port, and one gate to everybody who joins it, runs it or reads its ledger."""

import asyncio
import signal
import socket
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from os import kill
from pathlib import Path

import orjson
import pytest

from tests.edges.room_relay import RoomRelay
from tests.edges.served import CN, DE, HK, Folder, Served, exchange, limited, order, run, until_true
from tests.edges.test_serve_reload import metric
from tests.edges.worker_processes import (
    ask,
    both,
    join_at,
    records,
    workers_of,
)


@pytest.fixture
async def relay() -> AsyncIterator[RoomRelay]:
    async with RoomRelay() as server:
        yield server


@pytest.fixture
def folder(tmp_path: Path, demo_mmdb: Path, relay: RoomRelay) -> Folder:
    return Folder(tmp_path, demo_mmdb, upstream_port=relay.port, gate="workers = 2")


async def test_both_workers_serve_and_all_that_is_counted_is_counted_once(folder: Folder) -> None:
    async with Served(folder) as gate, limited():
        one, other = workers_of(gate)
        hk = [await join_at(gate, pid, "m-1", HK) for pid in (one, other) for _ in range(6)]
        await exchange(hk[0], hk, "everybody hears it, whoever carries them")
        de = await gate.join("m-2", DE)
        status = await gate.status_when(
            lambda status: (status["state"], status["participants"], status["connections"]) == ("serving", 13, 13)
        )
        assert status["meetings"] == 2
        revision = status["rules"]["revision"]
        assert status["workers"] == [
            {"worker": number, "state": "serving", "restarts": 0, "revision": revision} for number in (1, 2)
        ]
        assert orjson.loads(await gate.get("/v1/meetings/m-1/census")) == {"HK": "10+"}, "6 and 6 are told as 12"
        assert orjson.loads(await gate.get("/v1/meetings/nobody/census")) == {}
        metrics = await gate.get_when("/metrics", lambda said: metric(said, "joingate_workers") == 2)
        for name, value in (("participants", 13), ("meetings", 2), ("worker_restarts_total", 0)):
            assert metric(metrics, f"joingate_{name}") == value
        assert metric(metrics, 'joingate_decisions_total{reason="no_rule",verdict="admit"}') >= 13
        await gate.get_when("/readyz", lambda said: said == b"serving\n")

        async def both_are_told() -> bool:
            said = (await asyncio.to_thread(gate.run, "status")).stdout
            return "worker    1: serving, 0 restarts\nworker    2: serving, 0 restarts\n" in said

        await until_true(both_are_told)
        await exchange(de, [de], "undisturbed")


async def test_an_order_reaches_whom_it_means_at_both_and_nobody_else(folder: Folder) -> None:
    async with Served(folder) as gate, limited():
        cn, de, elsewhere = await both(gate, "m-1", CN), await both(gate, "m-1", DE), await both(gate, "m-2", CN)
        folder.write("order.toml", order("cac-1", ["m-1"]))
        status = await gate.reloaded()
        for client in cn:
            assert (await client.recv_close())[0] == 4451
        last = status["reloads"]["last"]
        assert (last["ok"], last["reassessed"], last["ejected"]) == (True, 4, 2)
        assert {each["revision"] for each in status["workers"]} == {status["rules"]["revision"]}
        assert status["by_rule"] == [{"rule": "cac-1", "verdict": "eject", "count": 2}]
        await exchange(de[0], de, "undisturbed")
        await exchange(elsewhere[0], elsewhere, "another meeting")
        assert {await gate.rejected("m-1", CN) for _ in range(8)} == {451}
        folder.remove("order.toml")
        await gate.reloaded()
        await both(gate, "m-1", CN)  # G7
        await gate.ledger_says("2 ejections, 2 confirmed")


async def test_a_limit_of_ejections_is_the_whole_gates(tmp_path: Path, demo_mmdb: Path, relay: RoomRelay) -> None:
    folder = Folder(tmp_path, demo_mmdb, upstream_port=relay.port, gate="workers = 2", max_ejections=1)
    async with Served(folder) as gate, limited():
        cn, de = await both(gate, "m-1", CN), await both(gate, "m-1", DE)
        before = (await gate.status())["rules"]["revision"]
        folder.write("order.toml", order("cac-1", ["m-1"]))
        status = await gate.reloaded()
        revision = status["reloads"]["last"]["unconfirmed_revision"]
        assert (status["state"], status["rules"]["revision"]) == ("degraded", before)
        assert status["reloads"]["last"]["would_eject"] == 2, "one at each is within the limit, two are not"
        assert {each["revision"] for each in status["workers"]} == {before}
        await exchange(cn[0], [*cn, *de], "nobody is ejected")
        await gate.join("m-1", CN)
        done = await asyncio.to_thread(gate.run, "reload", "--confirm", revision)
        assert done.returncode == 0, done.stdout
        assert f"revision {revision} in use: 5 judged again, 3 ejected, 0 deferred" in done.stdout
        for client in cn:
            assert (await client.recv_close())[0] == 4451
        await exchange(de[0], de, "undisturbed")


async def test_what_cannot_be_loaded_is_refused_once_for_all(folder: Folder) -> None:
    folder.write("order.toml", order("cac-1", ["m-1"]))
    async with Served(folder) as gate, limited():
        revision = (await gate.status())["rules"]["revision"]
        folder.write("order.toml", order("cac-1", ["m-1"], authority="cacc"))
        status = await gate.reloaded()
        problem = f'{folder.path}/rules/order.toml: order "cac-1": authority: "cacc" is unknown; did you mean "cac"?'
        assert (status["problems"], status["state"]) == ([problem], "degraded")
        assert {each["revision"] for each in status["workers"]} == {status["rules"]["revision"]} == {revision}
        assert gate.log().count(problem) == 1
        assert {await gate.rejected("m-1", CN) for _ in range(8)} == {451}


async def test_rejections_while_rules_are_replaced_rest_on_what_is_in_use(folder: Folder) -> None:
    """Both append to one ledger, and between the declaration and the last worker's word to take it there is a gap."""
    folder.write("standing.toml", order("cac-0", ["m-*"], action="reject"))
    async with Served(folder) as gate, limited():
        is_over = asyncio.Event()
        asked = Counter[int]()

        async def load(number: int) -> None:
            while not is_over.is_set():
                asked[await ask(gate, CN, f"/meetings/m-{number}/join?user=u")] += 1

        under_load = [asyncio.ensure_future(load(number)) for number in range(6)]
        reloads = 12
        for number in range(reloads):
            folder.write("more.toml", order(f"cac-{number % 2 + 1}", ["m-*"], action="reject"))
            assert (await gate.reloaded())["state"] == "serving"
        is_over.set()
        await asyncio.gather(*under_load)
        assert set(asked) == {451}
        assert asked[451] > reloads
        await gate.ledger_says("every property holds")
        gate.signal(signal.SIGTERM)
        assert await gate.ended() == 0
    await gate.ledger_says("every property holds")
    kinds = Counter(each["kind"] for each in records(folder))
    assert (kinds["database"], kinds["rules"]) == (1, 1 + reloads), "each is declared once, by one process"
    assert (kinds["order"], kinds["lift"]) == (1 + reloads, reloads - 1)
    assert kinds["restriction"] == asked[451]
    assert kinds["genesis"] == 1


async def test_an_orders_end_is_told_once(folder: Folder) -> None:
    async with Served(folder) as gate, limited():
        closes = datetime.now(UTC) + timedelta(seconds=5)
        folder.write("order.toml", order("cac-1", ["m-1"], action="reject", closes=closes))
        await gate.reloaded()
        if await ask(gate, CN) == 200 and datetime.now(UTC) >= closes:
            pytest.skip("this machine needs longer to reload than the order has left")

        async def has_ended() -> bool:
            return await ask(gate, CN) == 200

        await until_true(has_ended)
        await gate.ledger_says("1 expiries")
        gate.signal(signal.SIGTERM)
        assert await gate.ended() == 0
    kinds = Counter(each["kind"] for each in records(folder))
    assert (kinds["expiry"], kinds["heartbeat"]) in {(1, 1), (1, 2)}  # an hour may have ended


async def test_a_unix_socket_is_shared(tmp_path: Path, demo_mmdb: Path, relay: RoomRelay) -> None:
    folder = Folder(tmp_path, demo_mmdb, upstream_port=relay.port, gate="workers = 2")
    text = folder.settings.read_text()
    folder.settings.write_text(text.replace('["127.0.0.1:0"]', '["127.0.0.1:0", "unix:gate.sock"]'))
    async with Served(folder) as gate, limited():
        for _ in range(2):
            for _ in range(10):
                reader, writer = await asyncio.open_unix_connection(tmp_path / "gate.sock")
                writer.write(b"GET /meetings/m/join HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                assert (await reader.read()).startswith(b"HTTP/1.1 200 ")
                writer.close()
            kill(workers_of(gate)[0], signal.SIGKILL)


REFUSED = {
    "busy": "gate.listen: BUSY: Address already in use; free it or choose another",
    "busy_with_several": "gate.listen: BUSY: Address already in use; free it or choose another",
    "worker": "FOLDER/ca.pem: not a PEM file of CA certificates; give one",
    "server": (
        "FOLDER/joingate.toml: [upstream]: janus may carry one participant over several connections, and 2 workers do "
        "not know of each other's participants; write workers = 1 in [gate]"
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_it_refuses_to_start_with_is_told_once(name: str, folder: Folder) -> None:
    (folder.path / "ca.pem").write_text("nothing of the kind\n")
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if name == "busy_with_several":
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        busy = f"127.0.0.1:{taken.getsockname()[1]}"
        text = folder.settings.read_text()
        if name.startswith("busy"):
            text = text.replace('"127.0.0.1:0"', f'"{busy}"', 1)
        elif name == "worker":
            text = text.replace('url = "http://', 'ca_file = "ca.pem"\nurl = "https://')
        else:
            text = text.replace("[upstream]", '[upstream]\nserver = "janus"')
            text = text[: text.index("[[join]]")] + text[text.index("[geodb]") :]
        folder.settings.write_text(text)
        ended = run("serve", "-c", folder.settings)
    told = ended.stderr.replace(str(folder.path), "FOLDER").replace(busy, "BUSY")
    assert told.splitlines() == [f"joingate: {REFUSED[name]}"]
    assert (ended.returncode, ended.stdout) == (2, "")
