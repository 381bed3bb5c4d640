"""Ledgers that a person must mend, and folders that go away under a gate."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from joingate.codecs.ledger_line import encode
from joingate.core.errors import RefusedInputError
from joingate.core.record import (
    FORMAT,
    Entry,
    Genesis,
    Heartbeat,
)
from joingate.ledger.files import LedgerFiles
from joingate.ledger.history import History, LedgerUnavailableError
from tests.edges.ledger_whole import BEAT, HOUR, Open, checkpoints, lifts, make_durable, names, whole


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


def test_a_strange_file_among_the_records_is_refused(ledger: Path, opened: Open) -> None:
    opened()
    (ledger / "records" / "copy.jsonl").touch()
    with pytest.raises(RefusedInputError, match=r"copy\.jsonl: is no file of records.*; move it away"):
        opened()


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
