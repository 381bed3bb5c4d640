"""The first phase, `resolve_client`: whose address counts. Nobody's header is believed unless its sender is trusted.

The chain of hops is read from the right, from the socket towards the client, and ends at the first hop that is not
a trusted proxy: everything further left was written by that hop, or by whoever it let write. A trusted proxy that
names nobody, or whose last entry cannot be read, leaves the address undeterminable: never the next entry to the
left, and never the proxy's own address.

Sources: RFC 7239 (Forwarded), and the de-facto X-Forwarded-For with entries appended on the right.
"""

import ipaddress
import re
from collections.abc import Iterable, Sequence
from enum import StrEnum

from joingate.core.model import Address

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

UNIX_PEER = "unix:"
"""How `trusted_proxies` names a peer on a unix socket, as nginx's `set_real_ip_from` does."""


class ClientIpFrom(StrEnum):
    """Where client_ip is read from when the peer is trusted."""

    PEER = "peer"
    X_FORWARDED_FOR = "x-forwarded-for"
    FORWARDED = "forwarded"
    PROXY_PROTOCOL = "proxy-protocol"


_OCTET = r"(?:0|[1-9][0-9]{0,2})"
_DOTTED = re.compile(rf"{_OCTET}\.{_OCTET}\.{_OCTET}\.{_OCTET}").fullmatch  # no leading zeros: octal, for some readers


def parse_address(text: str) -> Address | None:
    """Read an address as `ipaddress` does (no octal, hexadecimal or short forms); None when it is none.

    An IPv4-mapped IPv6 address becomes the IPv4 address it stands for; a zone is dropped, having no meaning elsewhere.
    """
    if _DOTTED(text) is not None:
        # What ipaddress does, at a fifth of the cost; an octet over 255 is left for it to refuse below.
        first, second, third, fourth = map(int, text.split("."))
        if first < 256 and second < 256 and third < 256 and fourth < 256:
            return ipaddress.IPv4Address(first << 24 | second << 16 | third << 8 | fourth)
    try:
        address = ipaddress.IPv6Address(text)
    except ValueError:
        return None
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address if address.scope_id is None else ipaddress.IPv6Address(int(address))


def embeds_chosen_ipv4(address: Address) -> bool:
    """Whether databases would answer for an IPv4 address inside `address` that its sender chose.

    6to4 (RFC 3056), Teredo (RFC 4380: the embedded one is the server's) and IPv4-compatible addresses (RFC 4291
    2.5.5.1), all of which MaxMind DB files alias to the IPv4 tree. ::1 and :: are not such.
    """
    if isinstance(address, ipaddress.IPv4Address):
        return False
    number = int(address)
    if number >> 112 == 0x2002 or number >> 96 == 0x2001_0000:  # 2002::/16, 2001::/32
        return True
    return number >> 32 == 0 and number > 1  # ::/96


class TrustedProxies:
    """The peers whose client-address header is believed; by default nobody's."""

    __slots__ = ("_v4", "_v6", "unix")

    def __init__(self, networks: Iterable[Network] = (), *, unix: bool = False) -> None:
        """Trust every address in `networks`, and peers on unix sockets when `unix`."""
        listed = list(networks)
        self._v4 = [(int(net.network_address), int(net.netmask)) for net in listed if net.version == 4]
        self._v6 = [(int(net.network_address), int(net.netmask)) for net in listed if net.version == 6]
        self.unix = unix

    def __contains__(self, address: Address | None) -> bool:
        """Whether `address` is trusted; None stands for a peer on a unix socket."""
        if address is None:
            return self.unix
        if isinstance(address, ipaddress.IPv4Address):
            return self.has_v4(int(address))
        number = int(address)
        return any(number & mask == network for network, mask in self._v6)

    def has_v4(self, number: int) -> bool:
        """Whether the IPv4 address of this number is trusted."""
        for network, mask in self._v4:  # noqa: SIM110 - a generator costs more than the few comparisons it saves
            if number & mask == network:
                return True
        return False


def resolve_client(
    peer: Address | None, header_values: Sequence[str], trusted: TrustedProxies, source: ClientIpFrom
) -> Address | None:
    """Return client_ip, or None when it cannot be determined.

    Args:
        peer: the socket's peer, or the PROXY protocol's source where that is in use; None on a unix socket.
        header_values: the values of every line of the header that `source` names, in order.
        trusted: whose header is believed.
        source: which header.
    """
    if source is ClientIpFrom.PEER or source is ClientIpFrom.PROXY_PROTOCOL or peer not in trusted:
        return peer
    parse_hop = _forwarded_hop if source is ClientIpFrom.FORWARDED else _x_forwarded_for_hop
    hop: Address | None = None
    for value in reversed(header_values):
        for element in reversed(value.split(",")):
            text = element.strip(" \t")
            if not text:
                continue  # RFC 9110 5.6.1: a recipient ignores empty list elements
            hop = parse_hop(text)
            if hop is None or hop not in trusted:
                return hop
    return hop


def _x_forwarded_for_hop(text: str) -> Address | None:
    """Read one entry: an address, or, as some load balancers write, address:port or [address]:port."""
    address = parse_address(text)
    return address if address is not None else _node(text)


_PAIR = re.compile(r'[ \t]*(?:([!#$%&\'*+.^_`|~0-9A-Za-z-]+)=(?:"((?:[^"\\]|\\.)*)"|([^";, \t]+)))?[ \t]*(?:;|$)')


def _forwarded_hop(text: str) -> Address | None:
    """Read the `for` of one element (RFC 7239 4); `unknown` and obfuscated nodes name nobody.

    The element is read pair by pair: what looks like a `for` inside another pair's quotes is none.
    """
    nodes: list[str] = []
    at = 0
    while at < len(text):
        pair = _PAIR.match(text, at)
        if pair is None:
            return None
        if pair[1] is not None and pair[1].lower() == "for":
            nodes.append(pair[2] if pair[3] is None else pair[3])
        at = pair.end()
    return _node(nodes[0]) if len(nodes) == 1 else None


_NODE = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([0-9.]+))(?::[0-9]{1,5})?")


def _node(text: str) -> Address | None:
    """Read a node of RFC 7239 6: IPv4 or bracketed IPv6, with or without a port."""
    if (match := _NODE.fullmatch(text)) is None:
        return None
    return parse_address(match[1] or match[2])
