"""Restricted XML, one element in a message: what is read, what is refused, and what no bytes can do."""

import contextlib
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joingate.codecs.dialect import UnreadableError
from joingate.codecs.xmpp_stanza import CLIENT, MAX_DEPTH, MAX_ELEMENTS, STREAMS, Element, read_element, read_elements

NOT_ONE = "The message is not one well-formed XML element."
RESTRICTED = "XMPP has no DTD, comment or processing instruction."
OTHER_XML = "XMPP is XML 1.0 in UTF-8."
STREAM = "A message opens no stream."


def many(count: int) -> bytes:
    return b"<a>" + b"<b/>" * (count - 1) + b"</a>"


def nested(depth: int) -> bytes:
    return b"<a>" * depth + b"</a>" * depth


@pytest.mark.parametrize(
    ("message", "element"),
    [
        (b"<a/>", Element("", "a", {})),
        (b" \r\n\t<a/>\n", Element("", "a", {})),
        (b"<?xml version='1.0'?><a/>", Element("", "a", {})),
        (b"<?xml version='1.0' encoding='UTF-8' standalone='yes'?><a/>", Element("", "a", {})),
        (b"<a xmlns='u' b='c'/>", Element("u", "a", {"b": "c"})),
        (b'<p:a xmlns:p="u" p:b="c" b="d"/>', Element("u", "a", {"u\x01b": "c", "b": "d"})),
        (b"<a b='&#114;&#x6f;om&amp;&lt;&quot;&apos;'/>", Element("", "a", {"b": "room&<\"'"})),
        (b"<a b='x\n\ty'/>", Element("", "a", {"b": "x  y"})),  # XML 1.0 3.3.3
        (b"<a b='x&#10;y'/>", Element("", "a", {"b": "x\ny"})),
        (b"<a>t<b>u</b>v<![CDATA[<w>]]></a>", Element("", "a", {}, [Element("", "b", {}, [], "u")], "tv<w>")),
        (
            b"<a xmlns='u'><b/><b xmlns=''/></a>",
            Element("u", "a", {}, [Element("u", "b", {}), Element("", "b", {})]),
        ),
        ("<ä>é</ä>".encode(), Element("", "ä", {}, [], "é")),
    ],
)
def test_one_element(message: bytes, element: Element) -> None:
    assert read_element(message) == element


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (b"", NOT_ONE),
        (b" ", NOT_ONE),
        (b"<", NOT_ONE),
        (b"text", NOT_ONE),
        (b"<a", NOT_ONE),
        (b"<a>", NOT_ONE),
        (b"</a>", NOT_ONE),
        (b"<a></b>", NOT_ONE),
        (b"<a/><b/>", NOT_ONE),
        (b"<a/>text", NOT_ONE),
        (b"<a b='1' b='2'/>", NOT_ONE),
        (b"<a xmlns:p='u' xmlns:q='u' p:b='1' q:b='2'/>", NOT_ONE),
        (b"<p:a/>", NOT_ONE),
        (b"<a p:b=''/>", NOT_ONE),
        (b"<a xmlns:p=''/>", NOT_ONE),
        (b"<a>&foo;</a>", NOT_ONE),
        (b"<a>&#0;</a>", NOT_ONE),
        (b"<a>&#1;</a>", NOT_ONE),
        (b"<a xmlns='a&#1;b'/>", NOT_ONE),
        (b"<a>\xff</a>", NOT_ONE),
        (b"<a>\xc0\xbc</a>", NOT_ONE),
        (b"<a>\xed\xa0\x80</a>", NOT_ONE),
        (b"<\0a\0/\0>\0", NOT_ONE),
        ("<a/>".encode("utf-16"), NOT_ONE),
        ("<a/>".encode("utf-16-be"), NOT_ONE),
        (b"\xef\xbb\xbf<a/>", NOT_ONE),
        (b" <?xml version='1.0'?><a/>", NOT_ONE),
        (b"<a/><?xml version='1.0'?>", NOT_ONE),
        (b"<?xml version='1.0' encoding='utf-16'?><a/>", OTHER_XML),
        (b"<?xml version='1.0' encoding='latin-1'?><a/>", OTHER_XML),
        (b"<?xml version='1.0' standalone='no'?><a/>", OTHER_XML),
        (b"<!DOCTYPE a><a/>", RESTRICTED),
        (b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", RESTRICTED),
        (b"<!--a--><a/>", RESTRICTED),
        (b"<a><!--b--></a>", RESTRICTED),
        (b"<a/><!--b-->", RESTRICTED),
        (b"<a><?b c?></a>", RESTRICTED),
        (b"<s:stream xmlns:s='http://etherx.jabber.org/streams'/>", STREAM),
        (b"<a><stream xmlns='http://etherx.jabber.org/stre&#97;ms'/></a>", STREAM),
        (many(MAX_ELEMENTS + 1), f"A message has more than {MAX_ELEMENTS} elements."),
        (nested(MAX_DEPTH + 1), f"More than {MAX_DEPTH} elements are inside each other."),
    ],
)
def test_anything_else_is_refused(message: bytes, text: str) -> None:
    with pytest.raises(UnreadableError) as caught:
        read_element(message)
    assert str(caught.value) == text


def test_as_many_and_as_deep_as_may_be() -> None:
    assert len(list(read_element(many(MAX_ELEMENTS)).all())) == MAX_ELEMENTS
    assert len(read_elements(many(MAX_ELEMENTS + 1))) == 1  # of a server, which is no stranger
    assert len(list(read_element(nested(MAX_DEPTH)).all())) == MAX_DEPTH


def test_what_is_inside() -> None:
    element = read_element(b"<a><b xmlns='u' n='1'/><c xmlns='u'><b/></c><b xmlns='u' n='2'/></a>")
    first = element.child("u", "b")
    assert first is not None
    assert first.attributes == {"n": "1"}
    assert element.child("u", "d") is None
    assert element.child("", "b") is None
    assert [each.name for each in element.all()] == ["a", "b", "c", "b", "b"]


def test_a_server_may_say_several_things_at_once() -> None:
    first, second = read_elements(b"<iq/><stream:features/>")
    assert (first.namespace, first.name) == (CLIENT, "iq")
    assert (second.namespace, second.name) == (STREAMS, "features")
    assert read_elements(b"") == []
    for broken in (b"<iq>", b"</all>", b"<stream:stream>"):
        with pytest.raises(UnreadableError):
            read_elements(broken)


pieces = st.sampled_from(
    [
        b"<a>",
        b"</a>",
        b"<a/>",
        b"<b xmlns='u'>",
        b"</b>",
        b"<p:a xmlns:p='v' p:c='d' e=\"&#x66;\"/>",
        b"&amp;",
        b"&#65;",
        *(
            b"t",
            b" ",
            b"<!--",
            b"-->",
            b"<?",
            b"?>",
            b"<![CDATA[",
            b"]]>",
            b"<!DOCTYPE a>",
            b"\xff",
            b"\0",
            b"&e;",
            b"<",
        ),
    ]
)


def as_element_tree(element: Element) -> tuple[object, ...]:
    return (
        f"{{{element.namespace}}}{element.name}" if element.namespace else element.name,
        {
            f"{{{name.partition(chr(1))[0]}}}{name.partition(chr(1))[2]}" if "\x01" in name else name: value
            for name, value in element.attributes.items()
        },
        element.text,
        [as_element_tree(child) for child in element.children],
    )


def from_element_tree(element: ET.Element) -> tuple[object, ...]:
    text = (element.text or "") + "".join(child.tail or "" for child in element)
    return element.tag, element.attrib, text, [from_element_tree(child) for child in element]


@given(st.lists(pieces, max_size=14).map(b"".join) | st.binary(max_size=60))
def test_what_is_read_is_what_the_standard_library_reads(message: bytes) -> None:
    try:
        element = read_element(message)
    except UnreadableError:
        return
    whole = ET.fromstring(message)  # noqa: S314 - without DTD or entities, as has just been found
    assert as_element_tree(element) == from_element_tree(whole)


@given(st.binary(max_size=80))
def test_no_bytes_of_a_server_do_more_than_fail(message: bytes) -> None:
    with contextlib.suppress(UnreadableError):
        read_elements(message)
