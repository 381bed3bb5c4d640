import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joingate.geodb.network import read_network

_EXAMPLE = 'write an address and a prefix length such as "203.0.113.0/24"'
_CHOSEN = (
    "is 6to4, Teredo or IPv4-compatible space, where senders choose the IPv4 address inside and "
    "nobody is ever located; remove it"
)


@pytest.mark.parametrize("text", ["203.0.113.0/24", "0.0.0.0/0", "10.1.2.3/32", "2001:db8::/32", "::1/128", "::/0"])
def test_one_spelling(text: str) -> None:
    assert str(read_network(text)) == text


def test_ipv6_may_be_spelt_out() -> None:
    assert read_network("2001:DB8:0:0::/32") == ipaddress.ip_network("2001:db8::/32")


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("203.0.113.7", 'has no prefix length; write "203.0.113.7/32"'),
        ("2001:db8::1", 'has no prefix length; write "2001:db8::1/128"'),
        ("203.0.113.7/24", 'has bits set beyond its prefix length; write "203.0.113.0/24"'),
        ("203.0.113.0/024", f"is not a network; {_EXAMPLE}"),
        ("203.0.113.0/255.255.255.0", f"is not a network; {_EXAMPLE}"),
        ("203.0.113.0/0.0.0.255", f"is not a network; {_EXAMPLE}"),
        ("203.0.113.0/33", f"is not a network; {_EXAMPLE}"),
        ("0313.0.113.0/24", f"is not a network; {_EXAMPLE}"),
        ("fe80::%eth0/64", f"is not a network; {_EXAMPLE}"),
        (" 203.0.113.0/24", f"is not a network; {_EXAMPLE}"),
        ("203.0.113.0/24\n", f"is not a network; {_EXAMPLE}"),
        ("10.0.0.0/\u0668", f"is not a network; {_EXAMPLE}"),
        ("", f"is not a network; {_EXAMPLE}"),
        (
            "::ffff:203.0.113.0/120",
            'is IPv4 written as IPv6, which is looked up as IPv4; write "203.0.113.0/24"',
        ),
        ("::ffff:0:0/96", 'is IPv4 written as IPv6, which is looked up as IPv4; write "0.0.0.0/0"'),
        ("2002:cb00:7100::/40", _CHOSEN),
        ("2002::/16", _CHOSEN),
        ("2001::/32", _CHOSEN),
        ("::203.0.113.0/120", _CHOSEN),
        ("::/96", _CHOSEN),
    ],
)
def test_refused_with_what_to_write(text: str, remedy: str) -> None:
    with pytest.raises(ValueError) as refusal:  # noqa: PT011  the whole text is compared
        read_network(text)
    assert str(refusal.value) == f'"{text}" {remedy}'


@given(st.text(max_size=30) | st.from_regex(r"[0-9a-f:.%]{1,20}/[0-9]{1,3}"))
def test_anything_is_a_network_or_a_refusal(text: str) -> None:
    try:
        network = read_network(text)
    except ValueError as refusal:
        assert str(refusal).startswith(f'"{text}" ')  # noqa: PT017  either outcome is right
    else:
        assert network == ipaddress.ip_network(text, strict=True)
