"""Who the client is, by which way it comes: headers, PROXY protocol, mapped addresses, TLS, unix sockets."""

import asyncio
import ipaddress
import socket
import ssl
from pathlib import Path

import pytest

from joingate.codecs.http1 import CLIENT_ADDRESS_HEADERS
from joingate.core.client_address import ClientIpFrom, TrustedProxies
from joingate.core.errors import RefusedInputError
from joingate.gate.binding import bind
from joingate.gate.downstream import Downstream
from joingate.gate.listener import tls_client_context, tls_server_context
from joingate.gate.options import GateOptions
from tests.core.made import order
from tests.edges.gate_fixture import CN, HK, JOIN, NOWHERE, Wire, eventually, gate_bench, on_both_loops

PROXY = "127.50.0.1"
TRUSTED = TrustedProxies([ipaddress.ip_network("127.50.0.0/16")], unix=True)
RULES = (order(),)


def join(*lines: str) -> bytes:
    return "\r\n".join([f"GET {JOIN} HTTP/1.1", "Host: a", *lines, "", ""]).encode()


@pytest.mark.parametrize("source", list(ClientIpFrom))
@on_both_loops
async def test_no_header_of_an_untrusted_peer_is_believed_or_passed_on(source: ClientIpFrom) -> None:
    names = [name.decode() for name in sorted(CLIENT_ADDRESS_HEADERS)]
    spelt = [*names, *(name.title() for name in names), *(name.replace("-", "_") for name in names)]
    async with gate_bench(rules=RULES, options=GateOptions(TRUSTED, source)) as bench:
        told = [f"{name}: {'for=' * (name == 'forwarded')}{CN}" for name in spelt]
        assert (await bench.ask(join(*told), HK)).status == 200
        assert CN.encode() not in bench.upstream.received
        forwarded = (
            b"X-Forwarded-For: 127.85.0.1\r\nX-Forwarded-Proto: http\r\nForwarded: for=127.85.0.1;proto=http\r\n"
        )
        assert forwarded in bench.upstream.received
        assert bench.upstream.received.count(b"\r\n") == 6
        told = [line.replace(CN, HK) for line in told]
        assert (await bench.ask(join(*told), CN)).status == 451


TOLD = [
    (ClientIpFrom.X_FORWARDED_FOR, (f"X-Forwarded-For: {CN}",), 451),
    (ClientIpFrom.X_FORWARDED_FOR, (f"X-Forwarded-For: {CN}, {HK}",), 200),
    (ClientIpFrom.X_FORWARDED_FOR, (f"X-Forwarded-For: {HK}, {CN}",), 451),
    (ClientIpFrom.X_FORWARDED_FOR, (f"X-Forwarded-For: {HK}", f"x-forwarded-for: {CN}, 127.50.0.9"), 451),
    (ClientIpFrom.X_FORWARDED_FOR, (f"X-Forwarded-For: ::ffff:{CN}",), 451),
    (ClientIpFrom.X_FORWARDED_FOR, (f"X-Forwarded-For: {CN}, nonsense",), 200),
    (ClientIpFrom.X_FORWARDED_FOR, (f"X-Forwarded-For: {CN}", f"X_Forwarded_For: {HK}"), 451),
    (ClientIpFrom.X_FORWARDED_FOR, (f"X-Forwarded-For: {HK}", f"X_Forwarded_For: {CN}"), 200),
    (ClientIpFrom.X_FORWARDED_FOR, (f"X-Forwarded-For: {HK}", f"Forwarded: for={CN}"), 200),
    (ClientIpFrom.X_FORWARDED_FOR, (), 200),
    (ClientIpFrom.FORWARDED, (f"Forwarded: for={HK}, for={CN};proto=https",), 451),
    (ClientIpFrom.FORWARDED, (f"Forwarded: for={CN}, for=unknown",), 200),
    (ClientIpFrom.FORWARDED, (f'Forwarded: for="[::ffff:{CN}]:80"',), 451),
    (ClientIpFrom.FORWARDED, (f"Forwarded: for={HK}", f"X-Forwarded-For: {CN}"), 200),
    (ClientIpFrom.PEER, (f"X-Forwarded-For: {CN}", f"Forwarded: for={CN}"), 200),
]


@pytest.mark.parametrize(("source", "lines", "status"), TOLD)
@on_both_loops
async def test_of_what_a_trusted_proxy_tells_the_right_most_untrusted_hop_counts(
    source: ClientIpFrom, lines: tuple[str, ...], status: int
) -> None:
    async with gate_bench(rules=RULES, options=GateOptions(TRUSTED, source)) as bench:
        assert (await bench.ask(join(*lines), PROXY)).status == status
        assert bool(bench.upstream.wires) is (status == 200)


@on_both_loops
async def test_a_trusted_chain_is_continued_in_its_header_and_written_anew_in_the_other() -> None:
    async with gate_bench(options=GateOptions(TRUSTED, ClientIpFrom.X_FORWARDED_FOR)) as bench:
        await bench.ask(
            join(
                f"X-Forwarded-For: {CN}, {HK}", "X-Forwarded-Proto: https", f"X-Real-IP: {CN}", f"Forwarded: for={CN}"
            ),
            PROXY,
        )
        assert bench.upstream.received.endswith(
            f"Host: a\r\nX-Forwarded-For: {CN}, {HK}, {PROXY}\r\nX-Forwarded-Proto: https\r\n"
            f"Forwarded: for={HK};proto=https, for={PROXY};proto=https\r\n\r\n".encode()
        )


def proxy_v2(source: str) -> bytes:
    packed = socket.inet_aton(source) + socket.inet_aton("127.0.0.1") + bytes(4)
    return b"\r\n\r\n\x00\r\nQUIT\n\x21\x11" + len(packed).to_bytes(2, "big") + packed


PROXIED = {
    "v1": (f"PROXY TCP4 {CN} 127.0.0.1 1 2\r\n".encode(), 451),
    "v1 elsewhere": (f"PROXY TCP4 {HK} 127.0.0.1 1 2\r\n".encode(), 200),
    "v1 mapped": (f"PROXY TCP6 ::ffff:{CN} ::1 1 2\r\n".encode(), 451),
    "v2": (proxy_v2(CN), 451),
    "v2 elsewhere": (proxy_v2(HK), 200),
    "unknown": (b"PROXY UNKNOWN\r\n", 200),
    "local": (b"\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00", 200),
}


@pytest.mark.parametrize("bytewise", [False, True])
@pytest.mark.parametrize("name", PROXIED)
@on_both_loops
async def test_the_proxy_protocol_names_the_client_for_the_whole_connection(name: str, bytewise: bool) -> None:
    header, status = PROXIED[name]
    options = GateOptions(TRUSTED, ClientIpFrom.PROXY_PROTOCOL)
    async with gate_bench(rules=RULES, options=options) as bench:
        client = await bench.open(PROXY)
        if bytewise:
            for byte in header:
                client.send(bytes((byte,)))
                await asyncio.sleep(0)
            header = b""
        client.send(header + join() + join())
        assert [(await client.response()).status for _ in range(2)] == [status] * 2
        if name in {"unknown", "local"}:
            assert PROXY.encode() not in bench.upstream.received  # nobody is named: not the proxy either


@on_both_loops
async def test_a_trusted_proxy_without_its_header_is_cut_and_anybody_elses_is_a_bad_request() -> None:
    async with gate_bench(rules=RULES, options=GateOptions(TRUSTED, ClientIpFrom.PROXY_PROTOCOL)) as bench:
        client = await bench.open(PROXY)
        client.send(join())
        assert await client.rest() == b""
        assert (await bench.ask(PROXIED["v1 elsewhere"][0] + join(), CN)).status == 400
        assert bench.upstream.wires == []


@on_both_loops
async def test_a_mapped_peer_is_the_ipv4_address_it_stands_for() -> None:
    async with gate_bench(rules=RULES) as bench:
        both = socket.socket(socket.AF_INET6)
        both.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        both.bind(("::ffff:127.0.0.1", 0))
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: Downstream(bench.gate, bench.pool), sock=both)
        reader, writer = await asyncio.open_connection("127.0.0.1", both.getsockname()[1], local_addr=(CN, 0))
        client = Wire(reader, writer)
        client.send(join())
        assert (await client.response()).status == 451
        client.abort()
        server.close()


@on_both_loops
async def test_a_peer_that_cannot_be_placed_is_admitted() -> None:
    async with gate_bench(rules=RULES) as bench:
        assert (await bench.ask(join(), NOWHERE)).status == 200
    async with gate_bench(rules=RULES, listen_on="::1") as bench:
        reader, writer = await asyncio.open_connection("::1", bench.port)
        client = Wire(reader, writer)
        client.send(join())
        assert (await client.response()).status == 200
        assert b'Forwarded: for="[::1]";proto=http\r\n' in bench.upstream.received
        client.abort()


@on_both_loops
async def test_unix_sockets_on_both_sides(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("s")
    options = GateOptions(TRUSTED, ClientIpFrom.X_FORWARDED_FOR)
    async with gate_bench(rules=RULES, options=options, unix=(folder / "gate", folder / "up")) as bench:
        client = await bench.open()
        client.send(join(f"X-Forwarded-For: {CN}") + join(f"X-Forwarded-For: {HK}") + join())
        assert [(await client.response()).status for _ in range(3)] == [451, 200, 200]
        assert f"X-Forwarded-For: {HK}\r\n".encode() in bench.upstream.received
        with pytest.raises(RefusedInputError, match=r"^gate\.listen: unix:.*: .*; free it or choose another$"):
            bind([bench.endpoint])
    (folder / "stale").touch()
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(folder / "left"))
    left.close()
    async with gate_bench(unix=(folder / "left", folder / "up2")) as bench:
        assert (await bench.ask(join())).status == 200


@on_both_loops
async def test_tls_downstream_and_to_the_meeting_server(certificate: tuple[Path, Path]) -> None:
    server, client_side = tls_server_context(*certificate), tls_client_context(certificate[0])
    async with gate_bench(rules=RULES, tls=server, upstream_tls=server, upstream_options={"tls": client_side}) as bench:
        client = await bench.open(tls=client_side)
        body = bytes(range(256)) * 8000
        client.send(b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(body) + body + join())
        assert (await client.response()).body == b"POST /a|" + body
        assert (await client.response()).status == 200
        assert b"X-Forwarded-Proto: https\r\nForwarded: for=127.85.0.1;proto=https\r\n" in bench.upstream.received
        assert len(bench.upstream.wires) == 1
        rejected = await bench.open(CN, tls=client_side)
        rejected.send(join("Connection: close"))
        assert (await rejected.response()).status == 451
        assert await rejected.rest() == b""
        malformed = await bench.open(tls=client_side)
        malformed.send(b"nonsense\r\n\r\n")
        assert (await malformed.response()).status == 400


@on_both_loops
async def test_a_meeting_server_with_another_name_or_authority_gets_no_request(certificate: tuple[Path, Path]) -> None:
    server = tls_server_context(*certificate)
    for context in (ssl.create_default_context(), tls_client_context(None)):
        async with gate_bench(upstream_tls=server, upstream_options={"tls": context}) as bench:
            assert (await bench.ask(join())).status == 502
            assert bench.upstream.received == b""
            await eventually(lambda: not bench.upstream.open)


def test_files_that_are_no_certificate_are_refused(certificate: tuple[Path, Path], tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    other.write_text("nothing")
    with pytest.raises(RefusedInputError, match=r"other\.pem: not a certificate chain with its key in .*cert\.pem"):
        tls_server_context(other, certificate[0])
    with pytest.raises(RefusedInputError, match=r"none\.pem: not a certificate chain .*No such file"):
        tls_server_context(tmp_path / "none.pem", certificate[1])
    with pytest.raises(RefusedInputError, match=r"other\.pem: not a PEM file of CA certificates; give one"):
        tls_client_context(other)
