"""BOSH: an XMPP session made of HTTP requests, each a <body/> with any number of stanzas.

The session's token is its `sid`. A body is let through or refused as a whole, so at most one of its stanzas may be a
join: one that two rooms are joined by is refused. Of leaving nothing is believed: Prosody ignores what a repeated
request number brings, and holds back what comes too early, so a session could seem to leave and stay inside. Its
participants count until the session falls silent.

Sources: XEP-0124 7 to 14, XEP-0206; Prosody 0.12 mod_bosh.lua.
"""

from hashlib import sha256
from typing import Final

from joingate.codecs.ambiguity import AmbiguousRequestError
from joingate.codecs.dialect import Enters, Polled, Refusal, Resumes, UnreadableError
from joingate.codecs.http1 import RequestHead
from joingate.codecs.target import settled
from joingate.codecs.xmpp_joins import Rooms, refusal, said
from joingate.codecs.xmpp_stanza import Element, read_element

_BODY: Final = "http://jabber.org/protocol/httpbind"
_CONTENT_TYPE: Final = b"text/xml; charset=utf-8"


def may_carry(head: RequestHead) -> bool:
    """Whether a request may reach a BOSH service: its path names it in some reading, as proxies match a part of it."""
    if head.method.upper() != b"POST":
        return False
    try:
        return "http-bind" in settled(head.target.partition(b"?")[0]).lower()
    except AmbiguousRequestError:
        return True


def read_body(body: bytes, rooms: Rooms) -> Polled:
    """Read the body of a request.

    Raises:
        UnreadableError: it is no BOSH body, or there is more than one join in it.
    """
    whole = _whole(body)
    token = whole.attributes.get("sid", "")
    found = list(dict.fromkeys(meaning for _, meaning in _joins(whole, rooms)))
    if len(found) > 1:
        raise UnreadableError("One request carries one join.")
    return Polled(token, found[0] if found else None)


def refuse(body: bytes, rooms: Rooms, why: Refusal) -> tuple[bytes, bytes]:
    """Return content type and body of the answer to a request whose join is refused."""
    answers = b"".join(refusal(element, why) for element, _ in _joins(_whole(body), rooms))
    return _CONTENT_TYPE, f"<body xmlns='{_BODY}'>".encode() + answers + b"</body>"


def _whole(body: bytes) -> Element:
    whole = read_element(body)
    if whole.name != "body" or whole.namespace != _BODY:
        raise UnreadableError("The request is no BOSH body.")
    return whole


def _joins(whole: Element, rooms: Rooms) -> list[tuple[Element, Enters | Resumes]]:
    owner = owner_of(whole.attributes.get("sid", ""))
    meanings = [(element, said(element, rooms, owner)) for element in whole.children]
    return [(element, meaning) for element, meaning in meanings if isinstance(meaning, Enters | Resumes)]


def owner_of(token: str) -> str:
    """Say whose seats a session's are. The token itself lets in whoever knows it, so it is kept in no place."""
    return f"bosh:{sha256(token.encode()).hexdigest()}"
