"""The start and the end of the real program: what it refuses to start with, and how signals end it.

What can be promised of signals: until Python runs its first line they have the default actions, so a SIGHUP ends the
process there. From the first lines of `joingate.__main__` on, before anything else is imported, it waits, and then is
a reload.
"""

import asyncio
import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.edges.room_relay import RoomRelay
from tests.edges.served import CN, DE, Folder, Served, exchange, limited, order, run, until

GRACE = "drain_seconds = 5"
"""For what is done in the time of grace: a machine with other work may stand still for a second in the midst of it."""


def damage(folder: Folder, size: int) -> None:
    """Cut the database off."""
    folder.database.write_bytes(folder.database.read_bytes()[:size])


def corrupt(folder: Folder) -> None:
    """Spoil the database's search tree."""
    folder.database.write_bytes(b"\xff" * 4000 + folder.database.read_bytes()[4000:])


def configure(folder: Folder, before: str, after: str) -> None:
    """Change joingate.toml."""
    text = folder.settings.read_text()
    assert text.count(before) == 1
    folder.settings.write_text(text.replace(before, after))


def spoil_rules_and_database(folder: Folder) -> None:
    """Two parts, two mistakes each: all four are told at once."""
    folder.write("a.toml", "[[order]\n")
    folder.write("b.toml", order("o-1", ["m-1"], authority="cacc"))
    folder.database.unlink()


def spoil_tls(folder: Folder) -> None:
    """Name files that are no certificate and no key."""
    for name in ("cert.pem", "key.pem"):
        (folder.path / name).write_text("nothing of the kind\n")
        (folder.path / name).chmod(0o600)
    configure(folder, "drain_seconds = 1", 'drain_seconds = 1\ntls_certificate = "cert.pem"\ntls_key = "key.pem"')


def show_key(folder: Folder) -> None:
    """Leave the private key to be read by everybody, as many tools do."""
    for name in ("cert.pem", "key.pem"):
        (folder.path / name).write_text("nothing of the kind\n")
    (folder.path / "key.pem").chmod(0o644)
    configure(folder, "drain_seconds = 1", 'drain_seconds = 1\ntls_certificate = "cert.pem"\ntls_key = "key.pem"')


def spoil_token(folder: Folder) -> None:
    """Name a file that holds no token."""
    (folder.path / "token").write_bytes(b"\xff\xfe two words\n")
    (folder.path / "token").chmod(0o600)
    with folder.settings.open("a") as settings:
        settings.write('token_file = "token"\n')


def replace_rules_by_a_pipe(folder: Folder) -> None:
    """Put something into the folder whose reading would never end."""
    os.mkfifo(folder.path / "rules" / "pipe.toml")


# What is spoilt, and the lines that say so; FOLDER stands for the folder, BUSY for an address that is taken.
REFUSALS: dict[str, tuple[Callable[[Folder], object], list[str]]] = {
    "config_missing": (
        lambda folder: folder.settings.unlink(),
        [
            (
                "FOLDER/joingate.toml: does not exist; write one (deploy/joingate.toml is a commented example), "
                "or name another with --config"
            )
        ],
    ),
    "config_not_toml": (
        lambda folder: folder.settings.write_text("[gate\n"),
        ["FOLDER/joingate.toml: line 1, column 6: is not TOML: expected ']' at the end of a table declaration"],
    ),
    "config_bad_keys": (
        lambda folder: configure(folder, "drain_seconds = 1", "drain_secs = 1\nworkers = 65"),
        [
            "FOLDER/joingate.toml: gate.workers: 65 cannot be used; write a whole number from 1 to 64",
            'FOLDER/joingate.toml: gate.drain_secs: unknown key; the nearest is "drain_seconds"',
        ],
    ),
    "rules_bad": (
        lambda folder: folder.write("order.toml", order("o-1", ["m-1"], authority="cacc")),
        ['FOLDER/rules/order.toml: order "o-1": authority: "cacc" is unknown; did you mean "cac"?'],
    ),
    "rules_pipe": (replace_rules_by_a_pipe, ["FOLDER/rules/pipe.toml: is not a file; remove it"]),
    "rules_folder_as_file": (
        lambda folder: (folder.path / "rules" / "more.toml").mkdir(),
        ["FOLDER/rules/more.toml: is not a file; remove it"],
    ),
    "rules_missing": (
        lambda folder: (folder.path / "rules").rename(folder.path / "elsewhere"),
        ["FOLDER/rules: does not exist; create the folder, or correct rules.path"],
    ),
    "rules_name_too_long": (
        lambda folder: configure(folder, 'path = "rules/"', f'path = "{"r" * 300}"'),
        [f"FOLDER/{'r' * 300}: cannot be read (File name too long); make it readable, or correct rules.path"],
    ),
    "database_corrupt": (
        corrupt,
        ["FOLDER/geo.mmdb: the record of :: cannot be read; put a complete, undamaged database in its place"],
    ),
    "database_truncated": (
        lambda folder: damage(folder, 2000),
        [
            (
                "FOLDER/geo.mmdb: cannot be opened as an MMDB file, so is truncated, damaged or something else; "
                "put a complete, undamaged database in its place"
            )
        ],
    ),
    "database_empty": (
        lambda folder: damage(folder, 0),
        ["FOLDER/geo.mmdb: is empty; put a complete database in its place"],
    ),
    "database_missing": (
        lambda folder: folder.database.unlink(),
        ["FOLDER/geo.mmdb: cannot be read (No such file or directory); correct [geodb] paths, or put a database there"],
    ),
    "several_parts": (
        spoil_rules_and_database,
        [
            "FOLDER/rules/a.toml: line 1, column 8: is not TOML: expected ']]' at the end of an array declaration",
            'FOLDER/rules/b.toml: order "o-1": authority: "cacc" is unknown; did you mean "cac"?',
            (
                "FOLDER/geo.mmdb: cannot be read (No such file or directory); "
                "correct [geodb] paths, or put a database there"
            ),
        ],
    ),
    "gate_port_in_use": (
        lambda folder: configure(folder, 'listen = ["127.0.0.1:0"]', 'listen = ["BUSY"]'),
        ["gate.listen: BUSY: Address already in use; free it or choose another"],
    ),
    "admin_port_in_use": (
        lambda folder: configure(folder, 'listen = "127.0.0.1:0"', 'listen = "BUSY"'),
        ["admin.listen: BUSY: Address already in use; free it or choose another"],
    ),
    "tls_files": (
        spoil_tls,
        [
            (
                "FOLDER/cert.pem: not a certificate chain with its key in FOLDER/key.pem "
                "([SSL] PEM lib (_ssl.c:LINE)); "
                "give PEM files that belong together"
            )
        ],
    ),
    "tls_key_open_to_others": (
        show_key,
        ['FOLDER/joingate.toml: gate.tls_key: "FOLDER/key.pem" is open to others (mode 0644); run chmod 600 on it'],
    ),
    "token_file": (
        spoil_token,
        ["admin.token_file: FOLDER/token: holds no token; write one line of letters, digits and . _ ~ + / - into it"],
    ),
    "slow_parsers": (
        lambda _: None,
        [
            (
                "aiohttp runs on its pure-Python parser; "
                "unset AIOHTTP_NO_EXTENSIONS, and install aiohttp from a binary wheel"
            )
        ],
    ),
}

Ended = subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def refusals(tmp_path_factory: pytest.TempPathFactory, demo_mmdb: Path) -> dict[str, Future[Ended]]:
    """Start the program with every kind of spoilt input, a few at a time: each start takes seconds."""

    def refused(name: str) -> Ended:
        folder = Folder(tmp_path_factory.mktemp(name), demo_mmdb)
        REFUSALS[name][0](folder)
        if folder.settings.exists():
            folder.settings.write_text(folder.settings.read_text().replace("BUSY", busy))
        env = {"AIOHTTP_NO_EXTENSIONS": "1"} if name == "slow_parsers" else {}
        ended = run("serve", "-c", folder.settings, env=env)
        told = ended.stderr.replace(str(folder.path), "FOLDER").replace(busy, "BUSY")
        ended.stderr = re.sub(r"_ssl\.c:\d+", "_ssl.c:LINE", told)
        return ended

    with socket.create_server(("127.0.0.1", 0)) as taken, ThreadPoolExecutor(4) as pool:
        busy = f"127.0.0.1:{taken.getsockname()[1]}"
        return {name: pool.submit(refused, name) for name in REFUSALS}


@pytest.mark.parametrize("name", REFUSALS)
def test_what_it_refuses_to_start_with(name: str, refusals: dict[str, Future[Ended]]) -> None:
    ended = refusals[name].result()
    told = re.sub(r"error while attempting to bind on address \(.*\): a(?=ddress already)", "A", ended.stderr)
    assert told.splitlines() == [f"joingate: {line}" for line in REFUSALS[name][1]]
    assert (ended.returncode, ended.stdout) == (2, "")


def test_a_database_of_another_kind_is_refused(tmp_path: Path, maxmind: Path) -> None:
    folder = Folder(tmp_path, maxmind / "GeoLite2-ASN-Test.mmdb")
    ended = run("serve", "-c", folder.settings)
    assert (ended.returncode, ended.stdout) == (2, "")
    (line,) = ended.stderr.splitlines()
    assert line.startswith(f"joingate: {folder.database}: is of type 'GeoLite2-ASN', and none of its ")
    assert line.endswith(" has a country; a country or city database is needed, such as GeoLite2-Country")


def test_an_encrypted_key_is_refused_without_a_prompt(tmp_path: Path, demo_mmdb: Path) -> None:
    if (openssl := shutil.which("openssl")) is None:
        pytest.skip("openssl makes the key, and is not here")
    folder = Folder(tmp_path, demo_mmdb, gate='tls_certificate = "cert.pem"\ntls_key = "key.pem"')
    subprocess.run(
        [openssl, *"req -x509 -newkey rsa:2048 -passout pass:x -keyout key.pem -out cert.pem -subj /CN=x".split()],
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
    (tmp_path / "key.pem").chmod(0o600)
    ended = run("serve", "-c", folder.settings)
    assert ended.returncode == 2
    (line,) = ended.stderr.splitlines()
    assert line.startswith(f"joingate: {tmp_path}/cert.pem: ")


@pytest.fixture
async def relay() -> AsyncIterator[RoomRelay]:
    async with RoomRelay() as server:
        yield server


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_drains(number: signal.Signals, tmp_path: Path, demo_mmdb: Path, relay: RoomRelay) -> None:
    folder = Folder(tmp_path, demo_mmdb, upstream_port=relay.port)
    configure(folder, "drain_seconds = 1", GRACE)
    async with Served(folder) as gate, limited():
        cn, de = [await gate.join("m-1", source) for source in (CN, DE)]
        idle, slow = [await asyncio.open_connection("127.0.0.1", gate.port) for _ in range(2)]
        idle[1].write(b"GET /once HTTP/1.1\r\nHost: meet\r\n\r\n")
        assert b"connection: close" not in (await idle[0].readuntil(b"hello\n")).lower()
        slow[1].write(b"GET /slow HTTP/1.1\r\nHost: meet\r\n\r\n")
        await until(lambda: any(b"/slow" in line for line in relay.seen))

        gate.signal(number)
        await until(lambda: "joingate: INFO: draining: 2 participants inside\n" in gate.log())
        assert await idle[0].read() == b""
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", gate.port)
        await exchange(cn, [cn, de], "in the time of grace")
        relay.release.set()
        answer = await slow[0].read()  # to the end of the stream
        assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
        assert b"\r\nconnection: close\r\n" in answer.lower()
        assert answer.endswith(b"\r\n\r\nhello\n")
        for client in (cn, de):
            assert await client.recv_close() == (1001, "The gate is going away.")
            client.abort()  # or the gate would wait for an answer to its Close
        assert await gate.ended() == 0
        assert (tmp_path / "out").read_bytes() == b""
        assert "Traceback" not in gate.log()
        for _, writer in (idle, slow):
            writer.close()


async def test_one_process_is_not_renewed(tmp_path: Path, demo_mmdb: Path, relay: RoomRelay) -> None:
    async with Served(Folder(tmp_path, demo_mmdb, upstream_port=relay.port)) as gate, limited():
        de = await gate.join("m-1", DE)
        gate.signal(signal.SIGUSR2)
        await until(lambda: "SIGUSR2: one process cannot take its own place; write workers = 2 in [gate]" in gate.log())
        await exchange(de, [de], "undisturbed")


async def test_a_second_signal_changes_nothing(tmp_path: Path, demo_mmdb: Path, relay: RoomRelay) -> None:
    async with Served(Folder(tmp_path, demo_mmdb, upstream_port=relay.port)) as gate, limited():
        de = await gate.join("m-1", DE)
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            gate.signal(number)
        assert (await de.recv_close())[0] == 1001
        assert await gate.ended() == 0
        assert "Traceback" not in gate.log()


def holds_sighup(pid: int) -> bool:
    """Whether SIGHUP is blocked or caught in the process, by /proc/PID/status of proc_pid_status(5)."""
    status = Path(f"/proc/{pid}/status").read_text()
    masks = (re.search(rf"^{name}:\t([0-9a-f]+)$", status, re.MULTILINE) for name in ("SigBlk", "SigCgt"))
    return any(found is not None and int(found[1], 16) & 1 << signal.SIGHUP - 1 for found in masks)


STANDS_STILL = """
import os, signal, sys

class Before:
    def find_spec(self, name, path=None, target=None):
        if name == "joingate.cli":
            sys.meta_path.remove(self)
            os.kill(os.getpid(), signal.SIGSTOP)

sys.meta_path.insert(0, Before())
"""
"""Has Python stop where `joingate.__main__` imports the rest: how long a start takes is then the test's affair."""


@contextlib.asynccontextmanager
async def starting(folder: Folder) -> AsyncIterator[Served]:
    """Begin a gate, which stands still at its first import until SIGCONT."""
    (folder.path / "sitecustomize.py").write_text(STANDS_STILL)
    paths = ":".join(filter(None, (str(folder.path), os.environ.get("PYTHONPATH"))))
    gate = Served(folder, under=("env", f"PYTHONPATH={paths}"))
    gate.begin()
    try:
        await until(lambda: is_stopped(gate.process.pid))
        assert holds_sighup(gate.process.pid)
        assert gate.log() == ""
        yield gate
    finally:
        await gate.__aexit__()


def is_stopped(pid: int) -> bool:
    """Whether a process stands still, by proc_pid_stat(5)."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


async def test_a_sighup_while_it_starts_waits_and_is_a_reload(
    tmp_path: Path, demo_mmdb: Path, relay: RoomRelay
) -> None:
    async with starting(Folder(tmp_path, demo_mmdb, upstream_port=relay.port)) as gate:
        gate.sighup()
        gate.signal(signal.SIGCONT)
        await gate.ready()
        status = await gate.status_when(lambda status: status["reloads"]["succeeded"] > 0)
        assert status["reloads"]["last"]["trigger"] == "signal"


@pytest.mark.parametrize(
    ("number", "statuses"), [(signal.SIGTERM, {-signal.SIGTERM}), (signal.SIGINT, {0, -signal.SIGINT})]
)
async def test_it_can_be_ended_while_it_starts(
    number: signal.Signals, statuses: set[int], tmp_path: Path, demo_mmdb: Path
) -> None:
    async with starting(Folder(tmp_path, demo_mmdb)) as gate:
        gate.signal(number)
        gate.process.send_signal(signal.SIGCONT)
        assert await gate.ended() in statuses
        assert "Traceback" not in gate.log()
