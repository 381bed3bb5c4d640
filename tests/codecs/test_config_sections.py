from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from joingate.codecs.config_keys import FileFacts, Reading
from joingate.codecs.config_sections import SECTIONS, Settings, written_schema
from joingate.codecs.endpoint import TcpEndpoint
from joingate.codecs.join_route import JoinRoute, Source
from joingate.core.client_address import ClientIpFrom

READING = Reading(Path("/etc/joingate"), lambda _: FileFacts(None, 0o600))
LEAST: dict[str, Any] = {
    "upstream": {"url": "http://127.0.0.1:9000"},
    "join": [{"path": "/{meeting}"}],
    "geodb": {"paths": ["a.mmdb"]},
    "rules": {"path": "rules"},
}


def read(**sections: object) -> Settings:
    return Settings.model_validate({**LEAST, **sections}, context=READING)


def problems_of(**sections: object) -> list[tuple[str, str]]:
    with pytest.raises(ValidationError) as refusal:
        read(**sections)
    return [
        (".".join(map(str, error["loc"])), error["msg"].removeprefix("Value error, "))
        for error in refusal.value.errors()
    ]


def rest(section: BaseModel, left_out: str) -> dict[str, object]:
    return {key: value for key, value in section if key != left_out}


def test_defaults_are_the_documented_ones() -> None:
    settings = read()
    assert rest(settings.gate, "trusted_proxies") == {
        "listen": (TcpEndpoint("127.0.0.1", 8080),),
        "workers": 1,
        "client_ip_from": ClientIpFrom.PEER,
        "websocket_reject": "http",
        "tls_certificate": None,
        "tls_key": None,
        "operator": "",
        "max_connections": 20_000,
        "max_head_bytes": 16_384,
        "head_timeout": 10.0,
        "body_timeout": 30.0,
        "idle_timeout": 75.0,
        "send_timeout": 60.0,
        "websocket_idle_timeout": 0.0,
        "close_timeout": 5.0,
        "drain_seconds": 10.0,
    }
    assert rest(settings.upstream, "url") == {
        "ca_file": None,
        "server": "generic",
        "meeting_ids": "exact",
        "components": (),
        "keeps_after_close": None,
        "ends_without_host": False,
        "connect_timeout": 5.0,
        "response_timeout": 60.0,
        "max_idle_connections": 64,
        "idle_timeout": 30.0,
    }
    assert rest(settings.geodb, "paths") == {
        "max_age_days": 60,
        "overrides": None,
        "watch_seconds": 30.0,
    }
    assert rest(settings.rules, "path") == {"max_ejections": 0, "watch_seconds": 0.0}
    assert settings.admin.listen == TcpEndpoint("127.0.0.1", 9901)
    assert settings.admin.token_file is None


def test_the_upstream_url_is_resolved() -> None:
    upstream = read(upstream={"url": "https://meet"}).upstream
    assert (upstream.endpoint, upstream.tls, upstream.host_header) == (TcpEndpoint("meet", 443), True, "meet")


def test_joins_become_routes() -> None:
    tables = [
        {"path": "/{meeting}/{participant}"},
        {"path": "/join", "meeting": "query:room", "participant": "jwt:sub", "host": "header:Role=host"},
    ]
    assert read(join=tables).join == (
        JoinRoute("/{meeting}/{participant}", Source("path", "meeting"), Source("path", "participant"), None),
        JoinRoute("/join", Source("query", "room"), Source("jwt", "sub"), (Source("header", "role"), "host")),
    )


def test_settings_do_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        read().gate.workers = 2


TOGETHER = "tls_certificate and tls_key go together; write both or neither"
NO_EFFECT = (
    'trusted_proxies has no effect with "peer"; '
    'write e.g. client_ip_from = "x-forwarded-for", or remove trusted_proxies'
)


@pytest.mark.parametrize(
    ("gate", "problems"),
    [
        ({"tls_certificate": "c"}, [("gate.tls_key", TOGETHER)]),
        ({"tls_key": "k"}, [("gate.tls_key", TOGETHER)]),
        ({"tls_certificate": "c", "tls_key": "k"}, None),
        *(
            (
                {"client_ip_from": source},
                [
                    (
                        "gate.client_ip_from",
                        (
                            f'nobody is trusted, so "{source}" would never be read; '
                            "list trusted_proxies or remove client_ip_from"
                        ),
                    )
                ],
            )
            for source in ("x-forwarded-for", "forwarded", "proxy-protocol")
        ),
        *(({"client_ip_from": s, "trusted_proxies": ["unix:"]}, None) for s in ("x-forwarded-for", "proxy-protocol")),
        ({"client_ip_from": "peer"}, None),
        ({"trusted_proxies": ["10.0.0.0/8"]}, [("gate.client_ip_from", NO_EFFECT)]),
        ({"client_ip_from": "peer", "trusted_proxies": ["unix:"]}, [("gate.client_ip_from", NO_EFFECT)]),
        ({"workers": 64, "max_connections": 64}, None),
        (
            {"workers": 3, "max_connections": 2},
            [("gate.max_connections", "2 cannot be divided among 3 workers; write 3 or more")],
        ),
        (
            {"workers": 65, "max_connections": 2},
            [("gate.workers", "Input should be less than or equal to 64")],
        ),
    ],
)
def test_keys_of_the_gate_fit_together(gate: dict[str, object], problems: list[tuple[str, str]] | None) -> None:
    if problems is None:
        read(gate=gate)
    else:
        assert problems_of(gate=gate) == problems


def test_a_bad_key_hides_no_problem_elsewhere_and_makes_no_second_one() -> None:
    gate = {
        "trusted_proxies": ["x"],
        "client_ip_from": "forwarded",
        "tls_certificate": 5,
        "tls_key": "k",
        "workers": "x",
    }
    upstream = {"url": "x", "ca_file": "c", "server": 5}
    assert [place for place, _ in problems_of(gate=gate, upstream=upstream, admin={"listen": "x"})] == [
        "gate.workers",
        "gate.trusted_proxies.0",
        "gate.tls_certificate",
        "upstream.url",
        "upstream.server",
        "admin.listen",
    ]
    assert [place for place, _ in problems_of(join=[{"path": "x", "meeting": "query:room"}])] == ["join.0.path"]
    assert [place for place, _ in problems_of(join=[{"path": "x"}])] == ["join.0.path"]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("lisen", []),
        ("operator", 5),
        ("max_connections", "5"),
        ("max_connections", 5.0),
        ("max_connections", True),
        ("workers", True),
        ("head_timeout", "5"),
        ("head_timeout", True),
        ("drain_seconds", float("nan")),
        ("client_ip_from", 5),
    ],
)
def test_nothing_is_converted_or_passed_over(key: str, value: object) -> None:
    assert [place for place, _ in problems_of(gate={key: value})] == [f"gate.{key}"]


UNAWARE = "and 2 workers do not know of each other's participants; write workers = 1 in [gate]"


@pytest.mark.parametrize(
    ("upstream", "why"),
    [
        ({"keeps_after_close": 5}, "keeps_after_close makes a participant outlast a connection"),
        ({"ends_without_host": True}, "ends_without_host makes everybody in a meeting depend on its hosts"),
        *(
            ({"server": server}, f"{server} may carry one participant over several connections")
            for server in ("livekit", "jitsi", "prosody", "janus", "bigbluebutton", "galene")
        ),
    ],
)
def test_workers_share_no_participants(upstream: dict[str, object], why: str) -> None:
    tables: dict[str, Any] = {"upstream": {**LEAST["upstream"], **upstream}} | (
        {"join": []} if "server" in upstream else {}
    )
    assert problems_of(gate={"workers": 2}, **tables) == [("upstream", f"{why}, {UNAWARE}")]
    read(gate={"workers": 1}, **tables)
    assert [place for place, _ in problems_of(gate={"workers": 2, "operator": 5}, **tables)] == ["gate.operator"]


def test_several_workers_serve_a_generic_server() -> None:
    assert read(gate={"workers": 2}, upstream={**LEAST["upstream"], "keeps_after_close": 0}).gate.workers == 2


SERVERS = ["livekit", "jitsi", "prosody", "janus", "bigbluebutton", "galene"]


@pytest.mark.parametrize("server", SERVERS)
def test_a_known_server_needs_no_more_than_its_name(server: str) -> None:
    settings = read(upstream={**LEAST["upstream"], "server": server}, join=[])
    assert (settings.upstream.server, settings.join) == (server, ())


def test_a_generic_server_needs_its_joins() -> None:
    problem = 'a gate without joins judges nobody; write one, e.g. with path = "/meetings/{meeting}/join"'
    assert problems_of(join=[]) == [("join", problem)]


@pytest.mark.parametrize("server", SERVERS)
def test_a_known_server_has_its_own_joins_and_ids(server: str) -> None:
    upstream = {**LEAST["upstream"], "server": server, "meeting_ids": "lowercase"}
    problem = f'is for server = "generic" only: how {server} compares ids is known; remove it'
    assert problems_of(upstream=upstream, join=[]) == [("upstream.meeting_ids", problem)]
    problem = f'is for server = "generic" only: {server}\'s joins are known; remove every [[join]]'
    assert problems_of(upstream={**LEAST["upstream"], "server": server}) == [("join", problem)]


def test_the_domains_of_rooms_are_xmpp_s() -> None:
    upstream = {**LEAST["upstream"], "components": ["Conference.example.org"]}
    assert problems_of(upstream=upstream) == [
        ("upstream.components", "are of prosody and jitsi only, not of generic; remove it")
    ]
    settings = read(upstream={**upstream, "server": "jitsi"}, join=[])
    assert settings.upstream.components == ("conference.example.org",)
    assert problems_of(upstream={**upstream, "server": "jitsi", "components": ["a b"]}, join=[]) == [
        ("upstream.components.0", '"a b" is no domain; write e.g. "conference.example.org"')
    ]


URL = "http://127.0.0.1:7088/admin"


@pytest.mark.parametrize(
    ("server", "admin"),
    [
        ("generic", {"url": URL, "method": "PUT", "body": "{}", "secret_file": "token", "present_url": URL}),
        ("generic", {"url": URL}),
        ("livekit", {"url": URL, "key": "k", "secret_file": "token"}),
        ("janus", {"url": URL, "secret_file": "token"}),
        ("jitsi", {}),
    ],
)
def test_a_server_s_interface_is_described_in_its_own_words(server: str, admin: dict[str, object]) -> None:
    join: dict[str, object] = {} if server == "generic" else {"join": []}
    settings = read(upstream={**LEAST["upstream"], "server": server}, **{"upstream.admin": admin}, **join)
    assert settings.upstream_admin.url == admin.get("url")


@pytest.mark.parametrize(
    ("server", "admin", "problem"),
    [
        (
            "galene",
            {"url": URL},
            "galene has no interface to remove one participant, and needs none; remove the section",
        ),
        ("janus", {"secret_file": "token"}, 'url is missing; write e.g. url = "http://127.0.0.1:7088/admin"'),
        ("janus", {"url": URL}, "secret_file is missing; janus needs secret_file"),
        ("livekit", {"url": URL, "secret_file": "token"}, "key is missing; livekit needs key and secret_file"),
        ("prosody", {"url": URL, "secret_file": "token", "key": "k"}, "key is not for prosody; remove it"),
    ],
)
def test_an_interface_half_described_is_refused(server: str, admin: dict[str, object], problem: str) -> None:
    upstream = {**LEAST["upstream"], "server": server}
    assert problems_of(upstream=upstream, join=[], **{"upstream.admin": admin}) == [("upstream.admin", problem)]


@pytest.mark.parametrize(
    "url", ["", "127.0.0.1:7088", "ftp://a/b", "http://", "http://a:0/", "http://a:x/", "http://a/b c", "http://\xe4/"]
)
def test_what_is_no_url_of_an_interface_is_refused(url: str) -> None:
    problem = 'is not the URL of an interface; write e.g. "http://127.0.0.1:7088/admin"'
    assert problems_of(**{"upstream.admin": {"url": url}}) == [("upstream.admin.url", problem)]


def test_no_secret_stands_in_the_url_of_an_interface() -> None:
    problem = "holds a user or a password; put what is secret into secret_file"
    assert problems_of(**{"upstream.admin": {"url": "http://u:p@a/"}}) == [("upstream.admin.url", problem)]


def test_a_broken_upstream_hides_no_problem_and_makes_none() -> None:
    assert [place for place, _ in problems_of(upstream={}, join=[])] == ["upstream.url"]
    assert [place for place, _ in problems_of(upstream={}, **{"upstream.admin": {"key": "k"}})] == ["upstream.url"]


def test_ca_certificates_are_for_https() -> None:
    problem = 'is for https only; remove it, or write url = "https://..."'
    assert problems_of(upstream={"url": "http://meet:80", "ca_file": "ca"}) == [("upstream.ca_file", problem)]
    assert read(upstream={"url": "https://meet", "ca_file": "ca"}).upstream.ca_file == Path("/etc/joingate/ca")


@pytest.mark.parametrize("listen", ["0.0.0.0:9901", "[::]:9901", "192.0.2.1:1", "meet:1"])
def test_an_admin_service_that_others_reach_needs_a_token_and_tls(listen: str) -> None:
    problem = (
        f'is required where other machines reach the admin service ("{listen}"); '
        "name a file with a token, or listen on 127.0.0.1"
    )
    in_the_clear = (
        f'is required where other machines reach the admin service ("{listen}"), or its token passes in the clear; '
        "name a certificate and its tls_key, listen on 127.0.0.1, or, where a proxy in front ends TLS, "
        "write tls_elsewhere = true"
    )
    both = [("admin.token_file", problem), ("admin.tls_certificate", in_the_clear)]
    assert problems_of(admin={"listen": listen}) == both
    assert problems_of(admin={"listen": listen, "token_file": "t"}) == both[1:]
    admin = read(admin={"listen": listen, "token_file": "t", "tls_elsewhere": True}).admin
    assert (admin.token_file, admin.tls_certificate) == (Path("/etc/joingate/t"), None)
    admin = read(admin={"listen": listen, "token_file": "t", "tls_certificate": "c", "tls_key": "k"}).admin
    assert (admin.tls_certificate, admin.tls_key) == (Path("/etc/joingate/c"), Path("/etc/joingate/k"))
    together = "tls_certificate and tls_key go together; write both or neither"
    assert problems_of(admin={"tls_certificate": "c"}) == [("admin.tls_key", together)]


@pytest.mark.parametrize("listen", ["127.0.0.2:0", "[::1]:9901", "unix:admin.sock", "localhost:1"])
def test_an_admin_service_on_this_machine_alone_needs_none(listen: str) -> None:
    assert read(admin={"listen": listen}).admin.token_file is None


def test_the_table_of_sections_is_that_of_the_settings() -> None:
    assert list(SECTIONS) == [field.alias or name for name, field in Settings.model_fields.items()]


@pytest.mark.parametrize("section", SECTIONS)
def test_every_key_is_described_and_written_as_one_plain_type(section: str) -> None:
    for key, written in written_schema(SECTIONS[section])["properties"].items():
        assert written["description"], key
        assert written.get("type") in {"string", "array", "integer", "number", "boolean"} or "$ref" in written, key
        assert written.get("default", "") is not None, key


def test_what_messages_say_is_in_the_schema() -> None:
    """Ranges and examples are read from there by name."""
    for section in SECTIONS.values():
        for key, field in section.model_fields.items():
            written = written_schema(section)["properties"][key]
            if field.is_required() or written.get("type") == "array":
                assert written["examples"], key
            if written.get("type") in {"integer", "number"}:
                assert {"minimum", "maximum"} <= written.keys(), key


def test_an_absent_default_is_left_out_of_any_schema() -> None:
    class Table(BaseModel):
        given: int | None = 1
        absent: int | None = None

    properties = written_schema(Table)["properties"]
    assert properties["given"] == {"default": 1, "title": "Given", "type": "integer"}
    assert properties["absent"] == {"title": "Absent", "type": "integer"}
