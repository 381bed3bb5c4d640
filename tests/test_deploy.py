"""What is shipped to run joingate with names only what exists: commands, options, files, ports, times that fit."""

import json
import re
import shlex
import textwrap
from pathlib import Path

import pytest

from joingate.cli import main
from joingate.loading import load_rules
from joingate.settings import Settings, load_settings

ROOT = Path(__file__).parents[1]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
UNIT = (ROOT / "deploy/joingate.service").read_text()
MANIFEST = (ROOT / "deploy/kubernetes-sidecar.yaml").read_text()
GUIDE = (ROOT / "deploy/README.md").read_text()
DEFAULTS = load_settings(ROOT / "deploy/joingate.toml", {})  # test_settings holds that it shows the defaults


def commands() -> dict[str, list[list[str]]]:
    """Find every invocation of joingate, as its arguments, by the file it stands in."""
    (from_unit,) = re.findall(r"^ExecStart=\S*/joingate (.*)", UNIT, re.MULTILINE)
    in_comments = re.findall(
        r"(?:^# +|^#.*-- |^ {4})joingate ([a-z]+ -.*?)(?: && .*)?$", UNIT + MANIFEST + GUIDE, re.MULTILINE
    )
    return {
        "Dockerfile": [json.loads(found) for found in re.findall(r'^CMD (\["serve".*\])$', DOCKERFILE, re.MULTILINE)],
        "joingate.service": [shlex.split(from_unit)],
        "kubernetes-sidecar.yaml": [
            json.loads(found) for found in re.findall(r" args: (\[.*\])$", MANIFEST, re.MULTILINE)
        ],
        "comments and README": [shlex.split(found) for found in in_comments],
    }


@pytest.mark.parametrize(("where", "found"), commands().items())
def test_only_commands_and_options_that_exist_are_named(
    where: str, found: list[list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert found, where
    for command, *arguments in found:
        with pytest.raises(SystemExit) as done:
            main([command, "--help"])
        assert done.value.code == 0, command
        options = set(re.findall(r"(?<!\S)-{1,2}[a-z-]+", capsys.readouterr().out))
        assert {each for each in arguments if each.startswith("-")} <= options, command


def test_the_entry_point_is_the_package_s() -> None:
    assert 'ENTRYPOINT ["joingate"]' in DOCKERFILE
    assert 'joingate = "joingate.__main__:main"' in (ROOT / "pyproject.toml").read_text()


def copied() -> list[str]:
    lines = re.findall(r"^COPY (?!--from)(.*)$", DOCKERFILE, re.MULTILINE)
    return [source for line in lines for source in line.split()[:-1]]


def test_the_image_copies_only_what_there_is_and_what_is_let_through() -> None:
    assert copied()
    let_through = set(re.findall(r"^!(\S+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE))
    assert set(copied()) == let_through
    assert [source for source in copied() if not (ROOT / source).exists()] == []


def test_what_builds_the_package_is_in_the_lock() -> None:
    (first, last) = re.findall(r"sed -n '/([^/]+)/,/([^/]+)/p' requirements-dev.lock", DOCKERFILE)[0]
    block = re.search(rf"{first}.*?{last}", (ROOT / "requirements-dev.lock").read_text(), re.MULTILINE | re.DOTALL)
    assert block is not None
    assert block.group().count("==") == 1
    assert "--hash=sha256:" in block.group()


@pytest.mark.parametrize("text", [DOCKERFILE, MANIFEST])
def test_the_probes_ask_the_admin_service_where_it_is(text: str) -> None:
    asked = re.findall(r"'(http://[^/']+)(/[^']*)'", re.sub(r"^ *#.*", "", text, flags=re.MULTILINE))
    assert {base for base, _ in asked} == {f"http://{DEFAULTS.admin.listen}"}
    assert {path for _, path in asked} <= {"/healthz", "/readyz"}


@pytest.mark.parametrize("text", [DOCKERFILE, MANIFEST])
def test_the_probes_are_python_that_compiles(text: str) -> None:
    commands = re.findall(r'\["python", "-c", "([^"]+)"\]', text)
    assert commands
    for command in commands:
        compile(command, "probe", "exec")


def config_map(folder: Path) -> Settings:
    """Write the files of the ConfigMaps into `folder` as a pod has them, and load the configuration."""
    rules = folder / "rules"
    rules.mkdir()
    for name, block in re.findall(r"^  (\S+\.toml): \|\n((?: {4}.*\n|\n)+)", MANIFEST, re.MULTILINE):
        path = folder / name if name == "joingate.toml" else rules / name
        path.write_text(textwrap.dedent(block).replace('"/etc/joingate-rules"', '"rules/"'))
    return load_settings(folder / "joingate.toml", {})


def test_the_pod_s_configuration_and_rules_load(tmp_path: Path) -> None:
    settings = config_map(tmp_path)
    assert [endpoint.port for endpoint in settings.gate.listen if hasattr(endpoint, "port")] == [8080]
    assert "containerPort: 8080" in MANIFEST
    assert "EXPOSE 8080" in DOCKERFILE
    assert settings.admin == DEFAULTS.admin
    assert len(load_rules(settings)) == 0  # authorities alone restrict nobody


def test_every_mount_of_the_pod_has_its_volume_and_what_is_configured_its_mount(tmp_path: Path) -> None:
    mounts = dict(
        re.findall(r"^ +- \{name: (\S+), mountPath: ([^\s,}]+)(?:, readOnly: true)?\}", MANIFEST, re.MULTILINE)
    )
    assert set(mounts) == set(
        re.findall(
            r"^        - name: (\S+)\n          (?:configMap|emptyDir|persistentVolumeClaim)", MANIFEST, re.MULTILINE
        )
    )
    written = re.findall(r'"(/(?:etc|var)/[^"]+)"', MANIFEST)
    assert [path for path in written if not path.startswith(tuple(mounts.values()))] == []
    assert config_map(tmp_path).geodb.paths[0].is_relative_to(mounts["geodb"])


def test_the_platform_waits_longer_than_the_gate_drains(tmp_path: Path) -> None:
    (systemd,) = re.findall(r"^TimeoutStopSec=(\d+)$", UNIT, re.MULTILINE)
    assert int(systemd) > DEFAULTS.gate.drain_seconds + DEFAULTS.gate.close_timeout
    pod = config_map(tmp_path).gate
    (grace,) = re.findall(r"terminationGracePeriodSeconds: (\d+)", MANIFEST)
    server, before = (int(seconds) for seconds in re.findall(r'\["sleep", "(\d+)"\]', MANIFEST))
    assert int(grace) > before + pod.drain_seconds + pod.close_timeout
    assert int(grace) > server >= before + pod.drain_seconds + pod.close_timeout


def test_the_unit_leaves_room_for_every_connection() -> None:
    (files,) = re.findall(r"^LimitNOFILE=(\d+)$", UNIT, re.MULTILINE)
    assert int(files) > 2 * DEFAULTS.gate.max_connections


PRESETS = sorted(path.parent.name for path in (ROOT / "deploy").glob("*/joingate.toml"))


@pytest.mark.parametrize("server", PRESETS)
def test_each_kind_of_meeting_server_has_a_configuration_that_loads(server: str, tmp_path: Path) -> None:
    shipped = ROOT / "deploy" / server / "joingate.toml"
    text = shipped.read_text()
    for name in re.findall(r'secret_file = "([^"]+)"', text):
        (tmp_path / name).write_text("a secret for this test alone")
        (tmp_path / name).chmod(0o600)
    (tmp_path / "joingate.toml").write_text(text)
    settings = load_settings(tmp_path / "joingate.toml", {})
    assert settings.upstream.server == server
    assert settings.rules.path == tmp_path / "../../rules"


def test_the_presets_are_those_of_the_servers_that_need_one() -> None:
    assert PRESETS == ["bigbluebutton", "janus", "jitsi", "livekit", "prosody"]
