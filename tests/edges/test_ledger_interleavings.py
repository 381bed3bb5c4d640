"""Whatever several processes do to one ledger, and whatever a loss of power leaves of it, it stays one history."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from joingate.core.record import Record, Recovery
from joingate.ledger import files as layout
from joingate.ledger.files import LedgerFiles
from joingate.ledger.history import History, LedgerUnavailableError
from tests.edges.ledger_whole import HOUR, checkpoints, lifts, names, whole

LINES = 8
HOURS = ("2026-11-21T04Z", "2026-11-21T05Z", "2026-11-21T06Z")


class DiedError(BaseException):
    """The process is no more: nothing that follows is carried out."""


@contextmanager
def a_ledger() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder, patch.object(layout, "LINES_IN_FILE", LINES):
        yield Path(folder) / "ledger"


class Writers:
    """Three processes with one ledger, and all that they were told is recorded."""

    def __init__(self, ledger: Path) -> None:
        self.ledger = ledger
        self.recorded: list[str] = []
        self.histories = [History.open(ledger, HOUR) for _ in range(3)]
        self._count = 0

    def records(self, count: int) -> list[Record]:
        self._count += count
        return lifts(*range(self._count - count, self._count))

    def append(self, who: int, count: int, hour: int) -> None:
        records = self.records(count)
        self.histories[who].append(records, HOURS[hour % 3])
        self.recorded += [record.rule for record in records]  # type: ignore[union-attr]

    def sync(self, who: int, count: int, hour: int) -> None:
        history = self.histories[who]
        if (captured := history.capture()) is not None:
            if hour % 2:
                self.append((who + 1) % 3, count, hour)
            history.make_durable(captured)

    def rewrite(self, who: int, count: int, hour: int) -> None:
        """The disk fails once, and the process recovers."""
        history = self.histories[who]
        self.append(who, count, hour)
        captured = history.capture()
        assert captured is not None
        failing = patch.object(os, "fsync", side_effect=OSError(5, "Input/output error"))
        with failing, pytest.raises(LedgerUnavailableError):
            history.make_durable(captured)
        history.recover()

    def reopen(self, who: int, count: int, hour: int) -> None:
        self.histories[who].close()
        self.histories[who] = History.open(self.ledger, HOURS[(count + hour) % 3])

    def die(self, who: int, count: int, hour: int) -> None:
        """Be killed while a line is being written."""
        cut = 37 * hour

        def write(fd: int, data: bytes) -> int:
            real(fd, data[:cut])
            raise DiedError

        real = os.write
        history = self.histories[who]
        records = self.records(count)
        with patch.object(os, "write", write), pytest.raises(DiedError):
            history.append(records, HOUR)
        history.close()
        found = names(whole(self.ledger, is_ended=False))
        assert found[: len(self.recorded)] == self.recorded
        more = found[len(self.recorded) :]
        assert more == [record.rule for record in records][: len(more)]  # type: ignore[union-attr]
        self.recorded = found
        if hour % 2:
            self.append((who + 1) % 3, 1, 0)  # another one goes on first
        self.histories[who] = History.open(self.ledger, HOUR)

    def close(self) -> None:
        for history in self.histories:
            history.close()


DONE = st.sampled_from((Writers.append, Writers.append, Writers.sync, Writers.rewrite, Writers.reopen, Writers.die))
STEPS = st.lists(st.tuples(DONE, st.integers(0, 2), st.integers(1, 2 * LINES), st.integers(0, 9)), max_size=30)


@given(STEPS)
@example([(Writers.append, 0, 7, 0), (Writers.sync, 1, 1, 0), (Writers.die, 2, 9, 3), (Writers.append, 1, 1, 0)])
def test_it_is_one_history_whoever_writes_in_whatever_order(
    steps: list[tuple[object, int, int, int]],
) -> None:
    with a_ledger() as ledger:
        writers = Writers(ledger)
        for step, who, count, hour in steps:
            assert callable(step)
            step(writers, who, count, hour)
            assert names(whole(ledger, is_ended=False)) == writers.recorded
        for history in writers.histories:
            if (captured := history.capture()) is not None:
                history.make_durable(captured)
        writers.close()
        History.open(ledger, HOUR).close()
        entries = whole(ledger)
        assert names(entries) == writers.recorded
        assert not checkpoints(ledger) or checkpoints(ledger)[-1].size <= len(entries)


DAMAGE = st.lists(
    st.tuples(st.sampled_from(("zero", "noise", "cut", "drop")), st.integers(0, 4), st.floats(0, 1), st.floats(0, 1)),
    min_size=1,
    max_size=3,
)


@given(st.integers(0, 20), st.integers(1, 20), DAMAGE)
def test_a_loss_of_power_takes_nothing_that_a_checkpoint_vouches_for(
    durable: int, lost: int, damage: list[tuple[str, int, float, float]]
) -> None:
    """Behind the checkpoint the disk may hold anything."""
    with a_ledger() as ledger:
        history = History.open(ledger, HOUR)
        if durable:
            history.append(lifts(*range(durable)), HOUR)
        captured = history.capture()
        assert captured is not None
        history.make_durable(captured)
        files = LedgerFiles(ledger)
        before = whole(ledger)
        kept = {path: path.stat().st_size for path in files.record_files()}
        for number in range(lost):
            history.append(lifts(f"lost-{number}", f"lost-too-{number}"), HOUR)
        history.close()
        for kind, which, start, length in damage:
            paths = files.record_files()
            path = paths[-1 - which % len(paths)]
            hurt(path, kept.get(path, 0), kind, start, length)
        bytes_behind = b"".join(path.read_bytes()[kept.get(path, 0) :] for path in files.record_files())
        after = History.open(ledger, HOUR)
        entries = whole(ledger)
        assert entries[: len(before)] == before
        told = [entry.record for entry in entries if isinstance(entry.record, Recovery)]
        assert len(told) <= 1
        for recovery in told:
            (path,) = files.set_aside.glob("*")
            assert path.read_bytes() in bytes_behind
            assert recovery.size == path.stat().st_size
        after.append(lifts("next"), HOUR)
        after.close()
        assert names(whole(ledger))[-1] == "next"


def hurt(path: Path, durable: int, kind: str, start: float, length: float) -> None:
    if kind == "drop":
        if not durable:
            path.unlink()
        return
    data = path.read_bytes()
    at = durable + int(start * (len(data) - durable))
    end = at + int(length * (len(data) - at))
    wrong = {"cut": b"", "zero": bytes(end - at), "noise": data[:durable][::-1][: end - at]}[kind]
    path.write_bytes(data[:at] + wrong + data[end:])
