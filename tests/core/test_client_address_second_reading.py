"""A second reading of the same rules, written plainly and without the first one's regular expressions."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from hypothesis import example, given
from hypothesis import strategies as st

from joingate.core.client_address import ClientIpFrom, TrustedProxies, resolve_client
from joingate.core.model import Address

XFF, FORWARDED = ClientIpFrom.X_FORWARDED_FOR, ClientIpFrom.FORWARDED
PROXY = IPv4Address("10.0.0.1")
CLIENT, CLIENT6 = "203.0.113.9", "2606:4700::9"


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
        if not pair.strip(" \t"):
            continue
        key, equals, value = pair.strip(" \t").partition("=")
        quotes = value.count('"')
        if quotes == 2 and value[0] == value[-1] == '"' and "\\" not in value:
            node = value[1:-1]
        elif quotes == 0 and value and " " not in value and "\t" not in value:
            node = value
        else:
            return None
        if not key or not equals or " " in key:
            return None
        if key.lower() == "for":
            nodes.append(node)
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
    found = resolve_client(PROXY, values, TrustedProxies([ip_network("10.0.0.0/8")]), source)
    assert found is None or isinstance(found, IPv4Address | IPv6Address)


@given(forged=st.lists(entries(), max_size=5), client=st.ip_addresses(v=4).filter(lambda address: address != PROXY))
def test_what_the_client_writes_itself_never_counts(forged: list[str], client: IPv4Address) -> None:
    """A trusted proxy appends the address it saw; whatever was there before is on its left."""
    trusted = TrustedProxies([ip_network(f"{PROXY}/32")])
    assert resolve_client(PROXY, [*forged, str(client)], trusted, XFF) == client
