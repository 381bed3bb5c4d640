"""What is counted. Numbers only: no address, name, meeting or place ever enters (G8), so anyone may see a count."""

from collections import Counter
from dataclasses import dataclass, field

from joingate.core.decision import Decision
from joingate.core.model import Cause, Location, Reason, Verdict


@dataclass(slots=True)
class Tally:
    """Counts since the gate started.

    Attributes:
        decisions: per verdict and reason.
        by_rule: per rule id and verdict; an order's or policy's effect.
        shadowed: per rule id, what a rule in shadow would have restricted.
        doubt: per cause, participants admitted because an order could not be applied to an unknown location.
        unrecorded: per rule id, participants not restricted because the ledger could not be written.
        left: participants who were admitted and have left by themselves.
    """

    decisions: Counter[tuple[Verdict, Reason]] = field(default_factory=Counter)
    by_rule: Counter[tuple[str, Verdict]] = field(default_factory=Counter)
    shadowed: Counter[str] = field(default_factory=Counter)
    doubt: Counter[Cause] = field(default_factory=Counter)
    unrecorded: Counter[str] = field(default_factory=Counter)
    left: int = 0

    def count(self, decision: Decision, location: Location) -> None:
        """Count one decision."""
        self.decisions[decision.verdict, decision.reason] += 1
        if decision.rule is not None:
            self.by_rule[decision.rule.id, decision.verdict] += 1
        if decision.shadowed is not None:
            self.shadowed[decision.shadowed.id] += 1
        if decision.unrecorded is not None:
            self.unrecorded[decision.unrecorded.id] += 1
        if decision.doubted is not None and decision.verdict is Verdict.ADMIT:
            self.doubt[location.cause or Cause.SUBDIVISION_MISSING] += 1
