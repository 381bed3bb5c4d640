"""Sessions made of many requests: long polling (BOSH, Janus over HTTP). One session, whoever comes with its token.

The participants stay on the roster between requests, until the session says that they leave, or nothing comes for too
long. A session that goes on from another address is judged anew from there. An ejected participant's waiting poll is
answered with the reason, and so is every request of the session for as long as what they were ejected by stands.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from joingate.codecs.dialect import NOT_KNOWN, Dialect, UnreadableError
from joingate.codecs.http1 import RequestHead
from joingate.codecs.notice import Notice, build_notice
from joingate.core.decision import Decision
from joingate.core.model import Address, Join
from joingate.core.receipt import Receipt
from joingate.core.record import Told
from joingate.core.roster import Participant
from joingate.gate.seats import Denied, Seats

if TYPE_CHECKING:
    from joingate.gate.gate import Gate

MOST_BODY: Final = 262_144
"""Bytes of a body that may carry a join; as of a WebSocket's message."""

IDLE: Final = 60.0
"""Seconds without a request after which a session is over, as Janus's session_timeout and Prosody's BOSH have it."""


@dataclass(frozen=True, slots=True)
class Denial:
    """What a request gets instead of the meeting server's answer: a notice, or a 200 in the server's own dialect.

    Attributes:
        notice: why; None where `in_band` says it, or where the gate has no room for another session.
        in_band: content type and body.
    """

    notice: Notice | None = None
    in_band: tuple[bytes, bytes] | None = None


class Poll(Protocol):
    """A request of a session, until it is answered."""

    def deny(self, denial: Denial) -> None:
        """Answer it so, unless an answer has begun."""


class Session:
    """One session, which carries its participants (Carrier)."""

    __slots__ = ("client_ip", "deadline", "ejected", "polls", "seats")

    def __init__(self, gate: "Gate", client_ip: Address | None) -> None:
        self.seats = Seats(gate, self)
        self.client_ip = client_ip
        self.deadline = 0.0
        self.polls: set[Poll] = set()
        self.ejected: tuple[Join, Notice] | None = None  # whose end is the end of the session

    @property
    def telling(self) -> Told:
        """How a participant would be told now (Carrier)."""
        return self.seats.telling or (Told.HTTP if self._is_over_with_one() else Told.NOT)

    def _is_over_with_one(self) -> bool:
        return len(self.seats) == 1 or not self.seats.gate.can_remove

    def eject(self, participant: Participant, decision: Decision, receipt: Receipt) -> None:
        """Answer a waiting poll with the reason, unless the session goes on for somebody else (Carrier)."""
        is_over = self._is_over_with_one()
        self.seats.expel(participant)
        if is_over:
            notice = build_notice(decision, participant.location, receipt=receipt)
            self.ejected = participant.join, notice
            for poll in tuple(self.polls):
                poll.deny(Denial(notice))

    def continue_from(self, client_ip: Address | None) -> Denied | None:
        """Judge anew, where the session goes on from another address; None when it may."""
        if client_ip == self.client_ip:
            return None
        here = Seats(self.seats.gate, self)
        denied = here.enter(self.seats.joins_at(()), client_ip, Told.HTTP)
        if denied is None:
            self.seats.end()
            self.seats, self.client_ip = here, client_ip
        return denied


class Polling:
    """The sessions that carry somebody."""

    def __init__(self, gate: "Gate", dialect: Dialect, time: Callable[[], float]) -> None:
        """Judge by `gate` what `dialect` reads, by the clock `time`."""
        self._gate = gate
        self._dialect = dialect
        self._time = time
        self._sessions: dict[str, Session] = {}

    def __len__(self) -> int:
        return len(self._sessions)

    def judge(self, head: RequestHead, body: bytes, client_ip: Address | None) -> Denial | Session | None:
        """Understand a whole request.

        Returns:
            A denial; or None or the session it belongs to, where it may go on.

        Raises:
            UnreadableError: it cannot be understood in one way only.
        """
        token, said = self._dialect.polled(head, body)
        session = self._sessions.get(token)
        if session is None:
            if said is None:
                return None
            if not token:
                raise UnreadableError("The request belongs to no session.")
            if len(self._sessions) >= self._gate.options.max_connections:
                return Denial()
            session = Session(self._gate, client_ip)
        elif session.ejected is not None:
            join, notice = session.ejected
            if self._gate.denies(join, client_ip):
                self._await_more(session)
                return Denial(notice)
            session.ejected = None  # lifted, or elsewhere: nothing is held against anybody (G7)
        denied = session.continue_from(client_ip)
        if denied is not None:
            return Denial(denied.notice)
        why = None if said is None else session.seats.heed(said, client_ip, self._telling(head, body))
        self._keep(token, session)
        if why is None:
            return session
        in_band = self._dialect.poll_refusal(head, body, why.refusal if isinstance(why, Denied) else why)
        if in_band is not None:
            return Denial(in_band=in_band)
        if isinstance(why, Denied):
            return Denial(why.notice)
        raise UnreadableError(why.text)

    def _telling(self, head: RequestHead, body: bytes) -> Told:
        return Told.HTTP if self._dialect.poll_refusal(head, body, NOT_KNOWN) is None else Told.IN_BAND

    def _keep(self, token: str, session: Session) -> None:
        if not len(session.seats):
            self._sessions.pop(token, session).seats.end()
            return
        self._sessions[token] = session
        session.seats.hold({token})
        self._await_more(session)

    def _await_more(self, session: Session) -> None:
        session.deadline = self._time() + self._gate.options.response_timeout + IDLE

    def sweep(self, now: float) -> None:
        """End the sessions from which nothing has come for too long."""
        for token in [token for token, session in self._sessions.items() if session.deadline < now]:
            self._sessions.pop(token).seats.end()
