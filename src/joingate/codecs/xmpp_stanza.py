"""One XML element at a time, in the restricted form that XMPP allows.

A message is exactly one complete element that stands by itself: it has no DTD, comment, processing instruction,
entity of its own or prefix declared elsewhere. Prosody feeds whatever comes to one parser for the whole stream, so
that halves of an element would join there, and several elements would each count. None of that is one way to read a
message, so it is refused here.

Sources: RFC 6120 11.1 (restricted XML), RFC 7395 3.3.3 (one element in a message); Prosody 0.12 util/xmppstream.lua.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final
from xml.parsers import expat

from joingate.codecs.dialect import UnreadableError

MAX_DEPTH: Final = 64
"""Elements inside each other; what people send has a dozen."""

MAX_ELEMENTS: Final = 2048
"""In one message: each costs the gate some microseconds, in which everybody else waits. A browser's description of its
media has some three hundred; Prosody takes 25,000 (`c2s_max_child_elements`)."""

STREAMS: Final = "http://etherx.jabber.org/streams"
CLIENT: Final = "jabber:client"

_SEPARATOR: Final = "\x01"  # no character of any XML, so that no namespace can contain it
_WHITE: Final = b" \t\r\n"
_ENVELOPE: Final = f"<all xmlns='{CLIENT}' xmlns:stream='{STREAMS}'>".encode()


@dataclass(slots=True)
class Element:
    """One element.

    Attributes:
        namespace: "" for none.
        name: without prefix.
        attributes: by name; one with a prefix has its namespace and U+0001 before its name.
        children: the elements directly inside.
        text: the characters directly inside, whatever stands between them.
    """

    namespace: str
    name: str
    attributes: dict[str, str]
    children: list["Element"] = field(default_factory=list)
    text: str = ""

    def child(self, namespace: str, name: str) -> "Element | None":
        """Return the first such element directly inside."""
        for child in self.children:
            if child.name == name and child.namespace == namespace:
                return child
        return None

    def all(self) -> Iterator["Element"]:
        """Yield the element itself and everything inside."""
        yield self
        for child in self.children:
            yield from child.all()


def read_element(message: bytes) -> Element:
    """Read a message that is one element, with white space around it at most.

    Raises:
        UnreadableError: it is anything else, or opens a stream inside.
    """
    # Expat would take a byte order mark, or NUL beside "<", for another encoding than the stream's.
    if message.lstrip(_WHITE)[:1] != b"<" or b"\0" in message:
        raise UnreadableError("The message is not one well-formed XML element.")
    return _Reading(MAX_ELEMENTS).read(message)


def read_elements(message: bytes) -> list[Element]:
    """Read any number of elements that a server has sent together.

    Raises:
        UnreadableError: they are not well-formed.
    """
    return _Reading(sys.maxsize).read(_ENVELOPE + message + b"</all>").children


class _Reading:
    """One parser, which can be used once."""

    def __init__(self, most: int) -> None:
        parser = expat.ParserCreate("utf-8", _SEPARATOR)
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.XmlDeclHandler = self._declaration
        parser.StartDoctypeDeclHandler = self._restricted
        parser.CommentHandler = self._restricted
        parser.ProcessingInstructionHandler = self._restricted
        self._parser = parser
        self._most = most
        self._around = Element("", "", {})
        self._open = [self._around]
        self._count = 0

    def read(self, message: bytes) -> Element:
        try:
            self._parser.Parse(message, True)
        except expat.ExpatError:
            raise UnreadableError("The message is not one well-formed XML element.") from None
        return self._around.children[0]

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        namespace, _, name = tag.rpartition(_SEPARATOR)
        if name == "stream" and namespace == STREAMS:
            # Prosody would begin a new stream there, and take for stanzas what comes inside.
            raise UnreadableError("A message opens no stream.")
        if len(self._open) > MAX_DEPTH:
            raise UnreadableError(f"More than {MAX_DEPTH} elements are inside each other.")
        self._count += 1
        if self._count > self._most:
            raise UnreadableError(f"A message has more than {self._most} elements.")
        element = Element(namespace, name, attributes)
        self._open[-1].children.append(element)
        self._open.append(element)

    def _end(self, _: str) -> None:
        self._open.pop()

    def _characters(self, text: str) -> None:
        self._open[-1].text += text

    def _declaration(self, version: str, encoding: str | None, standalone: int) -> None:
        if version != "1.0" or (encoding or "utf-8").lower() != "utf-8" or standalone == 0:
            raise UnreadableError("XMPP is XML 1.0 in UTF-8.")

    def _restricted(self, *_: object) -> None:
        raise UnreadableError("XMPP has no DTD, comment or processing instruction.")
