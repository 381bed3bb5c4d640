import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from joingate.codecs.ledger_line import encode
from joingate.codecs.ledger_schema import SCHEMA_DIGEST
from joingate.core.errors import RefusedInputError
from joingate.core.record import (
    FORMAT,
    Database,
    Entry,
    Expiry,
    Genesis,
    Heartbeat,
    Lift,
    Recovery,
    Rules,
    Segment,
)
from joingate.ledger import files as layout
from joingate.ledger.files import LedgerFiles
from joingate.ledger.history import History, LedgerUnavailableError, seqs
from tests.edges.ledger_whole import BEAT, HOUR, checkpoints, lifts, names, whole
from tests.ledger_histories import EXAMPLES

LATER = "2026-11-21T05Z"
RULES = Rules("0123456789abcdef", 1, 0)
DATABASE = Database((1_750_000_000,), ("Country",), ("a" * 16,), 0, 60)


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    return tmp_path / "ledger"


@pytest.fixture
def short_files(monkeypatch: pytest.MonkeyPatch) -> int:
    """Files of records that are complete at 8 lines."""
    monkeypatch.setattr(layout, "LINES_IN_FILE", 8)
    return 8


@pytest.fixture
def opened(ledger: Path) -> Iterator[Callable[[], History]]:
    """Open the ledger once more, as another process would; closed at the end."""
    histories = []

    def open_it() -> History:
        histories.append(History.open(ledger, HOUR))
        return histories[-1]

    yield open_it
    for history in histories:
        history.close()


Open = Callable[[], History]


def make_durable(history: History) -> None:
    captured = history.capture()
    assert captured is not None
    history.make_durable(captured)


def test_a_ledger_begins_with_its_genesis(ledger: Path, opened: Open) -> None:
    history = opened()
    assert history.size == 1
    (genesis,) = whole(ledger)
    assert genesis == Entry(0, HOUR, Genesis(FORMAT, SCHEMA_DIGEST, history.origin))
    assert LedgerFiles(ledger).verifier_key.read_text() == f"{history.verifier_key}\n"
    assert history.verifier_key.public == history.key.public_key().public_bytes_raw()
    assert (history.revision, history.epochs, len(history.commitment_key)) == ("", (), 32)


def test_another_start_goes_on_where_the_first_ended(ledger: Path, opened: Open) -> None:
    first = opened()
    assert first.append(lifts("a", "b"), HOUR) == 1
    first.append([RULES, DATABASE], HOUR)
    second = opened()
    assert second.size == 5
    assert (second.revision, second.epochs) == (RULES.revision, DATABASE.epochs) == (first.revision, first.epochs)
    assert (second.origin, second.commitment_key) == (first.origin, first.commitment_key)
    assert second.append([BEAT], HOUR) == 5
    assert len(whole(ledger)) == 6


def test_each_reads_what_the_other_has_appended(ledger: Path, opened: Open, short_files: int) -> None:
    first, second = opened(), opened()
    for turn in range(short_files):
        assert first.append(lifts(2 * turn), HOUR) == second.size or first.size % short_files == 2
        second.append([RULES] if turn == 3 else lifts(2 * turn + 1), HOUR)
        assert second.revision == ("" if turn < 3 else RULES.revision)
    first.append([BEAT], HOUR)
    assert first.revision == RULES.revision
    entries = whole(ledger)
    assert [int(name) for name in names(entries)] == [n for n in range(2 * short_files) if n != 7]


def test_the_hour_never_goes_back(ledger: Path, opened: Open) -> None:
    first, second = opened(), opened()
    first.append([BEAT], LATER)
    second.append([BEAT], HOUR)
    first.append([BEAT, BEAT], HOUR)
    assert [entry.hour for entry in whole(ledger)] == [HOUR, LATER, LATER, LATER, LATER]


@pytest.mark.parametrize("count", [6, 7, 8, 14, 15, 40])
@pytest.mark.usefixtures("short_files")
def test_a_batch_fills_as_many_files_as_it_needs(ledger: Path, opened: Open, count: int) -> None:
    history, other = opened(), opened()
    first = history.append(lifts(*range(count)), HOUR)
    entries = whole(ledger)
    assert [entry.seq for entry in entries if isinstance(entry.record, Lift)] == list(seqs(first, count))
    assert [entry.seq for entry in entries if isinstance(entry.record, Segment)] == list(range(8, len(entries), 8))
    assert other.append(lifts("next"), HOUR) == history.append(lifts("last"), HOUR) - 1 - (len(entries) % 8 == 7)
    assert names(whole(ledger)) == [*map(str, range(count)), "next", "last"]
    assert opened().size == history.size


def test_the_seq_of_a_record_that_begins_a_file_is_behind_the_segment(opened: Open, short_files: int) -> None:
    history = opened()
    history.append([BEAT] * (short_files - 1), HOUR)
    assert history.append(lifts("a"), HOUR) == short_files + 1


def test_what_cannot_be_written_leaves_no_trace(ledger: Path, opened: Open, short_files: int) -> None:
    history = opened()
    for batch in (lifts("a", "\ud800"), lifts(*range(short_files), "\ud800")):
        with pytest.raises(TypeError):
            history.append(batch, HOUR)
    assert history.append(lifts("b"), HOUR) == 1
    assert names(whole(ledger)) == ["b"]


def test_what_was_captured_is_signed(ledger: Path, opened: Open) -> None:
    history = opened()
    history.append([BEAT], HOUR)
    captured = history.capture()
    assert captured is not None
    history.append([BEAT], HOUR)
    history.make_durable(captured)
    assert [each.size for each in checkpoints(ledger)] == [2]
    make_durable(history)
    assert [each.size for each in checkpoints(ledger)] == [2, 3]
    assert history.capture() is None
    whole(ledger)


def test_a_checkpoint_over_as_much_or_more_is_enough(ledger: Path, opened: Open, short_files: int) -> None:
    first, second = opened(), opened()
    first.append([BEAT] * short_files, HOUR)
    second.append([BEAT], HOUR)
    make_durable(second)
    make_durable(first)
    assert [each.size for each in checkpoints(ledger)] == [second.size]
    assert first.capture() is None
    second.append([BEAT], HOUR)
    make_durable(second)
    first.append([BEAT], HOUR)
    make_durable(first)
    assert [each.size for each in checkpoints(ledger)] == [second.size - 1, second.size, first.size]
    whole(ledger)


def test_nothing_is_signed_that_contradicts_what_is(tmp_path: Path, ledger: Path, opened: Open) -> None:
    """A copy of the ledger that went on by itself."""
    first = opened()
    first.append([BEAT], HOUR)
    make_durable(first)
    shutil.copytree(ledger, tmp_path / "copy")
    first.append(lifts("here"), HOUR)
    make_durable(first)
    other = History.open(tmp_path / "copy", HOUR)
    other.append(lifts("there"), HOUR)
    shutil.copy(ledger / "checkpoints", tmp_path / "copy")
    before = (tmp_path / "copy" / "checkpoints").read_bytes()
    captured = other.capture()
    assert captured is not None
    with pytest.raises(LedgerUnavailableError, match="was signed over other records"):
        other.make_durable(captured)
    other.append(lifts("there"), HOUR)
    with pytest.raises(LedgerUnavailableError, match="was signed over other records"):
        other.recover()
    other.close()
    assert (tmp_path / "copy" / "checkpoints").read_bytes() == before
    with pytest.raises(RefusedInputError, match=r"jsonl: the first 3 records are not those"):
        History.open(tmp_path / "copy", HOUR)


def test_a_checkpoint_that_has_gone_stops_signing(ledger: Path, opened: Open) -> None:
    history = opened()
    history.append([BEAT], HOUR)
    make_durable(history)
    before = (ledger / "checkpoints").read_bytes()
    for _ in range(2):
        history.append([BEAT], HOUR)
        make_durable(history)
    (ledger / "checkpoints").write_bytes(before)
    history.append([BEAT], HOUR)
    captured = history.capture()
    assert captured is not None
    with pytest.raises(LedgerUnavailableError, match="was signed over other records"):
        history.make_durable(captured)
    assert (ledger / "checkpoints").read_bytes() == before


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


@pytest.mark.parametrize("damage", ["none", "empty", "zeros", "unfinished", "short", "long", "gap"])
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
    assert names(entries) == [str(n) for n in range(5 if damage == "short" else 6)]
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


def test_a_strange_file_among_the_records_is_refused(ledger: Path, opened: Open) -> None:
    opened()
    (ledger / "records" / "copy.jsonl").touch()
    with pytest.raises(RefusedInputError, match=r"copy\.jsonl: is no file of records.*; move it away"):
        opened()


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


# What a person must mend


def test_a_key_of_another_ledger_is_refused(tmp_path: Path, ledger: Path, opened: Open) -> None:
    opened()
    History.open(tmp_path / "other", HOUR).close()
    shutil.copy(tmp_path / "other" / "secret" / "signing_key", ledger / "secret" / "signing_key")
    with pytest.raises(RefusedInputError, match="verifier_key: does not belong to the key"):
        opened()
    shutil.copy(tmp_path / "other" / "verifier_key", ledger)
    with pytest.raises(RefusedInputError, match=r"000\.jsonl: is not a history of joingate-.*; put back"):
        opened()
    (ledger / "verifier_key").write_text("?")
    with pytest.raises(RefusedInputError, match="verifier_key: does not belong"):
        opened()


def test_a_verifier_key_that_is_missing_is_written_again(ledger: Path, opened: Open) -> None:
    opened()
    before = (ledger / "verifier_key").read_bytes()
    (ledger / "verifier_key").unlink()
    opened()
    assert (ledger / "verifier_key").read_bytes() == before


def test_a_ledger_with_another_vocabulary_is_refused(ledger: Path, opened: Open) -> None:
    origin = opened().origin
    path = LedgerFiles(ledger).record_file(0)
    path.write_bytes(encode(Entry(0, HOUR, Genesis(FORMAT, "0" * 64, origin))))
    with pytest.raises(RefusedInputError, match=r"was begun by a joingate with other kinds of records; move"):
        opened()
    for content in (b"", b"{}\n", encode(Entry(0, HOUR, Heartbeat()))):
        path.write_bytes(content)
        with pytest.raises(RefusedInputError, match=r"000\.jsonl: "):
            opened()


def test_a_file_where_the_folder_should_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file" / "ledger"):
        with pytest.raises(RefusedInputError, match=r"file.*; name a folder in \[ledger\] path"):
            History.open(path, HOUR)


def test_a_folder_one_may_not_write_is_refused(tmp_path: Path) -> None:
    """In a child that is nobody; root may write anywhere."""
    if os.geteuid() != 0:
        pytest.skip("needs root, to be somebody else")
    tmp_path.chmod(0o755)
    code = (
        "import sys\nfrom pathlib import Path\nfrom joingate.core.errors import RefusedInputError\n"
        "from joingate.ledger.history import History\nimport os\nos.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "try: History.open(Path(sys.argv[1]), '2026-11-21T04Z')\nexcept RefusedInputError as error: print(error)\n"
    )
    locked = tmp_path / "locked"
    locked.mkdir(0o700)
    History.open(locked, HOUR).close()
    (tmp_path / "empty").mkdir(0o755)
    for folder in (locked, tmp_path / "empty"):
        done = subprocess.run(
            [sys.executable, "-c", code, str(folder)], check=True, capture_output=True, text=True, cwd="/"
        )
        assert done.stdout.endswith("Permission denied; grant the gate's user access to it\n")


def test_what_may_be_published_can_be_and_what_may_not_cannot(ledger: Path, opened: Open) -> None:
    before = os.umask(0)
    try:
        history = opened()
        history.append([BEAT], HOUR)
        make_durable(history)
    finally:
        os.umask(before)
    modes = {path.name: path.stat().st_mode & 0o777 for path in (ledger, *ledger.rglob("*"))}
    assert modes.pop("secret") == 0o700
    assert {modes.pop(name) for name in ("signing_key", "commitment_key", "lock")} == {0o600}
    assert set(modes.values()) == {0o755, 0o644}


# Folders that go away


def test_records_are_not_written_where_nobody_finds_them(tmp_path: Path, ledger: Path, opened: Open) -> None:
    history = opened()
    history.append(lifts("a"), HOUR)
    ledger.rename(tmp_path / "elsewhere")
    captured = history.capture()
    assert captured is not None
    with pytest.raises(LedgerUnavailableError, match="is not the file that was opened"):
        history.make_durable(captured)
    for attempt in (lambda: history.append([BEAT], HOUR), history.recover):
        with pytest.raises(LedgerUnavailableError, match=str(ledger)):
            attempt()
    History.open(ledger, HOUR).close()  # another ledger in its place
    with pytest.raises(LedgerUnavailableError, match="is not the file that was opened"):
        history.recover()
    shutil.rmtree(ledger)
    (tmp_path / "elsewhere").rename(ledger)
    history.recover()
    assert history.append(lifts("b"), HOUR) == 2
    assert names(whole(ledger)) == ["a", "b"]
    assert [each.size for each in checkpoints(ledger)] == [2]


def test_a_file_that_something_else_has_changed_is_told_of(ledger: Path, opened: Open) -> None:
    history = opened()
    history.append(lifts("a", "b"), HOUR)
    path = LedgerFiles(ledger).record_file(0)
    whole_file = path.read_bytes()
    for change, why in ((whole_file[:-1], "shorter than it was"), (whole_file + b"{}\n", "the line is not record 3")):
        path.write_bytes(change)
        with pytest.raises(LedgerUnavailableError, match=f"{why}; something else than joingate"):
            history.append([BEAT], HOUR)
    path.write_bytes(whole_file)
    assert history.append([BEAT], HOUR) == 3


def test_a_file_that_was_replaced_without_what_was_written_is_told_of(ledger: Path, opened: Open) -> None:
    history = opened()
    history.append(lifts("a"), HOUR)
    path = LedgerFiles(ledger).record_file(0)
    before = path.read_bytes()
    history.append(lifts("b"), HOUR)
    os.truncate(ledger / "lock", 1)  # as if by a process that writes its end anew
    path.with_suffix(".new").write_bytes(before)
    path.with_suffix(".new").rename(path)
    assert history.capture() is None
    with pytest.raises(LedgerUnavailableError, match="records that this process wrote are no longer there"):
        history.recover()


def open_descriptors() -> set[str]:
    return {path.name for path in Path("/proc/self/fd").iterdir()}


def test_nothing_stays_open(ledger: Path) -> None:
    before = open_descriptors()
    history = History.open(ledger, HOUR)
    history.append([BEAT], HOUR)
    make_durable(history)
    history.append([BEAT], HOUR)
    captured = history.capture()
    assert captured is not None
    captured.close()
    history.close()
    assert open_descriptors() == before


def test_the_rules_that_were_accepted(ledger: Path, opened: Open, short_files: int) -> None:
    order, policy = EXAMPLES["order"], EXAMPLES["host_policy"]
    rule, other = order.rule, policy.rule  # type: ignore[union-attr]
    digest, others = order.digest, policy.digest  # type: ignore[union-attr]
    history = opened()
    assert history.accepted() == ({}, set())
    history.append([order, *[BEAT] * short_files, policy], HOUR)
    assert history.accepted() == ({rule: digest, other: others}, set())
    history.append([Expiry(rule), *[BEAT] * short_files], HOUR)
    assert history.accepted() == ({rule: digest, other: others}, {rule})
    history.append([Lift(other), order], HOUR)
    assert opened().accepted() == ({rule: digest}, set())
    history.append([Expiry(rule), Lift(rule)], HOUR)
    with LedgerFiles(ledger).record_files()[-1].open("ab") as file:
        file.write(b'{"seq":99,"hour":"2026-11-21T04Z","kind":"order"')
    assert history.accepted() == ({}, set())
    LedgerFiles(ledger).record_file(0).write_bytes(b'\n{"seq":1,"hour":"2026-11-21T04Z","kind":"order"}\n')
    with pytest.raises(RefusedInputError, match=r"000\.jsonl: line 2: a order has"):
        history.accepted()
    shutil.rmtree(ledger / "records")
    with pytest.raises(LedgerUnavailableError, match="records: No such file"):
        history.accepted()
