from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joingate.codecs.config_keys import FileFacts, Reading
from joingate.codecs.config_sections import Settings
from joingate.codecs.configfile import parse_settings, settings_json_schema
from joingate.codecs.endpoint import TcpEndpoint, UnixEndpoint
from joingate.core.client_address import ClientIpFrom
from joingate.core.errors import RefusedInputError

READING = Reading(Path("/etc/joingate"), lambda _: FileFacts(None, 0o600))
LEAST = b"""
join = [{ path = "/{meeting}" }]
[upstream]
url = "http://127.0.0.1:9000"
[geodb]
paths = ["a.mmdb"]
[rules]
path = "rules"
"""


def read(data: bytes = LEAST, **environ: str) -> Settings:
    return parse_settings(data, environ, "joingate.toml", READING)


def problems_of(data: bytes = LEAST, environ: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(RefusedInputError) as refusal:
        read(data, **(environ or {}))
    return list(refusal.value.problems)


def test_the_least_that_a_file_holds() -> None:
    settings = read()
    assert settings.gate.listen == (TcpEndpoint("127.0.0.1", 8080),)
    assert settings.rules.path == Path("/etc/joingate/rules")


def test_what_an_empty_file_lacks_is_said_key_by_key() -> None:
    assert problems_of(b"") == [
        'joingate.toml: upstream.url: is missing; write e.g. url = "http://127.0.0.1:9000"',
        'joingate.toml: geodb.paths: is missing; write e.g. paths = ["geodb/demo.mmdb"]',
        'joingate.toml: rules.path: is missing; write e.g. path = "rules/"',
    ]


@pytest.mark.parametrize(
    ("data", "place"),
    [
        (b"[gate]\nlisten = 0.0.0.0:80\n", "joingate.toml: line 2, column "),
        (b"[gate\n", "joingate.toml: line 1, column "),
        (b"[gate]\n\n[gate]\n", "joingate.toml: line 3, column "),
        (b"# \n# \xff\n", "joingate.toml: line 2: "),
    ],
)
def test_a_slip_in_the_notation_names_its_line(data: bytes, place: str) -> None:
    (problem,) = problems_of(data)
    assert problem.startswith(place)


def test_a_variable_goes_over_the_file_and_beside_it() -> None:
    settings = read(
        LEAST + b'[gate]\nlisten = ["127.0.0.1:1"]\n',
        JOINGATE_GATE__LISTEN="0.0.0.0:80, unix:x",
        JOINGATE_GATE__TRUSTED_PROXIES="",
        JOINGATE_GATE__CLIENT_IP_FROM="peer",
        JOINGATE_GATE__OPERATOR="a, b",
        JOINGATE_GATE__MAX_CONNECTIONS="7",
        JOINGATE_GATE__HEAD_TIMEOUT="0.5",
        JOINGATE_GATE__IDLE_TIMEOUT="5",
        JOINGATE_UPSTREAM__ENDS_WITHOUT_HOST="true",
        JOINGATE_ADMIN__TOKEN_FILE="t",
        JOINGATE_RULES__PATH="/elsewhere",
    )
    assert settings.gate.listen == (TcpEndpoint("0.0.0.0", 80), UnixEndpoint(Path("/etc/joingate/x")))
    assert settings.gate.client_ip_from is ClientIpFrom.PEER
    assert settings.gate.operator == "a, b"
    assert settings.gate.max_connections == 7
    assert settings.gate.head_timeout == 0.5
    assert settings.gate.idle_timeout == 5.0
    assert settings.upstream.ends_without_host is True
    assert settings.admin.token_file == Path("/etc/joingate/t")
    assert settings.rules.path == Path("/elsewhere")


def test_false_is_written_as_in_toml() -> None:
    data = LEAST.replace(b"[geodb]", b"ends_without_host = true\n[geodb]")
    assert read(data).upstream.ends_without_host is True
    assert read(data, JOINGATE_UPSTREAM__ENDS_WITHOUT_HOST="false").upstream.ends_without_host is False


NO_ENDPOINT = 'is not host:port, [v6]:port or unix:PATH; write e.g. "0.0.0.0:8080"'


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("GATE__LISTEN", "8080", f'"8080" {NO_ENDPOINT}'),
        ("GATE__LISTEN", "0.0.0.0:80,", f'"" {NO_ENDPOINT}'),
        ("GATE__LISTEN", " ", 'is empty; list at least one, e.g. ["0.0.0.0:8080"]'),
        ("GATE__LISTEN", '["0.0.0.0:80"]', f'"[\\"0.0.0.0:80\\"]" {NO_ENDPOINT}'),
        (
            "GATE__WORKERS",
            "65",
            "65 cannot be used; write a whole number from 1 to 64",
        ),
        ("GATE__MAX_CONNECTIONS", "", '"" cannot be used; write a whole number from 1 to 1000000'),
        ("GATE__MAX_CONNECTIONS", "1e3", '"1e3" cannot be used; write a whole number from 1 to 1000000'),
        ("GATE__MAX_CONNECTIONS", "9" * 18, f"{'9' * 18} cannot be used; write a whole number from 1 to 1000000"),
        ("GATE__MAX_CONNECTIONS", "9" * 19, f'"{"9" * 19}" cannot be used; write a whole number from 1 to 1000000'),
        ("GATE__HEAD_TIMEOUT", "nan", '"nan" cannot be used; write seconds from 0.01 to 86400'),
        ("GATE__HEAD_TIMEOUT", "10s", '"10s" cannot be used; write seconds from 0.01 to 86400'),
        ("GATE__HEAD_TIMEOUT", "-1", "-1.0 cannot be used; write seconds from 0.01 to 86400"),
        ("UPSTREAM__ENDS_WITHOUT_HOST", "True", '"True" is neither true nor false; write one of the two'),
        (
            "UPSTREAM__URL",
            "http://u:s3cret@h",
            "carries a user or password, which the gate would never send; remove it",
        ),
        ("RULES__PATH", "", "names no file; write its path"),
        ("RULES__PATH", "\udcff", "is not UTF-8; write it in UTF-8"),
        ("GATE__LISEN", "s3cret", "unknown variable; the nearest is JOINGATE_GATE__LISTEN"),
        ("gate__listen", "0.0.0.0:80", "unknown variable; the nearest is JOINGATE_GATE__LISTEN"),
        ("ADMIN__TOKEN", "s3cret", "unknown variable; the nearest is JOINGATE_ADMIN__TOKEN_FILE"),
        ("RULE__PATH", "s3cret", "unknown variable; the nearest is JOINGATE_RULES__PATH"),
        ("JOIN__PATH", "/", "[[join]] stands in the file only; write it there and unset the variable"),
        ("FLEET__URL", "redis://:s3cret@h", "[fleet] is not in this version; unset the variable"),
    ],
)
def test_a_problem_of_a_variable_names_it_and_never_an_unknown_value(name: str, text: str, problem: str) -> None:
    assert problems_of(environ={f"JOINGATE_{name}": text}) == [f"JOINGATE_{name}: {problem}"]


def test_other_variables_are_left_alone() -> None:
    read(
        JOINGATE_PORT="tcp://10.0.0.1:80", JOINGATE_SERVICE_HOST="x", PATH="/bin", OTHER__GATE="x", joingate_gate__x="y"
    )


def test_a_variable_does_not_mend_a_section_that_is_none() -> None:
    assert problems_of(b"gate = 5\n" + LEAST, {"JOINGATE_GATE__WORKERS": "1"}) == [
        "joingate.toml: gate: is not what it should be; write [gate] on a line of its own, its keys below"
    ]


def test_problems_of_file_and_environment_come_together() -> None:
    problems = problems_of(b"lisen = 5\n" + LEAST, {"JOINGATE_RULE__PATH": "1", "JOINGATE_GATE__WORKERS": "0"})
    assert problems == [
        "JOINGATE_RULE__PATH: unknown variable; the nearest is JOINGATE_RULES__PATH",
        "JOINGATE_GATE__WORKERS: 0 cannot be used; write a whole number from 1 to 64",
        "joingate.toml: lisen: stands in no section; the nearest key is listen of [gate]",
    ]


def test_an_unknown_variable_alone_is_enough_to_refuse() -> None:
    assert len(problems_of(environ={"JOINGATE_X__Y": "1"})) == 1


@given(
    st.dictionaries(
        st.sampled_from(
            ["JOINGATE_GATE__LISTEN", "JOINGATE_GATE__HEAD_TIMEOUT", "JOINGATE_UPSTREAM__URL", "JOINGATE_A__B"]
        ),
        st.text(max_size=30),
    )
)
def test_no_environment_makes_anything_but_settings_or_problems_of_one_line(environ: dict[str, str]) -> None:
    try:
        parse_settings(LEAST, environ, "joingate.toml", READING)
    except RefusedInputError as refusal:
        assert all(len(problem.splitlines()) == 1 for problem in refusal.problems)  # noqa: PT017 - either is right


@given(st.binary(max_size=60))
def test_no_bytes_make_anything_but_settings_or_problems_of_one_line(data: bytes) -> None:
    try:
        parse_settings(data, {}, "joingate.toml", READING)
    except RefusedInputError as refusal:
        assert all(len(problem.splitlines()) == 1 for problem in refusal.problems)  # noqa: PT017 - either is right


def test_the_schema_says_what_is_written() -> None:
    schema = settings_json_schema()
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["required"] == ["upstream", "join", "geodb", "rules"]
    assert schema["additionalProperties"] is False
    assert schema["$defs"]["GateSettings"]["properties"]["listen"] == {
        "default": ["127.0.0.1:8080"],
        "description": "Where joins are accepted: host:port, [v6]:port or unix:PATH.",
        "examples": [["0.0.0.0:8080"]],
        "items": {"type": "string"},
        "minItems": 1,
        "title": "Listen",
        "type": "array",
    }


def test_the_interface_stands_below_the_upstream() -> None:
    below = LEAST.replace(b"[upstream]\n", b'[upstream]\nadmin.url = "http://a/b"\n')
    assert read(below).upstream_admin.url == "http://a/b"
    assert read(LEAST, JOINGATE_UPSTREAM__ADMIN__URL="http://a/c").upstream_admin.url == "http://a/c"
    assert problems_of(LEAST, {"JOINGATE_UPSTREAM__ADMIN__URL": "a"}) == [
        'JOINGATE_UPSTREAM__ADMIN__URL: is not the URL of an interface; write e.g. "http://127.0.0.1:7088/admin"'
    ]
    assert problems_of(below.replace(b"admin.url", b"admin.uri")) == [
        'joingate.toml: upstream.admin.uri: unknown key; the nearest is "url"'
    ]
    assert problems_of(below.replace(b'admin.url = "http://a/b"', b'server = "janus"\nadmin.key = "k"')) == [
        'joingate.toml: [upstream.admin]: url is missing; write e.g. url = "http://127.0.0.1:7088/admin"',
        'joingate.toml: [[join]]: is for server = "generic" only: janus\'s joins are known; remove every [[join]]',
    ]
    assert problems_of(LEAST.replace(b"[upstream]\n", b"[upstream]\nadmin = 5\n")) == [
        (
            "joingate.toml: upstream.admin: is not what it should be; "
            "write [upstream.admin] on a line of its own, its keys below"
        )
    ]
