"""The PROXY protocol, versions 1 and 2: how a load balancer that does not speak HTTP names the client.

Source: HAProxy's doc/proxy-protocol.txt, section 2. Whether a connection begins with such a header is configuration,
never a guess: anything else is an error, and no byte after it counts. Error texts quote nothing received (G8).
"""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from joingate.core.client_address import parse_address
from joingate.core.model import Address

_V1_START = b"PROXY "
_V1_SIZE_MAX = 107  # the longest line there can be, CRLF included (2.1)
_V1_UNKNOWN = re.compile(rb"PROXY UNKNOWN(?: [^\r\n]*)?")
_V1_TCP = re.compile(
    rb"PROXY (?:TCP4 ([0-9.]+) ([0-9.]+)|TCP6 ([0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*) ([0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*))"
    rb" (0|[1-9][0-9]{0,4}) (0|[1-9][0-9]{0,4})"
)

_V2_START = b"\r\n\r\n\x00\r\nQUIT\n"
_V2_FIXED = 16  # signature, version and command, family and transport, length
_V2_SIZE_MAX = 4096  # nginx's limit. Addresses need 232 at most; the spec's 536 are too few for TLS and cloud TLVs
_V2_LOCAL = 0x20
_V2_PROXY = 0x21
_V2_ADDRESS_BYTES = {0x00: 0, 0x11: 12, 0x12: 12, 0x21: 36, 0x22: 36, 0x31: 216, 0x32: 216}
"""Family and transport byte -> size of the two addresses and ports: all that the specification defines (2.2).

Datagram ones come over TCP too: from a load balancer that ends QUIC.
"""


class ProxyHeaderError(ValueError):
    """A connection that does not begin with a PROXY protocol header; it is to be closed without an answer.

    Attributes:
        detail: what is wrong.
    """

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


@dataclass(frozen=True, slots=True)
class ProxyHeader:
    """A whole header.

    Attributes:
        size: its bytes; what the client sent begins after them.
        source: the client's address, or None when the header names nobody (v1 UNKNOWN, v2 LOCAL, AF_UNSPEC, AF_UNIX)
            and the client is undeterminable.
    """

    size: int
    source: Address | None


def parse_proxy_header(buffer: bytes) -> ProxyHeader | None:
    """Read the header at the start of a connection.

    Args:
        buffer: everything received so far.

    Returns:
        The header, or None while it is not complete.

    Raises:
        ProxyHeaderError: as soon as `buffer` cannot become a header any more.
    """
    if buffer.startswith(_V1_START):
        return _parse_v1(buffer)
    if buffer.startswith(_V2_START):
        return _parse_v2(buffer)
    if _V1_START.startswith(buffer) or _V2_START.startswith(buffer):
        return None
    raise ProxyHeaderError("the connection does not begin with a PROXY protocol header")


def _parse_v1(buffer: bytes) -> ProxyHeader | None:
    """Read the line of version 1 (2.1), CRLF and all; only UNKNOWN may be followed by anything."""
    end = buffer.find(b"\r\n", 0, _V1_SIZE_MAX)
    if end < 0:
        if len(buffer) >= _V1_SIZE_MAX:
            raise ProxyHeaderError("PROXY v1: no CRLF within 107 bytes")
        return None
    line = buffer[:end]
    if _V1_UNKNOWN.fullmatch(line):
        return ProxyHeader(end + 2, None)
    if (match := _V1_TCP.fullmatch(line)) is None:
        raise ProxyHeaderError("PROXY v1: malformed line")
    source, destination = (parse_address(match[n].decode("ascii")) for n in ((1, 2) if match[1] else (3, 4)))
    if source is None or destination is None:
        raise ProxyHeaderError("PROXY v1: malformed address")
    if int(match[5]) > 65535 or int(match[6]) > 65535:
        raise ProxyHeaderError("PROXY v1: port above 65535")
    return ProxyHeader(end + 2, source)


def _parse_v2(buffer: bytes) -> ProxyHeader | None:
    """Read the binary header of version 2 (2.2); what follows the addresses (TLVs) is skipped, as it permits."""
    if len(buffer) < _V2_FIXED:
        return None
    command, family = buffer[12], buffer[13]
    size = _V2_FIXED + int.from_bytes(buffer[14:16], "big")
    if command not in (_V2_LOCAL, _V2_PROXY):
        raise ProxyHeaderError("PROXY v2: neither a LOCAL nor a PROXY command of version 2")
    if size > _V2_SIZE_MAX:
        raise ProxyHeaderError("PROXY v2: header above 4096 bytes")
    if command == _V2_PROXY:
        address_bytes = _V2_ADDRESS_BYTES.get(family)
        if address_bytes is None:
            raise ProxyHeaderError("PROXY v2: undefined address family or transport")
        if size < _V2_FIXED + address_bytes:
            raise ProxyHeaderError("PROXY v2: shorter than its addresses")
    if len(buffer) < size:
        return None
    return ProxyHeader(size, _v2_source(family, buffer) if command == _V2_PROXY else None)


def _v2_source(family: int, buffer: bytes) -> Address | None:
    """Return the source address of a PROXY command; an IPv4-mapped one is the IPv4 address it stands for."""
    if family >> 4 == 1:
        return IPv4Address(buffer[16:20])
    if family >> 4 == 2:
        address = IPv6Address(buffer[16:32])
        return address.ipv4_mapped or address
    return None
