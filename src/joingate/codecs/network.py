"""Networks as people write them, read strictly: what is meant is what is written, or it is refused.

`ipaddress` alone takes `10.0.0.0/08`, netmasks, hostmasks and zones, and without its `strict` it widens `10.0.0.1/8`
silently; a list of trusted proxies must not be guessed at.
"""

import ipaddress
import re

from joingate.codecs.quoted import quoted
from joingate.core.client_address import Network

_MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")  # RFC 4291 2.5.5.2
_PREFIX = re.compile(r"0|[1-9][0-9]{0,2}")


def parse_network(text: str) -> Network:
    """Read a CIDR network, or a single address as the network of that one.

    Raises:
        ValueError: `text` is none, or not in its one right form; the message says what to write.
    """
    address, slash, prefix = text.partition("/")
    if "%" in text:
        raise ValueError(f"{quoted(text)} has a zone, which means nothing in a network; remove it")
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise ValueError(f'{quoted(text)} is not an IP network; write e.g. "10.0.0.0/8" or "192.0.2.7"') from None
    right = _unmapped(network)
    if right is not network:
        raise ValueError(f'{quoted(text)} is IPv4 inside IPv6, which no client_ip ever is; write "{_short(right)}"')
    if slash and _PREFIX.fullmatch(prefix) is None:
        raise ValueError(f'{quoted(text)} does not give the length of its prefix plainly; write "{network}"')
    if ipaddress.ip_address(address) != network.network_address:
        raise ValueError(f'{quoted(text)} has bits set beyond its prefix; write "{network}", or "{address}" alone')
    return network


def _unmapped(network: Network) -> Network:
    """Return the IPv4 network that an IPv4-mapped one stands for, or `network` itself."""
    if isinstance(network, ipaddress.IPv4Network) or not network.subnet_of(_MAPPED):
        return network
    return ipaddress.IPv4Network((int(network.network_address) & 0xFFFFFFFF, network.prefixlen - 96))


def _short(network: Network) -> str:
    return str(network.network_address) if network.num_addresses == 1 else str(network)
