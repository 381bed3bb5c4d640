"""Which countries the rules of a meeting may mean: what most joins need to know of them, and all that they need.

Rules are many and lie scattered in memory; the sets of countries that they are about are few, shared, and stay in the
processor's cache. Whoever is located outside of them is admitted whatever the rules say, and the rules are not looked
at.
"""

from collections.abc import Sequence

from joingate.core.territory import Territory

__all__ = ["Reach", "ReachInUse"]


class Reach:
    """The reach of one RuleSet's rules. Says nothing about anybody who is not located."""

    __slots__ = ("_by_meeting", "_by_prefix", "_everywhere", "_lengths")

    def __init__(
        self,
        by_meeting: dict[str, Territory],
        by_prefix: dict[str, Territory],
        lengths: Sequence[int],
        everywhere: Territory | None,
    ) -> None:
        """Hold what was found.

        Args:
            by_meeting: for meetings named by rules, by their folded ids: the countries, ISO 3166-1, outside of which
                no such rule means anybody, at whatever time.
            by_prefix: likewise for the beginnings of ids.
            lengths: of those, in characters, the shortest first.
            everywhere: likewise for all meetings; None where no rule names all.
        """
        self._by_meeting = by_meeting
        self._by_prefix = by_prefix
        self._lengths = lengths
        self._everywhere = everywhere

    def may_mean(self, meeting: str, country: str) -> bool | None:
        """Whether some rule that names `meeting` may mean somebody in `country`, at whatever time.

        Args:
            meeting: its id, already folded.
            country: ISO 3166-1.

        Returns:
            None where no rule names the meeting.
        """
        reach = self._by_meeting.get(meeting)
        is_named = reach is not None
        if reach is not None and country in reach:
            return True
        for length in self._lengths:
            if length > len(meeting):
                break
            if (reach := self._by_prefix.get(meeting[:length])) is not None:
                if country in reach:
                    return True
                is_named = True
        if self._everywhere is not None:
            return country in self._everywhere
        return False if is_named else None

    @property
    def indexes(self) -> tuple[dict[str, Territory], ...]:
        """Return all that this holds, for RuleSet.take_apart."""
        return self._by_meeting, self._by_prefix


try:
    from joingate.core._reach import Reach as ReachInUse
except ImportError:  # it is not compiled
    ReachInUse = Reach  # type: ignore[assignment, misc]
