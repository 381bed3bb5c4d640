"""The hours that records are dated by: what they tell of a moment, that they never go back, and which have no record.

A ledger's hours never go back, not by one: a writer whose clock has been set back dates its records by the hour of the
record before.
"""

from datetime import datetime
from typing import Final

from joingate.core.audit_findings import Finding, Property

HOUR: Final = 3600
"""Seconds."""

_GAPS_SHOWN: Final = 3


def start_of(hour: str) -> int | None:
    """Return when an hour such as "2026-11-21T04Z" begins, in POSIX seconds; None when it is none in the calendar."""
    return moment_of(f"{hour[:-1]}:00:00Z")


def moment_of(text: str) -> int | None:
    """Return an RFC 3339 moment in UTC, such as "2020-06-04T16:00:00Z", in POSIX seconds; None when there is none."""
    try:
        return int(datetime.fromisoformat(text).timestamp())
    except ValueError:
        return None


class Hours:
    """The hours of the records, one after the other.

    Attributes:
        start: of the hour of the record last taken, POSIX seconds; None when it is none in the calendar.
    """

    __slots__ = ("_clock", "_first", "_gaps", "_hour", "_latest", "_shown", "_without", "start")

    def __init__(self) -> None:
        self.start: int | None = None
        self._clock = Property("clock")
        self._hour = ""
        self._first = ""
        self._latest = 0
        self._gaps = 0
        self._without = 0
        self._shown: list[str] = []

    def take(self, seq: int, hour: str) -> None:
        """Note the hour of the next record."""
        if hour != self._hour:
            self._turn(seq, hour)

    def _turn(self, seq: int, hour: str) -> None:
        before, self._hour = self._hour, hour
        self.start = start = start_of(hour)
        if start is None:
            self._clock.violate(seq, f"{hour} is no hour in the calendar")
            return
        if not self._first:
            self._first = hour
        elif start < self._latest:
            self._clock.violate(seq, f"{hour} comes after {before}")
        elif (passed := (start - self._latest) // HOUR) > 1:
            self._gaps += 1
            self._without += passed - 1
            if self._gaps <= _GAPS_SHOWN:
                self._shown.append(f"{passed - 1} before {hour}")
        self._latest = start

    def findings(self) -> tuple[Finding, Finding]:
        """Return the properties `clock` and `gaps`; the second is counted, and nothing violates it."""
        span = f": from {self._first} to {self._hour}" if self._first else ""
        more = ", ..." if self._gaps > _GAPS_SHOWN else ""
        where = f" ({', '.join(self._shown)}{more})" if self._gaps else ""
        return (
            self._clock.finding(f"hours never go back{span}"),
            Property("gaps").finding(
                f"hours in which nothing was recorded, not even a heartbeat: {self._without}{where}",
                hours=self._without,
                gaps=self._gaps,
            ),
        )
