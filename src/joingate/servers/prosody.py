"""Prosody's interface: the module that joingate brings along, `deploy/prosody/mod_joingate.lua`.

Prosody has none of its own over HTTP, and its administrators can remove somebody only from a room that they are in
themselves. The module serves every MUC component, so Jitsi's too.
"""

from typing import Final
from urllib.parse import urlencode

import aiohttp
import orjson

from joingate.servers.admin_client import ServerError, Whom
from joingate.servers.asking import ask

MAX_ANSWER: Final = 65_536
"""Bytes; one lists a single occupant."""

_MEANINGS: Final = {
    401: "the token is not its joingate_token",
    404: "mod_joingate is not loaded, or this is not its address",  # Prosody's own, which says nothing about a room
    422: "the room is on none of its MUC components",
}


class ProsodyAdmin:
    """The module's client (AdminClient)."""

    def __init__(self, session: aiohttp.ClientSession, url: str, token: str) -> None:
        """Take the connections to use, and where and how to ask.

        Args:
            session: somebody else closes it.
            url: where the module answers: "http://127.0.0.1:5280/joingate".
            token: the module's `joingate_token`.
        """
        self._session = session
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}"}

    async def remove(self, whom: Whom) -> None:
        """Take one participant out of one room, with whatever sessions share the nick."""
        if (asked := _asked(whom)) is not None:
            await self._ask("POST", "remove", asked, 204)

    async def is_present(self, whom: Whom) -> bool:
        """Whether the room has them."""
        if (asked := _asked(whom)) is None:
            return False
        answer = await self._ask("GET", "occupants", asked, 200)
        occupants = [] if answer is None else answer.get("occupants")
        if not isinstance(occupants, list):
            raise ServerError("Prosody answered without a list of occupants.")
        return bool(occupants)

    async def _ask(self, method: str, path: str, asked: dict[str, str], expected: int) -> dict[str, object] | None:
        """Return what the module says, None for its "not found"."""
        url = f"{self._url}/{path}?{urlencode(asked)}"
        status, body = await ask(self._session, method, url, self._headers, max_answer=MAX_ANSWER)
        answer = _object(body)
        if status == expected:
            return answer
        if status == 404 and answer.get("error") == "not-found":
            return None
        meaning = f": {_MEANINGS[status]}" if status in _MEANINGS else ""
        raise ServerError(f"Prosody answered {status}{meaning}.")


def _asked(whom: Whom) -> dict[str, str] | None:
    """Say where and who; None for a reader of the archive without an address, whom no list would show."""
    room, session = whom.place
    if session:
        return {"room": room, "session": session}
    return None if whom.participant is None else {"room": room, "nick": whom.participant}


def _object(body: bytes) -> dict[str, object]:
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return answer if isinstance(answer, dict) else {}
