"""Disks that are full, read-only or failing: nothing is torn, nothing is lost, and it goes on by itself afterwards."""

import errno
import os
import resource
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import pytest

from joingate.core.record import Lift, Recovery, Segment
from joingate.ledger import files as layout
from joingate.ledger.files import LedgerFiles
from joingate.ledger.history import History, LedgerUnavailableError
from tests.edges.ledger_whole import BEAT, HOUR, checkpoints, lifts, names, whole

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


def make_durable(history: History) -> None:
    captured = history.capture()
    assert captured is not None
    history.make_durable(captured)


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


# A failing fsync


def test_what_could_not_be_forced_to_the_disk_is_written_anew(
    ledger: Path, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layout, "LINES_IN_FILE", 8)
    history.append(lifts("a"), HOUR)
    make_durable(history)
    other = History.open(ledger, HOUR)
    history.append(lifts("b"), HOUR)
    other.append(lifts(*range(17)), HOUR)
    history.append(lifts("c"), HOUR)
    other.append(lifts("d"), HOUR)
    captured = history.capture()
    assert captured is not None
    with patch.object(os, "fsync", side_effect=FAILED), pytest.raises(LedgerUnavailableError, match="Input/output"):
        history.make_durable(captured)
    assert [each.size for each in checkpoints(ledger)] == [2]
    with pytest.raises(LedgerUnavailableError, match="could not be forced to the disk"):
        history.append(lifts("lost"), HOUR)
    assert history.capture() is None
    before = {path: path.stat().st_ino for path in LedgerFiles(ledger).record_files()}
    with patch.object(os, "fsync", side_effect=FAILED), pytest.raises(LedgerUnavailableError, match="Input/output"):
        history.recover()
    with pytest.raises(LedgerUnavailableError, match="could not be forced to the disk"):
        history.append(lifts("lost"), HOUR)
    history.recover()
    after = {path: path.stat().st_ino for path in LedgerFiles(ledger).record_files()}
    assert before.keys() == after.keys()
    assert not set(before.values()) & set(after.values())
    assert checkpoints(ledger)[-1].size == history.size
    other.append(lifts("e"), HOUR)
    history.append(lifts("f"), HOUR)
    other.append(lifts("g"), HOUR)
    make_durable(other)
    other.close()
    assert names(whole(ledger)) == ["a", "b", *map(str, range(17)), "c", "d", "e", "f", "g"]


def test_lines_that_the_disk_has_forgotten_are_written_from_memory(ledger: Path, history: History) -> None:
    history.append(lifts("a"), HOUR)
    make_durable(history)
    path = LedgerFiles(ledger).record_file(0)
    durable = path.stat().st_size
    history.append(lifts("b", "c"), HOUR)
    captured = history.capture()
    assert captured is not None
    with patch.object(os, "fsync", side_effect=FAILED), pytest.raises(LedgerUnavailableError):
        history.make_durable(captured)
    data = path.read_bytes()
    path.write_bytes(data[:durable] + bytes(len(data) - durable))  # what a page that was dropped may read as
    history.recover()
    assert path.read_bytes() == data
    assert names(whole(ledger)) == ["a", "b", "c"]


def test_what_the_disk_gives_back_changed_is_not_signed_again(ledger: Path, history: History) -> None:
    history.append(lifts("a"), HOUR)
    make_durable(history)
    history.append(lifts("b"), HOUR)
    captured = history.capture()
    assert captured is not None
    with patch.object(os, "fsync", side_effect=FAILED), pytest.raises(LedgerUnavailableError):
        history.make_durable(captured)
    path = LedgerFiles(ledger).record_file(0)
    data = path.read_bytes()
    for wrong in (data.replace(b'"a"', b'"x"'), bytes(len(data))):
        path.write_bytes(wrong)
        with pytest.raises(LedgerUnavailableError, match="no longer gives back what was made durable"):
            history.recover()
    path.write_bytes(data)
    history.recover()
    assert names(whole(ledger)) == ["a", "b"]


def test_another_process_that_could_not_sync_either_recovers_by_itself(ledger: Path, history: History) -> None:
    other = History.open(ledger, HOUR)
    both = (history, other)
    for each in both:
        each.append(lifts("a"), HOUR)
    captured = [each.capture() for each in both]
    for each, its in zip(both, captured, strict=True):
        assert its is not None
        with patch.object(os, "fsync", side_effect=FAILED), pytest.raises(LedgerUnavailableError):
            each.make_durable(its)
    for each in both:
        each.recover()
    for each in both:
        each.append(lifts("b"), HOUR)
    other.close()
    assert names(whole(ledger)) == ["a", "a", "b", "b"]


def test_what_was_captured_from_a_file_since_replaced_is_captured_again(ledger: Path, history: History) -> None:
    other = History.open(ledger, HOUR)
    history.append(lifts("a"), HOUR)
    other.append(lifts("b"), HOUR)
    stale, captured = history.capture(), other.capture()
    assert stale is not None
    assert captured is not None
    with patch.object(os, "fsync", side_effect=FAILED), pytest.raises(LedgerUnavailableError):
        other.make_durable(captured)
    other.recover()
    before = checkpoints(ledger)
    history.make_durable(stale)
    assert checkpoints(ledger) == before
    make_durable(history)
    history.append(lifts("c"), HOUR)
    make_durable(history)
    assert [each.size for each in checkpoints(ledger)] == [3, 4]
    other.close()
    assert names(whole(ledger)) == ["a", "b", "c"]


@pytest.mark.parametrize("failing", [2, 3])
def test_a_checkpoint_that_could_not_be_forced_to_the_disk_is_signed_once(
    ledger: Path, history: History, failing: int
) -> None:
    """The second fsync is that of `checkpoints`, the third that of `checkpoint`."""
    make_durable(history)
    history.append([Lift("a")], HOUR)
    captured = history.capture()
    assert captured is not None
    real, calls = os.fsync, iter(range(1, 9))

    def fsync(fd: int) -> None:
        if next(calls) == failing:
            raise FAILED
        real(fd)

    with patch.object(os, "fsync", fsync), pytest.raises(LedgerUnavailableError, match="Input/output error"):
        history.make_durable(captured)
    history.append([Lift("b")], HOUR)  # the records are durable
    history.recover()
    sizes = [each.size for each in checkpoints(ledger)]
    assert sizes == ([1, 3] if failing == 2 else [1, 2, 3])
    whole(ledger)


def test_no_descriptors_to_be_had_is_no_reason_to_stop(ledger: Path, history: History) -> None:
    history.append(lifts("a"), HOUR)
    with patch.object(os, "dup", side_effect=OSError(errno.EMFILE, "Too many open files")):
        assert history.capture() is None
    make_durable(history)
    assert names(whole(ledger)) == ["a"]


def test_nothing_is_appended_while_the_end_is_written_anew(ledger: Path, history: History) -> None:
    history.append(lifts("a"), HOUR)
    captured = history.capture()
    assert captured is not None
    with patch.object(os, "fsync", side_effect=FAILED), pytest.raises(LedgerUnavailableError):
        history.make_durable(captured)
    real, is_writing, may_go_on = os.fsync, threading.Event(), threading.Event()

    def fsync(fd: int) -> None:
        is_writing.set()
        assert may_go_on.wait(60)
        real(fd)

    with patch.object(os, "fsync", fsync), ThreadPoolExecutor(1) as pool:
        recovered = pool.submit(history.recover)
        assert is_writing.wait(60)
        with pytest.raises(LedgerUnavailableError, match="lock: another process holds the lock"):
            history.append(lifts("lost"), HOUR)
        assert history.capture() is None
        may_go_on.set()
        recovered.result()
    history.append(lifts("b"), HOUR)
    assert names(whole(ledger)) == ["a", "b"]


# What is durable, and when


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """What was done to the disk, in its order: fsync, write or rename, and the name."""
    found: list[tuple[str, str]] = []
    fsync, write, rename = os.fsync, os.write, os.rename

    def name_of(fd: int) -> str:
        return Path(f"/proc/self/fd/{fd}").readlink().name

    def traced_fsync(fd: int) -> None:
        found.append(("fsync", name_of(fd)))
        fsync(fd)

    def traced_write(fd: int, data: bytes) -> int:
        found.append(("write", name_of(fd)))
        return write(fd, data)

    def traced_rename(old: Path, new: Path) -> None:
        found.append(("rename", Path(new).name))
        rename(old, new)

    monkeypatch.setattr(os, "fsync", traced_fsync)
    monkeypatch.setattr(os, "write", traced_write)
    monkeypatch.setattr(os, "rename", traced_rename)
    return found


def test_a_checkpoint_is_signed_over_what_is_durable(
    history: History, calls: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every file with lines it is over, and the folder that holds their names."""
    monkeypatch.setattr(layout, "LINES_IN_FILE", 8)
    history.append(lifts(*range(20)), HOUR)
    captured = history.capture()
    calls.clear()
    assert captured is not None
    history.make_durable(captured)
    assert calls == [
        *(("fsync", f"{first:012}.jsonl") for first in (0, 8, 16)),
        ("fsync", "records"),
        *(("write", "checkpoints"), ("fsync", "checkpoints"), ("fsync", "ledger")),
        *(("write", "checkpoint.new"), ("fsync", "checkpoint.new"), ("rename", "checkpoint")),
    ]
    calls.clear()
    assert history.append(lifts("a"), HOUR) == 23
    assert calls == [("write", f"{16:012}.jsonl")]
    make_durable(history)
    assert [name for step, name in calls if step == "fsync"] == [f"{16:012}.jsonl", "checkpoints", "checkpoint.new"]


def test_what_replaces_anything_is_durable_first(ledger: Path, history: History, calls: list[tuple[str, str]]) -> None:
    """Keys, bytes set aside, and files written anew."""
    other = History.open(ledger.parent / "other", HOUR)
    other.close()
    for name in ("signing_key", "commitment_key", "verifier_key", f"{0:012}.jsonl"):
        at = calls.index(("write", f"{name}.new"))
        folder = {"verifier_key": "other", f"{0:012}.jsonl": "records"}.get(name, "secret")
        assert calls[at : at + 4] == [
            *(("write", f"{name}.new"), ("fsync", f"{name}.new")),
            *(("rename", name), ("fsync", folder)),
        ]
    with LedgerFiles(ledger).record_file(0).open("ab") as file:
        file.write(b"torn")
    calls.clear()
    history.append(lifts("a"), HOUR)
    (kept,) = (path.name for path in LedgerFiles(ledger).set_aside.iterdir())
    at = calls.index(("rename", kept))
    assert calls[at - 2 : at + 3] == [
        *(("write", f"{kept}.new"), ("fsync", f"{kept}.new"), ("rename", kept), ("fsync", "set_aside")),
        ("write", f"{0:012}.jsonl"),
    ]
    captured = history.capture()
    assert captured is not None
    with patch.object(os, "fsync", side_effect=FAILED), pytest.raises(LedgerUnavailableError):
        history.make_durable(captured)
    assert not checkpoints(ledger)
    calls.clear()
    history.recover()
    assert calls[:4] == [
        *(("write", f"{0:012}.jsonl.new"), ("fsync", f"{0:012}.jsonl.new")),
        *(("rename", f"{0:012}.jsonl"), ("fsync", "records")),
    ]
    assert names(whole(ledger)) == ["a"]
