"""What one process judges by, and how it is replaced: made ready first, then taken, each part whole and at once.

A gate of one process does this to itself; of several, the supervisor has every worker do it (joingate.working).
"""

import asyncio
import logging
from collections.abc import Iterable, Mapping
from typing import Final

from joingate.core.rule_set import RuleSet
from joingate.gate.gate import Effect, Gate
from joingate.geodb.atlas import Atlas
from joingate.ledger.journal import Journal
from joingate.loading import Loaded, Part, databases_of

_log = logging.getLogger("joingate")

LONGEST_SLEEP: Final = 30.0
"""Seconds for which the window watcher trusts a computed pause: the wall clock may be set meanwhile."""


class Replacing:
    """The rules and databases that a gate judges by, and those that are ready to take their place.

    Attributes:
        atlas: the databases in use; the rules are the gate's.
    """

    def __init__(self, gate: Gate, atlas: Atlas, follower: Journal | None = None) -> None:
        """Begin with a gate that judges by good rules and `atlas`.

        Args:
            gate: the gate.
            atlas: what it locates by.
            follower: the journal of a worker, which goes by what its supervisor has declared. Where the process
                that loads also judges, its journal knows.
        """
        self.atlas = atlas
        self._gate = gate
        self._journal = follower
        self._ready: dict[Part, Loaded] = {}
        self._replaced: list[RuleSet] = []
        self._rules_changed = asyncio.Event()
        if follower is not None:
            follower.overtaken = self.overtaken

    async def prepare(self, loaded: Mapping[Part, Loaded]) -> None:
        """Stand ready to take these; nothing changes yet."""
        self._ready = dict(loaded)

    async def preview(self) -> int:
        """Count whom the rules that are ready would eject."""
        rules = self._ready.get(Part.RULES)
        return await self._gate.preview(rules) if isinstance(rules, RuleSet) else 0

    async def take(self, part: Part) -> Effect:
        """Judge by what is ready, and judge again whoever it touches."""
        self._use(part)  # nothing waits before this: where this process declares, it does so just before
        effect = await self._gate.reassess_touched()
        while self._replaced:
            await asyncio.to_thread(self._replaced.pop().take_apart)
        return effect

    async def discard(self) -> None:
        """Forget what is ready and was not taken."""
        self._ready = {}

    def overtaken(self, revision: str, epochs: tuple[int, ...]) -> bool:
        """Take at once what the supervisor has declared, before its word comes; whether there was anything to take.

        Between that declaration and the word, a join may still be judged by what was in use before. Its record would
        rest on what is in use no more, so the ledger does not take it; it is judged again, by what is ready.
        """
        ready = {
            part
            for part, loaded in self._ready.items()
            if (loaded.revision == revision if isinstance(loaded, RuleSet) else loaded.build_epochs == epochs)
        }
        for part in ready:
            self._use(part)
        return bool(ready)

    def _use(self, part: Part) -> None:
        loaded = self._ready.pop(part, None)
        if isinstance(loaded, Atlas):
            self.atlas = loaded
            if self._journal is not None:
                self._journal.follow_databases(databases_of(loaded))
            self._gate.use_locate(loaded.locate)
        elif loaded is not None:
            if self._journal is not None:
                self._journal.follow_rules(loaded)
            self._replaced.append(self._gate.rules)
            self._gate.use_rules(loaded)
            self._rules_changed.set()

    async def watch_windows(self) -> None:
        """Open and close time windows, until cancelled."""
        gate = self._gate
        done = gate.now()
        while True:
            self._rules_changed.clear()
            boundary = gate.rules.next_boundary(done)
            pause = LONGEST_SLEEP if boundary is None else min(max(boundary - gate.now(), 0.0), LONGEST_SLEEP)
            try:
                async with asyncio.timeout(pause):
                    await self._rules_changed.wait()
            except TimeoutError:
                now = gate.now()
                # A clock that was set back has closed windows again, and they will have to be opened once more.
                if now < done or (boundary is not None and now >= boundary):
                    effect = await gate.reassess_opened(min(done, now), max(done, now))
                    _log.info("time window: %d ejected, %d deferred", effect.ejected, effect.deferred)
                done = now


def together(effects: Iterable[Effect]) -> Effect:
    """Add up what changes did."""
    every = tuple(effects)
    return Effect(
        sum(each.reassessed for each in every),
        sum(each.ejected for each in every),
        sum(each.deferred for each in every),
    )
