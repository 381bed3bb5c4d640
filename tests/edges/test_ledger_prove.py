"""Proofs for whoever was restricted, and what is said where there is none."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from joingate.cli import main
from joingate.codecs.receipt import commitment, issue
from joingate.core import record as r
from joingate.core.errors import RefusedInputError
from joingate.ledger.files import LedgerFiles
from joingate.ledger.prove import prove_receipt
from tests import standalone_verifier
from tests.edges.ledger_fixture import CODE, NOBODYS, RANDOM, RECEIPTS, Run, a_story, command_on, short_files
from tests.ledger_histories import (
    HOUR,
    KEY,
    NOON,
    ORIGIN,
    VERIFIER_KEY,
    Story,
)


@pytest.fixture(autouse=True, scope="module")
def few_lines() -> Iterator[None]:
    with short_files(16):
        yield


@pytest.fixture(scope="module")
def story() -> Story:
    return a_story()


@pytest.fixture
def ledger(tmp_path: Path, story: Story) -> LedgerFiles:
    return story.save(tmp_path / "ledger", (30, story.size - 3))


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], ledger: LedgerFiles) -> Run:
    return command_on(ledger, capsys)


def test_every_receipt_is_proved_and_the_proof_needs_no_ledger(ledger: LedgerFiles, tmp_path: Path) -> None:
    for receipt in RECEIPTS[:57]:
        recorded = prove_receipt(ledger.folder, receipt.code)
        assert recorded is not None
        assert recorded.proof is not None
        path = tmp_path / "proof"
        path.write_text(recorded.proof)
        assert standalone_verifier.main(["--proof", str(path), receipt.code, str(VERIFIER_KEY)]) == 0
        assert standalone_verifier.main(["--proof", str(path), NOBODYS, str(VERIFIER_KEY)]) == 1


def test_a_proof_is_printed_or_saved_and_checked_by_the_key_alone(
    run: Run, tmp_path: Path, ledger: LedgerFiles, capsys: pytest.CaptureFixture[str]
) -> None:
    status, printed, complaint = run("prove", CODE)
    assert (status, complaint) == (0, "")
    file = tmp_path / "r.tlog-proof"
    assert run("prove", CODE.upper(), "-o", file) == (0, f"record 5 is this receipt's; the proof is in {file}\n", "")
    assert file.read_text("utf-8") == printed
    for path in ledger.record_files():
        path.unlink()
    check = ["ledger", "verify", "--proof", str(file), "--receipt", CODE, "--key", str(VERIFIER_KEY)]
    assert main(check) == 0
    first, line = capsys.readouterr().out.splitlines()
    assert first == f"ok      the receipt's is record 5, among the 66 that {ORIGIN} has signed"
    assert json.loads(line)["receipt"] == commitment(CODE)
    assert main([*check, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"origin": ORIGIN, "signed": 66, "record": json.loads(line)}


def test_the_ledger_s_own_key_is_believed_where_none_is_given(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "r.tlog-proof"
    run("prove", CODE, "-o", file)
    status, printed, _ = run("verify", "--proof", file, "--receipt", CODE)
    assert status == 0
    assert printed.startswith("ok ")
    file.write_text(file.read_text("utf-8").replace("index 5", "index 6"), "utf-8")
    assert run("verify", "--proof", file, "--receipt", CODE) == (
        1,
        f"FAILED  {file}: the proof does not lead from its record to the 66 records that are signed\n",
        "",
    )
    status, printed, complaint = run("verify", "--proof", file, "--receipt", NOBODYS, "--json")
    assert (status, printed) == (1, "")
    assert complaint.startswith(f"FAILED  {file}: the proof ")


UNTOLD = "a record is promised within a day of the notice, and --promise FILE tells the hour"


def test_what_is_not_there_is_said_plainly(run: Run) -> None:
    assert run("prove", NOBODYS) == (1, "", f"joingate: no record of it; {UNTOLD}\n")
    assert run("prove", RECEIPTS[57].code) == (1, "", f"joingate: record 66, under no checkpoint yet; {UNTOLD}\n")


def notice(code: str = CODE, **members: Any) -> dict[str, Any]:
    promise = next(receipt.promise for receipt in RECEIPTS if receipt.code == code)
    return {"status": 451, "receipt": code, "receipt_promise": promise.members(), **members}


DUE = "2026-06-04T12Z"
BROKEN = "the promise was not kept; the notice and this ledger's newest checkpoint are evidence of that"


UNSIGNED = "record 66, under no checkpoint yet"
COMING, OVERDUE = (
    f"one is promised by the end of {DUE}: ask again then",
    f"one was promised by the end of {DUE}: {BROKEN}",
)


@pytest.mark.parametrize(
    ("hours", "code", "expected"),
    [
        (24, NOBODYS, f"no record of it; {COMING}"),
        (25, NOBODYS, f"no record of it; {OVERDUE}"),
        (24, RECEIPTS[57].code, f"{UNSIGNED}; {COMING}"),
        (25, RECEIPTS[57].code, f"{UNSIGNED}; {OVERDUE}"),
    ],
)
def test_a_promise_that_is_overdue_is_evidence(run: Run, tmp_path: Path, hours: int, code: str, expected: str) -> None:
    for document in (notice(code), notice(code)["receipt_promise"]):
        file = tmp_path / "notice.json"
        file.write_text(json.dumps(document))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("time.time", lambda: NOON + hours * HOUR + 1800.0)
            assert run("prove", code, "--promise", file) == (1, "", f"joingate: {expected}\n")


def test_a_promise_that_was_kept_in_time_and_one_that_was_kept_late(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "notice.json"
    file.write_text(json.dumps(notice()))
    status, printed, complaint = run("prove", CODE, "--promise", file)
    assert (status, printed.splitlines()[0], complaint) == (0, "c2sp.org/tlog-proof@v1", "")
    late = next(iter(issue(ORIGIN, "2026-06-03T11Z", KEY, RANDOM)))
    file.write_text(json.dumps(late.promise.members()))
    status, printed, complaint = run("prove", CODE, "--promise", file)
    assert (status, printed.splitlines()[0]) == (1, "c2sp.org/tlog-proof@v1")
    assert complaint == f"joingate: it was recorded in 2026-06-03T12Z, after 2026-06-03T11Z: {BROKEN}\n"


@pytest.mark.parametrize(
    ("document", "why"),
    [
        ("not JSON", "is not JSON"),
        ("[]", "is no promise"),
        (json.dumps(notice(NOBODYS)), "is of another receipt"),
        (json.dumps(notice(NOBODYS)["receipt_promise"]), "is a promise for another receipt"),
        (json.dumps(notice(receipt=None)), "is of another receipt"),
        (json.dumps(notice(receipt_promise={})), "is no promise"),
        (
            json.dumps(next(iter(issue(ORIGIN, "tomorrow", KEY, RANDOM))).promise.members()),
            "names no hour",
        ),
    ],
)
def test_what_is_no_promise_of_this_receipt_is_refused(run: Run, tmp_path: Path, document: str, why: str) -> None:
    file = tmp_path / "notice.json"
    file.write_text(document)
    assert run("prove", CODE, "--promise", file) == (
        2,
        "",
        f"joingate: {file}: {why}; save the notice as the gate sent it, as JSON\n",
    )


LOOK = "run joingate ledger verify"


def cut(files: LedgerFiles, first: int, lines: int) -> None:
    path = files.record_file(first)
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:lines]))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (
            lambda files: files.verifier_key.write_text("x"),
            "verifier_key: is not a verifier key, which looks like NAME",
        ),
        (lambda files: files.checkpoint.write_text("x"), f"checkpoint: is not a signed note; {LOOK}"),
        (lambda files: files.checkpoint.unlink(), "checkpoint: does not exist; name the ledger's folder with --ledger"),
        (
            lambda files: files.record_file(32).unlink(),
            "000000000032.jsonl: cannot be read (No such file or directory)",
        ),
        (
            lambda files: cut(files, 32, 10),
            f"000000000032.jsonl: is shorter than the newest checkpoint has it; {LOOK}",
        ),
        (
            lambda files: cut(files, 48, 10),
            f"000000000048.jsonl: is shorter than the newest checkpoint has it; {LOOK}",
        ),
        (
            lambda files: files.record_file(48).write_bytes(files.record_file(48).read_bytes().replace(b"CN", b"HK")),
            f"ledger: the records are not those that the newest checkpoint is of; {LOOK}",
        ),
        (
            lambda files: files.record_file(0).write_bytes(files.record_file(0).read_bytes().replace(b"CN", b"cn")),
            "000000000000.jsonl: holds a line that is no record: located_as is not an ISO 3166 code or unknown; ",
        ),
    ],
)
def test_a_ledger_that_is_damaged_proves_nothing(
    run: Run, ledger: LedgerFiles, change: Callable[[LedgerFiles], object], why: str
) -> None:
    change(ledger)
    status, printed, complaint = run("prove", CODE)
    assert (status, printed) == (2, "")
    assert why in complaint


def test_a_proof_tells_its_progress_in_records(ledger: LedgerFiles) -> None:
    told: list[tuple[int, int]] = []
    prove_receipt(ledger.folder, CODE, lambda done, total: told.append((done, total)))
    assert told[-1] == (65, 66)  # every leaf but the receipt's own
    assert [done for done, _ in told] == sorted(done for done, _ in told)


def test_nothing_is_proved_of_a_folder_that_is_no_ledger(tmp_path: Path) -> None:
    with pytest.raises(
        RefusedInputError, match=r"verifier_key: does not exist; name the ledger's folder with --ledger$"
    ):
        prove_receipt(tmp_path, CODE)


def test_a_text_that_quotes_a_receipt_is_not_taken_for_its_record(tmp_path: Path) -> None:
    story = a_story()
    story.write(r.Correction(0, r.Mistake.CLERICAL, f'"receipt":"{commitment(NOBODYS)}"'))
    files = story.save(tmp_path / "quoting")
    assert prove_receipt(files.folder, NOBODYS) is None
