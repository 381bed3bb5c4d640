"""Where a socket listens or connects: `host:port`, `[v6]:port` or `unix:PATH`, and the upstream's URL."""

import ipaddress
import re
from dataclasses import dataclass
from pathlib import Path

from joingate.codecs.quoted import quoted


@dataclass(frozen=True, slots=True)
class TcpEndpoint:
    """A TCP address.

    Attributes:
        host: a host name, an IPv4 address, or an IPv6 address without brackets.
        port: 0 to 65535; 0 asks the kernel for a free one.
    """

    host: str
    port: int

    @property
    def is_local(self) -> bool:
        """Whether only this machine reaches it."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"  # RFC 6761 6.3: resolves to loopback, always

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class UnixEndpoint:
    """A unix stream socket.

    Attributes:
        unix: the socket's path.
    """

    unix: Path

    @property
    def is_local(self) -> bool:
        """Whether only this machine reaches it."""
        return True

    def __str__(self) -> str:
        return f"unix:{self.unix}"


Endpoint = TcpEndpoint | UnixEndpoint


@dataclass(frozen=True, slots=True)
class UpstreamUrl:
    """The meeting server's address.

    Attributes:
        endpoint: where to connect.
        tls: whether TLS is spoken there.
        host_header: the Host of a request of the gate's own: the URL's authority, "localhost" on a unix socket.
    """

    endpoint: Endpoint
    tls: bool
    host_header: str


_UNIX = "unix:"
_LONGEST_UNIX_PATH = 107  # sun_path of unix(7) is 108 bytes with its final NUL
_HOST_PORT = re.compile(r"(?:\[(?P<v6>[^][%]*)\]|(?P<name>[^][:/@]*)):(?P<port>0|[1-9][0-9]{0,4})")
# RFC 1123 2.1, and the underscore that container networks put into names.
_HOST_NAME = re.compile(
    r"(?=.{1,253}$)(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.)*"
    r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
)
_NUMBER = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*")  # no name ends in one (RFC 3696 2): resolvers read an address there
_URL = re.compile(r"(https?)://([^/?#]*)(.*)", re.DOTALL)
_PORT = re.compile(r":[^]:]*$")
_DEFAULT_PORT = {"http": 80, "https": 443}  # RFC 9110 4.2


def parse_endpoint(text: str, base: Path) -> Endpoint:
    """Read `host:port`, `[v6]:port` or `unix:PATH`; a relative PATH is relative to the folder `base`.

    Raises:
        ValueError: `text` is none of them; the message shows it and says what to write.
    """
    return _unix_endpoint(text, base) if text.startswith(_UNIX) else _tcp_endpoint(text)


def parse_upstream_url(text: str, base: Path) -> UpstreamUrl:
    """Read `http://host:port`, `https://host[:port]` or `unix:PATH`, with no path, query, fragment or user.

    Raises:
        ValueError: `text` is none of them; the message says what to write, and shows no user, password or query.
    """
    if text.startswith(_UNIX):
        return UpstreamUrl(_unix_endpoint(text, base), tls=False, host_header="localhost")
    if "@" in text:
        raise ValueError("carries a user or password, which the gate would never send; remove it")
    if (match := _URL.fullmatch(text)) is None:
        raise ValueError(_not_a_url(text))
    scheme, authority, rest = match.groups()
    if rest:
        plain = quoted(f"{scheme}://{authority}")
        raise ValueError(f"goes on after the host, but requests keep their own path; write {plain}")
    names_port = _PORT.search(authority) is not None
    try:
        endpoint = _tcp_endpoint(authority if names_port else f"{authority}:{_DEFAULT_PORT[scheme]}")
    except ValueError:
        raise ValueError(_not_a_url(text)) from None
    if endpoint.port == 0:
        raise ValueError(f"{quoted(text)} has port 0, where no server listens; write the server's port")
    if scheme == "http" and not names_port:
        raise ValueError(f'{quoted(text)} names no port; write e.g. "{scheme}://{endpoint}"')
    host_header = str(endpoint).removesuffix(f":{_DEFAULT_PORT[scheme]}")
    return UpstreamUrl(endpoint, tls=scheme == "https", host_header=host_header)


def _tcp_endpoint(text: str) -> TcpEndpoint:
    if (match := _HOST_PORT.fullmatch(text)) is None or (port := int(match["port"])) > 65535:
        raise ValueError(f'{quoted(text)} is not host:port, [v6]:port or unix:PATH; write e.g. "0.0.0.0:8080"')
    if match["name"] == "":
        raise ValueError(f'{quoted(text)} names no host; write "0.0.0.0:{port}" or "[::]:{port}" for every address')
    return TcpEndpoint(_host(text, match["v6"], match["name"]), port)


def _unix_endpoint(text: str, base: Path) -> UnixEndpoint:
    written = text.removeprefix(_UNIX)
    if not written or "\0" in written:
        raise ValueError(f'{quoted(text)} names no path; write e.g. "unix:/run/joingate.sock"')
    path = base / written
    if len(bytes(path)) > _LONGEST_UNIX_PATH:
        raise ValueError(
            f"{quoted(text)} is longer than a socket's path can be ({_LONGEST_UNIX_PATH} bytes); shorten it"
        )
    return UnixEndpoint(path)


def _host(text: str, v6: str | None, name: str) -> str:
    if v6 is not None:
        try:
            return str(ipaddress.IPv6Address(v6))
        except ValueError:
            raise ValueError(f'{quoted(text)} has no IPv6 address in its brackets; write e.g. "[::1]:8080"') from None
    if _NUMBER.fullmatch(name.rpartition(".")[2]):
        try:
            return str(ipaddress.IPv4Address(name))
        except ValueError:
            raise ValueError(
                f'{quoted(text)} has no IPv4 address before its port; write e.g. "127.0.0.1:8080"'
            ) from None
    if _HOST_NAME.fullmatch(name) is None:
        raise ValueError(f'{quoted(text)} has no host name before its port; write e.g. "localhost:8080"')
    return name


def _not_a_url(text: str) -> str:
    return (
        f"{quoted(text)} is not http://host:port, https://host or unix:PATH; "
        'write e.g. "http://127.0.0.1:9000", "https://meet.example.org" or "unix:/run/meet.sock"'
    )
