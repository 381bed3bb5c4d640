"""Whose address counts, by table. Generated chains are in test_client_address_second_reading.py."""

from ipaddress import IPv4Address, ip_address, ip_network

import pytest

from joingate.core.client_address import (
    UNIX_PEER,
    ClientIpFrom,
    TrustedProxies,
    embeds_chosen_ipv4,
    parse_address,
    resolve_client,
)
from joingate.core.model import Address

XFF, FORWARDED = ClientIpFrom.X_FORWARDED_FOR, ClientIpFrom.FORWARDED
TRUSTED = TrustedProxies(map(ip_network, ("10.0.0.0/8", "192.0.2.7/32", "fd00::/8", "2001:db8:a::/48")))
PROXY = IPv4Address("10.0.0.1")
CLIENT, CLIENT6 = "203.0.113.9", "2606:4700::9"

# Addresses

READABLE = [
    ("1.2.3.4", "1.2.3.4"),
    ("0.0.0.0", "0.0.0.0"),
    ("255.255.255.255", "255.255.255.255"),
    ("::", "::"),
    ("::1", "::1"),
    ("2606:4700::9", "2606:4700::9"),
    ("2606:4700:0:0:0:0:0:9", "2606:4700::9"),
    ("2606:4700::ABCD", "2606:4700::abcd"),
    ("::ffff:1.2.3.4", "1.2.3.4"),
    ("::FFFF:1.2.3.4", "1.2.3.4"),
    ("::ffff:102:304", "1.2.3.4"),
    ("0:0:0:0:0:ffff:1.2.3.4", "1.2.3.4"),
    ("::ffff:1.2.3.4%eth0", "1.2.3.4"),
    ("fe80::1%eth0", "fe80::1"),
    ("fe80::1%1", "fe80::1"),
    ("2606:4700::9%anything", "2606:4700::9"),
    ("::1.2.3.4", "::1.2.3.4"),
    ("64:ff9b::1.2.3.4", "64:ff9b::102:304"),
]

UNREADABLE = [
    *"- * unknown null localhost example.org : ::: 1::2::3 12345:: ::g ::1% 1:2:3:4:5:6:7 1:2:3:4:5:6:7:8:9".split(),
    *"1 1.2 1.2.3 127.1 1.2.3.4.5 1.2.3.256 1.2.3.-4 1.2.3.+4 1.2.3.4. .1.2.3.4 1..2.3 1.2.3.4e0 1.2.3.4/32".split(),
    *"01.2.3.4 1.2.3.04 1.2.3.010 00.0.0.0 02.125.160.216 0177.0.0.1 0x2.125.160.216 0x7f000001".split(),
    *"2.125.41176 41787608 2130706433 1.2.3.4%eth0 fe80::1%a%b ::1/128".split(),
    *"::ffff:1.2.3.256 ::ffff:01.2.3.4 ::ffff:1.2.3".split(),
    *("", " ", " 1.2.3.4", "1.2.3.4\n", "1.2.3.4\r", "1.2.3.4\x00", "1.2.3.4 5.6.7.8"),
    *("\u0661.\u0662.\u0663.\u0664", "1.2.3.\uff14", "\u00b9.2.3.4", "1\u30022.3.4", "1.2.3.\u0664", "fe80::\uff11"),
    *("9" * 5000, ":" * 5000, "1." * 5000),
]


@pytest.mark.parametrize(("text", "address"), READABLE)
def test_parse_address(text: str, address: str) -> None:
    found = parse_address(text)
    assert found == ip_address(address)
    assert getattr(found, "scope_id", None) is None


@pytest.mark.parametrize("text", UNREADABLE, ids=lambda text: ascii(text[:20]))
def test_what_is_no_address_is_none(text: str) -> None:
    assert parse_address(text) is None


@pytest.mark.parametrize(
    ("address", "embeds"),
    [
        ("1.2.3.4", False),
        ("::", False),
        ("::1", False),
        ("::2", True),
        ("::1.2.3.4", True),
        ("2002::", True),
        ("2002:27d:a0d8::1", True),
        ("2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff", True),
        ("2003::", False),
        ("2001:0:27d:a0d8::", True),
        ("2001::1", True),
        ("2001:1::1", False),
        ("2001:218::1", False),
        ("64:ff9b::1.2.3.4", False),
        ("fe80::1", False),
        ("fe80::1%eth0", False),
        ("2606:4700::9", False),
        ("::ffff:1.2.3.4", False),  # stands for the IPv4 address itself: parse_address unwraps it
    ],
)
def test_embeds_chosen_ipv4(address: str, embeds: bool) -> None:
    assert embeds_chosen_ipv4(ip_address(address)) is embeds


# Trust


@pytest.mark.parametrize(
    ("networks", "unix", "peer", "trusted"),
    [
        ("", False, "10.0.0.1", False),
        ("", False, "::1", False),
        ("", False, None, False),
        ("", True, None, True),
        ("", True, "127.0.0.1", False),
        ("10.0.0.0/8", False, None, False),
        ("10.0.0.0/8", False, "10.0.0.0", True),
        ("10.0.0.0/8", False, "10.255.255.255", True),
        ("10.0.0.0/8", False, "11.0.0.0", False),
        ("10.0.0.0/8", False, "9.255.255.255", False),
        ("10.0.0.0/8", False, "::ffff:10.0.0.2", True),
        ("10.0.0.0/8", False, "::ffff:11.0.0.2", False),
        ("10.0.0.0/8", False, "::10.0.0.2", False),
        ("10.0.0.0/8", False, "2002:a00:1::", False),
        ("10.0.0.1/32", False, "10.0.0.1", True),
        ("10.0.0.1/32", False, "10.0.0.2", False),
        ("0.0.0.0/0", False, "203.0.113.9", True),
        ("0.0.0.0/0", False, "::1", False),
        ("::/0", False, "2606:4700::9", True),
        ("::/0", False, "10.0.0.1", False),
        ("fe80::/10", False, "fe80::1%eth0", True),
        ("fe80::/10", False, "fec0::1", False),
        ("fd00::/8 10.0.0.0/8", False, "fd12::1", True),
        ("fd00::/8 10.0.0.0/8", False, "10.1.1.1", True),
        ("fd00::/8 10.0.0.0/8", False, "fe00::1", False),
        ("10.0.0.0/16 10.2.0.0/16", False, "10.1.0.1", False),
        ("10.0.0.0/16 10.2.0.0/16", False, "10.2.0.1", True),
    ],
)
def test_trust(networks: str, unix: bool, peer: str | None, trusted: bool) -> None:
    """Peers come through parse_address, so a mapped one meets the IPv4 ranges."""
    address = None if peer is None else parse_address(peer)
    assert (address in TrustedProxies(map(ip_network, networks.split()), unix=unix)) is trusted


def test_a_unix_peer_is_written_as_nginx_writes_it() -> None:
    assert UNIX_PEER == "unix:"


PEERS: list[Address | None] = [None, PROXY, ip_address(CLIENT), ip_address("2001:db8:a::1"), ip_address(CLIENT6)]


@pytest.mark.parametrize("peer", PEERS, ids=str)
@pytest.mark.parametrize("source", [ClientIpFrom.PEER, ClientIpFrom.PROXY_PROTOCOL])
@pytest.mark.parametrize(
    "trusted", [TRUSTED, TrustedProxies(), TrustedProxies(unix=True)], ids=["some", "none", "unix"]
)
def test_without_a_header_to_read_the_peer_is_the_client(
    peer: Address | None, source: ClientIpFrom, trusted: TrustedProxies
) -> None:
    assert resolve_client(peer, ["1.2.3.4", "for=1.2.3.4"], trusted, source) is peer


@pytest.mark.parametrize("peer", ["203.0.113.9", "11.0.0.1", "192.0.2.8", "::1", "2606:4700::9", "2001:db8:b::1", None])
@pytest.mark.parametrize("source", [XFF, FORWARDED])
@pytest.mark.parametrize("values", [[], [""], ["1.2.3.4"], ["10.0.0.1"], ["for=1.2.3.4"], ["garbage"]])
def test_an_untrusted_peer_is_believed_nothing(peer: str | None, source: ClientIpFrom, values: list[str]) -> None:
    address = None if peer is None else ip_address(peer)
    assert resolve_client(address, values, TRUSTED, source) is address


# One entry, in both spellings: what stands for whom

NODES = [
    (CLIENT, CLIENT),
    (f"{CLIENT}:0", CLIENT),
    (f"{CLIENT}:1", CLIENT),
    (f"{CLIENT}:65535", CLIENT),
    (f"[{CLIENT6}]", CLIENT6),
    (f"[{CLIENT6}]:443", CLIENT6),
    ("[2606:4700:0:0:0:0:0:9]", CLIENT6),
    ("[2606:4700::ABCD]", "2606:4700::abcd"),
    ("[::ffff:203.0.113.9]", CLIENT),
    ("[::ffff:203.0.113.9]:1", CLIENT),
    ("[::]", "::"),
    *((f"{CLIENT}{port}", None) for port in (":", ":123456", ":-1", ":http", ":_p", ":1:2", ":\u0661", ".", "/32")),
    *((f"{CLIENT}{tail}", None) for tail in ("%eth0", "\x00", "\n", "\x0b")),
    *((text, None) for text in (f"[{CLIENT6}", f"{CLIENT6}]", f"[{CLIENT6}]443", f"[{CLIENT6}]:", f"[[{CLIENT6}]]")),
    *((text, None) for text in "[] []:80 [:] [fe80::1%eth0] [fe80::1%25eth0] [::g] [1:2:3:4:5:6:7:8:9]".split()),
    *((text, None) for text in "unknown UNKNOWN _hidden _SEVKISEK _10.0.0.1 example.org <script>".split()),
    *((text, None) for text in "10.0.0 127.1 0x7f.0.0.1 0177.0.0.1 02.125.160.216 2130706433 203.0.113.256".split()),
    *((text, None) for text in ("[\uff11::1]", "\u0662\u0660\u0663.0.113.9", "203.0.113.\uff19", "\u00a0203.0.113.9")),
]


def expected(address: str | None) -> Address | None:
    return None if address is None else ip_address(address)


def resolved(values: list[str], source: ClientIpFrom = XFF, trusted: TrustedProxies = TRUSTED) -> Address | None:
    return resolve_client(PROXY, values, trusted, source)


def name(value: object) -> str:
    return ascii(value)[:60]


@pytest.mark.parametrize(("node", "client"), NODES, ids=name)
@pytest.mark.parametrize(
    ("left", "right"),
    [("", ""), ("1.2.3.4, ", ", 10.0.0.2"), ("garbage,", ",10.9.9.9:1 , "), (",,", ", [fd00::1]:443")],
)
def test_x_forwarded_for(node: str, client: str | None, left: str, right: str) -> None:
    """The first hop from the right that is not trusted is the client, or nobody is; what is left of it never counts."""
    assert resolved([left + node + right]) == expected(client)


@pytest.mark.parametrize(("node", "client"), NODES, ids=name)
@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("", ""),
        ("for=1.2.3.4, ", ", for=10.0.0.2"),
        ("garbage,", ',for="10.9.9.9:1" , '),
        ('for="[::1]";by=_x,', ', for="[fd00::1]:443"'),
    ],
)
def test_forwarded(node: str, client: str | None, left: str, right: str) -> None:
    assert resolved([f'{left}for="{node}"{right}'], FORWARDED) == expected(client)


@pytest.mark.parametrize(
    ("value", "client"),
    [
        (CLIENT6, CLIENT6),  # as X-Forwarded-For writes it, without brackets
        ("::ffff:203.0.113.9", CLIENT),
        ("::ffff:10.0.0.9", "10.0.0.9"),
        (f"{CLIENT}, ::ffff:10.0.0.9", CLIENT),
        ("fe80::1%eth0", "fe80::1"),
        ("::", "::"),
        (f"[{CLIENT}]", CLIENT),
        (f" \t{CLIENT}\t ", CLIENT),
        (f"{CLIENT} ,\t10.0.0.2", CLIENT),
        (f'"{CLIENT}"', None),
        (f"for={CLIENT}", None),
        (f"{CLIENT} 10.0.0.2", None),
        (f"{CLIENT};10.0.0.2", None),
        (f"{CLIENT},unknown", None),
        (f"{CLIENT}, ", CLIENT),
        (f"{CLIENT},,,", CLIENT),
        (f",{CLIENT}", CLIENT),
        (",", None),
        ("", None),
        (" ", None),
        ("10.0.0.2", "10.0.0.2"),  # everybody is trusted: the furthest hop is the client
        ("10.0.0.3, 10.0.0.2", "10.0.0.3"),
        (", 10.0.0.3, , 10.0.0.2, ", "10.0.0.3"),
        ("unknown, 10.0.0.2", None),
        ("1.2.3.4, 10.0.0.3, unknown, 10.0.0.2", None),
        (f"10.0.0.2, {CLIENT}", CLIENT),
        (f"10.0.0.2, {CLIENT}, 10.0.0.2", CLIENT),
        (f"192.0.2.8, {CLIENT}, 192.0.2.7", CLIENT),
        ("192.0.2.8, 192.0.2.7", "192.0.2.8"),
        ("2001:db8:b::1, 2001:db8:a::1", "2001:db8:b::1"),
    ],
    ids=name,
)
def test_x_forwarded_for_as_it_comes(value: str, client: str | None) -> None:
    assert resolved([value]) == expected(client)


@pytest.mark.parametrize(
    ("value", "client"),
    [
        (f"for={CLIENT}", CLIENT),
        (f"For={CLIENT}", CLIENT),
        (f"FOR={CLIENT}", CLIENT),
        (f"for={CLIENT};proto=http;by=203.0.113.43", CLIENT),
        (f"proto=http;for={CLIENT};by=203.0.113.43", CLIENT),
        (f"by=203.0.113.43;proto=http;for={CLIENT}", CLIENT),
        (f"by=203.0.113.43 ; for={CLIENT} ; proto=http", CLIENT),
        (f"for={CLIENT}\t;\tproto=http", CLIENT),
        (f"for={CLIENT};", CLIENT),
        (f'for="{CLIENT}:4711"', CLIENT),
        (f'for="[{CLIENT6}]:4711"', CLIENT6),
        (f"for={CLIENT}:4711", CLIENT),  # not a token by the letter; HAProxy and others write it
        (f"for=[{CLIENT6}]", CLIENT6),
        (f'for="{CLIENT6}"', None),  # RFC 7239 6: IPv6 stands in brackets
        (f"for={CLIENT6}", None),
        ("for=unknown", None),
        ("for=_gazonk", None),
        ('for="_gazonk:80"', None),
        ("by=203.0.113.43", None),
        ("proto=https", None),
        ("host=example.org", None),
        ("for=", None),
        ('for=""', None),
        ("for", None),
        (f"for ={CLIENT}", None),
        (f"for= {CLIENT}", None),
        (f"xfor={CLIENT}", None),
        (f"x-for={CLIENT}", None),
        (f"for={CLIENT} garbage", None),
        (f'for="{CLIENT}', None),
        (f'for={CLIENT}"', None),
        (f'for="{CLIENT}"x', None),
        (f"for='{CLIENT}'", None),
        (f'for="\\{CLIENT}"', None),
        ('for="203.0.113.9\\"', None),
        (f"for={CLIENT};for={CLIENT}", None),
        (f"for={CLIENT};for=1.2.3.4", None),
        (f'for="{CLIENT}";FOR="1.2.3.4"', None),
        (f"for=unknown;for={CLIENT}", None),
        (CLIENT, None),
        ("", None),
        (",", None),
        (f"for={CLIENT},", CLIENT),
        (f"for={CLIENT}, ,", CLIENT),
        (f"for={CLIENT},by=_x", None),
        ("for=1.2.3.4, for=unknown", None),
        ("for=10.0.0.2", "10.0.0.2"),
        (f"for={CLIENT},for=10.0.0.2;by=10.0.0.1", CLIENT),
        (f'for="{CLIENT}, for=10.0.0.2', None),  # an opening quote voids its own element, not those to its right
        (f'for="1.2.3.4,{CLIENT}"', None),
        (f'for=1.2.3.4, for="[{CLIENT6}]";proto=https;host=example.org', CLIENT6),
    ],
    ids=name,
)
def test_forwarded_as_it_comes(value: str, client: str | None) -> None:
    assert resolved([value], FORWARDED) == expected(client)


@pytest.mark.parametrize(
    ("values", "client"),
    [
        ([], None),
        ([""], None),
        (["", ""], None),
        ([CLIENT], CLIENT),
        (["1.2.3.4", CLIENT], CLIENT),
        (["1.2.3.4", CLIENT, "10.0.0.2"], CLIENT),
        ([CLIENT, "", "10.0.0.2"], CLIENT),
        ([CLIENT, "10.0.0.2", ","], CLIENT),
        (["1.2.3.4", "garbage"], None),
        (["garbage", CLIENT], CLIENT),
        ([f"1.2.3.4, {CLIENT}", "10.0.0.3, 10.0.0.2"], CLIENT),
        (["10.0.0.3", "10.0.0.2"], "10.0.0.3"),
    ],
    ids=name,
)
def test_all_lines_are_one_list_and_the_last_is_nearest(values: list[str], client: str | None) -> None:
    assert resolved(values) == expected(client)
    forwarded = [",".join(f"for={hop.strip()}" if hop.strip() else hop for hop in v.split(",")) for v in values]
    assert resolved(forwarded, FORWARDED) == expected(client)


@pytest.mark.parametrize("count", [100, 1000, 1001, 5000])
@pytest.mark.parametrize(
    ("left", "right", "client"),
    [
        ("1.2.3.4", CLIENT, CLIENT),
        (CLIENT, "10.0.0.2", CLIENT),
        ("garbage", "10.0.0.2", None),
        ("", CLIENT, CLIENT),
        (CLIENT, "", CLIENT),
    ],
)
def test_a_long_list_is_read_as_a_short_one(count: int, left: str, right: str, client: str | None) -> None:
    assert resolved([",".join([left, *[right] * count])]) == expected(client)
    assert resolved([left, *[right] * count]) == expected(client)


def test_a_trusted_unix_peer_is_believed_too() -> None:
    trusted = TrustedProxies([ip_network("10.0.0.0/8")], unix=True)
    assert resolve_client(None, [f"1.2.3.4, {CLIENT}"], trusted, XFF) == ip_address(CLIENT)
    assert resolve_client(None, [], trusted, XFF) is None


def test_a_mapped_hop_meets_the_ipv4_trust_ranges() -> None:
    assert resolved([f"{CLIENT}, ::ffff:10.0.0.2"]) == IPv4Address(CLIENT)
    assert resolved([f'for={CLIENT}, for="[::ffff:10.0.0.2]"'], FORWARDED) == IPv4Address(CLIENT)
