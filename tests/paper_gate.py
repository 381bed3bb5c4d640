"""A gate without connections: it calls decide, reassess and Roster.apply in the order in which the gate does.

Functions of the core are reached through their modules, so that a test can break one and see a guarantee fall.
"""

from collections.abc import Iterable

from joingate.core import decision as judgement
from joingate.core.decision import Decision
from joingate.core.model import Join, Location, Verdict
from joingate.core.receipt import Receipt
from joingate.core.record import Told
from joingate.core.roster import Event, Participant, Roster, State
from joingate.core.rule_set import RuleSet
from joingate.core.tally import Tally
from tests.recorders import a_receipt


class Line:
    """A connection that notes what is asked of it; nothing can be asked but to end one participant's part in it."""

    def __init__(self) -> None:
        self.ejected: list[tuple[Participant, Decision]] = []

    telling = Told.CLOSE

    def eject(self, participant: Participant, decision: Decision, receipt: Receipt) -> None:  # noqa: ARG002 - Carrier's
        self.ejected.append((participant, decision))


class PaperGate:
    """Rules, people and a clock."""

    def __init__(self, rules: RuleSet, now: float, *, ends_without_host: bool = False) -> None:
        self.rules = rules
        self.now = now
        self.ends_without_host = ends_without_host
        self.roster = Roster()
        self.tally = Tally()

    def admit(self, population: Iterable[tuple[Join, Location]]) -> list[Participant]:
        """Let people come one after the other; return those who are inside."""
        return [who for join, location in population if (who := self.judge(join, location)).is_inside]

    def judge(self, join: Join, location: Location) -> Participant:
        """Register, locate, decide, record, admit or reject."""
        participant = self.roster.register(join, None, Line())
        participant.location = location
        decision = judgement.decide(join, location, self.rules, self.now)
        self.tally.count(decision, location)
        self.roster.apply(participant, Event.REJECT if decision.verdict is Verdict.REJECT else Event.ADMIT)
        return participant

    def denied_in(self, meeting: str) -> list[tuple[Participant, Decision]]:
        """Judge again whoever is inside `meeting`."""
        return judgement.reassess(
            self.roster.of_meeting(meeting), self.rules, self.now, ends_without_host=self.ends_without_host
        )

    def reassess(self, rules: RuleSet | None = None, now: float | None = None) -> list[tuple[Participant, Decision]]:
        """Swap the rules, or let time pass, and carry out what follows; return it."""
        self.rules = self.rules if rules is None else rules
        self.now = self.now if now is None else now
        carried_out = []
        for meeting in tuple(self.roster.meetings()):
            denied = self.denied_in(meeting)
            for participant, decision in denied:
                self._carry_out(participant, decision)
            restricted = {participant for participant, _ in denied}
            for participant in self.roster.of_meeting(meeting):
                if participant.state is State.DEFERRED and participant not in restricted:
                    self.roster.apply(participant, Event.ADMIT)
            carried_out += denied
        return carried_out

    def _carry_out(self, participant: Participant, decision: Decision) -> None:
        if decision.verdict is Verdict.DEFER:
            if participant.state is not State.DEFERRED:
                self.roster.apply(participant, Event.DEFER)
            return
        self.roster.apply(participant, Event.EJECT)
        participant.carrier.eject(participant, decision, a_receipt())
        self.roster.apply(participant, Event.LEAVE)
