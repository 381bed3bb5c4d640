"""BOSH bodies: the session, the one join in it, and what is refused."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joingate.codecs.bosh import may_carry, owner_of, read_body, refuse
from joingate.codecs.dialect import Enters, Polled, Refusal, Resumes, UnreadableError
from joingate.codecs.http1 import RequestHead
from joingate.codecs.xmpp_joins import Rooms
from joingate.codecs.xmpp_stanza import read_element
from joingate.core.model import Join

ROOMS = Rooms(["muc.example"])
OWNER = "bosh:" + sha256(b"s").hexdigest()
JOIN = (
    "<presence xmlns='jabber:client' to='Room@muc.example/nick'><x xmlns='http://jabber.org/protocol/muc'/></presence>"
)
ENTERS = Enters(Join("room", "nick", place=("room@muc.example", OWNER)))
ANOTHER = "<presence xmlns='jabber:client' to='other@muc.example/nick'/>"
RESUME = "<resume xmlns='urn:xmpp:sm:3' previd='t' h='1'/>"
LEAVE = "<presence xmlns='jabber:client' type='unavailable' to='room@muc.example/nick'/>"


def body(inside: str = "", attributes: str = " sid='s' rid='7'") -> bytes:
    return f"<body xmlns='http://jabber.org/protocol/httpbind'{attributes}>{inside}</body>".encode()


@pytest.mark.parametrize(
    ("whole", "polled"),
    [
        (body(), Polled("s", None)),
        (body(JOIN), Polled("s", ENTERS)),
        (b"\n" + body(JOIN) + b"\n", Polled("s", ENTERS)),
        (b"<?xml version='1.0'?>" + body(JOIN), Polled("s", ENTERS)),
        (body("<presence to='room@muc.example/nick'/>"), Polled("s", ENTERS)),
        (body("<iq type='get' id='1'/>" + JOIN + "<message to='room@muc.example'/>"), Polled("s", ENTERS)),
        (body(JOIN + JOIN.replace("Room", "room")), Polled("s", ENTERS)),
        (body(LEAVE), Polled("s", None)),
        (body(LEAVE + JOIN), Polled("s", ENTERS)),
        (body(RESUME), Polled("s", Resumes("t"))),
        (body(attributes=" sid='s' rid='7' type='terminate'"), Polled("s", None)),
        (body(attributes=" rid='7' to='meet.example' wait='60'"), Polled("", None)),
        (body("<body>" + JOIN + "</body>"), Polled("s", None)),
        (b"<b:body xmlns:b='http://jabber.org/protocol/httpbind' sid='&#115;' b:sid='x'/>", Polled("s", None)),
    ],
)
def test_bodies(whole: bytes, polled: Polled) -> None:
    assert read_body(whole, ROOMS) == polled


def test_a_join_before_there_is_a_session_has_no_token() -> None:
    token, said = read_body(body(JOIN, " rid='7' to='meet.example'"), ROOMS)
    assert token == ""
    assert isinstance(said, Enters)


@pytest.mark.parametrize(
    ("whole", "complaint"),
    [
        (body(JOIN + ANOTHER), "One request carries one join."),
        (body(JOIN + JOIN.replace("nick", "other")), "One request carries one join."),
        (body(JOIN + RESUME), "One request carries one join."),
        (b"<body sid='s'/>", "The request is no BOSH body."),
        (b"<x xmlns='http://jabber.org/protocol/httpbind'/>", "The request is no BOSH body."),
        (b"<x>" + body(JOIN) + b"</x>", "The request is no BOSH body."),
        (body(JOIN)[:-1], "The message is not one well-formed XML element."),
        (body() + body(JOIN), "The message is not one well-formed XML element."),
        (b"{}", "The message is not one well-formed XML element."),
        (b"", "The message is not one well-formed XML element."),
        (body("<presence to='@'/>"), "An address is malformed."),
    ],
)
def test_refused_bodies(whole: bytes, complaint: str) -> None:
    with pytest.raises(UnreadableError) as caught:
        read_body(whole, ROOMS)
    assert str(caught.value) == complaint


def test_the_answer_is_a_body_with_what_refuses_the_join() -> None:
    kind, answer = refuse(body("<message/>" + JOIN + LEAVE), ROOMS, Refusal(451, "legal order <o>"))
    assert kind == b"text/xml; charset=utf-8"
    whole = read_element(answer)
    assert (whole.namespace, whole.name) == ("http://jabber.org/protocol/httpbind", "body")
    (presence,) = whole.children
    assert (presence.namespace, presence.name) == ("jabber:client", "presence")
    assert presence.attributes == {"type": "error", "from": "Room@muc.example/nick"}
    assert presence.children[1].children[1].text == "legal order <o>"


def test_a_place_does_not_give_the_session_away() -> None:
    assert owner_of("s") == OWNER
    assert read_body(body(JOIN), ROOMS).said == ENTERS


@pytest.mark.parametrize(
    ("method", "target", "may"),
    [
        (b"POST", b"/http-bind", True),
        (b"POST", b"/http-bind/", True),
        (b"POST", b"/http-bind?room=r", True),
        (b"POST", b"/tenant/http-bindX", True),
        (b"POST", b"/%68ttp%2Dbind", True),
        (b"POST", b"/%2568ttp-bind", True),
        (b"POST", b"//HTTP-BIND", True),
        (b"POST", b"/x/../http-bind;y", True),
        (b"post", b"/http-bind", True),
        (b"POST", b"/" + b"%25" * 9 + b"/x", False),
        (b"POST", b"/%2525252525252541", True),  # encoded too often to say
        (b"GET", b"/http-bind", False),
        (b"POST", b"/", False),
        (b"POST", b"/conference-request/v1?x=/http-bind", False),
        (b"POST", b"/http/bind", False),
    ],
)
def test_which_requests_are_read(method: bytes, target: bytes, may: bool) -> None:
    assert may_carry(RequestHead(method, target, "1.1", [])) is may


@given(st.lists(st.sampled_from([JOIN, ANOTHER, RESUME, LEAVE, "<message/>", "<iq/>"]), max_size=5))
def test_no_body_brings_in_more_than_one(stanzas: list[str]) -> None:
    ways = {stanza for stanza in stanzas if stanza in {JOIN, ANOTHER, RESUME}}
    if len(ways) > 1:
        with pytest.raises(UnreadableError):
            read_body(body("".join(stanzas)), ROOMS)
    else:
        assert (read_body(body("".join(stanzas)), ROOMS).said is None) is (not ways)
