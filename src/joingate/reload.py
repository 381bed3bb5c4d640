"""Reloads: parse everything off the event loop, then swap once, or keep the last good state and say why.

Rules and databases stand or fall on their own: a typing mistake in an order must not hold up a new database. One reload
runs at a time; what asks for another meanwhile waits its turn.
"""

import asyncio
import logging
import time
from dataclasses import dataclass

from joingate.core.errors import RefusedInputError
from joingate.core.rules import RuleSet
from joingate.gate.gate import NO_EFFECT, Effect, Gate
from joingate.geodb.atlas import Atlas
from joingate.loading import (
    atlas_fingerprint,
    load_atlas_of,
    load_rules,
    rules_fingerprint,
    unenforceable,
)
from joingate.settings import Settings

_log = logging.getLogger("joingate")

LONGEST_SLEEP = 30.0
"""Seconds for which the window watcher trusts a computed pause: the wall clock may be set meanwhile."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One reload.

    Attributes:
        at: POSIX seconds.
        trigger: signal, command or watch.
        problems: why something was not taken; the last good of it serves on.
        unconfirmed: revision of a rule set that would eject more than rules.max_ejections.
        would_eject: how many it would.
        effect: what the change did to those inside.
    """

    at: float
    trigger: str
    problems: tuple[str, ...] = ()
    unconfirmed: str | None = None
    would_eject: int = 0
    effect: Effect = NO_EFFECT

    @property
    def is_ok(self) -> bool:
        """Whether everything that was there to be loaded is in use."""
        return not self.problems and self.unconfirmed is None


class Reloader:
    """Owns what is in use, and replaces it."""

    def __init__(self, settings: Settings, gate: Gate, atlas: Atlas) -> None:
        """Begin with a gate that judges by good rules and `atlas`."""
        self.atlas = atlas
        self.warnings: tuple[str, ...] = tuple(unenforceable(gate.rules, atlas))
        self.last: Outcome | None = None
        self.succeeded = 0
        self.failed = 0
        self._settings = settings
        self._gate = gate
        self._one_at_a_time = asyncio.Lock()
        self._rules_changed = asyncio.Event()
        self._by_signal: asyncio.Task[Outcome] | None = None
        for warning in self.warnings:
            _log.warning("%s", warning)

    def reload_by_signal(self) -> None:
        """Reload soon; signals that come while one is still waiting its turn ask for the same thing."""
        if self._by_signal is None:
            self._by_signal = asyncio.get_running_loop().create_task(self._reload("signal"))

    async def reload_by_command(self, confirm: str | None = None) -> Outcome:
        """Reload.

        Args:
            confirm: the revision that may eject more than rules.max_ejections.
        """
        return await self._reload("command", confirm)

    async def _reload(self, trigger: str, confirm: str | None = None) -> Outcome:
        async with self._one_at_a_time:
            if trigger == "signal":
                self._by_signal = None
            outcome = await self._load(trigger, confirm)
        self.last = outcome
        if outcome.is_ok:
            self.succeeded += 1
            _log.info(
                "reload by %s: revision %s, %d ejected, %d deferred",
                trigger,
                self._gate.rules.revision,
                outcome.effect.ejected,
                outcome.effect.deferred,
            )
        else:
            self.failed += 1
            for problem in outcome.problems:
                _log.error("reload by %s: %s", trigger, problem)
            if outcome.unconfirmed is not None:
                _log.error(
                    "reload by %s: revision %s would eject %d; confirm it with: joingate reload --confirm %s",
                    trigger,
                    outcome.unconfirmed,
                    outcome.would_eject,
                    outcome.unconfirmed,
                )
        return outcome

    async def _load(self, trigger: str, confirm: str | None) -> Outcome:
        rules, atlas = await asyncio.gather(
            asyncio.to_thread(load_rules, self._settings),
            asyncio.to_thread(load_atlas_of, self._settings, self.atlas),
            return_exceptions=True,
        )
        problems: list[str] = []
        effects: list[Effect] = []
        unconfirmed, would_eject = None, 0
        for loaded in (rules, atlas):
            if isinstance(loaded, RefusedInputError):
                problems += loaded.problems
            elif isinstance(loaded, BaseException):
                raise loaded
        if isinstance(atlas, Atlas):
            self.atlas = atlas
            effects.append(await self._gate.swap_locate(atlas.locate))
        if isinstance(rules, RuleSet):
            limit = self._settings.rules.max_ejections
            if limit and rules.revision != confirm and (would_eject := self._gate.preview(rules)) > limit:
                unconfirmed = rules.revision
            else:
                effects.append(await self._gate.swap_rules(rules))
                self._rules_changed.set()
        self.warnings = tuple(unenforceable(self._gate.rules, self.atlas))
        for warning in self.warnings:
            _log.warning("%s", warning)
        effect = Effect(
            sum(each.reassessed for each in effects),
            sum(each.ejected for each in effects),
            sum(each.deferred for each in effects),
        )
        return Outcome(time.time(), trigger, tuple(problems), unconfirmed, would_eject, effect)

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
                if boundary is not None and now >= boundary:
                    effect = await gate.reassess_opened(done, now)
                    _log.info("time window: %d ejected, %d deferred", effect.ejected, effect.deferred)
                done = now

    async def watch_files(self) -> None:
        """Reload when the databases, or the rules where that is wanted, have been replaced; until cancelled."""
        pauses = [pause for pause in (self._settings.geodb.watch_seconds, self._settings.rules.watch_seconds) if pause]
        if not pauses:
            return
        seen = await asyncio.to_thread(self._fingerprints)
        while True:
            await asyncio.sleep(min(pauses))
            found = await asyncio.to_thread(self._fingerprints)
            if found != seen:
                seen = found
                await self._reload("watch")

    def _fingerprints(self) -> tuple[object, ...]:
        return (
            atlas_fingerprint(self._settings) if self._settings.geodb.watch_seconds else None,
            rules_fingerprint(self._settings) if self._settings.rules.watch_seconds else None,
        )
