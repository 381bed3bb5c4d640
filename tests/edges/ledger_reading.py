"""What a ledger on disk holds, for tests of those who write it."""

from pathlib import Path

from joingate.codecs.ledger_line import decode
from joingate.core.record import Entry, Record, Restriction
from joingate.ledger.files import LedgerFiles, lines_of


def entries(ledger: Path) -> list[Entry]:
    """Every record in its place."""
    return [decode(line) for path in LedgerFiles(ledger).record_files() for line in lines_of(path)]


def records(ledger: Path) -> list[Record]:
    """Every record."""
    return [entry.record for entry in entries(ledger)]


def receipts(ledger: Path) -> list[str]:
    """The commitments of all restrictions, in their order."""
    return [record.receipt for record in records(ledger) if isinstance(record, Restriction)]
