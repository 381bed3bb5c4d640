"""LiveKit, as far as joining and removing go: pkg/service rtcservice.go, whipservice.go, auth.go, roomservice.go.

A participant stays listed when the WebSocket is gone, since media flow, until somebody removes them. Whoever has just
joined is not known to the RoomService for the next `unlisted_calls` calls. A WebSocket echoes what it is sent.
"""

import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from hmac import compare_digest, digest
from typing import Any

import orjson
from aiohttp import web


def livekit_token(key: str, secret: str, claims: dict[str, Any]) -> str:
    """Sign a token, valid for ten minutes unless `claims` say otherwise."""
    payload = {"iss": key, "exp": int(time.time()) + 600, **claims}
    parts = (b'{"alg":"HS256","typ":"JWT"}', orjson.dumps(payload))
    signed = ".".join(urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)
    return f"{signed}.{urlsafe_b64encode(digest(secret.encode(), signed.encode(), sha256)).rstrip(b'=').decode()}"


@dataclass
class Inside:
    """A participant of a room."""

    can_subscribe: bool
    unlisted_calls: int
    socket: web.WebSocketResponse | None = None


@dataclass
class LivekitServer:
    """One server.

    Attributes:
        rooms: who is in which room, by identity.
        admin_requests: the path of every call of the RoomService, in their order.
        admin_claims: the claims of each of them.
        join_headers: the headers of every WebSocket join.
        unlisted_calls: see the module; of participants who join from now on.
        media_flow: whether a participant outlives their WebSocket.
    """

    key: str = "devkey"
    secret: str = "devsecret"
    unlisted_calls: int = 0
    media_flow: bool = True
    rooms: dict[str, dict[str, Inside]] = field(default_factory=dict)
    admin_requests: list[str] = field(default_factory=list)
    admin_claims: list[dict[str, Any]] = field(default_factory=list)
    join_headers: list[dict[str, str]] = field(default_factory=list)

    def app(self) -> web.Application:
        """Return what serves it."""
        app = web.Application()
        for path in ("/rtc", "/rtc/v1"):
            app.router.add_get(path, self._rtc)
            app.router.add_get(f"{path}/validate", self._validate)
        app.router.add_post("/whip/v1", self._whip)
        app.router.add_delete("/whip/v1/{room}/{identity}", self._whip_gone)
        app.router.add_post("/twirp/{service}/{call}", self._twirp)
        return app

    def token(self, room: str, identity: str) -> str:
        """Return what an application's backend gives a participant."""
        return livekit_token(self.key, self.secret, {"sub": identity, "video": {"room": room, "roomJoin": True}})

    def _claims(self, request: web.Request) -> dict[str, Any]:
        """Return the claims of a request's token."""
        header = request.headers.get("Authorization", "")
        token = header.removeprefix("Bearer ") if header else request.query.get("access_token", "")
        signed, _, signature = token.rpartition(".")
        expected = urlsafe_b64encode(digest(self.secret.encode(), signed.encode(), sha256)).rstrip(b"=").decode()
        if not compare_digest(signature, expected):
            raise web.HTTPUnauthorized(text="invalid token")
        payload = signed.partition(".")[2]
        claims = orjson.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        if claims.get("iss") != self.key or claims.get("exp", 0) < time.time() - 60:
            raise web.HTTPUnauthorized(text="invalid token")
        assert isinstance(claims, dict)
        return claims

    def _join(self, request: web.Request, *, publish: str = "") -> tuple[str, str]:
        claims = self._claims(request)
        room = claims.get("video", {}).get("room")
        identity = claims.get("sub") or claims.get("jti")
        if not claims.get("video", {}).get("roomJoin") or not room:
            raise web.HTTPUnauthorized(text="permissions denied")
        if not identity:
            raise web.HTTPBadRequest(text="identity cannot be empty")
        return room, f"{identity}#{publish}" if publish else identity

    async def _validate(self, request: web.Request) -> web.Response:
        self._join(request)
        return web.Response(text="success")

    async def _rtc(self, request: web.Request) -> web.StreamResponse:
        self.join_headers.append(dict(request.headers))
        publish = request.query.get("publish", "")
        room, identity = self._join(request, publish=publish)
        present = self.rooms.setdefault(room, {})
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        held = present.get(identity)
        if request.query.get("reconnect") in {"1", "true"}:
            if held is None:
                await socket.send_bytes(b"leave: state mismatch")
                await socket.close()
                return socket
            held.socket = socket
        else:
            if held is not None and held.socket is not None:
                await held.socket.send_bytes(b"leave: duplicate identity")
                await held.socket.close()
            held = present[identity] = Inside(not publish, self.unlisted_calls, socket)
        await socket.send_bytes(b"joined")
        async for message in socket:
            if message.data == b"leave":
                break
            await socket.send_bytes(message.data)
        else:
            if self.media_flow:
                return socket
        if present.get(identity) is held:
            del present[identity]
        return socket

    async def _whip(self, request: web.Request) -> web.Response:
        room, identity = self._join(request)
        self.rooms.setdefault(room, {})[identity] = Inside(can_subscribe=True, unlisted_calls=self.unlisted_calls)
        return web.Response(status=201, headers={"Location": f"/whip/v1/{room}/{identity}"}, text="v=0")

    async def _whip_gone(self, request: web.Request) -> web.Response:
        self.rooms.get(request.match_info["room"], {}).pop(request.match_info["identity"], None)
        return web.Response()

    async def _twirp(self, request: web.Request) -> web.Response:
        self.admin_requests.append(request.path)
        call = request.match_info["call"]
        if request.match_info["service"] != "livekit.RoomService" or call not in {
            "ListParticipants",
            "RemoveParticipant",
        }:
            return _error(404, "bad_route")
        try:
            claims = self._claims(request)
        except web.HTTPUnauthorized:
            return _error(401, "unauthenticated")
        self.admin_claims.append(claims)
        asked = orjson.loads(await request.read())
        grants = claims.get("video", {})
        if not grants.get("roomAdmin") or grants.get("room") != asked["room"]:
            return _error(401, "unauthenticated")
        listed = {}
        for identity, inside in self.rooms.get(asked["room"], {}).items():
            if inside.unlisted_calls > 0:
                inside.unlisted_calls -= 1
            else:
                listed[identity] = inside
        if call == "ListParticipants":
            return _json(200, {"participants": [_info(identity, inside) for identity, inside in listed.items()]})
        if asked["identity"] not in listed:
            return _error(404, "not_found")
        removed = self.rooms[asked["room"]].pop(asked["identity"])
        if removed.socket is not None:
            await removed.socket.close()
        return _json(200, {})


def _info(identity: str, inside: Inside) -> dict[str, Any]:
    return {"sid": "PA_x", "identity": identity, "permission": {"can_subscribe": inside.can_subscribe}}


def _json(status: int, content: object) -> web.Response:
    return web.Response(status=status, body=orjson.dumps(content), content_type="application/json")


def _error(status: int, code: str) -> web.Response:
    return _json(status, {"code": code, "msg": f"{code}: a text that may hold ids"})
