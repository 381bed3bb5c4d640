"""Whose address counts: by table, by generated chains against a second reading of the rules, and by over-long input."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

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
    "",
    " ",
    "-",
    "*",
    "unknown",
    "null",
    "localhost",
    "example.org",
    "1",
    "1.2",
    "1.2.3",
    "127.1",
    "1.2.3.4.5",
    "1.2.3.256",
    "1.2.3.-4",
    "1.2.3.+4",
    "1.2.3.4.",
    ".1.2.3.4",
    "1..2.3",
    "01.2.3.4",
    "1.2.3.04",
    "1.2.3.010",
    "00.0.0.0",
    "02.125.160.216",
    "0x2.125.160.216",
    "0x7f000001",
    "2.125.41176",
    "41787608",
    "2130706433",
    "0177.0.0.1",
    "1.2.3.4e0",
    "1.2.3.4\n",
    "1.2.3.4\r",
    "1.2.3.4\x00",
    "1.2.3.4 5.6.7.8",
    " 1.2.3.4",
    "1.2.3.4/32",
    "\u0661.\u0662.\u0663.\u0664",
    "1.2.3.\uff14",
    "\u00b9.2.3.4",
    "1\u30022.3.4",
    "1.2.3.\u0664",
    ":",
    ":::",
    "1::2::3",
    "12345::",
    "::g",
    "::1%",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "::1/128",
    "::ffff:1.2.3.256",
    "::ffff:01.2.3.4",
    "::ffff:1.2.3",
    "fe80::\uff11",
    "fe80::1%a%b",
    "1.2.3.4%eth0",
    "9" * 5000,
    ":" * 5000,
    "1." * 5000,
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
    (f"{CLIENT}:", None),
    (f"{CLIENT}:123456", None),
    (f"{CLIENT}:-1", None),
    (f"{CLIENT}:http", None),
    (f"{CLIENT}:_p", None),
    (f"{CLIENT}:1:2", None),
    (f"{CLIENT}:\u0661", None),
    (f"[{CLIENT6}", None),
    (f"{CLIENT6}]", None),
    (f"[{CLIENT6}]443", None),
    (f"[{CLIENT6}]:", None),
    (f"[[{CLIENT6}]]", None),
    ("[]", None),
    ("[]:80", None),
    ("[:]", None),
    ("[fe80::1%eth0]", None),
    ("[fe80::1%25eth0]", None),
    ("[::g]", None),
    ("[1:2:3:4:5:6:7:8:9]", None),
    ("[\uff11::1]", None),
    ("unknown", None),
    ("UNKNOWN", None),
    ("_hidden", None),
    ("_SEVKISEK", None),
    ("_10.0.0.1", None),
    ("10.0.0", None),
    ("127.1", None),
    ("0x7f.0.0.1", None),
    ("0177.0.0.1", None),
    ("02.125.160.216", None),
    ("2130706433", None),
    ("203.0.113.256", None),
    ("203.0.113.9.", None),
    ("\u0662\u0660\u0663.0.113.9", None),
    ("203.0.113.\uff19", None),
    ("example.org", None),
    ("203.0.113.9/32", None),
    ("203.0.113.9%eth0", None),
    ("203.0.113.9\x00", None),
    ("203.0.113.9\n", None),
    ("203.0.113.9\x0b", None),
    ("\u00a0203.0.113.9", None),
    ("<script>", None),
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


# A second reading of the same rules, written plainly and without the first one's regular expressions


def plain_address(text: str) -> Address | None:
    try:
        found = ip_address(text.split("%", maxsplit=1)[0] if ":" in text else text)
        ip_address(text)
    except ValueError:
        return None
    if isinstance(found, IPv6Address) and int(found) >> 32 == 0xFFFF:
        return IPv4Address(int(found) & 0xFFFFFFFF)
    return found


def plain_node(text: str) -> Address | None:
    """An address with an optional port, IPv6 in brackets; no zone there."""
    host, port = text, None
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or "%" in host or (rest and not rest.startswith(":")):
            return None
        port = rest[1:] if rest else None
    else:
        if text.count(":") > 1:
            return None
        if ":" in text:
            host, _, port = text.partition(":")
        if not set(host) <= set("0123456789."):
            return None
    if port is not None and not (1 <= len(port) <= 5 and all(digit in "0123456789" for digit in port)):
        return None
    return plain_address(host)


def plain_forwarded(text: str) -> Address | None:
    """The node of the element's one `for`; values hold no semicolon here."""
    nodes = []
    for pair in text.split(";"):
        key, equals, value = pair.strip(" \t").partition("=")
        if key.lower() != "for" or not equals:
            continue
        quotes = value.count('"')
        if quotes == 2 and value[0] == value[-1] == '"' and "\\" not in value:
            nodes.append(value[1:-1])
        elif quotes == 0 and value and " " not in value and "\t" not in value:
            nodes.append(value)
    return plain_node(nodes[0]) if len(nodes) == 1 else None


def plain_client(values: list[str], source: ClientIpFrom, trusted: list[str]) -> Address | None:
    """Walk the whole list from the left, and remember what the rule says of its right end."""
    elements = [element.strip(" \t") for value in values for element in value.split(",")]
    elements = [element for element in elements if element]
    if source is FORWARDED:
        hops = [plain_forwarded(element) for element in elements]
    else:
        hops = [plain_address(element) or plain_node(element) for element in elements]
    networks = [ip_network(network) for network in trusted]
    client: Address | None = None
    for at, hop in enumerate(hops):
        if all(other is not None and any(other in network for network in networks) for other in hops[at + 1 :]):
            client = hop
            break
    return client


TRUST_POOL = ["10.0.0.0/8", "192.0.2.7/32", "fd00::/8"]

hops = st.sampled_from(
    (
        *(CLIENT, CLIENT6, "1.2.3.4", "10.0.0.2", "10.9.9.9", "192.0.2.7", "192.0.2.8", "fd00::1", "fe80::1%eth0"),
        *("::ffff:10.0.0.2", "::ffff:1.2.3.4", "unknown", "_x", "010.0.0.1", "10.1", "1.2.3.4.5", "\u0661.1.1.1", ""),
    )
)


@st.composite
def entries(draw: st.DrawFn) -> str:
    """A hop as somebody may write it, or noise."""
    hop = draw(hops | st.ip_addresses().map(str) | st.text("0123456789abcdef.:%[]_ ", max_size=12))
    hop = draw(st.sampled_from((hop, hop, f"[{hop}]", f"{hop}:80", f"[{hop}]:65535", f"[{hop}", f"{hop}:x")))
    return draw(st.sampled_from(("", " ", "\t"))) + hop + draw(st.sampled_from(("", " ")))


@st.composite
def forwarded_elements(draw: st.DrawFn) -> str:
    node = draw(entries()).strip()
    written = draw(st.sampled_from((f"for={node}", f'For="{node}"', f'for="{node}', f"for={node}", "proto=https", "")))
    more = draw(st.lists(st.sampled_from(("proto=https", "by=_x", 'host="h"', "for=1.1.1.1", " ")), max_size=2))
    return draw(st.sampled_from((";", "; ", " ;"))).join(draw(st.permutations([written, *more])))


@st.composite
def headers(draw: st.DrawFn, elements: st.SearchStrategy[str]) -> list[str]:
    return [",".join(line) for line in draw(st.lists(st.lists(elements, max_size=4), max_size=3))]


@given(values=headers(entries()), trusted=st.lists(st.sampled_from(TRUST_POOL), max_size=3))
@example(values=["1.2.3.4, 10.0.0.2"], trusted=["10.0.0.0/8"])
def test_x_forwarded_for_agrees_with_a_second_reading(values: list[str], trusted: list[str]) -> None:
    proxies = TrustedProxies([*map(ip_network, trusted), ip_network("198.51.100.1/32")])
    found = resolve_client(IPv4Address("198.51.100.1"), values, proxies, XFF)
    assert found == plain_client(values, XFF, [*trusted, "198.51.100.1/32"])


@given(values=headers(forwarded_elements()), trusted=st.lists(st.sampled_from(TRUST_POOL), max_size=3))
@example(values=['for=1.2.3.4, for="[fd00::1]:1";by=_x'], trusted=["fd00::/8"])
def test_forwarded_agrees_with_a_second_reading(values: list[str], trusted: list[str]) -> None:
    proxies = TrustedProxies([*map(ip_network, trusted), ip_network("198.51.100.1/32")])
    found = resolve_client(IPv4Address("198.51.100.1"), values, proxies, FORWARDED)
    assert found == plain_client(values, FORWARDED, [*trusted, "198.51.100.1/32"])


@given(values=st.lists(st.text(max_size=40), max_size=4), source=st.sampled_from(ClientIpFrom))
def test_nothing_that_is_sent_raises(values: list[str], source: ClientIpFrom) -> None:
    found = resolved(values, source)
    assert found is None or isinstance(found, IPv4Address | IPv6Address)


@given(forged=st.lists(entries(), max_size=5), client=st.ip_addresses(v=4).filter(lambda address: address != PROXY))
def test_what_the_client_writes_itself_never_counts(forged: list[str], client: IPv4Address) -> None:
    """A trusted proxy appends the address it saw; whatever was there before is on its left."""
    assert resolved([*forged, str(client)], trusted=TrustedProxies([ip_network(f"{PROXY}/32")])) == client
