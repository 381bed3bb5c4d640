"""Checkpoints and promises opened by an implementation of signed notes that is not ours: Go's own."""

import os
import subprocess
from pathlib import Path

import pytest

from joingate.codecs.receipt import BOOK, CODE_BYTES, issue
from joingate.core.record import Heartbeat
from joingate.ledger.history import History

pytestmark = pytest.mark.integration

PROGRAM = Path(__file__).parent / "open_note" / "main.go"
HOUR = "2026-11-21T04Z"


@pytest.fixture(scope="module")
def opener(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("go")
    environ = os.environ | {"GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOCACHE": str(folder / "cache")}
    if not Path("/usr/bin/go").exists():
        pytest.fail("there is no /usr/bin/go; run tests/integration/install.sh")
    subprocess.run(["/usr/bin/go", "build", "-o", folder / "open_note", PROGRAM], env=environ, check=True, timeout=300)
    return folder / "open_note"


def opened(opener: Path, key: Path, note: Path) -> tuple[int, str]:
    done = subprocess.run([opener, key, note], capture_output=True, text=True, check=False, timeout=60)
    return done.returncode, done.stdout


@pytest.fixture
def history(tmp_path: Path) -> History:
    history = History.open(tmp_path / "ledger", HOUR)
    history.append([Heartbeat()] * 9, HOUR)
    captured = history.capture()
    assert captured is not None
    history.make_durable(captured)
    return history


def test_a_checkpoint_is_signed(opener: Path, history: History, tmp_path: Path) -> None:
    ledger = tmp_path / "ledger"
    status, text = opened(opener, ledger / "verifier_key", ledger / "checkpoint")
    assert status == 0
    assert text.split("\n")[:2] == [history.origin, "10"]
    changed = tmp_path / "changed"
    changed.write_text((ledger / "checkpoint").read_text().replace("\n10\n", "\n11\n"))
    assert opened(opener, ledger / "verifier_key", changed) == (1, "")


def test_a_promise_is_signed(opener: Path, history: History, tmp_path: Path) -> None:
    (first, *_) = issue(history.origin, HOUR, history.key, bytes(BOOK * CODE_BYTES))
    note = tmp_path / "promise"
    note.write_text(first.promise.note)
    status, text = opened(opener, tmp_path / "ledger" / "verifier_key", note)
    assert (status, text.split("\n")[:3]) == (0, ["joingate receipts/1", history.origin, HOUR])
