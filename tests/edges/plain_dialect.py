"""A meeting server's dialect as plain as can be, for tests of what the gate makes of any dialect.

A message is words: `enter MEETING WHO`, `resume TOKEN`, `share TOKEN`, `leave [MEETING]`, `odd`; anything else means
nothing. On a WebSocket, the server's `token TOKEN` gives what resumes it, its `resume TOKEN` grants that, and its
`left MEETING` lets go. Over HTTP, `POST /poll/TOKEN` carries a message in its body.
"""

from collections.abc import Sequence

from joingate.codecs.dialect import Conversation, Enters, Leaves, Polled, Refusal, Resumes, Said, UnreadableError
from joingate.codecs.http1 import Headers, RequestHead, ResponseHead
from joingate.codecs.join_route import JoinRoute
from joingate.core.model import Join


def read(message: bytes) -> Said:
    word, *rest = message.decode(errors="replace").split() or [""]
    match word, rest:
        case "enter", [meeting, who]:
            return Enters(Join(meeting, who, place=(who,)))
        case "resume", [token]:
            return Resumes(token)
        case "share", [token]:
            return Resumes(token, is_shared=True)
        case "restore", [token]:
            return Resumes(token, is_required=False)
        case "leave", []:
            return Leaves()
        case "leave", [meeting]:
            return Leaves(meeting)
        case "odd", _:
            raise UnreadableError("That is odd.")
    return None


class PlainConversation:
    hears_server = True

    def __init__(self) -> None:
        self.tokens: set[str] = set()

    def from_client(self, message: bytes) -> Said:
        if message == b"defect":
            raise RuntimeError("a defect")
        return read(message)

    def from_server(self, message: bytes) -> Leaves | None:
        word, _, rest = message.decode().partition(" ")
        if word in {"token", "resume"}:  # given, or granted
            self.tokens.add(rest)
        return Leaves(rest) if word == "left" else None

    def refusal(self, message: bytes, why: Refusal) -> Sequence[bytes]:
        return [b"refused %d " % why.status + message]

    def farewell(self, join: Join, why: Refusal) -> Sequence[bytes]:
        return [f"farewell {why.status} {join.meeting} {join.participant}".encode()]


class PlainDialect:
    name = "plain"
    routes: Sequence[JoinRoute] = ()
    keeps_after_close: float | None = 0

    def fold(self, meeting: str) -> str:
        return meeting

    def conversation(self, target: bytes, headers: Headers) -> Conversation | None:  # noqa: ARG002 - Dialect's signature
        return None if target.startswith(b"/unread") else PlainConversation()

    def reads_body(self, head: RequestHead) -> bool:
        return head.target.startswith(b"/poll")

    def polled(self, head: RequestHead, body: bytes) -> Polled:
        return Polled(head.target.removeprefix(b"/poll").strip(b"/").decode(), read(body))

    def poll_refusal(self, head: RequestHead, body: bytes, why: Refusal) -> tuple[bytes, bytes] | None:
        if head.target.startswith(b"/poll/plainly"):
            return None
        return b"text/plain", b"refused %d " % why.status + body

    def left_by(self, join: Join, head: ResponseHead) -> str | None:  # noqa: ARG002 - Dialect's signature
        for line in head.relayed:
            name, _, value = line.partition(b": ")
            if name == b"Token":
                return value.strip().decode()
        return None


class Remover:
    """A way to remove one participant, which notes whom."""

    can_remove = True

    def __init__(self) -> None:
        self.asked: list[tuple[Join, int]] = []

    def remove(self, join: Join, seq: int) -> None:
        self.asked.append((join, seq))
