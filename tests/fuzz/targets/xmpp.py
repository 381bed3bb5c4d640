"""A message to Prosody is unreadable, or one element to another parser too, and a join there is to the same room."""

from xml.etree import ElementTree as ET

from joingate.codecs.dialect import Enters, Refusal, UnreadableError
from joingate.codecs.xmpp import Prosody
from joingate.codecs.xmpp_address import fold
from tests.fuzz.refusals import fits_a_close_frame

TOKENS = (
    *(
        b"<presence to='room@conference.example.org/me'>",
        b"</presence>",
        b"<x xmlns='http://jabber.org/protocol/muc'/>",
    ),
    *(
        b"<iq type='set'>",
        b"</iq>",
        b"<!-- -->",
        b"<?x?>",
        b"<!DOCTYPE a>",
        b"<![CDATA[",
        b"]]>",
        b"&amp;",
        b"&#x41;",
        b"&a;",
    ),
    *(
        b" xmlns='jabber:client'",
        b" xmlns:a='b'",
        b"a:",
        b" to='",
        b" type='unavailable'",
        b"/>",
        b"'",
        b'"',
        b"\n>",
        b"\n<",
    ),
    *(b"<resume xmlns='urn:xmpp:sm:3' previd='x' h='0'/>", b"<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>"),
    *(
        "\u00e9".encode(),
        "\u2460".encode(),
        "\u0130".encode(),
        "\ufeff".encode(),
        b"@conference.example.org",
        b"%",
        b"\\40",
    ),
)
_ENVELOPE = b"<all xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>%b</all>"
_OFFER = [(b"Sec-WebSocket-Protocol", b"xmpp")]


def check(data: bytes) -> None:
    """Let a conversation go on: what begins with ">" is the client's, with "<<" the server's."""
    conversation = Prosody(["conference.example.org"]).conversation(b"/", _OFFER)
    assert conversation is not None
    for part in data.split(b"\n\n"):
        if part.startswith(b"<<"):
            conversation.from_server(part[1:])
            continue
        message = part.removeprefix(b">")
        try:
            said = conversation.from_client(message)
        except UnreadableError as error:
            fits_a_close_frame(str(error))
            continue
        if not message.strip() or b"}" in message:  # ElementTree takes no namespace with "}" in it
            continue
        (element,) = ET.fromstring(_ENVELOPE % message)  # noqa: S314 - that there is no entity in it is what is checked
        if isinstance(said, Enters):
            named = {fold(value.partition("@")[0]) for value in element.attrib.values() if "@" in value}
            assert said.join.meeting in named, "another room than the one written"
            for answer in conversation.refusal(message, Refusal(451, "why")):
                ET.fromstring(_ENVELOPE % answer)  # noqa: S314
