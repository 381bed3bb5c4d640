"""What a client's stanza means to the gate, and the stanza that refuses it.

A presence of somebody who is not leaving, sent to a room and a nick, is a join, with or without the `<x/>` of XEP-0045:
without, Prosody 0.12 lets nobody in, and others do. A query of a room's archive (XEP-0313) is one too, as Prosody's
muc_mam answers it to those who are not inside. A stream that is resumed (XEP-0198), at once or while authenticating
(XEP-0388), takes over what another connection has left.

A nick is no seat: it can change hands while a connection still counts. So a place is the room's address and whose seat
it is there: the full address that the server has bound, or a digest of the BOSH session, "" while neither is known.

Sources: XEP-0045 7.2, 7.14 and 9.1, XEP-0198 5, XEP-0313 5, XEP-0388; Prosody 0.12 muc.lib.lua and mod_muc.lua
(`handle_presence_to_occupant`, `handle_normal_presence`), mod_muc_mam.lua, mod_smacks.lua; Jitsi's
mod_muc_domain_mapper and its util.lib.lua for tenants.
"""

import re
from collections.abc import Iterable
from typing import Final, NamedTuple
from xml.sax.saxutils import escape, quoteattr

from joingate.codecs.dialect import Enters, Leaves, Refusal, Resumes, Said, UnreadableError
from joingate.codecs.xmpp_address import prepare_domain, prepare_node, split
from joingate.codecs.xmpp_stanza import CLIENT, Element
from joingate.core.model import Join

STREAM_MANAGEMENT: Final = "urn:xmpp:sm:"
SASL2: Final = "urn:xmpp:sasl:2"

_MUC: Final = "http://jabber.org/protocol/muc"
_ARCHIVE: Final = "urn:xmpp:mam:"
_STANZA_ERRORS: Final = "urn:ietf:params:xml:ns:xmpp-stanzas"
_SASL: Final = "urn:ietf:params:xml:ns:xmpp-sasl"
_STANZAS: Final = frozenset(("iq", "message", "presence"))
_NO_JOIN: Final = frozenset(
    ("error", "probe", "subscribe", "subscribed", "unavailable", "unsubscribe", "unsubscribed"),
)


class Seat(NamedTuple):
    """Where a stanza is sent.

    Attributes:
        meeting: the room's name, as Prosody folds it.
        room: the room's address on the server.
        nick: as written; "" for the room itself.
    """

    meeting: str
    room: str
    nick: str


class Rooms:
    """Which addresses are rooms'."""

    def __init__(self, components: Iterable[str] = (), *, has_tenants: bool = False) -> None:
        """Take the domains of the MUC components; none for every domain.

        Args:
            components: domains.
            has_tenants: whether "room@PREFIX.TENANT.BASE" is Jitsi's spelling of "[TENANT]room@PREFIX.BASE", for each
                component PREFIX.BASE.
        """
        self._components = frozenset(prepare_domain(component) for component in components)
        self._tenants = [_tenant_pattern(component) for component in self._components] if has_tenants else []

    def seat(self, address: str) -> Seat | None:
        """Say where in which room an address is; None for no room's.

        Raises:
            UnreadableError: it is malformed.
        """
        node, domain, resource = split(address)
        for component, pattern in self._tenants:
            # The mapper looks at the domain as written, and does not mind what follows.
            found = pattern.match(domain)
            if found is not None:
                node, domain = f"[{found[1]}]{node}" if node else "", component
                break
        domain = prepare_domain(domain)
        if self._components and domain not in self._components:
            return None
        meeting = prepare_node(node) if node else ""
        return Seat(meeting, f"{meeting}@{domain}", resource)


def _tenant_pattern(component: str) -> tuple[str, re.Pattern[str]]:
    prefix, _, base = component.partition(".")
    return component, re.compile(rf"{re.escape(prefix)}.([^.]+)\.{re.escape(base)}", re.DOTALL)


def said(element: Element, rooms: Rooms, owner: str) -> Said:
    """Say what a client's element means.

    Args:
        element: at the top of the stream.
        rooms: which addresses are rooms'.
        owner: whose seats are meant, the last part of a place.

    Raises:
        UnreadableError: it would be a join, and not a whole one; or an address is malformed.
    """
    if element.name == "presence":
        return _said_by_presence(element, rooms, owner)
    if element.name == "iq":
        return _said_by_query(element, rooms, owner)
    resume = None if element.name == "message" else _resume(element)
    return None if resume is None else Resumes(resume.attributes["previd"])


def _said_by_presence(presence: Element, rooms: Rooms, owner: str) -> Said:
    to = presence.attributes.get("to")
    kind = presence.attributes.get("type")
    if to is None or (kind in _NO_JOIN and kind != "unavailable"):
        return None
    seat = rooms.seat(to)
    if seat is None:
        return None
    if kind == "unavailable":
        # Prosody takes the session out of the room, whatever the nick.
        return Leaves(seat.meeting, (seat.room,)) if seat.meeting and presence.namespace == CLIENT else None
    if seat.meeting and seat.nick:
        return Enters(Join(seat.meeting, seat.nick, place=(seat.room, owner)))
    if presence.child(_MUC, "x") is not None:
        raise UnreadableError("A join names a room and a nick.")
    return None  # to a contact's or a server's address, or about a seat that there is already


def _said_by_query(query: Element, rooms: Rooms, owner: str) -> Said:
    to = query.attributes.get("to")
    if to is None or query.attributes.get("type") != "set":
        return None
    if not any(child.namespace.startswith(_ARCHIVE) for child in query.children):
        return None
    seat = rooms.seat(to)
    if seat is None or not seat.meeting:
        return None
    return Enters(Join(seat.meeting, seat.nick or None, place=(seat.room, owner)))


def _resume(element: Element) -> Element | None:
    for each in element.all():
        if each.name == "resume" and each.namespace.startswith(STREAM_MANAGEMENT):
            if "previd" not in each.attributes:
                raise UnreadableError("A resumption names no stream.")
            return each
    return None


def refusal(element: Element, why: Refusal) -> bytes:
    """Answer an element that means Enters or Resumes, in the server's stead."""
    text = escape(why.text)
    if element.name in _STANZAS:
        sender = "".join(
            f" {name}={quoteattr(element.attributes[source])}"
            for name, source in (("from", "to"), ("id", "id"))
            if source in element.attributes
        )
        marker = f"<x xmlns='{_MUC}'/>" if element.name == "presence" else ""
        error = f"<forbidden xmlns='{_STANZA_ERRORS}'/><text xmlns='{_STANZA_ERRORS}'>{text}</text>"
        return (
            f"<{element.name} xmlns='{CLIENT}' type='error'{sender}>{marker}<error type='auth'>{error}</error>"
            f"</{element.name}>"
        ).encode()
    if element.namespace.startswith(STREAM_MANAGEMENT):
        # As for a stream that Prosody does not know (any more): the client binds and joins anew.
        return (
            f"<failed xmlns={quoteattr(element.namespace)}><item-not-found xmlns='{_STANZA_ERRORS}'/>"
            f"<text xmlns='{_STANZA_ERRORS}'>{text}</text></failed>"
        ).encode()
    return f"<failure xmlns='{SASL2}'><not-authorized xmlns='{_SASL}'/><text>{text}</text></failure>".encode()


def farewell(join: Join, why: Refusal) -> bytes:
    """Tell a client that it has been removed from a room, as Prosody does (XEP-0045 8.2)."""
    occupant = quoteattr(f"{join.place[0]}/{join.participant}")
    return (
        f"<presence xmlns='{CLIENT}' type='unavailable' from={occupant}><x xmlns='{_MUC}#user'>"
        f"<item affiliation='none' role='none'><reason>{escape(why.text)}</reason></item>"
        f"<status code='307'/><status code='110'/></x></presence>"
    ).encode()
