"""The PROXY protocol, versions 1 and 2: strict, incremental, and never a guess."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joingate.codecs.proxy_protocol import ProxyHeader, ProxyHeaderError, parse_proxy_header
from joingate.core.client_address import parse_address
from joingate.core.model import Address

V4 = ipaddress.IPv4Address("203.0.113.7")
V6 = ipaddress.IPv6Address("2001:db8::7")
FULL = ":".join(["ffff"] * 8)
SIGNATURE = bytes.fromhex("0d0a0d0a000d0a515549540a")


def line(text: str) -> bytes:
    return f"PROXY {text}\r\n".encode("latin-1")


def binary(body: bytes, *, command: int = 0x21, family: int = 0x11, size: int | None = None) -> bytes:
    return SIGNATURE + bytes((command, family)) + (len(body) if size is None else size).to_bytes(2, "big") + body


def addresses(source: Address, destination: Address, source_port: int = 1, destination_port: int = 2) -> bytes:
    return source.packed + destination.packed + source_port.to_bytes(2, "big") + destination_port.to_bytes(2, "big")


WHOLE = [
    pytest.param(line("TCP4 203.0.113.7 192.0.2.1 56324 443"), V4, id="v1 TCP4"),
    pytest.param(line("TCP4 203.0.113.7 255.255.255.255 0 65535"), V4, id="v1 ends of the port range"),
    pytest.param(line("TCP6 2001:db8::7 ::1 1 2"), V6, id="v1 TCP6"),
    pytest.param(line("TCP6 2001:DB8:0:0:0:0:0:7 2001:db8::1 1 2"), V6, id="v1 TCP6 in full"),
    pytest.param(line("TCP6 ::ffff:203.0.113.7 ::ffff:192.0.2.1 1 2"), V4, id="v1 mapped"),
    pytest.param(
        line("TCP6 " + " ".join([FULL] * 2) + " 65535 65535"), ipaddress.IPv6Address(FULL), id="v1 longest TCP6"
    ),
    pytest.param(b"PROXY UNKNOWN\r\n", None, id="v1 UNKNOWN"),
    pytest.param(line("UNKNOWN 203.0.113.7 what \xff ever"), None, id="v1 UNKNOWN and anything"),
    pytest.param(binary(addresses(V4, V4)), V4, id="v2 TCP4"),
    pytest.param(binary(addresses(V4, V4), family=0x12), V4, id="v2 UDP4"),
    pytest.param(binary(addresses(V6, V6), family=0x21), V6, id="v2 TCP6"),
    pytest.param(binary(addresses(V6, V6), family=0x22), V6, id="v2 UDP6"),
    pytest.param(binary(addresses(ipaddress.IPv6Address("::ffff:203.0.113.7"), V6), family=0x21), V4, id="v2 mapped"),
    pytest.param(binary(addresses(V4, V4) + b"\x04\x00\x03xyz"), V4, id="v2 with a TLV"),
    pytest.param(binary(addresses(V4, V4) + b"\xee" * (4096 - 28)), V4, id="v2 4096 bytes"),
    pytest.param(binary(bytes(216), family=0x31), None, id="v2 unix stream"),
    pytest.param(binary(bytes(216), family=0x32), None, id="v2 unix datagram"),
    pytest.param(binary(b"", family=0x00), None, id="v2 unspecified"),
    pytest.param(binary(b"ignored", family=0x00), None, id="v2 unspecified, with bytes"),
    pytest.param(binary(b"", command=0x20, family=0x00), None, id="v2 LOCAL"),
    pytest.param(binary(addresses(V4, V4), command=0x20), None, id="v2 LOCAL with addresses"),
    pytest.param(binary(b"xyz", command=0x20, family=0xFF), None, id="v2 LOCAL, family ignored"),
]


@pytest.mark.parametrize(("header", "source"), WHOLE)
def test_headers(header: bytes, source: Address | None) -> None:
    expected = ProxyHeader(len(header), source)
    assert parse_proxy_header(header) == expected
    assert parse_proxy_header(header + b"GET / HTTP/1.1\r\n\r\n") == expected
    for end in range(len(header)):
        assert parse_proxy_header(header[:end]) is None


def test_the_longest_line_of_the_specification() -> None:
    longest = line("UNKNOWN " + " ".join([FULL] * 2) + " 65535 65535")
    assert parse_proxy_header(longest) == ProxyHeader(107, None)
    assert parse_proxy_header(longest[:-1]) is None


NO_HEADER = "the connection does not begin with a PROXY protocol header"
MALFORMED = "PROXY v1: malformed line"
ADDRESS = "PROXY v1: malformed address"
COMMAND = "PROXY v2: neither a LOCAL nor a PROXY command of version 2"
FAMILY = "PROXY v2: undefined address family or transport"
SHORT = "PROXY v2: shorter than its addresses"


@pytest.mark.parametrize(
    ("received", "detail"),
    [
        (b"G", NO_HEADER),
        (b"GET / HTTP/1.1\r\n", NO_HEADER),
        (b"proxy TCP4 203.0.113.7 192.0.2.1 1 2\r\n", NO_HEADER),
        (b" PROXY", NO_HEADER),
        (b"PROXY\t", NO_HEADER),
        (b"PROXY\r\n", NO_HEADER),
        (SIGNATURE[:11] + b"\r", NO_HEADER),
        (b"\r\nPROXY UNKNOWN\r\n", NO_HEADER),
        (b"\x16\x03\x01", NO_HEADER),  # a TLS hello
        (line("TCP4 203.0.113.7 192.0.2.1 1"), MALFORMED),
        (line("TCP4 203.0.113.7 192.0.2.1 1 2 "), MALFORMED),
        (line("TCP4 203.0.113.7 192.0.2.1 1 2 3"), MALFORMED),
        (line("TCP4  203.0.113.7 192.0.2.1 1 2"), MALFORMED),
        (line("TCP4 203.0.113.7\t192.0.2.1 1 2"), MALFORMED),
        (line(" TCP4 203.0.113.7 192.0.2.1 1 2"), MALFORMED),
        (line("TCP4 203.0.113.7 192.0.2.1 01 2"), MALFORMED),
        (line("TCP4 203.0.113.7 192.0.2.1 1 00"), MALFORMED),
        (line("TCP4 203.0.113.7 192.0.2.1 +1 2"), MALFORMED),
        (line("TCP4 203.0.113.7 192.0.2.1 1 -2"), MALFORMED),
        (line("TCP4 203.0.113.7 192.0.2.1 1 100000"), MALFORMED),
        (line("TCP4 203.0.113.7 192.0.2.1 \xb2 2"), MALFORMED),  # a superscript two
        (line("TCP4 203.0.113.7 192.0.2.1 1 2\r"), MALFORMED),
        (line("TCP4 203.0.113.7 192.0.2.1 1 2\nX"), MALFORMED),
        (line("TCP4 2001:db8::7 ::1 1 2"), MALFORMED),
        (line("TCP4 203.0.113.7 ::1 1 2"), MALFORMED),
        (line("TCP4 ::ffff:203.0.113.7 192.0.2.1 1 2"), MALFORMED),
        (line("TCP6 203.0.113.7 192.0.2.1 1 2"), MALFORMED),
        (line("TCP6 2001:db8::7 192.0.2.1 1 2"), MALFORMED),
        (line("TCP6 fe80::1%eth0 ::1 1 2"), MALFORMED),
        (line("TCP4 0xcb.0.113.7 192.0.2.1 1 2"), MALFORMED),
        (line("UDP4 203.0.113.7 192.0.2.1 1 2"), MALFORMED),
        (line("tcp4 203.0.113.7 192.0.2.1 1 2"), MALFORMED),
        (line("UNKNOWNX"), MALFORMED),
        (line("UNKNOWN\tx"), MALFORMED),
        (line("UNKNOWN a\nb"), MALFORMED),
        (line("UNKNOWN a\rb"), MALFORMED),
        (line(""), MALFORMED),
        (line("TCP4 203.0.113.07 192.0.2.1 1 2"), ADDRESS),
        (line("TCP4 203.0.113.256 192.0.2.1 1 2"), ADDRESS),
        (line("TCP4 203.113.7 192.0.2.1 1 2"), ADDRESS),
        (line("TCP4 203.0.113.7 3221225985 1 2"), ADDRESS),
        (line("TCP6 2001:db8::7::1 ::1 1 2"), ADDRESS),
        (line("TCP6 2001:db8::7 00001::1 1 2"), ADDRESS),
        (line("TCP4 203.0.113.7 192.0.2.1 65536 2"), "PROXY v1: port above 65535"),
        (line("TCP4 203.0.113.7 192.0.2.1 1 99999"), "PROXY v1: port above 65535"),
        (b"PROXY UNKNOWN " + b"x" * 93, "PROXY v1: no CRLF within 107 bytes"),
        (b"PROXY UNKNOWN " + b"x" * 92 + b"\r\n", "PROXY v1: no CRLF within 107 bytes"),
        (b"PROXY TCP4 203.0.113.7 192.0.2.1 1 2\n" + b"x" * 80, "PROXY v1: no CRLF within 107 bytes"),
        (binary(b"", command=0x22), COMMAND),
        (binary(b"", command=0x2F), COMMAND),
        (binary(b"", command=0x11), COMMAND),
        (binary(b"", command=0x01), COMMAND),
        (binary(b"", command=0x31), COMMAND),
        (binary(addresses(V4, V4), family=0x10), FAMILY),
        (binary(addresses(V4, V4), family=0x13), FAMILY),
        (binary(addresses(V4, V4), family=0x01), FAMILY),
        (binary(addresses(V4, V4), family=0x41), FAMILY),
        (binary(addresses(V6, V6), family=0x20), FAMILY),
        (binary(b"", family=0x11), SHORT),
        (binary(addresses(V4, V4), size=11), SHORT),
        (binary(addresses(V6, V6), family=0x21, size=35), SHORT),
        (binary(addresses(V4, V4), family=0x21), SHORT),
        (binary(bytes(215), family=0x31), SHORT),
        (binary(bytes(215), family=0x32), SHORT),
        (binary(bytes(11), family=0x12), SHORT),
        (binary(bytes(35), family=0x22), SHORT),
        (binary(addresses(V4, V4), size=4081), "PROXY v2: header above 4096 bytes"),
        (binary(b"", command=0x20, size=65535), "PROXY v2: header above 4096 bytes"),
    ],
)
def test_what_is_no_header(received: bytes, detail: str) -> None:
    with pytest.raises(ProxyHeaderError) as caught:
        parse_proxy_header(received)
    assert caught.value.detail == str(caught.value) == detail
    assert bytewise(received) == detail


def bytewise(stream: bytes) -> ProxyHeader | str | None:
    """Parse as a connection would whose bytes come one at a time."""
    try:
        for end in range(len(stream) + 1):
            if (header := parse_proxy_header(stream[:end])) is not None:
                return header
    except ProxyHeaderError as error:
        return error.detail
    return None


def whole(stream: bytes) -> ProxyHeader | str | None:
    try:
        return parse_proxy_header(stream)
    except ProxyHeaderError as error:
        return error.detail


ports = st.integers(0, 65535)
pairs = st.tuples(st.ip_addresses(v=4), st.ip_addresses(v=4)) | st.tuples(st.ip_addresses(v=6), st.ip_addresses(v=6))


@given(pairs, ports, ports)
def test_round_trip_v1(pair: tuple[Address, Address], source_port: int, destination_port: int) -> None:
    source, destination = pair
    built = line(f"TCP{source.version} {source} {destination} {source_port} {destination_port}")
    assert whole(built) == ProxyHeader(len(built), parse_address(str(source)))


@given(pairs, ports, ports, st.binary(max_size=60), st.booleans())
def test_round_trip_v2(
    pair: tuple[Address, Address], source_port: int, destination_port: int, tlvs: bytes, datagram: bool
) -> None:
    family = (0x10 if pair[0].version == 4 else 0x20) | (2 if datagram else 1)
    built = binary(addresses(*pair, source_port, destination_port) + tlvs, family=family)
    assert whole(built + b"\r\n") == ProxyHeader(len(built), parse_address(str(pair[0])))


v1_words = st.sampled_from(
    "PROXY TCP4 TCP6 UNKNOWN 203.0.113.7 192.0.2.01 2001:db8::7 ::ffff:1.2.3.4 0 65535 65536 007 \r\n \n \r".split(" ")
)
v1_like = st.lists(v1_words | st.text(max_size=3), max_size=9).map(
    lambda words: ("PROXY " + " ".join(words) + "\r\n").encode("latin-1", "replace")
)
v2_like = st.builds(
    binary,
    st.binary(max_size=40),
    command=st.integers(0, 255) | st.sampled_from([0x20, 0x21]),
    family=st.integers(0, 255) | st.sampled_from([0x00, 0x11, 0x21, 0x31]),
    size=st.none() | st.integers(0, 65535),
)


@given(st.one_of(st.binary(max_size=200), v1_like, v2_like), st.binary(max_size=20))
def test_whole_and_byte_by_byte_come_to_the_same(stream: bytes, more: bytes) -> None:
    result = whole(stream + more)
    assert result == bytewise(stream + more)
    if isinstance(result, ProxyHeader):
        assert 15 <= result.size <= len(stream + more)
