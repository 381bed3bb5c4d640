"""People in a Janus room who really talk: WebRTC clients that send silence in Opus, and count what reaches them.

Janus grants a subscription only to somebody who sends media; so what an ejection does to one shows only here.
"""

import contextlib
import socket
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from tests.integration.janus_server import JanusTalk, Message

if TYPE_CHECKING:
    from aiortc import RTCPeerConnection


def media_address() -> str:
    """Return an address of this machine that is not a loopback one: WebRTC uses none of those.

    What is sent from it to itself stays on the machine all the same.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        with contextlib.suppress(OSError):
            probe.connect(("198.51.100.1", 9))  # looks the route up; nothing is sent
        address: str = probe.getsockname()[0]
    if address.startswith(("0.", "127.")):
        pytest.fail("media needs an IPv4 address of this machine besides 127.0.0.1: give it a network interface")
    return address


def _connection() -> "RTCPeerConnection":
    try:
        from aiortc import RTCConfiguration, RTCPeerConnection
    except ImportError:
        pytest.fail("aiortc is not installed; run tests/integration/install.sh")
    return RTCPeerConnection(RTCConfiguration(iceServers=[]))  # by default it would ask a public server


def _description(connection: "RTCPeerConnection") -> dict[str, str]:
    return {"type": connection.localDescription.type, "sdp": connection.localDescription.sdp}


async def _take_in(connection: "RTCPeerConnection", answer: Message) -> None:
    from aiortc import RTCSessionDescription

    await connection.setRemoteDescription(RTCSessionDescription(answer["jsep"]["sdp"], answer["jsep"]["type"]))


@dataclass(slots=True)
class Talker:
    """A publisher of a room, and what they have subscribed to.

    Attributes:
        client: by which they talk to Janus.
        session: their session.
        name: their id in the room.
        handles: the handles they have taken in the room; the first is the publisher's.
    """

    client: JanusTalk
    session: int
    name: str
    handles: list[int] = field(default_factory=list)
    _connections: "list[RTCPeerConnection]" = field(default_factory=list)
    _to: "dict[str, RTCPeerConnection]" = field(default_factory=dict)

    async def publish(self, room: str) -> None:
        """Join a room and talk."""
        handle = await self.client.join(self.session, room, self.name)
        connection = self._begin(handle)
        from aiortc import AudioStreamTrack  # not before _connection has said how to get it

        connection.addTransceiver(AudioStreamTrack(), direction="sendonly")
        await connection.setLocalDescription(await connection.createOffer())
        answer = await self._ask(handle, {"request": "publish"}, jsep=_description(connection))
        await _take_in(connection, answer)
        await self.client.hear(lambda said: said["janus"] == "webrtcup")  # before, there is nothing to subscribe to

    async def subscribe(self, room: str, feed: str) -> None:
        """Listen to somebody."""
        handle = await self.client.attach(self.session)
        connection = self._to[feed] = self._begin(handle)
        join = {"request": "join", "ptype": "subscriber", "room": room, "streams": [{"feed": feed}]}
        await _take_in(connection, await self._ask(handle, join))
        await connection.setLocalDescription(await connection.createAnswer())
        started = await self._ask(handle, {"request": "start"}, jsep=_description(connection))
        assert started["plugindata"]["data"]["started"] == "ok"

    async def packets(self, feed: str) -> int:
        """Return how many RTP packets of somebody's have arrived."""
        stats = await self._to[feed].getStats()
        return sum(each.packetsReceived for each in stats.values() if each.type == "inbound-rtp")

    async def end(self) -> None:
        for connection in self._connections:
            await connection.close()

    def _begin(self, handle: int) -> "RTCPeerConnection":
        connection = _connection()
        self.handles.append(handle)
        self._connections.append(connection)
        return connection

    async def _ask(self, handle: int, body: Message, **fields: object) -> Message:
        return await self.client.ask("message", session_id=self.session, handle_id=handle, body=body, **fields)


@contextlib.asynccontextmanager
async def talking(room: str, clients: Sequence[tuple[str, JanusTalk, int]]) -> AsyncIterator[list[Talker]]:
    """Have everybody join a room, talk, and subscribe to everybody else; `clients` are names, clients, sessions."""
    talkers = [Talker(client, session, name) for name, client, session in clients]
    try:
        for talker in talkers:
            await talker.publish(room)
        for talker in talkers:
            for other in talkers:
                if other is not talker:
                    await talker.subscribe(room, other.name)
        yield talkers
    finally:
        for talker in talkers:
            await talker.end()
