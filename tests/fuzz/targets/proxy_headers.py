"""However a connection's first bytes come, they are one PROXY header for good, or none for good, or not yet either."""

from ipaddress import ip_address

from joingate.codecs.proxy_protocol import ProxyHeader, ProxyHeaderError, parse_proxy_header
from tests.fuzz.refusals import fits_a_close_frame

TOKENS = (
    *(
        b"PROXY TCP4 ",
        b"PROXY TCP6 ",
        b"PROXY UNKNOWN",
        b"\r\n",
        b" ",
        b"::ffff:1.2.3.4",
        b"1.2.3.4",
        b"65535",
        b"fe80::1",
    ),
    *(b"\r\n\r\n\x00\r\nQUIT\n", b"\x20\x00\x00\x00", b"\x21\x11\x00\x0c", b"\x21\x21\x00\x24", b"\x21\x31\x00\xd8"),
)
_MOST = 4096


def check(data: bytes) -> None:
    """Read every beginning of the input, as it might have arrived."""
    results = [_read(data[:size]) for size in range(min(len(data), 300) + 1)]
    final = next((result for result in results if result is not None), None)
    at = results.index(final)
    assert results[at:] == [final] * (len(results) - at), "what was settled has changed"
    assert final in (None, _read(data)), "what was settled has changed"
    if isinstance(final, ProxyHeader):
        assert final.size == at <= _MOST, "the header ends elsewhere than where it was complete"
        if data.startswith(b"PROXY T"):
            named = ip_address(data.split(b" ")[2].decode())
            assert final.source in (named, getattr(named, "ipv4_mapped", None)), "another address than the one written"


def _read(data: bytes) -> ProxyHeader | str | None:
    try:
        return parse_proxy_header(data)
    except ProxyHeaderError as error:
        fits_a_close_frame(error.detail)
        return "refused"
