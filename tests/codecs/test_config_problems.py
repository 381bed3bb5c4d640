from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from joingate.codecs.config_keys import FileFacts, Reading
from joingate.codecs.config_problems import describe, nearest
from joingate.codecs.config_sections import Settings

READING = Reading(Path("/etc/joingate"), lambda _: FileFacts(None, 0o600))
LEAST: dict[str, Any] = {
    "gate": {},
    "upstream": {"url": "http://127.0.0.1:9000"},
    "join": [{"path": "/{meeting}"}],
    "geodb": {"paths": ["a.mmdb"]},
    "rules": {"path": "rules"},
    "admin": {},
}


def described(tables: dict[str, Any], variables: dict[tuple[str, str], str] | None = None) -> list[str]:
    with pytest.raises(ValidationError) as refusal:
        Settings.model_validate({**LEAST, **tables}, context=READING)
    return describe(refusal.value.errors(), "joingate.toml", variables or {})


BELOW = "on a line of its own, its keys below"

SECTION_PROBLEMS: list[tuple[dict[str, Any], str]] = [
    ({"fleet": {}}, "[fleet]: is not in this version; remove the section"),
    ({"gates": {}}, "gates: unknown section; the nearest is [gate]"),
    ({"joins": [{}]}, "joins: unknown section; the nearest is [[join]]"),
    ({"rules\n": {}}, '"rules\\n": unknown section; the nearest is [rules]'),
    ({"lisen": "s3cret"}, "lisen: stands in no section; the nearest key is listen of [gate]"),
    ({"tokenfile": "s3cret"}, "tokenfile: stands in no section; the nearest key is token_file of [admin]"),
    ({"gate": 5}, f"gate: is not what it should be; write [gate] {BELOW}"),
    ({"gate": [{}]}, f"gate: is not what it should be; write [gate] {BELOW}"),
    ({"join": {"path": "/"}}, f"join: is not what it should be; write [[join]] {BELOW}"),
    (
        {"join": []},
        '[[join]]: a gate without joins judges nobody; write one, e.g. with path = "/meetings/{meeting}/join"',
    ),
    ({"join": [{"path": "/{meeting}"}, "x"]}, f'[[join]] 2: "x" is not a table; write [[join]] {BELOW}'),
    ({"join": [{}]}, '[[join]] 1, path: is missing; write e.g. path = "/meetings/{meeting}/join"'),
    ({"join": [{"path": "/{meeting}", "rom": 1}]}, '[[join]] 1, rom: unknown key; the nearest is "host"'),
    ({"join": [{"path": "/{meeting}", "a b": 1}]}, '[[join]] 1, "a b": unknown key; the nearest is "path"'),
    ({"upstream": {}}, 'upstream.url: is missing; write e.g. url = "http://127.0.0.1:9000"'),
    ({"geodb": {}}, 'geodb.paths: is missing; write e.g. paths = ["geodb/demo.mmdb"]'),
    ({"rules": {}}, 'rules.path: is missing; write e.g. path = "rules/"'),
    ({"geodb": {"paths": []}}, 'geodb.paths: is empty; list at least one, e.g. ["geodb/demo.mmdb"]'),
    ({"geodb": {"paths": ["a", 5]}}, "geodb.paths: 5 is not text; write one value in quotes"),
    ({"geodb": {"paths": "x"}}, 'geodb.paths: "x" is not a list; write it in brackets, e.g. ["geodb/demo.mmdb"]'),
]

WHOLE = "cannot be used; write a whole number from"
SECONDS = "cannot be used; write seconds from"

GATE_PROBLEMS: list[tuple[str, object, str]] = [
    ("lisen", "s3cret", 'unknown key; the nearest is "listen"'),
    ("listen\n", 5, 'unknown key; the nearest is "listen"'),
    ("listen", [], 'is empty; list at least one, e.g. ["0.0.0.0:8080"]'),
    ("listen", "0.0.0.0:80", '"0.0.0.0:80" is not a list; write it in brackets, e.g. ["0.0.0.0:8080"]'),
    ("listen", ["8080"], '"8080" is not host:port, [v6]:port or unix:PATH; write e.g. "0.0.0.0:8080"'),
    ("trusted_proxies", "x", '"x" is not a list; write it in brackets, e.g. ["10.0.0.0/8"]'),
    ("workers", 0, "0 cannot be used; write a whole number from 1 to 64"),
    ("workers", True, "true cannot be used; write a whole number from 1 to 64"),
    ("workers", "1", '"1" cannot be used; write a whole number from 1 to 64'),
    ("operator", 5, "5 is not text; write one value in quotes"),
    ("tls_key", 53, "the value is not text; write one value in quotes"),
    ("websocket_reject", "451", '"451" is not known here; write "http" or "close"'),
    ("websocket_reject", 5, '5 is not known here; write "http" or "close"'),
    (
        "client_ip_from",
        "x-real-ip",
        '"x-real-ip" is not known here; write "peer", "x-forwarded-for", "forwarded" or "proxy-protocol"',
    ),
    ("max_connections", 0, f"0 {WHOLE} 1 to 1000000"),
    ("max_connections", 1_000_001, f"1000001 {WHOLE} 1 to 1000000"),
    ("max_connections", True, f"true {WHOLE} 1 to 1000000"),
    ("max_connections", 5.0, f"5.0 {WHOLE} 1 to 1000000"),
    ("max_connections", "5", f'"5" {WHOLE} 1 to 1000000'),
    ("max_connections", 16**5000, f"a number this large {WHOLE} 1 to 1000000"),
    ("max_head_bytes", 1023, f"1023 {WHOLE} 1024 to 1048576"),
    ("head_timeout", 0, f"0 {SECONDS} 0.01 to 86400"),
    ("head_timeout", 86_400.5, f"86400.5 {SECONDS} 0.01 to 86400"),
    ("head_timeout", float("nan"), f"nan {SECONDS} 0.01 to 86400"),
    ("head_timeout", float("inf"), f"inf {SECONDS} 0.01 to 86400"),
    ("head_timeout", True, f"true {SECONDS} 0.01 to 86400"),
    ("head_timeout", [], f"a list {SECONDS} 0.01 to 86400"),
    ("drain_seconds", -1, f"-1 {SECONDS} 0 to 86400"),
]


@pytest.mark.parametrize(("tables", "problem"), SECTION_PROBLEMS)
def test_a_problem_of_a_section_is_one_line(tables: dict[str, Any], problem: str) -> None:
    assert described(tables) == [f"joingate.toml: {problem}"]


@pytest.mark.parametrize(
    ("key", "value", "problem"), GATE_PROBLEMS, ids=[f"{at}-{key!r}" for at, (key, *_) in enumerate(GATE_PROBLEMS)]
)
def test_a_problem_of_a_key_is_one_line(key: str, value: object, problem: str) -> None:
    place = '"listen\\n"' if "\n" in key else key
    assert described({"gate": {key: value}}) == [f"joingate.toml: gate.{place}: {problem}"]


def test_true_and_false_are_not_text() -> None:
    upstream = {**LEAST["upstream"], "ends_without_host": "yes"}
    assert described({"upstream": upstream}) == [
        'joingate.toml: upstream.ends_without_host: "yes" is neither true nor false; write one of the two'
    ]


def test_the_value_of_a_key_beside_a_secret_is_not_shown() -> None:
    assert described({"admin": {"token_file": 53}}) == [
        "joingate.toml: admin.token_file: the value is not text; write one value in quotes"
    ]


def test_a_variable_takes_the_place_of_the_key_that_it_sets_and_of_no_other() -> None:
    gate = {"workers": 0, "operator": 5}
    assert described({"gate": gate}, {("gate", "workers"): "JOINGATE_GATE__WORKERS"}) == [
        "JOINGATE_GATE__WORKERS: 0 cannot be used; write a whole number from 1 to 64",
        "joingate.toml: gate.operator: 5 is not text; write one value in quotes",
    ]


def test_there_is_always_a_nearest() -> None:
    assert nearest("max_conections", ["listen", "max_connections"]) == "max_connections"
    assert nearest("zzz", ["listen"]) == "listen"
