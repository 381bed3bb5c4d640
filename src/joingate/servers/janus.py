"""Janus: one participant is removed by detaching the handle that they sit at, through the Admin API.

A plugin's `kick` would leave the kicked one's subscriptions running, and an end of the whole session would take them
out of other meetings too. Detaching ends what one handle publishes or receives, and nothing besides.

Source: janus.c (janus_process_incoming_admin_request: `handle_info`, `detach_handle`), apierror.h, 1.1.2 and 1.4.1.
"""

from typing import Final

import aiohttp
import orjson

from joingate.servers.admin_client import ServerError, Whom
from joingate.servers.asking import ask

MAX_ANSWER: Final = 256 * 1024
"""Bytes. What is asked for is short; a long answer is none of Janus's Admin API."""

_HEADERS: Final = {"Content-Type": "application/json"}
_TRANSACTION: Final = "joingate"  # one request, one answer: nothing has to be told apart
_WITH_ROOMS: Final = frozenset(("janus.plugin.videoroom", "janus.plugin.audiobridge"))
_GONE: Final = frozenset((458, 459))  # JANUS_ERROR_SESSION_NOT_FOUND, JANUS_ERROR_HANDLE_NOT_FOUND
_MEANINGS: Final = {
    403: "the admin_secret is wrong",
    457: "the address is not that of the Admin API",
    463: "no plugin was at the handle",
}


class JanusAdmin:
    """Janus's Admin API over HTTP.

    A handle's number is never given out again, but the participant at it may move to another room (`changeroom`): so
    each removal looks first whether the handle is still in the meeting that it is about. A handle in no room goes too:
    a join that the gate has let through may still wait in the plugin's queue, and would be carried out after the look.
    Where a join was in vain, nothing but a handle of no use is left, and a session over HTTP would keep it.
    """

    def __init__(self, session: aiohttp.ClientSession, url: str, secret: str) -> None:
        """Take the connections to use, and where and how to ask.

        Args:
            session: somebody else closes it.
            url: of the Admin API, with its base path: "http://127.0.0.1:7088/admin".
            secret: Janus's `admin_secret`.
        """
        self._session = session
        self._url = url.rstrip("/")
        self._secret = secret

    async def remove(self, whom: Whom) -> None:
        """See servers.admin_client.AdminClient."""
        if await self.is_present(whom):
            await self._ask(whom, "detach_handle")

    async def is_present(self, whom: Whom) -> bool:
        """See servers.admin_client.AdminClient."""
        answer = await self._ask(whom, "handle_info")
        if answer is None:
            return False
        match answer:
            case {"info": {"plugin_specific": {"room": (str() | int()) as room}}}:
                return str(room) == whom.meeting
            case {"info": dict() as info}:
                return info.get("plugin") in _WITH_ROOMS
        raise ServerError("Janus answered handle_info without an info.")

    async def _ask(self, whom: Whom, what: str) -> dict[str, object] | None:
        """Send one request about a handle; return its answer, or None when there is no such handle.

        Raises:
            ServerError: there is no answer, or it is an error.
        """
        if len(whom.place) != 2:
            raise ServerError("It is not known at which session and handle the participant is.")
        url = f"{self._url}/{whom.place[0]}/{whom.place[1]}"
        request: dict[str, object] = {"janus": what, "transaction": _TRANSACTION, "admin_secret": self._secret}
        if what == "handle_info":
            request["plugin_only"] = True
        status, body = await ask(self._session, "POST", url, _HEADERS, orjson.dumps(request), max_answer=MAX_ANSWER)
        if status != 200:  # which Janus gives with its own errors too
            raise ServerError(f"Janus's Admin API answered with HTTP status {status}.")
        answer = _read(what, body)
        match answer:
            case {"janus": "success"}:
                return answer
            case {"janus": "error", "error": {"code": int() as code}}:
                if code in _GONE:
                    return None
                meaning = f" ({_MEANINGS[code]})" if code in _MEANINGS else ""
                raise ServerError(f"Janus answered {what} with error {code}{meaning}.")
        raise ServerError(f"Janus answered {what} with neither success nor an error.")


def _read(what: str, body: bytes) -> dict[str, object]:
    try:
        answer: object = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise ServerError(f"Janus answered {what} with something that is not JSON.") from error
    if not isinstance(answer, dict):
        raise ServerError(f"Janus answered {what} with something that is not a JSON object.")
    return answer
