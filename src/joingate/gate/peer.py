"""The first phase of a join, resolve_client: who is at the other end of a downstream connection, and who is the client.

Found out once for each connection; only a trusted proxy speaks for others, request by request.
"""

import asyncio
from ipaddress import IPv4Address
from typing import Final

from joingate.codecs.forwarded import ClientAddressValues, build_forwarded_lines, continue_forwarded_lines
from joingate.codecs.proxy_protocol import parse_proxy_header
from joingate.core.client_address import ClientIpFrom, parse_address, resolve_client
from joingate.core.model import Address
from joingate.gate.options import GateOptions

_HEADER_OF: Final = {ClientIpFrom.X_FORWARDED_FOR: b"x-forwarded-for", ClientIpFrom.FORWARDED: b"forwarded"}
_PROTOS: Final = (None, b"http", b"https")
_NOBODY: Final = b"255.255.255.255"
"""No peer has this address (RFC 919), and none contains it."""


MOST_PROXIES: Final = 256
"""Trusted proxies of which is kept what has been found out; more than one gate has in front of it."""


class Named:
    """An address at the other end, and what the meeting server is told of it.

    Attributes:
        remote_ip: None is a unix socket, or whoever a PROXY header does not name.
        lines: that the meeting server gets where nobody is named by this one.
        around: what stands around a client's address in the lines where somebody is, by X-Forwarded-Proto.
    """

    __slots__ = ("around", "lines", "remote_ip")

    def __init__(self, remote_ip: Address | None, proto: bytes) -> None:
        self.remote_ip = remote_ip
        self.lines = build_forwarded_lines(remote_ip, proto)
        self.around: dict[bytes | None, list[bytes]] = {}


KnownProxies = dict[tuple[str, bytes], Named]
"""Trusted proxies that have connected before, by address and scheme. Nobody else is remembered (G8)."""


class Peer:
    """The other end of one downstream connection."""

    __slots__ = ("_believed", "_named", "_options", "_proto", "_unread")

    def __init__(self, transport: asyncio.BaseTransport, options: GateOptions, known: KnownProxies) -> None:
        """Look at a connection that has just been made; a trusted proxy is added to those `known`."""
        peername = transport.get_extra_info("peername")
        host = peername[0] if isinstance(peername, tuple) else ""  # a unix socket
        self._options = options
        self._proto = b"http" if transport.get_extra_info("sslcontext") is None else b"https"
        named = known.get((host, self._proto))
        is_trusted = named is not None
        if named is None:
            named = Named(parse_address(host) if host else None, self._proto)
            is_trusted = named.remote_ip in options.trusted_proxies
            if is_trusted and len(known) < MOST_PROXIES:
                known[host, self._proto] = named
        self._named = named
        self._believed = _HEADER_OF.get(options.client_ip_from) if is_trusted else None
        # What has been read of the PROXY header that has to come first; None when none has to.
        self._unread = b"" if is_trusted and options.client_ip_from is ClientIpFrom.PROXY_PROTOCOL else None

    @property
    def owes_header(self) -> bool:
        """Whether a PROXY header has to come before anything else."""
        return self._unread is not None

    def take_header(self, data: bytes) -> bytes:
        """Read the PROXY header; return what follows it, nothing while it is incomplete.

        Raises:
            ProxyHeaderError: this is none.
        """
        data = (self._unread or b"") + data
        header = parse_proxy_header(data)
        if header is None:
            self._unread = data
            return b""
        self._unread = None
        # None where it names nobody: the proxy's own address is not the client's
        self._named = Named(header.source, self._proto)
        return data[header.size :]

    def client_ip(self, values: ClientAddressValues) -> Address | None:
        """Resolve the client of a request: the peer, or whom a trusted peer names; None when undeterminable.

        Args:
            values: the request's client-address headers, as RequestHead has them.
        """
        if self._believed is None:
            return self._named.remote_ip
        texts = [value.decode("latin-1") for value in values.get(self._believed, ())]
        return resolve_client(self._named.remote_ip, texts, self._options.trusted_proxies, self._options.client_ip_from)

    def plain_client(
        self, forwarded_for: bytes | None, number: int, proto: bytes | None
    ) -> tuple[Address | None, bytes] | None:
        """Do `client_ip` and `forwarded_lines` in one, for a peer that names one IPv4 address, or that is not asked.

        Args:
            forwarded_for: X-Forwarded-For.
            number: of the one IPv4 address that it is; -1 where it is something else.
            proto: X-Forwarded-Proto.

        Returns:
            client_ip and what the upstream is told about it; None where more has to be looked into.
        """
        if self._believed is None:
            return self._named.remote_ip, self._named.lines
        if number < 0 or forwarded_for is None or self._believed != b"x-forwarded-for":
            return None
        if self._options.trusted_proxies.has_v4(number):
            return None  # another hop on the way
        around = self._named.around.get(proto) or self._learn_around(proto)
        return None if around is None else (IPv4Address(number), forwarded_for.join(around))

    def _learn_around(self, proto: bytes | None) -> list[bytes] | None:
        """Keep what stands around the client's address in the lines: it is the same for all whom this peer names."""
        if proto not in _PROTOS:
            return None  # there is no end of others
        values = {b"x-forwarded-for": [_NOBODY]}
        if proto is not None:
            values[b"x-forwarded-proto"] = [proto]
        self._named.around[proto] = around = self.forwarded_lines(values, IPv4Address(_NOBODY.decode())).split(_NOBODY)
        return around

    def forwarded_lines(self, values: ClientAddressValues, client_ip: Address | None) -> bytes:
        """Return what the upstream is told about the client of a request with these client-address headers."""
        if self._believed is None:
            return self._named.lines
        return continue_forwarded_lines(
            self._named.remote_ip, client_ip, self._proto, values, self._options.client_ip_from
        )
