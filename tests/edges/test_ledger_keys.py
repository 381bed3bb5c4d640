import os
from pathlib import Path

import pytest

from joingate.core.errors import RefusedInputError
from joingate.ledger.history import History
from joingate.ledger.keys import COMMITMENT_KEY, SIGNING_KEY, Keys, load_keys
from tests.edges.ledger_whole import BEAT, HOUR

NAMES = (SIGNING_KEY, COMMITMENT_KEY)


def both(keys: Keys) -> tuple[bytes, bytes]:
    return keys.signing.private_bytes_raw(), keys.commitment


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    load_keys(tmp_path / "secret", may_make=True)
    return tmp_path / "secret"


def test_keys_are_made_once_and_for_their_owner_alone(secret: Path) -> None:
    first = both(load_keys(secret, may_make=True))
    assert both(load_keys(secret, may_make=False)) == first
    assert len(set(first)) == 2
    assert secret.stat().st_mode & 0o777 == 0o700
    assert {
        path.name: (path.stat().st_mode & 0o777, path.stat().st_size) for path in secret.iterdir()
    } == dict.fromkeys(NAMES, (0o600, 32))


def test_two_ledgers_have_other_keys(secret: Path, tmp_path: Path) -> None:
    first, second = both(load_keys(secret, may_make=True)), both(load_keys(tmp_path / "other", may_make=True))
    assert not set(first) & set(second)


@pytest.mark.parametrize("name", NAMES)
def test_a_key_that_is_missing_beside_records_is_not_made_anew(secret: Path, name: str) -> None:
    (secret / name).unlink()
    with pytest.raises(RefusedInputError, match=f"secret/{name}: is missing, and there are records.*; put it back"):
        load_keys(secret, may_make=False)
    assert not (secret / name).exists()


@pytest.mark.parametrize("name", NAMES)
def test_a_start_that_was_interrupted_makes_what_is_missing(secret: Path, name: str) -> None:
    before = both(load_keys(secret, may_make=True))
    (secret / name).unlink()
    (secret / f"{name}.new").write_bytes(b"half")
    assert len(set(before) & set(both(load_keys(secret, may_make=True)))) == 1
    assert {path.name for path in secret.iterdir()} == set(NAMES)


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o610, 0o602])
@pytest.mark.parametrize("name", NAMES)
def test_a_key_that_others_can_read_is_refused(secret: Path, name: str, mode: int) -> None:
    (secret / name).chmod(mode)
    with pytest.raises(RefusedInputError, match=f"secret/{name}: others than its owner.*; run chmod 600"):
        load_keys(secret, may_make=True)


def test_a_folder_that_others_can_enter_is_refused(secret: Path) -> None:
    secret.chmod(0o750)
    with pytest.raises(RefusedInputError, match=r"secret: others than its owner.*; run chmod 700"):
        load_keys(secret, may_make=True)


@pytest.mark.parametrize("size", [0, 31, 33])
@pytest.mark.parametrize("name", NAMES)
def test_a_key_of_another_size_is_refused(secret: Path, name: str, size: int) -> None:
    (secret / name).write_bytes(bytes(size))
    with pytest.raises(RefusedInputError, match=f"secret/{name}: is no key, which has 32 bytes; put it back"):
        load_keys(secret, may_make=True)


def test_no_umask_makes_a_key_readable(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        load_keys(tmp_path / "secret", may_make=True)
    finally:
        os.umask(before)
    load_keys(tmp_path / "secret", may_make=False)


def test_keys_do_not_show(secret: Path) -> None:
    keys = load_keys(secret, may_make=True)
    assert repr(keys) == "Keys()"


@pytest.mark.parametrize("kept", ["records", "checkpoints"])
def test_the_keys_of_a_ledger_that_holds_anything_are_not_made_anew(tmp_path: Path, kept: str) -> None:
    ledger = tmp_path / "ledger"
    history = History.open(ledger, HOUR)
    history.append([BEAT], HOUR)
    captured = history.capture()
    assert captured is not None
    history.make_durable(captured)
    history.close()
    for path in [*ledger.glob("secret/*"), *(ledger.glob("records/*") if kept == "checkpoints" else ())]:
        path.unlink()
    if kept == "records":
        (ledger / "checkpoints").unlink()
        (ledger / "checkpoint").unlink()
    with pytest.raises(RefusedInputError, match="signing_key: is missing, and there are records"):
        History.open(ledger, HOUR)
    (ledger / "secret").rmdir()
    with pytest.raises(RefusedInputError, match="signing_key: is missing, and there are records"):
        History.open(ledger, HOUR)
