"""What the tests of ledgers share: files with few lines, a stranger's program, receipts."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from joingate.cli import main
from joingate.codecs.moment import utc_hour
from joingate.codecs.receipt import BOOK, CODE_BYTES, commitment, issue
from joingate.ledger import files as layout
from joingate.ledger import snapshot
from joingate.ledger.files import LedgerFiles
from joingate.ledger.verify import Verification
from tests import standalone_verifier
from tests.ledger_histories import HOUR, KEY, NOON, ORIGIN, VERIFIER_KEY, Story, a_policy, an_order

RANDOM = hashlib.shake_256(b"receipts").digest(BOOK * CODE_BYTES)
RECEIPTS = list(issue(ORIGIN, utc_hour(NOON // HOUR + 24), KEY, RANDOM))
CODE = RECEIPTS[0].code
NOBODYS = RECEIPTS[63].code
"""Of a receipt without a record."""

Run = Callable[..., tuple[int, str, str]]
"""A command: its arguments, and its exit status, what it prints and what it complains of."""


@contextmanager
def short_files(lines: int) -> Iterator[None]:
    """Let files of records have so few lines that short histories have several; and wait for no gate."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layout, "LINES_IN_FILE", lines)
        patch.setattr(standalone_verifier, "LINES_IN_FILE", lines)
        patch.setattr(snapshot, "PATIENCE", 1)
        yield


def violated(found: Verification) -> dict[str, list[str]]:
    """Return the properties that do not hold, with what violates them."""
    return {each.name: [str(one) for one in each.violations] for each in found.findings if not each.holds}


def by_a_stranger(files: LedgerFiles) -> bool:
    """Whether the program that knows nothing but docs/verify.md finds that everything holds."""
    return standalone_verifier.main([str(files.folder), str(VERIFIER_KEY)]) == 0


def a_story() -> Story:
    """Sixty restrictions, each with a receipt of the book."""
    story = Story()
    story.use(an_order(), a_policy())
    for receipt in RECEIPTS[:60]:
        story.restrict(an_order(), receipt=commitment(receipt.code))
    return story


def command_on(files: LedgerFiles, capsys: pytest.CaptureFixture[str]) -> Run:
    """Return `joingate ledger ...` on a ledger."""

    def run(name: str, *arguments: object) -> tuple[int, str, str]:
        status = main(["ledger", name, *map(str, arguments), "--ledger", str(files.folder)])
        return status, *capsys.readouterr()

    return run
