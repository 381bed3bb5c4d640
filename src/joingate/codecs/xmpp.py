"""The dialects of Prosody, and of Jitsi, which is Prosody with a media bridge behind it.

Every WebSocket that may speak XMPP is read: one message is one element (RFC 7395). What its URL says about rooms binds
nobody. BOSH is read alike.

Sources: RFC 7395, XEP-0198 5; Prosody 0.12 mod_websocket.lua, mod_smacks.lua; docker-jitsi-meet's prosody and nginx
templates for Jitsi's 60 seconds.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from joingate.codecs import bosh
from joingate.codecs.dialect import Leaves, Polled, Refusal, Said, UnreadableError
from joingate.codecs.http1 import Headers, RequestHead, ResponseHead
from joingate.codecs.join_route import JoinRoute
from joingate.codecs.xmpp_address import fold
from joingate.codecs.xmpp_joins import SASL2, STREAM_MANAGEMENT, Rooms, farewell, refusal, said
from joingate.codecs.xmpp_stanza import CLIENT, Element, read_element, read_elements
from joingate.core.model import Join

_FRAMING: Final = "urn:ietf:params:xml:ns:xmpp-framing"
_BIND: Final = "urn:ietf:params:xml:ns:xmpp-bind"
_SM: Final = STREAM_MANAGEMENT.encode()


class Prosody:
    """Prosody, as its packages install it (Dialect)."""

    name = "prosody"
    routes: Sequence[JoinRoute] = ()
    has_tenants = False

    def __init__(self, components: Iterable[str] = (), *, keeps_after_close: float = 600.0) -> None:
        """Prepare the dialect.

        Args:
            components: domains of the MUC components. With none, every address with a node is taken for a room's, so
                that presence sent to a contact counts as a join into a meeting called like the contact.
            keeps_after_close: seconds for which a stream can be resumed, `smacks_hibernation_time`; without smacks 60,
                for which BOSH waits (`bosh_max_inactivity`).

        Raises:
            UnreadableError: a component is no domain.
        """
        self.keeps_after_close: float | None = keeps_after_close
        self._rooms = Rooms(components, has_tenants=self.has_tenants)

    def fold(self, meeting: str) -> str:
        """Fold the name of a room."""
        return fold(meeting)

    def conversation(self, target: bytes, headers: Headers) -> "XmppConversation | None":  # noqa: ARG002 - Dialect's
        """Read every WebSocket that offers to speak XMPP, which Prosody demands; others cannot reach a room."""
        offered = b",".join(
            # Prosody does not tell "_" from "-" in the names of headers.
            value
            for name, value in headers
            if name.lower().replace(b"_", b"-") == b"sec-websocket-protocol"
        )
        return XmppConversation(self._rooms) if b"xmpp" in offered.lower() else None

    def reads_body(self, head: RequestHead) -> bool:
        """Whether the request may be BOSH."""
        return bosh.may_carry(head)

    def polled(self, head: RequestHead, body: bytes) -> Polled:  # noqa: ARG002 - Dialect's
        """Read a BOSH body."""
        return bosh.read_body(body, self._rooms)

    def poll_refusal(self, head: RequestHead, body: bytes, why: Refusal) -> tuple[bytes, bytes]:  # noqa: ARG002
        """Refuse the join in a BOSH body."""
        return bosh.refuse(body, self._rooms, why)

    def left_by(self, join: Join, head: ResponseHead) -> str | None:  # noqa: ARG002 - Dialect's
        """Return None: no request is a join by its head."""
        return None


class Jitsi(Prosody):
    """Jitsi Meet: rooms of tenants, and 60 seconds (Dialect).

    Lobbies and breakout rooms are rooms of their own, on components of their own. A lobby is called like its room, and
    is the same meeting here; a breakout room has a random name, so no rule names it.
    """

    name = "jitsi"
    has_tenants = True

    def __init__(self, components: Iterable[str] = (), *, keeps_after_close: float = 60.0) -> None:
        """Prepare the dialect; `components` as for Prosody, and needed where tenants have rooms of the same name."""
        super().__init__(components, keeps_after_close=keeps_after_close)


class XmppConversation:
    """One WebSocket (Conversation)."""

    hears_server = True

    def __init__(self, rooms: Rooms) -> None:
        self.tokens: set[str] = set()
        self._rooms = rooms
        self._owner = ""

    def from_client(self, message: bytes) -> Said:
        """Read one message."""
        if message.isspace() or not message:
            return None
        if not message.startswith(b"<"):
            raise UnreadableError("An XMPP message starts with an element.")
        element = read_element(message)
        if element.name == "close" and element.namespace == _FRAMING:
            return Leaves()
        return said(element, self._rooms, self._owner)

    def from_server(self, message: bytes) -> None:
        """Learn the client's own address, and by which token the stream could be resumed."""
        if self._owner and _SM not in message:
            return
        try:
            elements = read_elements(message)
        except UnreadableError:
            return
        for element in elements:
            self._owner = self._owner or _own_address(element)
            inside = element.all() if element.namespace == SASL2 else (element,)
            self.tokens.update(token for each in inside if (token := _token(each)) is not None)

    def refusal(self, message: bytes, why: Refusal) -> Sequence[bytes]:
        """Answer a join or a resumption."""
        return [refusal(read_element(message), why)]

    def farewell(self, join: Join, why: Refusal) -> Sequence[bytes]:
        """Say that the client is in the room no longer; to one who only read its archive, nothing."""
        return [] if join.participant is None else [farewell(join, why)]


def _token(element: Element) -> str | None:
    if not element.namespace.startswith(STREAM_MANAGEMENT):
        return None
    # A resumed stream keeps its token.
    return element.attributes.get({"enabled": "id", "resumed": "previd"}.get(element.name, ""))


def _own_address(element: Element) -> str:
    """Return the client's full address if the server says it here, and nobody else could have.

    What is sent to a full address reaches its owner alone; but a message to one that does not exist reaches everyone
    of the account, as it was addressed.
    """
    if element.namespace == SASL2:
        own = element.child(SASL2, "authorization-identifier")
        return own.text if own is not None and "/" in own.text else ""
    if element.namespace != CLIENT or element.name == "message":
        return ""
    bound = None if "from" in element.attributes else element.child(_BIND, "bind")
    own = None if bound is None else bound.child(_BIND, "jid")
    address = element.attributes.get("to", "") if own is None else own.text
    return address if "/" in address else ""
