"""Verification of whole ledgers, of damaged ones, and of ones whose keeper has not kept to the rules."""

import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from joingate.codecs.signed_note import verifier_key
from joingate.core import record as r
from joingate.core.audit_findings import Property
from joingate.core.errors import RefusedInputError
from joingate.ledger import files as layout
from joingate.ledger import snapshot
from joingate.ledger.files import LedgerFiles
from joingate.ledger.history import History
from joingate.ledger.verify import Verification, verify_ledger
from tests import standalone_verifier
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
"""In a file, here: so that short histories have several."""


@pytest.fixture(autouse=True, scope="module")
def short_files() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layout, "LINES_IN_FILE", LINES)
        patch.setattr(standalone_verifier, "LINES_IN_FILE", LINES)
        patch.setattr(snapshot, "PATIENCE", 1)
        yield


@pytest.fixture
def ledger(tmp_path: Path) -> LedgerFiles:
    story = a_history(100)
    return story.save(tmp_path / "ledger", (1, 20, 64, 64, story.size))


def violated(found: Verification) -> dict[str, list[str]]:
    return {each.name: [str(one) for one in each.violations] for each in found.findings if not each.holds}


def by_a_stranger(files: LedgerFiles) -> bool:
    """Whether the program that knows nothing but docs/verify.md finds that everything holds."""
    return standalone_verifier.main([str(files.folder), str(VERIFIER_KEY)]) == 0


def test_a_whole_ledger_holds(ledger: LedgerFiles) -> None:
    found = verify_ledger(ledger.folder)
    assert violated(found) == {}
    assert found.holds
    assert (found.origin, found.records, found.signed, found.unknown) == (ORIGIN, 103, 103, ())
    names = [each.name for each in found.findings]
    assert names[:7] == ["key", "lines", "files", "peaks", "checkpoints", "newest", "unsigned"]
    assert "kept" not in names
    counts = {each.name: dict(each.counts) for each in found.findings}
    assert counts["lines"] == {"lines": 103}
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
    sizes = sorted(data.draw(st.lists(st.integers(0, story.size), max_size=5)))
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


# Damage

Change = Callable[[bytes, Random], bytes]


def edit(data: bytes, random: Random) -> bytes:
    at = random.randrange(len(data))
    return data[:at] + bytes([random.randrange(256)]) + data[at + 1 :]


def delete(data: bytes, random: Random) -> bytes:
    at = random.randrange(len(data))
    return data[:at] + data[at + 1 :]


def insert(data: bytes, random: Random) -> bytes:
    at = random.randrange(len(data) + 1)
    return data[:at] + bytes([random.choice((random.randrange(256), 10, 32))]) + data[at:]


def swap(data: bytes, random: Random) -> bytes:
    changed = bytearray(data)
    at, other = random.randrange(len(data)), random.randrange(len(data))
    changed[at], changed[other] = changed[other], changed[at]
    return bytes(changed)


def truncate(data: bytes, random: Random) -> bytes:
    return data[: random.randrange(len(data))]


def swap_lines(data: bytes, random: Random) -> bytes:
    lines = data.splitlines(keepends=True)
    at, other = random.randrange(len(lines)), random.randrange(len(lines))
    lines[at], lines[other] = lines[other], lines[at]
    return b"".join(lines)


def delete_line(data: bytes, random: Random) -> bytes:
    lines = data.splitlines(keepends=True)
    del lines[random.randrange(len(lines))]
    return b"".join(lines)


def double_line(data: bytes, random: Random) -> bytes:
    lines = data.splitlines(keepends=True)
    at = random.randrange(len(lines))
    return b"".join([*lines[:at], lines[at], *lines[at:]])


CHANGES: tuple[Change, ...] = (edit, edit, delete, insert, swap, truncate, swap_lines, delete_line, double_line)


def damaged(files: LedgerFiles, count: int, seed: int) -> Iterator[str]:
    """Damage one file after the other, each in one way, and put it right again; yields what was done."""
    paths = [files.verifier_key, files.checkpoint, files.checkpoints, *files.record_files() * 2]
    whole = {path: path.read_bytes() for path in paths}
    random = Random(seed)
    done = 0
    while done < count:
        path, change = random.choice(paths), random.choice(CHANGES)
        changed = change(whole[path], random)
        if changed != whole[path]:
            path.write_bytes(changed)
            yield f"{change.__name__} {path.name} ({done})"
            path.write_bytes(whole[path])
            done += 1


class FirstViolationError(Exception):
    """Enough is known."""


def raise_at_once(*_: object) -> None:
    raise FirstViolationError


def test_whatever_byte_or_line_is_changed_it_shows(ledger: LedgerFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten thousand changes; each is looked into no further than to what first does not hold."""
    monkeypatch.setattr(Property, "violate", raise_at_once)
    assert verify_ledger(ledger.folder).holds
    for done in damaged(ledger, 10_000, seed=20_260_603):
        with pytest.raises(FirstViolationError):
            verify_ledger(ledger.folder)
            pytest.fail(f"not noticed: {done}")


def test_a_stranger_notices_the_same(ledger: LedgerFiles, capsys: pytest.CaptureFixture[str]) -> None:
    for done in damaged(ledger, 300, seed=17):
        assert not verify_ledger(ledger.folder).holds, done
        assert not by_a_stranger(ledger), done
    assert verify_ledger(ledger.folder).holds
    assert by_a_stranger(ledger)
    capsys.readouterr()


def rewrite(path: Path, old: bytes, new: bytes) -> None:
    data = path.read_bytes()
    assert old in data
    path.write_bytes(data.replace(old, new, 1))


def test_a_changed_record_is_named_and_so_are_the_checkpoints_that_it_breaks(ledger: LedgerFiles) -> None:
    rewrite(ledger.record_file(32), b'"located_as":"CN"', b'"located_as":"HK"')
    found = violated(verify_ledger(ledger.folder))
    assert list(found) == ["peaks", "checkpoints", "territory"]
    assert found["territory"] == ["record 34: located as HK, and o-1 is for CN"]
    assert found["peaks"] == [f"record {at}: the peaks are not those of the records before it" for at in (64, 96)]
    assert found["checkpoints"] == [
        "checkpoints: number 3: the first 64 records do not give its root",
        "checkpoints: number 4: the first 64 records do not give its root",
        "checkpoints: number 5: the first 103 records do not give its root",
    ]


FILES: dict[str, tuple[Callable[[LedgerFiles], Any], dict[str, str]]] = {
    "a file is missing": (
        lambda files: files.record_file(64).unlink(),
        {"files": "000000000096.jsonl: begins with record 64"},
    ),
    "the last file is missing": (
        lambda files: files.record_file(96).unlink(),
        {"checkpoints": "checkpoints: number 5: is of 103 records, and only 96 are there"},
    ),
    "a file has another name": (
        lambda files: files.record_file(96).rename(files.record_file(97)),
        {"files": "000000000097.jsonl: begins with record 96"},
    ),
    "a file is too short": (
        lambda files: files.record_file(32).write_bytes(files.record_file(32).read_bytes().partition(b"\n")[2]),
        {"files": "000000000032.jsonl: holds 31 records, and a file holds 32"},
    ),
    "a file is too long": (
        lambda files: files.record_file(96).write_bytes(files.record_file(32).read_bytes() * 2),
        {"files": "000000000096.jsonl: holds 64 records, and a file holds 32"},
    ),
    "there is no record": (
        lambda files: [path.unlink() for path in files.record_files()],
        {"genesis": "there is no record at all"},
    ),
    "an unfinished end": (
        lambda files: files.record_file(96).open("ab").write(b'{"seq":103'),
        {"lines": "record 103: the line does not end in a line feed: it is unfinished, or too long"},
    ),
    "no checkpoint": (
        lambda files: (files.checkpoint.unlink(), files.checkpoints.unlink()),
        {"checkpoints": "checkpoints: there is none, so nothing here is signed"},
    ),
    "no copy of the newest": (
        lambda files: files.checkpoint.unlink(),
        {"newest": "checkpoint: is not the last of checkpoints"},
    ),
    "checkpoints in another order": (
        lambda files: files.checkpoints.write_bytes(b"".join(notes_at((20, 1, 103), a_history(100).lines))),
        {"checkpoints": "checkpoints: number 2: is of 1 records, after one of 20"},
    ),
    "checkpoints that are not UTF-8": (
        lambda files: files.checkpoints.write_bytes(b"\xff" + files.checkpoints.read_bytes()),
        {"checkpoints": "checkpoints: number 1: is not UTF-8"},
    ),
    "checkpoints without an end": (
        lambda files: files.checkpoints.write_bytes(b"x" * 200_000),
        {"checkpoints": "checkpoints: number 1: is too long for a signed note"},
    ),
    "a key in another spelling": (
        lambda files: files.verifier_key.write_text(f"{VERIFIER_KEY}"),
        {"key": "verifier_key: is not spelt as a verifier key is"},
    ),
    "a key that is none": (
        lambda files: files.verifier_key.write_text("x\n"),
        {"key": "verifier_key: is not a verifier key, which looks like NAME+ID+KEY"},
    ),
}


@pytest.mark.parametrize(("change", "expected"), FILES.values(), ids=FILES)
def test_files_that_do_not_fit_together(
    ledger: LedgerFiles, change: Callable[[LedgerFiles], Any], expected: dict[str, str]
) -> None:
    change(ledger)
    found = violated(verify_ledger(ledger.folder))
    for name, reason in expected.items():
        assert reason in found[name]


def test_without_a_key_nothing_else_is_said(ledger: LedgerFiles) -> None:
    ledger.verifier_key.write_text("x\n")
    found = verify_ledger(ledger.folder)
    assert (found.origin, found.records, [each.name for each in found.findings]) == ("", 0, ["key"])
    assert violated(verify_ledger(ledger.folder, VERIFIER_KEY)).keys() == {"key"}


def test_another_key_signs_for_nothing(ledger: LedgerFiles) -> None:
    other = verifier_key(ORIGIN, Ed25519PrivateKey.from_private_bytes(bytes(32)))
    found = violated(verify_ledger(ledger.folder, other))
    assert found["key"] == [f"verifier_key: is {VERIFIER_KEY}, and not the key that was given"]
    assert found["checkpoints"][0] == f"checkpoints: number 1: is not signed by {ORIGIN}"


# One history


def test_a_checkpoint_kept_from_earlier_is_of_the_same_history(ledger: LedgerFiles) -> None:
    notes = list(notes_at((0, 17, 103), a_history(100).lines))
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


def test_memory_does_not_grow_with_the_ledger(tmp_path: Path) -> None:
    peaks = []
    for name, records in (("short", 300), ("long", 3000)):
        story = Story()
        story.use(an_order())
        while story.size < records:
            seq = story.restrict(an_order(), action=r.Restricts.EJECT)
            story.write(r.Outcome(r.Ending.CONFIRMED, (seq,)))
        files = story.save(tmp_path / name, range(30, story.size, 30))
        files.checkpoints.write_bytes(files.checkpoints.read_bytes())
        tracemalloc.start()
        assert verify_ledger(files.folder).holds
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 100_000
