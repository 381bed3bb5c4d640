"""The judgement: `decide` at a join, `reassess` for those inside. Functions of their arguments alone.

The strictest outcome wins whatever the order of files: an order before a host policy, either before admission. One
participant is judged at a time, by their own location; how many others are there, and from where, is no input to it.
Only afterwards, and only to spare somebody, `reassess` looks at the others: a host whose departure would end the
meeting for those who stay is deferred instead of ejected (G3).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from joingate.core.model import Join, Location, Reason, Verdict
from joingate.core.roster import Participant
from joingate.core.rule_set import RuleSet
from joingate.core.rules import Action, Match, Order, Rule


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to happen to one participant, and why.

    Attributes:
        rule: the rule that restricts; None on admission.
        doubted: the order that would have been enforced had the location been known.
        shadowed: the rule in shadow that would have restricted.
        unrecorded: the rule that would have restricted, had the ledger taken the record: no log, no block (G8).
    """

    verdict: Verdict
    reason: Reason
    rule: Rule | None = None
    doubted: Order | None = None
    shadowed: Rule | None = None
    unrecorded: Rule | None = None


_NO_RULE = Decision(Verdict.ADMIT, Reason.NO_RULE)
_NOT_IN_FORCE = Decision(Verdict.ADMIT, Reason.NOT_IN_FORCE)
_NOT_IN_SCOPE = Decision(Verdict.ADMIT, Reason.NOT_IN_SCOPE)


def decide(join: Join, location: Location, rules: RuleSet, now: float) -> Decision:
    """Judge a join: admit or reject.

    Args:
        join: what is asked for.
        location: where the databases place the participant.
        rules: the one set this join is judged by.
        now: POSIX seconds.
    """
    if location.country is not None:
        may_mean = rules.reach.may_mean(join.meeting, location.country)
        if may_mean is None:
            return _NO_RULE
        if not may_mean:
            return _NOT_IN_SCOPE
    named = rules.for_meeting(join.meeting)
    if not named:
        return _NO_RULE
    return _judge(named, location, now, Verdict.REJECT)


def _judge(named: Sequence[Rule], location: Location, now: float, restrict: Verdict) -> Decision:
    """Apply `named`, strictest first; `restrict` is REJECT at a join and EJECT for someone inside."""
    is_for_another_time = False
    doubted: Order | None = None
    shadowed: Rule | None = None
    for rule in named:
        match = rule.match(location)
        if match is Match.NO:
            continue
        if not rule.in_force(now):
            is_for_another_time = True
            continue
        if match is Match.DOUBT:
            if isinstance(rule, Order):
                doubted = doubted or (None if rule.shadow else rule)
                continue
            # A host may turn the unknown away at the door; an ageing database must not empty the room.
            if not rule.reject_unknown or restrict is Verdict.EJECT:
                continue
        if rule.shadow:
            shadowed = shadowed or rule
            continue
        reason = Reason.ORDER if isinstance(rule, Order) else Reason.HOST_POLICY
        return Decision(restrict, reason, rule, doubted, shadowed)
    if doubted is not None:
        return Decision(Verdict.ADMIT, Reason.DOUBT, None, doubted, shadowed)
    if shadowed is not None:
        return Decision(Verdict.ADMIT, Reason.SHADOW, None, None, shadowed)
    return _NOT_IN_FORCE if is_for_another_time else _NOT_IN_SCOPE


def without_record(decision: Decision) -> Decision:
    """Admit whom `decision` restricts, because the restriction could not be recorded."""
    return Decision(
        Verdict.ADMIT, Reason.UNRECORDED, None, decision.doubted, decision.shadowed, unrecorded=decision.rule
    )


def reassess(
    present: Sequence[Participant], rules: RuleSet, now: float, *, ends_without_host: bool = False
) -> list[tuple[Participant, Decision]]:
    """Judge everyone inside one meeting again, and return whom to eject or defer, in the order of their joins.

    Args:
        present: the participants of one meeting, with their locations up to date.
        rules: the set in force from now on.
        now: POSIX seconds.
        ends_without_host: whether this meeting server ends a meeting when its last host leaves.

    Returns:
        Pairs of a participant inside and a Decision to EJECT or DEFER; whoever is not among them is undisturbed (G5).
    """
    denied = denied_among(present, rules, now)
    return spare_a_host(denied, present) if ends_without_host else denied


def denied_among(present: Sequence[Participant], rules: RuleSet, now: float) -> list[tuple[Participant, Decision]]:
    """Judge some who are inside one meeting, each alone: the first half of `reassess`, for a part of its arguments."""
    inside = [participant for participant in present if participant.is_inside]
    if not inside:
        return []
    ejecting = [rule for rule in rules.for_meeting(inside[0].meeting) if rule.action is Action.EJECT]
    if not ejecting:
        return []
    judged = [(participant, _judge(ejecting, participant.location, now, Verdict.EJECT)) for participant in inside]
    return [(participant, decision) for participant, decision in judged if decision.verdict is Verdict.EJECT]


def spare_a_host(
    denied: list[tuple[Participant, Decision]], present: Sequence[Participant]
) -> list[tuple[Participant, Decision]]:
    """Defer a host where none would be left for those who stay (G3): the second half of `reassess`.

    Args:
        denied: all of one meeting who are inside and denied.
        present: all participants of that meeting.
    """
    if not denied:
        return denied
    leaving = {participant for participant, _ in denied}
    staying = [participant for participant in present if participant.is_inside and participant not in leaving]
    if not staying or any(participant.host for participant in staying):
        return denied
    return _spare_one_host(denied)


def _spare_one_host(denied: list[tuple[Participant, Decision]]) -> list[tuple[Participant, Decision]]:
    """Defer the first host among the denied: the meeting needs one, and no more than one is spared."""
    for at, (participant, decision) in enumerate(denied):
        if participant.host:
            deferred = Decision(
                Verdict.DEFER, Reason.HOST_CONTINUITY, decision.rule, decision.doubted, decision.shadowed
            )
            return [*denied[:at], (participant, deferred), *denied[at + 1 :]]
    return denied
