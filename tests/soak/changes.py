"""The seeded schedule: rules, databases and faults, one change at a time, each seen through to its end.

A change is asked for by SIGHUP, now and then by `joingate reload`. While it is under way both sides of it are right;
when the gate says that it is over, the status must name what was put in force: the revision of the rules as the soak
means them, and the database that was put there.
"""

import asyncio
import random
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from tests.edges.served import Served
from tests.soak.account import Row
from tests.soak.answers import World
from tests.soak.oracle import Timeline
from tests.soak.places import Places
from tests.soak.rulebook import CHANGES, Rulebook, mistaken

PAUSE = (0.5, 3.0)  # seconds between two changes
STORM, STORM_PAUSE = 20, 0.02
OUTAGE = (0.5, 1.5)  # seconds
FAULT_SECONDS, FAULT_SHARE, CALM_SHARE = 5.0, 0.25, 0.01
BY_COMMAND = 0.08
"""The share of reloads that are asked for by command; each starts a Python."""

RULES_FILE = "rules.toml"


class Schedule:
    """Draws changes and carries them out, until the load is to end."""

    def __init__(self, seed: int, world: World, gate: Served, book: Rulebook, places: tuple[Places, Places]) -> None:
        self._drawn = random.Random(f"schedule {seed}")
        self._world = world
        self._timeline: Timeline = world.timeline
        self._gate = gate
        self._book = book
        self._places = places
        self._steps: dict[Callable[[], Awaitable[None]], int] = {
            self._change_rules: 12,
            self._mistake: 2,
            self._swap_database: 2,
            self._damage_database: 1,
            self._mistake_and_swap: 1,
            self._storm: 1,
            self._faults: 2,
            self._outage: 1,
        }

    async def run(self) -> None:
        """Carry out one change after the other."""
        steps, weights = tuple(self._steps), tuple(self._steps.values())
        self._world.fault_share = CALM_SHARE
        while not self._world.is_over:
            await asyncio.sleep(self._drawn.uniform(*PAUSE))
            if not self._world.is_over:
                (step,) = self._drawn.choices(steps, weights)
                await step()

    # Rules

    async def _change_rules(self) -> None:
        kind = self._drawn.choice(tuple(CHANGES))
        if not CHANGES[kind](self._book, self._world.now()):
            return
        self._world.account.note_tried(Row.RULES, kind=kind)
        if CHANGES[kind] is Rulebook.window_comes:
            self._world.account.note_tried(Row.WINDOWS)
        self._timeline.changes(self._world.now(), rules=self._book.rule_set())
        self._write(self._book.text())
        await self._reload(Row.RULES)

    async def _mistake(self) -> None:
        self._world.account.note_tried(Row.MISTAKEN)
        self._write(mistaken(self._book.text(), self._drawn))
        await self._reload(Row.MISTAKEN, refused=RULES_FILE)
        self._write(self._book.text())

    def _write(self, text: str) -> None:
        self._gate.folder.write(RULES_FILE, text)

    # Databases

    async def _swap_database(self) -> None:
        self._world.account.note_tried(Row.DATABASES)
        self._put_other_database()
        await self._reload(Row.DATABASES)

    async def _damage_database(self) -> None:
        self._world.account.note_tried(Row.DAMAGED)
        good = self._timeline.latest.places.path
        data = await asyncio.to_thread(good.read_bytes)
        self._gate.folder.database.write_bytes(self._drawn.choice((b"", data[: len(data) // 2], b"\xff" * len(data))))
        await self._reload(Row.DAMAGED, refused=self._gate.folder.database.name)
        self._replace_database(good)

    async def _mistake_and_swap(self) -> None:
        """Rules and databases stand or fall apart."""
        self._world.account.note_tried(Row.MISTAKEN)
        self._world.account.note_tried(Row.DATABASES)
        self._write(mistaken(self._book.text(), self._drawn))
        self._put_other_database()
        await self._reload(Row.DATABASES, refused=RULES_FILE)
        self._write(self._book.text())

    def _put_other_database(self) -> None:
        first, second = self._places
        other = second if self._timeline.latest.places is first else first
        self._timeline.changes(self._world.now(), places=other)
        self._replace_database(other.path)

    def _replace_database(self, path: Path) -> None:
        beside = self._gate.folder.database.with_name(".geo.mmdb")
        shutil.copy(path, beside)
        beside.replace(self._gate.folder.database)

    # Reloads

    async def _reload(self, row: Row, *, refused: str = "") -> None:
        """Ask for a reload, wait until it is over, and hold the status against what must be in use.

        Args:
            row: what the reload is for.
            refused: the one file that must be refused, with its problems.
        """
        if self._drawn.random() < BY_COMMAND:
            done = await asyncio.to_thread(self._gate.run, "reload")
            if done.returncode != (1 if refused else 0):
                why = f"`joingate reload` ended with status {done.returncode}: {done.stderr}"
                self._world.account.note_lost(row, why)
            status = await self._status()
        else:
            async with self._world.asking:
                status = await self._gate.reloaded()
        self._timeline.settled(self._world.now())
        for why in self._wrong(status, refused):
            self._world.account.note_lost(row, why)

    def _wrong(self, status: dict[str, Any], refused: str = "") -> list[str]:
        latest, last = self._timeline.latest, status["reloads"]["last"]
        (database,) = status["geodb"]["databases"]
        found = []
        if status["rules"]["revision"] != latest.rules.revision:
            found.append(f"revision {status['rules']['revision']} is in force, not {latest.rules.revision}")
        if database["type"] != latest.places.kind:
            found.append(f"the database is a {database['type']}, not a {latest.places.kind}")
        problems = last["problems"]
        if last["ok"] is bool(refused) or bool(problems) is not bool(refused):
            found.append(f"{refused or 'nothing'} was to be refused; problems: {problems}")
        found += [f"{refused} was to be refused; {each}" for each in problems if f"/{refused}: " not in each]
        if (status["state"] == "degraded") is not bool(refused):
            found.append(f"{refused or 'nothing'} was to be refused, and the state is {status['state']}")
        return found

    async def _status(self) -> dict[str, Any]:
        async with self._world.asking:
            return await self._gate.status()

    async def _storm(self) -> None:
        """Send many SIGHUPs for nothing new, and wait until the last has had its reload."""
        self._world.account.note_tried(Row.STORMS)
        before = await self._reloads()
        for _ in range(STORM):
            self._gate.sighup()
            await asyncio.sleep(STORM_PAUSE)
        await asyncio.to_thread(self._gate.run, "reload")  # which waits for its turn behind those that came of them
        if await self._reloads() < before + 2:
            self._world.account.note_lost(Row.STORMS, "no reload came of it")
        for why in self._wrong(await self._status()):
            self._world.account.note_lost(Row.STORMS, why)

    async def _reloads(self) -> int:
        reloads = (await self._status())["reloads"]
        return int(reloads["succeeded"] + reloads["failed"])

    # The meeting server

    async def _faults(self) -> None:
        """For a while, many requests ask for an answer that goes wrong."""
        self._world.fault_share = FAULT_SHARE
        await asyncio.sleep(FAULT_SECONDS)
        self._world.fault_share = CALM_SHARE

    async def _outage(self) -> None:
        """For a moment, the meeting server takes no new connections."""
        self._world.account.note_tried(Row.OUTAGES)
        seconds = self._drawn.uniform(*OUTAGE)
        self._world.outages.append((self._world.now(), float("inf")))
        await self._world.server.accept_nobody(seconds)
        self._world.outages[-1] = self._world.outages[-1][0], self._world.now()
