"""What clients hold against what the ledger has: every receipt a record, every record a receipt.

Some records can have no holder: who vanishes, or leaves, at the moment at which a rule ejects them, never reads why.
Such a departure is noted with what the rules allowed at that moment, and explains at most one record of those rules.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from joingate.codecs.receipt import commitment
from joingate.core.record import Restriction
from tests.edges.ledger_reading import records
from tests.soak.account import Account, Row
from tests.soak.oracle import Refusal


@dataclass(frozen=True, slots=True)
class Held:
    """A receipt, and what came with it; a Close names no place."""

    rule: str
    located_as: str | None


class Receipts:
    """All receipts of a run, by their commitments."""

    def __init__(self) -> None:
        self._held: dict[str, Held] = {}
        self._unseen: list[frozenset[str]] = []

    def hold(self, code: str, rule: str, located_as: str | None) -> bool:
        """Take a receipt; return whether it is nobody else's."""
        key = commitment(code)
        is_new = key not in self._held
        self._held[key] = Held(rule, located_as)
        return is_new

    def may_be_unseen(self, refusals: Sequence[Refusal]) -> None:
        """Note a client who could not have read a restriction that one of these rules may have caused."""
        if refusals:
            self._unseen.append(frozenset(refusal.rule for refusal in refusals))

    def compare(self, ledger: Path, account: Account) -> None:
        """Hold them against the ledger."""
        written = {record.receipt: record for record in records(ledger) if isinstance(record, Restriction)}
        account.note_tried(Row.RECEIPTS, len(self._held))
        for key, held in self._held.items():
            record = written.get(key)
            if record is None:
                account.note_lost(Row.RECEIPTS, f"a receipt under {held.rule} has no record")
            elif record.rule != held.rule or held.located_as not in {None, record.located_as}:
                account.note_lost(Row.RECEIPTS, f"{held} is recorded as {record.rule}, {record.located_as}")
        unheld = Counter(record.rule for key, record in written.items() if key not in self._held)
        explained = 0
        for rules in self._unseen:
            rule = next((rule for rule in sorted(rules) if unheld[rule]), None)
            if rule is not None:
                unheld[rule] -= 1
                explained += 1
        for rule, count in unheld.items():
            for _ in range(count):
                account.note_lost(Row.RECEIPTS, f"a record under {rule} that nobody was told of")
        account.notes.append(
            f"ledger: {len(written):,} restrictions; {explained} of them of clients who vanished or left at that moment"
        )
