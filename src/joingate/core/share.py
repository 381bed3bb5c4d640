"""What each process of a gate has to say of itself, and how that adds up to one gate.

What is so now (who is inside, what is open) goes with a process; what was counted since the start stays, so that no
counter of the gate ever falls because one of its processes was replaced.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

Counts = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Share:
    """One process's part of the status, or several processes' together. No name or place is in it but meetings' ids.

    Attributes:
        participants: inside.
        meetings: ids of those with a participant, each once; two processes may have the same.
        connections: of participants.
        idle_upstream_connections: kept to be used again.
        sessions: of many requests each.
        ejections_under_way: whose end is not known yet.
        still_present: ejected, cut off, and still on the meeting server.
        server_problem: why the meeting server's own interface could not be used the last time.
        ledger_problem: why nothing is restricted at present.
        unrecorded: restrictions that were not carried out because of that.
        lookup_errors: of the databases' readers.
        decisions: by verdict and then by reason.
        by_rule: by rule and then by verdict.
        shadowed: by rule.
        doubt_admitted: by cause.
        left: participants who left by themselves.
    """

    participants: int = 0
    meetings: Sequence[str] = ()
    connections: int = 0
    idle_upstream_connections: int = 0
    sessions: int = 0
    ejections_under_way: int = 0
    still_present: int = 0
    server_problem: str | None = None
    ledger_problem: str | None = None
    unrecorded: int = 0
    lookup_errors: int = 0
    decisions: Mapping[str, Counts] = field(default_factory=dict)
    by_rule: Mapping[str, Counts] = field(default_factory=dict)
    shadowed: Counts = field(default_factory=dict)
    doubt_admitted: Counts = field(default_factory=dict)
    left: int = 0

    def gone(self) -> "Share":
        """Return what remains of a process that is no more: its counts."""
        return Share(**{name: getattr(self, name) for name in _COUNTED})


_COUNTED: Final = ("unrecorded", "lookup_errors", "decisions", "by_rule", "shadowed", "doubt_admitted", "left")
_SUMMED: Final = (
    *("participants", "connections", "idle_upstream_connections", "sessions", "ejections_under_way", "still_present"),
    *("unrecorded", "lookup_errors", "left"),
)


def add_up(shares: Iterable[Share]) -> Share:
    """Return what processes are together: a meeting that is in several of them is one meeting."""
    together = tuple(shares)
    return replace(
        Share(**{name: sum(getattr(share, name) for share in together) for name in _SUMMED}),
        meetings=tuple(dict.fromkeys(meeting for share in together for meeting in share.meetings)),
        server_problem=_first(share.server_problem for share in together),
        ledger_problem=_first(share.ledger_problem for share in together),
        decisions=_by_two(share.decisions for share in together),
        by_rule=_by_two(share.by_rule for share in together),
        shadowed=_by_one(share.shadowed for share in together),
        doubt_admitted=_by_one(share.doubt_admitted for share in together),
    )


def _first(problems: Iterable[str | None]) -> str | None:
    return next((problem for problem in problems if problem is not None), None)


def _by_one(several: Iterable[Counts]) -> Counts:
    total = Counter[str]()
    for counts in several:
        total.update(counts)
    return total


def _by_two(several: Iterable[Mapping[str, Counts]]) -> Mapping[str, Counts]:
    total: dict[str, Counter[str]] = {}
    for each in several:
        for name, counts in each.items():
            total.setdefault(name, Counter()).update(counts)
    return total


def part_of(total: int, place: int, places: int) -> int:
    """Return what falls to one of several, counted from 0, when a limit of all of them is divided."""
    return total // places + (place < total % places)
