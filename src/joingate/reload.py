"""Reloads: parse everything off the event loop, then swap once, or keep the last good state and say why.

Rules and databases stand or fall on their own: a typing mistake in an order must not hold up a new database. One reload
runs at a time; what asks for another meanwhile waits its turn.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from joingate.core.errors import RefusedInputError
from joingate.core.rules import RuleSet
from joingate.gate.gate import NO_EFFECT, Effect, Gate
from joingate.geodb.atlas import Atlas
from joingate.geodb.load import Fingerprint
from joingate.ledger.journal import Journal
from joingate.loading import Part, databases_of, load_atlas_of, load_rules, part_fingerprint, unenforceable
from joingate.settings import Settings

_log = logging.getLogger("joingate")

LONGEST_SLEEP: Final = 30.0
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
        return not self.lines

    @property
    def lines(self) -> tuple[str, ...]:
        """What was not taken, and what to do about it."""
        if self.unconfirmed is None:
            return self.problems
        refusal = f"revision {self.unconfirmed} would eject {self.would_eject}"
        return (*self.problems, f"{refusal}; confirm it with: joingate reload --confirm {self.unconfirmed}")


class Reloader:
    """Owns what is in use, and replaces it.

    Attributes:
        atlas: the databases in use.
        warnings: what in the rules in use cannot be enforced.
        last: the last reload.
        succeeded: reloads.
        failed: likewise.
    """

    def __init__(
        self, settings: Settings, gate: Gate, atlas: Atlas, journal: Journal, seen: Mapping[Part, Fingerprint]
    ) -> None:
        """Begin with a gate that judges by good rules and `atlas`, loaded from files as `seen` or newer."""
        self.atlas = atlas
        self.warnings: tuple[str, ...] = tuple(unenforceable(gate.rules, atlas))
        self.last: Outcome | None = None
        self.succeeded = 0
        self.failed = 0
        self._settings = settings
        self._gate = gate
        self._journal = journal
        self._one_at_a_time = asyncio.Lock()
        self._rules_changed = asyncio.Event()
        self._seen = dict(seen)
        self._refused: dict[Part, tuple[str, ...]] = dict.fromkeys(Part, ())
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

    @property
    def problems(self) -> tuple[str, ...]:
        """Why something older than what is on disk is in use, whichever reload found it."""
        return tuple(line for lines in self._refused.values() for line in lines)

    async def _reload(self, trigger: str, confirm: str | None = None, parts: Sequence[Part] = tuple(Part)) -> Outcome:
        async with self._one_at_a_time:
            if trigger == "signal":
                self._by_signal = None
            outcome = await self._load(trigger, confirm, parts)
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
            for line in outcome.lines:
                _log.error("reload by %s: %s", trigger, line)
        return outcome

    async def _load(self, trigger: str, confirm: str | None, parts: Sequence[Part]) -> Outcome:
        load: dict[Part, Callable[[], RuleSet | Atlas]] = {
            Part.GEODB: partial(load_atlas_of, self._settings, self.atlas),
            Part.RULES: partial(load_rules, self._settings),
        }
        loaded = await asyncio.gather(*(asyncio.to_thread(_attempt, load[part]) for part in parts))
        problems: tuple[str, ...] = ()
        effects: list[Effect] = []
        unconfirmed, would_eject = None, 0
        for part, found in zip(parts, loaded, strict=True):
            self._refused[part] = ()
            if isinstance(found, Atlas):
                self.atlas = found
                self._journal.use_databases(databases_of(found))
                effects.append(await self._gate.swap_locate(found.locate))
            elif isinstance(found, RuleSet):
                limit = self._settings.rules.max_ejections
                if limit and found.revision != confirm and (would_eject := self._gate.preview(found)) > limit:
                    unconfirmed = found.revision
                else:
                    declaration = await asyncio.to_thread(self._journal.declare, found)
                    self._journal.use_rules(found, declaration)  # nothing waits between this and the swap
                    effects.append(await self._gate.swap_rules(found))
                    self._rules_changed.set()
            else:
                self._refused[part] = found
                problems += found
        self.warnings = tuple(unenforceable(self._gate.rules, self.atlas))
        for warning in self.warnings:
            _log.warning("%s", warning)
        effect = Effect(
            sum(each.reassessed for each in effects),
            sum(each.ejected for each in effects),
            sum(each.deferred for each in effects),
        )
        outcome = Outcome(time.time(), trigger, problems, unconfirmed, would_eject, effect)
        if unconfirmed is not None:
            self._refused[Part.RULES] = outcome.lines[-1:]
        return outcome

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

    async def watch_files(self, part: Part) -> None:
        """Reload one part when its files have been replaced, where that is wanted; until cancelled."""
        settings = self._settings
        pause = settings.geodb.watch_seconds if part is Part.GEODB else settings.rules.watch_seconds
        while pause:
            await asyncio.sleep(pause)
            found = await asyncio.to_thread(part_fingerprint, settings, part)
            if found != self._seen[part]:
                self._seen[part] = found
                await self._reload("watch", parts=(part,))


def _attempt(load: Callable[[], RuleSet | Atlas]) -> RuleSet | Atlas | tuple[str, ...]:
    """Load, or say why not. After a defect, too, the last good state serves on."""
    try:
        return load()
    except RefusedInputError as error:
        return error.problems
    except Exception as error:  # noqa: BLE001 - logged whole, and the gate serves on
        _log.exception("defect: a reload failed")
        return (f"{type(error).__name__}: a defect of joingate; its traceback is in the log",)
