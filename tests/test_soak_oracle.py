"""The soak's oracle can fail: what is right loses nothing, and each kind of wrong is a loss in its own row."""

import asyncio
import random
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from ipaddress import ip_address
from pathlib import Path
from typing import cast

import orjson
import pytest

from joingate.codecs.receipt import commitment
from joingate.codecs.rulefile import parse_rules
from joingate.core.errors import RefusedInputError
from joingate.core.model import Address
from joingate.core.record import Basis, Restriction, Restricts, Told
from joingate.core.rule_set import RuleSet
from joingate.core.rules import Action, Order
from joingate.geodb.load import load_atlas
from tests.edges.websocket_fixture import close_frame, server_frame
from tests.soak import receipts as receipts_module
from tests.soak.account import Account, Row
from tests.soak.answers import Answer, Asked, World, check
from tests.soak.meeting_server import FaultyServer
from tests.soak.oracle import Refusal, Timeline
from tests.soak.places import Places
from tests.soak.process import MOST_THREADS, Sample, judge
from tests.soak.receipts import Receipts
from tests.soak.rulebook import AUTHORITIES, CHANGES, Rulebook, authorities_text, mistaken
from tests.soak.slope import ONE_ARENA, slope_of
from tests.soak.visitors import Population, Visitor
from tests.soak.visits import LONGEST_OVERDUE, Parting, Visit, message
from tests.ws_client import CLOSE, TEXT, Connected

NOW = 1_790_000_000.0
CN, SG = ip_address("10.86.0.1"), ip_address("10.65.0.1")  # the second database has SG's as MY's
CUT, FAILS = "cut", "fails"  # what the meeting server does with an answer
CODE = "k7q2m5xw3b6ahcde"

ORDER = Order(
    id="order-0",
    authority=AUTHORITIES["cac"],
    territory=frozenset(("CN",)),
    meetings=("m-00",),
    action=Action.EJECT,
    legal_basis="Act on Examples, section 4",
    reference="soak",
    received=date(2026, 1, 1),
    opens=NOW - 3600,
    closes=NOW + 3600,
)
BY_ORDER = Refusal(451, "order-0", "CN")
OTHER = replace(ORDER, id="order-1")
OF_SG = replace(ORDER, authority=AUTHORITIES["agency"], territory=frozenset(("SG",)))


@pytest.fixture
def first(demo_mmdb: Path) -> Places:
    return Places(demo_mmdb)


@pytest.fixture
def second(second_mmdb: Path) -> Places:
    return Places(second_mmdb)


@pytest.fixture
def world(first: Places) -> World:
    drawn = random.Random(1)
    timeline = Timeline(RuleSet([ORDER]), first, NOW)
    return World(1, timeline, FaultyServer(), drawn, Account(), Population(drawn), is_steady=False, now=lambda: NOW + 1)


def asked_by(address: Address, row: Row = Row.KEPT, fails: str = "") -> Asked:
    visitor = Visitor(address, None, str(address), is_forged=False)
    return Asked(row, visitor, "m-00", 7, NOW, is_faulty=bool(fails), is_cut=fails == CUT)


def refused(status: int, rule: str, located_as: str) -> Answer:
    members = {"status": status, "order" if status == 451 else "policy": rule, "located_as": located_as}
    return Answer(status, orjson.dumps(members | {"receipt": CODE}))


RIGHT: dict[str, tuple[Address, Answer, bool, str]] = {
    "rejected": (CN, refused(451, "order-0", "CN"), False, ""),
    "admitted": (SG, Answer(200, b"hello 7\n"), True, ""),
    "502 of a server that fails": (SG, Answer(502), True, FAILS),
    "cut by a server that cuts": (SG, Answer(None), True, CUT),
    "ejected while waiting": (CN, refused(451, "order-0", "CN"), True, ""),
}
WRONG: dict[str, tuple[Address, Answer, bool, str]] = {
    "admitted who is to be rejected": (CN, Answer(200, b"hello 7\n"), True, ""),
    "rejected who is to be admitted": (SG, refused(451, "order-0", "CN"), False, ""),
    "by a rule that is none": (CN, refused(451, "order-9", "CN"), False, ""),
    "as a host's wish": (CN, refused(403, "order-0", "CN"), False, ""),
    "as if from elsewhere": (CN, refused(451, "order-0", "HK"), False, ""),
    "502 of a server that is well": (SG, Answer(502), True, ""),
    "502 to whom nobody admits": (CN, Answer(502), True, FAILS),
    "another's answer": (SG, Answer(200, b"hello 8\n"), True, ""),
    "an answer that the server has not given": (SG, Answer(200, b"hello 7\n"), False, ""),
    "an answer of a server that fails": (SG, Answer(200, b"hello 7\n"), True, FAILS),
    "no answer": (SG, Answer(None), True, ""),
    "a defect": (SG, Answer(500), True, ""),
}


def lost_by(world: World, address: Address, answer: Answer, has_arrived: bool, fails: str) -> int:
    if has_arrived:
        world.server.numbers.add(7)
    check(world, asked_by(address, fails=fails), answer, b"hello 7\n")
    assert world.account.tried[Row.KEPT] == 1
    assert world.account.lost.total() == world.account.lost[Row.KEPT] == len(world.account.findings)
    return world.account.lost.total()


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_answer_loses_nothing(world: World, name: str) -> None:
    assert lost_by(world, *RIGHT[name]) == 0
    assert "**Lost: nothing.**" in world.account.table([])


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_answer_is_lost(world: World, name: str) -> None:
    assert lost_by(world, *WRONG[name]) == 1
    assert "**Lost: 1.**" in world.account.table([])
    assert not world.account.is_whole


def test_who_was_rejected_at_the_door_is_not_seen_by_the_meeting_server(world: World, first: Places) -> None:
    world.timeline = Timeline(RuleSet([replace(ORDER, action=Action.REJECT)]), first, NOW)
    assert lost_by(world, CN, refused(451, "order-0", "CN"), has_arrived=True, fails="") == 1


def test_a_receipt_is_given_once(world: World) -> None:
    for _ in range(2):
        check(world, asked_by(CN), refused(451, "order-0", "CN"))
    assert world.account.lost == {Row.KEPT: 1}


def test_either_side_of_a_swap_will_do_and_never_a_third(first: Places, second: Places) -> None:
    timeline = Timeline(RuleSet([ORDER]), first, NOW)
    timeline.changes(NOW + 10, rules=RuleSet([OTHER]))
    other = BY_ORDER._replace(rule="order-1")
    assert timeline.at_the_door("m-00", CN, NOW + 5, NOW + 9) == {BY_ORDER}
    assert timeline.at_the_door("m-00", CN, NOW + 5, NOW + 11) == {BY_ORDER, other}
    assert not timeline.is_certain(NOW + 11)
    with pytest.raises(RuntimeError, match="one change at a time"):
        timeline.changes(NOW + 11, places=second)
    timeline.settled(NOW + 20)
    assert timeline.at_the_door("m-00", CN, NOW + 15, NOW + 30) == {BY_ORDER, other}
    assert timeline.at_the_door("m-00", CN, NOW + 21, NOW + 30) == {other}
    assert timeline.is_certain(NOW + 21)


def test_no_rules_are_rules_too(first: Places) -> None:
    timeline = Timeline(RuleSet([ORDER]), first, NOW)
    timeline.changes(NOW + 10, rules=RuleSet([]))
    timeline.settled(NOW + 20)
    assert timeline.at_the_door("m-00", CN, NOW + 21, NOW + 22) == {None}


def test_a_database_moves_people(first: Places, second: Places) -> None:
    timeline = Timeline(RuleSet([OF_SG]), first, NOW)
    timeline.changes(NOW + 10, places=second)
    timeline.settled(NOW + 20)
    of_sg = Refusal(451, "order-0", "SG")
    found = [timeline.inside("m-00", SG, NOW + at, NOW + at + 1) for at in (0, 12, 21)]
    assert found == [{of_sg}, {of_sg, None}, {None}]
    assert (first.kind, second.kind) == ("joingate-City", "joingate-Country")


def test_a_window_opens_between_two_verdicts(first: Places) -> None:
    timeline = Timeline(RuleSet([replace(ORDER, opens=NOW + 10, closes=NOW + 20)]), first, NOW)
    for began, ended, found in (
        (0, 9, {None}),
        (9, 11, {None, BY_ORDER}),
        (11, 12, {BY_ORDER}),
        (9, 21, {None, BY_ORDER}),
    ):
        assert set(timeline.at_the_door("m-00", CN, NOW + began, NOW + ended)) == found
        assert set(timeline.inside("m-00", CN, NOW + began, NOW + ended)) == found


class _Writer:
    """Takes what a participant sends."""

    def write(self, data: bytes) -> None:
        assert data

    def close(self) -> None:
        pass


async def ended_visit(world: World, address: Address, frames: Iterable[bytes], parting: Parting = Parting.NOT) -> None:
    """Let a participant hear these bytes and the end of the stream."""
    reader = asyncio.StreamReader()
    for frame in frames:
        reader.feed_data(frame)
    reader.feed_eof()
    client = Connected(reader, cast("asyncio.StreamWriter", _Writer()), [])
    visit = Visit(world, asked_by(address, Row.WEBSOCKET), client)
    visit.parting = parting
    await visit.listen()


def said(number: int, speaker: int = 3) -> bytes:
    return server_frame(TEXT, message(speaker, number))


def ejected(code: int = 4451, rule: str = "order-0", kind: str = "legal order") -> bytes:
    until = " until 2026-10-21T16:00:00Z" if kind == "legal order" else ""
    return server_frame(CLOSE, code.to_bytes(2, "big") + f"{kind} {rule}{until}, receipt {CODE}".encode())


async def test_who_had_to_be_ejected_may_be(world: World) -> None:
    await ended_visit(world, CN, [said(4), said(5), said(1, speaker=9), said(6), ejected()])
    assert world.account.is_whole, world.account.findings
    assert world.account.tried == {Row.MESSAGES: 4, Row.EJECTIONS: 1}


async def test_what_a_server_breaks_on_demand_is_not_held_against_the_gate(world: World) -> None:
    half = b"\x81\x7dhalf of a frame"
    swallowed = b"".join(said(number) for number in range(1, 9))
    await ended_visit(world, SG, [half, swallowed], Parting.BY_SERVER)
    assert world.account.is_whole, world.account.findings
    await ended_visit(world, SG, [close_frame(1000)], Parting.CLOSE)
    await ended_visit(world, SG, [said(1)], Parting.VANISH)
    assert world.account.is_whole, world.account.findings


ENDS: dict[str, tuple[Address, list[bytes], Row]] = {
    "a collateral end": (CN, [said(1)], Row.CONNECTIONS),
    "a collateral close": (CN, [close_frame(1001)], Row.CONNECTIONS),
    "an ejection of somebody else": (SG, [ejected()], Row.EJECTIONS),
    "an ejection by another rule": (CN, [ejected(rule="order-1")], Row.EJECTIONS),
    "an ejection with the wrong code": (CN, [ejected(4403)], Row.EJECTIONS),
    "an ejection without a reason": (CN, [close_frame(4451)], Row.EJECTIONS),
    "a message after the Close": (CN, [ejected(), said(1)], Row.CONNECTIONS),
    "half of a frame": (CN, [ejected(), said(1)[:5]], Row.CONNECTIONS),
    "a message lost": (CN, [said(1), said(3), ejected()], Row.MESSAGES),
    "a message twice": (CN, [said(1), said(1), ejected()], Row.MESSAGES),
    "a message altered": (CN, [said(1)[:-1] + b"?", ejected()], Row.MESSAGES),
    "something else": (CN, [server_frame(TEXT, b"hello"), ejected()], Row.MESSAGES),
}


@pytest.mark.parametrize("name", ENDS)
async def test_a_wrong_end_or_message_is_lost(world: World, name: str) -> None:
    address, frames, row = ENDS[name]
    await ended_visit(world, address, frames)
    assert world.account.lost == {row: 1}, world.account.findings


@pytest.mark.parametrize(("address", "lost"), [(CN, 1), (SG, 0)])
async def test_nobody_stays_whom_a_rule_ejects(world: World, address: Address, lost: int) -> None:
    client = Connected(asyncio.StreamReader(), cast("asyncio.StreamWriter", _Writer()), [])
    visit = Visit(world, asked_by(address, Row.WEBSOCKET), client)
    for seconds in (1.0, LONGEST_OVERDUE):
        visit.audit(NOW + seconds)
        assert world.account.is_whole
    visit.audit(NOW + LONGEST_OVERDUE + 2)
    assert world.account.lost[Row.AUDITED] == lost
    assert world.account.tried[Row.AUDITED] == 3


def recorded(code: str, rule: str = "order-0", located_as: str = "CN") -> Restriction:
    return Restriction(
        *(Restricts.REJECT, Basis.ORDER, rule, "0" * 16, (1,), located_as, 1, Told.HTTP, "0" * 64, commitment(code))
    )


@pytest.mark.parametrize(
    ("written", "unseen", "lost"),
    [
        ([recorded(CODE)], [], 0),
        ([], [], 1),
        ([recorded(CODE, rule="order-1")], [], 1),
        ([recorded(CODE, located_as="HK")], [], 1),
        ([recorded(CODE), recorded("a")], [], 1),
        ([recorded(CODE), recorded("a")], ["order-0"], 0),
        ([recorded(CODE), recorded("a"), recorded("b")], ["order-0"], 1),
        ([recorded(CODE), recorded("a")], ["order-1"], 1),
    ],
)
def test_receipts_and_records_are_the_same(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, written: list[Restriction], unseen: list[str], lost: int
) -> None:
    monkeypatch.setattr(receipts_module, "records", lambda _: written)
    receipts, account = Receipts(), Account()
    assert receipts.hold(CODE, "order-0", "CN")
    for rule in unseen:
        receipts.may_be_unseen([BY_ORDER._replace(rule=rule)])
    receipts.compare(tmp_path, account)
    assert (account.tried[Row.RECEIPTS], account.lost[Row.RECEIPTS]) == (1, lost)


def test_the_rules_mean_what_their_text_says() -> None:
    drawn = random.Random(1)
    book = Rulebook(drawn, NOW)
    changed = dict.fromkeys(CHANGES, 0)
    for step in range(80):
        kind = drawn.choice(tuple(CHANGES))
        changed[kind] += CHANGES[kind](book, NOW + 5 * step)
        files = {"authorities.toml": authorities_text().encode(), "rules.toml": book.text().encode()}
        assert parse_rules(files, fold=str).revision == book.rule_set().revision
        with pytest.raises(RefusedInputError):
            parse_rules(files | {"rules.toml": mistaken(book.text(), drawn).encode()}, fold=str)
    assert min(changed.values()) > 2, changed


@pytest.mark.parametrize("name", ["first", "second"])
def test_both_readers_place_everybody_alike(name: str, request: pytest.FixtureRequest) -> None:
    places: Places = request.getfixturevalue(name)
    atlas, population = load_atlas([places.path], 0, None), Population(random.Random(1))
    found = set()
    for _ in range(1000):
        address = population.draw().address
        plain = getattr(address, "ipv4_mapped", None) or address
        one, other = places.locate(address), atlas.locate(plain, NOW)
        assert (one.country, one.subdivision) == (other.country, other.subdivision), address
        found.add(one.country)
    assert {"CN", "HK", None} < found


def series(*, drift: float = 0.0, noise: float = 200.0, minutes: int = 10) -> list[tuple[float, float]]:
    """Samples of each second: steps of an allocator around a line that rises by `drift` KB/min."""
    drawn = random.Random(1)
    return [
        (float(at), 70_000 + drift * at / 60 + noise * drawn.choice((0, 0, 0, 1, 3))) for at in range(minutes * 60 + 1)
    ]


@pytest.mark.parametrize(
    ("samples", "grows"),
    [
        (series(), False),
        (series(noise=5000), False),
        (series(drift=-2000), False),
        (series(drift=100), False),  # half of an arena in five minutes: an arena is what cannot be told from a leak
        (series(drift=300), True),
        (series(drift=300, noise=2000), True),
        ([(at, value + 20_000 * (at < 250)) for at, value in series()], False),  # what the first half does is its own
        ([(at, value + 9000 * (at % 60 < 2)) for at, value in series()], False),  # a burst each minute
    ],
)
def test_memory_grows_or_not(samples: list[tuple[float, float]], grows: bool) -> None:
    slope = slope_of(samples)
    assert slope is not None
    assert slope.is_growing is grows, slope
    assert slope.interval[0] < slope.value < slope.interval[1]
    assert str(slope).endswith("grows" if grows else "within noise")


def test_the_slope_is_the_drift() -> None:
    slope = slope_of(series(drift=600, noise=0))
    assert slope is not None
    assert slope.value == pytest.approx(600)
    assert slope.theil_sen == pytest.approx(600)
    assert slope.minutes == 5.0
    assert slope.error < 1
    assert slope.value * slope.minutes > ONE_ARENA
    assert slope_of(series(minutes=0)) is None
    assert slope_of([]) is None


def looks(*, drift: float = 0.0, threads: int = 2) -> list[Sample]:
    return [Sample(at, int(value), 60_000, 20, threads, at / 10) for at, value in series(drift=drift)]


@pytest.mark.parametrize(
    ("samples", "lost"),
    [
        (looks(), {}),
        (looks(drift=1000), {Row.MEMORY: 1}),
        (looks(threads=MOST_THREADS), {}),
        (looks(threads=MOST_THREADS + 1), {Row.THREADS: 1}),
    ],
)
def test_a_process_that_leaks_is_lost(samples: list[Sample], lost: dict[Row, int]) -> None:
    account = Account()
    judge(samples, account)
    assert account.lost == lost
