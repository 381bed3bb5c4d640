"""What a scenario is, and what comes of it."""

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.edges.served import Folder

if TYPE_CHECKING:
    from tests.reliability.stage import Stage


def _nothing(_: Folder) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Scenario:
    """A fault or a hostile input, done so many times to a gate in front of which people talk.

    Attributes:
        name: what is done.
        promise: what clients are promised of it, in a sentence.
        run: does it, so many times, and notes what happened.
        small: how many times in the suite.
        full: how many times for the page.
        gate: lines of [gate].
        upstream: lines of [upstream], and sections after it.
        under: a command under which the gate runs.
        prepare: changes the folder before the gate starts.
        ends: whether the gate has ended when the scenario is over.
        survives: the number of the worker, from 0, at which those who talk are; None where the gate has one process.
        unmet: why it cannot be done on this machine; None where it can.
    """

    name: str
    promise: str
    run: Callable[["Stage", int], Awaitable[None]]
    small: int
    full: int
    gate: str = ""
    upstream: str = ""
    under: tuple[str, ...] = ()
    prepare: Callable[[Folder], None] = _nothing
    ends: bool = False
    survives: int | None = None
    unmet: Callable[[], str | None] = lambda: None


@dataclass(slots=True)
class Result:
    """What came of a scenario.

    Attributes:
        tried: how many times it was done.
        seen: what clients saw, and how often.
        broken: which promises were not kept, and how.
        figures: what was measured besides; nothing depends on it.
        skipped: why it was not done.
    """

    tried: int = 0
    seen: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)
    figures: list[str] = field(default_factory=list)
    skipped: str | None = None

    @property
    def verdict(self) -> str:
        """Say how it ended: held only where something was tried, something was seen and nothing was broken."""
        if self.skipped is not None:
            return f"skipped: {self.skipped}"
        if self.broken:
            return "BROKEN: " + "; ".join(dict.fromkeys(self.broken))
        return "held" if self.tried and self.seen else "BROKEN: nothing was seen"
