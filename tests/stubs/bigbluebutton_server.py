"""BigBlueButton 3.0, as far as joining and looking go: bbb-web's API, the graphql middleware, the media server.

Somebody attends from their first graphql connection on, and until the last of their WebSockets has been gone for a
while: that while is over when the test calls `let_time_pass`. WebSockets echo what they are sent.
"""

import hashlib
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from urllib.parse import quote, urlencode
from xml.sax.saxutils import escape

import orjson
from aiohttp import WSMsgType, web


@dataclass
class Session:
    """What a link has opened."""

    meeting: str
    user_id: str
    attends: bool = False
    sockets: int = 0


@dataclass
class BigBlueButtonServer:
    """One server.

    Attributes:
        meetings: that exist; a join into any other is refused.
        sessions: by their tokens.
        api_requests: the path of every call of the API, in their order.
    """

    secret: str = "devsecret"
    meetings: set[str] = field(default_factory=set)
    sessions: dict[str, Session] = field(default_factory=dict)
    api_requests: list[str] = field(default_factory=list)
    _numbers: "count[int]" = field(default_factory=count)

    def app(self) -> web.Application:
        """Return what serves it."""
        app = web.Application()
        app.router.add_get("/bigbluebutton/api/{call}", self._api)
        app.router.add_get("/html5client/", self._client)
        app.router.add_get("/graphql", self._graphql)
        app.router.add_get("/bbb-webrtc-sfu", self._media)
        return app

    def link(self, meeting: str, user_id: str | None, **more: str) -> str:
        """Return the target of a link that joins, signed."""
        named = {"fullName": "Anna", "meetingID": meeting, "role": "VIEWER", **more}
        query = urlencode(named if user_id is None else {**named, "userID": user_id}, quote_via=quote)
        return f"/bigbluebutton/api/join?{query}&checksum={self._checksum('join', query)}"

    def let_time_pass(self) -> None:
        """Take whoever has no WebSocket left for having left."""
        for session in self.sessions.values():
            session.attends = session.attends and session.sockets > 0

    def attendees(self, meeting: str) -> list[str]:
        """Return the user ids that attend."""
        return [each.user_id for each in self.sessions.values() if each.meeting == meeting and each.attends]

    def _checksum(self, call: str, query: str) -> str:
        return hashlib.sha256(f"{call}{query}{self.secret}".encode()).hexdigest()

    async def _api(self, request: web.Request) -> web.StreamResponse:
        call = request.match_info["call"]
        self.api_requests.append(request.path)
        query, _, checksum = request.rel_url.raw_query_string.partition("&checksum=")
        if checksum != self._checksum(call, query):
            return _failed("checksumError")
        meeting = request.query["meetingID"]
        if meeting not in self.meetings:
            return _failed("notFound")
        if call == "getMeetingInfo":
            return self._info(meeting)
        if call != "join":
            return _failed("unsupportedRequest")
        number = next(self._numbers)
        token = f"token{number}"
        self.sessions[token] = Session(meeting, request.query.get("userID", f"w_{number}"))
        if request.query.get("redirect") == "false":
            return _xml(f"<returncode>SUCCESS</returncode><session_token>{token}</session_token>")
        return web.Response(status=302, headers={"Location": f"/html5client/?sessionToken={token}"})

    def _info(self, meeting: str) -> web.Response:
        attendees = "".join(
            f"<attendee><userID>{escape(user_id)}</userID><fullName>Anna</fullName><role>VIEWER</role></attendee>"
            for user_id in self.attendees(meeting)
        )
        name = f"<meetingID>{escape(meeting)}</meetingID>"
        return _xml(f"<returncode>SUCCESS</returncode>{name}<attendees>{attendees}</attendees>")

    async def _client(self, _: web.Request) -> web.Response:
        return web.Response(text="<title>BigBlueButton</title>", content_type="text/html")

    async def _graphql(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(protocols=("graphql-transport-ws", "graphql-ws"))
        await socket.prepare(request)
        session = None
        async for message in socket:
            said: dict[str, Any] = orjson.loads(message.data)
            if said["type"] == "connection_init" and session is None:
                session = self.sessions.get(said["payload"]["headers"]["X-Session-Token"])
                if session is None:
                    await socket.close(code=4403)
                    break
                session.attends = True
                session.sockets += 1
                await socket.send_str('{"type":"connection_ack"}')
            elif session is not None:
                await socket.send_str(message.data)
        if session is not None:
            session.sockets -= 1
        return socket

    async def _media(self, request: web.Request) -> web.StreamResponse:
        session = self.sessions.get(request.query.get("sessionToken", ""))
        if session is None:
            raise web.HTTPUnauthorized
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        session.sockets += 1
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                await socket.send_str(message.data)
        session.sockets -= 1
        return socket


def _failed(key: str) -> web.Response:
    return _xml(f"<returncode>FAILED</returncode><messageKey>{key}</messageKey><message>a text</message>")


def _xml(content: str) -> web.Response:
    return web.Response(text=f"<response>{content}</response>", content_type="text/xml")
