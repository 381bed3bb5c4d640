"""What hostile clients are made of: raw connections, many at once, and a word for what each of them saw."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

from tests.edges.served import LIMIT, US
from tests.reliability.stage import Stage

AT_ONCE: Final = 100
HEAD: Final = b"GET /hello HTTP/1.1\r\nHost: a\r\n"
HANDSHAKE: Final = (
    b"GET %b HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


class Client:
    """One raw connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def send(self, data: bytes) -> None:
        """Send, as much as is taken."""
        if not self.writer.transport.is_closing():
            self.writer.write(data)

    async def pour(self, data: bytes, pieces: int) -> bool:
        """Send so many pieces, each when the one before has been taken; whether all were."""
        with contextlib.suppress(OSError):
            for _ in range(pieces):
                self.writer.write(data)
                await self.writer.drain()
            return True
        return False

    def stop_reading(self) -> None:
        """Leave what comes to the kernel."""
        self.reader._transport.pause_reading()  # type: ignore[attr-defined]  # StreamReader has no word for it

    def go_on_reading(self) -> None:
        """Take what has come."""
        with contextlib.suppress(RuntimeError):  # it was never stopped
            self.reader._transport.resume_reading()  # type: ignore[attr-defined]  # likewise

    async def status(self) -> str:
        """Return the status of the next answer, or how the connection ended."""
        return (await self.answer())[0]

    async def answer(self) -> tuple[str, bytes]:
        """Return the status of the next answer and its head, or how the connection ended."""
        try:
            async with asyncio.timeout(LIMIT):
                head = await self.reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError as error:
            return ("closed in a head" if error.partial else "closed"), b""
        except ConnectionError:
            return "reset", b""
        except TimeoutError:
            return "left waiting", b""
        return head[9:12].decode(), head

    async def rest(self) -> bytes:
        """Return everything up to the end of the stream."""
        data = b""
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(LIMIT):
                while more := await self.reader.read(1 << 16):
                    data += more
        return data


async def connect(
    stage: Stage, source: str = US, tls: ssl.SSLContext | None = None, *, buffer: int | None = None
) -> Client:
    """Open one; `buffer` bounds what it holds that has not been read."""
    opening = asyncio.open_connection(
        "127.0.0.1", stage.gate.port, local_addr=(source, 0), ssl=tls, limit=buffer or 1 << 16
    )
    return Client(*await opening)


@contextlib.asynccontextmanager
async def crowd(
    stage: Stage, times: int, begin: Callable[[Client], object] = lambda _: None, *, source: str = US
) -> AsyncIterator[list[Client]]:
    """Open so many connections, have each begin at once, and drop whatever is left of them at the end."""
    opened: list[Client] = []

    async def one() -> None:
        async with at_once:
            client = await connect(stage, source)
        opened.append(client)
        begin(client)

    at_once = asyncio.Semaphore(AT_ONCE)
    try:
        await asyncio.gather(*(one() for _ in range(times)))
        yield opened
    finally:
        for client in opened:
            client.writer.transport.abort()


async def statuses(stage: Stage, clients: list[Client]) -> None:
    """Note the next answer of each."""
    for status in await asyncio.gather(*(client.status() for client in clients)):
        stage.saw(status)


async def each_of(times: int, act: Callable[[], Awaitable[None]]) -> None:
    """Do something so many times, some at once."""
    at_once = asyncio.Semaphore(AT_ONCE)

    async def one() -> None:
        async with at_once:
            await act()

    await asyncio.gather(*(one() for _ in range(times)))
