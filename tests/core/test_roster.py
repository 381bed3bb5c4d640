from ipaddress import IPv4Address
from itertools import product

import pytest

from joingate.core.model import UNKNOWN, Cause, Join
from joingate.core.roster import TRANSITIONS, Event, Participant, Roster, State
from tests.paper_gate import Line

PATHS: dict[State, tuple[Event, ...]] = {
    State.REGISTERED: (),
    State.ADMITTED: (Event.ADMIT,),
    State.DEFERRED: (Event.ADMIT, Event.DEFER),
    State.EJECTING: (Event.ADMIT, Event.EJECT),
    State.GONE: (Event.LEAVE,),
}
"""How a participant comes to be in each state."""


def someone(roster: Roster, state: State = State.REGISTERED, meeting: str = "m") -> Participant:
    participant = roster.register(Join(meeting, "ann", host=True), IPv4Address("1.1.1.1"), Line())
    for event in PATHS[state]:
        roster.apply(participant, event)
    return participant


def test_a_participant_is_what_the_join_said() -> None:
    line = Line()
    join = Join("m", "ann", host=True, place=("session", "handle"))
    participant = Roster().register(join, None, line)
    assert participant.join == join
    assert (participant.meeting, participant.id, participant.host) == ("m", "ann", True)
    assert participant.client_ip is None
    assert participant.carrier is line
    assert participant.location is UNKNOWN[Cause.NO_DATABASE]
    assert participant.state is State.REGISTERED


@pytest.mark.parametrize(("state", "event"), list(product(State, Event)), ids=lambda member: member.name)
def test_every_step_is_in_the_table_or_a_defect(state: State, event: Event) -> None:
    roster = Roster()
    participant = someone(roster, state)
    assert participant.state is state
    if (state, event) not in TRANSITIONS:
        with pytest.raises(KeyError):
            roster.apply(participant, event)
        assert participant.state is state
        assert len(roster) == (state is not State.GONE)
        return
    after = roster.apply(participant, event)
    assert after is participant.state is TRANSITIONS[state, event]
    assert list(roster) == ([] if after is State.GONE else [participant])


def test_the_table_is_the_one_drawn_in_the_module() -> None:
    """Written again, by hand: a step more or less is a change of what can happen to people."""
    drawn = """
        registered: admit=admitted reject=gone leave=gone
        admitted:   defer=deferred eject=ejecting leave=gone
        deferred:   admit=admitted eject=ejecting leave=gone
        ejecting:   leave=gone
    """
    steps = {
        (State(before.strip()), Event(event)): State(after)
        for before, _, rest in (line.partition(":") for line in drawn.strip().splitlines())
        for event, after in (step.split("=") for step in rest.split())
    }
    assert steps == TRANSITIONS


def test_every_state_but_gone_can_be_left() -> None:
    """No participant can become stuck: their connection may end at any moment."""
    assert {state for state, event in TRANSITIONS if event is Event.LEAVE} == set(State) - {State.GONE}
    assert not any(state is State.GONE for state, _ in TRANSITIONS)


@pytest.mark.parametrize("state", State, ids=lambda state: state.name)
def test_inside_are_the_admitted_and_the_deferred(state: State) -> None:
    assert someone(Roster(), state).is_inside is (state in (State.ADMITTED, State.DEFERRED))


def test_meetings_come_and_go_with_their_participants() -> None:
    roster = Roster()
    assert (len(roster), list(roster.meetings()), roster.of_meeting("m")) == (0, [], ())
    first, second, other = someone(roster), someone(roster), someone(roster, meeting="n")
    assert (len(roster), list(roster), list(roster.meetings())) == (3, [first, second, other], ["m", "n"])
    assert roster.of_meeting("m") == (first, second)  # the same person twice: two connections, two entries
    roster.apply(first, Event.LEAVE)
    assert (roster.of_meeting("m"), len(roster)) == ((second,), 2)
    roster.apply(second, Event.REJECT)
    assert (list(roster.meetings()), roster.of_meeting("m"), len(roster)) == (["n"], (), 1)


def test_what_of_meeting_returned_stays_as_it_was() -> None:
    roster = Roster()
    participant = someone(roster)
    present = roster.of_meeting("m")
    roster.apply(participant, Event.LEAVE)
    assert present == (participant,)


def test_participants_compare_by_identity() -> None:
    roster = Roster()
    one, other = someone(roster), someone(roster)
    assert one != other
    assert len({one, other}) == 2


@pytest.mark.interpreted
def test_there_is_no_room_for_a_list_of_bans() -> None:
    assert Roster.__slots__ == ("_meetings", "_size")  # live participants and their number (G7)
