"""`workers = 2`: what becomes of those inside and of those who come when a worker dies, hangs, leaves or is renewed."""

import asyncio
import signal
from collections import Counter
from collections.abc import AsyncIterator
from os import kill
from pathlib import Path

import pytest

from tests.edges.room_relay import RoomRelay
from tests.edges.served import CN, DE, Folder, Served, exchange, limited, order, run, states, until
from tests.edges.test_serve_reload import metric
from tests.edges.test_serve_start import GRACE, configure
from tests.edges.worker_processes import (
    admitted,
    ask,
    both,
    cannot_connect,
    family_of,
    is_gone,
    join_at,
    workers_of,
)


@pytest.fixture
async def relay() -> AsyncIterator[RoomRelay]:
    async with RoomRelay() as server:
        yield server


@pytest.fixture
def folder(tmp_path: Path, demo_mmdb: Path, relay: RoomRelay) -> Folder:
    return Folder(tmp_path, demo_mmdb, upstream_port=relay.port, gate="workers = 2")


async def test_a_worker_that_is_killed_is_replaced_by_one_that_judges_as_the_others_do(folder: Folder) -> None:
    """Whatever stands in the files by then: nobody has reloaded them."""
    folder.write("order.toml", order("cac-1", ["m-1"]))
    async with Served(folder) as gate, limited():
        killed, survivor = workers_of(gate)
        revision = (await gate.status())["rules"]["revision"]
        de, lost = await join_at(gate, survivor, "m-2", DE), await join_at(gate, killed, "m-2", DE)
        asked, failed = Counter[int](), list[Exception]()
        is_over = asyncio.Event()

        async def load() -> None:
            while not is_over.is_set():
                try:
                    asked[await ask(gate)] += 1
                except (ConnectionResetError, IndexError) as error:  # it was at the one that was killed
                    failed.append(error)

        under_load = [asyncio.ensure_future(load()) for _ in range(4)]
        await until(lambda: asked[200] > 20)
        folder.write("order.toml", "[[order]\n")
        counted = admitted(await gate.status())
        kill(killed, signal.SIGKILL)
        with pytest.raises(asyncio.IncompleteReadError):
            await lost.recv()
        status = await gate.status_when(lambda status: [each["restarts"] for each in status["workers"]] != [0, 0])
        assert admitted(status) >= counted
        assert sorted(each["restarts"] for each in status["workers"]) == [0, 1]
        so_far = asked[200]
        await until(lambda: asked[200] > so_far + 20)
        is_over.set()
        await asyncio.gather(*under_load)  # a refused connection would come out here
        assert set(asked) == {200}
        assert len(failed) <= len(under_load)
        await exchange(de, [de], "the other's clients have seen nothing")

        (fresh,) = set(workers_of(gate)) - {survivor}
        de_there = await join_at(gate, fresh, "m-2", DE)
        await exchange(de, [de, de_there], "together again")
        assert {await gate.rejected("m-1", CN) for _ in range(8)} == {451}
        status = await gate.status_when(lambda status: states(status) == ["serving", "serving"])
        assert {each["revision"] for each in status["workers"]} == {revision}
        assert admitted(status) > counted > 20, "what the dead one had told of still counts"
        for number in (1, 2):
            assert gate.log().count(f"worker {number} has ended; another takes its place") <= 1
        assert "Traceback" not in gate.log()


async def test_whoever_waits_at_a_worker_that_dies_is_served_by_the_next(folder: Folder) -> None:
    async with Served(folder) as gate, limited():
        stuck, _ = workers_of(gate)
        kill(stuck, signal.SIGSTOP)  # its connections are made by the kernel, and nobody accepts them
        asking = [asyncio.ensure_future(ask(gate)) for _ in range(40)]
        await until(lambda: sum(each.done() for each in asking) > 0)
        await asyncio.sleep(0.2)
        waiting = [each for each in asking if not each.done()]
        assert waiting, "none of 40 connections has come to the worker that is stuck"
        kill(stuck, signal.SIGKILL)
        assert await asyncio.gather(*asking) == [200] * len(asking)


async def test_a_worker_that_does_not_answer_shows_and_holds_a_reload_up(folder: Folder) -> None:
    async with Served(folder) as gate, limited():
        stuck, _ = workers_of(gate)
        de = await join_at(gate, stuck, "m-1", DE)
        before = (await gate.status())["rules"]["revision"]
        kill(stuck, signal.SIGSTOP)
        status = await gate.status_when(lambda status: states(status) == ["serving", "silent"])
        (problem,) = status["problems"]
        assert problem in {"worker 1 does not answer", "worker 2 does not answer"}
        assert status["state"] == "degraded"
        assert status["participants"] == 1, "as it said last"

        folder.write("order.toml", order("ag-1", ["m-1"], authority="ag"))
        gate.sighup()
        status = await gate.status_when(lambda status: status["reloads"]["failed"] > 0)
        refused = (
            f"{problem}; nothing is changed. Reload again; should that not help, end its process, and another takes "
            "its place"
        )
        assert status["reloads"]["last"]["problems"] == [refused]
        assert status["rules"]["revision"] == before
        assert gate.log().count(refused) == 1

        kill(stuck, signal.SIGCONT)
        await gate.status_when(lambda status: problem not in status["problems"])
        assert (await gate.reloaded())["state"] == "serving"
        assert (await de.recv_close())[0] == 4451
        await gate.ledger_says("1 ejections, 1 confirmed")


async def test_a_worker_killed_between_record_and_ejection_claims_nothing(folder: Folder) -> None:
    async with Served(folder) as gate, limited():
        killed, survivor = workers_of(gate)
        cn = await join_at(gate, killed, "m-1", CN)  # reads nothing, and so never answers the Close
        also = await join_at(gate, survivor, "m-1", CN)
        folder.write("order.toml", order("cac-1", ["m-1"]))
        assert (await gate.reloaded())["reloads"]["last"]["ejected"] == 2
        kill(killed, signal.SIGKILL)
        assert (await also.recv_close())[0] == 4451
        also.abort()
        await gate.status_when(lambda status: [each["restarts"] for each in status["workers"]] != [0, 0])
        await gate.ledger_says("2 ejections, 1 confirmed, 0 still present, 1 without an outcome yet")
        assert {await gate.rejected("m-1", CN) for _ in range(8)} == {451}, "at the fresh one too, by the newest rules"
        cn.abort()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("to_all", [False, True])
async def test_they_drain(number: signal.Signals, to_all: bool, folder: Folder, relay: RoomRelay) -> None:
    """Whether the supervisor alone gets the signal, or everybody, as from a terminal or a service manager."""
    configure(folder, "drain_seconds = 1", GRACE)
    async with Served(folder) as gate, limited():
        family = family_of(gate)
        clients = await both(gate, "m-1", DE)
        slow = asyncio.ensure_future(ask(gate, DE, "/slow"))
        await until(lambda: any(b"/slow" in line for line in relay.seen))
        for pid in family if to_all else family[:1]:
            kill(pid, number)
        await until(lambda: "joingate: INFO: draining: 2 participants inside\n" in gate.log())
        await until(lambda: cannot_connect(gate.port))
        await exchange(clients[0], clients, "in the time of grace")
        relay.release.set()
        assert await slow == 200
        for client in clients:
            assert await client.recv_close() == (1001, "The gate is going away.")
            client.abort()  # or the gate would wait for an answer to its Close
        assert await gate.ended() == 0
        await until(lambda: all(map(is_gone, family)))
        assert "Traceback" not in gate.log()
        assert to_all or "takes its place" not in gate.log()


async def test_no_worker_outlives_its_supervisor(folder: Folder) -> None:
    async with Served(folder) as gate, limited():
        family = family_of(gate)
        clients = await both(gate, "m-1", DE)
        gate.process.kill()
        for client in clients:
            assert (await client.recv_close())[0] == 1001
        await until(lambda: all(map(is_gone, family[1:])))
        assert cannot_connect(gate.port)
    verdict = run("ledger", "verify", "-c", folder.settings)
    assert verdict.returncode == 0, verdict.stdout


async def test_without_the_process_that_begins_workers_the_others_serve_on(folder: Folder) -> None:
    async with Served(folder) as gate, limited():
        _, nursery, killed, survivor = family_of(gate)
        de = await join_at(gate, survivor, "m-1", DE)
        kill(nursery, signal.SIGKILL)
        await exchange(de, [de], "nobody has noticed")
        kill(killed, signal.SIGKILL)
        status = await gate.status_when(lambda status: states(status) == ["absent", "serving"])
        assert status["state"] == "degraded"
        (problem,) = status["problems"]
        assert problem.endswith(" cannot be replaced: the process that begins workers is gone; restart the gate")
        await exchange(de, [de], "nor has this one's client")
        assert {await ask(gate) for _ in range(20)} == {200}, "nobody comes to where nobody serves"
        await gate.get_when("/metrics", lambda said: metric(said, "joingate_workers") == 1)
        kill(survivor, signal.SIGKILL)
        assert await gate.ended() == 1, "which has a service manager begin anew; 2 would not"
        assert gate.log().endswith("joingate: ERROR: no worker is left, and none can be begun; restart the gate\n")
        assert "Traceback" not in gate.log()


async def test_a_worker_that_is_told_to_end_is_replaced_before_its_clients_have_to_go(folder: Folder) -> None:
    configure(folder, "drain_seconds = 1", GRACE)
    async with Served(folder) as gate, limited():
        told, stays = workers_of(gate)
        there, here = await join_at(gate, told, "m-1", DE), await join_at(gate, stays, "m-1", DE)
        kill(told, signal.SIGTERM)
        await until(lambda: len(set(workers_of(gate)) - {told, stays}) == 1)
        await exchange(there, [there, here], "in the time of grace")
        assert (await there.recv_close())[0] == 1001
        there.abort()  # or it would wait for an answer to its Close
        await until(lambda: is_gone(told))
        assert {await ask(gate) for _ in range(20)} == {200}
        await exchange(here, [here], "undisturbed")


async def test_a_rolling_restart_refuses_nobody(folder: Folder) -> None:
    async with Served(folder) as gate, limited():
        before = workers_of(gate)
        clients = await both(gate, "m-1", DE)
        asked = Counter[int]()
        is_over = asyncio.Event()

        async def load() -> None:
            while not is_over.is_set():
                asked[await ask(gate)] += 1

        under_load = [asyncio.ensure_future(load()) for _ in range(4)]
        gate.signal(signal.SIGUSR2)
        for client in clients:
            assert (await client.recv_close())[0] == 1001
        await until(lambda: all(map(is_gone, before)))
        so_far = asked[200]
        await until(lambda: asked[200] > so_far + 20)
        is_over.set()
        await asyncio.gather(*under_load)
        assert set(asked) == {200}
        status = await gate.status()
        assert [each["restarts"] for each in status["workers"]] == [1, 1]
        assert len(workers_of(gate)) == 2
