"""The participants whom one connection, or one session of many requests, carries: several, in several meetings.

Every way in leads through `enter`: a join, and whatever brings back whom another connection has left.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from joingate.codecs.dialect import NOT_KNOWN, Enters, Leaves, Refusal, Resumes, UnreadableError, refusal_of
from joingate.codecs.notice import Notice, build_notice
from joingate.core.decision import Decision
from joingate.core.model import Address, Join, Location
from joingate.core.receipt import Receipt
from joingate.core.record import Told
from joingate.core.roster import Carrier, Participant

if TYPE_CHECKING:
    from joingate.gate.gate import Gate

MOST: Final = 1024
"""Of one connection: a Janus client has a place for each of the others it sees."""

Place = tuple[str, ...]


class Denied(NamedTuple):
    """Why a join is rejected."""

    decision: Decision
    location: Location
    receipt: Receipt

    @property
    def refusal(self) -> Refusal:
        """The same, for an answer in the server's own dialect."""
        return refusal_of(self.decision, self.receipt)

    @property
    def notice(self) -> Notice:
        """The same, for an answer by HTTP."""
        return build_notice(self.decision, self.location, receipt=self.receipt)


class Seats:
    """Who is where. It is the resumption.Holder of its connection.

    Attributes:
        telling: how those would be told whose join is being judged; None while none is.
    """

    __deletable__ = ("_carrier",)  # for mypyc, which wants to know
    __slots__ = ("_carrier", "_claims", "_expelled", "_present", "_tokens", "gate", "telling")

    def __init__(self, gate: "Gate", carrier: Carrier) -> None:
        self.gate = gate
        self._carrier = carrier
        self._present: dict[tuple[str, Place], Participant] = {}
        self._expelled: dict[tuple[str, Place], Join] = {}  # ejected, and maybe not gone from the server yet
        self._claims: dict[str, Place] = {}  # tokens that the server has not granted yet, and whom they bring along
        self._tokens: set[str] = set()
        self.telling: Told | None = None

    def __len__(self) -> int:
        return len(self._present)

    def heed(
        self, said: Enters | Resumes | Leaves, client_ip: Address | None, telling: Told = Told.IN_BAND
    ) -> Denied | Refusal | None:
        """Judge what a client says in its server's dialect.

        Args:
            said: what.
            client_ip: where it comes from.
            telling: how a rejection is told.

        Returns:
            Why it is refused, by a rule or for want of a known token; None when it may go on.

        Raises:
            UnreadableError: it is more than one connection may carry.
        """
        if isinstance(said, Leaves):
            self.leave(said)
            return None
        if isinstance(said, Resumes) and said.token in self._tokens:
            return None  # its own
        joins = [said.join] if isinstance(said, Enters) else self.gate.resumption.find(said.token, said.place)
        if joins is None:
            return NOT_KNOWN if isinstance(said, Resumes) and said.is_required else None
        denied = self.enter(joins, client_ip, telling)
        if denied is None and isinstance(said, Resumes):
            if said.is_shared:
                self.hold({said.token})
            else:
                self._claims[said.token] = said.place
        return denied

    def enter(self, joins: Sequence[Join], client_ip: Address | None, telling: Told) -> Denied | None:
        """Judge joins that come together; all of them enter, or none.

        Args:
            joins: those of whoever is inside here already are passed over.
            client_ip: where they come from.
            telling: how a rejection is told.

        Raises:
            UnreadableError: they would be too many.
        """
        entered: list[Participant] = []
        for join in joins:
            present = self._present.get((join.meeting, join.place))
            if present is not None and present.is_inside:
                continue
            if len(self._present) >= MOST:
                raise UnreadableError(f"One connection carries at most {MOST} participants.")
            self.telling = telling
            participant, decision, receipt = self.gate.judge(join, client_ip, self._carrier)
            self.telling = None
            if receipt is not None:
                for each in entered:
                    self.vacate(each)
                return Denied(decision, participant.location, receipt)
            entered.append(participant)
            self._expelled.pop((join.meeting, join.place), None)
            self._present[join.meeting, join.place] = participant
        return None

    def leave(self, leaves: Leaves) -> None:
        """Let those go who leave."""
        for (meeting, place), participant in tuple(self._present.items()):
            if leaves.meeting in {None, meeting} and place[: len(leaves.place)] == leaves.place:
                self.vacate(participant)

    def vacate(self, participant: Participant) -> None:
        """Let a participant go."""
        seat = (participant.meeting, participant.place)
        if self._present.get(seat) is participant:
            del self._present[seat]
        self.gate.leave(participant)

    def expel(self, participant: Participant) -> None:
        """Let an ejected participant go, and remember: whoever takes this connection over may get them along."""
        self._expelled[participant.meeting, participant.place] = participant.join
        self.vacate(participant)

    def joins_at(self, place: Place) -> Sequence[Join]:
        """Return by which joins those came whom the server may have still (Holder)."""
        joins = [each.join for each in self._present.values()] + list(self._expelled.values())
        return [join for join in joins if join.place[: len(place)] == place]

    def give_up(self, place: Place) -> None:
        """Let those go whom another connection has taken over (Holder)."""
        for participant in tuple(self._present.values()):
            if participant.place[: len(place)] == place and participant.is_inside:
                self.vacate(participant)

    def hold(self, tokens: set[str]) -> None:
        """Note by which tokens others may take over who is here; one that was claimed is granted by that."""
        for token in tokens - self._tokens:
            if token in self._claims:
                self.gate.resumption.take(token, self._claims.pop(token), self)
            else:
                self.gate.resumption.hold(token, self)
        self._tokens |= tokens

    def end(self) -> None:
        """Let everyone go; what the server keeps of them may be taken over."""
        joins = self.joins_at(())
        for token in self._tokens:
            self.gate.resumption.leave(token, self, joins)
        for participant in tuple(self._present.values()):
            self.vacate(participant)
        del self._carrier  # which holds these seats: nothing may be left for the collector
