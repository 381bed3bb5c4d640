"""Does any spelling of a join slip past? Hundreds of mutated messages, to Janus itself and through the gate.

Somebody whom an order keeps out of every room says whatever may be a join. The room tells who comes: straight to Janus
many of these messages bring somebody in, through the gate none does.
"""

import asyncio
import contextlib
import random
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.edges.served import CN, DE, LIMIT, order
from tests.integration.janus_behind_gate import janus_behind_gate
from tests.integration.janus_server import eventually
from tests.integration.test_janus import ROOM, Person, make_rooms, person
from tests.ws_client import BINARY, CLOSE, PING, TEXT, Connected, build_frame, connected

pytestmark = pytest.mark.integration

MESSAGES = 800
SEED = 20200604


def spelled(key: str, value: str, chance: random.Random) -> str:
    """Write a member of an object in one of the ways that JSON has, or nearly has."""
    text = "".join(f"\\u{ord(each):04x}" if chance.random() < 0.1 else each for each in value)
    if key in {"request", "janus"} and chance.random() < 0.3:
        text = "".join(chance.choice((each.upper(), each.lower())) for each in value)
    before, between = chance.choice(("", " ", "\t\n")), chance.choice((":", " : "))
    return f'{before}"{key}"{between}"{text}"'


def mutants(session: int, handle: int, chance: random.Random) -> Iterator[bytes]:
    """Yield messages that are, or resemble, a join of somebody called bobN."""
    number = 0
    while True:
        number += 1
        name = f"bob{chance.randrange(10**9)}"
        request = chance.choice(
            ("join", "joinandconfigure", "Join", "JOIN", "join ", "joi\u0274", "publish", "configure")
        )
        members = [spelled("request", request, chance), spelled("room", ROOM, chance), spelled("id", name, chance)]
        members.append(spelled("ptype", chance.choice(("publisher", "publisher", "subscriber")), chance))
        if chance.random() < 0.15:
            members.insert(chance.randrange(4), spelled("request", chance.choice(("join", "listparticipants")), chance))
        if chance.random() < 0.1:
            members.insert(chance.randrange(4), spelled("room", chance.choice((ROOM, "nowhere")), chance))
        body = "{" + ",".join(members) + "}"
        outer = [
            spelled("janus", chance.choice(("message", "message", "message", "keepalive")), chance),
            spelled("transaction", f"t{number}", chance),
            f'"session_id":{session}{chance.choice(("", "", "", ".0", "e0"))}',
            f'"handle_id":{handle}',
            f'"body":{body}',
        ]
        if chance.random() < 0.1:
            outer.append(chance.choice(('"janus":"message"', '"janus":"keepalive"', '"body":{}', f'"body":{body}')))
        message = ("{" + ",".join(outer) + "}").encode()
        if chance.random() < 0.1:
            at = chance.randrange(len(message))
            message = message[:at] + bytes([chance.randrange(256)]) + message[at + chance.randrange(2) :]
        if chance.random() < 0.05:
            message += chance.choice((b"\0", b"\0{}", b" ", b"{}", b"]"))
        yield message


def frames(message: bytes, chance: random.Random) -> bytes:
    """Send in up to three fragments, with a ping in between."""
    cuts = sorted(chance.randrange(len(message) + 1) for _ in range(chance.choice((0, 0, 1, 2))))
    pieces = [message[start:end] for start, end in pairwise([0, *cuts, len(message)])]
    opcode = chance.choice((TEXT, TEXT, TEXT, BINARY))
    built = [build_frame(0 if at else opcode, piece, fin=at == len(pieces) - 1) for at, piece in enumerate(pieces)]
    return (build_frame(PING, b"?") if chance.random() < 0.3 else b"").join(built)


class Mallory:
    """Somebody who says whatever may be a join, on as many WebSockets as that takes."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.socket: Connected
        self.session = 0
        self.opened = 0

    async def open(self) -> None:
        self.opened += 1
        headers = [("Sec-WebSocket-Protocol", "janus-protocol")]
        self.socket = await connected("127.0.0.1", self.port, "/", headers, local_addr=CN)
        self.session = (await self.ask(janus="create"))["data"]["id"]

    async def ask(self, **fields: object) -> dict[str, Any]:
        """Ask what Janus answers at once."""
        await self.socket.send_text(orjson.dumps({"transaction": "mark", **fields}).decode())
        while True:
            opcode, payload = await self.socket.recv()
            if opcode == CLOSE:
                raise ConnectionResetError
            with contextlib.suppress(orjson.JSONDecodeError):
                said = orjson.loads(payload)
                if isinstance(said, dict) and said.get("transaction") == "mark":
                    return said

    async def say_all(self, chance: random.Random) -> None:
        await self.open()
        for _ in range(MESSAGES):
            try:
                async with asyncio.timeout(LIMIT):
                    attached = await self.ask(janus="attach", session_id=self.session, plugin="janus.plugin.videoroom")
                    message = next(mutants(self.session, attached["data"]["id"], chance))
                    await self.socket.send_frame(frames(message, chance))
                    await self.ask(janus="keepalive", session_id=self.session)
            except (ConnectionError, asyncio.IncompleteReadError):  # it was closed on Mallory
                self.socket.abort()
                await self.open()
        self.socket.abort()


async def who_came(alice: Person, port: int) -> set[str]:
    """Let Mallory talk to a port, and return who has come into alice's room since."""
    before = len(alice.client.heard)
    mallory = Mallory(port)
    await mallory.say_all(random.Random(SEED))

    async def is_alone() -> bool:
        return await alice.client.inside(alice.session, alice.handle, ROOM) == {"alice"}

    await eventually(is_alone)
    said = [orjson.loads(raw).get("plugindata", {}).get("data", {}) for raw in alice.client.heard[before:]]
    return {data["joining"]["id"] for data in said if "joining" in data}


async def test_what_brings_somebody_into_janus_brings_nobody_past_the_gate(tmp_path: Path, demo_mmdb: Path) -> None:
    async with janus_behind_gate(tmp_path, demo_mmdb) as (janus, gate), person(gate, DE) as alice:
        await make_rooms(alice, ROOM)
        await alice.join(ROOM, "alice")
        gate.folder.write("order.toml", order("cac-1", [ROOM], action="reject"))
        await gate.reloaded()
        slipped = await who_came(alice, gate.port)
        accepted = await who_came(alice, janus.websocket_port)
        assert len(accepted) > MESSAGES // 10, "hardly any of the messages is a join; the test would prove nothing"
        assert slipped == set()
        status = await gate.status()
        assert sum(each["count"] for each in status["by_rule"]) >= len(accepted) // 2
