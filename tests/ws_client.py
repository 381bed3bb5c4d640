"""A WebSocket client that shows the exact frames it gets, and lean enough for thousands in one process.

It follows RFC 6455 by itself and shares no code with the gate.
"""

import asyncio
import base64
import hashlib
import os
import ssl as tls
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10

Header = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Rejected:
    """The answer to a handshake that was not accepted; header names in lower case."""

    status: int
    headers: list[Header]
    body: bytes

    def header(self, name: str) -> str | None:
        """Return the one value of `name`, or None."""
        return _one(self.headers, name)


class Connected:
    """An open WebSocket."""

    __slots__ = ("headers", "reader", "writer")

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, headers: list[Header]) -> None:
        self.reader = reader
        self.writer = writer
        self.headers = headers  # of the 101

    async def send_frame(self, raw: bytes) -> None:
        """Send bytes as they are: a frame from `build_frame`, a part of one, or nonsense."""
        self.writer.write(raw)
        await self.writer.drain()

    async def send_text(self, text: str) -> None:
        await self.send_frame(build_frame(TEXT, text.encode()))

    async def recv(self) -> tuple[int, bytes]:
        """Return the opcode and the payload of the next frame, fragments and control frames one by one.

        Raises:
            asyncio.IncompleteReadError: the stream has ended; `partial` is empty when that was between frames.
            ConnectionResetError: it has reset the connection.
        """
        start = await self.reader.readexactly(1)
        try:
            (second,) = await self.reader.readexactly(1)
            assert second < 128, "a server's frame is not masked (RFC 6455 5.1)"
            size = second
            if size > 125:
                size = int.from_bytes(await self.reader.readexactly(2 if size == 126 else 8), "big")
            return start[0] & 15, await self.reader.readexactly(size)
        except asyncio.IncompleteReadError as error:
            raise asyncio.IncompleteReadError(start + error.partial, None) from error

    async def recv_close(self) -> tuple[int, str]:
        """Skip frames up to a Close, and return its code (1005 when it has none) and reason."""
        while True:
            opcode, payload = await self.recv()
            if opcode == CLOSE:
                return int.from_bytes(payload[:2], "big") or 1005, payload[2:].decode()

    async def ended(self) -> bytes:
        """Wait for the end of the stream and return what still came before it."""
        return await self.reader.read()

    async def close(self, code: int = 1000, reason: str = "") -> tuple[int, str]:
        """Send a Close, wait for the peer's and for the end of the stream, and return the peer's code and reason."""
        await self.send_frame(build_frame(CLOSE, code.to_bytes(2, "big") + reason.encode()))
        answer = await self.recv_close()
        await self.ended()
        self.abort()
        return answer

    def abort(self) -> None:
        """Drop the connection at once, without a Close."""
        self.writer.transport.abort()


async def connect(
    host: str,
    port: int,
    path: str = "/",
    headers: Iterable[Header] = (),
    *,
    local_addr: str | None = None,
    ssl: tls.SSLContext | None = None,
) -> Connected | Rejected:
    """Open a WebSocket.

    Args:
        host: where to connect; also the Host header, unless `headers` has one.
        port: likewise.
        path: the request target.
        headers: more header lines.
        local_addr: the address to connect from, for example "127.86.0.1".
        ssl: for wss.
    """
    source = None if local_addr is None else (local_addr, 0)
    reader, writer = await asyncio.open_connection(host, port, local_addr=source, ssl=ssl)
    key = base64.b64encode(os.urandom(16)).decode()
    try:
        writer.write(_request(host, port, path, list(headers), key))
        status, answered = _parse_head(await reader.readuntil(b"\r\n\r\n"))
        if status == 101:
            assert _one(answered, "sec-websocket-accept") == _accept(key)
            return Connected(reader, writer, answered)
        rejected = Rejected(status, answered, await _read_body(reader, answered))
    except BaseException:
        writer.transport.abort()
        raise
    writer.close()
    return rejected


async def connected(
    host: str,
    port: int,
    path: str = "/",
    headers: Iterable[Header] = (),
    *,
    local_addr: str | None = None,
    ssl: tls.SSLContext | None = None,
) -> Connected:
    """Open a WebSocket as `connect` does, where nothing but an open one will do."""
    answer = await connect(host, port, path, headers, local_addr=local_addr, ssl=ssl)
    assert isinstance(answer, Connected), answer
    return answer


def build_frame(opcode: int, payload: bytes, *, fin: bool = True) -> bytes:
    """Build a client's frame, masked with a key of its own."""
    size = len(payload)
    if size < 126:
        length = bytes((128 | size,))
    elif size < 1 << 16:
        length = bytes((128 | 126,)) + size.to_bytes(2, "big")
    else:
        length = bytes((128 | 127,)) + size.to_bytes(8, "big")
    key = os.urandom(4)
    pattern = (key * (size // 4 + 1))[:size]
    masked = (int.from_bytes(payload, "big") ^ int.from_bytes(pattern, "big")).to_bytes(size, "big")
    return bytes(((128 if fin else 0) | opcode,)) + length + key + masked


def _request(host: str, port: int, path: str, headers: Sequence[Header], key: str) -> bytes:
    lines = [f"GET {path} HTTP/1.1"]
    if not any(name.lower() == "host" for name, _ in headers):
        lines.append(f"Host: [{host}]:{port}" if ":" in host else f"Host: {host}:{port}")
    lines += ["Upgrade: websocket", "Connection: Upgrade", f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13"]
    lines += [f"{name}: {value}" for name, value in headers]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def _parse_head(head: bytes) -> tuple[int, list[Header]]:
    status_line, *lines = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    split = (line.partition(":") for line in lines)
    return int(status_line.split(" ", 2)[1]), [(name.lower(), value.strip(" \t")) for name, _, value in split]


async def _read_body(reader: asyncio.StreamReader, headers: list[Header]) -> bytes:
    if (length := _one(headers, "content-length")) is not None:
        return await reader.readexactly(int(length))
    assert _one(headers, "transfer-encoding") is None, "a chunked body is not read here"
    return await reader.read()


def _one(headers: list[Header], name: str) -> str | None:
    values = [value for line_name, value in headers if line_name == name]
    assert len(values) < 2, (name, values)
    return values[0] if values else None


def _accept(key: str) -> str:
    digest = hashlib.sha1(f"{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode(), usedforsecurity=False).digest()
    return base64.b64encode(digest).decode()
