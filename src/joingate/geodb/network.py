"""A network as a person writes it in a file: one spelling, nothing widened, nothing that could never apply."""

import ipaddress
import re

from joingate.core.client_address import Network, embeds_chosen_ipv4, parse_address

_WRITTEN = re.compile(r"([0-9A-Fa-f:.]+)/(0|[1-9][0-9]{0,2})")
_MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")  # RFC 4291 2.5.5.2


def read_network(text: str) -> Network:
    """Read `address/prefix-length`, the address having no bits set beyond the prefix.

    `ipaddress` alone would take netmasks, host masks, zones and "/08".

    Raises:
        ValueError: what is wrong with `text` and what to write instead.
    """
    match = _WRITTEN.fullmatch(text)
    if match is None:
        address = parse_address(text)
        if address is not None:
            raise ValueError(f'"{text}" has no prefix length; write "{address}/{address.max_prefixlen}"')
        raise ValueError(f'"{text}" is not a network; write an address and a prefix length such as "203.0.113.0/24"')
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise ValueError(
            f'"{text}" is not a network; write an address and a prefix length such as "203.0.113.0/24"'
        ) from None
    if network.network_address != ipaddress.ip_address(match[1]):
        raise ValueError(f'"{text}" has bits set beyond its prefix length; write "{network}"')
    if network.version == 6:
        _refuse_ipv4_inside(text, network)
    return network


def _refuse_ipv4_inside(text: str, network: ipaddress.IPv6Network) -> None:
    if network.subnet_of(_MAPPED):
        ipv4 = f"{network.network_address.ipv4_mapped}/{network.prefixlen - 96}"
        raise ValueError(f'"{text}" is IPv4 written as IPv6, which is looked up as IPv4; write "{ipv4}"')
    # Each such range is aligned, so that a network ends inside one only by lying inside it.
    if embeds_chosen_ipv4(network.broadcast_address):
        raise ValueError(
            f'"{text}" is 6to4, Teredo or IPv4-compatible space, where senders choose the IPv4 address inside and '
            "nobody is ever located; remove it"
        )
