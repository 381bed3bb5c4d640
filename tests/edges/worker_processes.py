"""The processes of a gate of several, looked at from outside: who they are, whom they carry, what they leave."""

import asyncio
import contextlib
import socket
from pathlib import Path
from typing import Any

import orjson

from tests.edges.served import DE, Folder, Served
from tests.ws_client import Connected


def children(pid: int) -> list[int]:
    """Return the ids of the processes that a process has begun and that are there still, as proc_pid_task(5) has it."""
    found: list[int] = []
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                found += map(int, (task / "children").read_text().split())
    return [each for each in sorted(found) if not is_gone(each)]


def is_gone(pid: int) -> bool:
    """Whether a process is no more, or is a zombie that nobody has waited for yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in {"Z", "X"}
    except (FileNotFoundError, ProcessLookupError):
        return True


def workers_of(gate: Served) -> list[int]:
    """Return the process ids of a gate's workers: the children of its one child."""
    (nursery,) = children(gate.process.pid)
    return children(nursery)


def family_of(gate: Served) -> list[int]:
    """Return the ids of all processes of a gate."""
    (nursery,) = children(gate.process.pid)
    return [gate.process.pid, nursery, *children(nursery)]


def carries(pid: int, client: Connected) -> bool:
    """Whether the process has the gate's end of a client's connection."""
    host, port = client.writer.get_extra_info("sockname")[:2]
    remote = f"{int.from_bytes(bytes(map(int, host.split('.'))), 'little'):08X}:{port:04X}"
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    inodes = {f"socket:[{row[9]}]" for row in rows if row[2] == remote}
    found = set[str]()
    for fd in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            found.add(str(fd.readlink()))
    return bool(inodes & found)


async def join_at(gate: Served, pid: int, meeting: str, source: str) -> Connected:
    """Join, as often as it takes to come to the worker `pid`; what comes to another one is dropped again."""
    for _ in range(200):
        client = await gate.join(meeting, source)
        if carries(pid, client):
            return client
        client.abort()
    raise AssertionError("no connection comes to this worker")


def records(folder: Folder) -> list[dict[str, Any]]:
    """Read the ledger of a gate that has ended."""
    files = sorted((folder.path / "ledger" / "records").iterdir())
    return [orjson.loads(line) for file in files for line in file.read_bytes().splitlines()]


async def both(gate: Served, meeting: str, source: str) -> list[Connected]:
    """Have somebody inside at each worker."""
    return [await join_at(gate, pid, meeting, source) for pid in workers_of(gate)]


def admitted(status: dict[str, Any]) -> int:
    """Return how many joins were admitted."""
    return sum(each["count"] for each in status["decisions"] if each["verdict"] == "admit")


async def ask(gate: Served, source: str = DE, path: str = "/meetings/m-1/join?user=u") -> int:
    """Join by a request on a connection of its own, and return the status."""
    reader, writer = await asyncio.open_connection("127.0.0.1", gate.port, local_addr=(source, 0))
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: meet\r\nConnection: close\r\n\r\n".encode())
        return int((await reader.read()).split(b" ", 2)[1])
    finally:
        writer.transport.abort()


def cannot_connect(port: int) -> bool:
    """Whether nobody listens there any more."""
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except ConnectionRefusedError:
        return True
    return False
