"""From configured keys to what sees ejections through on the meeting server."""

from typing import Final

import aiohttp

from joingate.codecs.config_sections import UpstreamAdminSettings
from joingate.codecs.dialects import dialect_of
from joingate.core.errors import RefusedInputError
from joingate.core.recording import Recorder
from joingate.servers.admin_client import AdminClient
from joingate.servers.bigbluebutton import BigBlueButtonAdmin
from joingate.servers.janus import JanusAdmin
from joingate.servers.livekit import LivekitAdmin
from joingate.servers.prosody import ProsodyAdmin
from joingate.servers.removals import Removals
from joingate.servers.webhook import WebhookAdmin
from joingate.settings import Settings

_SESSION_TIMEOUT: Final = 60.0
"""Seconds that a session of many requests lives on; Janus's session_timeout, Prosody's bosh_max_inactivity."""

_POLLED: Final = frozenset(("janus", "jitsi", "prosody"))


def keeps_after_close(settings: Settings) -> float | None:
    """Return for how many seconds the server keeps a participant whose connections are gone; None: no limit."""
    upstream = settings.upstream
    if upstream.keeps_after_close is not None:
        return upstream.keeps_after_close
    dialect = dialect_of(upstream.server, upstream.components)
    return 0 if dialect is None else dialect.keeps_after_close


def is_verified(settings: Settings) -> bool | None:
    """Whether the server is asked if the ejected are gone; None where the end of the connection is their end there."""
    if settings.upstream_admin.url is not None:
        return True
    return None if _kept(settings) == 0 else False


def _kept(settings: Settings) -> float | None:
    kept = keeps_after_close(settings)
    if kept is not None and settings.upstream_admin.url is None and settings.upstream.server in _POLLED:
        return max(kept, _SESSION_TIMEOUT)
    return kept


def removals_of(settings: Settings, recorder: Recorder) -> Removals | None:
    """Return what sees ejections through; None where the end of the connection is the end of the participation.

    Called on the event loop.

    Raises:
        RefusedInputError: the server's interface cannot be used as it is described.
    """
    url, kept = settings.upstream_admin.url, _kept(settings)
    if url is None:
        return None if kept == 0 else Removals(recorder, None, kept)
    session = aiohttp.ClientSession()
    try:
        client = _client(settings.upstream.server, session, url, settings.upstream_admin)
    except ValueError as error:
        raise RefusedInputError(f"upstream.admin: {error}") from None
    return Removals(recorder, client, kept, session.close)


def _client(server: str, session: aiohttp.ClientSession, url: str, admin: UpstreamAdminSettings) -> AdminClient:
    secret = "" if admin.secret_file is None else admin.secret_file.read_text().strip()
    match server:
        case "janus":
            return JanusAdmin(session, url, secret)
        case "prosody" | "jitsi":
            return ProsodyAdmin(session, url, secret)
        case "livekit":
            return LivekitAdmin(session, url, admin.key, secret)
        case "bigbluebutton":
            return BigBlueButtonAdmin(session, url, secret)
        case _:
            return WebhookAdmin(session, url, admin.method, admin.body, secret or None, present_url=admin.present_url)
