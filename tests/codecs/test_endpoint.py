from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joingate.codecs.endpoint import (
    Endpoint,
    TcpEndpoint,
    UnixEndpoint,
    UpstreamUrl,
    parse_endpoint,
    parse_upstream_url,
)
from joingate.codecs.quoted import quoted

BASE = Path("/etc/joingate")

READ = {
    "127.0.0.1:8080": TcpEndpoint("127.0.0.1", 8080),
    "0.0.0.0:0": TcpEndpoint("0.0.0.0", 0),
    "[::]:65535": TcpEndpoint("::", 65535),
    "[2001:DB8:0::1]:80": TcpEndpoint("2001:db8::1", 80),
    "localhost:1": TcpEndpoint("localhost", 1),
    "meet_server.internal-1:9000": TcpEndpoint("meet_server.internal-1", 9000),
    "unix:8080": UnixEndpoint(BASE / "8080"),
    "unix:run/gate.sock": UnixEndpoint(BASE / "run/gate.sock"),
    "unix:/run/gate.sock": UnixEndpoint(Path("/run/gate.sock")),
}

NO_ENDPOINT = 'is not host:port, [v6]:port or unix:PATH; write e.g. "0.0.0.0:8080"'
NO_NAME = 'has no host name before its port; write e.g. "localhost:8080"'
NO_IPV4 = 'has no IPv4 address before its port; write e.g. "127.0.0.1:8080"'
NO_IPV6 = 'has no IPv6 address in its brackets; write e.g. "[::1]:8080"'

REFUSED = {
    **dict.fromkeys(
        ("", "8080", "host", "host:", "host:x", "host:080", "host:65536", "host:100000", "host:-1", "host:٣"),
        NO_ENDPOINT,
    ),
    **dict.fromkeys(
        ("::1:8080", "http://h:80", "h:80/x", "u@h:80", "[fe80::1%eth0]:80", "[::1]", "[::1]:"), NO_ENDPOINT
    ),
    ":8080": 'names no host; write "0.0.0.0:8080" or "[::]:8080" for every address',
    **dict.fromkeys(("-a:1", "a-:1", "a..b:1", "é:1", "a b:1", f"{'a' * 64}:1", f"{'a.' * 126}aa:1", "*:80"), NO_NAME),
    **dict.fromkeys(("010.0.0.1:1", "10.1:1", "1:1", "0x7f000001:1", "a.1:1", "0x7f.0X:1"), NO_IPV4),
    **dict.fromkeys(("[]:1", "[1.2.3.4]:1", "[::g]:1", "[name]:1"), NO_IPV6),
    "unix:": 'names no path; write e.g. "unix:/run/joingate.sock"',
}


@pytest.mark.parametrize("text", READ)
def test_an_endpoint_is_read(text: str) -> None:
    assert parse_endpoint(text, BASE) == READ[text]


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_no_endpoint_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(ValueError) as refusal:  # noqa: PT011 - the whole text is compared
        parse_endpoint(text, BASE)
    assert str(refusal.value) == f"{quoted(text)} {REFUSED[text]}"


def test_a_nul_in_a_socket_path_is_refused() -> None:
    with pytest.raises(ValueError, match=r'^"unix:a\\u0000b" names no path; write e\.g\. "unix:/run/joingate\.sock"$'):
        parse_endpoint("unix:a\0b", BASE)


def test_a_socket_path_is_as_long_as_the_kernel_takes_and_no_longer() -> None:
    longest = "/" + "é" * 53  # 107 bytes
    assert parse_endpoint(f"unix:{longest}", BASE) == UnixEndpoint(Path(longest))
    with pytest.raises(ValueError) as refusal:  # noqa: PT011 - the whole text is compared
        parse_endpoint(f"unix:{longest}x", BASE)
    assert str(refusal.value) == f'"unix:{longest}x" is longer than a socket\'s path can be (107 bytes); shorten it'


@given(
    st.one_of(
        st.builds(
            TcpEndpoint,
            st.ip_addresses().filter(lambda ip: ip.version == 4 or not ip.scope_id).map(str),
            st.integers(0, 65535),
        ),
        st.builds(
            UnixEndpoint,
            st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=90).map(BASE.joinpath),
        ),
    )
)
def test_an_endpoint_reads_back_from_how_it_is_printed(endpoint: Endpoint) -> None:
    assert parse_endpoint(str(endpoint), Path("/elsewhere")) == endpoint


@pytest.mark.parametrize(
    ("text", "is_local"),
    [
        ("127.8.9.10:1", True),
        ("[::1]:1", True),
        ("localhost:1", True),
        ("unix:/run/x", True),
        ("0.0.0.0:1", False),
        ("[::]:1", False),
        ("192.168.0.1:1", False),
        ("localhost.example.org:1", False),
    ],
)
def test_local_is_what_no_other_machine_reaches(text: str, is_local: bool) -> None:
    assert parse_endpoint(text, BASE).is_local is is_local


URLS = {
    "http://127.0.0.1:9000": UpstreamUrl(TcpEndpoint("127.0.0.1", 9000), tls=False, host_header="127.0.0.1:9000"),
    "http://meet:80": UpstreamUrl(TcpEndpoint("meet", 80), tls=False, host_header="meet"),
    "http://meet:443": UpstreamUrl(TcpEndpoint("meet", 443), tls=False, host_header="meet:443"),
    "http://unix:80": UpstreamUrl(TcpEndpoint("unix", 80), tls=False, host_header="unix"),
    "https://meet.example.org": UpstreamUrl(
        TcpEndpoint("meet.example.org", 443), tls=True, host_header="meet.example.org"
    ),
    "https://meet:443": UpstreamUrl(TcpEndpoint("meet", 443), tls=True, host_header="meet"),
    "https://[::1]": UpstreamUrl(TcpEndpoint("::1", 443), tls=True, host_header="[::1]"),
    "https://[::1]:8443": UpstreamUrl(TcpEndpoint("::1", 8443), tls=True, host_header="[::1]:8443"),
    "unix:meet.sock": UpstreamUrl(UnixEndpoint(BASE / "meet.sock"), tls=False, host_header="localhost"),
}


@pytest.mark.parametrize("text", URLS)
def test_an_upstream_url_is_read(text: str) -> None:
    assert parse_upstream_url(text, BASE) == URLS[text]


NO_URL = (
    "is not http://host:port, https://host or unix:PATH; "
    'write e.g. "http://127.0.0.1:9000", "https://meet.example.org" or "unix:/run/meet.sock"'
)
BEYOND = "goes on after the host, but requests keep their own path; write"
USER = "carries a user or password, which the gate would never send; remove it"

REFUSED_URLS = {
    **{
        text: f'"{text}" {NO_URL}'
        for text in (
            "",
            "meet:80",
            "ws://meet:80",
            "HTTP://meet:80",
            "http://",
            "https://",
            "http://meet:",
            "http://a b:80",
        )
    },
    "http://meet:0": '"http://meet:0" has port 0, where no server listens; write the server\'s port',
    "http://meet": '"http://meet" names no port; write e.g. "http://meet:80"',
    "http://[::1]": '"http://[::1]" names no port; write e.g. "http://[::1]:80"',
    "http://meet:80/": f'{BEYOND} "http://meet:80"',
    "http://meet:80/path": f'{BEYOND} "http://meet:80"',
    "http://meet:80?token=s3cret": f'{BEYOND} "http://meet:80"',
    "http://meet:80#x": f'{BEYOND} "http://meet:80"',
    "http://user:s3cret@meet:80": USER,
    "http://user:s3/cret@meet:80": USER,
    "user:s3cret@meet:80": USER,
    "unix:": '"unix:" names no path; write e.g. "unix:/run/joingate.sock"',
}


@pytest.mark.parametrize("text", REFUSED_URLS)
def test_what_is_no_upstream_url_is_refused_without_showing_secrets(text: str) -> None:
    with pytest.raises(ValueError) as refusal:  # noqa: PT011 - the whole text is compared
        parse_upstream_url(text, BASE)
    assert str(refusal.value) == REFUSED_URLS[text]
    assert "s3" not in str(refusal.value)
