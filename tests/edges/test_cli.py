"""The commands of the real program: what they print, where, and the exit status."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from joingate import __version__
from joingate.cli import main
from tests.conftest import TABLES
from tests.edges.served import CN, DE, HK, NOWHERE, Folder, command, environment, host_policy, order, run

Ended = subprocess.CompletedProcess[str]
OPENS, CLOSES = datetime(2026, 6, 3, 16, tzinfo=UTC), datetime(2026, 6, 4, 16, tzinfo=UTC)
INSIDE = ("--at", "2026-06-03T17:00:00+01:00")
EXPLAIN = ("explain", "--meeting", "m-1", "--ip")
REQUEST = ("explain", "--ip", HK, *INSIDE, "--request")
NO_ADDRESS = "is not an IPv4 or IPv6 address; write e.g. 203.0.113.7"
NO_TIME = "is not a time with an offset; write e.g. 2026-06-03T16:00:00Z"
NO_CONFIG = "does not exist; write one (deploy/joingate.toml is a commented example), or name another with --config"
GOOD = "FOLDER/geo.mmdb: good"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, demo_mmdb: Path) -> Folder:
    path = tmp_path_factory.mktemp("cli")
    folder = Folder(path, demo_mmdb, admin="127.0.0.1:1")  # where nobody answers: tcpmux is long gone
    folder.write("order.toml", order("o-1", ["m-1"], opens=OPENS, closes=CLOSES))
    folder.write("policy.toml", host_policy("h-1", ["m-1"], deny=["DE"], action="reject"))
    (path / "bad.csv").write_text("network,continent,country,subdivision,registered_country\n127.86.0.0/33,AS,CN,,\n")
    (path / "bad.mmdb").write_bytes(b"no database")
    (path / "unruly").mkdir()
    Folder(path / "unruly", demo_mmdb).write("bad.toml", "[[order]\n")
    (path / "unruly" / "geo.mmdb").write_bytes(b"")
    return folder


# The arguments, the exit status, what is printed, and what is complained of. FOLDER stands for the folder.
COMMANDS: dict[str, tuple[tuple[str, ...], int, str | None, str | None]] = {
    "version": (("--version",), 0, f"joingate {__version__}\n", ""),
    "no command": (
        (),
        2,
        "",
        (
            "usage: joingate [-h] [--version] COMMAND ...\n"
            "joingate: error: the following arguments are required: COMMAND\n"
        ),
    ),
    "check": (
        ("check",),
        0,
        (
            "good: revision REVISION, 1 orders, 1 host policies\ngood: FOLDER/geo.mmdb (joingate-City)\n"
            "warning: order o-1: has ended, and restricts nobody; remove it\n"
        ),
        "",
    ),
    "check refuses": (
        ("check", "-c", "FOLDER/unruly/joingate.toml"),
        2,
        "",
        (
            "joingate: FOLDER/unruly/rules/bad.toml: line 1, column 8: "
            "is not TOML: expected ']]' at the end of an array declaration\n"
            "joingate: FOLDER/unruly/geo.mmdb: is empty; put a complete database in its place\n"
        ),
    ),
    "check without a file": (("check", "-c", "nowhere.toml"), 2, "", f"joingate: nowhere.toml: {NO_CONFIG}\n"),
    "explain somebody named": (
        (*EXPLAIN, CN, *INSIDE),
        0,
        (
            "127.86.0.1 is located in CN\n"
            "  FOLDER/geo.mmdb says CN\n"
            "  order o-1 (eject): in force, matches: yes\n"
            "  host_policy h-1 (reject): in force, matches: no\n"
            "a join would be: reject by o-1 (order)\n"
            "somebody inside would be: eject\n"
        ),
        "",
    ),
    "explain a request": (
        (*REQUEST, "/meetings/m-1/join?user=bob"),
        0,
        (
            "127.85.2.1 is located in HK\n"
            "  FOLDER/geo.mmdb says HK\n"
            "  order o-1 (eject): in force, matches: no\n"
            "  host_policy h-1 (reject): in force, matches: no\n"
            "read from the request: meeting m-1, participant bob\n"
            "joins of this server (generic):\n"
            "  requests to /meetings/{meeting}/join: meeting from path:meeting, participant from query:user\n"
            "a join would be: admit (not_in_scope)\n"
            "somebody inside would be: left undisturbed\n"
        ),
        "",
    ),
    "explain no join": (
        (*REQUEST, "/about"),
        2,
        "",
        (
            "joingate: --request: is no join by its head, and goes on without being judged; "
            "what is one, `joingate explain --meeting ID --json` lists\n"
        ),
    ),
    "explain what has two readings": (
        (*REQUEST, "/meetings/m-1/join?user=bob&user=carol"),
        2,
        "",
        None,
    ),
    "explain afterwards": (
        (*EXPLAIN, CN, "--at", "2026-06-04T16:00:00Z"),
        0,
        (
            "127.86.0.1 is located in CN\n"
            "  FOLDER/geo.mmdb says CN\n"
            "  order o-1 (eject): not in force, matches: yes\n"
            "  host_policy h-1 (reject): in force, matches: no\n"
            "a join would be: admit (not_in_force)\n"
            "somebody inside would be: left undisturbed\n"
        ),
        "",
    ),
    "explain a neighbour": (
        (*EXPLAIN, HK, *INSIDE),
        0,
        (
            "127.85.2.1 is located in HK\n"
            "  FOLDER/geo.mmdb says HK\n"
            "  order o-1 (eject): in force, matches: no\n"
            "  host_policy h-1 (reject): in force, matches: no\n"
            "a join would be: admit (not_in_scope)\n"
            "somebody inside would be: left undisturbed\n"
        ),
        "",
    ),
    "explain a host policy": (
        (*EXPLAIN, DE, *INSIDE),
        0,
        (
            "127.49.0.1 is located in DE\n"
            "  FOLDER/geo.mmdb says DE\n"
            "  order o-1 (eject): in force, matches: no\n"
            "  host_policy h-1 (reject): in force, matches: yes\n"
            "a join would be: reject by h-1 (host_policy)\n"
            "somebody inside would be: left undisturbed\n"
        ),
        "",
    ),
    "explain doubt": (
        (*EXPLAIN, NOWHERE, *INSIDE),
        0,
        (
            "127.0.0.1: location unknown (private)\n"
            "  FOLDER/geo.mmdb says not_found\n"
            "  order o-1 (eject): in force, matches: doubt\n"
            "  host_policy h-1 (reject): in force, matches: doubt\n"
            "a join would be: admit (doubt)\n"
            "somebody inside would be: left undisturbed\n"
        ),
        "",
    ),
    "explain no address": ((*EXPLAIN, "127.86.1"), 2, "", f'joingate: --ip: "127.86.1" {NO_ADDRESS}\n'),
    "explain an octal address": ((*EXPLAIN, "0177.0.0.1"), 2, "", f'joingate: --ip: "0177.0.0.1" {NO_ADDRESS}\n'),
    "explain no time": (
        (*EXPLAIN, CN, "--at", "yesterday"),
        2,
        "",
        f'joingate: --at: "yesterday" {NO_TIME}\n',
    ),
    "explain without an offset": (
        (*EXPLAIN, CN, "--at", "2026-06-03T17:00:00"),
        2,
        "",
        f'joingate: --at: "2026-06-03T17:00:00" {NO_TIME}\n',
    ),
    "explain at the end of time": (
        (*EXPLAIN, CN, "--at", "9999-12-31T23:59:59-10:00"),
        2,
        "",
        f'joingate: --at: "9999-12-31T23:59:59-10:00" {NO_TIME}\n',
    ),
    "explain at its beginning": (
        (*EXPLAIN, CN, "--at", "0001-01-01T00:00:00+10:00"),
        2,
        "",
        f'joingate: --at: "0001-01-01T00:00:00+10:00" {NO_TIME}\n',
    ),
    "explain bytes": (
        ("explain", "--ip", CN, "--meeting", "\udcff", "--json"),
        2,
        "",
        'joingate: --meeting: "\\udcff" is not UTF-8, as the ids of meetings are; write it in UTF-8\n',
    ),
    "info": (
        ("geodb", "info"),
        0,
        f"{GOOD}\n  joingate-City, IPv6, built DATE (build_epoch EPOCH)\n  NETWORKS networks, 25 countries\n",
        "",
    ),
    "info refuses": (
        ("geodb", "info", "FOLDER/bad.mmdb"),
        2,
        "",
        (
            "joingate: FOLDER/bad.mmdb: cannot be opened as an MMDB file, so is truncated, damaged or something else; "
            "put a complete, undamaged database in its place\n"
        ),
    ),
    "info needs no configuration": (("geodb", "info", "FOLDER/geo.mmdb", "-c", "nowhere.toml"), 0, None, ""),
    "lookup": (("geodb", "lookup", CN), 0, "CN\n", ""),
    "lookup in doubt": (("geodb", "lookup", NOWHERE), 0, "unknown (private)\n", ""),
    "lookup no address": (("geodb", "lookup", "x"), 2, "", f'joingate: "x" {NO_ADDRESS}\n'),
    "build": (("geodb", "build", str(TABLES / "demo.csv"), "FOLDER/built.mmdb"), 0, None, ""),
    "build refuses": (
        ("geodb", "build", "FOLDER/bad.csv", "FOLDER/never.mmdb"),
        2,
        "",
        None,
    ),
    "status of nobody": (
        ("status",),
        2,
        "",
        "joingate: admin service at 127.0.0.1:1: no answer; is a gate serving with this configuration?\n",
    ),
    "reload of nobody": (
        ("reload", "--json"),
        2,
        "",
        "joingate: admin service at 127.0.0.1:1: no answer; is a gate serving with this configuration?\n",
    ),
}
JSON: dict[str, tuple[tuple[str, ...], Callable[[Any], bool]]] = {
    "check": (("check", "--json"), lambda found: (found["orders"], found["host_policies"]) == (1, 1)),
    "explain": (
        (*EXPLAIN, CN, *INSIDE, "--json"),
        lambda found: (
            found["join"] == {"verdict": "reject", "reason": "order", "rule": "o-1"}
            and found["inside"] == "eject"
            and found["at"] == "2026-06-03T16:00:00+00:00"
            and found["location"] == {"country": "CN", "subdivision": None, "cause": None, "sources": 1}
        ),
    ),
    "info": (("geodb", "info", "--json"), lambda found: [each["database_type"] for each in found] == ["joingate-City"]),
    "lookup": (
        ("geodb", "lookup", CN, "--json"),
        lambda found: found == {"country": "CN", "subdivision": None, "cause": None},
    ),
    "schema rules": (("schema", "rules"), lambda found: "order" in found["properties"]),
    "schema config": (("schema", "config"), lambda found: "gate" in found["properties"]),
}


@pytest.fixture(scope="module")
def ended(folder: Folder) -> Iterator[dict[tuple[str, ...], Future[Ended]]]:
    """Run all commands, a few at a time: each takes a second or more to begin."""
    asked = [each[0] for each in COMMANDS.values()] + [each[0] for each in JSON.values()]
    with ThreadPoolExecutor(4) as pool:
        yield {
            arguments: pool.submit(
                run, *(each.replace("FOLDER", str(folder.path)) for each in arguments), cwd=folder.path
            )
            for arguments in asked
        }


@pytest.mark.parametrize("name", COMMANDS)
def test_commands(name: str, ended: dict[tuple[str, ...], Future[Ended]], folder: Folder) -> None:
    arguments, status, printed, complained = COMMANDS[name]
    done = ended[arguments].result()
    assert done.returncode == status, done.stderr
    if printed is not None:
        assert done.stdout == _filled(printed, folder)
    if complained is not None:
        assert done.stderr == _filled(complained, folder)
    assert "Traceback" not in done.stderr


def _filled(text: str, folder: Folder) -> str:
    """Put in what this run alone knows."""
    if "REVISION" in text:
        from joingate.loading import load_rules
        from joingate.settings import load_settings

        text = text.replace("REVISION", load_rules(load_settings(folder.settings, {})).revision)
    if "EPOCH" in text:
        from joingate.geodb.load import describe

        found = describe(folder.database)
        epoch = int(str(found["build_epoch"]))
        day = datetime.fromtimestamp(epoch, UTC).date().isoformat()
        text = text.replace("EPOCH", str(epoch)).replace("DATE", day).replace("NETWORKS", str(found["networks"]))
    return text.replace("FOLDER", str(folder.path))


@pytest.mark.parametrize("name", JSON)
def test_json_for_machines(name: str, ended: dict[tuple[str, ...], Future[Ended]]) -> None:
    arguments, is_right = JSON[name]
    done = ended[arguments].result()
    assert (done.returncode, done.stderr) == (0, "")
    assert is_right(json.loads(done.stdout))


def test_a_built_database_is_a_good_one(ended: dict[tuple[str, ...], Future[Ended]], folder: Folder) -> None:
    done = ended[COMMANDS["build"][0]].result()
    assert done.stdout == f"{folder.path}/built.mmdb: 102 networks\n"
    assert main(["geodb", "info", str(folder.path / "built.mmdb")]) == 0
    refused = ended[COMMANDS["build refuses"][0]].result()
    (line,) = refused.stderr.splitlines()
    assert line.startswith(f'joingate: {folder.path}/bad.csv:2: "127.86.0.0/33" is not ')
    assert not (folder.path / "never.mmdb").exists()


def test_several_databases_are_one_json_document(
    folder: Folder, second_mmdb: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JOINGATE_GEODB__PATHS", f"{folder.database},{second_mmdb},{folder.path}/bad.mmdb")
    assert main(["geodb", "info", "--json", "-c", str(folder.settings)]) == 2
    told = capsys.readouterr()
    assert [each["path"] for each in json.loads(told.out)] == [str(folder.database), str(second_mmdb)]
    assert told.err.startswith(f"joingate: {folder.path}/bad.mmdb: cannot be opened")


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        *(("serve",), ("check",), ("explain",), ("status",), ("reload",), ("schema",), ("demo",), ("bench",)),
        *(("geodb",), ("geodb", "info"), ("geodb", "lookup"), ("geodb", "build")),
    ],
)
def test_every_command_has_its_help(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*arguments, "--help"])
    assert ended.value.code == 0
    told = capsys.readouterr()
    assert told.out.startswith(" ".join(("usage: joingate", *arguments)))
    assert told.err == ""


@pytest.mark.parametrize(
    "arguments",
    [
        *(("sevre",), ("explain",), ("explain", "--ip", CN), ("schema",), ("schema", "everything"), ("geodb",)),
        *(("geodb", "lookup"), ("reload", "--confirm"), ("check", "--jsno"), ("geodb", "build", "one.csv")),
    ],
)
def test_wrong_usage_is_exit_status_2(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.splitlines()[-1].startswith("joingate")


def test_a_reader_that_goes_away_is_no_defect(folder: Folder) -> None:
    """As in `joingate schema rules | head -1`."""
    reading, writing = os.pipe()
    os.close(reading)  # before there is anything to read: nobody can be faster
    try:
        done = subprocess.run(
            command("explain", "--ip", CN, "--meeting", "m-1"),
            cwd=folder.path,
            env=environment(),
            stdout=writing,
            stderr=subprocess.PIPE,
            check=False,
        )
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (1, b"")


class _Another(BaseHTTPRequestHandler):
    """A service that is no gate's: each path of the URL is answered with the body of the same number."""

    bodies = (b'{"detail": "Not Found"}', b"[]", b"no JSON", b"{}", b"\xff")

    def do_GET(self) -> None:
        body = self.bodies[self.server.answered % len(self.bodies)]  # type: ignore[attr-defined]
        self.server.answered += 1  # type: ignore[attr-defined]
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_another_service_at_the_admin_address(
    folder: Folder, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Another) as server:
        server.answered = 0  # type: ignore[attr-defined]
        thread = Thread(target=server.serve_forever)
        thread.start()
        address = f"127.0.0.1:{server.server_address[1]}"
        monkeypatch.setenv("JOINGATE_ADMIN__LISTEN", address)
        for _ in _Another.bodies:
            assert main(["status", "-c", str(folder.settings)]) == 2
            assert capsys.readouterr() == (
                "",
                f"joingate: admin service at {address}: something else answers there; correct admin.listen\n",
            )
        server.shutdown()
        thread.join()


def test_benchmarks_without_the_repository_say_where_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("joingate.cli.bench.REPOSITORY", tmp_path)
    assert main(["bench"]) == 2
    assert capsys.readouterr().err == (
        "joingate: bench: the benchmarks and the peers' configurations are not installed with joingate; "
        "clone the repository, and run make bench there\n"
    )


def test_a_benchmark_is_run_where_the_repository_is(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--quick", "--only", "scaling", "--results", str(tmp_path)]) == 0
    told = capfd.readouterr().out
    assert "join and leave beside 1,000 people in one meeting" in told
    assert told.endswith(f"{tmp_path}/index.html\n")
