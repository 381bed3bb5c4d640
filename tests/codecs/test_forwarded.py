"""What the upstream is told of the client: written anew, and continued only in the header that is believed."""

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joingate.codecs.forwarded import build_forwarded_lines, continue_forwarded_lines, written
from joingate.core.client_address import ClientIpFrom

CLIENT, OTHER, PROXY, SIX = map(ip_address, ("192.0.2.1", "192.0.2.2", "198.51.100.1", "2001:db8::1"))
XFF, FORWARDED = ClientIpFrom.X_FORWARDED_FOR, ClientIpFrom.FORWARDED


@pytest.mark.parametrize(
    ("remote_ip", "proto", "lines"),
    [
        (
            CLIENT,
            b"http",
            ["X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: http", "Forwarded: for=192.0.2.1;proto=http"],
        ),
        (
            SIX,
            b"https",
            ["X-Forwarded-For: 2001:db8::1", "X-Forwarded-Proto: https", 'Forwarded: for="[2001:db8::1]";proto=https'],
        ),
        (None, b"http", ["X-Forwarded-Proto: http"]),
    ],
)
def test_a_peer_that_is_the_client(remote_ip: object, proto: bytes, lines: list[str]) -> None:
    assert build_forwarded_lines(remote_ip, proto) == told(lines)  # type: ignore[arg-type]


def told(lines: list[str]) -> bytes:
    return "".join(f"{line}\r\n" for line in lines).encode()


CHAINS = {
    "the chain goes on": (
        (PROXY, CLIENT, {b"x-forwarded-for": [b"9.9.9.9, 192.0.2.1"]}, XFF),
        ["X-Forwarded-For: 9.9.9.9, 192.0.2.1, 198.51.100.1", "X-Forwarded-Proto: http",
         "Forwarded: for=192.0.2.1;proto=http, for=198.51.100.1;proto=http"],
    ),
    "over several lines": (
        (PROXY, OTHER, {b"x-forwarded-for": [b"192.0.2.1", b"192.0.2.2"], b"forwarded": [b"for=evil"]}, XFF),
        ["X-Forwarded-For: 192.0.2.1, 192.0.2.2, 198.51.100.1", "X-Forwarded-Proto: http",
         "Forwarded: for=192.0.2.2;proto=http, for=198.51.100.1;proto=http"],
    ),
    "in Forwarded": (
        (PROXY, SIX, {b"forwarded": [b'for="[2001:db8::1]"'], b"x-forwarded-for": [b"evil"]}, FORWARDED),
        ["X-Forwarded-For: 2001:db8::1, 198.51.100.1", "X-Forwarded-Proto: http",
         'Forwarded: for="[2001:db8::1]", for=198.51.100.1;proto=http'],
    ),
    "the proxy says how it was reached": (
        (PROXY, CLIENT, {b"x-forwarded-for": [b"192.0.2.1"], b"x-forwarded-proto": [b"https"]}, XFF),
        ["X-Forwarded-For: 192.0.2.1, 198.51.100.1", "X-Forwarded-Proto: https",
         "Forwarded: for=192.0.2.1;proto=https, for=198.51.100.1;proto=https"],
    ),
    "the proxy says so twice": (
        (PROXY, CLIENT, {b"x-forwarded-for": [b"192.0.2.1"], b"x-forwarded-proto": [b"https", b"https"]}, XFF),
        ["X-Forwarded-For: 192.0.2.1, 198.51.100.1", "X-Forwarded-Proto: http",
         "Forwarded: for=192.0.2.1;proto=http, for=198.51.100.1;proto=http"],
    ),
    "or nonsense": (
        (PROXY, CLIENT, {b"x-forwarded-for": [b"192.0.2.1"], b"x-forwarded-proto": [b"https;x"]}, XFF),
        ["X-Forwarded-For: 192.0.2.1, 198.51.100.1", "X-Forwarded-Proto: http",
         "Forwarded: for=192.0.2.1;proto=http, for=198.51.100.1;proto=http"],
    ),
    "the proxy is the client": (
        (PROXY, PROXY, {b"x-forwarded-for": [b"198.51.100.1"]}, XFF),
        ["X-Forwarded-For: 198.51.100.1, 198.51.100.1", "X-Forwarded-Proto: http",
         "Forwarded: for=198.51.100.1;proto=http"],
    ),
    "it names nobody": (
        (PROXY, None, {}, FORWARDED),
        ["X-Forwarded-For: 198.51.100.1", "X-Forwarded-Proto: http", "Forwarded: for=198.51.100.1;proto=http"],
    ),
    "a unix socket": (
        (None, CLIENT, {b"x-forwarded-for": [b"192.0.2.1"]}, XFF),
        ["X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: http", "Forwarded: for=192.0.2.1;proto=http"],
    ),
    "a unix socket that names nobody": ((None, None, {}, XFF), ["X-Forwarded-Proto: http"]),
    "a source that is no header": (
        (PROXY, PROXY, {}, ClientIpFrom.PEER),
        ["X-Forwarded-For: 198.51.100.1", "X-Forwarded-Proto: http", "Forwarded: for=198.51.100.1;proto=http"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CHAINS)
def test_a_trusted_peer(name: str) -> None:
    (remote_ip, client_ip, values, source), lines = CHAINS[name]
    assert continue_forwarded_lines(remote_ip, client_ip, b"http", values, source) == told(lines)


@given(st.ip_addresses())
def test_an_address_is_written_as_everybody_writes_it(address: IPv4Address | IPv6Address) -> None:
    assert written(address) == str(address).encode()
