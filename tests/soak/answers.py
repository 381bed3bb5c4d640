"""What all the load has in common: the gate, the meeting server, the oracle; and what an answer is held against."""

import asyncio
import itertools
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import orjson

from joingate.core.model import Address
from tests.soak.account import Account, Row
from tests.soak.meeting_server import FaultyServer
from tests.soak.oracle import Refusal, Timeline
from tests.soak.receipts import Receipts
from tests.soak.visitors import Population, Visitor

GRACE = 5.0
"""Seconds that an ejection may take from its decision until its Close is read, on a machine with other work to do."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for a request: a status with its body, or None where the connection ended before its end."""

    status: int | None
    body: bytes = b""


@dataclass(slots=True)
class World:
    """One run.

    Attributes:
        drawn: the load's own randomness; the schedule has another, so that the load cannot change it.
        fault_share: of the requests of now, how many ask for a fault.
        outages: when the meeting server accepted no connection, each as (first, last) in POSIX seconds.
        asking: held by whoever asks the admin service, so that one connection to it, and one descriptor, will do.
        is_over: whether the load is to end.
        is_steady: whether nothing but plain load is wanted.
    """

    port: int
    timeline: Timeline
    server: FaultyServer
    drawn: random.Random
    account: Account
    population: Population
    is_steady: bool
    receipts: Receipts = field(default_factory=Receipts)
    fault_share: float = 0.0
    outages: list[tuple[float, float]] = field(default_factory=list)
    asking: asyncio.Lock = field(default_factory=asyncio.Lock)
    is_over: bool = False
    now: Callable[[], float] = time.time
    numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def had_outage(self, began: float, ended: float) -> bool:
        """Whether the meeting server accepted nobody at some moment between the two."""
        return any(first <= ended and began <= last for first, last in self.outages)


@dataclass(frozen=True, slots=True)
class Asked:
    """A join that was asked for.

    Attributes:
        row: where it is counted.
        number: its own, which the meeting server sees and says.
        began: the moment before its first byte, POSIX seconds.
        is_faulty: whether the meeting server is to fail.
        is_cut: whether it is to break off in the body.
    """

    row: Row
    visitor: Visitor
    meeting: str
    number: int
    began: float
    is_faulty: bool = False
    is_cut: bool = False

    @property
    def address(self) -> Address:
        """Where it comes from, in truth."""
        return self.visitor.address


def check(world: World, asked: Asked, answer: Answer, admitted: bytes | None = None) -> None:
    """Hold an answer against the core, and against what the meeting server has seen.

    Args:
        world: the run.
        asked: the join.
        answer: what came.
        admitted: the body of an admission; None where any will do.
    """
    ended = world.now()
    has_arrived = world.server.has_seen(asked.number)
    allowed = world.timeline.at_the_door(asked.meeting, asked.address, asked.began, ended)
    account, row = world.account, asked.row
    account.note_tried(row)
    if asked.visitor.is_forged:
        account.note_tried(Row.FORGED)

    def lose(why: str) -> None:
        where = world.timeline.latest.places.locate(asked.address)
        account.note_lost(row, f"join {asked.number} to {asked.meeting} from {where}: {why}; allowed {set(allowed)}")

    if answer.status in {451, 403}:
        refusal, code = read_refusal(answer)
        ejections = world.timeline.inside(asked.meeting, asked.address, asked.began, ended)
        if has_arrived and refusal not in ejections:
            lose("refused, and the meeting server has seen it")
        elif refusal not in allowed | ejections:
            lose(f"answered {refusal}")
        elif not world.receipts.hold(code, refusal.rule, refusal.located_as):
            lose("its receipt is somebody else's")
        return
    if None not in allowed:
        lose(f"answered {answer.status}")
    elif answer.status == 502:
        if not asked.is_faulty and not world.had_outage(asked.began, ended):
            lose("502, and the meeting server was well")
    elif answer.status is None:
        if not asked.is_cut:
            lose("the connection ended before the answer did")
    elif answer.status not in {200, 101}:
        lose(f"answered {answer.status}")
    elif asked.is_faulty:
        lose(f"answered {answer.status}, which the meeting server has not said")
    elif not has_arrived:
        lose("admitted, and the meeting server has not seen it")
    elif admitted is not None and answer.body != admitted:
        lose(f"got an answer to something else: {answer.body!r}")


def read_refusal(answer: Answer) -> tuple[Refusal, str]:
    """Return what a problem object says, and its receipt."""
    problem = orjson.loads(answer.body)
    rule = problem["order"] if answer.status == 451 else problem["policy"]
    return Refusal(problem["status"], rule, problem["located_as"]), problem["receipt"]


def note_unseen(world: World, asked: Asked, *, is_at_the_door: bool = False) -> None:
    """Note, a little later, whether a client who leaves now could have been restricted without reading of it."""
    left = world.now()

    def look() -> None:
        began, ended = max(asked.began, left - GRACE), left + GRACE
        found = world.timeline.inside(asked.meeting, asked.address, began, ended)
        if is_at_the_door:
            found |= world.timeline.at_the_door(asked.meeting, asked.address, began, ended)
        world.receipts.may_be_unseen([refusal for refusal in found if refusal is not None])

    asyncio.get_running_loop().call_later(GRACE, look)
