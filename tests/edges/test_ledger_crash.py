"""Processes that die, or stand still, at any moment: what was acknowledged stays, and the others go on."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest.mock import patch

import pytest

from joingate.core.record import Lift, Recovery
from joingate.ledger import files as layout
from joingate.ledger.files import LedgerFiles
from joingate.ledger.history import History, LedgerUnavailableError, seqs
from tests.edges import ledger_kills
from tests.edges.ledger_whole import BEAT, HOUR, checkpoints, lifts, names, whole

ROOT = Path(__file__).resolve().parents[2]
FAILED = OSError(5, "Input/output error")


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    return tmp_path / "ledger"


# Killed at random moments


def test_200_kills_lose_nothing_that_was_acknowledged(
    tmp_path: Path, ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layout, "LINES_IN_FILE", ledger_kills.LINES)
    acknowledged = tmp_path / "acknowledged"
    command = [sys.executable, "-m", "tests.edges.ledger_kills", str(ledger), str(acknowledged), "200", "1"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    History.open(ledger, HOUR).close()
    entries = whole(ledger)
    lines = acknowledged.read_text().split("\n")[:-1]
    for line in lines:
        number, first, count, start = map(int, line.split())
        for n, seq in enumerate(seqs(first, count), start):
            assert entries[seq].record == Lift(f"{number}-{n}")
    assert len({line.split()[0] for line in lines}) > 20, "all were killed before they had written anything"
    assert len(set(names(entries))) == len(names(entries))
    assert checkpoints(ledger)[-1].size > ledger_kills.LINES


# Killed at every step

STEPS = ("mkdir", "open", "write", "fsync", "rename", "ftruncate", "truncate", "unlink")


def die_at(step: int) -> None:
    """Let this process kill itself at its `step`th system call that may change a disk; a write is done by half."""
    left = iter(range(step, -1, -1))

    def mortal(name: str, real: Callable[..., object]) -> Callable[..., object]:
        def call(*given: object, **named: object) -> object:
            if next(left, -1) == 1:
                if name == "write":
                    fd, data = given
                    assert isinstance(data, bytes)
                    real(fd, data[: len(data) // 2])
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*given, **named)

        return call

    for name in STEPS:
        setattr(os, name, mortal(name, getattr(os, name)))


def begin(ledger: Path) -> Iterator[list[str]]:
    """A new ledger."""
    history = History.open(ledger, HOUR)
    history.append(lifts("a"), HOUR)
    yield ["a"]


def across_files(ledger: Path) -> Iterator[list[str]]:
    history = History.open(ledger, HOUR)
    for batch in ([f"{n}" for n in range(4)], [f"{n}" for n in range(4, 24)], ["24"]):
        history.append(lifts(*batch), HOUR)
        yield batch


def torn_end(ledger: Path) -> Iterator[list[str]]:
    with LedgerFiles(ledger).record_files()[-1].open("ab") as file:
        file.write(b'{"seq":1,"hour":"2026-11-21T04Z","kin' + b"d" * 200)
    history = History.open(ledger, HOUR)
    history.append(lifts("a"), HOUR)
    yield ["a"]


def torn_file(ledger: Path) -> Iterator[list[str]]:
    """The first file is complete, and the second is unfinished."""
    history = History.open(ledger, HOUR)
    if history.size == 1:
        batch = [f"{n}" for n in range(7)]
        history.append(lifts(*batch), HOUR)
        yield batch
        LedgerFiles(ledger).record_file(8).write_bytes(bytes(100))
        history = History.open(ledger, HOUR)
    history.append(lifts("a"), HOUR)
    yield ["a"]


def signing(ledger: Path) -> Iterator[list[str]]:
    history = History.open(ledger, HOUR)
    for batch in (["a"], ["b"]):
        history.append(lifts(*batch), HOUR)
        yield batch
        captured = history.capture()
        assert captured is not None
        history.make_durable(captured)


def recovering(ledger: Path) -> Iterator[list[str]]:
    """The disk has failed once, in the middle of three files."""
    history = History.open(ledger, HOUR)
    batch = [f"{n}" for n in range(20)]
    history.append(lifts(*batch), HOUR)
    yield batch
    captured = history.capture()
    assert captured is not None
    with patch.object(os, "fsync", side_effect=FAILED), pytest.raises(LedgerUnavailableError):
        history.make_durable(captured)
    history.recover()
    history.append(lifts("a"), HOUR)
    yield ["a"]


Scene = Callable[[Path], Iterator[list[str]]]


def play(scene: Scene, ledger: Path, acknowledged: Path, step: int) -> int:
    """Play a scene in a child that dies at its `step`th call, and return how it ended."""
    pid = os.fork()
    if not pid:
        try:
            fd = os.open(acknowledged, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            tell = os.write
            die_at(step)
            for batch in scene(ledger):
                tell(fd, "".join(f"{name}\n" for name in batch).encode())
            os._exit(0)
        except BaseException:  # noqa: BLE001 - the child must never come back from here
            sys.excepthook(*sys.exc_info())
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@pytest.mark.parametrize("scene", [begin, across_files, torn_end, torn_file, signing, recovering])
def test_a_process_may_die_at_every_step(
    tmp_path: Path, ledger: Path, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layout, "LINES_IN_FILE", 8)
    acknowledged = tmp_path / "acknowledged"
    step, how = 0, -signal.SIGKILL
    while how == -signal.SIGKILL:
        step += 1
        shutil.rmtree(ledger, ignore_errors=True)
        acknowledged.unlink(missing_ok=True)
        witness = None if scene is begin else History.open(ledger, HOUR)
        how = play(scene, ledger, acknowledged, step)
        told = acknowledged.read_text().split()
        if witness is not None:  # another process, which goes on without a new start
            witness.append(lifts("witness"), HOUR)
            captured = witness.capture()
            assert captured is not None
            witness.make_durable(captured)
            witness.close()
        History.open(ledger, HOUR).close()
        entries = whole(ledger)
        found = [name for name in names(entries) if name != "witness"]
        assert found[: len(told)] == told, f"step {step}"
        assert ("witness" in names(entries)) == (witness is not None)
        if scene in (torn_end, torn_file) and "a" in told:
            assert any(isinstance(entry.record, Recovery) for entry in entries)
    assert how == 0
    assert step > 10


# Standing still

HOLDER = """
import fcntl, os, signal, sys
fd = os.open(sys.argv[1], os.O_RDWR)
fcntl.flock(fd, fcntl.LOCK_EX)
os.kill(os.getpid(), signal.SIGSTOP)
"""


@pytest.fixture
def hold() -> Iterator[Callable[[Path], subprocess.Popen[bytes]]]:
    """Let a process take a file's lock and be stopped."""
    holders = []

    def hold_it(path: Path) -> subprocess.Popen[bytes]:
        holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(path)])
        holders.append(holder)
        _, how = os.waitpid(holder.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(how)
        return holder

    yield hold_it
    for holder in holders:
        holder.kill()
        holder.wait()


Hold = Callable[[Path], subprocess.Popen[bytes]]


def test_a_process_that_was_stopped_with_the_lock_stops_nobody(ledger: Path, hold: Hold) -> None:
    history = History.open(ledger, HOUR)
    holder = hold(ledger / "lock")
    slept: list[float] = []
    with patch.object(time, "sleep", slept.append):
        with pytest.raises(LedgerUnavailableError, match="lock: another process holds the lock"):
            history.append([BEAT], HOUR)
        assert 0.02 < sum(slept) < 0.1
        slept.clear()
        for _ in range(100):  # nobody waits again before it has been free once
            with pytest.raises(LedgerUnavailableError, match="lock: another process holds the lock"):
                history.append([BEAT], HOUR)
            assert history.capture() is None
        assert not slept
        with pytest.raises(LedgerUnavailableError, match="lock: another process holds the lock"):
            History.open(ledger, HOUR)
        assert 3 < sum(slept) < 10
    holder.kill()
    holder.wait()
    history.append(lifts("a"), HOUR)
    slept.clear()
    hold(ledger / "lock")
    with patch.object(time, "sleep", slept.append), pytest.raises(LedgerUnavailableError):
        history.append([BEAT], HOUR)
    assert slept
    history.close()
    assert names(whole(ledger)) == ["a"]


def test_a_process_that_was_stopped_while_it_signs_stops_no_record(ledger: Path, hold: Hold) -> None:
    history = History.open(ledger, HOUR)
    history.append(lifts("a"), HOUR)
    captured = history.capture()
    assert captured is not None
    hold(ledger / "secret" / "signing_key").send_signal(0)
    with patch.object(time, "sleep"), pytest.raises(LedgerUnavailableError, match="signing_key: another process holds"):
        history.make_durable(captured)
    history.append(lifts("b"), HOUR)
    history.close()
    assert names(whole(ledger)) == ["a", "b"]
