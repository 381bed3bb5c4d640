"""The gate's memory and its judgement of live participants: rules, locations, roster, counts.

A join is judged by `judge`, in the order of the phases: locate -> decide -> record -> admit | reject. A change of the
rules or of the databases swaps one reference, so every join sees exactly one revision; whoever is inside and touched by
the change is then judged again, in slices, so that the others' messages keep flowing.

The file is long because both judge by the same state: a join that enters or leaves meanwhile is part of what a change
has to look at, and a change of what a join must be judged by again.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from joingate.codecs.dialect import Dialect
from joingate.codecs.join_request import JoinMatcher
from joingate.core.decision import Decision, decide, denied_among, spare_a_host, without_record
from joingate.core.model import Address, Join, Location, Verdict
from joingate.core.receipt import Receipt
from joingate.core.recording import Recorded, Recorder, Remover, Restricting
from joingate.core.roster import Carrier, Event, Participant, Roster, State
from joingate.core.rule_set import RuleSet
from joingate.core.tally import Tally
from joingate.gate.options import GateOptions, turned_away_at_most
from joingate.gate.peer import KnownProxies
from joingate.gate.polling import Polling
from joingate.gate.resumption import Resumption

Locate = Callable[[Address | None, float], Location]

SLICE = 8
"""Ejections carried out before the event loop turns to everybody else's messages: about a millisecond of work."""

FEW: Final = 128
FEW_AT_ONCE: Final = 2
"""The first FEW of a change go so: most orders mean no more, and take no longer. Thousands would."""

LOOKS: Final = 64
"""Participants judged again before it does: half a millisecond."""

PIECE: Final = 8
"""Participants judged again before whoever waits is served where that takes no turn of the event loop: see
`Gate.serve_waiting`. It does so before each ejection, too."""


def nobody_waits() -> None:
    """Leave it to the event loop."""


class Connection(Protocol):
    """What the sweeper and the drain need of a connection."""

    deadline: float

    def on_deadline(self) -> None:
        """Act on the deadline having passed."""

    def drain(self) -> None:
        """End at the next good moment: the gate is going away."""

    def abort(self) -> None:
        """End now."""


@dataclass(frozen=True, slots=True)
class Effect:
    """What a change did to those inside."""

    reassessed: int = 0
    ejected: int = 0
    deferred: int = 0


NO_EFFECT = Effect()


class Gate:
    """See the module. One per process; everything on one event loop."""

    def __init__(
        self,
        options: GateOptions,
        matcher: JoinMatcher,
        rules: RuleSet,
        locate: Locate,
        recorder: Recorder,
        *,
        dialect: Dialect | None = None,
        keeps_after_close: float = 0,
        remover: Remover | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Stand ready.

        Args:
            options: how connections are treated.
            matcher: which requests are joins.
            rules: the first rule set.
            locate: where an address is, by the databases in use; None is an address that could not be determined.
            recorder: what must have taken a restriction before it is carried out.
            dialect: what reads joins inside WebSockets and bodies; None where all are requests of their own.
            keeps_after_close: seconds for which the meeting server keeps whom a lost connection has left.
            remover: what sees to it that the ejected are gone from the meeting server; None where they are as soon as
                their connection is.
            now: POSIX seconds.
        """
        self.options = options
        self.matcher = matcher
        self.rules = rules
        self.locate = locate
        self.recorder = recorder
        self.dialect = dialect
        self.remover = remover
        self.now = now
        self.serve_waiting: Callable[[], object] = nobody_waits  # where there is an engine: it, for a moment
        self.loop_time = asyncio.get_running_loop().time
        self.roster = Roster()
        self.tally = Tally()
        self.resumption = Resumption(keeps_after_close, self.loop_time)
        self.polling = None if dialect is None else Polling(self, dialect, self.loop_time)
        self.connections: set[Connection] = set()
        self.known_proxies: KnownProxies = {}
        self.turned_away: set[Connection] = set()  # connections too many, until they have read their 503
        self.is_draining = False
        self._deferred: set[str] = set()
        self._ejections: dict[Participant, int] = {}  # under way, by the seq of their records
        self._reassessing = asyncio.Lock()
        self._changes = 0  # of anything that a judgement of those inside rests on
        self._swaps = 0  # of rules and databases, which are changes too
        self._touched: dict[str, None] = {}  # meetings that a swap has touched, and that are still to be judged again
        self._is_relocated = False  # whoever the databases in use place elsewhere is still to be looked for
        self._looks = 0  # since everybody else has had a turn

    # Joins

    def judge(
        self, join: Join, client_ip: Address | None, carrier: Carrier
    ) -> tuple[Participant, Decision, Receipt | None]:
        """Register, locate, decide, record.

        Returns:
            The participant, admitted or already gone again; the decision; and a rejected participant's receipt.
        """
        participant = self.roster.register(join, client_ip, carrier)
        now = self.now()
        location = participant.location = self.locate(client_ip, now)
        decision = decide(join, location, self.rules, now)
        receipt = None
        while decision.verdict is Verdict.REJECT:
            judged_at = self._changes
            recorded = self.recorder.record((Restricting(decision, location, join.meeting, carrier.telling),), now)
            if recorded is not None:
                receipt = recorded[0].receipt
                break
            if judged_at == self._changes:
                decision = without_record(decision)
            else:  # while it was to be recorded, what it rests on was replaced (Replacing.overtaken)
                location = participant.location = self.locate(client_ip, now)
                decision = decide(join, location, self.rules, now)
        self._count(decision, location)
        if receipt is not None:
            self.roster.apply(participant, Event.REJECT)
        else:
            self.roster.apply(participant, Event.ADMIT)
            self._changes += self.options.ends_without_host
            if join.host and join.meeting in self._deferred:
                self._carry_out(self._judge_again(join.meeting))
        return participant, decision, receipt

    def admit(self, join: Join, client_ip: Address | None, carrier: Carrier) -> Participant | None:
        """Admit where nothing speaks against it. Where something does, nothing has been done yet: see `judge`."""
        now = self.now()
        location = self.locate(client_ip, now)
        decision = decide(join, location, self.rules, now)
        if decision.verdict is not Verdict.ADMIT or self.options.ends_without_host:
            return None
        participant = self.roster.register(join, client_ip, carrier)
        participant.location = location
        self._count(decision, location)
        self.roster.apply(participant, Event.ADMIT)
        return participant

    @property
    def is_full(self) -> bool:
        """Whether one connection more is one too many."""
        return len(self.connections) >= self.options.max_connections

    @property
    def can_turn_away(self) -> bool:
        """Whether one connection too many more can be kept until it has read why."""
        return len(self.turned_away) < turned_away_at_most(self.options.max_connections)

    @property
    def can_remove(self) -> bool:
        """Whether one participant can be removed from the meeting server, and the connection left to others."""
        return self.remover is not None and self.remover.can_remove

    def denies(self, join: Join, client_ip: Address | None) -> bool:
        """Whether a join would be rejected now; nothing is recorded, for nothing is done."""
        now = self.now()
        return decide(join, self.locate(client_ip, now), self.rules, now).verdict is Verdict.REJECT

    def _count(self, decision: Decision, location: Location) -> None:
        self.tally.count(decision, location)
        if decision.doubted is not None or decision.shadowed is not None or decision.unrecorded is not None:
            self.recorder.count(decision, location)

    def leave(self, participant: Participant) -> None:
        """Note that a participant's connection has ended, whoever ended it."""
        if participant.state is State.GONE:
            return
        if participant.is_inside:
            self.tally.left += 1
            self._changes += self.options.ends_without_host
        elif (seq := self._ejections.pop(participant, None)) is not None and self.remover is None:
            self.recorder.confirm(seq)
        self.roster.apply(participant, Event.LEAVE)
        if participant.meeting in self._deferred:
            self._carry_out(self._judge_again(participant.meeting))

    # Changes

    async def swap_rules(self, rules: RuleSet) -> Effect:
        """Judge by `rules` from now on, and judge again whoever is in a meeting whose rules have changed."""
        self.use_rules(rules)
        return await self.reassess_touched()

    async def swap_locate(self, locate: Locate) -> Effect:
        """Locate by `locate` from now on, and judge again whoever it places elsewhere than before."""
        self.use_locate(locate)
        return await self.reassess_touched()

    def use_rules(self, rules: RuleSet) -> None:
        """Judge every join by `rules` from now on; those inside are for `reassess_touched`."""
        before, self.rules = self.rules, rules
        self._changes += 1
        self._swaps += 1
        for meeting in self.roster.meetings():
            if before.for_meeting(meeting) != rules.for_meeting(meeting) or meeting in self._deferred:
                self._touched[meeting] = None

    def use_locate(self, locate: Locate) -> None:
        """Locate everybody who joins by `locate` from now on; those inside are for `reassess_touched`."""
        self.locate = locate
        self._changes += 1
        self._swaps += 1
        self._is_relocated = True

    async def reassess_touched(self) -> Effect:
        """Judge again whoever is in a meeting that a swap has touched since the last time."""
        touched, self._touched = self._touched, {}
        if self._is_relocated:
            self._is_relocated = False
            for meeting in tuple(self.roster.meetings()):
                if await self._has_moved(meeting):
                    touched[meeting] = None
        return await self._reassess(touched)

    async def reassess_all(self) -> Effect:
        """Judge everyone again: what could not be recorded before now can."""
        return await self._reassess(self.roster.meetings())

    async def reassess_opened(self, since: float, until: float) -> Effect:
        """Judge again whoever is in a meeting with an order that has opened or closed in (since, until]."""
        touched = [
            meeting
            for meeting in self.roster.meetings()
            if any(since < moment <= until for moment in self.rules.boundaries_of(meeting))
        ]
        return await self._reassess(touched)

    async def preview(self, rules: RuleSet) -> int:
        """Count whom `rules` would eject, had they been swapped in now."""
        ejected = 0
        for meeting in tuple(self.roster.meetings()):
            denied: list[tuple[Participant, Decision]] = []
            for some in _slices(self.roster.of_meeting(meeting)):
                await self._give_way(len(some))
                denied += denied_among(some, rules, self.now())
            if self.options.ends_without_host:
                denied = spare_a_host(denied, self.roster.of_meeting(meeting))
            ejected += sum(decision.verdict is Verdict.EJECT for _, decision in denied)
        return ejected

    # Judging again, in slices: nobody else's message waits for more than one of them

    async def _reassess(self, meetings: Iterable[str]) -> Effect:
        """Judge meetings one after the other."""
        reassessed = ejected = deferred = 0
        async with self._reassessing:
            for meeting in tuple(meetings):
                reassessed += len(self.roster.of_meeting(meeting))
                out, put_off = await self._reassess_meeting(meeting, ejected)
                ejected += out
                deferred += put_off
        return Effect(reassessed, ejected, deferred)

    async def _reassess_meeting(self, meeting: str, before: int) -> tuple[int, int]:
        """Judge one meeting, carry it out, and return how many were ejected, `before` in others aside, and deferred.

        What is left of a judgement is thrown away when something it rests on has changed meanwhile: an order lifted,
        or the host gone because of whom another host was not spared (G3).
        """
        ejected = deferred = 0
        denied = await self._look_again(meeting)
        while True:
            judged_at, swaps = self._changes, self._swaps
            due = self._due(meeting, denied)
            while due and judged_at == self._changes:
                size = FEW_AT_ONCE if before + ejected < FEW else SLICE
                out, put_off = self._carry_out(due[:size])
                ejected += out
                deferred += put_off
                del due[:size]  # nor are they kept any longer: thousands of connections that go at once are a stall
                await asyncio.sleep(0)
            if judged_at == self._changes:
                return ejected, deferred
            if swaps != self._swaps:
                denied = await self._look_again(meeting)

    async def _look_again(self, meeting: str) -> list[tuple[Participant, Decision]]:
        """Locate everyone inside `meeting` and judge each alone, all by the same rules and databases."""
        while True:
            swaps = self._swaps
            denied: list[tuple[Participant, Decision]] = []
            for some in _slices(self.roster.of_meeting(meeting)):
                await self._give_way(len(some))
                if swaps != self._swaps:
                    break
                denied += self._look_at(some)
            else:
                return denied

    def _look_at(self, present: Sequence[Participant]) -> list[tuple[Participant, Decision]]:
        now = self.now()
        for participant in present:
            participant.location = self.locate(participant.client_ip, now)
        return denied_among(present, self.rules, now)

    def _due(self, meeting: str, denied: list[tuple[Participant, Decision]]) -> list[tuple[Participant, Decision]]:
        """Spare a host where one is needed, and return what is left to be done.

        Whoever was deferred and no longer is denied is simply inside.
        """
        if not self.options.ends_without_host:
            return denied
        present = self.roster.of_meeting(meeting)
        denied = spare_a_host([pair for pair in denied if pair[0].is_inside], present)
        restricted = {participant for participant, _ in denied}
        for participant in present:
            if participant.state is State.DEFERRED and participant not in restricted:
                self.roster.apply(participant, Event.ADMIT)
        if not any(decision.verdict is Verdict.DEFER for _, decision in denied):
            self._deferred.discard(meeting)
        # one deferral, one record
        return [pair for pair in denied if pair[1].verdict is Verdict.EJECT or pair[0].state is State.ADMITTED]

    def _judge_again(self, meeting: str) -> list[tuple[Participant, Decision]]:
        """Judge everyone inside `meeting` at once: a host has come or gone, and another is deferred."""
        return self._due(meeting, self._look_at(self.roster.of_meeting(meeting)))

    async def _has_moved(self, meeting: str) -> bool:
        """Whether the databases in use place anybody of `meeting` elsewhere than those before."""
        now = self.now()
        for some in _slices(self.roster.of_meeting(meeting)):
            await self._give_way(len(some))
            for participant in some:
                if self.locate(participant.client_ip, now) != participant.location:
                    return True
        return False

    async def _give_way(self, looks: int) -> None:
        self.serve_waiting()
        self._looks += looks
        if self._looks >= LOOKS:
            self._looks = 0
            await asyncio.sleep(0)

    def _carry_out(self, denied: Iterable[tuple[Participant, Decision]]) -> tuple[int, int]:
        """Record all of them, then eject or defer; return how many of each. What cannot be recorded is not done."""
        now = self.now()
        due = [
            (participant, decision)
            for participant, decision in denied
            # Some have left, and an order may have ended, while the slices before this one were carried out.
            if participant.is_inside and (decision.rule is None or decision.rule.in_force(now))
        ]
        recorded = self._record(due, now) if due else None
        if recorded is None:
            return 0, 0
        ejecting: list[tuple[Participant, Decision, Recorded]] = []
        # Every state first: ending one connection may make the gate look at this meeting again.
        for (participant, decision), record in zip(due, recorded, strict=True):
            if decision.verdict is Verdict.EJECT:
                self.roster.apply(participant, Event.EJECT)
                self._ejections[participant] = record.seq
                ejecting.append((participant, decision, record))
            else:
                self.roster.apply(participant, Event.DEFER)
                self._deferred.add(participant.meeting)
        for participant, decision, record in ejecting:
            self.serve_waiting()
            if participant.state is State.EJECTING:  # and has not left meanwhile
                participant.carrier.eject(participant, decision, record.receipt)
            if self.remover is not None:
                self.remover.remove(participant.join, record.seq)
        return len(ejecting), len(due) - len(ejecting)

    def _record(self, due: list[tuple[Participant, Decision]], now: float) -> Sequence[Recorded] | None:
        judged_at = self._changes
        recorded = self.recorder.record(
            [
                Restricting(decision, participant.location, participant.meeting, participant.carrier.telling)
                for participant, decision in due
            ],
            now,
        )
        if recorded is None and judged_at != self._changes:
            return None  # what they rest on was replaced (Replacing.overtaken): `_reassess` judges again
        for participant, decision in due:
            self._count(without_record(decision) if recorded is None else decision, participant.location)
        return recorded


def _slices(present: Sequence[Participant]) -> Iterator[Sequence[Participant]]:
    for at in range(0, len(present), PIECE):
        yield present[at : at + PIECE]
