import shutil
from pathlib import Path

import pytest

from joingate.codecs.ledger_schema import SCHEMA_DIGEST
from joingate.core.errors import RefusedInputError
from joingate.core.record import (
    FORMAT,
    Database,
    Disclosure,
    Entry,
    Expiry,
    Genesis,
    Lift,
    Rules,
    Segment,
    Subject,
)
from joingate.ledger import history as the_module
from joingate.ledger.files import LedgerFiles
from joingate.ledger.history import History, LedgerUnavailableError, seqs
from joingate.ledger.tail import Known, Tail, read_tail
from tests.edges.ledger_whole import BEAT, HOUR, Open, checkpoints, lifts, make_durable, names, whole
from tests.ledger_histories import EXAMPLES

LATER = "2026-11-21T05Z"
RULES = Rules("0123456789abcdef", 1, 0)
DATABASE = Database((1_750_000_000,), ("Country",), ("a" * 16,), 0, 60)


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


def test_nobody_waits_while_another_start_reads_what_is_there(
    ledger: Path, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is appended meanwhile counts, too."""
    first = opened()
    first.append(lifts("a", "b"), HOUR)
    found: list[int] = []

    def appending(files: LedgerFiles, known: Known) -> Tail:
        tail = read_tail(files, known)
        found.append(first.append([RULES], HOUR))
        return tail

    monkeypatch.setattr(the_module, "read_tail", appending)
    second = opened()
    assert found == [3], "read once, and never with the lock held"
    assert (second.size, second.revision) == (4, RULES.revision)
    assert second.append([BEAT], HOUR) == 4
    assert len(whole(ledger)) == 5


def test_what_is_replaced_while_another_start_reads_is_read_anew(
    ledger: Path, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = opened()
    first.append(lifts("a", "b"), HOUR)
    found: list[Tail] = []

    def replacing(files: LedgerFiles, known: Known) -> Tail:
        tail = read_tail(files, known)
        if not found:
            first._is_suspect = True
            first.recover()
            first.append([BEAT], HOUR)
        found.append(tail)
        return tail

    monkeypatch.setattr(the_module, "read_tail", replacing)
    second = opened()
    assert len(found) == 2
    assert second.append([BEAT], HOUR) == first.size == 4
    assert len(whole(ledger)) == 5


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


def test_what_was_captured_first_may_become_durable_last(ledger: Path, opened: Open) -> None:
    history = opened()
    first = history.capture()
    history.append(lifts("a"), HOUR)
    second = history.capture()
    history.append(lifts("b"), HOUR)
    assert first is not None
    assert second is not None
    history.make_durable(second)
    third = history.capture()
    history.make_durable(first)
    history.append(lifts("c"), HOUR)
    make_durable(history)
    assert third is not None
    history.make_durable(third)
    assert history.capture() is None
    assert [each.size for each in checkpoints(ledger)] == [2, 4]
    assert names(whole(ledger)) == ["a", "b", "c"]


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
    history.append([Lift(other), order, Disclosure("a", Subject.OTHER, 0, *['Z","kind":"lift","rule":"o"}'] * 2)], HOUR)
    assert opened().accepted() == ({rule: digest}, set())
    history.append([Expiry(rule), Lift(rule)], HOUR)
    with LedgerFiles(ledger).record_files()[-1].open("ab") as file:
        file.write(b'{"seq":99,"hour":"2026-11-21T04Z","kind":"order"')
    assert history.accepted() == ({}, set())
    shutil.rmtree(ledger / "records")
    with pytest.raises(LedgerUnavailableError, match="records: No such file"):
        history.accepted()
