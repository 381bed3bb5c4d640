import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joingate.codecs.network import parse_network

REFUSED = {
    "10.0.0.1/8": '"10.0.0.1/8" has bits set beyond its prefix; write "10.0.0.0/8", or "10.0.0.1" alone',
    "2001:db8::1/32": '"2001:db8::1/32" has bits set beyond its prefix; write "2001:db8::/32", or "2001:db8::1" alone',
    "10.0.0.0/08": '"10.0.0.0/08" does not give the length of its prefix plainly; write "10.0.0.0/8"',
    "10.0.0.0/255.0.0.0": '"10.0.0.0/255.0.0.0" does not give the length of its prefix plainly; write "10.0.0.0/8"',
    "10.0.0.0/0.0.0.255": '"10.0.0.0/0.0.0.255" does not give the length of its prefix plainly; write "10.0.0.0/24"',
    "fe80::1%eth0": '"fe80::1%eth0" has a zone, which means nothing in a network; remove it',
    "fe80::%1/10": '"fe80::%1/10" has a zone, which means nothing in a network; remove it',
    "::ffff:10.0.0.0/104": '"::ffff:10.0.0.0/104" is IPv4 inside IPv6, which no client_ip ever is; write "10.0.0.0/8"',
    "::ffff:10.0.0.7": '"::ffff:10.0.0.7" is IPv4 inside IPv6, which no client_ip ever is; write "10.0.0.7"',
    "::ffff:0:0/96": '"::ffff:0:0/96" is IPv4 inside IPv6, which no client_ip ever is; write "0.0.0.0/0"',
    **{
        text: f'"{text}" is not an IP network; write e.g. "10.0.0.0/8" or "192.0.2.7"'
        for text in ("", "x", "010.0.0.1", "10.0.0.0/", "10.0.0.0/33", "10.0/8", " 10.0.0.0/8", "10.0.0.0/8/8", "/8")
    },
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_not_plainly_a_network_is_refused_with_the_remedy(text: str) -> None:
    with pytest.raises(ValueError) as refusal:  # noqa: PT011 - the whole text is compared
        parse_network(text)
    assert str(refusal.value) == REFUSED[text]


@given(st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)), st.integers(0, 128))
def test_every_network_in_its_one_form_is_read(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address, prefix: int
) -> None:
    network = ipaddress.ip_network((int(address), min(prefix, address.max_prefixlen)), strict=False)
    if address.version == 4:
        network = ipaddress.ip_network(f"{address}/{min(prefix, 32)}", strict=False)
    if isinstance(network, ipaddress.IPv6Network) and network.subnet_of(ipaddress.IPv6Network("::ffff:0:0/96")):
        return
    assert parse_network(str(network)) == network


@pytest.mark.parametrize("text", ["192.0.2.7", "2001:db8::7", "::1"])
def test_a_single_address_is_the_network_of_that_one(text: str) -> None:
    assert parse_network(text) == ipaddress.ip_network(text)


def test_a_network_that_holds_more_than_mapped_addresses_is_not_one_of_them() -> None:
    assert parse_network("::/0") == ipaddress.ip_network("::/0")
