"""deploy/native/reach.c: joingate.core.reach.Reach in C, where it has been compiled (`make native`)."""

from collections.abc import Sequence
from typing import final

from joingate.core.territory import Territory

@final
class Reach:
    """The same in less time, of the same arguments; the dicts are not kept."""

    def __init__(
        self,
        by_meeting: dict[str, Territory],
        by_prefix: dict[str, Territory],
        lengths: Sequence[int],
        everywhere: Territory | None,
    ) -> None:
        """Take over what was found; other threads have their turns meanwhile.

        Raises:
            TypeError: it is of other types, subclasses too.
        """

    def may_mean(self, meeting: str, country: str) -> bool | None:
        """Say what Reach.may_mean does."""
