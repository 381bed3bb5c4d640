"""Participants over WebSockets: they join, talk, leave or vanish, and come back; some stay as long as they are let.

Everybody's messages are numbered and have bytes of their own, and everybody notes the next number of everybody else
in the meeting: so a frame lost, doubled, altered or moved shows, and so does a connection that is no longer the same.
"""

import asyncio
import contextlib
import re
from collections.abc import Iterator
from enum import Enum

from tests.soak.account import Row
from tests.soak.answers import GRACE, Answer, Asked, World, check, note_unseen
from tests.soak.joins import PATIENCE
from tests.soak.meeting_server import A_MOMENT, Demand, reset
from tests.soak.rulebook import MEETINGS, QUIET
from tests.ws_client import CLOSE, TEXT, Connected, build_frame, connect

COMING_AND_GOING, STAYING = 140, 40
STAY = (5.0, 60.0)
PAUSE = (1.0, 4.0)
TALK = (0.8, 2.4)
"""Seconds: inside, before coming back, between two messages."""

LONGEST_OVERDUE = 10.0
"""Seconds for which somebody may still be inside whom a rule ejects."""

_REASON = re.compile(r"(?:legal order|host policy) (\S+?)(?: until [^,]+)?, receipt ([a-z2-7]+)(?:, see .*)?")


class Parting(Enum):
    """How a participant means to leave."""

    NOT = "not"
    CLOSE = "by a Close"
    VANISH = "by a reset"
    IN_A_FRAME = "in a frame"  # a reset with half a frame sent
    BY_SERVER = "by the server"  # which is asked to end it, in the middle of a frame or with garbage


class Visit:
    """One participant's stay in a meeting.

    Attributes:
        number: of the join; the speaker's name too.
        heard: by speaker, the last number.
        parting: how it is to end, from the moment at which it may.
        overdue_since: since when a rule has ejected somebody who is still inside, POSIX seconds.
    """

    def __init__(self, world: World, asked: Asked, client: Connected) -> None:
        self.number = asked.number
        self.heard: dict[int, int] = {}
        self.parting = Parting.NOT
        self.overdue_since: float | None = None
        self._world = world
        self._asked = asked
        self._client = client
        self._said = 0
        self._read_at = asked.began
        self._close: tuple[int, str] | None = None

    async def talk(self, seconds: float) -> None:
        """Say something now and then, for a while or as long as it goes."""
        drawn, loop = self._world.drawn, asyncio.get_running_loop()
        end = loop.time() + seconds
        while loop.time() < end and not self._world.is_over:
            self._said += 1
            self._client.writer.write(build_frame(TEXT, message(self.number, self._said)))
            await asyncio.sleep(drawn.uniform(*TALK))

    def leave(self, parting: Parting) -> None:
        """Go."""
        self.parting = parting
        writer = self._client.writer
        note_unseen(self._world, self._asked)
        match parting:
            case Parting.CLOSE:
                writer.write(build_frame(CLOSE, (1000).to_bytes(2, "big")))
            case Parting.BY_SERVER:
                demand = self._world.drawn.choice((Demand.RESET, Demand.GARBAGE))
                writer.write(build_frame(TEXT, demand.encode()))
            case Parting.IN_A_FRAME:
                writer.write(build_frame(TEXT, message(self.number, self._said + 1))[:9])
                asyncio.get_running_loop().call_later(A_MOMENT, reset, writer.transport)
            case _:
                reset(writer.transport)

    async def listen(self) -> None:
        """Take what comes until the connection ends, and see that it had to."""
        unread = b""
        with contextlib.suppress(ConnectionError):
            while data := await self._client.reader.read(65_536):
                unread += data
                taken = 0
                for opcode, payload, end in frames(unread):
                    self._take(opcode, payload)
                    taken = end
                unread = unread[taken:]
                self._read_at = self._world.now()
        if unread and self.parting in {Parting.NOT, Parting.CLOSE}:
            self._lose("the stream ended in the middle of a frame")
        self._client.writer.close()
        self._judge_end()

    def _take(self, opcode: int, payload: bytes) -> None:
        if self.parting is Parting.BY_SERVER:
            return  # half a frame may have come, and swallow what the room says before the reset
        if self._close is not None:
            self._lose("something followed a Close")
        elif opcode == CLOSE:
            self._close = int.from_bytes(payload[:2], "big") or 1005, payload[2:].decode(errors="replace")
            if self.parting is Parting.NOT:
                self._client.writer.write(build_frame(CLOSE, payload[:2]))
        else:
            self._hear(payload)

    def _hear(self, payload: bytes) -> None:
        self._world.account.note_tried(Row.MESSAGES)
        try:
            speaker, number = map(int, payload.split(b" ", 2)[:2])
        except ValueError:
            self._world.account.note_lost(Row.MESSAGES, f"participant {self.number} heard {payload[:40]!r}")
            return
        before = self.heard.get(speaker, number - 1)
        self.heard[speaker] = number
        if number != before + 1 or payload != message(speaker, number):
            why = f"participant {self.number} heard {payload[:40]!r} after number {before} of {speaker}"
            self._world.account.note_lost(Row.MESSAGES, why)

    def _judge_end(self) -> None:
        code, reason = self._close or (0, "")
        if code in {4451, 4403}:
            self._judge_ejection(code - 4000, reason)
        elif self.parting is Parting.NOT:
            self._lose(f"a collateral close: {self._close}")
        elif self.parting is Parting.CLOSE and code != 1000:
            self._lose(f"left by a Close, and was answered {self._close}")

    def _judge_ejection(self, status: int, reason: str) -> None:
        world, asked = self._world, self._asked
        world.account.note_tried(Row.EJECTIONS)
        said = _REASON.fullmatch(reason)
        now = world.now()
        allowed = world.timeline.inside(asked.meeting, asked.address, max(asked.began, self._read_at - GRACE), now)
        if said is None:
            self._lose(f"ejected with the reason {reason!r}", Row.EJECTIONS)
        elif (status, said[1]) not in {(each.status, each.rule) for each in allowed if each is not None}:
            self._lose(f"ejected by {said[1]}; allowed {set(allowed)}", Row.EJECTIONS)
        elif not world.receipts.hold(said[2], said[1], None):
            self._lose("ejected with somebody else's receipt", Row.EJECTIONS)

    def note_endless(self) -> None:
        """Note that the connection has not ended."""
        self._lose(f"{self.parting.value}, and the connection has not ended after {PATIENCE:.0f} s")

    @property
    def is_inside(self) -> bool:
        """Whether nothing has been said of an end."""
        return self.parting is Parting.NOT and self._close is None

    def audit(self, now: float) -> None:
        """See whether a rule ejects this participant, and has for too long."""
        world, asked = self._world, self._asked
        if not self.is_inside or not world.timeline.is_certain(now):
            return
        world.account.note_tried(Row.AUDITED)
        if None in world.timeline.inside(asked.meeting, asked.address, now, now):
            self.overdue_since = None
            return
        self.overdue_since = self.overdue_since or now
        if now - self.overdue_since > LONGEST_OVERDUE:
            self._lose(f"still inside after {LONGEST_OVERDUE:.0f} s, and to be ejected", Row.AUDITED)
            self.overdue_since = None

    def _lose(self, why: str, row: Row = Row.CONNECTIONS) -> None:
        self._world.account.note_lost(row, f"participant {self.number} in {self._asked.meeting}: {why}")


async def attend(world: World, visits: set[Visit], *, stays: bool) -> None:
    """Join, be inside, leave, come back, until the load is to end."""
    drawn = world.drawn
    await asyncio.sleep(drawn.uniform(0, 2))
    while not world.is_over:
        asked, client = await knock(world, drawn.choice(QUIET if stays and drawn.random() < 0.5 else MEETINGS))
        if client is not None:
            visit = Visit(world, asked, client)
            visits.add(visit)
            world.account.note_tried(Row.CONNECTIONS)
            await _stay(world, visit, None if stays else drawn.uniform(*STAY))
            visits.discard(visit)
        await asyncio.sleep(drawn.uniform(*PAUSE))


async def knock(world: World, meeting: str) -> tuple[Asked, Connected | None]:
    """Ask to join, and check the answer."""
    number, visitor = next(world.numbers), world.population.draw()
    asked = Asked(Row.WEBSOCKET, visitor, meeting, number, world.now())
    target = f"/meetings/{meeting}/join?user=u{number}&n={number}"
    headers = [("X-Forwarded-For", visitor.header)]
    try:
        async with asyncio.timeout(PATIENCE):
            answer = await connect("127.0.0.1", world.port, target, headers, local_addr=visitor.source)
    except (asyncio.IncompleteReadError, ConnectionError, TimeoutError):
        check(world, asked, Answer(None))
        return asked, None
    if isinstance(answer, Connected):
        check(world, asked, Answer(101))
        return asked, answer
    check(world, asked, Answer(answer.status, answer.body))
    return asked, None


async def _stay(world: World, visit: Visit, seconds: float | None) -> None:
    """Be inside until ejected, or for so many seconds, or until the load is to end."""
    listening = asyncio.ensure_future(visit.listen())
    talking = asyncio.ensure_future(visit.talk(seconds or 1e9))
    try:
        await asyncio.wait((listening, talking), return_when=asyncio.FIRST_COMPLETED)
        if not listening.done():
            partings = (Parting.CLOSE, Parting.CLOSE, Parting.VANISH, Parting.IN_A_FRAME, Parting.BY_SERVER)
            parting = Parting.CLOSE if world.is_over or world.is_steady else world.drawn.choice(partings)
            if parting in {Parting.VANISH, Parting.IN_A_FRAME}:
                world.account.note_tried(Row.VANISHED, kind=f"vanished {parting.value}")
            visit.leave(parting)
        await asyncio.wait((listening,), timeout=PATIENCE)
        if not listening.done():
            visit.note_endless()
    finally:
        for task in (listening, talking):
            task.cancel()
        await asyncio.gather(listening, talking, return_exceptions=True)


def message(speaker: int, number: int) -> bytes:
    """Return what a speaker says: who, which message, and bytes that no other message has."""
    filler = b"%x" % (speaker * 1_000_003 + number * 7919)
    return b"%d %d %b" % (speaker, number, (filler * 12)[: 20 + number % 60])


def frames(data: bytes) -> Iterator[tuple[int, bytes, int]]:
    """Yield opcode, payload and end of each whole frame of a server."""
    at = 0
    while len(data) - at >= 2:
        size, head = data[at + 1], 2
        if size > 125:
            head = 4 if size == 126 else 10
            size = int.from_bytes(data[at + 2 : at + head], "big")
        if len(data) - at < head + size:
            return
        at += head + size
        yield data[at - head - size] & 15, data[at - size : at], at
