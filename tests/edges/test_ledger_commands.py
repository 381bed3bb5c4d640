"""The commands around a ledger: verify and checkpoint, and what is recorded by hand."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from joingate.cli import main
from joingate.cli.progress import ProgressBar
from joingate.codecs.moment import utc_hour
from joingate.ledger.files import LedgerFiles
from joingate.ledger.history import History
from joingate.ledger.verify import verify_ledger
from tests.edges.ledger_fixture import (
    CODE,
    Run,
    a_story,
    command_on,
    short_files,
)
from tests.ledger_histories import (
    HOUR,
    NOON,
    ORIGIN,
    Story,
    notes_at,
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


# Checkpoints, and verify as a command


def test_the_newest_checkpoint_is_printed_and_is_good_to_keep(run: Run, tmp_path: Path, story: Story) -> None:
    status, printed, complaint = run("checkpoint")
    assert (status, complaint) == (0, "")
    assert printed.encode() == list(notes_at((story.size - 3,), story.lines))[0]  # noqa: RUF015
    kept = tmp_path / "kept"
    kept.write_text(printed * 2, "utf-8")
    status, printed, _ = run("verify", "--checkpoint", kept)
    assert status == 0
    assert "ok      kept: the checkpoints kept from earlier are of this history: 2\n" in printed
    kept.write_text("")
    status, printed, _ = run("verify", "--checkpoint", kept)
    assert status == 1
    assert f"          {kept}: is not a signed note\n" in printed


def test_verify_prints_a_line_for_each_property(run: Run, story: Story) -> None:
    status, printed, complaint = run("verify")
    assert (status, complaint) == (0, "")
    *lines, verdict = printed.splitlines()
    assert verdict == f"every property holds: {story.size} records of {ORIGIN}, 66 signed"
    assert all(line.startswith("ok      ") for line in lines)
    assert "ok      territory: restricted outside the order's territory: 0 of 60" in lines
    assert "ok      meetings_ended: meetings ended: 0; no record can have a meeting as its object" in lines
    assert "ok      accounts_touched: accounts touched: 0; no record can have an account as its object" in lines
    assert "ok      unsigned: records not under a checkpoint yet, which nothing keeps from being changed: 3" in lines


def test_verify_names_the_records_and_exits_with_1(run: Run, ledger: LedgerFiles) -> None:
    for path in ledger.record_files():
        path.write_bytes(path.read_bytes().replace(b'"CN"', b'"HK"'))
    (ledger.folder / "more").touch()
    status, printed, _ = run("verify")
    assert status == 1
    assert (
        "FAILED  territory: restricted outside the order's territory: 60 of 60\n" not in printed
    )  # the order is for HK
    assert "FAILED  checkpoints: one history: " in printed
    assert "          checkpoints: number 1: the first 30 records do not give its root\n" in printed
    assert "note    more is no part of a ledger, and was not looked at\n" in printed
    assert printed.splitlines()[-1].startswith("NOT every property holds: ")
    ledger.verifier_key.write_text("x\n")
    assert (
        run("verify")[1].splitlines()[-1] == "NOT every property holds: 0 records of a ledger without a key, 0 signed"
    )


def test_more_violations_than_are_shown_are_counted(run: Run, ledger: LedgerFiles) -> None:
    path = ledger.record_file(32)
    path.write_bytes(path.read_bytes().replace(b'"CN"', b'"HK"'))
    status, printed, _ = run("verify")
    assert status == 1
    at = printed.splitlines().index("FAILED  territory: restricted outside the order's territory: 15 of 60")
    assert printed.splitlines()[at + 1 : at + 7] == [
        *(f"          record {seq}: located as HK, and o-1 is for CN" for seq in range(33, 38)),
        "          and 10 more",
    ]


def test_verify_says_the_same_to_a_machine(run: Run, ledger: LedgerFiles, story: Story) -> None:
    status, printed, _ = run("verify", "--json")
    found = json.loads(printed)
    assert status == 0
    assert (found["holds"], found["origin"], found["records"], found["signed"]) == (True, ORIGIN, story.size, 66)
    assert found["unknown_files"] == []
    by_name = {each.pop("name"): each for each in found["properties"]}
    assert by_name["territory"] == {
        "holds": True,
        "sentence": "restricted outside the order's territory: 0 of 60",
        "counts": {"restrictions": 60},
        "violated": 0,
        "violations": [],
    }
    ledger.record_file(48).write_bytes(ledger.record_file(48).read_bytes().replace(b'"CN"', b'"HK"', 1))
    status, printed, _ = run("verify", "--json")
    found = json.loads(printed)
    assert (status, found["holds"]) == (1, False)
    territory = next(each for each in found["properties"] if each["name"] == "territory")
    assert territory["violations"] == [{"record": 49, "reason": "located as HK, and o-1 is for CN"}]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("prove", "a1"), "RECEIPT: is no receipt; write the code from the notice, 16 letters and digits"),
        (("prove", "\udcff" * 16), "RECEIPT: is no receipt; write the code from the notice, 16 letters and digits"),
        (
            ("verify", "--key", "x"),
            (
                "--key: is not a verifier key, which looks like NAME+ID+KEY; write the line that the ledger publishes "
                "as verifier_key"
            ),
        ),
        (
            ("verify", "--proof", "x"),
            "--proof: goes with --receipt; name the proof's file and the code from the notice",
        ),
        (
            ("verify", "--receipt", CODE),
            "--proof: goes with --receipt; name the proof's file and the code from the notice",
        ),
        (
            ("verify", "--receipt", CODE, "--proof", "/nowhere"),
            "/nowhere: cannot be read (No such file or directory); correct the path, or make it readable",
        ),
        (
            ("verify", "--checkpoint", "/nowhere"),
            "/nowhere: cannot be read (No such file or directory); correct the path, or make it readable",
        ),
        (("prove", CODE, "-o", "/nowhere/x"), "/nowhere/x: cannot be written (No such file or directory)"),
    ],
)
def test_what_cannot_be_used_is_refused(run: Run, arguments: tuple[str, ...], complaint: str) -> None:
    assert run(*arguments) == (2, "", f"joingate: {complaint}\n")


def test_the_folder_is_the_configuration_s_where_none_is_given(
    tmp_path: Path, story: Story, capsys: pytest.CaptureFixture[str]
) -> None:
    story.save(tmp_path / "ledger")
    file = tmp_path / "joingate.toml"
    file.write_text(
        '[upstream]\nurl = "http://127.0.0.1:9"\n[[join]]\npath = "/{meeting}"\n[geodb]\npaths = ["geo.mmdb"]\n'
        '[rules]\npath = "rules/"\n[ledger]\npath = "ledger"\n'
    )
    (tmp_path / "geo.mmdb").touch()
    (tmp_path / "rules").mkdir()
    assert main(["ledger", "checkpoint", "-c", str(file)]) == 0
    assert capsys.readouterr().out.startswith(f"{ORIGIN}\n{story.size}\n")


# By hand


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A ledger whose keys are there."""
    folder = tmp_path / "own"
    History.open(folder, utc_hour(NOON // HOUR)).close()
    return folder


DISCLOSE = ("disclose", "--authority", "cac", "--subject", "participants", "--people", "3")
TEXTS = ("--legal-basis", "Law, article 1", "--reference", "2026-17")


def by_hand(folder: Path, *arguments: str) -> int:
    return main(["ledger", *arguments, "--ledger", str(folder)])


def test_a_disclosure_and_a_correction_are_recorded_and_signed(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert by_hand(own, *DISCLOSE, *TEXTS) == 0
    assert by_hand(own, "correct", "1", "--mistake", "clerical", "--explanation", "It was one person.") == 0
    assert capsys.readouterr().out == "record 1\nrecord 2\n"
    found = verify_ledger(own)
    assert found.holds
    assert (found.records, found.signed) == (3, 3)
    counts = {each.name: dict(each.counts) for each in found.findings}
    assert counts["disclosures"] == {"disclosures": 1, "people": 3}
    assert counts["corrections"] == {"corrections": 1}


@pytest.mark.parametrize(
    ("arguments", "complaints"),
    [
        (
            (*DISCLOSE, "--legal-basis", "from 203.0.113.7", "--reference", "someone@example.org"),
            [
                "--legal-basis: holds what reads as an IP address, and would stay on record for good; write it without",
                "--reference: holds what reads as a mail address, and would stay on record for good; write it without",
            ],
        ),
        (
            ("correct", "0", "--mistake", "order", "--explanation", "it was ::ffff:203.0.113.7"),
            ["--explanation: holds what reads as an IP address, and would stay on record for good; write it without"],
        ),
        (
            ("disclose", "--authority", "a b", "--subject", "other", "--people", "-1", *TEXTS),
            ["authority is not an id; people is not a count; docs/verify.md says what a record can hold"],
        ),
        (
            (*DISCLOSE, "--legal-basis", "a\nb", "--reference", ""),
            [
                (
                    "legal_basis is not one line of 1 to 2048 characters; reference is not one line of 1 to 2048 "
                    "characters; docs/verify.md says what a record can hold"
                )
            ],
        ),
        (
            (*DISCLOSE, "--legal-basis", "\udcff", "--reference", "r"),
            ["what was given is no text or no number that a ledger can hold; write another"],
        ),
        (
            ("correct", "1", "--mistake", "order", "--explanation", "x"),
            ["SEQ: there is no record 1; write 0 to 0"],
        ),
        (
            ("correct", str(10**30), "--mistake", "order", "--explanation", "x"),
            ["what was given is no text or no number that a ledger can hold; write another"],
        ),
    ],
)
def test_what_must_not_stand_in_a_ledger_is_not_recorded(
    own: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], complaints: list[str]
) -> None:
    assert by_hand(own, *arguments) == 2
    assert capsys.readouterr().err.splitlines() == [f"joingate: {each}" for each in complaints]
    assert LedgerFiles(own).record_file(0).read_bytes().count(b"\n") == 1


def test_another_user_does_not_leave_files_that_the_gate_cannot_open(
    own: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: own.stat().st_uid + 1)
    assert by_hand(own, *DISCLOSE, *TEXTS) == 2
    complaint = f"joingate: {own}: belongs to another user; run this as the user that the gate runs as\n"
    assert capsys.readouterr().err == complaint


def test_a_folder_named_by_mistake_does_not_become_a_ledger(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert by_hand(tmp_path / "typo", *DISCLOSE, *TEXTS) == 2
    assert capsys.readouterr().err.endswith("verifier_key: does not exist; name the ledger's folder with --ledger\n")
    assert not (tmp_path / "typo").exists()


def test_what_cannot_be_written_is_told(
    own: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from joingate.ledger.history import LedgerUnavailableError

    def full(*_: object) -> int:
        raise LedgerUnavailableError("records: no space left on device")

    monkeypatch.setattr(History, "append", full)
    assert by_hand(own, *DISCLOSE, *TEXTS) == 2
    assert capsys.readouterr().err == (
        "joingate: records: no space left on device; look with joingate ledger verify whether it was recorded\n"
    )


# Progress


class Terminal:
    """What is written to it, where it is one."""

    def __init__(self, *, is_one: bool) -> None:
        self.written: list[str] = []
        self.isatty = lambda: is_one
        self.write = self.written.append

    def flush(self) -> None: ...


@pytest.mark.parametrize(("is_one", "seconds", "shown"), [(True, 2.0, True), (True, 0.5, False), (False, 2.0, False)])
def test_a_bar_is_shown_on_a_terminal_to_who_waits(
    monkeypatch: pytest.MonkeyPatch, is_one: bool, seconds: float, shown: bool
) -> None:
    clock, terminal = iter([0.0, seconds, seconds, seconds + 0.2]), Terminal(is_one=is_one)
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    with ProgressBar() as bar:
        bar(1, 4)
        bar(2, 4)
        bar(4, 4)
    bars = [f"\r[{'#' * 10}{' ' * 30}]  25 %", f"\r[{'#' * 40}] 100 %", f"\r{' ' * 48}\r"]
    assert terminal.written == (bars if shown else [])
