"""The phase `record`, between the gate and the ledger: no restriction without a durable record (G8)."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from joingate.core.decision import Decision
from joingate.core.model import Join, Location
from joingate.core.receipt import Receipt
from joingate.core.record import Told


class Restricting(NamedTuple):
    """A restriction, or its deferral, that is about to be carried out."""

    decision: Decision
    location: Location
    meeting: str
    told: Told


class Recorded(NamedTuple):
    """A restriction that may now be carried out: the seq of its record, and the receipt for the participant."""

    seq: int
    receipt: Receipt


class Recorder(Protocol):
    """Where restrictions are written down; none of its methods waits or raises."""

    def record(self, restricting: Sequence[Restricting], now: float) -> Sequence[Recorded] | None:
        """Record all of them before any is carried out; None means that nothing is recorded: admit.

        Args:
            restricting: by rules that are in force at `now`.
            now: POSIX seconds.
        """

    def count(self, decision: Decision, location: Location) -> None:
        """Count an admission in doubt, in shadow or for want of a record."""

    def confirm(self, seq: int) -> None:
        """Note that the participant ejected under record `seq` is gone."""

    def still_present(self, seq: int) -> None:
        """Note that they are cut off, and the meeting server still has them; `confirm` may follow."""


class Remover(Protocol):
    """What sees to it that an ejected participant is gone from the meeting server too, and records how that ended.

    Attributes:
        can_remove: whether it can remove one participant; if not, only the end of all that carries them does.
    """

    can_remove: bool

    def remove(self, join: Join, seq: int) -> None:
        """Begin; returns at once.

        Args:
            join: by which the participant came.
            seq: of the record of the ejection.
        """
