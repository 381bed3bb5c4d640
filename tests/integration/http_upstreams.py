"""Real HTTP servers on loopback, each with a parser of its own, that write down which requests they understand.

nginx (its own, in C), Node (llhttp), aiohttp (llhttp with another wrapping), gunicorn and uvicorn with h11 (both in
Python, and nothing of each other's). Each is a process in a folder of its own and stops by its id.
"""

import asyncio
import contextlib
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import orjson
import pytest

from joingate.demo.gate_process import free_ports
from tests.integration.http_apps import RECORD

HERE = Path(__file__).parent
LIMIT = 30.0  # seconds after which something is taken never to happen
NAMES = ("nginx", "node", "aiohttp", "gunicorn", "uvicorn")

NGINX = """\
daemon off;
user root;
worker_processes 1;
pid {folder}/pid;
error_log {folder}/errors;
events {{}}
http {{
  # $status, so that a request that was cut off in its body can be told from one that was answered.
  log_format seen escape=json '["$request_method","$request_uri","$request_body","$http_x_forwarded_for",$status]';
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  client_body_buffer_size 1m;
  client_max_body_size 0;
  server {{
    listen 127.0.0.1:{port};
    access_log {record} seen;
    # $request_body is there only where it is passed on.
    location / {{ proxy_pass http://127.0.0.1:{behind}; }}
  }}
  server {{
    listen 127.0.0.1:{behind};
    access_log off;
    return 200;
  }}
}}
"""


class Seen(NamedTuple):
    """A request as a server has understood it; one character for each byte."""

    method: str
    target: str
    body: str
    forwarded_for: str


@dataclass(slots=True)
class HttpUpstream:
    """A running server.

    Attributes:
        name: one of NAMES.
        port: of 127.0.0.1.
        record: the file in which it writes.
    """

    name: str
    port: int
    record: Path
    _seen: list[Seen] = field(default_factory=list)
    _size: int = 0

    def seen(self) -> list[Seen]:
        """Return every request so far, in order; not those that nginx has given up in the midst of their bodies."""
        if self.record.exists():
            with self.record.open("rb") as file:
                file.seek(self._size)
                for line in file:
                    if line.endswith(b"\n"):  # or it is still being written
                        self._size += len(line)
                        self._seen += _read(line)
        return self._seen


def _read(line: bytes) -> list[Seen]:
    # nginx leaves bytes above 127 as they are, the others escape them: either way one character is one byte.
    method, target, body, forwarded_for, *status = orjson.loads(line.decode("latin-1"))
    if status and status[0] != 200 and forwarded_for:
        return []  # a head that the gate has written, and then no whole body; a head of nobody's stays
    return [Seen(method, target, body, forwarded_for)]


@contextlib.asynccontextmanager
async def running(name: str, folder: Path) -> AsyncIterator[HttpUpstream]:
    """Start a server in an empty folder, wait until it answers, and stop it at the end."""
    port, behind = free_ports(2)
    record = folder / "seen"
    with (folder / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *_command(name, folder, port, behind, record),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=HERE,
            env={**os.environ, RECORD: str(record)},
        )
    try:
        async with asyncio.timeout(LIMIT):
            await _answering(port, process)
        yield HttpUpstream(name, port, record)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), LIMIT)
        except TimeoutError:
            process.kill()
            await process.wait()


def _command(name: str, folder: Path, port: int, behind: int, record: Path) -> list[str]:
    match name:
        case "nginx":
            text = NGINX.format(folder=folder, port=port, behind=behind, record=record)
            (folder / "nginx.conf").write_text(text)
            return [_program("nginx"), "-e", str(folder / "errors"), "-c", str(folder / "nginx.conf")]
        case "node":
            return [_program("node"), "http_app.js", str(port)]
        case "aiohttp":
            return [sys.executable, "http_apps.py", str(port)]
        case "gunicorn":
            # gthread: the plain worker closes after each request, and nothing could follow one.
            options = ["--worker-class", "gthread", "--threads", "2", "--keep-alive", "30", "--no-control-socket"]
            return [_program("gunicorn"), *options, "--bind", f"127.0.0.1:{port}", "http_apps:wsgi"]
        case _:
            options = ["--http", "h11", "--ws", "none", "--lifespan", "off", "--no-proxy-headers"]
            return [_program("uvicorn"), *options, "--port", str(port), "http_apps:asgi"]


def _program(name: str) -> str:
    """Find a server: of this Python environment first, then as the system has it."""
    places = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", ""), "/usr/sbin"))
    found = shutil.which(name, path=places)
    if found is None:
        pytest.fail(f"{name} is not installed; run tests/integration/install.sh")
    return found


async def _answering(port: int, process: asyncio.subprocess.Process) -> None:
    while True:
        assert process.returncode is None, "the server has ended; its folder has a log"
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return
        await asyncio.sleep(0.05)
