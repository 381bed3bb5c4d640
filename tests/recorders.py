"""Recorders for tests that have no ledger: one that takes everything, which can be told to fail."""

from collections.abc import Sequence

from joingate.codecs.receipt import commitment
from joingate.core.decision import Decision
from joingate.core.model import Location
from joingate.core.receipt import Promise, Receipt
from joingate.core.recording import Recorded, Restricting

PROMISE = Promise(0, (b"\x00" * 32,), "joingate receipts/1\n")


def a_receipt(code: str = "k7q2m5xw3b6ahcde") -> Receipt:
    """A receipt that no ledger made."""
    return Receipt(code, commitment(code), _promised)


def _promised() -> Promise:
    return PROMISE


class FreeRecorder:
    """Keeps what it is given; `is_failing` makes it refuse as a ledger on a full disk does."""

    def __init__(self) -> None:
        self.is_failing = False
        self.recorded: list[Restricting] = []
        self.counted: list[tuple[Decision, Location]] = []
        self.confirmed: list[int] = []
        self.remaining: list[int] = []

    def record(self, restricting: Sequence[Restricting], now: float) -> Sequence[Recorded] | None:  # noqa: ARG002 - Recorder's signature
        if self.is_failing:
            return None
        first = len(self.recorded)
        self.recorded += restricting
        return [Recorded(seq, a_receipt()) for seq in range(first, len(self.recorded))]

    def count(self, decision: Decision, location: Location) -> None:
        self.counted.append((decision, location))

    def confirm(self, seq: int) -> None:
        self.confirmed.append(seq)

    def still_present(self, seq: int) -> None:
        self.remaining.append(seq)
