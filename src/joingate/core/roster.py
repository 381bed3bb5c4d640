"""Who is in which meeting, as far as the gate lets them be: every live participant is in the count (G6).

A participant enters before being judged, so a reload between decision and relay finds them. Their life is this table;
what is not in it is a defect:

    REGISTERED --admit--> ADMITTED --eject--> EJECTING --leave--> GONE
        |                  |    ^ |
      reject           defer  admit leave
        v                  v    |
       GONE               DEFERRED (also: eject, leave)

Roster entries live in memory alone. They are the only place where an address stands beside a meeting, because a later
order or database must be able to find exactly the people it means, and they go when the connection goes.
"""

from collections.abc import Iterator, KeysView
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from joingate.core.model import UNKNOWN, Address, Cause, Join, Location

if TYPE_CHECKING:
    from joingate.core.decision import Decision
    from joingate.core.receipt import Receipt
    from joingate.core.record import Told


class State(StrEnum):
    """Where a participant stands."""

    __hash__ = str.__hash__  # each decision asks for several, and Enum's own is a function in Python

    REGISTERED = "registered"
    ADMITTED = "admitted"
    DEFERRED = "deferred"  # inside, and would be ejected but for host continuity (G3)
    EJECTING = "ejecting"
    GONE = "gone"


class Event(StrEnum):
    """What can happen to a participant."""

    __hash__ = str.__hash__

    ADMIT = "admit"
    REJECT = "reject"
    DEFER = "defer"
    EJECT = "eject"
    LEAVE = "leave"


TRANSITIONS: dict[tuple[State, Event], State] = {
    (State.REGISTERED, Event.ADMIT): State.ADMITTED,
    (State.REGISTERED, Event.REJECT): State.GONE,
    (State.REGISTERED, Event.LEAVE): State.GONE,
    (State.ADMITTED, Event.DEFER): State.DEFERRED,
    (State.ADMITTED, Event.EJECT): State.EJECTING,
    (State.ADMITTED, Event.LEAVE): State.GONE,
    (State.DEFERRED, Event.ADMIT): State.ADMITTED,
    (State.DEFERRED, Event.EJECT): State.EJECTING,
    (State.DEFERRED, Event.LEAVE): State.GONE,
    (State.EJECTING, Event.LEAVE): State.GONE,
}


class Carrier(Protocol):
    """The connection that carries a participant; the one thing the roster can ask of it."""

    @property
    def telling(self) -> "Told":
        """How the participant would be told now."""

    def eject(self, participant: "Participant", decision: "Decision", receipt: "Receipt") -> None:
        """Tell the participant why, and end this participant's connection, and nothing else.

        Args:
            participant: whom.
            decision: why.
            receipt: of the record of it, for the participant.
        """


class Participant:
    """One participant in one meeting over one connection. Compares by identity."""

    __slots__ = ("carrier", "client_ip", "host", "id", "location", "meeting", "place", "state")

    def __init__(self, join: Join, client_ip: Address | None, carrier: Carrier) -> None:
        self.meeting = join.meeting
        self.id = join.participant
        self.host = join.host
        self.place = join.place
        self.client_ip = client_ip
        self.carrier = carrier
        self.location: Location = UNKNOWN[Cause.NO_DATABASE]
        self.state = State.REGISTERED

    @property
    def join(self) -> Join:
        """By which the participant came."""
        return Join(self.meeting, self.id, self.host, self.place)

    @property
    def is_inside(self) -> bool:
        """Whether the participant is in the meeting and is to stay there for now."""
        return self.state is State.ADMITTED or self.state is State.DEFERRED


class Roster:
    """All participants, by meeting."""

    __slots__ = ("_meetings", "_size")

    def __init__(self) -> None:
        self._meetings: dict[str, dict[Participant, None]] = {}
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Participant]:
        for present in self._meetings.values():
            yield from present

    def meetings(self) -> KeysView[str]:
        """Return the ids of the meetings with at least one participant."""
        return self._meetings.keys()

    def of_meeting(self, meeting: str) -> tuple[Participant, ...]:
        """Return the participants of `meeting`, in the order of their joins."""
        return tuple(self._meetings.get(meeting, ()))

    def register(self, join: Join, client_ip: Address | None, carrier: Carrier) -> Participant:
        """Enter a participant who is about to be judged."""
        participant = Participant(join, client_ip, carrier)
        self._meetings.setdefault(join.meeting, {})[participant] = None
        self._size += 1
        return participant

    def apply(self, participant: Participant, event: Event) -> State:
        """Move a participant along the table.

        Raises:
            KeyError: the table has no such step; a defect of the caller.
        """
        state = TRANSITIONS[participant.state, event]
        participant.state = state
        if state is State.GONE:
            present = self._meetings[participant.meeting]
            del present[participant]
            if not present:
                del self._meetings[participant.meeting]
            self._size -= 1
        return state
