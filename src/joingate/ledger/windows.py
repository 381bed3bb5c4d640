"""What was not done, counted by rule until the hour is over: doubt, shadow, and restrictions without a record."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from joingate.core.decision import Decision
from joingate.core.model import Cause, Location
from joingate.core.record import Window


@dataclass(slots=True)
class _Counts:
    doubt: Counter[Cause] = field(default_factory=Counter)
    shadowed: int = 0
    unrecorded: int = 0


class Windows:
    """The counts of one hour. No country is among them, and nothing finer than a rule."""

    def __init__(self) -> None:
        self._by_rule: dict[str, _Counts] = {}

    def __bool__(self) -> bool:
        return bool(self._by_rule)

    def count(self, decision: Decision, location: Location) -> None:
        """Count an admission in doubt or for want of a record, and whatever a rule in shadow would have done."""
        if decision.doubted is not None and decision.rule is None:
            self._of(decision.doubted.id).doubt[location.cause or Cause.SUBDIVISION_MISSING] += 1
        if decision.shadowed is not None:
            self._of(decision.shadowed.id).shadowed += 1
        if decision.unrecorded is not None:
            self._of(decision.unrecorded.id).unrecorded += 1

    def _of(self, rule: str) -> _Counts:
        return self._by_rule.setdefault(rule, _Counts())

    def records(self) -> Iterator[Window]:
        """Yield a record for each rule with anything to count."""
        for rule, counts in sorted(self._by_rule.items()):
            yield Window(rule, dict(sorted(counts.doubt.items())), counts.shadowed, counts.unrecorded)

    def clear(self) -> None:
        """Begin anew, once the records are written."""
        self._by_rule.clear()
