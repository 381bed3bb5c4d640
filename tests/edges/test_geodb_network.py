"""What geodb adds to `codecs.network`: networks in which nobody can be located are refused."""

import ipaddress

import pytest

from joingate.geodb.network import read_network


@pytest.mark.parametrize("text", ["203.0.113.0/24", "0.0.0.0/0", "10.1.2.3/32", "2001:db8::/32", "::1/128", "::/0"])
def test_networks_that_can_apply(text: str) -> None:
    assert str(read_network(text)) == text


def test_an_address_is_the_network_of_that_one() -> None:
    assert read_network("203.0.113.7") == ipaddress.ip_network("203.0.113.7/32")


@pytest.mark.parametrize(
    "text", ["2002:cb00:7100::/40", "2002::/16", "2001::/32", "2001:0:1::/48", "::203.0.113.0/120", "::/96"]
)
def test_space_where_senders_choose_the_address_inside(text: str) -> None:
    with pytest.raises(ValueError, match="nobody is ever located") as refusal:
        read_network(text)
    assert str(refusal.value) == (
        f'"{text}" is 6to4, Teredo or IPv4-compatible space, where senders choose the IPv4 address inside and '
        "nobody is ever located; remove it"
    )


def test_the_reading_itself_is_strict() -> None:
    with pytest.raises(ValueError, match="has bits set beyond its prefix"):
        read_network("203.0.113.7/24")
