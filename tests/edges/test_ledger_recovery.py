"""Ends of a history, and of its checkpoints, as a crash or a loss of power leaves them."""

from pathlib import Path

import pytest

from joingate.codecs.ledger_line import encode
from joingate.core.errors import RefusedInputError
from joingate.core.record import (
    Database,
    Entry,
    Lift,
    Recovery,
    Rules,
    Segment,
)
from joingate.ledger.files import LedgerFiles
from joingate.ledger.history import History, LedgerUnavailableError
from tests.edges.ledger_whole import BEAT, HOUR, Open, lifts, make_durable, names, whole

LATER = "2026-11-21T05Z"
RULES = Rules("0123456789abcdef", 1, 0)
DATABASE = Database((1_750_000_000,), ("Country",), ("a" * 16,), 0, 60)


# Unfinished ends


def test_an_end_torn_anywhere_is_set_aside(ledger: Path, opened: Open) -> None:
    history = opened()
    history.append([BEAT], HOUR)
    make_durable(history)
    path = LedgerFiles(ledger).record_file(0)
    before = path.read_bytes()
    history.append(lifts("a"), HOUR)
    line = path.read_bytes()[len(before) :]
    for cut in range(1, len(line)):
        path.write_bytes(before + line[:cut])
        opened().append(lifts("b"), LATER)
        *_, recovery, last = whole(ledger)
        assert isinstance(recovery.record, Recovery)
        assert (recovery.record.size, recovery.hour, last.record) == (cut, HOUR, Lift("b"))
        (kept,) = ledger.glob(f"set_aside/{2:012}-{recovery.record.digest}")
        assert kept.read_bytes() == line[:cut]


def test_the_torn_end_of_one_that_died_is_set_aside_by_the_next_append(
    ledger: Path, opened: Open, short_files: int
) -> None:
    history, other = opened(), opened()
    for count in range(short_files):
        with LedgerFiles(ledger).record_files()[-1].open("ab") as file:
            file.write(b'{"seq":' + b"9" * count)
        history.append(lifts(count), HOUR)
        other.append([BEAT], HOUR)
    entries = whole(ledger)
    assert names(entries) == [str(count) for count in range(short_files)]
    assert sum(isinstance(entry.record, Recovery) for entry in entries) == short_files
    assert len(list(ledger.glob("set_aside/*"))) == short_files


def test_an_end_torn_in_a_file_that_others_follow_is_set_aside_with_them(
    ledger: Path, opened: Open, short_files: int
) -> None:
    """As a loss of power leaves it when the later file's pages were written and the earlier one's were not."""
    history = opened()
    history.append([BEAT], HOUR)
    make_durable(history)
    history.append(lifts(*range(3 * short_files)), HOUR)
    history.close()
    path = LedgerFiles(ledger).record_file(0)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:5]) + b"\x00" * len(lines[5]) + b"".join(lines[6:]))
    after = opened()
    entries = whole(ledger)
    assert after.size == 6
    assert names(entries) == ["0", "1", "2"]
    (kept,) = ledger.glob("set_aside/*")
    assert b'"rule":"23"' in kept.read_bytes()


@pytest.mark.parametrize(
    "damage", ["none", "empty", "zeros", "unfinished", "short", "long", "gap", "joined", "edited", "segment"]
)
def test_a_file_begun_by_one_who_died_is_mended(ledger: Path, opened: Open, short_files: int, damage: str) -> None:
    history = opened()
    history.append([BEAT], HOUR)
    make_durable(history)
    history.append(lifts(*range(short_files + 3)), HOUR)
    history.close()
    files = LedgerFiles(ledger)
    first, second = files.record_files()
    data = second.read_bytes()
    if damage == "none":
        second.unlink()
    elif damage == "long":
        first.write_bytes(first.read_bytes() + b"{}\n")
    elif damage == "joined":
        first.write_bytes(first.read_bytes() + data)
        second.unlink()
    elif damage == "edited":
        first.write_bytes(first.read_bytes().replace(b'"5"', b'"x"'))
    elif damage == "segment":
        lines = first.read_bytes().splitlines(keepends=True)
        first.write_bytes(b"".join([*lines[:-1], encode(Entry(7, HOUR, Segment(("0" * 64,), "", ())))]))
    elif damage == "gap":
        second.rename(files.record_file(2 * short_files))
    elif damage == "short":
        first.write_bytes(b"".join(first.read_bytes().splitlines(keepends=True)[:-1]))
    else:
        second.write_bytes({"empty": b"", "zeros": b"\x00" * len(data), "unfinished": data[:40]}[damage])
    after = opened()
    entries = whole(ledger)
    is_silent = damage in ("none", "empty")  # nothing was lost that anybody could keep
    assert sum(isinstance(entry.record, Recovery) for entry in entries) == (not is_silent)
    expected = [str(n) for n in range(5 if damage in ("short", "segment") else 6)]
    assert names(entries) == ([*expected[:-1], "x"] if damage == "edited" else expected)
    after.append(lifts("next"), HOUR)
    assert names(whole(ledger))[-1] == "next"


def test_what_lies_before_the_checkpoint_is_never_set_aside(ledger: Path, opened: Open, short_files: int) -> None:
    history = opened()
    history.append(lifts(*range(short_files + 4)), HOUR)
    make_durable(history)
    history.close()
    files = LedgerFiles(ledger)
    last = files.record_files()[-1]
    before = last.read_bytes()
    lines = before.splitlines(keepends=True)
    for number, line in enumerate(lines):
        for bad in (line[:-9] + b"\n", line.replace(b"2026", b"2O26"), b"\x00" * len(line), line[:9], b""):
            last.write_bytes(b"".join([*lines[:number], bad, *lines[number + 1 :]]))
            damaged = last.read_bytes()
            with pytest.raises(RefusedInputError, match=r"records.*; put the files of records back") as refused:
                History.open(ledger, HOUR)
            assert last.read_bytes() == damaged
            if bad.endswith(b"\n"):
                assert str(refused.value).startswith(f"{last}: line {number + 1}: ")
    assert not files.set_aside.exists()
    last.write_bytes(before)
    assert opened().size == len(whole(ledger))


def test_an_edited_record_that_still_reads_is_found_by_the_checkpoint(ledger: Path, opened: Open) -> None:
    history = opened()
    history.append(lifts("a", "b"), HOUR)
    make_durable(history)
    path = LedgerFiles(ledger).record_file(0)
    path.write_bytes(path.read_bytes().replace(b'"b"', b'"c"'))
    with pytest.raises(RefusedInputError, match=r"000\.jsonl: the first 3 records are not those"):
        opened()


def test_lost_records_are_refused(ledger: Path, opened: Open, short_files: int) -> None:
    history = opened()
    history.append(lifts(*range(2 * short_files)), HOUR)
    make_durable(history)
    history.close()
    files = LedgerFiles(ledger)
    files.record_files()[-1].unlink()
    with pytest.raises(RefusedInputError, match="over 19 records, and only 16 are there; put"):
        opened()
    files.record_files()[-1].unlink()
    with pytest.raises(RefusedInputError, match="over 19 records, and only 8 are there; put"):
        opened()
    files.record_files()[-1].unlink()
    with pytest.raises(RefusedInputError, match=r"000000000000\.jsonl: is missing; put it back"):
        opened()


def test_only_the_end_is_read(ledger: Path, opened: Open, short_files: int) -> None:
    history = opened()
    history.append([RULES, DATABASE, *lifts(*range(3 * short_files))], HOUR)
    make_durable(history)
    LedgerFiles(ledger).record_file(short_files).write_bytes(b"")
    after = opened()
    assert (after.size, after.revision, after.epochs) == (history.size, RULES.revision, DATABASE.epochs)


# Checkpoints


def test_the_copy_of_the_newest_checkpoint_is_mended(ledger: Path, opened: Open) -> None:
    history = opened()
    history.append([BEAT], HOUR)
    make_durable(history)
    behind = (ledger / "checkpoint").read_bytes()
    history.append([BEAT], HOUR)
    make_durable(history)
    newest = (ledger / "checkpoint").read_bytes()
    (ledger / "checkpoint").write_bytes(behind)
    opened()
    assert (ledger / "checkpoint").read_bytes() == newest
    (ledger / "checkpoint").unlink()
    opened()
    assert (ledger / "checkpoint").read_bytes() == newest
    (ledger / "checkpoint").write_bytes(b"?")
    with pytest.raises(RefusedInputError, match="checkpoint: is not a signed note; delete it"):
        opened()
    (ledger / "checkpoint").write_bytes(newest)
    (ledger / "checkpoints").write_bytes(behind)
    with pytest.raises(RefusedInputError, match="a checkpoint of 3 records was signed, and the newest here is of 2"):
        opened()
    (ledger / "checkpoints").unlink()
    with pytest.raises(RefusedInputError, match="checkpoints: is missing; put it back"):
        opened()


def test_a_checkpoint_torn_anywhere_is_written_again(ledger: Path, opened: Open) -> None:
    history = opened()
    history.append([BEAT], HOUR)
    make_durable(history)
    before, copy = (ledger / "checkpoints").read_bytes(), (ledger / "checkpoint").read_bytes()
    history.append([BEAT], HOUR)
    make_durable(history)
    note = (ledger / "checkpoints").read_bytes()[len(before) :]
    for torn in [note[:cut] for cut in range(1, len(note))] + [
        b"\x00" * cut + note[cut:] for cut in range(1, len(note))
    ]:
        (ledger / "checkpoints").write_bytes(before + torn)
        (ledger / "checkpoint").write_bytes(copy)
        history = opened()
        assert history.capture() is not None
        make_durable(history)
        assert (ledger / "checkpoints").read_bytes() == before + note
    whole(ledger)


def test_checkpoints_that_end_in_something_else_are_refused(ledger: Path, opened: Open) -> None:
    history = opened()
    history.append([BEAT], HOUR)
    make_durable(history)
    good = (ledger / "checkpoints").read_bytes()
    (ledger / "checkpoints").write_bytes(good + b"?" * 2000)
    with pytest.raises(RefusedInputError, match="checkpoints: does not end in a checkpoint; put"):
        opened()
    history.append([BEAT], HOUR)
    captured = history.capture()
    assert captured is not None
    with pytest.raises(LedgerUnavailableError, match="does not end in a checkpoint"):
        history.make_durable(captured)
    (ledger / "checkpoints").write_bytes(good.replace(b"\n2\n", b"\n3\n"))
    with pytest.raises(RefusedInputError, match="checkpoints: the last checkpoint has a signature that"):
        opened()
