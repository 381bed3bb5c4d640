"""A participant as a real WebSocket client: joins from an address of its own, talks in numbered messages, listens."""

import asyncio
import contextlib
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiohttp import (
    ClientError,
    ClientSession,
    ClientTimeout,
    ClientWebSocketResponse,
    TCPConnector,
    WSMsgType,
    WSServerHandshakeError,
)
from yarl import URL

from joingate.demo.cast import Person
from joingate.demo.hearing import Stretch

PATIENCE = 20.0  # seconds for anything to happen that should happen at once, on a machine with other work too
PROBLEM = "application/problem+json"

_LINES = ("Can everyone hear me?", "I have the next page.", "Let me read it aloud.", "Thank you.", "Shall we go on?")


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one join.

    Attributes:
        status: 101 when the meeting server said welcome, else the status of the refused handshake; 0 without an answer.
        problem: the problem document that says why.
    """

    status: int
    problem: dict[str, Any] = field(default_factory=dict)

    @property
    def admitted(self) -> bool:
        """Whether the participant is in the meeting."""
        return self.status == 101


@dataclass(frozen=True, slots=True)
class Closed:
    """How a connection ended that the participant did not end: Close code, its reason, time.monotonic() seconds."""

    code: int | None
    reason: str
    at: float


class Participant:
    """One person in one meeting.

    Attributes:
        heard: by sender, the numbers of the messages received, in the order of their arrival.
        stretches: what this participant has said, one stretch for each connection.
        ended: set when the connection has been closed by the other side; `closed` says how.
        joins: handshakes completed; 1 for whoever never had to reconnect.
    """

    def __init__(self, person: Person, meeting: str, gate_port: int) -> None:
        self.person = person
        self.meeting = meeting
        self.heard: dict[str, list[int]] = defaultdict(list)
        self.stretches: list[Stretch] = []
        self.closed: Closed | None = None
        self.ended = asyncio.Event()
        self.joins = 0
        self.pause = 0.02  # seconds between two messages
        self._url = URL.build(
            scheme="http",
            host="127.0.0.1",
            port=gate_port,
            path=f"/meetings/{meeting}/join",
            query={"user": person.name},
        )
        self._session: ClientSession | None = None
        self._socket: ClientWebSocketResponse | None = None
        self._talking: asyncio.Task[None] | None = None
        self._listening: asyncio.Task[None] | None = None

    @property
    def name(self) -> str:
        """The person's name."""
        return self.person.name

    @property
    def is_inside(self) -> bool:
        """Whether the connection is up."""
        return self._listening is not None and self.closed is None

    @property
    def heard_in_all(self) -> int:
        """How many messages have been received."""
        return sum(map(len, self.heard.values()))

    @property
    def said_in_all(self) -> int:
        """How many messages have been sent."""
        return self.stretches[-1].last if self.stretches else 0

    async def join(self) -> Answer:
        """Shake hands and wait for the meeting server's welcome; if refused, ask the same address why."""
        await self.fall_silent()
        if self._session is None:
            connector = TCPConnector(local_addr=(self.person.address, 0))
            self._session = ClientSession(connector=connector, timeout=ClientTimeout(total=PATIENCE))
        try:
            async with asyncio.timeout(PATIENCE):
                self._socket = await self._session.ws_connect(self._url)
                welcome = await self._socket.receive()
        except WSServerHandshakeError as refused:
            return Answer(refused.status, await self._ask_why(self._session, refused.status))
        except (ClientError, OSError, TimeoutError):
            return Answer(0)
        if welcome.type is not WSMsgType.TEXT or orjson.loads(welcome.data).get("event") != "welcome":
            return Answer(0)
        self.joins += 1
        self.closed = None
        self.ended.clear()
        self._listening = asyncio.create_task(self._listen(self._socket))
        return Answer(101)

    async def _ask_why(self, session: ClientSession, status: int) -> dict[str, Any]:
        """Ask as a browser's page does, which is not told why a handshake fails."""
        try:
            async with session.get(self._url, headers={"Accept": PROBLEM}) as answer:
                if answer.status != status or answer.content_type != PROBLEM:
                    return {}
                problem = orjson.loads(await answer.read())
        except (ClientError, OSError, TimeoutError, ValueError):
            return {}
        return problem if isinstance(problem, dict) else {}

    def talk(self) -> None:
        """Begin to send numbered messages, from the number after the last one."""
        socket = self._socket
        if socket is not None and self.is_inside:
            self.stretches.append(Stretch(first=self.said_in_all + 1, last=self.said_in_all))
            self._talking = asyncio.create_task(self._talk(socket, self.stretches[-1]))

    async def _talk(self, socket: ClientWebSocketResponse, stretch: Stretch) -> None:
        with contextlib.suppress(ConnectionError):
            while not socket.closed:
                seq = stretch.last + 1
                await socket.send_str(orjson.dumps({"seq": seq, "text": _LINES[seq % len(_LINES)]}).decode())
                stretch.last = seq
                await asyncio.sleep(self.pause)

    async def _listen(self, socket: ClientWebSocketResponse) -> None:
        reason = ""
        while (message := await socket.receive()).type is WSMsgType.TEXT:
            said = orjson.loads(message.data)
            if "from" in said:
                self.heard[said["from"]].append(said["seq"])
        at = time.monotonic()
        if message.type is WSMsgType.CLOSE:
            reason = str(message.extra or "")
        self.closed = Closed(socket.close_code, reason, at)
        if self.stretches:
            self.stretches[-1].cut = True
        self.ended.set()

    async def fall_silent(self) -> None:
        """Stop talking and stay."""
        if self._talking is not None:
            self._talking.cancel()
            await asyncio.gather(self._talking, return_exceptions=True)
            self._talking = None

    async def leave(self) -> None:
        """Stop talking and close the connection, if it is still there."""
        await self.fall_silent()
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)
        if self._socket is not None:
            with contextlib.suppress(TimeoutError, ConnectionError):
                async with asyncio.timeout(1.0):
                    await self._socket.close()
        if self._session is not None:
            await self._session.close()
            self._session = None
