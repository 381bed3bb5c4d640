"""The sections of joingate.toml: every key, its default and its limits, in one place.

The same classes are the resolved settings: frozen, with endpoints, networks and absolute paths where text stood. What
must hold between two keys is checked at the later one of them, so that one bad key hides no other's problem.

The file is long because it is the one list of keys: whoever looks for a key, its default or its limit looks here alone.
"""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from joingate.codecs.config_keys import (
    NOBODY,
    AdminUrlKey,
    ComponentsKey,
    EndpointKey,
    EndpointsKey,
    HostMarkKey,
    MeetingKey,
    OpenFileKey,
    ParticipantKey,
    PathKey,
    PathsKey,
    ProxiesKey,
    SecretFileKey,
    TemplateKey,
    TokenFileKey,
    UrlKey,
    default_written,
    written_as,
)
from joingate.codecs.endpoint import Endpoint
from joingate.codecs.join_route import JoinRoute
from joingate.core.client_address import ClientIpFrom

Timeout = Annotated[float, Field(ge=0.01, le=86_400)]
Duration = Annotated[float, Field(ge=0, le=86_400)]


class _Section(BaseModel):
    model_config = ConfigDict(
        frozen=True,
        strict=True,
        extra="forbid",
        validate_default=True,
        use_attribute_docstrings=True,
    )


def _beside_certificate(key: Path | None, info: ValidationInfo) -> Path | None:
    if "tls_certificate" in info.data and (key is None) is not (info.data["tls_certificate"] is None):
        raise ValueError("tls_certificate and tls_key go together; write both or neither")
    return key


class GateSettings(_Section):
    """The participants' side."""

    listen: EndpointsKey = Field(default=default_written(["127.0.0.1:8080"]), examples=[["0.0.0.0:8080"]])
    """Where joins are accepted: host:port, [v6]:port or unix:PATH."""
    workers: Annotated[int, Field(ge=1, le=64)] = 1
    """Processes that share the port, as one gate; more than one for generic servers alone."""
    trusted_proxies: ProxiesKey = Field(default=default_written([]), examples=[["10.0.0.0/8"]])
    """Networks and addresses whose client-address header is believed; "unix:" for peers on unix sockets."""
    client_ip_from: Annotated[ClientIpFrom, Field(strict=False)] = ClientIpFrom.PEER
    """Where a trusted proxy says who the client is."""
    websocket_reject: Literal["http", "close"] = "http"
    """How a WebSocket join is rejected: by status at the handshake, or by a Close frame after it."""
    tls_certificate: OpenFileKey | None = None
    """PEM chain; with tls_key, the gate speaks TLS."""
    tls_key: SecretFileKey | None = None
    """PEM private key of tls_certificate; nobody else may read it."""
    operator: str = ""
    """Who runs the gate, as its own page says."""
    max_connections: Annotated[int, Field(ge=1, le=1_000_000)] = 20_000
    """Downstream connections at once; further ones are turned away."""
    max_head_bytes: Annotated[int, Field(ge=1024, le=1_048_576)] = 16_384
    """Longest request head."""
    head_timeout: Timeout = 10.0
    """Seconds in which a request head has to be complete."""
    body_timeout: Timeout = 30.0
    """Seconds between two reads of a body."""
    idle_timeout: Timeout = 75.0  # nginx's keepalive_timeout
    """Seconds that a connection stays open between two requests."""
    send_timeout: Timeout = 60.0  # nginx's proxy_send_timeout
    """Seconds in which a WebSocket's peer that is sent something has to take a part of it."""
    websocket_idle_timeout: Duration = 0.0
    """Seconds without a frame after which a WebSocket is closed; 0 never closes it."""
    close_timeout: Timeout = 5.0
    """Seconds that an ejected participant has to answer the Close frame."""
    drain_seconds: Duration = 10.0
    """Seconds that open connections are left alone after SIGTERM."""

    @field_validator("max_connections")
    @classmethod
    def _one_for_each_worker(cls, connections: int, info: ValidationInfo) -> int:
        workers = info.data.get("workers", 1)
        if connections < workers:
            raise ValueError(f"{connections} cannot be divided among {workers} workers; write {workers} or more")
        return connections

    @field_validator("client_ip_from")
    @classmethod
    def _read_from_somebody(cls, source: ClientIpFrom, info: ValidationInfo) -> ClientIpFrom:
        trusted = info.data.get("trusted_proxies")
        if trusted is NOBODY and source is not ClientIpFrom.PEER:
            raise ValueError(
                f'nobody is trusted, so "{source}" would never be read; list trusted_proxies or remove client_ip_from'
            )
        if trusted not in (None, NOBODY) and source is ClientIpFrom.PEER:
            raise ValueError(
                f'trusted_proxies has no effect with "{source}"; '
                'write e.g. client_ip_from = "x-forwarded-for", or remove trusted_proxies'
            )
        return source

    @field_validator("tls_key")
    @classmethod
    def _with_certificate(cls, key: Path | None, info: ValidationInfo) -> Path | None:
        return _beside_certificate(key, info)


class UpstreamSettings(_Section):
    """The meeting server's side."""

    url: UrlKey = Field(examples=["http://127.0.0.1:9000"])
    """http://host:port, https://host[:port] or unix:PATH."""
    ca_file: OpenFileKey | None = None
    """PEM certificates that an https upstream is verified by; default: the system's."""
    server: Literal["generic", "livekit", "jitsi", "prosody", "janus", "bigbluebutton", "galene"] = "generic"
    """The kind of meeting server; for all but generic the gate knows which requests and messages are joins."""
    meeting_ids: Literal["exact", "lowercase"] = "exact"
    """How a generic server compares the ids of meetings; of the others it is known."""
    components: ComponentsKey = Field(default=default_written([]), examples=[["conference.example.org"]])
    """Domains of Prosody's and Jitsi's rooms; with none, presence sent to anybody counts as a join."""
    keeps_after_close: Annotated[float, Field(ge=0, le=86_400)] | None = None
    """Seconds that the server keeps a participant whose connections are gone; default: as its kind is installed."""
    ends_without_host: bool = False
    """Whether the server ends a meeting when its last host leaves: ejecting that host is deferred."""
    connect_timeout: Timeout = 5.0
    """Seconds for a connection to the server."""
    response_timeout: Timeout = 60.0
    """Seconds for the head of its answer."""
    max_idle_connections: Annotated[int, Field(ge=0, le=65_536)] = 64
    """Connections kept open to be used again."""
    idle_timeout: Timeout = 30.0
    """Seconds for which they are kept."""

    @property
    def endpoint(self) -> Endpoint:
        """Where to connect."""
        return self.url.endpoint

    @property
    def tls(self) -> bool:
        """Whether the server is spoken to over TLS."""
        return self.url.tls

    @property
    def host_header(self) -> str:
        """The Host of a request of the gate's own."""
        return self.url.host_header

    @field_validator("ca_file")
    @classmethod
    def _with_https(cls, ca_file: Path | None, info: ValidationInfo) -> Path | None:
        if ca_file is not None and "url" in info.data and not info.data["url"].tls:
            raise ValueError('is for https only; remove it, or write url = "https://..."')
        return ca_file

    @field_validator("meeting_ids")
    @classmethod
    def _of_generic(cls, meeting_ids: str, info: ValidationInfo) -> str:
        server = info.data.get("server", "generic")
        if meeting_ids != "exact" and server != "generic":
            raise ValueError(f'is for server = "generic" only: how {server} compares ids is known; remove it')
        return meeting_ids

    @field_validator("components")
    @classmethod
    def _of_xmpp(cls, components: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        server = info.data.get("server", "prosody")
        if components and server not in {"prosody", "jitsi"}:
            raise ValueError(f"are of prosody and jitsi only, not of {server}; remove it")
        return components


def _check_workers(workers: int, upstream: UpstreamSettings) -> None:
    """Refuse several workers where a participant is more than one connection: workers share no roster.

    Raises:
        ValueError: with what to write.
    """
    if workers == 1:
        return
    why = None
    if upstream.server != "generic":
        why = f"{upstream.server} may carry one participant over several connections"
    elif upstream.keeps_after_close:
        why = "keeps_after_close makes a participant outlast a connection"
    elif upstream.ends_without_host:
        why = "ends_without_host makes everybody in a meeting depend on its hosts"
    if why is not None:
        raise ValueError(
            f"{why}, and {workers} workers do not know of each other's participants; write workers = 1 in [gate]"
        )


class UpstreamAdminSettings(_Section):
    """The meeting server's own interface, to remove an ejected participant and to see that they are gone."""

    url: AdminUrlKey | None = Field(default=None, examples=["http://127.0.0.1:7088/admin"])
    """Where it is; a generic server's may hold {meeting} and {participant}."""
    key: str = ""
    """LiveKit's API key."""
    secret_file: TokenFileKey | None = None
    """File holding the interface's secret or token."""
    method: Literal["POST", "PUT"] = "POST"
    """How a generic server is asked."""
    body: str = ""
    """What a generic server is sent; may hold {meeting} and {participant}."""
    present_url: AdminUrlKey | None = Field(default=None, examples=["http://127.0.0.1:9000/is/{participant}"])
    """Where a generic server answers 200 while a participant is there, 404 when they are not."""


_ADMIN_KEYS: dict[str, frozenset[str]] = {
    "generic": frozenset(("secret_file", "method", "body", "present_url")),
    "livekit": frozenset(("key", "secret_file")),
    **dict.fromkeys(("jitsi", "prosody", "janus", "bigbluebutton"), frozenset(("secret_file",))),
    "galene": frozenset(),
}
"""The keys beside `url` that each server's interface has; all are needed, but for generic's."""


def _check_admin(server: str, admin: UpstreamAdminSettings) -> None:
    """Refuse an interface that is half described, or described in another server's words.

    Raises:
        ValueError: with what to write.
    """
    written = admin.model_fields_set
    if not written:
        return
    if server == "galene":
        raise ValueError("galene has no interface to remove one participant, and needs none; remove the section")
    if admin.url is None:
        raise ValueError('url is missing; write e.g. url = "http://127.0.0.1:7088/admin"')
    known = _ADMIN_KEYS[server]
    if strange := sorted(written - known - {"url"}):
        raise ValueError(f"{strange[0]} is not for {server}; remove it")
    if server != "generic" and (missing := sorted(known - written)):
        raise ValueError(f"{missing[0]} is missing; {server} needs {' and '.join(sorted(known))}")


class JoinTable(_Section):
    """Which requests are joins. A request is one when any [[join]] matches it."""

    path: TemplateKey = Field(examples=["/meetings/{meeting}/join"])
    """Template: literal segments, {meeting}, {participant}, or {*} for any one segment."""
    meeting: MeetingKey = Field(default=default_written(None), examples=["query:room"])
    """Where the meeting's id stands unless in path: query:NAME, header:NAME, cookie:NAME or jwt:CLAIM."""
    participant: ParticipantKey = Field(default=None, examples=["query:user"])
    """Where the participant's id stands unless in path; nowhere, when the request names none."""
    host: HostMarkKey | None = Field(default=None, examples=["query:role=moderator"])
    """What gives a request host rights: SOURCE=VALUE."""


def _routes(tables: list[JoinTable], _: ValidationInfo) -> tuple[JoinRoute, ...]:
    return tuple(JoinRoute(table.path, table.meeting, table.participant, table.host) for table in tables)


class GeodbSettings(_Section):
    """The databases that locate client_ip."""

    paths: PathsKey = Field(examples=[["geodb/demo.mmdb"]])
    """MMDB files; with several, an order needs them all to agree."""
    max_age_days: Annotated[int, Field(ge=0, le=3650)] = 60
    """Days after which a database is stale; 0 never."""
    overrides: PathKey | None = None
    """TOML file of network -> location, for known mistakes in the data."""
    watch_seconds: Duration = 30.0
    """Seconds between two looks for a new database; 0 looks only on reload."""


class RulesSettings(_Section):
    """Authorities, orders and host policies."""

    path: PathKey = Field(examples=["rules/"])
    """A file, or a folder of *.toml and *.json."""
    max_ejections: Annotated[int, Field(ge=0, le=1_000_000_000)] = 0
    """A reload that would eject more is refused until confirmed; 0 sets no limit."""
    watch_seconds: Duration = 0.0
    """Seconds between two looks for new rules; 0 looks only on reload."""


class LedgerSettings(_Section):
    """The record of every restriction."""

    path: PathKey = Field(default=default_written("ledger/"))
    """Folder; made at the first start. Publish all of it but secret/."""


class AdminSettings(_Section):
    """The admin service."""

    listen: EndpointKey = Field(default=default_written("127.0.0.1:9901"))
    """host:port, [v6]:port or unix:PATH."""
    token_file: TokenFileKey | None = None
    """File holding the token that requests carry; required unless listen is loopback or a unix socket."""
    tls_elsewhere: bool = False
    """Whether a proxy in front of it ends TLS; without that, or a certificate, it listens on this machine only."""
    tls_certificate: OpenFileKey | None = None
    """PEM chain; with tls_key, the admin service speaks TLS."""
    tls_key: SecretFileKey | None = None
    """PEM private key of tls_certificate."""

    @field_validator("token_file")
    @classmethod
    def _beyond_this_machine(cls, token_file: Path | None, info: ValidationInfo) -> Path | None:
        listen: Endpoint | None = info.data.get("listen")
        if token_file is None and listen is not None and not listen.is_local:
            raise ValueError(
                f'is required where other machines reach the admin service ("{listen}"); '
                "name a file with a token, or listen on 127.0.0.1"
            )
        return token_file

    @field_validator("tls_certificate")
    @classmethod
    def _not_in_the_clear(cls, certificate: Path | None, info: ValidationInfo) -> Path | None:
        listen: Endpoint | None = info.data.get("listen")
        if certificate is None and listen is not None and not listen.is_local and not info.data.get("tls_elsewhere"):
            raise ValueError(
                f'is required where other machines reach the admin service ("{listen}"), or its token passes in the '
                "clear; name a certificate and its tls_key, listen on 127.0.0.1, or, where a proxy in front ends TLS, "
                "write tls_elsewhere = true"
            )
        return certificate

    @field_validator("tls_key")
    @classmethod
    def _with_certificate(cls, key: Path | None, info: ValidationInfo) -> Path | None:
        return _beside_certificate(key, info)


class Settings(_Section):
    """joingate.toml, resolved."""

    gate: GateSettings = Field(default=default_written({}))
    upstream: UpstreamSettings
    upstream_admin: UpstreamAdminSettings = Field(alias="upstream.admin", default=default_written({}))
    join: Annotated[tuple[JoinRoute, ...], written_as(list[JoinTable], _routes)]
    geodb: GeodbSettings
    rules: RulesSettings
    ledger: LedgerSettings = Field(default=default_written({}))
    admin: AdminSettings = Field(default=default_written({}))

    @field_validator("upstream")
    @classmethod
    def _for_several_workers(cls, upstream: UpstreamSettings, info: ValidationInfo) -> UpstreamSettings:
        if "gate" in info.data:
            _check_workers(info.data["gate"].workers, upstream)
        return upstream

    @field_validator("upstream_admin")
    @classmethod
    def _in_its_servers_words(cls, admin: UpstreamAdminSettings, info: ValidationInfo) -> UpstreamAdminSettings:
        if "upstream" in info.data:
            _check_admin(info.data["upstream"].server, admin)
        return admin

    @field_validator("join")
    @classmethod
    def _where_they_are_not_known(cls, routes: tuple[JoinRoute, ...], info: ValidationInfo) -> tuple[JoinRoute, ...]:
        server = info.data["upstream"].server if "upstream" in info.data else None
        if not routes and server == "generic":
            raise ValueError(
                'a gate without joins judges nobody; write one, e.g. with path = "/meetings/{meeting}/join"'
            )
        if routes and server not in {None, "generic"}:
            raise ValueError(f'is for server = "generic" only: {server}\'s joins are known; remove every [[join]]')
        return routes


class _AsWritten(GenerateJsonSchema):
    """TOML has no null: a key that may be absent is written as its type, or not at all."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        written = super().default_schema(schema)
        if written.get("default", ...) is None:
            del written["default"]
        return written


def written_schema(section: type[BaseModel]) -> dict[str, Any]:
    """Return the JSON Schema of a section, or of all of joingate.toml, as a person writes it."""
    return section.model_json_schema(schema_generator=_AsWritten)


SECTIONS: dict[str, type[BaseModel]] = {
    "gate": GateSettings,
    "upstream": UpstreamSettings,
    "upstream.admin": UpstreamAdminSettings,
    "join": JoinTable,
    "geodb": GeodbSettings,
    "rules": RulesSettings,
    "ledger": LedgerSettings,
    "admin": AdminSettings,
}
"""The section of each name; [[join]] is the one that is repeated."""
