"""A serving gate and its ledger: on a full disk, on a read-only one, and what may be found in anything it writes."""

import asyncio
import base64
import contextlib
import hashlib
import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import orjson
import pytest

from joingate.codecs.receipt import commitment
from joingate.core.record import Restriction, Window
from tests.edges.ledger_reading import receipts, records
from tests.edges.room_relay import RoomRelay
from tests.edges.served import CN, HK, NOWHERE, Folder, Served, host_policy, limited, order, run
from tests.ws_client import Connected, Rejected


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KiB, of this test's own."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["/bin/mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(disk)]
    done = subprocess.run(mount, capture_output=True, check=False)
    if done.returncode:
        pytest.skip("mounting a tmpfs takes root")
    try:
        yield disk
    finally:
        subprocess.run(["/bin/umount", "--lazy", disk], check=True)


def remount(disk: Path, how: str) -> None:
    subprocess.run(["/bin/mount", "-o", f"remount,{how}", disk], check=True)


def verified(ledger: Path) -> str:
    done = run("ledger", "verify", "--ledger", ledger)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@contextlib.asynccontextmanager
async def serving(path: Path, database: Path, ledger: Path) -> AsyncIterator[Served]:
    async with RoomRelay() as relay:
        path.mkdir()  # noqa: ASYNC240 - nothing else runs yet
        folder = Folder(path, database, upstream_port=relay.port, more_admin=f'[ledger]\npath = "{ledger}"')
        folder.write("order.toml", order("o-1", ["m-1"]))
        async with Served(folder) as gate:
            yield gate
            gate.process.terminate()
            assert await gate.ended() == 0


async def test_on_a_full_disk_everybody_is_admitted_until_there_is_room_again(
    tmp_path: Path, demo_mmdb: Path, small_disk: Path
) -> None:
    ledger = small_disk / "ledger"
    async with serving(tmp_path / "gate", demo_mmdb, ledger) as gate:
        assert await gate.rejected("m-1", CN) == 451
        staying = await gate.join("m-1", HK)
        filler = small_disk / "filler"
        with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while file.write(bytes(4096)):
                pass
        for _ in range(20):  # what is left of the last page takes a few records more
            if isinstance(admitted := await gate.knock("m-1", CN), Connected):
                break
        assert isinstance(admitted, Connected)
        status = await gate.status()
        assert status["state"] == "degraded"
        assert status["problems"][0].startswith(f"ledger: {ledger}/records: ")
        assert status["problems"][0].endswith("; nobody is restricted until it can be written")
        assert status["ledger"]["unrecorded"] >= 1
        assert b"joingate_ledger_failing 1.0" in await gate.get("/metrics")
        assert b"joingate_degraded 1.0" in await gate.get("/metrics")
        refused_before = status["ledger"]["unrecorded"]
        assert isinstance(await gate.knock("m-1", CN), Connected)
        filler.unlink()
        async with limited():  # by itself: the one who came in meanwhile goes, whoever is not meant stays
            code, reason = await admitted.recv_close()
        assert code == 4451
        status = await gate.status_when(lambda status: status["state"] == "serving")
        assert await gate.rejected("m-1", CN) == 451
        await staying.send_text("still here")
        assert status["ledger"]["unrecorded"] > refused_before
        assert commitment(reason.rpartition("receipt ")[2]) in receipts(ledger)
    windows = [record for record in records(ledger) if isinstance(record, Window)]
    assert sum(window.unrecorded for window in windows) == status["ledger"]["unrecorded"]
    verified(ledger)


async def test_a_read_only_ledger_restricts_nobody_and_is_found_writable_again(
    tmp_path: Path, demo_mmdb: Path, small_disk: Path
) -> None:
    ledger = small_disk / "ledger"
    async with serving(tmp_path / "first", demo_mmdb, ledger) as gate:
        assert await gate.rejected("m-1", CN) == 451
    remount(small_disk, "ro")
    async with serving(tmp_path / "second", demo_mmdb, ledger) as gate:
        assert (await gate.status())["state"] == "degraded"
        assert "ead-only file system" in (await gate.status())["problems"][0]
        inside = await gate.join("m-1", CN)
        remount(small_disk, "rw")
        async with limited():
            assert (await inside.recv_close())[0] == 4451
        await gate.status_when(lambda status: status["state"] == "serving")
        assert await gate.rejected("m-1", CN) == 451
    assert sum(isinstance(record, Restriction) for record in records(ledger)) == 3
    verified(ledger)


USERS = ("Wang-Xiaoming-4711", "olena.shevchenko@example.org")
MEETINGS = ("9917284650", "board-of-somebody-quite-private")
TOKEN = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJzZWNyZXQtcGVyc29uIn0.c2lnbmF0dXJl"
AGENT = "Mozilla/5.0 (a browser as individual as its owner)"


def traces(value: str) -> Iterator[bytes]:
    """How a value could be given away: whole, in part, encoded, or hashed without a key."""
    raw = value.encode()
    yield raw
    if value.count(".") == 3 and value.replace(".", "").isdigit():
        octets = value.split(".")
        yield ".".join(octets[:3]).encode() + b"."
        yield bytes(map(int, octets))
        yield bytes(map(int, octets)).hex().encode()
    elif len(raw) > 12:
        yield raw[:12]
        yield raw[-12:]
    yield base64.b64encode(raw).rstrip(b"=")
    yield raw.hex().encode()
    for algorithm in ("md5", "sha1", "sha256", "sha512", "blake2b", "sha3_256"):
        digest = hashlib.new(algorithm, raw)
        for text in (digest.hexdigest().encode(), base64.b64encode(digest.digest()), digest.digest()):
            yield text[:12]


async def test_nothing_that_it_writes_or_tells_names_anybody(tmp_path: Path, demo_mmdb: Path) -> None:
    ledger = tmp_path / "ledger"
    told = bytearray()
    async with serving(tmp_path / "gate", demo_mmdb, ledger) as gate:
        gate.folder.write("order.toml", order("o-1", [MEETINGS[0]]))
        gate.folder.write("policy.toml", host_policy("p-1", [MEETINGS[1]], deny=["HK"], action="reject"))
        inside = [await gate.join(MEETINGS[0], source, user) for source in (CN, HK, NOWHERE) for user in USERS]
        await gate.reloaded()
        for source in (CN, HK, NOWHERE):
            for user in USERS:
                for meeting in MEETINGS:
                    await _ask(gate, source, meeting, user)
        await gate.rejected(MEETINGS[0], CN)
        inside[-1].abort()
        gate.folder.write("bad.toml", "[[order]]\n")
        await gate.reloaded()
        for path in ("/v1/status", "/metrics"):
            told += await gate.get(path)
    written = {
        path: path.read_bytes()
        for folder in (ledger, gate.folder.path)
        for path in folder.rglob("*")
        if path.is_file() and path.parent.name != "rules"  # which name meetings, because the operator has
    }
    assert len(written) >= 8
    written[Path("status and metrics")] = bytes(told)
    assert len(receipts(ledger)) == 7
    people = (CN, HK, NOWHERE, *USERS, *MEETINGS, TOKEN, AGENT)
    looked_for = {trace for value in people for trace in traces(value)}
    # The gate's own addresses are of loopback too, and 127.0.0.1 is one of them.
    looked_for -= set(traces(NOWHERE))
    found = [(path, trace) for path, data in written.items() for trace in looked_for if trace in data]
    assert found == []
    verified(ledger)


async def _ask(gate: Served, source: str, meeting: str, user: str) -> None:
    """Ask to join over plain HTTP, with everything that says who is asking."""
    reader, writer = await asyncio.open_connection("127.0.0.1", gate.port, local_addr=(source, 0))
    writer.write(
        f"GET /meetings/{meeting}/join?user={user}&token={TOKEN} HTTP/1.1\r\nHost: a\r\nUser-Agent: {AGENT}\r\n"
        f"Authorization: Bearer {TOKEN}\r\nCookie: session={TOKEN}\r\nX-Forwarded-For: {source}\r\n"
        f"Connection: close\r\n\r\n".encode()
    )
    async with limited():
        await reader.read()
    writer.close()


def test_the_traces_are_found_where_they_are() -> None:
    for value in (CN, *USERS):
        for spelt in (value, hashlib.sha256(value.encode()).hexdigest(), base64.b64encode(value.encode()).decode()):
            assert any(trace in spelt.encode() for trace in traces(value))


async def test_a_notice_comes_with_a_receipt_of_this_ledger(tmp_path: Path, demo_mmdb: Path) -> None:
    ledger = tmp_path / "ledger"
    async with serving(tmp_path / "gate", demo_mmdb, ledger) as gate:
        answer = await gate.knock("m-1", CN)
        assert isinstance(answer, Rejected)
        problem = orjson.loads(answer.body)
        notice = tmp_path / "notice.json"
        notice.write_bytes(answer.body)
    assert receipts(ledger) == [commitment(problem["receipt"])]
    proof = tmp_path / "case.tlog-proof"
    done = run("ledger", "prove", problem["receipt"], "--ledger", ledger, "-o", proof)
    assert done.returncode == 0, done.stderr
    key = (ledger / "verifier_key").read_text().strip()
    done = run("ledger", "verify", "--proof", proof, "--receipt", problem["receipt"], "--key", key)
    assert done.returncode == 0, done.stderr


if os.environ.get("CI") and os.geteuid():
    raise RuntimeError("these tests take root, and on CI they must not be skipped")
