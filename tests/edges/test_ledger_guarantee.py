"""G8 as a property: whatever happens at a gate, its ledger verifies from the files alone, and says what was done.

The gate, its journal and the ledger are the real ones; connections are notes on paper, and the clock is the test's.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from joingate.codecs.join_request import JoinMatcher
from joingate.codecs.receipt import commitment
from joingate.core.model import UNKNOWN, Address, Cause, Join, Location, Verdict
from joingate.core.record import Database, Ending, Outcome, Restriction, Window
from joingate.core.roster import Participant, State
from joingate.core.rule_set import RuleSet
from joingate.core.rules import Order, Rule
from joingate.gate.gate import Gate
from joingate.gate.options import GateOptions
from joingate.ledger import journal as journal_module
from joingate.ledger.history import History, LedgerUnavailableError
from joingate.ledger.journal import Journal
from joingate.ledger.verify import Verification, verify_ledger
from tests import strategies as some
from tests.edges.gate_fixture import ROUTE
from tests.edges.ledger_reading import records
from tests.paper_gate import Line

BASE = 1_600_000_000.0 // 3600 * 3600
HALF_HOUR = 1800.0

leaves = st.builds(lambda number: ("leave", number), st.integers(0, 20))
joins = st.tuples(st.just("join"), some.joins(), st.just(Location("CN")) | some.locations)
reloads = st.tuples(st.just("reload"), some.rule_lists())
waits = st.tuples(st.just("wait"), st.integers(1, 4))
others = st.sampled_from([("fail",), ("mend",), ("restart",), ("swap",)])
steps = st.one_of(joins, joins, joins, joins, reloads, leaves, waits, others)
histories = st.builds(
    lambda first, more: [first, *more],
    st.tuples(st.just("reload"), some.rule_lists(max_orders=4).filter(len)),
    st.lists(steps, min_size=10, max_size=40),
)


def at_half_hours(rule: Rule) -> Rule:
    """Windows of the strategies last some seconds; here those are half hours, which records can nearly tell."""
    if isinstance(rule, Order):
        return replace(rule, opens=BASE + rule.opens * HALF_HOUR, closes=BASE + rule.closes * HALF_HOUR)
    return rule


@dataclass
class Scene:
    """One gate with its ledger, through restarts.

    Attributes:
        done: rejections and ejections, as participants have met them.
        receipts: those that were handed out.
    """

    folder: Path
    done: int = 0
    receipts: list[str] = field(default_factory=list)
    now: float = BASE
    is_failing: bool = False
    epoch: int = int(BASE) - 86_400
    rules: RuleSet = field(default_factory=RuleSet)

    def __post_init__(self) -> None:
        self.places: dict[IPv4Address, Location] = {}
        self.people: list[Participant] = []

    def start(self) -> None:
        self.journal = Journal(self.folder, lambda: self.now)
        self.journal.open()
        self._swap()
        self.journal.use_rules(self.rules, self.journal.declare(self.rules))
        matcher = JoinMatcher([ROUTE], fold=str)
        options = GateOptions(ends_without_host=True)
        self.gate = Gate(options, matcher, self.rules, self.locate, self.journal, now=lambda: self.now)

    def _swap(self) -> None:
        self.journal.use_databases(Database((self.epoch,), ("Test",), (f"{self.epoch:016x}",), 0, 60))

    def locate(self, address: Address | None, _: float) -> Location:
        return (
            self.places.get(address, UNKNOWN[Cause.NOT_FOUND])
            if isinstance(address, IPv4Address)
            else UNKNOWN[Cause.NOT_FOUND]
        )

    async def stop(self) -> None:
        for one in self.people:
            self.gone(one)
        self.people.clear()
        self.is_failing = False
        await self.keep(self.journal)

    async def keep(self, journal: Journal) -> None:
        """Let the journal end as it does when the gate is told to."""

        async def nothing() -> None:
            """Nobody is inside any more."""

        if journal.problem is not None:
            await journal._retry(nothing)
        journal.stop()
        await journal.keep(nothing)

    def gone(self, one: Participant) -> None:
        if one.state is not State.GONE:
            self.gate.leave(one)

    async def step(self, what: str, *given: Any) -> None:
        await getattr(self, f"on_{what}")(*given)
        await asyncio.sleep(0)
        self.journal._write_counted(hourly=self.journal._hour_number() != self.journal._beat_hour)
        for one in self.people:  # an ejected participant's connection ends
            if one.state is State.EJECTING:
                self.gate.leave(one)

    async def on_join(self, join: Join, where: Location) -> None:
        address = IPv4Address(0x0B000000 + len(self.places))
        self.places[address] = where
        one, decision, receipt = self.gate.judge(join, address, Carrier(self))
        assert (receipt is None) is (decision.verdict is Verdict.ADMIT)
        if receipt is not None:
            self.done += 1
            self.receipts.append(receipt.code)
        self.people.append(one)

    async def on_leave(self, number: int) -> None:
        if self.people:
            self.gone(self.people[number % len(self.people)])

    async def on_reload(self, rules: list[Rule]) -> None:
        self.rules = RuleSet(map(at_half_hours, rules))
        self.journal.use_rules(self.rules, self.journal.declare(self.rules))
        await self.gate.swap_rules(self.rules)

    async def on_wait(self, half_hours: int) -> None:
        before, self.now = self.now, self.now + half_hours * HALF_HOUR
        await self.gate.reassess_opened(before, self.now)

    async def on_fail(self) -> None:
        self.is_failing = True

    async def on_mend(self) -> None:
        self.is_failing = False
        if self.journal.problem is not None:
            await self.journal._retry(self.gate.reassess_all)

    async def on_swap(self) -> None:
        self.epoch += 3600
        self._swap()

    async def on_restart(self) -> None:
        await self.stop()
        self.start()


class Carrier(Line):
    """A connection on paper that notes what it was told."""

    def __init__(self, scene: Scene) -> None:
        super().__init__()
        self.scene = scene

    def eject(self, participant: Participant, decision: Any, receipt: Any) -> None:
        super().eject(participant, decision, receipt)
        self.scene.done += 1
        self.scene.receipts.append(receipt.code)


@contextlib.contextmanager
def failing(scene: Scene) -> Iterator[None]:
    append = History.append

    def perhaps(history: History, *given: Any) -> int:
        if scene.is_failing:
            raise LedgerUnavailableError("no space")
        return append(history, *given)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(History, "append", perhaps)
        patch.setattr(journal_module, "SYNC_SECONDS", 0.001)
        yield


async def play(scene: Scene, steps: list[tuple[Any, ...]]) -> Verification:
    with failing(scene):
        scene.start()
        for step in steps:
            await scene.step(*step)
        await scene.stop()
    return verify_ledger(scene.folder)


def check(steps: list[tuple[Any, ...]], also: Callable[[Scene], None] = lambda _: None) -> None:
    with TemporaryDirectory() as folder:
        scene = Scene(Path(folder) / "ledger")
        found = asyncio.run(play(scene, steps))
        assert [(each.name, each.violations) for each in found.findings if not each.holds] == []
        assert found.signed == found.records
        written = records(scene.folder)
        restrictions = [record for record in written if isinstance(record, Restriction)]
        assert len(restrictions) == scene.done
        assert [record.receipt for record in restrictions] == [commitment(code) for code in scene.receipts]
        event(f"{min(len(restrictions), 3)} restrictions or more")
        confirmed = [
            seq
            for record in written
            if isinstance(record, Outcome) and record.ending is Ending.CONFIRMED
            for seq in record.restrictions
        ]
        assert len(confirmed) == len(set(confirmed)) == sum(each.action == "eject" for each in restrictions)
        unrecorded = sum(record.unrecorded for record in written if isinstance(record, Window))
        event("some were not recorded" if unrecorded else "all were recorded")
        also(scene)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(histories)
def test_g8_accountable(steps: list[tuple[Any, ...]]) -> None:
    check(steps)
