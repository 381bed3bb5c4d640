"""The dialects of Prosody and Jitsi, as the gate asks them."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joingate.codecs.dialect import Conversation, Dialect, Enters, Leaves, Polled, Refusal, Resumes, UnreadableError
from joingate.codecs.http1 import RequestHead, ResponseHead
from joingate.codecs.xmpp import Jitsi, Prosody, XmppConversation
from joingate.codecs.xmpp_stanza import read_element
from joingate.core.model import Join

XMPP = [(b"Sec-WebSocket-Protocol", b"xmpp")]
JOIN = (
    b"<presence xmlns='jabber:client' to='Room@muc.example/nick'><x xmlns='http://jabber.org/protocol/muc'/></presence>"
)
BOUND = (
    b"<iq xmlns='jabber:client' type='result' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
    b"<jid>me@meet.example/here</jid></bind></iq>"
)
LEFT = Leaves("room", ("room@muc.example",))
SUCCESS = b"<success xmlns='urn:xmpp:sasl:2'>%s</success>"
WHY = Refusal(451, "legal order o-1")
HEAD = RequestHead(b"POST", b"/http-bind", "1.1", [])


def talk(dialect: Dialect | None = None) -> Conversation:
    conversation = (dialect or Prosody()).conversation(b"/xmpp-websocket", XMPP)
    assert conversation is not None
    return conversation


def place(conversation: Conversation) -> tuple[str, ...]:
    said = conversation.from_client(JOIN)
    assert isinstance(said, Enters)
    return said.join.place


def test_the_dialects() -> None:
    prosody: Dialect = Prosody(["muc.example"])
    jitsi: Dialect = Jitsi(["muc.example"])
    assert [(each.name, each.keeps_after_close) for each in (prosody, jitsi)] == [("prosody", 600), ("jitsi", 60)]
    assert Prosody(keeps_after_close=60).keeps_after_close == 60
    assert Jitsi(keeps_after_close=0).keeps_after_close == 0
    for each in (prosody, jitsi):
        assert each.routes == ()
        assert each.fold("SecretRoom") == "secretroom"
        assert each.left_by(Join("m"), ResponseHead(200, b"HTTP/1.1 200 OK\r\n", [], 0)) is None
        assert each.reads_body(HEAD)
        assert not each.reads_body(RequestHead(b"GET", b"/http-bind", "1.1", []))
    with pytest.raises(UnreadableError):
        Prosody([""])


def test_only_jitsi_has_tenants() -> None:
    join = JOIN.replace(b"muc.", b"muc.tenant.")
    assert talk(Prosody(["muc.example"])).from_client(join) is None
    said = talk(Jitsi(["muc.example"])).from_client(join)
    assert said == Enters(Join("[tenant]room", "nick", place=("[tenant]room@muc.example", "")))


@pytest.mark.parametrize(
    ("headers", "is_read"),
    [
        (XMPP, True),
        ([(b"sec-websocket-protocol", b"a, XMPP ,b")], True),
        ([(b"sec_websocket-protocol", b"xmpp")], True),  # which Prosody takes for the same
        ([(b"Sec-WebSocket-Protocol", b"a"), (b"Sec-WebSocket-Protocol", b"xmpp")], True),
        ([(b"Sec-WebSocket-Protocol", b"xmpp-something")], True),
        ([(b"Host", b"xmpp.example")], False),  # the media bridge's, an etherpad's
        ([(b"Sec-WebSocket-Protocol", b"v12.stomp")], False),
        ([], False),
    ],
)
@pytest.mark.parametrize("target", [b"/xmpp-websocket?room=r", b"/t/xmpp-websocketX", b"/colibri-ws/1/2/3", b"/"])
def test_whatever_offers_xmpp_is_read(target: bytes, headers: list[tuple[bytes, bytes]], is_read: bool) -> None:
    assert (Prosody().conversation(target, headers) is not None) is is_read
    assert (Jitsi().conversation(target, headers) is not None) is is_read


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (b"", None),
        (b" \n", None),
        (b"<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='meet.example' version='1.0'/>", None),
        (b"<iq xmlns='jabber:client' type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>", None),
        (JOIN, Enters(Join("room", "nick", place=("room@muc.example", "")))),
        (b"<presence xmlns='jabber:client' type='unavailable' to='room@muc.example'/>\n", LEFT),
        (b"<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>", Leaves()),
        (b"<close xmlns='other'/>", None),
        (b"<resume xmlns='urn:xmpp:sm:3' previd='t' h='0'/>", Resumes("t")),
    ],
)
def test_messages(message: bytes, said: object) -> None:
    conversation = talk()
    for _ in range(2):
        assert conversation.from_client(message) == said


@pytest.mark.parametrize(
    ("message", "complaint"),
    [
        (b" " + JOIN, "An XMPP message starts with an element."),
        (b"{}", "An XMPP message starts with an element."),
        (b"\0", "An XMPP message starts with an element."),
        (JOIN[:40], "The message is not one well-formed XML element."),
        (JOIN[40:], "An XMPP message starts with an element."),
        (JOIN + JOIN, "The message is not one well-formed XML element."),
        (b"<stream:stream xmlns:stream='http://etherx.jabber.org/streams'>", "A message opens no stream."),
        (b"</stream:stream>", "The message is not one well-formed XML element."),
    ],
)
def test_unreadable_messages(message: bytes, complaint: str) -> None:
    with pytest.raises(UnreadableError) as caught:
        talk().from_client(message)
    assert str(caught.value) == complaint


@pytest.mark.parametrize(
    ("message", "tokens"),
    [
        (b"<enabled xmlns='urn:xmpp:sm:3' id='t' resume='true' max='600'/>", {"t"}),
        (b"<enabled xmlns='urn:xmpp:sm:2' id='t' resume='1'/>", {"t"}),
        (b"<enabled xmlns='urn:xmpp:sm:3'/>", set()),
        (b"<resumed xmlns='urn:xmpp:sm:3' previd='t' h='2'/>", {"t"}),
        (b"<a xmlns='urn:xmpp:sm:3' h='2' id='t'/>", set()),
        (b"<r xmlns='urn:xmpp:sm:3'/><enabled xmlns='urn:xmpp:sm:3' id='t'/><message/>", {"t"}),
        (
            SUCCESS % b"<bound xmlns='urn:xmpp:bind:0'><enabled xmlns='urn:xmpp:sm:3' id='t'/></bound>",
            {"t"},
        ),
        (b"<success xmlns='urn:xmpp:sasl:2'><resumed xmlns='urn:xmpp:sm:3' previd='t' h='2'/></success>", {"t"}),
        (b"<message><enabled xmlns='urn:xmpp:sm:3' id='t'/></message>", set()),  # somebody else's words
        (b"<enabled xmlns='other' id='t'/><a xmlns='urn:xmpp:sm:3'/>", set()),
        (b"<enabled xmlns='urn:xmpp:sm:3' id='t'", set()),
        (b"\xff urn:xmpp:sm:", set()),
    ],
)
def test_by_what_a_stream_can_be_resumed(message: bytes, tokens: set[str]) -> None:
    for before in ([], [BOUND]):
        conversation = talk()
        assert conversation.hears_server
        for each in (*before, message):
            conversation.from_server(each)
        assert conversation.tokens == tokens


@pytest.mark.parametrize(
    ("messages", "own"),
    [
        ([], ""),
        ([BOUND], "me@meet.example/here"),
        ([BOUND.replace(b"/here", b"")], ""),
        ([BOUND.replace(b"<jid>me@meet.example/here</jid>", b"")], ""),
        ([BOUND.replace(b" id=", b" from='friend@meet.example/x' id=")], ""),
        ([b"<iq xmlns='jabber:client' type='result' id='r' to='me@meet.example/here'/>"], "me@meet.example/here"),
        ([b"<presence to='me@meet.example/here' from='room@muc.example/nick'/>"], "me@meet.example/here"),
        ([b"<message to='me@meet.example/elsewhere'/>"], ""),  # reaches every session of the account
        ([b"<presence to='me@meet.example'/>"], ""),
        ([b"<features xmlns='http://etherx.jabber.org/streams' to='a/b'/>"], ""),
        ([BOUND, b"<presence to='me@meet.example/other'/>"], "me@meet.example/here"),
        (
            [SUCCESS % b"<authorization-identifier>me@meet.example/here</authorization-identifier>"],
            "me@meet.example/here",
        ),
        (
            [b"<success xmlns='urn:xmpp:sasl:2'><authorization-identifier>me@a</authorization-identifier></success>"],
            "",
        ),
        ([b"<continue xmlns='urn:xmpp:sasl:2'/>"], ""),
    ],
)
def test_whose_seats_they_are(messages: list[bytes], own: str) -> None:
    conversation = talk()
    for message in messages:
        conversation.from_server(message)
    assert place(conversation) == ("room@muc.example", own)


def test_the_answers() -> None:
    conversation = talk()
    (answer,) = conversation.refusal(JOIN, WHY)
    assert read_element(answer).attributes == {"type": "error", "from": "Room@muc.example/nick"}
    (goodbye,) = conversation.farewell(Join("room", "nick", place=("room@muc.example", "")), WHY)
    assert read_element(goodbye).attributes == {"type": "unavailable", "from": "room@muc.example/nick"}
    assert conversation.farewell(Join("room", None, place=("room@muc.example", "")), WHY) == []


def test_bosh_is_read_by_the_same_rooms() -> None:
    body = b"<body xmlns='http://jabber.org/protocol/httpbind' sid='s'>" + JOIN + b"</body>"
    assert Prosody(["other.example"]).polled(HEAD, body) == Polled("s", None)
    dialect = Prosody(["muc.example"])
    token, said = dialect.polled(HEAD, body)
    assert (token, type(said)) == ("s", Enters)
    kind, answer = dialect.poll_refusal(HEAD, body, WHY)
    assert kind.startswith(b"text/xml")
    assert b"legal order o-1" in answer


@given(st.binary(max_size=80) | st.lists(st.sampled_from([JOIN, BOUND, b"<a>", b" ", b"\0"]), max_size=3).map(b"".join))
def test_no_message_does_more_than_fail(message: bytes) -> None:
    conversation = XmppConversation(Prosody()._rooms)
    conversation.from_server(message)
    with contextlib.suppress(UnreadableError):
        conversation.from_client(message)
