"""LiveKit's RoomService, as far as an ejection goes: who is in a room, and out with one of them.

Each call carries a token of its own that lasts a minute and holds the room-admin right for that one room. A
participant is removed by identity. Whoever publishes by "?publish=x" (a screen, say) is in the room once more, as
"IDENTITY#x", and goes with the person. "#" may stand in other people's identities too, so only a participant who may
not subscribe counts as such: that is what LiveKit makes of everybody who joins by `publish`.

A removal does not outlast a new join, and needs not: the order does that. Somebody who joined a moment ago may not be
listed yet, and cannot be removed yet: who is not there is looked for once more, a moment later.

Sources: livekit/livekit pkg/service/roomservice.go (EnsureAdminPermission, RemoveParticipant: not_found before it is
stored), utils.go (ValidateConnectRequest: SetCanSubscribe(false), "#"); livekit/protocol auth/verifier.go (HS256,
`iss`, `exp`); the Twirp wire protocol v7 for JSON requests and errors.
"""

import asyncio
import hashlib
import hmac
import re
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Any, Final, Literal

import aiohttp
import orjson

from joingate.servers.admin_client import ServerError, Whom
from joingate.servers.asking import Answer, ask

TOKEN_SECONDS: Final = 60
"""How long a token of the gate lasts: one call."""

SETTLING_SECONDS: Final = 2.0
"""After which whoever has joined is listed."""

_SERVICE: Final = "/twirp/livekit.RoomService/"
_Call = Literal["RemoveParticipant", "ListParticipants"]
_GONE: Final = "not_found"
_CODE: Final = re.compile(r"[a-z_]{1,40}")


class LivekitAdmin:
    """See the module; an AdminClient."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        url: str,
        key: str,
        secret: str,
        *,
        settling_seconds: float = SETTLING_SECONDS,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Say where the server is.

        Args:
            session: whose connections are used.
            url: of the server, "http://127.0.0.1:7880".
            key: the API key.
            secret: the API secret.
            settling_seconds: before somebody who is not listed is looked for once more.
            now: POSIX seconds.
        """
        self._session = session
        self._url = url.rstrip("/") + _SERVICE
        self._key = key
        self._secret = secret.encode()
        self._settling_seconds = settling_seconds
        self._now = now

    async def remove(self, whom: Whom) -> None:
        """Remove a participant, with all that they publish besides."""
        identities = await self._present(whom)
        if not identities:
            await asyncio.sleep(self._settling_seconds)
            identities = await self._present(whom)
        for identity in identities:
            await self._call("RemoveParticipant", whom.meeting, identity)

    async def is_present(self, whom: Whom) -> bool:
        """Whether the room lists the participant, or what they publish besides."""
        return bool(await self._present(whom))

    async def _present(self, whom: Whom) -> list[str]:
        """Return the identities in the room that are this person's."""
        if whom.participant is None:
            raise ServerError('The join named no participant: its token has no "sub".')
        answer = await self._call("ListParticipants", whom.meeting)
        participants = answer.get("participants", [])
        if not isinstance(participants, list) or not all(isinstance(entry, dict) for entry in participants):
            raise ServerError("The meeting server's list of participants is none.")
        return [entry["identity"] for entry in participants if _is_of(entry, whom.participant)]

    async def _call(self, call: _Call, room: str, identity: str | None = None) -> dict[str, Any]:
        """Make one call; {} is also the answer about whom or what the server does not have."""
        named = {"room": room} if identity is None else {"room": room, "identity": identity}
        headers = {"Authorization": f"Bearer {self._token(room)}", "Content-Type": "application/json"}
        answer = await ask(self._session, "POST", self._url + call, headers, orjson.dumps(named))
        content = _object_in(answer)
        if answer.status == 200 and content is not None:
            return content
        code = None if content is None else content.get("code")
        if answer.status == 404 and code == _GONE:  # any other 404 is no word of LiveKit's about a participant
            return {}
        named_code = f" ({code})" if isinstance(code, str) and _CODE.fullmatch(code) else ""
        raise ServerError(f"LiveKit answered {call} with {answer.status}{named_code}.")

    def _token(self, room: str) -> str:
        now = int(self._now())
        claims = {
            "iss": self._key,
            "nbf": now,
            "exp": now + TOKEN_SECONDS,
            "video": {"roomAdmin": True, "room": room},
        }
        signed = ".".join(map(_base64, (b'{"alg":"HS256","typ":"JWT"}', orjson.dumps(claims))))
        return f"{signed}.{_base64(hmac.digest(self._secret, signed.encode(), hashlib.sha256))}"


def _is_of(entry: dict[str, Any], participant: str) -> bool:
    identity = entry.get("identity")
    if identity == participant:
        return True
    permission = entry.get("permission")
    return (
        isinstance(identity, str)
        and identity.startswith(f"{participant}#")
        and isinstance(permission, dict)
        and not (permission.get("can_subscribe") or permission.get("canSubscribe"))
    )


def _object_in(answer: Answer) -> dict[str, Any] | None:
    try:
        content = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        return None
    return content if isinstance(content, dict) else None


def _base64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()
