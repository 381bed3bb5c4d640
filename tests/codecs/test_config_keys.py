from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from joingate.codecs import config_keys
from joingate.codecs.config_keys import (
    NOBODY,
    FileFacts,
    MeetingKey,
    ParticipantKey,
    PathsKey,
    Reading,
    TemplateKey,
    default_written,
)
from joingate.codecs.endpoint import TcpEndpoint, UnixEndpoint, UpstreamUrl
from joingate.codecs.join_route import Source

FILES = {
    Path("/etc/joingate/good"): FileFacts(None, 0o600),
    Path("/etc/joingate/owner"): FileFacts(None, 0o400),
    Path("/etc/joingate/blank"): FileFacts(None, 0o600, blank=True),
    Path("/etc/joingate/group"): FileFacts(None, 0o640),
    Path("/etc/joingate/world"): FileFacts(None, 0o604),
    Path("/etc/joingate/lent"): FileFacts(None, 0o640, of_root=True),
    Path("/etc/joingate/given"): FileFacts(None, 0o660, of_root=True),
    Path("/etc/joingate/shown"): FileFacts(None, 0o644, of_root=True),
}
READING = Reading(Path("/etc/joingate"), lambda path: FILES.get(path, FileFacts("does not exist")))


def resolved(key: Any, written: object) -> Any:
    return TypeAdapter(key).validate_python(written, context=READING)


def refusal_of(key: Any, written: object) -> str:
    with pytest.raises(ValidationError) as refusal:
        resolved(key, written)
    return str(refusal.value.errors()[0]["msg"]).removeprefix("Value error, ")


GOOD = Path("/etc/joingate/good")


@pytest.mark.parametrize(
    ("key", "written", "expected"),
    [
        ("EndpointKey", "127.0.0.1:80", TcpEndpoint("127.0.0.1", 80)),
        ("EndpointsKey", ["[::1]:0", "unix:x"], (TcpEndpoint("::1", 0), UnixEndpoint(Path("/etc/joingate/x")))),
        ("UrlKey", "http://meet:80", UpstreamUrl(TcpEndpoint("meet", 80), tls=False, host_header="meet")),
        ("PathKey", "a/b", Path("/etc/joingate/a/b")),
        ("PathKey", "/a/b", Path("/a/b")),
        ("PathsKey", ["a", "/b"], (Path("/etc/joingate/a"), Path("/b"))),
        ("OpenFileKey", "good", GOOD),
        ("SecretFileKey", "good", GOOD),
        ("SecretFileKey", "lent", Path("/etc/joingate/lent")),
        ("TokenFileKey", "good", GOOD),
        ("TokenFileKey", "owner", Path("/etc/joingate/owner")),
        ("AdminUrlKey", "https://a.b:8/c?d={meeting}", "https://a.b:8/c?d={meeting}"),
        ("ComponentsKey", ["Conference.EXAMPLE.org", "b"], ("conference.example.org", "b")),
        ("TemplateKey", "/{meeting}", "/{meeting}"),
        ("HostMarkKey", "query:a=b", (Source("query", "a"), "b")),
    ],
)
def test_what_is_written_becomes_what_is_used(key: str, written: object, expected: object) -> None:
    assert resolved(getattr(config_keys, key), written) == expected


NO_INTERFACE = 'is not the URL of an interface; write e.g. "http://127.0.0.1:7088/admin"'
READABLE = "write the path of a file that the gate may read"


@pytest.mark.parametrize(
    ("key", "written", "problem"),
    [
        ("PathKey", "", "names no file; write its path"),
        ("PathKey", "a\0b", "names no file; write its path"),
        ("OpenFileKey", "none", f'"/etc/joingate/none" does not exist; {READABLE}'),
        ("SecretFileKey", "s3cret", f"the file it names does not exist; {READABLE}"),
        ("SecretFileKey", "group", '"/etc/joingate/group" is open to others (mode 0640); run chmod 600 on it'),
        ("SecretFileKey", "given", '"/etc/joingate/given" is open to others (mode 0660); run chmod 640 on it'),
        ("SecretFileKey", "shown", '"/etc/joingate/shown" is open to others (mode 0644); run chmod 640 on it'),
        ("TokenFileKey", "s3cret", f"the file it names does not exist; {READABLE}"),
        ("TokenFileKey", "s3\0cret", "names no file; write its path"),
        ("TokenFileKey", "blank", '"/etc/joingate/blank" is empty; write the token into it'),
        ("TokenFileKey", "group", '"/etc/joingate/group" is open to others (mode 0640); run chmod 600 on it'),
        ("TokenFileKey", "world", '"/etc/joingate/world" is open to others (mode 0604); run chmod 600 on it'),
        ("AdminUrlKey", "http://[::1/", NO_INTERFACE),
        ("AdminUrlKey", "http://a:x/", NO_INTERFACE),
        ("AdminUrlKey", "a:1", NO_INTERFACE),
        ("AdminUrlKey", "http://a/b c", NO_INTERFACE),
        ("AdminUrlKey", "http://u:p@a/", "holds a user or a password; put what is secret into secret_file"),
        ("ComponentsKey", [""], '"" is no domain; write e.g. "conference.example.org"'),
        ("ComponentsKey", ["a b"], '"a b" is no domain; write e.g. "conference.example.org"'),
        ("ProxyKey", "unix", '"unix" is not how peers on unix sockets are named; write "unix:"'),
        ("ProxyKey", "unix:/run/x", '"unix:/run/x" is not how peers on unix sockets are named; write "unix:"'),
        ("ProxyKey", "x", '"x" is not an IP network; write e.g. "10.0.0.0/8" or "192.0.2.7"'),
        ("EndpointsKey", [], "List should have at least 1 item after validation, not 0"),
        ("PathsKey", [], "List should have at least 1 item after validation, not 0"),
    ],
)
def test_what_cannot_be_used_is_refused(key: str, written: object, problem: str) -> None:
    assert refusal_of(getattr(config_keys, key), written) == problem


def test_trusted_proxies_are_networks_single_addresses_and_unix_peers() -> None:
    trusted = resolved(config_keys.ProxiesKey, ["10.0.0.0/8", "2001:db8::7", "unix:"])
    assert ip_address("10.255.0.1") in trusted
    assert ip_address("11.0.0.1") not in trusted
    assert ip_address("2001:db8::7") in trusted
    assert ip_address("2001:db8::8") not in trusted
    assert None in trusted
    assert None not in resolved(config_keys.ProxiesKey, ["10.0.0.0/8"])


def test_an_empty_list_trusts_nobody_and_only_that_does() -> None:
    assert resolved(config_keys.ProxiesKey, []) is NOBODY
    assert resolved(config_keys.ProxiesKey, ["unix:"]) is not NOBODY


class Join(BaseModel):
    path: TemplateKey
    meeting: MeetingKey
    participant: ParticipantKey


IN_PATH = Source("path", "meeting"), Source("path", "participant")


@pytest.mark.parametrize(
    ("path", "meeting", "participant", "expected"),
    [
        ("/{meeting}/{participant}", None, None, IN_PATH),
        ("/{meeting}", None, "query:user", (IN_PATH[0], Source("query", "user"))),
        ("/join", "query:room", None, (Source("query", "room"), None)),
    ],
)
def test_ids_are_where_the_path_or_their_own_key_says(
    path: str, meeting: str | None, participant: str | None, expected: tuple[Source, Source | None]
) -> None:
    join = resolved(Join, {"path": path, "meeting": meeting, "participant": participant})
    assert (join.meeting, join.participant) == expected


@pytest.mark.parametrize("meeting", [None, "query:room"])
def test_a_refused_path_is_one_problem_whatever_the_meeting(meeting: str | None) -> None:
    with pytest.raises(ValidationError) as refusal:
        resolved(Join, {"path": "x", "meeting": meeting, "participant": "query:user"})
    assert [error["loc"] for error in refusal.value.errors()] == [("path",)]


def test_a_default_is_resolved_like_what_is_written_and_shown_as_it() -> None:
    class Table(BaseModel):
        model_config = ConfigDict(validate_default=True)
        paths: PathsKey = default_written(["a"])

    assert resolved(Table, {}).paths == (Path("/etc/joingate/a"),)
    assert Table.model_json_schema()["properties"]["paths"]["default"] == ["a"]
