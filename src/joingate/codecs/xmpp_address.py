"""XMPP addresses (JIDs) as Prosody reads them: which spellings are the same room.

Node and domain are prepared by Nodeprep and Nameprep, profiles of stringprep over Unicode 3.2. Python's tables map by
the Unicode of today, which is put right here; code points that Unicode 3.2 did not have are refused, as Prosody does
for rooms. Together that is, code point by code point, what ICU does for Prosody.

Sources: RFC 6122 (addresses, appendix A: Nodeprep), RFC 3491 (Nameprep), RFC 3454 (stringprep); Prosody 0.12
util/jid.lua, util-src/encodings.c.
"""

import re
import stringprep as tables
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple
from unicodedata import ucd_3_2_0

from joingate.codecs.dialect import UnreadableError

MAX_PART: Final = 1023
"""Bytes of a node, a domain or a resource (RFC 6122 2.1)."""

_PARTS: Final = re.compile(r"(?:([^@/]+)@)?([^@/]+)(?:/(.+))?", re.DOTALL).fullmatch
_NOT_IN_NODES: Final = frozenset("\"&'/:<>@")
_PLAIN: Final = re.compile(r"[A-Za-z0-9.\-_\[\]%~!$()*+,;=?^`{|}#\\]+").fullmatch
_PROHIBITED: Final = (
    tables.in_table_a1,
    tables.in_table_c12,
    tables.in_table_c22,
    tables.in_table_c3,
    tables.in_table_c4,
    tables.in_table_c5,
    tables.in_table_c6,
    tables.in_table_c7,
    tables.in_table_c8,
    tables.in_table_c9,
)
_PROHIBITED_IN_NODES: Final = (*_PROHIBITED, tables.in_table_c11, tables.in_table_c21, _NOT_IN_NODES.__contains__)
# A wide "@" or "/" becomes a plain one. Prosody takes addresses apart once more after that, and finds a room there.
_PROHIBITED_IN_DOMAINS: Final = (*_PROHIBITED, frozenset("@/").__contains__)


class Address(NamedTuple):
    """The parts of an address, as written; "" for one that is not there."""

    node: str
    domain: str
    resource: str


def split(text: str) -> Address:
    """Take an address apart.

    Raises:
        UnreadableError: it is none.
    """
    found = _PARTS(text)
    if found is None or any(part is not None and len(part.encode()) > MAX_PART for part in found.groups()):
        raise UnreadableError("An address is malformed.")
    return Address(found[1] or "", found[2], found[3] or "")


def prepare_node(node: str) -> str:
    """Return the form in which nodes, and so the names of rooms, are compared.

    Raises:
        UnreadableError: it cannot be a room's name.
    """
    prepared = _prepared(node, _PROHIBITED_IN_NODES)
    if not prepared:
        raise UnreadableError("A room's name is malformed.")
    return prepared


def prepare_domain(domain: str) -> str:
    """Return the form in which domains are compared.

    Raises:
        UnreadableError: it cannot be a domain.
    """
    prepared = _prepared(domain.removesuffix("."), _PROHIBITED_IN_DOMAINS)
    if not prepared:
        raise UnreadableError("A domain is malformed.")
    return prepared


def fold(meeting: str) -> str:
    """Return `prepare_node(meeting)`, or for what can be no room's name, which is then nobody's, the name itself."""
    return _prepared(meeting, _PROHIBITED_IN_NODES) or meeting


def _prepared(text: str, prohibited: Sequence[Callable[[str], bool]]) -> str | None:
    if _PLAIN(text) is not None:
        return text.lower() if len(text) <= MAX_PART else None
    mapped = "".join([_mapped(character) for character in text if not tables.in_table_b1(character)])
    text = ucd_3_2_0.normalize("NFKC", mapped)
    if any(is_prohibited(character) for character in text for is_prohibited in prohibited):
        return None
    return text if _is_one_way(text) and len(text.encode()) <= MAX_PART else None


def _mapped(character: str) -> str:
    """Map by table B.2 of RFC 3454; a mapping from or to what Unicode 3.2 did not have is a later one."""
    mapped = tables.map_table_b2(character)
    return character if any(map(tables.in_table_a1, character + mapped)) else mapped


def _is_one_way(text: str) -> bool:
    """Whether text with right-to-left characters is so from end to end (RFC 3454 6)."""
    if not any(map(tables.in_table_d1, text)):
        return True
    return not any(map(tables.in_table_d2, text)) and tables.in_table_d1(text[0]) and tables.in_table_d1(text[-1])
