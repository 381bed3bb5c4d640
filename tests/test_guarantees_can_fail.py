"""The guard of each guarantee, taken away, and the property that then falls.

Each row says in which line of the core a guarantee is held, breaks that line in memory, and demands that the property
named after the guarantee goes red. A property that stays green here guards nothing.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import pytest
from hypothesis import Phase, settings
from hypothesis.errors import FlakyFailure

from joingate.core import decision, location, rules, tally, territory
from joingate.core.decision import Decision
from joingate.core.model import Join, Location, Reason, Verdict
from joingate.core.roster import Event, Participant, Roster, State
from joingate.core.rule_set import RuleSet
from joingate.core.rules import Action, Match, Order, Rule
from joingate.core.territory import Territory
from tests import test_guarantees as holds
from tests.vocabulary import account_words, meeting_words

Break = Callable[[pytest.MonkeyPatch], None]


@dataclass(frozen=True)
class Row:
    """A guard, how to break it, and the property that must notice."""

    guard: str
    take_away: Break
    property: Callable[[], None]


def everybody_is_inside(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(rules, "lies_in", lambda *_: True)


def countries_are_rolled_up(patch: pytest.MonkeyPatch) -> None:
    """Hong Kong, Macao and Taiwan answer to CN, as in a table of "greater" anything."""

    def lies_in(where: Location, codes: Territory) -> bool:
        country = "CN" if where.country in ("HK", "MO", "TW") and "CN" in codes else where.country
        return country in codes or where.subdivision in codes

    patch.setattr(rules, "lies_in", lies_in)


def parts_are_rolled_up(patch: pytest.MonkeyPatch) -> None:
    """A part of a country stands for all of it, as in a blocker that knows countries only."""
    patch.setattr(rules, "lies_in", lambda where, codes: where.country in {code[:2] for code in codes})


def doubt_is_guilt(patch: pytest.MonkeyPatch) -> None:
    whole = Order.match

    def match(self: Order, where: Location) -> Match:
        found = whole(self, where)
        return Match.YES if found is Match.DOUBT else found

    patch.setattr(Order, "match", match)


def doubt_is_nothing(patch: pytest.MonkeyPatch) -> None:
    """Whoever is not placed is admitted, but nobody hears of it."""
    whole = Order.match

    def match(self: Order, where: Location) -> Match:
        found = whole(self, where)
        return Match.NO if found is Match.DOUBT else found

    patch.setattr(Order, "match", match)


def doubt_is_not_counted(patch: pytest.MonkeyPatch) -> None:
    whole = tally.Tally.count

    def count(self: tally.Tally, one: Decision, where: Location) -> None:
        whole(self, replace(one, doubted=None), where)

    patch.setattr(tally.Tally, "count", count)


def authorities_have_no_borders(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(rules, "outside", lambda *_: frozenset())


def parts_lie_in_every_country(patch: pytest.MonkeyPatch) -> None:
    """A subdivision is let through unseen: an order may name a part of somebody else's country."""
    whole = territory.outside
    patch.setattr(
        rules, "outside", lambda inner, outer: frozenset(code for code in whole(inner, outer) if "-" not in code)
    )


def own_codes_are_parts(patch: pytest.MonkeyPatch) -> None:
    """CN-HK stays what a database wrote: a part of CN."""
    patch.setattr(location, "OWN_COUNTRY_CODE", {})


def nobody_is_spared(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(decision, "_spare_one_host", lambda denied: denied)


def every_host_is_spared(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        decision,
        "_spare_one_host",
        lambda denied: [
            (who, replace(one, verdict=Verdict.DEFER, reason=Reason.HOST_CONTINUITY) if who.host else one)
            for who, one in denied
        ],
    )


def the_first_is_spared(patch: pytest.MonkeyPatch) -> None:
    """Whoever came first is spared, host or guest."""
    patch.setattr(
        decision,
        "_spare_one_host",
        lambda denied: [(denied[0][0], replace(denied[0][1], verdict=Verdict.DEFER)), *denied[1:]],
    )


def a_ban_list(patch: pytest.MonkeyPatch) -> None:
    """Who was turned away once is turned away everywhere and for good."""
    whole, banned = decision.decide, dict[str | None, Decision]()

    def decide(join: Join, where: Location, known: RuleSet, now: float) -> Decision:
        found = whole(join, where, known, now)
        if found.verdict is Verdict.REJECT:
            banned[join.participant] = found
        return banned.get(join.participant, found)

    patch.setattr(decision, "decide", decide)


def every_meeting_is_meant(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(RuleSet, "for_meeting", lambda self, _: self.rules)


def what_was_asked_is_done(patch: pytest.MonkeyPatch) -> None:
    whole = Order.match

    def match(self: Order, where: Location) -> Match:
        return Match.YES if self.asked and "account" in self.asked.objects else whole(self, where)

    patch.setattr(Order, "match", match)


def _reassess(
    name: str, change: Callable[[Sequence[Participant], list[tuple[Participant, Decision]]], object]
) -> Break:
    def take_away(patch: pytest.MonkeyPatch) -> None:
        whole = decision.reassess

        def reassess(
            present: Sequence[Participant], known: RuleSet, now: float, *, ends_without_host: bool = False
        ) -> object:
            return change(present, whole(present, known, now, ends_without_host=ends_without_host))

        patch.setattr(decision, "reassess", reassess)

    take_away.__name__ = name
    return take_away


_EJECTED = Decision(Verdict.EJECT, Reason.ORDER)

everybody_goes = _reassess("everybody_goes", lambda present, _: [(one, _EJECTED) for one in present])
one_takes_all_along = _reassess(
    "one_takes_all_along", lambda present, denied: [(one, _EJECTED) for one in present if denied]
)
the_last_is_forgotten = _reassess("the_last_is_forgotten", lambda _, denied: denied[:-1])


def reject_is_eject(patch: pytest.MonkeyPatch) -> None:
    """A rule about new joins reaches those who are inside."""
    whole = RuleSet.for_meeting
    patch.setattr(
        RuleSet,
        "for_meeting",
        lambda self, meeting: tuple(replace(one, action=Action.EJECT) for one in whole(self, meeting)),
    )


def those_inside_are_moved(patch: pytest.MonkeyPatch) -> None:
    """Being judged again leaves a mark on whoever may stay."""
    whole = decision.reassess

    def reassess(
        present: Sequence[Participant], known: RuleSet, now: float, *, ends_without_host: bool = False
    ) -> list[tuple[Participant, Decision]]:
        denied = whole(present, known, now, ends_without_host=ends_without_host)
        for one in present:
            if one not in [who for who, _ in denied]:
                one.state = State.DEFERRED
        return denied

    patch.setattr(decision, "reassess", reassess)


def entries_are_not_counted(patch: pytest.MonkeyPatch) -> None:
    whole = Roster.register

    def register(self: Roster, join: Join, *rest: object) -> Participant:
        participant = whole(self, join, *rest)  # type: ignore[arg-type]
        self._size -= 1
        return participant

    patch.setattr(Roster, "register", register)


def hosts_are_invisible(patch: pytest.MonkeyPatch) -> None:
    whole = Roster.__iter__

    def visible(self: Roster) -> Iterator[Participant]:
        return (one for one in whole(self) if not one.host)

    patch.setattr(Roster, "__iter__", visible)


def the_ejected_vanish_early(patch: pytest.MonkeyPatch) -> None:
    """A participant is struck off when told to go, and not when gone."""
    whole = Roster.of_meeting
    patch.setattr(
        Roster,
        "of_meeting",
        lambda self, meeting: tuple(one for one in whole(self, meeting) if one.state is not State.EJECTING),
    )


def the_gone_stay(patch: pytest.MonkeyPatch) -> None:
    whole = Roster.apply

    def apply(self: Roster, participant: Participant, event: Event) -> State:
        state = whole(self, participant, event)
        if event is Event.LEAVE:
            self._meetings.setdefault(participant.meeting, {})[participant] = None
        return state

    patch.setattr(Roster, "apply", apply)


def the_same_name_is_one_entry(patch: pytest.MonkeyPatch) -> None:
    """Compared by id and not by identity, a second connection of the same person hides behind the first."""
    patch.setattr(Participant, "__eq__", lambda self, other: (self.id, self.meeting) == (other.id, other.meeting))
    patch.setattr(Participant, "__hash__", lambda self: hash((self.id, self.meeting)))


def orders_never_end(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Order, "in_force", lambda self, now: self.opens <= now)


def orders_end_late(patch: pytest.MonkeyPatch) -> None:
    """The last moment belongs to the window: [opens, closes] in place of [opens, closes)."""
    patch.setattr(Order, "in_force", lambda self, now: self.opens <= now <= self.closes)


def shadows_are_real(patch: pytest.MonkeyPatch) -> None:
    whole = decision._judge

    def judge(named: Sequence[Rule], where: Location, now: float, restrict: Verdict) -> Decision:
        return whole([replace(one, shadow=False) for one in named], where, now, restrict)

    patch.setattr(decision, "_judge", judge)


ROWS = (
    Row("territory.lies_in", everybody_is_inside, holds.test_g1_territorial),
    Row("territory.lies_in", everybody_is_inside, holds.test_g1_territorial_for_those_inside),
    Row("territory.lies_in, exact", parts_are_rolled_up, holds.test_g1_territorial),
    Row("rules.Order.match, unknown is doubt", doubt_is_guilt, holds.test_g1_territorial),
    Row("rules.Order.match, unknown is doubt", doubt_is_guilt, holds.test_g1_territorial_for_those_inside),
    Row("rules.Order.match", doubt_is_guilt, holds.test_g1_territorial_doubt_admits_and_is_counted),
    Row("rules.Order.match", doubt_is_nothing, holds.test_g1_territorial_doubt_admits_and_is_counted),
    Row("tally.Tally.count", doubt_is_not_counted, holds.test_g1_territorial_doubt_admits_and_is_counted),
    Row("rules.Order.__post_init__", authorities_have_no_borders, holds.test_g2_scoped),
    Row("territory.outside, of subdivisions", parts_lie_in_every_country, holds.test_g2_scoped),
    Row("territory.lies_in, exact", countries_are_rolled_up, holds.test_g2_scoped_to_exact_codes),
    Row("location.place", own_codes_are_parts, holds.test_g2_scoped_to_exact_codes),
    Row("decision._spare_one_host", nobody_is_spared, holds.test_g3_continuity),
    Row("decision._spare_one_host", the_first_is_spared, holds.test_g3_continuity),
    Row("decision._spare_one_host, one", every_host_is_spared, holds.test_g3_continuity_spares_one_host_and_no_more),
    Row("decision.decide, of one meeting", a_ban_list, holds.test_g4_no_accounts),
    Row("rules.RuleSet.for_meeting", every_meeting_is_meant, holds.test_g4_no_accounts),
    Row("rules.Order.asked, never read", what_was_asked_is_done, holds.test_g4_no_accounts_whatever_was_asked),
    Row("decision.reassess", everybody_goes, holds.test_g5_undisturbed),
    Row("decision.reassess, one at a time", one_takes_all_along, holds.test_g5_undisturbed),
    Row("decision.reassess", the_last_is_forgotten, holds.test_g5_undisturbed),
    Row("decision.reassess, moves nobody", those_inside_are_moved, holds.test_g5_undisturbed),
    Row("decision.reassess, of Action.EJECT", reject_is_eject, holds.test_g5_undisturbed),
    Row("decision._judge, shadow", shadows_are_real, holds.test_g5_undisturbed),
    Row("rules.RuleSet.for_meeting", every_meeting_is_meant, holds.test_g5_undisturbed),
    Row("decision.reassess", everybody_goes, holds.test_g5_undisturbed_by_an_order_nobody_matches),
    Row("roster.Roster.register", entries_are_not_counted, holds.test_g6_visible),
    Row("roster.Roster.__iter__", hosts_are_invisible, holds.test_g6_visible),
    Row("roster.TRANSITIONS, ejecting is here", the_ejected_vanish_early, holds.test_g6_visible),
    Row("roster.Roster.apply, gone", the_gone_stay, holds.test_g6_visible),
    Row("roster.Participant, identity", the_same_name_is_one_entry, holds.test_g6_visible),
    Row("roster.Roster.__iter__", hosts_are_invisible, holds.test_g6_visible_from_the_first_moment),
    Row("rules.Order.in_force", orders_never_end, holds.test_g7_reversible),
    Row("rules.Order.in_force, half-open", orders_end_late, holds.test_g7_reversible),
    Row("rules.Order.in_force", orders_never_end, holds.test_g7_reversible_for_the_ejected),
    Row("decision.decide, no memory", a_ban_list, holds.test_g7_reversible),
    Row("decision.decide, no memory", a_ban_list, holds.test_g7_reversible_for_the_ejected),
    Row("decision.decide, no memory", a_ban_list, holds.test_g7_reversible_since_nothing_is_remembered),
)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.property.__name__[5:]}-{row.take_away.__name__}")
def test_the_property_falls_without_its_guard(row: Row, monkeypatch: pytest.MonkeyPatch) -> None:
    row.take_away(monkeypatch)
    # One counterexample is enough; making it small is for people. Hypothesis has no public way to say so from outside.
    lean = settings(
        phases=(Phase.generate,), database=None, report_multiple_bugs=False, stateful_step_count=25, max_examples=2000
    )
    monkeypatch.setattr(row.property, "_hypothesis_internal_use_settings", lean, raising=False)
    monkeypatch.setattr(holds, "STEPS", lean)
    with pytest.raises((AssertionError, FlakyFailure, pytest.fail.Exception)):
        row.property()


def test_every_guarantee_has_a_guard_that_was_taken_away() -> None:
    properties = {name for name in vars(holds) if name.startswith("test_g")}
    fallen = {row.property.__name__ for row in ROWS} | {
        "test_g3_continuity_has_no_word_for_ending_a_meeting",  # both below
        "test_g4_no_accounts_in_the_vocabulary",
    }
    assert properties == fallen
    assert {name[:7] for name in fallen} == {f"test_g{number}" for number in range(1, 8)}


@pytest.mark.parametrize(
    "source",
    [
        "def end_meeting(): ...",
        "async def close_all_rooms(): ...",
        "class MeetingTermination: ...",
        "class A:\n    def lock_room(self): ...",
        "DELETE_ROOM = 1",
        "client.destroyRoom()",
        "path = '/twirp/livekit.RoomService/DeleteRoom'",
        "request = {'janus': 'message', 'body': {'request': 'destroy'}}",
        "url = b'/bigbluebutton/api/endMeeting'",
    ],
)
def test_a_word_for_ending_a_meeting_is_found(source: str) -> None:
    assert len(meeting_words({"x.py": source})) == 1


def test_the_verbs_of_meeting_servers_are_found_alone_where_they_are_spoken_to() -> None:
    source = "request = 'end'"
    assert meeting_words({"servers/bigbluebutton.py": source}) == ["servers/bigbluebutton.py:1: end"]
    assert meeting_words({"codecs/http1.py": source}) == []


@pytest.mark.parametrize(
    "source",
    [
        "def suspend_account(): ...",
        "def ban_user(): ...",
        "class AccountSuspension: ...",
        "api.disableHost()",
        "BLOCK_THE_ORGANISER = 1",
        "url = '/v2/users/{id}/user-deactivate'",
    ],
)
def test_a_word_for_touching_an_account_is_found(source: str) -> None:
    assert len(account_words({"x.py": source})) == 1


@pytest.mark.parametrize(
    "source",
    [
        '"""Nothing ends a meeting; end_meeting does not exist."""',
        "members['meeting_ended'] = False",
        "end = text.find('end of the meeting')",
        "def close(self): ...",
        "HOST_POLICY = 'host_policy'",
    ],
)
def test_facts_sentences_and_other_ends_are_free(source: str) -> None:
    assert meeting_words({"x.py": source}) == account_words({"x.py": source}) == []
