"""How single values of joingate.toml are written, and what they are resolved to.

A key is declared as `Annotated[what it becomes, written_as(how it is written, how it is read)]`: pydantic checks the
written type, the parsers beside this file read the text, and the JSON Schema shows what a person writes.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, cast
from urllib.parse import urlsplit

from pydantic import Field, GetPydanticSchema, ValidationInfo
from pydantic_core import core_schema

from joingate.codecs.dialect import UnreadableError
from joingate.codecs.endpoint import Endpoint, UpstreamUrl, parse_endpoint, parse_upstream_url
from joingate.codecs.join_route import (
    Source,
    meeting_source,
    parse_host_mark,
    parse_source,
    parse_template,
    participant_source,
)
from joingate.codecs.network import parse_network
from joingate.codecs.quoted import quoted
from joingate.codecs.xmpp_address import prepare_domain
from joingate.core.client_address import UNIX_PEER, Network, TrustedProxies


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What there is to know of a file that a key names.

    Attributes:
        refusal: why it cannot be used, as "does not exist"; None when it can be read.
        mode: its permission bits.
        blank: whether it holds nothing but white space.
        of_root: whether it belongs to root, and not to whoever runs the gate.
    """

    refusal: str | None
    mode: int = 0
    blank: bool = False
    of_root: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """What the sections are read with: the folder that relative paths start from, and a way to look at a file."""

    folder: Path
    look: Callable[[Path], FileFacts]


def written_as(written: Any, parse: Callable[[Any, ValidationInfo], Any]) -> GetPydanticSchema:
    """Let a key be written as `written` and resolved by `parse`."""
    return GetPydanticSchema(
        lambda _, handler: core_schema.with_info_after_validator_function(parse, handler.generate_schema(written))
    )


def default_written(value: object) -> Any:
    """Give a default as a person would write it: it is resolved like any other value, and the schema shows it so."""
    return value


def _path(text: str, info: ValidationInfo) -> Path:
    if not text or "\0" in text:
        raise ValueError("names no file; write its path")
    return _folder(info) / text


def _folder(info: ValidationInfo) -> Path:
    return cast("Reading", info.context).folder


def _facts(path: Path, info: ValidationInfo) -> FileFacts:
    return cast("Reading", info.context).look(path)


def _open_file(text: str, info: ValidationInfo) -> Path:
    path = _path(text, info)
    if (refusal := _facts(path, info).refusal) is not None:
        raise ValueError(f"{quoted(str(path))} {refusal}; write the path of a file that the gate may read")
    return path


def _secret_file(text: str, info: ValidationInfo) -> Path:
    """Resolve a path whose text is not shown before it is one: people put the secret itself there.

    Who may read the file is judged as PostgreSQL does it: its owner alone, or, where that is root, one group as well.
    """
    path = _path(text, info)
    facts = _facts(path, info)
    if facts.refusal is not None:
        raise ValueError(f"the file it names {facts.refusal}; write the path of a file that the gate may read")
    closed, mode = (0o037, 640) if facts.of_root else (0o077, 600)
    if facts.mode & closed:
        raise ValueError(f"{quoted(str(path))} is open to others (mode {facts.mode:04o}); run chmod {mode} on it")
    return path


def _token_file(text: str, info: ValidationInfo) -> Path:
    path = _secret_file(text, info)
    if _facts(path, info).blank:
        raise ValueError(f"{quoted(str(path))} is empty; write the token into it")
    return path


def _admin_url(text: str, _: ValidationInfo) -> str:
    """Check the address of a meeting server's own interface: unlike the upstream's it has a path."""
    try:
        parts = urlsplit(text)
        is_whole = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        is_whole = False
    if not is_whole or not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError('is not the URL of an interface; write e.g. "http://127.0.0.1:7088/admin"')
    if parts.username is not None or parts.password is not None:
        raise ValueError("holds a user or a password; put what is secret into secret_file")
    return text


def _component(text: str, _: ValidationInfo) -> str:
    try:
        if _NOT_IN_DOMAINS.search(text) is None:
            return prepare_domain(text)
    except UnreadableError:
        pass
    raise ValueError(f'{quoted(text)} is no domain; write e.g. "conference.example.org"')


_NOT_IN_DOMAINS = re.compile(r"[\s@/]")


def _proxy(text: str, _: ValidationInfo) -> Network | None:
    if text == UNIX_PEER:
        return None
    if text.startswith("unix"):
        raise ValueError(f'{quoted(text)} is not how peers on unix sockets are named; write "{UNIX_PEER}"')
    return parse_network(text)


NOBODY = TrustedProxies()
"""The value of an empty trusted_proxies, told by its identity: TrustedProxies does not say whether it is empty."""


def _proxies(entries: list[Network | None], _: ValidationInfo) -> TrustedProxies:
    if not entries:
        return NOBODY
    return TrustedProxies([entry for entry in entries if entry is not None], unix=None in entries)


def as_tuple(entries: list[Any], _: ValidationInfo) -> tuple[Any, ...]:
    """Freeze a list."""
    return tuple(entries)


def _written_source(text: str | None) -> Source | None:
    return None if text is None else parse_source(text)


def _meeting(text: str | None, info: ValidationInfo) -> Source:
    written = _written_source(text)
    # A path that was refused has its own problem; no second one is made of it here.
    return meeting_source(info.data.get("path", "/{meeting}" if written is None else "/"), written)


def _participant(text: str | None, info: ValidationInfo) -> Source | None:
    return participant_source(info.data.get("path", "/"), _written_source(text))


EndpointKey = Annotated[Endpoint, written_as(str, lambda text, info: parse_endpoint(text, _folder(info)))]
UrlKey = Annotated[UpstreamUrl, written_as(str, lambda text, info: parse_upstream_url(text, _folder(info)))]
PathKey = Annotated[Path, written_as(str, _path)]
OpenFileKey = Annotated[Path, written_as(str, _open_file)]
SecretFileKey = Annotated[Path, written_as(str, _secret_file)]
AdminUrlKey = Annotated[str, written_as(str, _admin_url)]
ComponentsKey = Annotated[tuple[str, ...], written_as(list[Annotated[str, written_as(str, _component)]], as_tuple)]
TokenFileKey = Annotated[Path, written_as(str, _token_file)]
ProxyKey = Annotated[Network | None, written_as(str, _proxy)]
ProxiesKey = Annotated[TrustedProxies, written_as(list[ProxyKey], _proxies)]
EndpointsKey = Annotated[tuple[Endpoint, ...], written_as(Annotated[list[EndpointKey], Field(min_length=1)], as_tuple)]
PathsKey = Annotated[tuple[Path, ...], written_as(Annotated[list[PathKey], Field(min_length=1)], as_tuple)]

TemplateKey = Annotated[str, written_as(str, lambda text, _: parse_template(text))]
MeetingKey = Annotated[Source, written_as(str | None, _meeting)]
ParticipantKey = Annotated[Source | None, written_as(str | None, _participant)]
HostMarkKey = Annotated[tuple[Source, str], written_as(str, lambda text, _: parse_host_mark(text))]
