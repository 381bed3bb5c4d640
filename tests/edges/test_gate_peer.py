"""The peer's short way for one plain address says what its long way says."""

from ipaddress import IPv4Address, IPv4Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joingate.core.client_address import ClientIpFrom, TrustedProxies
from joingate.gate.options import GateOptions
from joingate.gate.peer import MOST_PROXIES, KnownProxies, Named, Peer

PROXY = "11.1.1.10"  # which has 1.1.1.1 inside


class Made:
    """A transport, as far as Peer asks it."""

    def __init__(self, address: str | None) -> None:
        self._address = address

    def get_extra_info(self, name: str) -> object:
        return {"peername": "" if self._address is None else (self._address, 1)}.get(name)


def peer(address: str | None, source: ClientIpFrom, known: KnownProxies | None = None) -> Peer:
    trusted = TrustedProxies([IPv4Network("11.1.1.0/24")], unix=True)
    options = GateOptions(trusted_proxies=trusted, client_ip_from=source)
    return Peer(Made(address), options, {} if known is None else known)  # type: ignore[arg-type]


@given(
    st.sampled_from([PROXY, "12.0.0.1", "2001:db8::1", None]),
    st.sampled_from([ClientIpFrom.PEER, ClientIpFrom.X_FORWARDED_FOR, ClientIpFrom.FORWARDED]),
    st.ip_addresses(v=4) | st.sampled_from([IPv4Address(text) for text in ("1.1.1.1", "11.1.1.9", PROXY)]),
    st.sampled_from([None, b"http", b"https", b"wss"]),
)
def test_one_plain_address_is_read_and_told_alike(
    address: str | None, source: ClientIpFrom, client: IPv4Address, proto: bytes | None
) -> None:
    text = str(client).encode()
    values = {b"x-forwarded-for": [text]} | ({} if proto is None else {b"x-forwarded-proto": [proto]})
    one = peer(address, source)
    for _ in range(2):  # the second time from what was learnt
        found = one.plain_client(text, int(client), proto)
        if found is not None:
            client_ip = one.client_ip(values)
            assert found == (client_ip, one.forwarded_lines(values, client_ip))


@pytest.mark.parametrize("number", [-1, int(IPv4Address("11.1.1.9"))])
def test_what_is_not_one_plain_client_is_looked_into(number: int) -> None:
    one = peer(PROXY, ClientIpFrom.X_FORWARDED_FOR)
    assert one.plain_client(b"1.1.1.1", int(IPv4Address("1.1.1.1")), b"http") is not None
    assert one.plain_client(b"x", number, b"http") is None
    assert one.plain_client(b"1.1.1.1", int(IPv4Address("1.1.1.1")), b"wss") is None
    assert one.plain_client(None, -1, None) is None


def test_trusted_proxies_are_remembered_and_nobody_else() -> None:
    known: KnownProxies = {}
    one = peer(PROXY, ClientIpFrom.X_FORWARDED_FOR, known)
    again = peer(PROXY, ClientIpFrom.X_FORWARDED_FOR, known)
    for address in ("12.0.0.1", "2001:db8::1"):
        peer(address, ClientIpFrom.X_FORWARDED_FOR, known)
    peer(None, ClientIpFrom.X_FORWARDED_FOR, known)
    assert list(known) == [(PROXY, b"http"), ("", b"http")]
    number = int(IPv4Address("1.1.1.1"))
    assert one.plain_client(b"1.1.1.1", number, None) == again.plain_client(b"1.1.1.1", number, None) != None  # noqa: E711
    assert list(known[PROXY, b"http"].around) == [None]


def test_no_more_proxies_are_remembered_than_there_may_be() -> None:
    known: KnownProxies = {(str(number), b"http"): Named(None, b"http") for number in range(MOST_PROXIES)}
    number = int(IPv4Address("1.1.1.1"))
    assert peer(PROXY, ClientIpFrom.X_FORWARDED_FOR, known).plain_client(b"1.1.1.1", number, None)
    assert len(known) == MOST_PROXIES
