"""Verification of whole ledgers, and of ones whose keeper has not kept to the rules."""

import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from joingate.core import record as r
from joingate.core.errors import RefusedInputError
from joingate.ledger import files as layout
from joingate.ledger import snapshot
from joingate.ledger.files import LedgerFiles
from joingate.ledger.history import History
from joingate.ledger.verify import verify_ledger
from tests import standalone_verifier
from tests.edges.ledger_fixture import by_a_stranger, short_files, violated
from tests.ledger_drawn import histories
from tests.ledger_histories import (
    DATABASES,
    HOUR,
    NOON,
    ORIGIN,
    VERIFIER_KEY,
    Story,
    a_history,
    an_order,
    notes_at,
    save,
)

LINES = 32


@pytest.fixture(autouse=True, scope="module")
def few_lines() -> Iterator[None]:
    with short_files(LINES):
        yield


@pytest.fixture
def ledger(tmp_path: Path) -> LedgerFiles:
    story = a_history(100)
    return story.save(tmp_path / "ledger", (1, 20, 64, 64, story.size))


def test_a_whole_ledger_holds(ledger: LedgerFiles) -> None:
    found = verify_ledger(ledger.folder)
    assert violated(found) == {}
    assert found.holds
    assert (found.origin, found.records, found.signed, found.unknown) == (ORIGIN, 101, 101, ())
    names = [each.name for each in found.findings]
    assert names[:7] == ["key", "lines", "files", "peaks", "checkpoints", "newest", "unsigned"]
    assert "kept" not in names
    counts = {each.name: dict(each.counts) for each in found.findings}
    assert counts["lines"] == {"lines": 101}
    assert counts["files"] == {"files": 4}
    assert counts["checkpoints"] == {"checkpoints": 5}
    assert counts["unsigned"] == {"records": 0}
    assert counts["segments"] == {"segments": 3}
    assert by_a_stranger(ledger)


def test_a_published_copy_needs_no_secret_and_only_one_of_the_two_keys(ledger: LedgerFiles) -> None:
    assert verify_ledger(ledger.folder, VERIFIER_KEY).holds
    ledger.verifier_key.unlink()
    assert verify_ledger(ledger.folder, VERIFIER_KEY).holds
    with pytest.raises(RefusedInputError, match=r"verifier_key: does not exist; name the ledger's verifier key with"):
        verify_ledger(ledger.folder)


@settings(max_examples=20)
@given(histories(), st.data())
def test_whatever_a_gate_writes_verifies(
    tmp_path_factory: pytest.TempPathFactory, story: Story, data: st.DataObject
) -> None:
    sizes = sorted(data.draw(st.lists(st.integers(1, story.size), max_size=5)))
    files = story.save(tmp_path_factory.mktemp("drawn") / "ledger", (*sizes, story.size))
    assert violated(verify_ledger(files.folder)) == {}
    assert by_a_stranger(files)


def test_what_history_writes_verifies(tmp_path: Path) -> None:
    story = a_history(100)
    history = History.open(tmp_path / "ledger", "2026-06-03T12Z")
    from joingate.codecs.ledger_line import decode

    for line in story.lines:
        entry = decode(line)
        if not isinstance(entry.record, r.Genesis | r.Segment):
            history.append([entry.record], entry.hour)
        if entry.seq % 7 == 0 and (captured := history.capture()) is not None:
            history.make_durable(captured)
    behind = verify_ledger(tmp_path / "ledger")
    assert violated(behind) == {}
    assert behind.signed < behind.records
    if (captured := history.capture()) is not None:
        history.make_durable(captured)
    history.close()
    found = verify_ledger(tmp_path / "ledger")
    assert violated(found) == {}
    assert found.signed == found.records >= story.size
    assert standalone_verifier.main([str(tmp_path / "ledger"), str(history.verifier_key)]) == 0


# One history


def test_a_checkpoint_kept_from_earlier_is_of_the_same_history(ledger: LedgerFiles) -> None:
    notes = list(notes_at((0, 17, 101), a_history(100).lines))
    found = verify_ledger(ledger.folder, kept=[(f"kept-{at}", note) for at, note in enumerate(reversed(notes))])
    assert found.holds
    assert {each.name: dict(each.counts) for each in found.findings}["kept"] == {"kept": 3}


def test_a_history_that_was_written_anew_contradicts_a_checkpoint_that_somebody_kept(tmp_path: Path) -> None:
    """Whoever holds the key can sign anything; what was given out before cannot be taken back."""
    before, after = a_history(60), a_history(60)
    after.lines[8] = after.lines[8].replace(b'"sources":2', b'"sources":1')
    kept = next(iter(notes_at((20,), before.lines)))
    files = Story.save(after, tmp_path / "ledger")
    assert violated(verify_ledger(files.folder, kept=[("mine", kept)]))["kept"] == [
        "mine: the first 20 records do not give its root"
    ]
    short = save(tmp_path / "short", before.lines[:10])
    assert violated(verify_ledger(short.folder, kept=[("mine", kept)])) == {
        "kept": ["mine: is of 20 records, and only 10 are there"]
    }
    assert violated(verify_ledger(short.folder, kept=[("mine", b"nothing")])) == {
        "kept": ["mine: is not a signed note"]
    }


def test_records_behind_the_last_checkpoint_are_counted(tmp_path: Path) -> None:
    story = a_history(50)
    files = story.save(tmp_path / "ledger", (40,))
    found = verify_ledger(files.folder)
    assert found.holds
    assert (found.records, found.signed) == (story.size, 40)
    unsigned = next(each for each in found.findings if each.name == "unsigned")
    assert unsigned.counts == {"records": story.size - 40}


# What the keeper of the key does wrong


def wrong_place(story: Story) -> None:
    story.restrict(an_order(), "HK")


def too_late(story: Story) -> None:
    story.now = NOON + 24 * HOUR
    story.restrict(an_order())


def after_the_lift(story: Story) -> None:
    story.write(r.Lift("o-1"))
    story.restrict(an_order())


def no_order(story: Story) -> None:
    story.restrict(an_order("o-9"))


def beyond_the_authority(story: Story) -> None:
    from joingate.codecs.ledger_rules import acceptance

    accepted = acceptance(an_order())
    assert isinstance(accepted, r.OrderAccepted)
    story.write(replace(accepted, territory=("CN", "HK")))
    story.write(r.Rules("8" * 16, 1, 0))
    story.restrict(an_order(), "HK")


@pytest.mark.parametrize(
    ("wrong", "names"),
    [
        (wrong_place, {"territory"}),
        (too_late, {"rules"}),
        (after_the_lift, {"rules"}),
        (no_order, {"rules", "territory"}),
        (beyond_the_authority, {"orders"}),
    ],
)
def test_what_is_signed_and_wrong_is_found_by_both(
    tmp_path: Path, wrong: Callable[[Story], None], names: set[str], capsys: pytest.CaptureFixture[str]
) -> None:
    story = Story()
    story.use(an_order())
    wrong(story)
    files = story.save(tmp_path / "ledger")
    assert violated(verify_ledger(files.folder)).keys() == names
    assert not by_a_stranger(files)
    assert "FAILED: record" in capsys.readouterr().err


def test_a_line_that_is_no_record_is_found_though_it_is_signed(tmp_path: Path) -> None:
    story = Story()
    story.put_line(b'{"seq":1,"hour":"2026-06-03T12Z","kind":"ban","account":"x"}\n')
    story.write(DATABASES)
    found = verify_ledger(story.save(tmp_path / "ledger").folder)
    assert violated(found) == {"lines": ["record 1: kind is none that a ledger has"]}
    assert found.records == found.signed == 3


# Around it


def test_what_is_no_part_of_a_ledger_is_named(ledger: LedgerFiles) -> None:
    for path in (ledger.set_aside, ledger.secret, ledger.folder / "more"):
        path.mkdir()
    ledger.lock.touch()
    (ledger.folder / "notes.txt").touch()
    (ledger.records / "000000000000.jsonl.new").touch()
    (ledger.folder / b"\xff.txt".decode("utf-8", "surrogateescape")).touch()
    found = verify_ledger(ledger.folder)
    assert found.holds
    assert set(found.unknown) == {"more", "notes.txt", "\\udcff.txt", "records/000000000000.jsonl.new"}


def test_a_gate_that_is_at_work_is_waited_for(ledger: LedgerFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    note, end = ledger.checkpoint.read_bytes(), ledger.record_file(96).read_bytes()
    pauses = []

    def finish(_seconds: float) -> None:
        pauses.append(1)
        ledger.checkpoint.write_bytes(note)
        ledger.record_file(96).write_bytes(end)

    monkeypatch.setattr(snapshot, "PATIENCE", 3)
    monkeypatch.setattr("time.sleep", finish)
    ledger.checkpoint.write_bytes(next(iter(notes_at((64,), a_history(100).lines))))
    assert verify_ledger(ledger.folder).holds
    ledger.record_file(96).write_bytes(end + b'{"seq":')
    assert verify_ledger(ledger.folder).holds
    assert len(pauses) == 2


def test_what_comes_while_it_is_read_is_left_for_the_next_time(
    ledger: LedgerFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = snapshot.take_snapshot(ledger)
    with ledger.record_file(96).open("ab") as file:
        file.write(b"not a line")
    with ledger.checkpoints.open("ab") as file:
        file.write(b"not a note")
    monkeypatch.setattr("joingate.ledger.verify.take_snapshot", lambda _: seen)
    assert verify_ledger(ledger.folder).holds


@pytest.mark.parametrize(
    ("folder", "why"),
    [
        ("nowhere", "nowhere: holds no ledger; name the folder that [ledger] path names"),
        ("file", "file: holds no ledger; name the folder that [ledger] path names"),
        ("empty", "empty: holds no ledger; name the folder that [ledger] path names"),
    ],
)
def test_where_there_is_no_ledger(tmp_path: Path, folder: str, why: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "empty").mkdir()
    with pytest.raises(RefusedInputError) as refused:
        verify_ledger(tmp_path / folder)
    assert str(refused.value) == f"{tmp_path}/{why}"


def test_a_file_that_cannot_be_read_is_told_of(ledger: LedgerFiles) -> None:
    ledger.record_file(0).unlink()
    ledger.record_file(0).mkdir()
    with pytest.raises(RefusedInputError, match=r"000000000000.jsonl: cannot be read \(Is a directory\); correct the"):
        verify_ledger(ledger.folder)


def test_progress_is_told_in_bytes(ledger: LedgerFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("joingate.ledger.verify._PROGRESS_LINES", 32)
    told: list[tuple[int, int]] = []
    verify_ledger(ledger.folder, progress=lambda done, total: told.append((done, total)))
    size = sum(path.stat().st_size for path in ledger.record_files())
    assert [total for _, total in told] == [size] * 4
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert told[-1] == (size, size)


def test_memory_does_not_grow_with_the_ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "LINES_IN_FILE", 1000)
    peaks = []
    for name, records in (("short", 300), ("long", 3000)):
        story = Story()
        story.use(an_order())
        while story.size < records:
            seq = story.restrict(an_order(), action=r.Restricts.EJECT)
            story.write(r.Outcome(r.Ending.CONFIRMED, (seq,)))
        files = story.save(tmp_path / name, range(30, story.size, 30))
        verify_ledger(files.folder)  # what is kept for good, such as caches, is kept now
        tracemalloc.start()
        assert verify_ledger(files.folder).holds
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 50_000
