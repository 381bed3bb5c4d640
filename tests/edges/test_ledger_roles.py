"""Several processes of one gate on one ledger: one declares, all record, and nothing is said twice."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from joingate.core.decision import Decision
from joingate.core.model import Reason, Verdict
from joingate.core.record import Database, Expiry, Heartbeat, Lift, OrderAccepted, Record, Restriction, Rules, Told
from joingate.core.recording import Restricting
from joingate.core.rule_set import RuleSet
from joingate.ledger import journal as the_module
from joingate.ledger.history import History, LedgerUnavailableError
from joingate.ledger.journal import Journal
from joingate.ledger.role import EXPIRY_DELAY, Role
from joingate.ledger.verify import verify_ledger
from tests.core.made import order
from tests.edges.ledger_reading import records
from tests.edges.test_ledger_journal import CN, DATABASE, ORDER, REJECT, Clock, kept, reject, use

NEWER_ORDER = order("newer", closes=1000.0)
BY_NEWER = Decision(Verdict.REJECT, Reason.ORDER, NEWER_ORDER)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(the_module, "SYNC_SECONDS", 0.01)
    monkeypatch.setattr(the_module, "RETRY_SECONDS", 0.01)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def leading(folder: Path, clock: Clock) -> Journal:
    journal = Journal(folder, clock, Role.LEADER)
    journal.open()
    journal.use_databases(DATABASE)
    use(journal, ORDER)
    return journal


def following(folder: Path, clock: Clock) -> Journal:
    journal = Journal(folder, clock, Role.FOLLOWER)
    journal.open()
    journal.follow_databases(DATABASE)
    journal.follow_rules(RuleSet([ORDER]))
    return journal


def count(folder: Path) -> Counter[type[Record]]:
    return Counter(map(type, records(folder)))


async def test_followers_record_and_only_the_leader_declares(tmp_path: Path, clock: Clock) -> None:
    leader = leading(tmp_path, clock)
    followers = [following(tmp_path, clock) for _ in range(3)]
    assert all(reject(each) is not None for each in [*followers, *followers])
    for each in followers:
        await kept(each)
    await kept(leader, lambda: count(tmp_path)[Heartbeat])
    found = count(tmp_path)
    assert (found[Database], found[OrderAccepted], found[Rules], found[Heartbeat]) == (1, 1, 1, 1)
    assert found[Restriction] == 6
    # This order begins in 1970, long before it was received; nothing else may be wrong.
    assert [each.name for each in verify_ledger(tmp_path).findings if not each.holds] == ["orders"]


async def test_the_leader_alone_tells_an_orders_end_and_a_little_later(tmp_path: Path, clock: Clock) -> None:
    leader, follower = leading(tmp_path, clock), following(tmp_path, clock)
    decided_at, clock.now = 99.9, 100.0
    for each in (leader, follower):
        each._write_counted(hourly=False)
    assert follower.record([Restricting(REJECT, CN, "m", Told.HTTP)], decided_at) is not None
    assert count(tmp_path)[Expiry] == 0, "what was decided before the end may be recorded just after it"
    clock.now += EXPIRY_DELAY
    for each in (follower, leader, follower, leader):
        each._write_counted(hourly=False)
    assert count(tmp_path)[Expiry] == 1
    assert isinstance(records(tmp_path)[-1], Expiry)
    for each in (leader, follower):
        await kept(each)
    assert [each.name for each in verify_ledger(tmp_path).findings if not each.holds] == ["orders"]


async def test_a_follower_records_nothing_behind_the_end_that_the_leader_told(tmp_path: Path, clock: Clock) -> None:
    leader, follower = leading(tmp_path, clock), following(tmp_path, clock)
    clock.now = ORDER.closes + EXPIRY_DELAY
    for each in (leader, follower):
        each._write_counted(hourly=False)
    clock.now = 50.0
    assert reject(follower) is None, "the clock was set back, but the end stands"
    assert follower.unrecorded == 1
    for each in (leader, follower):
        await kept(each)
    found = count(tmp_path)
    assert (found[Expiry], found[Restriction]) == (1, 0)


def taking(follower: Journal, *, is_ready: bool) -> list[tuple[str, tuple[int, ...]]]:
    """Have a follower take what overtakes it, where that is ready; returns what it was asked with."""
    asked: list[tuple[str, tuple[int, ...]]] = []

    def overtaken(revision: str, epochs: tuple[int, ...]) -> bool:
        asked.append((revision, epochs))
        if is_ready:
            follower.follow_rules(RuleSet([NEWER_ORDER]))
        return is_ready

    follower.overtaken = overtaken
    return asked


def test_a_follower_that_is_overtaken_takes_what_is_ready(tmp_path: Path, clock: Clock) -> None:
    leader, follower = leading(tmp_path, clock), following(tmp_path, clock)
    asked = taking(follower, is_ready=True)
    use(leader, NEWER_ORDER)
    assert reject(follower) is None, "it is judged again"
    assert asked == [(RuleSet([NEWER_ORDER]).revision, DATABASE.epochs)]
    assert (follower.unrecorded, follower.problem) == (0, None), "nothing is lost, and nothing is wrong"
    assert reject(follower, BY_NEWER) is not None
    assert len(asked) == 1
    found = count(tmp_path)
    assert (found[Rules], found[Lift], found[Restriction]) == (2, 1, 1)


def test_what_it_counts_waits_while_it_is_overtaken(tmp_path: Path, clock: Clock) -> None:
    leader, follower = leading(tmp_path, clock), following(tmp_path, clock)
    taking(follower, is_ready=True)
    found = follower.record([Restricting(Decision(Verdict.EJECT, Reason.ORDER, ORDER), CN, "m", Told.CLOSE)], clock.now)
    assert found is not None
    follower.confirm(found[0].seq)
    use(leader, NEWER_ORDER)
    assert not follower._write_counted(hourly=False)
    assert follower._write_counted(hourly=False)


async def test_a_follower_that_is_overtaken_by_a_stranger_says_what_it_goes_by(tmp_path: Path, clock: Clock) -> None:
    follower = following(tmp_path, clock)
    leading(tmp_path, clock)
    taking(follower, is_ready=False)
    stranger = Journal(tmp_path, clock)
    stranger.open()
    stranger.use_databases(replace(DATABASE, epochs=(1_700_003_600,)))
    use(stranger, NEWER_ORDER)
    assert reject(follower) is not None
    await kept(follower)
    assert [each.name for each in verify_ledger(tmp_path).findings if not each.holds] == ["orders"]


async def test_a_follower_finds_the_ledger_again(tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    leader = leading(tmp_path, clock)
    real: Callable[[Path, str], History] = History.open
    is_full = True

    def opening(folder: Path, hour: str) -> History:
        if is_full:
            raise LedgerUnavailableError("no space")
        return real(folder, hour)

    monkeypatch.setattr(History, "open", opening)
    follower = following(tmp_path, clock)
    assert (follower.problem, reject(follower)) == ("no space", None)
    is_full = False
    await kept(follower, lambda: follower.problem is None)
    found = count(tmp_path)
    assert (found[Database], found[Rules], found[Heartbeat]) == (1, 1, 0)
    await kept(leader)
