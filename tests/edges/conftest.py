"""What the tests of the history that several processes append to begin with."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from joingate.ledger import files as layout
from tests.edges.ledger_whole import Open, opener


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """Where no ledger is yet."""
    return tmp_path / "ledger"


@pytest.fixture
def short_files(monkeypatch: pytest.MonkeyPatch) -> int:
    """Files of records that are complete at 8 lines."""
    monkeypatch.setattr(layout, "LINES_IN_FILE", 8)
    return 8


@pytest.fixture
def opened(ledger: Path) -> Iterator[Open]:
    """What opens the ledger, as often as it is called."""
    with opener(ledger) as open_it:
        yield open_it
