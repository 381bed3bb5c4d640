"""Verification of damaged ledgers: whatever is changed in the files of a closed ledger, it shows."""

from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from joingate.codecs.signed_note import verifier_key
from joingate.core.audit_findings import Property
from joingate.ledger.files import LedgerFiles
from joingate.ledger.verify import verify_ledger
from tests.edges.ledger_fixture import by_a_stranger, short_files, violated
from tests.ledger_histories import (
    ORIGIN,
    VERIFIER_KEY,
    a_history,
    notes_at,
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
            overwrite(path, changed)
            yield f"{change.__name__} {path.name} ({done})"
            overwrite(path, whole[path])
            done += 1


def overwrite(path: Path, data: bytes) -> None:
    """Write without first cutting to nothing: some file systems then wait for the disk."""
    with path.open("r+b") as file:
        file.write(data)
        file.truncate()


class FirstViolationError(Exception):
    """Enough is known."""


def raise_at_once(*_: object) -> None:
    raise FirstViolationError


def is_noticed(files: LedgerFiles) -> bool:
    try:
        verify_ledger(files.folder)
    except FirstViolationError:
        return True
    return False


def test_whatever_byte_or_line_is_changed_it_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten thousand changes; each is looked into no further than to what first does not hold."""
    story = a_history(50)
    ledger = story.save(tmp_path / "ledger", (20, story.size))
    monkeypatch.setattr(Property, "violate", raise_at_once)
    assert verify_ledger(ledger.folder).holds
    for done in damaged(ledger, 10_000, seed=20_260_603):
        assert is_noticed(ledger), done


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
    assert found["territory"] == ["record 33: located as HK, and o-1 is for CN"]
    assert found["peaks"] == [f"record {at}: the peaks are not those of the records before it" for at in (64, 96)]
    assert found["checkpoints"] == [
        "checkpoints: number 3: the first 64 records do not give its root",
        "checkpoints: number 4: the first 64 records do not give its root",
        "checkpoints: number 5: the first 101 records do not give its root",
    ]


def remove(*paths: Path) -> None:
    for path in paths:
        path.unlink()


FILES: dict[str, tuple[Callable[[LedgerFiles], Any], dict[str, str]]] = {
    "a file is missing": (
        lambda files: files.record_file(64).unlink(),
        {"files": "000000000096.jsonl: begins with record 64"},
    ),
    "the last file is missing": (
        lambda files: files.record_file(96).unlink(),
        {"checkpoints": "checkpoints: number 5: is of 101 records, and only 96 are there"},
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
        lambda files: remove(*files.record_files()),
        {"genesis": "there is no record at all"},
    ),
    "an unfinished end": (
        lambda files: files.record_file(96).write_bytes(files.record_file(96).read_bytes() + b'{"seq":101'),
        {"lines": "record 101: the line does not end in a line feed: it is unfinished, or too long"},
    ),
    "no checkpoint": (
        lambda files: remove(files.checkpoint, files.checkpoints),
        {"checkpoints": "checkpoints: there is none, so nothing here is signed"},
    ),
    "no copy of the newest": (
        lambda files: files.checkpoint.unlink(),
        {"newest": "checkpoint: is not the last of checkpoints"},
    ),
    "checkpoints in another order": (
        lambda files: files.checkpoints.write_bytes(b"".join(notes_at((20, 1, 101), a_history(100).lines))),
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
