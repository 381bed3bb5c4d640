"""How one kind of meeting server is joined: what an adapter has to say, and nothing else.

A Dialect is pure. It names the requests that are joins by their head alone, and for joins inside a WebSocket or a
request's body it reads what the client says. `docs/adding-a-meeting-server.md` goes through one, line by line.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from joingate.codecs.close_codes import HOST_POLICY, LEGAL_ORDER, close_code, close_reason
from joingate.codecs.http1 import Headers, RequestHead, ResponseHead
from joingate.codecs.join_route import JoinRoute
from joingate.core.decision import Decision
from joingate.core.model import Join
from joingate.core.receipt import Receipt


@dataclass(frozen=True, slots=True)
class Enters:
    """The client joins a meeting. The message waits until the join is judged."""

    join: Join


@dataclass(frozen=True, slots=True)
class Resumes:
    """The client takes over what another connection has left; whoever is inside by that is judged anew, from here.

    Attributes:
        token: by which the server knows what was left.
        place: how the places of those begin whom it brings along; () for everyone the other connection carried.
        is_required: whether a token that the gate does not know is refused: whom it would bring in, nobody could say.
        is_shared: whether the other connection goes on too. If not, it keeps them until the server has granted this
            one the token, which then is among `Conversation.tokens`.
    """

    token: str
    place: tuple[str, ...] = ()
    is_required: bool = True
    is_shared: bool = False


@dataclass(frozen=True, slots=True)
class Leaves:
    """Somebody leaves. The server's word is the better one: a client may say so, and stay.

    Attributes:
        meeting: which; None for all.
        place: only who is there; how a place begins is enough. () for every place.
    """

    meeting: str | None = None
    place: tuple[str, ...] = ()


Said = Enters | Resumes | Leaves | None
"""What a client's message means to the gate; None for nothing."""


class Refusal(NamedTuple):
    """Why somebody is kept out, for an answer in the server's own dialect.

    Attributes:
        status: 451 under an order, 403 under a host policy.
        text: one sentence, with the receipt where there is one; at most 123 bytes of UTF-8.
    """

    status: int
    text: str


NOT_KNOWN = Refusal(403, "This session cannot be resumed here; join anew.")
"""The answer to Resumes with a token that the gate does not know."""


def refusal_of(decision: Decision, receipt: Receipt) -> Refusal:
    """Say a decision in one sentence, the one that a Close frame carries."""
    status = {LEGAL_ORDER: 451, HOST_POLICY: 403}[close_code(decision)]
    return Refusal(status, close_reason(decision, receipt.code).decode())


class UnreadableError(ValueError):
    """A message that the gate cannot understand as the server would. It goes no further, and the connection ends.

    The text says what is wrong, and names nothing of the message's own; at most 123 bytes of UTF-8.
    """


class Conversation(Protocol):
    """What is said on one WebSocket. The gate asks about every message of the client before it goes on.

    Attributes:
        tokens: by which what is inside could be taken over from elsewhere, as far as known so far (Resumes).
        hears_server: whether `from_server` wants the server's messages.
    """

    tokens: set[str]
    hears_server: bool

    def from_client(self, message: bytes) -> Said:
        """Read one whole message, text or binary.

        Raises:
            UnreadableError: it is none that the server could understand in one way only.
        """

    def from_server(self, message: bytes) -> Leaves | None:
        """Take note of what the server says, and return who has left by its word; what cannot be read says nothing."""

    def refusal(self, message: bytes, why: Refusal) -> Sequence[bytes]:
        """Return the messages, text, that answer a client's Enters or Resumes in the server's stead."""

    def farewell(self, join: Join, why: Refusal) -> Sequence[bytes]:
        """Return the messages, text, that tell the client of an ejection on a WebSocket that stays open."""


class Polled(NamedTuple):
    """What one request of a session carries that is made of many (long polling).

    Attributes:
        token: the session's, or "" before it has one.
        said: what it means.
    """

    token: str
    said: Said


class Dialect(Protocol):
    """One kind of meeting server."""

    @property
    def name(self) -> str:
        """As in `server = "..."`."""

    @property
    def routes(self) -> Sequence[JoinRoute]:
        """Requests that are joins by their heads; () where there are none."""

    @property
    def keeps_after_close(self) -> float | None:
        """Seconds that the default installation keeps a participant whose connections are gone; None: no limit."""

    def fold(self, meeting: str) -> str:
        """Fold the id of a meeting as the server does.

        Raises:
            ValueError: it can be none.
        """

    def conversation(self, target: bytes, headers: Headers) -> Conversation | None:
        """Return what reads a WebSocket opened by this request; None where it can carry no join."""

    def reads_body(self, head: RequestHead) -> bool:
        """Whether the body of a request that is no join by its head may carry one."""

    def polled(self, head: RequestHead, body: bytes) -> Polled:
        """Read a request whose body `reads_body` has asked for.

        Raises:
            UnreadableError: the server might understand it in more than one way.
        """

    def poll_refusal(self, head: RequestHead, body: bytes, why: Refusal) -> tuple[bytes, bytes] | None:
        """Return content type and body of a 200 that refuses in the server's own dialect; None for a plain 451/403."""

    def left_by(self, join: Join, head: ResponseHead) -> str | None:
        """Return the token by which the client will take over a join that this answer ends (Resumes); None: no such."""
