"""What an audit finds: properties, each with its sentence, exact counts, and the first records that violate it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

SHOWN: Final = 5
"""Violations of one property that are kept with their reasons; all are counted."""


@dataclass(frozen=True, slots=True)
class Violation:
    """Where a property does not hold.

    Attributes:
        seq: of the record; None where it is a matter of no single record.
        reason: what is wrong there.
    """

    seq: int | None
    reason: str

    def __str__(self) -> str:
        return self.reason if self.seq is None else f"record {self.seq}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Finding:
    """One property, looked into.

    Attributes:
        name: short, and the same in every version.
        sentence: what is claimed, with what was counted.
        counts: the same counts for a machine.
        violated: how many records it does not hold for.
        violations: the first of them.
    """

    name: str
    sentence: str
    counts: Mapping[str, int]
    violated: int
    violations: tuple[Violation, ...]

    @property
    def holds(self) -> bool:
        """Whether nothing violates it."""
        return not self.violated


class Property:
    """A property while it is being looked into: counts the records that violate it and keeps the first."""

    __slots__ = ("_first", "_last", "name", "violated")

    def __init__(self, name: str) -> None:
        self.name = name
        self.violated = 0
        self._first: list[Violation] = []
        self._last: int | None = None

    def violate(self, seq: int | None, reason: str) -> None:
        """Note a violation. A record violates a property once, for the first of its reasons."""
        if seq is not None and seq == self._last:
            return
        self._last = seq
        self.violated += 1
        if len(self._first) < SHOWN:
            self._first.append(Violation(seq, reason))

    def finding(self, sentence: str, **counts: int) -> Finding:
        """Conclude."""
        return Finding(self.name, sentence, counts, self.violated, tuple(self._first))
