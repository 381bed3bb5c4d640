"""Disks that are full or read-only: nothing is torn, nothing is lost, and it goes on by itself afterwards."""

import errno
import os
import resource
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import pytest

from joingate.core.record import Recovery, Segment
from joingate.ledger import files as layout
from joingate.ledger.files import LedgerFiles
from joingate.ledger.history import History, LedgerUnavailableError
from tests.edges.ledger_whole import BEAT, HOUR, checkpoints, lifts, make_durable, names, whole

NO_SPACE = OSError(errno.ENOSPC, "No space left on device")
FAILED = OSError(errno.EIO, "Input/output error")


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    return tmp_path / "ledger"


@pytest.fixture
def history(ledger: Path) -> Iterator[History]:
    opened = History.open(ledger, HOUR)
    yield opened
    opened.close()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KiB, in memory."""
    path = tmp_path / "disk"
    path.mkdir()
    error = mount("-t", "tmpfs", "-o", "size=256k,mode=755", "tmpfs", path)
    if error:
        pytest.skip(f"cannot mount a small file system here: {error}")
    try:
        yield path
    finally:
        subprocess.run(["umount", "--lazy", path], check=True)  # noqa: S607 - wherever the system has it


def mount(*arguments: object) -> str:
    """Mount something, and return what stood against it."""
    command = ["mount", *map(str, arguments)]
    return subprocess.run(command, check=False, capture_output=True, text=True).stderr.strip()


def fill(path: Path) -> None:
    """Write until nothing fits any more."""
    with path.open("wb", buffering=0) as file:
        for size in (4096, 1):
            try:
                while file.write(b"x" * size) == size:
                    pass
            except OSError as error:
                assert error.errno == errno.ENOSPC  # noqa: PT017 - the loop ends in no other way


# A full disk


def test_a_full_disk_takes_nothing_and_loses_nothing(disk: Path) -> None:
    history = History.open(disk / "ledger", HOUR)
    history.append(lifts("before"), HOUR)
    make_durable(history)
    fill(disk / "filler")
    done = 0

    def append_until_it_is_full() -> None:
        nonlocal done
        while done < 1000:
            history.append(lifts(done), HOUR)
            done += 1

    with pytest.raises(LedgerUnavailableError, match=r"records: (No space left on device|only \d+ of \d+ bytes)"):
        append_until_it_is_full()
    before = [path.read_bytes() for path in LedgerFiles(disk / "ledger").record_files()]
    assert len(whole(disk / "ledger")) == history.size
    for _ in range(3):
        with pytest.raises(LedgerUnavailableError, match="records: "):
            history.append(lifts(*range(40)), HOUR)
    assert [path.read_bytes() for path in LedgerFiles(disk / "ledger").record_files()] == before
    (disk / "filler").unlink()
    history.append(lifts("after"), HOUR)
    make_durable(history)
    history.close()
    assert names(whole(disk / "ledger")) == ["before", *map(str, range(done)), "after"]


def test_a_disk_that_fills_up_at_the_end_of_a_file(disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch that needs another file: nothing of it stays in either."""
    monkeypatch.setattr(layout, "LINES_IN_FILE", 8)
    history = History.open(disk / "ledger", HOUR)
    history.append(lifts(*range(4)), HOUR)
    fill(disk / "filler")
    with pytest.raises(LedgerUnavailableError):
        history.append(lifts(*range(4, 20)), HOUR)
    assert names(whole(disk / "ledger")) == ["0", "1", "2", "3"]
    assert [path.name for path in (disk / "ledger" / "records").iterdir()] == ["000000000000.jsonl"]
    (disk / "filler").unlink()
    history.append(lifts(*range(4, 20)), HOUR)
    history.close()
    assert names(whole(disk / "ledger")) == [str(n) for n in range(20)]


def test_a_ledger_cannot_begin_on_a_full_disk_and_can_once_there_is_room(disk: Path) -> None:
    fill(disk / "filler")
    with pytest.raises(LedgerUnavailableError, match="No space left on device"):
        History.open(disk / "ledger", HOUR)
    (disk / "filler").unlink()
    history = History.open(disk / "ledger", HOUR)
    history.append([BEAT], HOUR)
    history.close()
    assert len(whole(disk / "ledger")) == 2


def test_a_torn_end_is_not_cut_off_where_it_cannot_be_kept(disk: Path) -> None:
    history = History.open(disk / "ledger", HOUR)
    other = History.open(disk / "ledger", HOUR)
    with LedgerFiles(disk / "ledger").record_file(0).open("ab") as file:
        file.write(b"torn")
    before = LedgerFiles(disk / "ledger").record_file(0).read_bytes()
    fill(disk / "filler")
    for attempt in (lambda: history.append([BEAT], HOUR), lambda: History.open(disk / "ledger", HOUR)):
        with pytest.raises(LedgerUnavailableError, match="No space left on device"):
            attempt()
        assert LedgerFiles(disk / "ledger").record_file(0).read_bytes() == before
    (disk / "filler").unlink()
    other.append(lifts("after"), HOUR)
    history.append([BEAT], HOUR)
    for each in (history, other):
        each.close()
    assert isinstance(whole(disk / "ledger")[1].record, Recovery)


def test_a_full_disk_keeps_a_checkpoint_from_being_signed_and_no_longer(disk: Path) -> None:
    history = History.open(disk / "ledger", HOUR)
    make_durable(history)
    fill(disk / "filler")

    def sign_until_it_is_full() -> None:
        for _ in range(100):  # as long as the last page has room
            history.append(lifts("a"), HOUR)
            make_durable(history)

    with pytest.raises(LedgerUnavailableError):
        sign_until_it_is_full()
    with pytest.raises(LedgerUnavailableError):
        history.recover()
    (disk / "filler").unlink()
    history.recover()
    assert checkpoints(disk / "ledger")[-1].size == history.size
    history.append(lifts("c"), HOUR)
    history.close()
    assert names(whole(disk / "ledger"))[-1] == "c"


# Read-only


def test_a_read_only_disk_makes_the_ledger_unavailable_and_no_longer(disk: Path) -> None:
    history = History.open(disk / "ledger", HOUR)
    history.append(lifts("a"), HOUR)
    history.close()
    assert not mount("-o", "remount,ro", disk)
    with pytest.raises(LedgerUnavailableError, match="Read-only file system"):
        History.open(disk / "ledger", HOUR)
    assert not mount("-o", "remount,rw", disk)
    history = History.open(disk / "ledger", HOUR)
    history.append(lifts("b"), HOUR)
    history.close()
    assert names(whole(disk / "ledger")) == ["a", "b"]


@pytest.mark.parametrize("number", [errno.EROFS, errno.EIO, errno.EDQUOT, errno.ENOSPC])
def test_a_write_that_fails_is_as_if_it_had_not_been(ledger: Path, history: History, number: int) -> None:
    with (
        patch.object(os, "write", side_effect=OSError(number, os.strerror(number))),
        pytest.raises(LedgerUnavailableError, match=f"records: {os.strerror(number)}"),
    ):
        history.append(lifts("lost"), HOUR)
    assert history.append(lifts("a"), HOUR) == 1
    assert names(whole(ledger)) == ["a"]


# Writes that fall short


@contextmanager
def a_limit(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond `size` bytes; a write across the limit falls short."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    assert signal.getsignal(signal.SIGXFSZ) == signal.SIG_IGN
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_write_that_falls_short_leaves_nothing(ledger: Path, history: History) -> None:
    history.append(lifts("a"), HOUR)
    path = LedgerFiles(ledger).record_file(0)
    before = path.read_bytes()
    for short in (1, 40, 100, 300):
        with a_limit(len(before) + short), pytest.raises(LedgerUnavailableError, match=rf"only {short} of \d+ bytes"):
            history.append(lifts(*range(10)), HOUR)
        assert path.read_bytes() == before
    with a_limit(len(before)), pytest.raises(LedgerUnavailableError, match="File too large"):
        history.append(lifts("b"), HOUR)
    assert history.append(lifts("c"), HOUR) == 2
    assert names(whole(ledger)) == ["a", "c"]


def test_what_a_short_write_leaves_for_want_of_a_truncation_is_set_aside(ledger: Path, history: History) -> None:
    other = History.open(ledger, HOUR)
    path = LedgerFiles(ledger).record_file(0)
    for writer, name in ((history, "a"), (other, "b")):
        with (
            a_limit(path.stat().st_size + 150),
            patch.object(os, "ftruncate", side_effect=FAILED),
            pytest.raises(LedgerUnavailableError),
        ):
            history.append(lifts(*[f"unheard-{name}"] * 10), HOUR)
        writer.append(lifts(name), HOUR)
    other.close()
    entries = whole(ledger)
    assert [name for name in names(entries) if "unheard" not in name] == ["a", "b"]
    assert sum(isinstance(entry.record, Recovery) for entry in entries) == 2
    assert history.append([BEAT], HOUR) == len(entries)


@pytest.mark.parametrize("step", ["write", "open", "rename"])
def test_a_file_that_cannot_be_begun_takes_the_whole_batch_back(
    ledger: Path, history: History, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """Whatever fails, however many files were begun before."""
    monkeypatch.setattr(layout, "LINES_IN_FILE", 8)
    history.append(lifts(*range(4)), HOUR)
    before = {path: path.read_bytes() for path in LedgerFiles(ledger).record_files()}
    for good in range(3 if step == "rename" else 4):
        calls = iter([*[False] * good, True])
        target: object = Path if step == "rename" else os
        real: Callable[..., object] = getattr(target, step)

        def fail(*given: object, calls: Iterator[bool] = calls, real: Callable[..., object] = real) -> object:
            if next(calls, False):
                raise NO_SPACE
            return real(*given)

        with patch.object(target, step, fail), pytest.raises(LedgerUnavailableError, match="No space"):
            history.append(lifts(*range(4, 24)), HOUR)
        assert {path: path.read_bytes() for path in LedgerFiles(ledger).record_files()} == before
    first = history.append(lifts(*range(4, 24)), HOUR)
    assert first == 5
    entries = whole(ledger)
    assert names(entries) == [str(n) for n in range(24)]
    assert sum(isinstance(entry.record, Segment) for entry in entries) == 3
