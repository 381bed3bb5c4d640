"""Disks that fail: what is durable and when, and what is done once an fsync has failed."""

import errno
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from unittest.mock import patch

import pytest

from joingate.core.record import Lift
from joingate.ledger import files as layout
from joingate.ledger.files import LedgerFiles
from joingate.ledger.history import History, LedgerUnavailableError
from tests.edges.ledger_whole import HOUR, checkpoints, lifts, make_durable, names, whole

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
