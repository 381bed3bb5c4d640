"""The admin service of the real program: whom it answers, what, and what it never says."""

import asyncio
import json
import re
import ssl
import stat
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import orjson
import pytest
import pytest_asyncio
from prometheus_client.parser import text_string_to_metric_families

from tests.edges.room_relay import RoomRelay
from tests.edges.served import CN, DE, HK, NOWHERE, Folder, Served, host_policy, order, run, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

TOKEN = "correct-horse_battery.staple"
SECRETS = {"user-4f1c9e", "quiet-room-77", "board-room-78", CN, DE, HK, "127.86.", "127.49.", "127.85."}
COUNTRIES = {'"CN"', '"DE"', '"HK"', "China", "Germany", "=CN", "=DE", " CN", " DE", " HK"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gate(tmp_path_factory: pytest.TempPathFactory, demo_mmdb: Path) -> AsyncIterator[Served]:
    async with RoomRelay() as relay:
        folder = Folder(tmp_path_factory.mktemp("open"), demo_mmdb, upstream_port=relay.port)
        async with Served(folder) as served:
            yield served


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as client:
        yield client


async def test_health_and_readiness(gate: Served) -> None:
    assert await gate.get("/healthz") == b"ok\n"
    assert await gate.get("/readyz") == b"serving\n"


async def test_the_status_has_these_keys(gate: Served, session: aiohttp.ClientSession) -> None:
    async with session.get(f"{gate.admin}/v1/status") as answer:
        assert answer.content_type == "application/json"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        status = await answer.json()
    assert list(status) == [
        *("version", "state", "problems", "participants", "meetings", "connections", "idle_upstream_connections"),
        *(
            "workers",
            "server",
            "ejections",
            "rules",
            "geodb",
            "ledger",
            "reloads",
            "decisions",
            "by_rule",
            "shadowed",
            "doubt_admitted",
            "left",
        ),
    ]
    joins = ["requests to /meetings/{meeting}/join: meeting from path:meeting, participant from query:user"]
    assert status["server"] == {"kind": "generic", "joins": joins, "sessions": 0}
    assert status["workers"] == []  # one process is no gate of several
    assert status["ejections"] is None  # a generic server without an interface: the end of the connection is the end
    (database,) = status["geodb"]["databases"]
    assert database["type"] == "joingate-City"
    assert database["path"] == str(gate.folder.database)
    assert list(status["ledger"]) == ["path", "origin", "records", "problem", "unrecorded"]
    assert (status["ledger"]["problem"], status["ledger"]["unrecorded"]) == (None, 0)


async def test_the_metrics_are_a_valid_exposition(gate: Served, session: aiohttp.ClientSession) -> None:
    async with session.get(f"{gate.admin}/metrics") as answer:
        assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        families = {family.name: family for family in text_string_to_metric_families(await answer.text())}
    assert all(name.startswith("joingate_") for name in families)
    assert all(family.documentation for family in families.values())
    assert families["joingate_reloads"].type == "counter"
    assert families["joingate_participants"].samples[0].value == 0
    labels = {label for family in families.values() for sample in family.samples for label in sample.labels}
    assert labels <= {"result", "verdict", "reason", "rule", "cause", "database", "revision"}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "https://example.org"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://127.0.0.1"}, 403),
        ({"Host": "localhost"}, 200),
        ({"Host": "localhost:9901"}, 200),
        ({"Host": "127.0.0.1:9901"}, 200),
        ({"Host": "[::1]:9901"}, 200),
        ({"Host": "rebound.example"}, 403),
        ({"Host": "rebound.example:9901"}, 403),
        ({"Host": "127.0.0.1.rebound.example"}, 403),
        ({"Host": "localhost.rebound.example:1"}, 403),
        ({"Host": ""}, 403),
    ],
)
@pytest.mark.parametrize("request_line", ["GET /v1/status", "GET /metrics", "POST /v1/reload"])
async def test_no_page_can_use_it(
    headers: dict[str, str], status: int, request_line: str, gate: Served, session: aiohttp.ClientSession
) -> None:
    method, path = request_line.split()
    before = await gate.status()
    async with session.request(method, gate.admin + path, headers=headers, json={}) as answer:
        assert answer.status == status
        if status == 403:
            assert set(await answer.json()) == {"title"}
    after = await gate.status()
    reloads = after["reloads"]["succeeded"] - before["reloads"]["succeeded"]
    assert reloads == (status == 200 and method == "POST")


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"{}", "application/json", 200),
        (b'{"confirm": null}', "application/json; charset=utf-8", 200),
        (b'{"confirm": "0123456789abcdef"}', "application/json", 200),
        (b"{}", "text/plain", 415),
        (b"{}", "application/x-www-form-urlencoded", 415),
        (b"", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"{", "application/json", 400),
        (b"\xff", "application/json", 400),
        (b"[" * 4000, "application/json", 400),
        (b'{"confirm": 1}', "application/json", 400),
        (b'{"confirm": "x", "force": true}', "application/json", 400),
        (b'{"confirm": "' + b"x" * 5000 + b'"}', "application/json", 413),
    ],
)
async def test_what_a_reload_takes(
    body: bytes, content_type: str, status: int, gate: Served, session: aiohttp.ClientSession
) -> None:
    before = (await gate.status())["reloads"]["succeeded"]
    headers = {"Content-Type": content_type}
    async with session.post(f"{gate.admin}/v1/reload", data=body, headers=headers) as answer:
        assert answer.status == status
    assert (await gate.status())["reloads"]["succeeded"] - before == (status == 200)


async def test_a_reload_that_is_refused_answers_409(gate: Served, session: aiohttp.ClientSession) -> None:
    gate.folder.write("bad.toml", "[[order]\n")
    async with session.post(f"{gate.admin}/v1/reload", json={}) as answer:
        assert answer.status == 409
        assert (await answer.json())["state"] == "degraded"
    gate.folder.remove("bad.toml")
    async with session.post(f"{gate.admin}/v1/reload", json={}) as answer:
        assert answer.status == 200
        assert (await answer.json())["state"] == "serving"


@pytest.mark.parametrize(("method", "path"), [("GET", "/v1/reload"), ("POST", "/v1/status"), ("DELETE", "/metrics")])
async def test_a_wrong_method_is_405(method: str, path: str, gate: Served, session: aiohttp.ClientSession) -> None:
    async with session.request(method, gate.admin + path) as answer:
        assert answer.status == 405


async def test_a_name_that_is_not_utf_8_breaks_no_answer(gate: Served) -> None:
    """The problem of such a file stands in the status, which is JSON."""
    bad = bytes(gate.folder.path) + b"/rules/\xff.toml"
    await asyncio.to_thread(Path(bad.decode(errors="surrogateescape")).write_text, "[[order]\n")
    status = await gate.reloaded()
    (problem,) = status["problems"]
    assert problem.startswith(f"{gate.folder.path}/rules/\\udcff.toml: line 1, ")
    await asyncio.to_thread(Path(bad.decode(errors="surrogateescape")).unlink)
    assert (await gate.reloaded())["problems"] == []


async def raw_get(gate: Served, path: str, line: bytes) -> bytes:
    """Send a request with one more header line, of any bytes, and return the whole answer."""
    reader, writer = await asyncio.open_connection(*gate.admin.removeprefix("http://").split(":"))
    try:
        writer.write(b"GET %b HTTP/1.1\r\nHost: x\r\n%bConnection: close\r\n\r\n" % (path.encode(), line))
        return await reader.read()
    finally:
        writer.close()


async def test_a_token_is_required_and_compared_where_there_is_one(tmp_path: Path, demo_mmdb: Path) -> None:
    token = tmp_path / "token"
    token.write_text(TOKEN + "\n")
    token.chmod(0o600)
    folder = Folder(tmp_path, demo_mmdb, more_admin='token_file = "token"')
    async with Served(folder, token=TOKEN) as gate:
        address = gate.admin.removeprefix("http://")
        for value, status in (
            (f"Bearer {TOKEN}", 200),
            (None, 403),
            ("", 403),
            (f"Bearer {TOKEN}x", 403),
            (f"Bearer {TOKEN[:-1]}", 403),
            (f"bearer {TOKEN}", 403),
            (TOKEN, 403),
            ("Bearer", 403),
            (f"Basic {TOKEN}", 403),
            ("Bearer \xff\xfe", 403),  # bytes that are no UTF-8
        ):
            line = b"" if value is None else b"Authorization: " + value.encode("latin-1") + b"\r\n"
            for path in ("/metrics", "/v1/status"):
                answer = await raw_get(gate, path, line)
                assert answer.startswith(b"HTTP/1.1 %d " % status), (value, path)
                assert TOKEN.encode() not in answer
            for probe in ("/healthz", "/readyz"):
                assert (await raw_get(gate, probe, line)).startswith(b"HTTP/1.1 200 "), "an orchestrator has no token"
        done = await asyncio.to_thread(gate.run, "status", "--json")
        assert json.loads(done.stdout)["state"] == "serving"
        token.write_text("another\n")
        refused = await asyncio.to_thread(gate.run, "reload")
        assert (refused.returncode, refused.stdout) == (2, "")
        assert refused.stderr == (
            f"joingate: admin service at {address}: This needs the admin token, as Authorization: Bearer TOKEN.\n"
        )
        assert TOKEN not in gate.log()
        assert "Traceback" not in gate.log()


async def test_on_a_unix_socket(tmp_path: Path, demo_mmdb: Path) -> None:
    folder = Folder(tmp_path, demo_mmdb, admin="unix:admin.sock")
    async with Served(folder, under=("sh", "-c", 'umask 0; exec "$@"', "sh")) as gate:
        assert stat.S_IMODE((tmp_path / "admin.sock").stat().st_mode) == 0o600
        done = await asyncio.to_thread(gate.run, "status", "--json")
        assert json.loads(done.stdout)["state"] == "serving"


async def test_beyond_this_machine_it_speaks_tls(
    tmp_path: Path, demo_mmdb: Path, certificate: tuple[Path, Path]
) -> None:
    token = tmp_path / "token"
    token.write_text(TOKEN)
    token.chmod(0o600)
    lines = f'token_file = "token"\ntls_certificate = "{certificate[0]}"\ntls_key = "{certificate[1]}"'
    folder = Folder(tmp_path, demo_mmdb, admin="0.0.0.0:0", more_admin=lines)
    gate = Served(folder)
    gate.begin()
    try:
        await until(lambda: "admin service on" in gate.log() or gate.process.poll() is not None)
        found = re.search(r"admin service on 0\.0\.0\.0:(\d+);", gate.log())
        assert found is not None, gate.log()
        env = {"JOINGATE_ADMIN__LISTEN": f"127.0.0.1:{found[1]}"}
        done = await asyncio.to_thread(run, "status", "--json", "-c", folder.settings, env=env)
        assert json.loads(done.stdout)["state"] == "serving", done.stderr
        url = f"https://127.0.0.1:{found[1]}/v1/status"
        trusting = ssl.create_default_context(cafile=certificate[0])
        async with aiohttp.ClientSession() as session:
            async with session.get(url, ssl=trusting, headers={"Authorization": f"Bearer {TOKEN}"}) as answer:
                assert answer.status == 200
            async with session.get(url, ssl=trusting) as answer:
                assert answer.status == 403
            with pytest.raises(aiohttp.ClientError):
                await session.get(url.replace("https", "http"))
        other = tmp_path / "other.pem"  # whoever has another certificate is not told the token
        make = (
            "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=gate -keyout /dev/null -out"
        )
        await asyncio.to_thread(subprocess.run, [*make.split(), str(other)], check=True, capture_output=True)
        text = folder.settings.read_text().replace(str(certificate[0]), str(other))
        folder.settings.write_text(text)
        done = await asyncio.to_thread(run, "status", "-c", folder.settings, env=env)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith(f"joingate: admin service at 127.0.0.1:{found[1]}: no answer; ")
        other.write_text("none\n")
        done = await asyncio.to_thread(run, "status", "-c", folder.settings, env=env)
        assert done.stderr == f"joingate: admin.tls_certificate: {other}: holds no certificate; give a PEM file\n"
        assert done.returncode == 2
    finally:
        await gate.__aexit__()


async def test_a_census_counts_by_tens_and_lists_nobody(gate: Served) -> None:
    inside = [await gate.join("census", HK, f"u{number}") for number in range(11)]
    inside += [await gate.join("census", CN)]
    assert orjson.loads(await gate.get("/v1/meetings/census/census")) == {"CN": "<10", "HK": "10+"}
    assert await gate.get("/v1/meetings/nobody%20is%20here/census") == b"{}"
    for each in inside:
        each.abort()


async def test_it_leaves_no_core_dump(gate: Served) -> None:
    limits = Path(f"/proc/{gate.process.pid}/limits").read_text()  # noqa: ASYNC240 - nothing waits
    assert re.search(r"^Max core file size +[01] +[01] ", limits, re.MULTILINE)


async def test_nobody_is_named_anywhere(gate: Served) -> None:
    """G8: known people from known places are admitted, rejected and ejected, by order and by policy, and in doubt."""
    folder = gate.folder
    clients = [await gate.join("quiet-room-77", source, "user-4f1c9e") for source in (CN, DE, HK, NOWHERE)]
    clients += [await gate.join("board-room-78", source, "user-4f1c9e") for source in (CN, DE, HK)]
    folder.write("order.toml", order("o-1", ["quiet-room-77"]))
    folder.write("policy.toml", host_policy("h-1", ["board-room-78"], deny=["DE"]))
    await gate.reloaded()
    assert await gate.rejected("quiet-room-77", CN) == 451
    assert await gate.rejected("board-room-78", DE) == 403
    await gate.join("quiet-room-77", NOWHERE, "user-4f1c9e")
    for client in clients:
        client.abort()
    status = await gate.status_when(lambda status: status["participants"] == 1)
    assert {each["rule"] for each in status["by_rule"]} == {"o-1", "h-1"}
    assert status["doubt_admitted"] == {"private": 1}
    said = await gate.get("/v1/status") + await gate.get("/metrics") + gate.log().encode()
    said += (await asyncio.to_thread(gate.run, "status")).stdout.encode()
    for secret in SECRETS | COUNTRIES:
        assert secret.encode() not in said, secret
    assert b"listening on 127.0.0.1:" in said, "its own address is no secret"
