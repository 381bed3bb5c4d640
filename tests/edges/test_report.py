"""The report made from a ledger's files: what is read, what is refused, and the command."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from joingate.cli import main
from joingate.codecs.ledger_line import encode
from joingate.codecs.report_csv import render_csv
from joingate.codecs.report_json import render_json
from joingate.codecs.report_markdown import render_markdown
from joingate.codecs.report_page import render_page
from joingate.core import record as r
from joingate.core.errors import RefusedInputError
from joingate.core.report_period import Period
from joingate.ledger import snapshot
from joingate.ledger.report import DamagedLedgerError, read_report
from tests.report_ledgers import (
    HOUR,
    ORIGIN,
    RULES,
    SHA256,
    ejection,
    entries,
    lay_down,
    order,
    report,
    restriction,
    root_of,
)

RENDERED = (render_page, render_json, render_csv, render_markdown)
NO_RECORDS = "has no records in these days; it reaches from 2026-09-01 to 2026-09-05: write --from and --to there"
VERIFY = "run joingate ledger verify, which looks for everything that is wrong"


def history() -> list[r.Entry]:
    return entries(
        ("2026-09-01T00Z", order()),
        ("2026-09-01T00Z", RULES),
        *[("2026-09-03T12Z", restriction())] * 30,
        *[("2026-09-04T12Z", ejection())] * 15,
        ("2026-09-05T12Z", r.Heartbeat()),
    )


def read(folder: Path, first: str | None = None, last: str | None = None) -> str:
    return render_json(read_report(folder, Period(first, last), lambda *_: None)).decode()


@pytest.fixture(autouse=True)
def _no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing here is being written to, so nothing is to be waited for."""
    monkeypatch.setattr(snapshot, "PATIENCE", 1)


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    return lay_down(tmp_path / "ledger", history())


def test_the_report_is_that_of_the_records(ledger: Path) -> None:
    found = json.loads(read(ledger))
    expected = json.loads(render_json(report(history())))
    assert found | {"checkpoint": None} == expected
    assert found["checkpoint"] == {"size": 49, "root": root_of(map(encode, history()))}
    assert found["total"]["participants"]["rejected"] == 30


@pytest.mark.parametrize("lines_in_file", [1, 7, 48, 49, 50])
def test_the_same_records_give_the_same_bytes_however_the_files_are_cut(
    ledger: Path, tmp_path: Path, lines_in_file: int
) -> None:
    other = lay_down(tmp_path / "other", history(), lines_in_file=lines_in_file)
    for render in RENDERED:
        pages = [render(read_report(folder, Period(), lambda *_: None)) for folder in (ledger, ledger, other)]
        assert pages[0] == pages[1] == pages[2]


def test_a_period(ledger: Path) -> None:
    found = json.loads(read(ledger, "2026-09-04", "2026-09-04"))
    assert found["total"]["participants"]["rejected"] == 0
    assert found["total"]["participants"]["ejected"] == 15
    assert found["total"]["orders"]["received"] == 0
    assert found["total"]["orders"]["in_force"] == 1
    assert found["checkpoint"]["size"] == 49


@pytest.mark.parametrize(("first", "last"), [("2026-09-06", None), (None, "2026-08-31"), ("2027-01-01", "2027-01-31")])
def test_days_that_the_ledger_does_not_reach(ledger: Path, first: str | None, last: str | None) -> None:
    with pytest.raises(RefusedInputError) as refused:
        read(ledger, first, last)
    assert str(refused.value) == (f"{ledger}: {NO_RECORDS}")


def test_records_after_the_checkpoint_are_counted(tmp_path: Path) -> None:
    found = json.loads(read(lay_down(tmp_path / "l", history(), signed=3)))
    assert found["checkpoint"] == {"size": 3, "root": root_of(map(encode, history()[:3]))}
    assert found["total"]["participants"]["rejected"] == 30


def test_a_ledger_that_nothing_is_signed_of(ledger: Path) -> None:
    (ledger / "checkpoint").unlink()
    assert json.loads(read(ledger))["checkpoint"] is None


def test_what_a_gate_appends_meanwhile_is_not_counted(ledger: Path) -> None:
    """The file grows after it was looked at: by a whole line, and by a part of one."""
    file = ledger / "records" / "000000000000.jsonl"
    before = read(ledger)
    grown = []

    def grow(done: int, total: int) -> None:
        grown.append((done, total))

    taken = snapshot.take_snapshot

    def take_and_grow(files: object) -> snapshot.Snapshot:
        found = taken(files)  # type: ignore[arg-type]
        with file.open("ab") as appended:
            appended.write(encode(r.Entry(49, "2026-09-06T00Z", restriction())) + b'{"seq":50,')
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("joingate.ledger.report.take_snapshot", take_and_grow)
        found = render_json(read_report(ledger, Period(), grow)).decode()
    assert found == before
    assert grown[-1][0] == grown[-1][1] > 0


def test_an_unfinished_end_is_said_and_not_counted(ledger: Path) -> None:
    before = json.loads(read(ledger))
    with (ledger / "records" / "000000000000.jsonl").open("ab") as file:
        file.write(b'{"seq":49,"hour":"2026-')
    found = json.loads(read(ledger))
    assert found["ledger"]["ends_within_a_line"] is True
    assert found | {"ledger": before["ledger"]} == before


def change_line(number: int, change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    def damage(ledger: Path) -> None:
        path = ledger / "records" / "000000000000.jsonl"
        lines = path.read_bytes().splitlines(keepends=True)
        lines[number - 1] = change(lines[number - 1])
        path.write_bytes(b"".join(lines))

    return damage


def cut(ledger: Path) -> None:
    path = ledger / "records" / "000000000000.jsonl"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-4]))


def another_file_after_an_unfinished_line(ledger: Path) -> None:
    (ledger / "records" / "000000000000.jsonl").write_bytes(encode(history()[0])[:-1])
    (ledger / "records" / "000000000001.jsonl").write_bytes(encode(history()[1]))


def two_beginnings(ledger: Path) -> None:
    lines = b"".join(map(encode, [history()[0], replace(history()[0], seq=1)]))
    (ledger / "records" / "000000000000.jsonl").write_bytes(lines)


def no_beginning(ledger: Path) -> None:
    (ledger / "records" / "000000000000.jsonl").write_bytes(encode(r.Entry(0, HOUR, RULES)))


def no_calendar(ledger: Path) -> None:
    first = replace(history()[0], hour="2026-02-30T00Z")
    (ledger / "records" / "000000000000.jsonl").write_bytes(encode(first))


def a_forged_checkpoint(ledger: Path) -> None:
    path = ledger / "checkpoint"
    path.write_text(path.read_text().replace("49", "48"))


def bytes_for_a_checkpoint(ledger: Path) -> None:
    (ledger / "checkpoint").write_bytes(b"\xff\xfe")


FILE = "records/000000000000.jsonl"
DAMAGE: dict[str, tuple[Callable[[Path], None], str, str]] = {
    "a digit of a record": (
        change_line(3, lambda line: line.replace(b'"orders":1', b'"orders":2')),
        f"{FILE}: line 49",
        "the 49 records up to here are not those that were signed",
    ),
    "a line that is no JSON": (change_line(9, lambda _: b"{\n"), f"{FILE}: line 9", "the line is not JSON"),
    "a line that is not canonical": (
        change_line(2, lambda line: line.replace(b":", b": ", 1)),
        f"{FILE}: line 2",
        "the line is not spelt canonically",
    ),
    "a line that is missing": (change_line(5, lambda _: b""), f"{FILE}: line 5", "it is record 5, and record 4 is due"),
    "an end that is missing": (cut, "records", "45 records are there, and 49 are signed"),
    "an unfinished line before another file": (
        another_file_after_an_unfinished_line,
        "records/000000000001.jsonl: line 1",
        "the line before it is unfinished",
    ),
    "a second genesis": (
        two_beginnings,
        f"{FILE}: line 2",
        "a genesis is the first record, and the first is a genesis",
    ),
    "no genesis": (no_beginning, f"{FILE}: line 1", "a genesis is the first record, and the first is a genesis"),
    "a day that there is not": (
        no_calendar,
        f"{FILE}: line 1",
        "its hour is in no calendar (day is out of range for month)",
    ),
    "a forged checkpoint": (
        a_forged_checkpoint,
        "checkpoint",
        f"has a signature that {ORIGIN} did not make over this text",
    ),
    "no checkpoint at all": (bytes_for_a_checkpoint, "checkpoint", "is not a signed note"),
}


@pytest.mark.parametrize("what", DAMAGE)
def test_damage_is_named_with_its_place(ledger: Path, what: str, capsys: pytest.CaptureFixture[str]) -> None:
    damage, place, reason = DAMAGE[what]
    damage(ledger)
    with pytest.raises(DamagedLedgerError) as damaged:
        read(ledger)
    assert str(damaged.value) == f"{ledger}/{place}: {reason}; {VERIFY}"
    assert main(["report", "--ledger", str(ledger)]) == 1
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", f"joingate: {damaged.value}\n")


def test_what_is_no_ledger(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(RefusedInputError, match="holds no ledger; name the folder"):
            read(folder)
    (tmp_path / "records").mkdir()
    with pytest.raises(RefusedInputError, match="holds no records yet; a gate writes the first when it starts"):
        read(tmp_path)


def test_a_ledger_without_its_key(ledger: Path) -> None:
    (ledger / "verifier_key").unlink()
    with pytest.raises(RefusedInputError, match=r"verifier_key: does not exist"):
        read(ledger)


def test_a_file_that_cannot_be_read(ledger: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> Iterator[bytes]:
        raise PermissionError(13, os.strerror(13), str(path))

    monkeypatch.setattr("joingate.ledger.report.lines_of", refuse)
    with pytest.raises(RefusedInputError, match=r"000000000000\.jsonl: cannot be read \(Permission denied\)"):
        read(ledger)


def test_it_tells_how_far_it_has_come(tmp_path: Path) -> None:
    many = entries(*[r.Heartbeat()] * 10_000)
    ledger = lay_down(tmp_path / "ledger", many)
    told: list[tuple[int, int]] = []
    read_report(ledger, Period(), lambda done, total: told.append((done, total)))
    assert len(told) == 3
    assert told == sorted(told)
    assert {total for _, total in told} == {(ledger / "records" / "000000000000.jsonl").stat().st_size}
    assert told[-1][0] == told[-1][1]


# The command


def test_every_form_to_a_file_and_to_standard_output(
    ledger: Path, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    for form, render in zip(("html", "json", "csv", "md"), RENDERED, strict=True):
        expected = render(read_report(ledger, Period(), lambda *_: None))
        output = tmp_path / f"report.{form}"
        assert main(["report", "--ledger", str(ledger), "--format", form, "-o", str(output)]) == 0
        assert output.read_bytes() == expected
        assert capsysbinary.readouterr() == (b"", b"")
        assert main(["report", "--ledger", str(ledger), "--format", form]) == 0
        assert capsysbinary.readouterr() == (expected, b"")
    assert main(["report", "--ledger", str(ledger)]) == 0
    assert capsysbinary.readouterr().out.startswith(b"# Transparency report\n")


def test_days_from_the_command_line(ledger: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["report", "--ledger", str(ledger), "--from", "2026-09-04", "--to", "2026-09-05", "--format", "json"]
    assert main(arguments) == 0
    assert json.loads(capsys.readouterr().out)["period"] == {"from": "2026-09-04", "to": "2026-09-05"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--from", "2026-13-01"), '--from: "2026-13-01" is not a day; write e.g. 2026-01-31'),
        (("--to", "20260901"), '--to: "20260901" is not a day; write e.g. 2026-01-31'),
        (("--to", "٢٠٢٦-09-01"), '--to: "٢٠٢٦-09-01" is not a day; write e.g. 2026-01-31'),
        (
            ("--from", "2026-09-05", "--to", "2026-09-04"),
            "--to: 2026-09-04 is before --from, 2026-09-05; write the later day there",
        ),
        (
            ("--from", "2027-01-01"),
            f"LEDGER: {NO_RECORDS}",
        ),
        (("-o", "LEDGER"), "LEDGER: cannot be written (Is a directory); name another file"),
    ],
)
def test_what_cannot_be_used_is_refused(
    ledger: Path, arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [argument.replace("LEDGER", str(ledger)) for argument in arguments]
    assert main(["report", "--ledger", str(ledger), *given]) == 2
    assert capsys.readouterr() == ("", f"joingate: {said.replace('LEDGER', str(ledger))}\n")


def test_a_damaged_ledger_leaves_an_earlier_report_alone(ledger: Path, tmp_path: Path) -> None:
    output = tmp_path / "report.md"
    output.write_text("earlier")
    cut(ledger)
    assert main(["report", "--ledger", str(ledger), "-o", str(output)]) == 1
    assert output.read_text() == "earlier"


@contextmanager
def working_in(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def test_without_a_ledger_it_takes_that_of_the_configuration(
    tmp_path: Path, demo_mmdb: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lay_down(tmp_path / "ledger", entries(r.Recovery(12, SHA256)))
    (tmp_path / "rules").mkdir()
    (tmp_path / "joingate.toml").write_text(
        '[gate]\nlisten = ["127.0.0.1:0"]\n[upstream]\nurl = "http://127.0.0.1:9000"\n'
        '[[join]]\npath = "/meetings/{meeting}/join"\nparticipant = "query:user"\n'
        f'[geodb]\npaths = ["{demo_mmdb}"]\n[rules]\npath = "rules"\n'
    )
    with working_in(tmp_path):
        assert main(["report", "--format", "json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["recoveries"]) == 1
