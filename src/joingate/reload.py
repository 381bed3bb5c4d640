"""Reloads: parse everything off the event loop, then swap once, or keep the last good state and say why.

Rules and databases stand or fall on their own: a typing mistake in an order must not hold up a new database. One reload
runs at a time; what asks for another meanwhile waits its turn. Files are read here, once, for all who judge by them:
first every one of them is made ready, and says whom it would eject; then all take what is ready, or none does.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from joingate.aside import beside, out_of_the_way
from joingate.core.errors import RefusedInputError
from joingate.core.rule_set import RuleSet
from joingate.gate.gate import NO_EFFECT, Effect
from joingate.geodb.atlas import Atlas
from joingate.geodb.load import Fingerprint
from joingate.ledger.journal import Journal
from joingate.loading import Loaded, Part, databases_of, load_atlas_of, load_rules, part_fingerprint, unenforceable
from joingate.replacing import together
from joingate.settings import Settings

_log = logging.getLogger("joingate")


class NotReadyError(Exception):
    """Somebody who judges could not be made ready, so nobody takes anything; the text says who, and what to do."""


class Judging(Protocol):
    """All who judge in this gate: one process (Replacing), or several workers."""

    async def prepare(self, loaded: Mapping[Part, Loaded]) -> None:
        """Have everybody stand ready to take these.

        Raises:
            NotReadyError: somebody is not.
        """

    async def preview(self) -> int:
        """Count whom the rules that are ready would eject, over everybody who judges.

        Raises:
            NotReadyError: somebody does not say.
        """

    async def take(self, part: Part) -> Effect:
        """Have everybody judge by what is ready."""

    async def discard(self) -> None:
        """Have everybody forget what was not taken."""


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
        rules: those in use.
        atlas: the databases in use.
        warnings: what in the rules in use cannot be enforced.
        last: the last reload.
        succeeded: reloads.
        failed: likewise.
    """

    def __init__(
        self,
        settings: Settings,
        judging: Judging,
        in_use: tuple[RuleSet, Atlas],
        journal: Journal,
        seen: Mapping[Part, Fingerprint],
    ) -> None:
        """Begin with all who judge going by `in_use`, loaded from files as `seen` or newer."""
        self.rules, self.atlas = in_use
        self.warnings: tuple[str, ...] = tuple(unenforceable(self.rules, self.atlas))
        self.last: Outcome | None = None
        self.succeeded = 0
        self.failed = 0
        self._settings = settings
        self._judging = judging
        self._journal = journal
        self._one_at_a_time = asyncio.Lock()
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
        return tuple(dict.fromkeys(line for lines in self._refused.values() for line in lines))

    async def _reload(self, trigger: str, confirm: str | None = None, parts: Sequence[Part] = tuple(Part)) -> Outcome:
        async with self._one_at_a_time:
            if trigger == "signal":
                self._by_signal = None
            with out_of_the_way():
                outcome = await self._load(trigger, confirm, parts)
        self.last = outcome
        if outcome.is_ok:
            self.succeeded += 1
            _log.info(
                "reload by %s: revision %s, %d ejected, %d deferred",
                trigger,
                self.rules.revision,
                outcome.effect.ejected,
                outcome.effect.deferred,
            )
        else:
            self.failed += 1
            for line in outcome.lines:
                _log.error("reload by %s: %s", trigger, line)
        return outcome

    async def _load(self, trigger: str, confirm: str | None, parts: Sequence[Part]) -> Outcome:
        load: dict[Part, Callable[[], Loaded]] = {
            Part.GEODB: partial(load_atlas_of, self._settings, self.atlas),
            Part.RULES: partial(load_rules, self._settings, self.rules),
        }
        found = await asyncio.gather(*(beside(partial(_attempt, load[part])) for part in parts))
        loaded: dict[Part, Loaded] = {}
        for part, each in zip(parts, found, strict=True):
            self._refused[part] = each if isinstance(each, tuple) else ()
            if not isinstance(each, tuple) and each is not self.atlas:  # which a reload leaves alone if it can
                loaded[part] = each
        effects: list[Effect] = []
        unconfirmed: RuleSet | None = None
        would_eject = 0
        try:
            await self._judging.prepare(loaded)
            if isinstance(atlas := loaded.pop(Part.GEODB, None), Atlas):
                effects.append(await self._use_atlas(atlas))
            if isinstance(rules := loaded.get(Part.RULES), RuleSet):
                limit = self._settings.rules.max_ejections
                if limit and rules.revision != confirm and (would_eject := await self._judging.preview()) > limit:
                    unconfirmed = rules
                else:
                    effects.append(await self._use_rules(rules))
        except NotReadyError as error:
            self._refused.update(dict.fromkeys(loaded, (str(error),)))
        finally:
            await self._judging.discard()
        problems = tuple(dict.fromkeys(line for part in parts for line in self._refused[part]))
        outcome = Outcome(
            time.time(),
            trigger,
            problems,
            None if unconfirmed is None else unconfirmed.revision,
            would_eject,
            together(effects),
        )
        if unconfirmed is not None:
            self._refused[Part.RULES] = outcome.lines[-1:]
        self.warnings = tuple(await asyncio.to_thread(unenforceable, self.rules, self.atlas))
        for warning in self.warnings:
            _log.warning("%s", warning)
        return outcome

    async def _use_atlas(self, atlas: Atlas) -> Effect:
        self.atlas = atlas
        self._journal.use_databases(databases_of(atlas))  # nothing waits between this and the taking
        return await self._judging.take(Part.GEODB)

    async def _use_rules(self, rules: RuleSet) -> Effect:
        declaration = await self._journal.declare_ahead(rules)
        self.rules = rules
        self._journal.use_rules(rules, declaration)  # nothing waits between this and the taking
        return await self._judging.take(Part.RULES)

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


def _attempt(load: Callable[[], Loaded]) -> Loaded | tuple[str, ...]:
    """Load, or say why not. After a defect, too, the last good state serves on."""
    try:
        return load()
    except RefusedInputError as error:
        return error.problems
    except Exception as error:  # noqa: BLE001 - logged whole, and the gate serves on
        _log.exception("defect: a reload failed")
        return (f"{type(error).__name__}: a defect of joingate; its traceback is in the log",)
