"""What a stanza means: which are joins, resumptions and leaves, and what their sender is told."""

from xml.sax.saxutils import quoteattr

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joingate.codecs.dialect import NOT_KNOWN, Enters, Leaves, Refusal, Resumes, Said, UnreadableError
from joingate.codecs.xmpp_joins import Rooms, farewell, refusal, said
from joingate.codecs.xmpp_stanza import Element, read_element
from joingate.core.model import Join

MUC = "http://jabber.org/protocol/muc"
X = f"<x xmlns='{MUC}'/>"
ME = "me@meet.example/here"
ROOM = "room@muc.example"
ANY = Rooms()
WHY = Refusal(451, "legal order o-1 <&'\">, receipt R")


def meaning(text: str, rooms: Rooms = ANY) -> Said:
    return said(read_element(text.encode()), rooms, ME)


def enters(meeting: str = "room", nick: str | None = "nick", room: str = ROOM) -> Enters:
    return Enters(Join(meeting, nick, place=(room, ME)))


def presence(
    to: str = f"{ROOM}/nick", kind: str | None = None, inside: str = X, namespace: str = "jabber:client"
) -> str:
    return (
        f"<presence xmlns='{namespace}' to={quoteattr(to)}"
        f"{'' if kind is None else f' type={quoteattr(kind)}'}>{inside}</presence>"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (presence(), enters()),
        (presence(inside=""), enters()),
        (presence(namespace=""), enters()),
        (presence(namespace="jabber:server"), enters()),
        (presence(namespace="http://jabber.org/protocol/httpbind"), enters()),
        (f"<p:presence xmlns:p='jabber:client' to='{ROOM}/nick'>{X}</p:presence>", enters()),
        (presence(kind=""), enters()),
        (presence(kind="available"), enters()),
        (presence(kind="Unavailable"), enters()),
        (presence(kind=" error"), enters()),
        (presence("Room@MUC.Example./Nick"), enters(nick="Nick")),
        (presence("room@muc.example/a/b"), enters(nick="a/b")),
        ("<presence to='ro&#x6f;m@muc&#46;example/&lt;nick&gt;'/>", enters(nick="<nick>")),
        (presence("\uff32oom@muc.example/nick"), enters()),
        (presence("[tenant]room@muc.example/nick"), enters("[tenant]room", room="[tenant]room@muc.example")),
    ],
)
def test_a_presence_sent_to_a_nick_is_a_join(text: str, expected: Enters) -> None:
    assert meaning(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        f"<presence>{X}</presence>",
        *(presence(kind=kind) for kind in ("error", "probe", "subscribe", "subscribed", "unsubscribe", "unsubscribed")),
        presence(ROOM, inside=""),
        presence("muc.example", inside=""),
        presence("muc.example/resource", inside=""),
        presence("muc.example", kind="unavailable"),
        presence(kind="unavailable", namespace=""),
        f"<message to='{ROOM}/nick'>{X}</message>",
        f"<iq to='{ROOM}/nick' type='get'>{X}</iq>",
        f"<iq to='{ROOM}' type='set'><query xmlns='{MUC}#admin'/></iq>",
        f"<iq to='{ROOM}' type='set'><query xmlns='jabber:iq:register'/></iq>",
        f"<a to='{ROOM}/nick'>{presence()}</a>",
    ],
)
def test_everything_else_means_nothing(text: str) -> None:
    assert meaning(text) is None


@pytest.mark.parametrize("to", [f"{ROOM}/nick", f"{ROOM}/other", ROOM, "ROOM@muc.example"])
def test_whoever_is_unavailable_to_a_room_leaves_it(to: str) -> None:
    assert meaning(presence(to, "unavailable", "")) == Leaves("room", (ROOM,))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (presence(ROOM), "A join names a room and a nick."),
        (presence("muc.example/nick"), "A join names a room and a nick."),
        (presence("muc.example"), "A join names a room and a nick."),
        (presence(""), "An address is malformed."),
        (presence("room@/nick"), "An address is malformed."),
        (presence(f"{ROOM}/"), "An address is malformed."),
        (presence("ro om@muc.example/nick"), "A room's name is malformed."),
        (presence("🤗@muc.example/nick"), "A room's name is malformed."),
        (presence("🤗@muc.example/nick", "unavailable"), "A room's name is malformed."),
        (presence("room@\u200b/nick"), "A domain is malformed."),
        ("<iq type='set' to='@'><query xmlns='urn:xmpp:mam:2'/></iq>", "An address is malformed."),
        ("<resume xmlns='urn:xmpp:sm:3' h='0'/>", "A resumption names no stream."),
    ],
)
def test_half_a_join_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(UnreadableError) as caught:
        meaning(text)
    assert str(caught.value) == complaint


def archive(to: str | None = ROOM, kind: str = "set", namespace: str = "urn:xmpp:mam:2", inside: str = "") -> str:
    address = "" if to is None else f" to='{to}'"
    return f"<iq xmlns='jabber:client' id='i' type='{kind}'{address}>{inside}<query xmlns='{namespace}'/></iq>"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (archive(), enters(nick=None)),
        (archive(namespace="urn:xmpp:mam:1", inside="<a/>"), enters(nick=None)),
        (archive(f"{ROOM}/nick"), enters()),
        (archive(None), None),
        (archive("muc.example"), None),
        (archive(kind="get"), None),
        (archive(kind="result"), None),
        (archive(namespace="urn:xmpp:mix:core:1"), None),
    ],
)
def test_whoever_queries_a_room_s_archive_reads_what_is_said_there(text: str, expected: Enters | None) -> None:
    assert meaning(text) == expected


SASL2_RESUME = (
    "<authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'><initial-response>AA==</initial-response>"
    "<resume xmlns='urn:xmpp:sm:3' previd='t' h='3'/></authenticate>"
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<resume xmlns='urn:xmpp:sm:3' previd='t' h='3'/>", Resumes("t")),
        ("<resume xmlns='urn:xmpp:sm:2' previd='t' h='3'/>", Resumes("t")),
        (SASL2_RESUME, Resumes("t")),
        ("<resume xmlns='urn:xmpp:other' previd='t'/>", None),
        ("<enable xmlns='urn:xmpp:sm:3' resume='true'/>", None),
        ("<r xmlns='urn:xmpp:sm:3'/>", None),
        ("<message><resume xmlns='urn:xmpp:sm:3' previd='t'/></message>", None),
        ("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='ANONYMOUS'/>", None),
    ],
)
def test_resuming(text: str, expected: Resumes | None) -> None:
    assert meaning(text) == expected


def test_only_the_components_have_rooms() -> None:
    rooms = Rooms(["MUC.example", "lobby.example"])
    assert meaning(presence(), rooms) == enters()
    assert meaning(presence("room@lobby.example/nick"), rooms) == enters(room="room@lobby.example")
    for kind in (None, "unavailable"):
        assert meaning(presence("friend@example/home", kind), rooms) is None
    assert meaning(presence("example/home"), rooms) is None
    assert meaning(archive("me@example"), rooms) is None


@pytest.mark.parametrize(
    ("domain", "meeting", "room"),
    [
        ("conference.example.org", "room", "room@conference.example.org"),
        ("conference.Tenant.example.org", "[tenant]room", "[tenant]room@conference.example.org"),
        ("conference.tenant.example.org.any.thing/\u200b", "[tenant]room", "[tenant]room@conference.example.org"),
        ("conference-tenant.example.org", "[tenant]room", "[tenant]room@conference.example.org"),
        ("breakout.example.org", "room", "room@breakout.example.org"),
        ("breakout.tenant.example.org", "[tenant]room", "[tenant]room@breakout.example.org"),
    ],
)
def test_tenants_have_rooms_of_their_own(domain: str, meeting: str, room: str) -> None:
    rooms = Rooms(["conference.example.org", "breakout.example.org"], has_tenants=True)
    domain, _, resource = domain.partition("/")
    nick = resource or "nick"
    assert meaning(presence(f"Room@{domain}/{nick}"), rooms) == enters(meeting, nick, room)


def test_what_is_no_tenant_s() -> None:
    rooms = Rooms(["conference.example.org"], has_tenants=True)
    for domain in ("conference.a.b.example.org", "CONFERENCE.tenant.example.org", "example.org", "a.example.org"):
        assert meaning(presence(f"room@{domain}/nick"), rooms) is None
    assert meaning(presence("room@conference.tenant.example.org/nick"), Rooms(["conference.example.org"])) is None
    with pytest.raises(UnreadableError, match="names a room"):
        meaning(presence("conference.tenant.example.org/nick"), rooms)


TEXT = "legal order o-1 &lt;&amp;'\"&gt;, receipt R"
ERRORS = "urn:ietf:params:xml:ns:xmpp-stanzas"
NOT_FOUND = f"<item-not-found xmlns='{ERRORS}'/>"
SASL = "urn:ietf:params:xml:ns:xmpp-sasl"
FORBIDDEN = f"<error type='auth'><forbidden xmlns='{ERRORS}'/><text xmlns='{ERRORS}'>{TEXT}</text></error>"
QUOTED = """from="room@muc.example/&lt;'&quot;" id="&quot;&#10;'\""""


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (
            presence(),
            f"""<presence xmlns='jabber:client' type='error' from="{ROOM}/nick">{X}{FORBIDDEN}</presence>""",
        ),
        (
            "<presence id='&quot;&#10;&apos;' to='room@muc.example/&lt;&apos;&quot;'/>",
            f"""<presence xmlns='jabber:client' type='error' {QUOTED}>{X}{FORBIDDEN}</presence>""",
        ),
        (archive(), f"""<iq xmlns='jabber:client' type='error' from="{ROOM}" id="i">{FORBIDDEN}</iq>"""),
        (
            "<resume xmlns='urn:xmpp:sm:2' previd='t' h='0'/>",
            f"""<failed xmlns="urn:xmpp:sm:2">{NOT_FOUND}<text xmlns='{ERRORS}'>{TEXT}</text></failed>""",
        ),
        (
            SASL2_RESUME,
            f"<failure xmlns='urn:xmpp:sasl:2'><not-authorized xmlns='{SASL}'/><text>{TEXT}</text></failure>",
        ),
    ],
)
def test_refusals(text: str, answer: str) -> None:
    assert refusal(read_element(text.encode()), WHY) == answer.encode()


def test_farewell() -> None:
    join = Join("room", "<'\"&>", place=("room@muc.example", ME))
    assert (
        farewell(join, WHY)
        == (
            "<presence xmlns='jabber:client' type='unavailable' from=\"room@muc.example/&lt;'&quot;&amp;&gt;\">"
            f"<x xmlns='{MUC}#user'><item affiliation='none' role='none'><reason>{TEXT}</reason></item>"
            "<status code='307'/><status code='110'/></x></presence>"
        ).encode()
    )


words = st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=8)


@given(words, words, words, words)
def test_whatever_somebody_is_called_an_answer_is_one_element(node: str, domain: str, nick: str, reason: str) -> None:
    element = Element("jabber:client", "presence", {"to": f"{node}@{domain}/{nick}", "id": nick})
    why = Refusal(403, reason)
    try:
        meant = said(element, ANY, ME)
    except UnreadableError:
        return
    if not isinstance(meant, Enters):  # a "/" in the node makes a server's address of it
        return
    answer = read_element(refusal(element, why))
    assert answer.attributes == {"type": "error", "from": f"{node}@{domain}/{nick}", "id": nick}
    goodbye = read_element(farewell(meant.join, why))
    assert goodbye.attributes["from"] == f"{meant.join.place[0]}/{meant.join.participant}"
    assert goodbye.children[0].children[0].children[0].text == reason


def test_the_gate_s_own_refusal_is_told_alike() -> None:
    answer = read_element(refusal(read_element(b"<resume xmlns='urn:xmpp:sm:3' previd='t'/>"), NOT_KNOWN))
    assert [child.text for child in answer.children] == ["", NOT_KNOWN.text]
