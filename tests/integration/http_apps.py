"""What the Python servers of http_upstreams run: each request they understand is one line in a file, then a 200.

Stands alone: gunicorn and uvicorn import it from their own environment, and aiohttp runs it as a program. The body is
read to its end first, so that a request that never ends leaves no line.
"""

import json
import os
import sys
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

RECORD = "JOINGATE_RECORD"
"""The environment variable that names the file."""

Send = Callable[[dict[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[dict[str, Any]]]


def record(method: str, target: str, body: bytes, forwarded_for: str) -> None:
    """Append a request; texts have one character for each byte."""
    line = json.dumps([method, target, body.decode("latin-1"), forwarded_for])
    file = os.open(os.environ[RECORD], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(file, line.encode() + b"\n")
    finally:
        os.close(file)


def wsgi(environ: Mapping[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
    """Run in gunicorn."""
    body = environ["wsgi.input"].read()
    if len(body) == int(environ.get("CONTENT_LENGTH") or len(body)):
        record(environ["REQUEST_METHOD"], environ["RAW_URI"], body, environ.get("HTTP_X_FORWARDED_FOR", ""))
    start_response("200 OK", [("Content-Length", "0")])
    return []


async def asgi(scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
    """Run in uvicorn."""
    if scope["type"] != "http":
        return
    body, more = b"", True
    while more:
        event = await receive()
        if event["type"] == "http.disconnect":
            return
        body += event.get("body", b"")
        more = event.get("more_body", False)
    query: bytes = scope["query_string"]
    target: bytes = scope["raw_path"] + (b"?" + query if query else b"")
    named = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
    record(scope["method"], target.decode("latin-1"), body, b",".join(named).decode("latin-1"))
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body"})


def serve_aiohttp(port: int) -> None:
    """Run aiohttp's server, without routes: every target arrives."""
    import asyncio

    from aiohttp import web

    async def handle(request: web.BaseRequest) -> web.Response:
        body = await request.read()
        target = request.raw_path.encode("utf-8", "surrogateescape").decode("latin-1")
        record(request.method, target, body, ",".join(request.headers.getall("X-Forwarded-For", [])))
        return web.Response()

    async def serve() -> None:
        runner = web.ServerRunner(web.Server(handle))
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        await asyncio.Event().wait()

    asyncio.run(serve())


if __name__ == "__main__":
    serve_aiohttp(int(sys.argv[1]))
