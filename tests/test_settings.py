import os
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from joingate.codecs.config_sections import SECTIONS, written_schema
from joingate.codecs.endpoint import TcpEndpoint, UnixEndpoint
from joingate.core.errors import RefusedInputError
from joingate.settings import load_settings, settings_json_schema

EXAMPLE = Path(__file__).parents[1] / "deploy" / "joingate.toml"
LEAST = """
[upstream]
url = "http://127.0.0.1:9000"
[geodb]
paths = ["a.mmdb"]
[rules]
path = "rules/"
[[join]]
path = "/meetings/{meeting}/join"
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def problems_of(text: str, environ: dict[str, str] | None = None) -> list[str]:
    Path("joingate.toml").write_text(text)
    with pytest.raises(RefusedInputError) as refusal:
        load_settings(Path("joingate.toml"), environ or {})
    return list(refusal.value.problems)


def test_paths_start_from_the_file_s_own_folder(folder: Path) -> None:
    (folder / "etc").mkdir()
    (folder / "etc/joingate.toml").write_text(LEAST + '[gate]\nlisten = ["unix:gate.sock"]\n')
    settings = load_settings(Path("etc/joingate.toml"), {})
    assert settings.rules.path == folder / "etc/rules"
    assert settings.geodb.paths == (folder / "etc/a.mmdb",)
    assert settings.gate.listen == (UnixEndpoint(folder / "etc/gate.sock"),)


def test_the_environment_goes_over_the_file(folder: Path) -> None:
    (folder / "joingate.toml").write_text(LEAST)
    settings = load_settings(folder / "joingate.toml", {"JOINGATE_GATE__LISTEN": "0.0.0.0:80,[::]:80"})
    assert settings.gate.listen == (TcpEndpoint("0.0.0.0", 80), TcpEndpoint("::", 80))


@pytest.mark.parametrize(("user", "mode"), [(0, 600), (1000, 640)])
def test_root_may_lend_a_key_to_a_gate_that_is_not_root(
    folder: Path, monkeypatch: pytest.MonkeyPatch, user: int, mode: int
) -> None:
    """Anything that root owns will do for a key, until it is read."""
    monkeypatch.setattr(os, "geteuid", lambda: user)
    (folder / "cert.pem").touch()
    text = LEAST + '[gate]\ntls_certificate = "cert.pem"\ntls_key = "/etc/passwd"\n'
    assert problems_of(text) == [
        f'joingate.toml: gate.tls_key: "/etc/passwd" is open to others (mode 0644); run chmod {mode} on it'
    ]


def test_every_problem_is_told_at_once(folder: Path) -> None:
    text = """
[gate]
listen = ["8080"]
workers = 65
trusted_proxies = ["10.0.0.1/8"]
tls_certificate = "cert.pem"
max_head_bytes = 1
[upstream]
url = "http://meet:80/path"
[[join]]
path = "/join"
[geodb]
paths = []
[admin]
listen = "0.0.0.0:1"
[fleet]
path = "ledger/"
"""
    assert problems_of(text, {"JOINGATE_GATE__LISEN": "x", "JOINGATE_GATE__OPERATOR": "x"}) == [
        "JOINGATE_GATE__LISEN: unknown variable; the nearest is JOINGATE_GATE__LISTEN",
        'joingate.toml: gate.listen: "8080" is not host:port, [v6]:port or unix:PATH; write e.g. "0.0.0.0:8080"',
        "joingate.toml: gate.workers: 65 cannot be used; write a whole number from 1 to 64",
        (
            'joingate.toml: gate.trusted_proxies: "10.0.0.1/8" has bits set beyond its prefix; '
            'write "10.0.0.0/8", or "10.0.0.1" alone'
        ),
        (
            f'joingate.toml: gate.tls_certificate: "{folder}/cert.pem" does not exist; '
            "write the path of a file that the gate may read"
        ),
        "joingate.toml: gate.max_head_bytes: 1 cannot be used; write a whole number from 1024 to 1048576",
        'joingate.toml: upstream.url: goes on after the host, but requests keep their own path; write "http://meet:80"',
        (
            "joingate.toml: [[join]] 1, meeting: is neither in path nor named; "
            'write {meeting} into path, or e.g. meeting = "query:room"'
        ),
        'joingate.toml: geodb.paths: is empty; list at least one, e.g. ["geodb/demo.mmdb"]',
        'joingate.toml: rules.path: is missing; write e.g. path = "rules/"',
        (
            'joingate.toml: admin.token_file: is required where other machines reach the admin service ("0.0.0.0:1"); '
            "name a file with a token, or listen on 127.0.0.1"
        ),
        (
            "joingate.toml: admin.tls_certificate: is required where other machines reach the admin service "
            '("0.0.0.0:1"), or its token passes in the clear; name a certificate and its tls_key, '
            "listen on 127.0.0.1, or, where a proxy in front ends TLS, write tls_elsewhere = true"
        ),
        "joingate.toml: [fleet]: is not in this version; remove the section",
    ]


REMEDY = "write one (deploy/joingate.toml is a commented example), or name another with --config"


def test_a_missing_file_says_what_to_do(folder: Path) -> None:
    with pytest.raises(RefusedInputError) as refusal:
        load_settings(folder / "nowhere.toml", {})
    assert str(refusal.value) == f"{folder}/nowhere.toml: does not exist; {REMEDY}"


def test_a_folder_is_no_file(folder: Path) -> None:
    with pytest.raises(RefusedInputError) as refusal:
        load_settings(folder, {})
    assert str(refusal.value) == f"{folder}: is not a file; {REMEDY}"


def test_a_path_through_a_file_cannot_be_read(folder: Path) -> None:
    (folder / "file").write_text("")
    with pytest.raises(RefusedInputError) as refusal:
        load_settings(folder / "file/joingate.toml", {})
    assert str(refusal.value) == f"{folder}/file/joingate.toml: cannot be read (Not a directory); {REMEDY}"


def test_a_file_of_more_than_a_mebibyte_is_hardly_a_configuration(folder: Path) -> None:
    (folder / "joingate.toml").write_text(LEAST + "#" * (1_048_576 - len(LEAST)))
    load_settings(folder / "joingate.toml", {})
    assert problems_of(LEAST + "#" * (1_048_577 - len(LEAST))) == [
        "joingate.toml: is larger than 1 MiB, so it is hardly a configuration; name another with --config"
    ]


def test_a_pipe_is_refused_without_waiting_for_its_writer(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    assert problems_of(LEAST + '[admin]\ntoken_file = "pipe"\n') == [
        (
            "joingate.toml: admin.token_file: the file it names is not a file; "
            "write the path of a file that the gate may read"
        )
    ]


@pytest.mark.parametrize(
    ("content", "mode", "problem"),
    [
        (b"token\n", 0o600, None),
        (b"token\n", 0o400, None),
        (b"", 0o600, "is empty; write the token into it"),
        (b" \n", 0o600, "is empty; write the token into it"),
        (b"token\n", 0o640, "is open to others (mode 0640); run chmod 600 on it"),
        (b"token\n", 0o644, "is open to others (mode 0644); run chmod 600 on it"),
    ],
)
def test_a_token_file_is_the_gate_s_alone(folder: Path, content: bytes, mode: int, problem: str | None) -> None:
    token = folder / "token"
    token.write_bytes(content)
    token.chmod(mode)
    text = LEAST + '[admin]\nlisten = "0.0.0.0:1"\ntls_elsewhere = true\ntoken_file = "token"\n'
    if problem is None:
        Path("joingate.toml").write_text(text)
        assert load_settings(Path("joingate.toml"), {}).admin.token_file == token
    else:
        assert problems_of(text) == [f'joingate.toml: admin.token_file: "{token}" {problem}']


def test_a_secret_written_in_place_of_its_file_is_never_shown(folder: Path) -> None:
    pem = "-----BEGIN PRIVATE KEY-----"
    text = f'{LEAST}[gate]\ntls_key = """{pem}\nMIIEvQ"""\n[admin]\ntoken_file = "MIIEvQ"\n'
    assert problems_of(text) == [
        (
            "joingate.toml: gate.tls_key: the file it names does not exist; "
            "write the path of a file that the gate may read"
        ),
        (
            "joingate.toml: admin.token_file: the file it names does not exist; "
            "write the path of a file that the gate may read"
        ),
    ]
    assert folder.is_dir()


def uncommented(text: str) -> dict[str, Any]:
    tables = tomllib.loads(re.sub(r"^# (?=[a-z_]+ = )", "", text, flags=re.MULTILINE))
    tables["upstream.admin"] = tables["upstream"].pop("admin")
    return tables


def test_the_example_is_accepted_as_it_is() -> None:
    settings = load_settings(EXAMPLE, {})
    assert settings.rules.path == EXAMPLE.parent / "../rules"
    assert settings.join[0].path == "/meetings/{meeting}/join"


def test_the_example_shows_every_key_and_no_other() -> None:
    tables = uncommented(EXAMPLE.read_text())
    shown = {name: set(table[0] if name == "join" else table) for name, table in tables.items()}
    assert shown == {name: set(section.model_fields) for name, section in SECTIONS.items()}


def test_the_example_shows_the_defaults_that_there_are() -> None:
    tables = uncommented(EXAMPLE.read_text())
    examples = {
        "keeps_after_close",
        "key",
        "body",
        "operator",
        "trusted_proxies",
        "client_ip_from",
    }  # their defaults are "nothing" and say nothing
    for name, section in SECTIONS.items():
        for key, written in written_schema(section)["properties"].items():
            if "default" in written and key not in examples:
                assert tables[name][key] == written["default"], f"{name}.{key}"


def test_the_schema_is_that_of_the_whole_file() -> None:
    schema = settings_json_schema()
    assert list(schema["properties"]) == [name for name in SECTIONS if "." not in name]
    assert schema["$defs"]["UpstreamSettings"]["properties"]["admin"]["$ref"] == "#/$defs/UpstreamAdminSettings"
