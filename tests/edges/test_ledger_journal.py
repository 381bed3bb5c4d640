"""The journal between a gate and its ledger, by a clock that the test holds."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from joingate.codecs.meeting_commitment import meeting_commitment, salt_of
from joingate.codecs.receipt import check_promise, commitment
from joingate.core.decision import Decision, without_record
from joingate.core.errors import RefusedInputError
from joingate.core.model import UNKNOWN, Cause, Location, Reason, Verdict
from joingate.core.record import (
    Database,
    Deferral,
    Ending,
    Expiry,
    Genesis,
    Heartbeat,
    Lift,
    OrderAccepted,
    Outcome,
    PolicyAccepted,
    Record,
    Restriction,
    Rules,
    Told,
    Window,
)
from joingate.core.recording import Restricting
from joingate.core.rule_set import RuleSet
from joingate.core.rules import Action, HostPolicy, Rule
from joingate.ledger import journal as the_module
from joingate.ledger.history import History, LedgerUnavailableError
from joingate.ledger.journal import Journal
from joingate.ledger.verify import verify_ledger
from tests.core.made import order
from tests.edges.ledger_reading import entries, records

CN = Location("CN")
DATABASE = Database((1_700_000_000,), ("Test",), ("0" * 16,), 0, 60)
ORDER = order()
POLICY = HostPolicy("p", ("m",), Action.REJECT, deny=frozenset({"CN"}))
REJECT = Decision(Verdict.REJECT, Reason.ORDER, ORDER)
EJECT = Decision(Verdict.EJECT, Reason.ORDER, ORDER)
DOUBT = Decision(Verdict.ADMIT, Reason.DOUBT, doubted=ORDER)


class Clock:
    """POSIX seconds."""

    def __init__(self) -> None:
        self.now = 50.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(the_module, "SYNC_SECONDS", 0.01)
    monkeypatch.setattr(the_module, "RETRY_SECONDS", 0.01)


def opened(folder: Path, clock: Clock, *rules: Rule) -> Journal:
    journal = Journal(folder, clock)
    journal.open()
    journal.use_databases(DATABASE)
    use(journal, *rules)
    return journal


def use(journal: Journal, *rules: Rule) -> None:
    made = RuleSet(rules)
    journal.use_rules(made, journal.declare(made))


def kinds(folder: Path) -> list[type[Record]]:
    return [type(record) for record in records(folder)]


def reject(journal: Journal, decision: Decision = REJECT, location: Location = CN) -> str | None:
    found = journal.record([Restricting(decision, location, "m", Told.HTTP)], journal._now())
    return None if found is None else found[0].receipt.code


async def kept(journal: Journal, until: object = None) -> list[str]:
    """Keep the journal until `until` holds, then stop it; returns what was called on recovery."""
    recovered: list[str] = []

    async def note() -> None:
        recovered.append("recovered")

    task = asyncio.get_running_loop().create_task(journal.keep(note))
    async with asyncio.timeout(60):
        while callable(until) and not until():  # noqa: ASYNC110 - the journal's own pace
            await asyncio.sleep(0.005)
        journal.stop()
        await task
    return recovered


async def test_thousands_of_new_orders_are_accepted_between_everybody_s_joins(tmp_path: Path, clock: Clock) -> None:
    journal = opened(tmp_path, clock, ORDER)
    many = RuleSet([ORDER, *(order(f"n{number}", meetings=(f"n{number}",)) for number in range(300))])
    declaring = asyncio.create_task(journal.declare_ahead(many))
    codes = []
    while not declaring.done():
        codes.append(reject(journal))
        await asyncio.sleep(0.001)
    left = await declaring
    assert 0 < len(left.new) < 100
    assert reject(journal) is not None  # still by the rules in use
    journal.use_rules(many, left)
    found = [record for record in records(tmp_path) if isinstance(record, OrderAccepted | Restriction | Rules)]
    accepted = [type(record) for record in found].index(Rules, 3)
    assert sum(isinstance(record, OrderAccepted) for record in found[:accepted]) == 301
    assert sum(isinstance(record, Restriction) for record in found[:accepted]) == len(codes) + 1
    assert found[accepted:] == [Rules(many.revision, 301, 0)]
    again = journal.declare(many)
    assert (again.new, len(again.records)) == ((), 1)
    await kept(journal)
    assert [each.name for each in verify_ledger(tmp_path).findings if not each.holds] == ["orders"]  # 1970


async def test_what_cannot_be_accepted_ahead_is_declared_when_it_can(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = opened(tmp_path, clock, ORDER)
    many = RuleSet(order(f"n{number}", meetings=(f"n{number}",)) for number in range(200))
    whole, appended = History.append, []

    def append(self: History, batch: list[Record], *more: object) -> int:
        appended.append(len(batch))
        if len(appended) == 2:
            raise LedgerUnavailableError("no room")
        return whole(self, batch, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(History, "append", append)
    left = await journal.declare_ahead(many)
    assert len(left.new) == 200 - appended[0]
    journal.use_rules(many, left)
    assert reject(journal) is None
    await kept(journal, lambda: journal.problem is None)
    ids = [record.rule for record in records(tmp_path) if isinstance(record, OrderAccepted)]
    assert sorted(ids) == sorted(["o", *(rule.id for rule in many.rules)])
    assert [each.name for each in verify_ledger(tmp_path).findings if not each.holds] == ["orders"]  # 1970


def test_what_is_in_use_is_declared_before_anything_is_restricted(tmp_path: Path, clock: Clock) -> None:
    journal = opened(tmp_path, clock, ORDER, POLICY)
    reject(journal)
    assert kinds(tmp_path) == [Genesis, Database, OrderAccepted, PolicyAccepted, Rules, Restriction]


def test_a_restriction_says_what_it_rests_on_and_nothing_of_the_person(tmp_path: Path, clock: Clock) -> None:
    journal = opened(tmp_path, clock, ORDER, POLICY)
    code = reject(journal)
    assert code is not None
    reject(journal, Decision(Verdict.REJECT, Reason.HOST_POLICY, POLICY), UNKNOWN[Cause.STALE])
    by_order, by_host = records(tmp_path)[-2:]
    assert isinstance(by_order, Restriction)
    assert isinstance(by_host, Restriction)
    assert (by_order.action, by_order.basis, by_order.rule, by_order.located_as) == ("reject", "order", "o", "CN")
    assert (by_order.epochs, by_order.revision) == (DATABASE.epochs, RuleSet([ORDER, POLICY]).revision)
    assert (by_order.sources, by_order.told, by_order.receipt) == (1, "http", commitment(code))
    assert (by_host.basis, by_host.located_as, by_host.sources) == ("host_policy", "unknown", 0)
    key = (tmp_path / "secret").joinpath("commitment_key")
    assert key.exists()
    history = journal._history
    assert history is not None
    assert by_order.meeting == meeting_commitment(salt_of(history.commitment_key, "o", "m"), "m") != by_host.meeting


def test_every_receipt_is_another_and_is_promised(tmp_path: Path, clock: Clock) -> None:
    journal = opened(tmp_path, clock, ORDER)
    found = journal.record([Restricting(EJECT, CN, "m", Told.CLOSE)] * 150, clock.now)
    assert found is not None
    assert len({each.receipt.code for each in found}) == 150
    assert [each.seq for each in found] == list(range(4, 154))
    history = journal._history
    assert history is not None
    for each in found:
        assert check_promise(each.receipt.code, each.receipt.promise, history.verifier_key) == "1970-01-02T00Z"
    clock.now += 3600
    (later,) = journal.record([Restricting(REJECT, CN, "m", Told.HTTP)], clock.now) or ()
    assert check_promise(later.receipt.code, later.receipt.promise, history.verifier_key) == "1970-01-02T01Z"


def test_a_deferral_is_recorded_as_one(tmp_path: Path, clock: Clock) -> None:
    journal = opened(tmp_path, clock, ORDER)
    assert reject(journal, Decision(Verdict.DEFER, Reason.HOST_CONTINUITY, ORDER)) is not None
    assert isinstance(records(tmp_path)[-1], Deferral)


def test_the_same_again_is_not_declared_again(tmp_path: Path, clock: Clock) -> None:
    journal = opened(tmp_path, clock, ORDER)
    before = len(records(tmp_path))
    use(journal, ORDER)
    journal.use_databases(DATABASE)
    assert len(records(tmp_path)) == before
    use(journal)
    assert kinds(tmp_path)[before:] == [Lift, Rules]


def test_rules_that_are_used_again_may_be_let_go_of_the_first_time(tmp_path: Path, clock: Clock) -> None:
    """A reload of rules that have not changed brings another set that says the same; the first is taken apart."""
    journal, first = opened(tmp_path, clock, ORDER), RuleSet([ORDER])
    for rules in (first, RuleSet([ORDER])):
        journal.use_rules(rules, journal.declare(rules))
    first.take_apart()
    other = opened(tmp_path, clock, ORDER, POLICY)
    assert reject(other) is not None
    assert reject(journal) is not None, "another gate came between, and what this one goes by is said again"
    assert [each for each in kinds(tmp_path) if each in (OrderAccepted, Lift)] == [OrderAccepted, Lift], "of the policy"


async def test_after_a_restart_only_what_is_new_is_declared(tmp_path: Path, clock: Clock) -> None:
    await kept(opened(tmp_path, clock, ORDER))
    before = len(records(tmp_path))
    opened(tmp_path, clock, ORDER, POLICY)
    assert kinds(tmp_path)[before:] == [Database, PolicyAccepted, Rules]


async def test_an_order_that_ends_is_said_to_have_ended_once(tmp_path: Path, clock: Clock) -> None:
    journal = opened(tmp_path, clock, ORDER)
    before = len(records(tmp_path))
    clock.now = 100.0
    await kept(journal, lambda: len(records(tmp_path)) > before)
    assert kinds(tmp_path).count(Expiry) == 1
    again = opened(tmp_path, clock, ORDER)
    await kept(again)
    use(opened(tmp_path, clock))
    assert kinds(tmp_path).count(Expiry) == 1
    assert Lift not in kinds(tmp_path)
    renewed = order(closes=200.0)
    await kept(opened(tmp_path, clock, renewed))
    clock.now = 200.0
    assert reject(opened(tmp_path, clock, renewed)) is not None
    assert kinds(tmp_path)[-2:] == [Expiry, Restriction]


def test_an_order_that_is_over_restricts_nobody_in_the_record_before_its_end_is_told(
    tmp_path: Path, clock: Clock
) -> None:
    journal = opened(tmp_path, clock, ORDER, order("other", closes=300.0))
    clock.now = 150.0
    reject(journal, Decision(Verdict.REJECT, Reason.ORDER, order("other", closes=300.0)))
    assert kinds(tmp_path)[-2:] == [Expiry, Restriction]


def test_what_is_decided_before_an_order_ends_is_recorded_so_however_late_it_gets(tmp_path: Path, clock: Clock) -> None:
    journal = opened(tmp_path, clock, ORDER)
    clock.now = 7200.0
    assert journal.record([Restricting(REJECT, CN, "m", Told.HTTP)], 99.9) is not None
    entry = entries(tmp_path)[-1]
    assert (type(entry.record), entry.hour) == (Restriction, "1970-01-01T00Z")
    assert Expiry not in kinds(tmp_path)


def test_a_restriction_looks_at_no_more_orders_than_have_ended(tmp_path: Path, clock: Clock) -> None:
    journal = opened(tmp_path, clock, *(order(f"o{number}", closes=200.0 + number) for number in range(50)))
    looked_at: list[float] = []

    class Watched(list[tuple[float, str]]):
        def __reversed__(self) -> Iterator[tuple[float, str]]:
            for closes, rule in super().__reversed__():
                looked_at.append(closes)
                yield closes, rule

    journal._closes = Watched(journal._closes)
    clock.now = 150.0
    assert reject(journal, Decision(Verdict.REJECT, Reason.ORDER, order("o7", closes=207.0))) is not None
    assert looked_at == [200.0]


async def test_what_became_of_ejections_and_what_was_counted_are_written(tmp_path: Path, clock: Clock) -> None:
    journal = opened(tmp_path, clock, ORDER)
    found = journal.record([Restricting(EJECT, CN, "m", Told.CLOSE)] * 2, clock.now)
    assert found is not None
    journal.count(DOUBT, UNKNOWN[Cause.NOT_FOUND])
    journal.count(DOUBT, CN)
    journal.count(Decision(Verdict.ADMIT, Reason.SHADOW, shadowed=ORDER), CN)
    for each in found:
        journal.confirm(each.seq)
    await kept(journal)
    assert Outcome(Ending.CONFIRMED, tuple(each.seq for each in found)) in records(tmp_path)
    (window,) = (record for record in records(tmp_path) if isinstance(record, Window))
    assert window == Window("o", {Cause.NOT_FOUND: 1, Cause.SUBDIVISION_MISSING: 1}, 1, 0)


async def test_an_hour_ends_with_its_counts_and_a_sign_of_life(tmp_path: Path, clock: Clock) -> None:
    journal = opened(tmp_path, clock, ORDER)

    def beats() -> int:
        return kinds(tmp_path).count(Heartbeat)

    task = asyncio.get_running_loop().create_task(kept(journal, lambda: beats() == 2))
    while not beats():  # noqa: ASYNC110
        await asyncio.sleep(0.005)
    journal.count(DOUBT, UNKNOWN[Cause.STALE])
    await asyncio.sleep(0.05)
    assert Window not in kinds(tmp_path)
    clock.now += 3600
    await task
    assert kinds(tmp_path)[-2:] == [Window, Heartbeat]


async def test_the_end_is_signed(tmp_path: Path, clock: Clock) -> None:
    journal = opened(tmp_path, clock, ORDER)
    reject(journal)
    await kept(journal)
    assert (tmp_path / "checkpoint").read_text().split("\n")[1] == str(len(records(tmp_path)))


class Trouble:
    """Appends fail while `is_on`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.is_on = False
        append = History.append

        def failing(history: History, *given: object) -> int:
            if self.is_on:
                raise LedgerUnavailableError("records: No space left on device")
            return append(history, *given)  # type: ignore[arg-type]

        monkeypatch.setattr(History, "append", failing)


async def test_a_ledger_that_fails_restricts_nobody_says_so_and_goes_on_by_itself(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    journal, trouble = opened(tmp_path, clock, ORDER), Trouble(monkeypatch)
    trouble.is_on = True
    assert reject(journal) is None
    assert reject(journal) is None
    for _ in range(2):
        journal.count(without_record(REJECT), CN)
    assert journal.problem == "records: No space left on device"
    assert journal.unrecorded == 2
    use(journal, ORDER, POLICY)
    trouble.is_on = False
    assert reject(journal) is None  # until the journal itself has found that records are taken again
    assert await kept(journal, lambda: journal.problem is None) == ["recovered"]
    assert Window("o", {}, 0, 2) in records(tmp_path)
    assert kinds(tmp_path)[4:8] == [PolicyAccepted, Rules, Window, Heartbeat]
    said = [each.getMessage() for each in caplog.records]
    assert sum("No space left" in line for line in said) == 1
    assert any("takes records again; 3 restrictions were not carried out" in line for line in said)


async def test_a_failed_fsync_is_mended_before_anything_else_is_recorded(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = opened(tmp_path, clock, ORDER)
    calls = []
    make_durable = History.make_durable

    def failing(history: History, captured: object) -> None:
        calls.append("sync")
        if len(calls) == 1:
            raise LedgerUnavailableError("records: Input/output error")
        make_durable(history, captured)  # type: ignore[arg-type]

    monkeypatch.setattr(History, "make_durable", failing)
    recover = History.recover

    def noted(history: History) -> None:
        calls.append("recover")
        recover(history)

    monkeypatch.setattr(History, "recover", noted)
    reject(journal)
    assert await kept(journal, lambda: "recover" in calls and journal.problem is None) == ["recovered"]
    assert calls[:2] == ["sync", "recover"]
    assert kinds(tmp_path).count(Restriction) == 1


async def test_a_ledger_that_cannot_be_opened_for_now_is_opened_later(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_full = True
    open_history = History.open

    def opening(folder: Path, hour: str) -> History:
        if is_full:
            raise LedgerUnavailableError("no space")
        return open_history(folder, hour)

    monkeypatch.setattr(History, "open", opening)
    journal = opened(tmp_path / "ledger", clock, ORDER)
    assert (journal.problem, reject(journal)) == ("no space", None)
    assert journal.summary() == {
        "path": str(tmp_path / "ledger"),
        "origin": None,
        "records": 0,
        "problem": "no space",
        "unrecorded": 1,
    }
    is_full = False
    await kept(journal, lambda: journal.problem is None)
    assert kinds(tmp_path / "ledger")[:4] == [Genesis, Database, OrderAccepted, Rules]


def test_a_ledger_that_a_person_must_mend_is_refused(tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "ledger").write_text("a file")
    with pytest.raises(RefusedInputError, match="name a folder"):
        Journal(tmp_path / "ledger", clock).open()


async def test_two_gates_on_one_ledger_each_say_what_they_go_by(tmp_path: Path, clock: Clock) -> None:
    other_order = order("other")
    one, other = opened(tmp_path, clock, ORDER, POLICY), opened(tmp_path, clock, other_order)
    by_other = Decision(Verdict.REJECT, Reason.ORDER, other_order)
    for journal, decision in ((one, REJECT), (other, by_other), (other, by_other), (one, REJECT)):
        assert reject(journal, decision) is not None
    newer = replace(DATABASE, epochs=(1_700_003_600,))
    other.use_databases(newer)
    assert reject(one) is not None
    await kept(one)
    await kept(other)
    found = verify_ledger(tmp_path)
    # These orders begin in 1970, long before they were received; nothing else may be wrong.
    assert [each.name for each in found.findings if not each.holds] == ["orders"]
    assert kinds(tmp_path).count(Restriction) == 5


def test_a_defect_in_recording_admits(tmp_path: Path, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    journal = opened(tmp_path, clock, ORDER)
    assert journal.record([Restricting(Decision(Verdict.REJECT, Reason.ORDER), CN, "m", Told.HTTP)], 50.0) is None
    assert "defect" in caplog.text
    assert journal.problem is not None


def test_an_order_whose_end_is_on_record_restricts_nobody_though_the_clock_is_set_back(
    tmp_path: Path, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    journal = opened(tmp_path, clock, ORDER)
    assert journal.record([Restricting(REJECT, CN, "m", Told.HTTP)], 50.0) is not None
    clock.now = ORDER.closes + 2 * 3600
    use(journal, ORDER, POLICY)
    clock.now = 50.0
    other = order("other", closes=ORDER.closes + 3600)
    later = order("later", closes=ORDER.closes + 200 * 3600)
    use(journal, ORDER, POLICY, other, later)
    for rule, is_recorded in ((ORDER, False), (other, False), (later, True), (POLICY, True)):
        decision = Decision(Verdict.REJECT, Reason.ORDER if rule is not POLICY else Reason.HOST_POLICY, rule)
        assert bool(journal.record([Restricting(decision, CN, "m", Told.HTTP)], 50.0)) is is_recorded, rule.id
    assert journal.record([Restricting(REJECT, CN, "m", Told.HTTP)], 50.0) is None
    assert journal.unrecorded == 3
    assert caplog.messages == [
        f"ledger: order {rule.id} is over by the record, and the clock was set back since; it restricts nobody; "
        "if it is to go on, give it a new id"
        for rule in (ORDER, other)
    ]
