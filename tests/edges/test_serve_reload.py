"""Reloads of the real program: who is ejected, who is not, and what is kept when something cannot be used."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from joingate.geodb.build import build
from tests.conftest import TABLES
from tests.edges.room_relay import RoomRelay
from tests.edges.served import CN, DE, HK, NOWHERE, US, Folder, Served, exchange, host_policy, limited, order
from tests.edges.worker_processes import records, workers_of

MANY = 10_000  # rules, whose parsing takes a while


@pytest.fixture
async def relay() -> AsyncIterator[RoomRelay]:
    async with RoomRelay() as server:
        yield server


@pytest.fixture
def folder(tmp_path: Path, demo_mmdb: Path, relay: RoomRelay) -> Folder:
    return Folder(tmp_path, demo_mmdb, upstream_port=relay.port)


def metric(exposition: bytes, line: str) -> float:
    (value,) = (each.rsplit(" ", 1)[1] for each in exposition.decode().splitlines() if each.startswith(line + " "))
    return float(value)


async def test_an_order_a_host_policy_and_their_end(folder: Folder, relay: RoomRelay) -> None:
    async with Served(folder) as gate:
        cn, hk, de, lost = [await gate.join("m-1", source) for source in (CN, HK, DE, NOWHERE)]
        elsewhere = await gate.join("m-2", CN)
        await exchange(hk, [cn, hk, de, lost], "before")

        folder.write("order.toml", order("cac-1", ["m-1"]))
        status = await gate.reloaded()
        async with limited():
            assert (await cn.recv_close())[0] == 4451
        assert status["reloads"]["last"] | {"hour": ""} == {
            "hour": "",
            "trigger": "signal",
            "ok": True,
            "problems": [],
            "unconfirmed_revision": None,
            "would_eject": 0,
            "reassessed": 4,
            "ejected": 1,
            "deferred": 0,
        }
        await exchange(hk, [hk, de, lost], "after")
        await exchange(elsewhere, [elsewhere], "another meeting")
        assert await gate.rejected("m-1", CN) == 451

        folder.write("policy.toml", host_policy("board", ["m-1"], deny=["DE"]))
        status = await gate.reloaded()
        async with limited():
            code, reason = await de.recv_close()
        assert (code, reason.partition(", receipt ")[0]) == (4403, "host policy board")
        assert status["reloads"]["last"]["ejected"] == 1
        await exchange(hk, [hk, lost], "and again")
        assert await gate.rejected("m-1", DE) == 403

        folder.remove("order.toml")
        folder.remove("policy.toml")
        status = await gate.reloaded()
        again = [await gate.join("m-1", source) for source in (CN, DE)]  # G7
        await exchange(hk, [hk, lost, *again], "reversible")
        assert status["reloads"]["last"]["ejected"] == 0
        assert status["by_rule"] == [
            {"rule": "board", "verdict": "eject", "count": 1},
            {"rule": "board", "verdict": "reject", "count": 1},
            {"rule": "cac-1", "verdict": "eject", "count": 1},
            {"rule": "cac-1", "verdict": "reject", "count": 1},
        ]
        assert sum(b"/join" in line for line in relay.seen) == 7, (
            "a rejected join never reaches the meeting server (G6)"
        )


async def test_bad_rules_are_refused_and_the_last_good_ones_serve_on(folder: Folder) -> None:
    folder.write("order.toml", order("cac-1", ["m-1"]))
    async with Served(folder) as gate:
        revision = (await gate.status())["rules"]["revision"]
        de = await gate.join("m-1", DE)
        folder.write("order.toml", order("cac-1", ["m-1"], authority="cacc"))
        folder.write("another.toml", order("cac-2", ["m-1"], authority="cacc"))
        status = await gate.reloaded()
        problems = [
            f'{folder.path}/rules/{name}: order "{rule}": authority: "cacc" is unknown; did you mean "cac"?'
            for name, rule in (("another.toml", "cac-2"), ("order.toml", "cac-1"))
        ]
        assert status["reloads"]["last"]["problems"] == problems
        assert (status["state"], status["rules"]["revision"]) == ("degraded", revision)
        for problem in problems:
            assert f"joingate: ERROR: reload by signal: {problem}\n" in gate.log()
        metrics = await gate.get("/metrics")
        assert metric(metrics, 'joingate_reloads_total{result="failed"}') == 1
        assert metric(metrics, 'joingate_reloads_total{result="ok"}') == 0
        assert metric(metrics, "joingate_degraded") == 1
        assert await gate.get("/readyz") == b"degraded\n"
        assert await gate.rejected("m-1", CN) == 451
        await exchange(de, [de], "undisturbed")

        shutil.rmtree(folder.path / "rules")
        status = await gate.reloaded()
        assert status["reloads"]["last"]["problems"] == [
            f"{folder.path}/rules: does not exist; create the folder, or correct rules.path"
        ]
        assert await gate.rejected("m-1", CN) == 451

        (folder.path / "rules").mkdir()
        status = await gate.reloaded()
        assert (status["state"], status["rules"]["count"]) == ("serving", 0)
        metrics = await gate.get("/metrics")
        assert metric(metrics, 'joingate_reloads_total{result="failed"}') == 2
        assert metric(metrics, 'joingate_reloads_total{result="ok"}') == 1
        assert metric(metrics, "joingate_degraded") == 0
        await gate.join("m-1", CN)
        await exchange(de, [de], "undisturbed still")


def rebuilt(output: Path, changes: dict[str, str], *, build_epoch: int | None = None) -> Path:
    """Build the demo database again, with some lines of its table changed."""
    table = (TABLES / "demo.csv").read_text()
    for before, after in changes.items():
        assert table.count(before) == 1
        table = table.replace(before, after)
    output.with_suffix(".csv").write_text(table)
    build(output.with_suffix(".csv"), output, build_epoch=build_epoch)
    return output


DAMAGE: dict[str, tuple[Callable[[Path, bytes], object], str]] = {
    "corrupt": (
        lambda path, good: path.write_bytes(b"\xff" * 4000 + good[4000:]),
        "",
    ),
    "truncated": (
        lambda path, good: path.write_bytes(good[: len(good) // 2]),
        "cannot be opened as an MMDB file, so is truncated, damaged or something else;",
    ),
    "empty": (lambda path, _: path.write_bytes(b""), "is empty; put a complete database in its place"),
    "missing": (
        lambda path, _: path.unlink(),
        "cannot be read (No such file or directory); correct [geodb] paths, or put a database there",
    ),
    "older": (lambda path, _: rebuilt(path, {}, build_epoch=1_700_000_000), "older (build_epoch 1700000000) than"),
}


async def test_a_bad_database_is_refused_and_the_last_good_one_serves_on(folder: Folder) -> None:
    folder.write("order.toml", order("cac-1", ["m-1"]))
    good = folder.database.read_bytes()
    async with Served(folder) as gate:
        de = await gate.join("m-1", DE)
        before = (await gate.status())["geodb"]["databases"]
        for kind, (damage, problem) in DAMAGE.items():
            damage(folder.database, good)
            status = await gate.reloaded()
            (found,) = status["reloads"]["last"]["problems"]
            assert found.startswith(f"{folder.database}: {problem}"), kind
            assert (status["state"], status["geodb"]["databases"]) == ("degraded", before), kind
            assert f"joingate: ERROR: reload by signal: {found}\n" in gate.log(), kind
            assert await gate.rejected("m-1", CN) == 451, kind
            await exchange(de, [de], kind)
        assert metric(await gate.get("/metrics"), 'joingate_reloads_total{result="failed"}') == len(DAMAGE)
        folder.database.write_bytes(good)
        assert (await gate.reloaded())["state"] == "serving"
        assert "Traceback" not in gate.log()


async def test_rules_and_databases_stand_or_fall_apart(folder: Folder, tmp_path: Path) -> None:
    async with Served(folder) as gate:
        de, us = [await gate.join("m-1", source) for source in (DE, US)]
        folder.write("order.toml", order("ag-1", ["m-1"], authority="ag"))
        folder.database.write_bytes(b"no database")
        status = await gate.reloaded()
        async with limited():
            assert (await de.recv_close())[0] == 4451
        assert (status["state"], status["rules"]["count"]) == ("degraded", 1)
        assert len(status["reloads"]["last"]["problems"]) == 1

        (folder.path / "rules" / "order.toml").write_text("[[order]\n")
        moved = rebuilt(tmp_path / "moved.mmdb", {"127.1.0.0/16,NA,US,,": "127.1.0.0/16,EU,DE,,"})
        moved.replace(folder.database)
        status = await gate.reloaded()
        async with limited():
            assert (await us.recv_close())[0] == 4451
        assert (status["state"], status["rules"]["count"]) == ("degraded", 1)
        assert status["reloads"]["last"]["ejected"] == 1
        assert len(status["reloads"]["last"]["problems"]) == 1


async def test_a_new_database_is_noticed_by_itself_and_moves_whom_it_moves(
    tmp_path: Path, demo_mmdb: Path, relay: RoomRelay
) -> None:
    folder = Folder(tmp_path, demo_mmdb, upstream_port=relay.port, geodb_watch=0.05)
    folder.write("order.toml", order("cac-1", ["m-1"]))
    async with Served(folder) as gate:
        de, us = [await gate.join("m-1", source) for source in (DE, US)]
        assert await gate.rejected("m-1", CN) == 451
        changes = {"127.1.0.0/16,NA,US,,": "127.1.0.0/16,AS,CN,,", "127.86.0.0/16,AS,CN,,": "127.86.0.0/16,NA,US,,"}
        moved = rebuilt(tmp_path / "moved.mmdb", changes)
        status = await gate.reloaded(lambda: moved.replace(folder.database))
        async with limited():
            assert (await us.recv_close())[0] == 4451
        await exchange(de, [de, await gate.join("m-1", CN)], "the same person, elsewhere")
        assert status["reloads"]["last"]["trigger"] == "watch"
        assert status["reloads"]["last"]["ejected"] == 1


@pytest.mark.parametrize("workers", [1, 2])
async def test_a_database_that_is_touched_and_not_changed_moves_nobody(
    tmp_path: Path, demo_mmdb: Path, relay: RoomRelay, workers: int
) -> None:
    gate_settings = f"workers = {workers}"
    folder = Folder(tmp_path, demo_mmdb, upstream_port=relay.port, geodb_watch=0.05, gate=gate_settings)
    folder.write("order.toml", order("cac-1", ["m-1"]))
    async with Served(folder) as gate:
        de = await gate.join("m-1", DE)
        before = (await gate.status())["geodb"]
        again = tmp_path / "again.mmdb"
        shutil.copy(demo_mmdb, again)  # and then in its place at once: half of it is no copy
        for change in (folder.database.touch, lambda: again.replace(folder.database)):
            status = await gate.reloaded(change)
            last = status["reloads"]["last"]
            assert (last["trigger"], last["ok"], last["reassessed"]) == ("watch", True, 0)
            assert status["geodb"] == before
        assert {await gate.rejected("m-1", CN) for _ in range(8)} == {451}
        await exchange(de, [de, await gate.join("m-1", DE)], "as before")
        pids = workers_of(gate) if workers > 1 else [gate.process.pid]
        assert [open_databases(pid) for pid in pids] == [1] * workers
    declared = [each for each in records(folder) if each["kind"] == "database"]
    assert len(declared) == 1


async def test_the_database_that_a_gate_began_with_is_let_go_of(folder: Folder, tmp_path: Path) -> None:
    async with Served(folder) as gate:
        for name, more in (("first", "127.1.0.0/16,AS,CN,,"), ("second", "127.1.0.0/16,NA,US,,")):
            rebuilt(tmp_path / f"{name}.mmdb", {"127.1.0.0/16,NA,US,,": more}).replace(folder.database)
            await gate.reloaded()
            assert open_databases(gate.process.pid) == 1, name


def open_databases(pid: int) -> int:
    """Return how many databases a process holds in memory."""
    fds = [each for each in Path(f"/proc/{pid}/fd").iterdir() if "condensed" in str(each.readlink())]
    return len({fd.stat().st_ino for fd in fds})  # each may be open twice: for the reader, and for a walk in C


async def test_a_database_that_changes_by_itself_loads_no_rules_that_nobody_asked_for(
    tmp_path: Path, demo_mmdb: Path, relay: RoomRelay
) -> None:
    """[rules] watch_seconds = 0 means: only on reload. An order that is still being written must wait for it."""
    folder = Folder(tmp_path, demo_mmdb, upstream_port=relay.port, geodb_watch=0.05)
    async with Served(folder) as gate:
        cn = await gate.join("m-1", CN)
        folder.write("order.toml", order("cac-1", ["m-1"]))
        moved = rebuilt(tmp_path / "moved.mmdb", {"127.1.0.0/16,NA,US,,": "127.1.0.0/16,EU,DE,,"})
        status = await gate.reloaded(lambda: moved.replace(folder.database))
        assert status["reloads"]["last"]["trigger"] == "watch"
        assert status["rules"]["count"] == 0
        await exchange(cn, [cn], "still here")

        folder.write("order.toml", "[[order]\n")
        assert (await gate.reloaded())["state"] == "degraded"
        newer = rebuilt(tmp_path / "newer.mmdb", {})
        status = await gate.reloaded(lambda: newer.replace(folder.database))
        assert status["reloads"]["last"]["ok"]
        assert status["state"] == "degraded", "a good database does not mend the rules"
        assert len(status["problems"]) == 1
        folder.write("order.toml", order("cac-1", ["m-1"]))
        status = await gate.reloaded()
        assert (status["state"], status["problems"]) == ("serving", [])
        async with limited():
            assert (await cn.recv_close())[0] == 4451


async def test_rules_are_noticed_by_themselves_where_that_is_wanted(
    tmp_path: Path, demo_mmdb: Path, relay: RoomRelay
) -> None:
    folder = Folder(tmp_path, demo_mmdb, upstream_port=relay.port, rules_watch=0.05)
    async with Served(folder) as gate:
        cn, de = [await gate.join("m-1", source) for source in (CN, DE)]
        status = await gate.reloaded(lambda: folder.write("order.toml", order("cac-1", ["m-1"])))
        async with limited():
            assert (await cn.recv_close())[0] == 4451
        assert status["reloads"]["last"]["trigger"] == "watch"
        await exchange(de, [de], "undisturbed")
        await gate.reloaded(lambda: folder.remove("order.toml"))
        await gate.join("m-1", CN)


async def test_a_reload_that_would_eject_too_many_waits_for_its_confirmation(
    tmp_path: Path, demo_mmdb: Path, relay: RoomRelay
) -> None:
    folder = Folder(tmp_path, demo_mmdb, upstream_port=relay.port, max_ejections=1)
    async with Served(folder) as gate:
        first, second, de = [await gate.join("m-1", source) for source in (CN, CN, DE)]
        before = (await gate.status())["rules"]["revision"]
        folder.write("order.toml", order("cac-1", ["m-1"]))
        status = await gate.reloaded()
        revision = status["reloads"]["last"]["unconfirmed_revision"]
        assert (status["state"], status["rules"]["revision"]) == ("degraded", before)
        assert status["reloads"]["last"]["would_eject"] == 2
        assert (
            f"joingate: ERROR: reload by signal: revision {revision} would eject 2; "
            f"confirm it with: joingate reload --confirm {revision}\n"
        ) in gate.log()
        await exchange(first, [first, second, de], "nobody is ejected")
        await gate.join("m-3", CN)

        refused = await asyncio.to_thread(gate.run, "reload", "--confirm", before)
        assert (refused.returncode, refused.stderr) == (1, "")
        assert refused.stdout == (
            f"problem   revision {revision} would eject 2; confirm it with: joingate reload --confirm {revision}\n"
        )
        await exchange(first, [first, second, de], "nor by the wrong revision")

        done = await asyncio.to_thread(gate.run, "reload", "--confirm", revision)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == f"reload    revision {revision} in use: 3 judged again, 2 ejected, 0 deferred\n"
        async with limited():
            assert [(await client.recv_close())[0] for client in (first, second)] == [4451, 4451]
        await exchange(de, [de], "undisturbed")
        assert (await gate.status())["state"] == "serving"


async def test_windows_open_and_close_by_themselves(folder: Folder) -> None:
    async with Served(folder) as gate:
        cn, de = [await gate.join("m-1", source) for source in (CN, DE)]
        opens = datetime.now(UTC) + timedelta(seconds=2)
        window = order("cac-1", ["m-1"], opens=opens, closes=opens + timedelta(seconds=4))
        folder.write("order.toml", window)
        status = await gate.reloaded()
        if status["reloads"]["last"]["ejected"]:
            pytest.skip("this machine needs longer to reload than the window takes to open")
        async with limited():
            assert (await cn.recv_close())[0] == 4451
        assert datetime.now(UTC) >= opens
        await exchange(de, [de], "undisturbed")
        answer: list[Any] = []
        async with limited():
            while not answer or not hasattr(answer[-1], "send_text"):  # rejected until the window closes
                answer.append(await gate.knock("m-1", CN))
                await asyncio.sleep(0.1)
        assert datetime.now(UTC) >= opens + timedelta(seconds=4)
        await exchange(de, [de, answer[-1]], "again together")
        status = await gate.status()
        assert status["reloads"]["succeeded"] == 1
        assert status["rules"]["orders_in_force"] == 0
        assert "time window: 1 ejected, 0 deferred" in gate.log()


async def test_a_burst_of_signals_loses_nothing(folder: Folder) -> None:
    async with Served(folder) as gate:
        clients = [await gate.join("m-1", source) for source in (CN, DE, US)]
        for number in range(50):
            folder.write("policy.toml", host_policy(f"burst-{number}", [f"none-{number}"], deny=["CN"]))
            gate.sighup()
            if number % 10 == 0:
                await exchange(clients[1], clients, f"burst {number}")
        many = "".join(host_policy(f"h-{number}", [f"none-{number}"], deny=["CN"]) for number in range(MANY))
        folder.write("many.toml", many)
        gate.sighup()
        await asyncio.sleep(0.3)  # the files have been read by now, and are being parsed
        folder.write("order.toml", order("cac-last", ["m-1"]))
        gate.sighup()
        async with limited():
            assert (await clients[0].recv_close())[0] == 4451
        status = await gate.status_when(lambda status: status["rules"]["count"] == MANY + 2)
        assert status["reloads"]["failed"] == 0
        assert status["reloads"]["succeeded"] >= 1
        await exchange(clients[1], clients[1:], "after")


async def test_joingate_reload_says_how_it_went(folder: Folder) -> None:
    async with Served(folder) as gate:
        cn, de = [await gate.join("m-1", source) for source in (CN, DE)]
        folder.write("order.toml", order("cac-1", ["m-1"]))
        done = await asyncio.to_thread(gate.run, "reload")
        revision = (await gate.status())["rules"]["revision"]
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == f"reload    revision {revision} in use: 2 judged again, 1 ejected, 0 deferred\n"
        async with limited():
            assert (await cn.recv_close())[0] == 4451
        cn.abort()
        await gate.status_when(lambda status: status["participants"] == 1)
        await exchange(de, [de], "undisturbed")

        (folder.path / "rules" / "order.toml").write_text('id = "x"\n')
        refused = await asyncio.to_thread(gate.run, "reload")
        assert (refused.returncode, refused.stderr) == (1, "")
        problem = f'{folder.path}/rules/order.toml: unknown key "id"; write one of authority, order, host_policy'
        assert refused.stdout == f"problem   {problem}\n"
        as_json = await asyncio.to_thread(gate.run, "reload", "--json")
        assert as_json.returncode == 1
        assert orjson.loads(as_json.stdout)["problems"] == [problem]
        shown = await asyncio.to_thread(gate.run, "status")
        assert shown.returncode == 0
        assert shown.stdout.splitlines()[0] == "degraded: 1 participants in 1 meetings"
        assert shown.stdout.splitlines()[-1] == f"problem   {problem}"
        assert any(line.startswith("ledger    ") for line in shown.stdout.splitlines())
        as_json = await asyncio.to_thread(gate.run, "status", "--json")
        assert orjson.loads(as_json.stdout)["state"] == "degraded"
