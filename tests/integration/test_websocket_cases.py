"""A WebSocket through the gate behaves as one straight to the server, in every case that websocket_cases knows.

Where messages are not read (`generic`), bytes go through, so nothing may differ at all. Where they are (here `janus`),
the gate is an endpoint that fails a connection itself, by the same codes; DIFFERS has all that this changes.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest
import pytest_asyncio
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from tests.edges.served import GENERIC, NOWHERE, Folder, Served, limited
from tests.integration.websocket_cases import NO_CODE, Case, cases
from tests.ws_client import CLOSE, PONG, Connected, build_frame, connected

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

VANISH: Final = b'{"janus":"ping","transaction":"vanish"}'
"""Has the server drop the connection without a Close."""

PLAIN: Final = cases(bytes)
JANUS: Final = cases(lambda text: b'{"janus":"ping","transaction":"%b"}' % text)

NOT_JSON: Final = {
    "1.1: a message of 0 bytes",
    "1.2: a message of 0 bytes",
    "9.7: a hundred messages of 0 bytes, one after another",
    "9.8: a hundred messages of 0 bytes, one after another",
    "6: U+0001, first of its length",
    "6.3: bytes that are no UTF-8, in binary",
}
"""What no Janus would understand ends at the gate by 1008: nobody can say that it is no join."""

TOO_LONG: Final = {f"9.{part}: a message of {size} bytes" for part in (1, 2) for size in (262_145, 1_048_576)}
"""What is longer than the gate reads ends there by 1009."""

DIFFERS: Final = {
    **{name: 1008 for name, case in JANUS.items() if case.code == 1007 and not name.startswith("7")},
    **dict.fromkeys(NOT_JSON, 1008),
    **dict.fromkeys(TOO_LONG, 1009),
}
"""By which code the gate closes, where straight to the server it is another. A text that is no UTF-8 is no JSON."""


@dataclass(slots=True)
class Outcome:
    """What came back.

    Attributes:
        messages: see Case; likewise pongs.
        close: the payload of the Close; None where none came.
        after: bytes behind the Close, or a piece of a frame where there is none.
    """

    messages: list[tuple[int, bytes]] = field(default_factory=list)
    pongs: list[bytes] = field(default_factory=list)
    close: bytes | None = None
    after: bytes = b""

    @property
    def code(self) -> int | None:
        return None if self.close is None else int.from_bytes(self.close[:2], "big") or NO_CODE

    def __len__(self) -> int:
        return len(self.messages) + len(self.pongs)


@dataclass(frozen=True, slots=True)
class Ways:
    """Where to connect: straight to the server, past a gate that reads nothing, past one that reads messages."""

    straight: int
    generic: int
    janus: int


async def _echo(socket: ServerConnection) -> None:
    with contextlib.suppress(ConnectionClosed):
        async for message in socket:
            if message == VANISH.decode():
                socket.transport.abort()
            await socket.send(message)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ways(tmp_path_factory: pytest.TempPathFactory, demo_mmdb: Path) -> AsyncIterator[Ways]:
    async with (
        serve(_echo, "127.0.0.1", 0, compression=None, ping_interval=None, max_size=None) as server,
        contextlib.AsyncExitStack() as stack,
    ):
        port = server.sockets[0].getsockname()[1]
        gates = [
            await stack.enter_async_context(
                Served(Folder(tmp_path_factory.mktemp("gate"), demo_mmdb, upstream_port=port, server=kind))
            )
            for kind in (GENERIC, 'server = "janus"')
        ]
        yield Ways(port, *(gate.port for gate in gates))


async def outcome(port: int, case: Case) -> Outcome:
    """Play a case, and answer a Close as a client does."""
    found = Outcome()
    async with limited():
        socket = await connected(NOWHERE, port, "/meetings/m/join?user=u")
        with contextlib.suppress(ConnectionError):
            for move in case.moves:
                for at in range(0, len(move.raw), move.chop or len(move.raw)):
                    socket.writer.write(move.raw[at : at + (move.chop or len(move.raw))])
                    if move.chop:
                        await socket.writer.drain()
                        await asyncio.sleep(0)
                end = len(found) + move.awaits
                while len(found) < end and found.close is None:
                    await _take(socket, found)
            while found.close is None:
                await _take(socket, found)
            found.after = await socket.reader.read()
        socket.abort()
    return found


async def _take(socket: Connected, found: Outcome) -> None:
    """Take the next frame."""
    try:
        opcode, payload = await socket.recv()
    except asyncio.IncompleteReadError as error:
        found.after = error.partial
        raise ConnectionResetError from None
    if opcode == CLOSE:
        found.close = payload
        socket.writer.write(build_frame(CLOSE, payload))
    elif opcode == PONG:
        found.pongs.append(payload)
    else:
        found.messages.append((opcode, payload))


@pytest.mark.parametrize("name", PLAIN)
async def test_what_is_not_read_behaves_as_straight_to_the_server(ways: Ways, name: str) -> None:
    case = PLAIN[name]
    straight = await outcome(ways.straight, case)
    assert (straight.code, straight.messages, straight.pongs) == (case.code, [*case.messages], [*case.pongs])
    assert await outcome(ways.generic, case) == straight


@pytest.mark.parametrize("name", JANUS)
async def test_what_is_read_differs_where_it_has_to_and_nowhere_else(ways: Ways, name: str) -> None:
    case = JANUS[name]
    straight = await outcome(ways.straight, case)
    assert straight.code == case.code
    through = await outcome(ways.janus, case)
    if name in DIFFERS:
        assert (through.code, through.messages, through.after) == (DIFFERS[name], [], b"")
    else:
        assert (through.code, through.messages, through.pongs) == (straight.code, straight.messages, straight.pongs)
        assert through.after == b""
    if straight.code != 1002:  # then the words are the gate's own
        assert name in DIFFERS or through.close == straight.close


@pytest.mark.parametrize("way", ["straight", "generic", "janus"])
async def test_no_close_is_made_up_for_a_server_that_is_gone(ways: Ways, way: str) -> None:
    """Neither 1006 nor 1005 nor 1015 may travel: they are what a client says to itself when no Close has come."""
    vanishing = Case("", JANUS["2: a Ping with a text"].moves[:1], 0)
    port: int = getattr(ways, way)
    async with limited():
        socket = await connected(NOWHERE, port, "/meetings/m/join?user=u")
        await socket.send_frame(vanishing.moves[0].raw)
        assert await socket.recv() == (PONG, b"Hello, world!")
        await socket.send_text(VANISH.decode())
        with contextlib.suppress(ConnectionError):
            assert await socket.ended() == b""
        socket.abort()
