"""A network that a place is given for, in overrides and source tables: written strictly, and one that can apply."""

from joingate.codecs.network import parse_network
from joingate.core.client_address import Network, embeds_chosen_ipv4


def read_network(text: str) -> Network:
    """Read a CIDR network, or a single address as the network of that one.

    Raises:
        ValueError: what is wrong with `text` and what to write instead.
    """
    network = parse_network(text)
    # Each such range is aligned, so that a network ends inside one only by lying inside it.
    if embeds_chosen_ipv4(network.broadcast_address):
        raise ValueError(
            f'"{text}" is 6to4, Teredo or IPv4-compatible space, where senders choose the IPv4 address inside and '
            "nobody is ever located; remove it"
        )
    return network
