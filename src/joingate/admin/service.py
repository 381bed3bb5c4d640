"""The admin service (aiohttp).

Reachable from this machine, or with a token. A browser on this machine must not be talked into using it by a page: a
request from another origin is refused, and so is one for a name that somebody has pointed here (DNS rebinding).
"""

import errno
import hmac
import ipaddress
import os
import re
import socket
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Protocol

import orjson
from aiohttp import web
from aiohttp.typedefs import Handler

from joingate.admin.metrics import CONTENT_TYPE, render_metrics
from joingate.codecs.endpoint import Endpoint, TcpEndpoint, UnixEndpoint
from joingate.core.errors import RefusedInputError

_TOKEN = re.compile(rb"[A-Za-z0-9._~+/-]+=*")  # RFC 6750 2.1


def read_token(path: Path) -> str:
    """Return the token that a file holds on one line.

    Raises:
        RefusedInputError: it holds none, or cannot be read.
    """
    try:
        token = path.read_bytes().strip()
    except OSError as error:
        raise RefusedInputError(
            f"admin.token_file: {path}: cannot be read ({error.strerror}); make it readable"
        ) from None
    if not _TOKEN.fullmatch(token):
        raise RefusedInputError(
            f"admin.token_file: {path}: holds no token; write one line of letters, digits and . _ ~ + / - into it"
        )
    return token.decode()


class ReloadOutcome(Protocol):
    """What a reload leaves behind, as far as the answer's status depends on it."""

    @property
    def is_ok(self) -> bool:
        """Whether everything was taken."""


_PROBES = frozenset(("/healthz", "/readyz"))
"""What an orchestrator asks without a token: one word, which says nothing about anybody."""

_NOT_READY = frozenset(("starting", "draining"))

Status = Callable[[], Awaitable[dict[str, Any]]]
Census = Callable[[str], Awaitable[dict[str, str]]]
Reload = Callable[[str | None], Awaitable[ReloadOutcome]]


class AdminService:
    """Serves the admin endpoints until stopped."""

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        token_file: Path | None,
        tls: ssl.SSLContext | None,
        status: Status,
        census: Census,
        reload: Reload,
    ) -> None:
        """Prepare.

        Args:
            endpoint: where to listen.
            token_file: holds the token that requests must carry; None where only this machine can reach `endpoint`.
            tls: with which to speak TLS; None where nobody else hears, or a proxy in front sees to it.
            status: what `/v1/status` answers, and `/metrics` is made of.
            census: counts a meeting's participants by country, roughly; of a meeting that is not there, nobody.
            reload: carries out a reload, confirming a revision.

        Raises:
            RefusedInputError: there is no token in `token_file`.
        """
        self._endpoint = endpoint
        self._authorization = None if token_file is None else f"Bearer {read_token(token_file)}".encode()
        self._tls = tls
        self._status = status
        self._census = census
        self._reload = reload
        self._runner: web.AppRunner | None = None
        self.address = str(endpoint)

    async def start(self) -> None:
        """Listen.

        Raises:
            RefusedInputError: the address cannot be had.
        """
        app = web.Application(middlewares=[self._guard], client_max_size=4096)
        app.router.add_get("/healthz", self._healthz)
        app.router.add_get("/readyz", self._readyz)
        app.router.add_get("/metrics", self._metrics)
        app.router.add_get("/v1/status", self._get_status)
        app.router.add_get("/v1/meetings/{meeting}/census", self._get_census)
        app.router.add_post("/v1/reload", self._post_reload)
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1)
        await self._runner.setup()
        endpoint = self._endpoint
        site: web.BaseSite
        if isinstance(endpoint, UnixEndpoint):
            site = web.UnixSite(self._runner, endpoint.unix, ssl_context=self._tls)
        else:
            site = web.TCPSite(self._runner, endpoint.host, endpoint.port, ssl_context=self._tls)
        try:
            if isinstance(endpoint, UnixEndpoint):
                await _start_for_oneself(site)
            else:
                await site.start()
        except OSError as error:
            # asyncio's own text names the address a second time; a resolver's errors have numbers of their own.
            reason = (
                error.strerror
                if isinstance(error, socket.gaierror)
                else os.strerror(error.errno or errno.EADDRNOTAVAIL)
            )
            raise RefusedInputError(f"admin.listen: {endpoint}: {reason}; free it or choose another") from None
        if isinstance(endpoint, TcpEndpoint):
            host, port = self._runner.addresses[0][:2]
            self.address = str(TcpEndpoint(host, port))

    async def stop(self) -> None:
        """Stop serving."""
        if self._runner is not None:
            await self._runner.cleanup()

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path not in _PROBES and (refusal := self._refuse(request)):
            return web.json_response({"title": refusal}, status=403)
        response = await handler(request)
        response.headers["Cache-Control"] = "no-store"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response

    def _refuse(self, request: web.Request) -> str | None:
        if self._authorization is not None:
            given = request.headers.get("Authorization", "").encode(errors="surrogateescape")  # as aiohttp decoded it
            if not hmac.compare_digest(given, self._authorization):
                return "This needs the admin token, as Authorization: Bearer TOKEN."
            return None
        if "Origin" in request.headers or request.headers.get("Sec-Fetch-Site", "none") not in {"none", "same-origin"}:
            return "Pages of other origins have no business here."
        if isinstance(self._endpoint, TcpEndpoint) and not _is_local_name(request.host):
            return "Only localhost and addresses are answered for."
        return None

    async def _healthz(self, _: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def _readyz(self, _: web.Request) -> web.Response:
        state = (await self._status())["state"]
        return web.Response(text=f"{state}\n", status=503 if state in _NOT_READY else 200)

    async def _metrics(self, _: web.Request) -> web.Response:
        return web.Response(body=render_metrics(await self._status()), headers={"Content-Type": CONTENT_TYPE})

    async def _get_status(self, _: web.Request) -> web.Response:
        return _json(await self._status())

    async def _get_census(self, request: web.Request) -> web.Response:
        return _json(await self._census(request.match_info["meeting"]))

    async def _post_reload(self, request: web.Request) -> web.Response:
        if request.content_type != "application/json":
            return _json({"title": "Send application/json."}, status=415)
        try:
            body = orjson.loads(await request.read())
        except orjson.JSONDecodeError:
            body = None
        if not isinstance(body, dict) or not isinstance(body.get("confirm"), str | None) or set(body) - {"confirm"}:
            return _json({"title": 'Send {} or {"confirm": "REVISION"}.'}, status=400)
        outcome = await self._reload(body.get("confirm"))
        return _json(await self._status(), status=200 if outcome.is_ok else 409)


async def _start_for_oneself(site: web.BaseSite) -> None:
    """Make the socket for the gate's own user alone: whoever can write to it needs no token."""
    before = os.umask(0o177)
    try:
        await site.start()
    finally:
        os.umask(before)


def _json(body: object, status: int = 200) -> web.Response:
    return web.Response(body=orjson.dumps(body), status=status, content_type="application/json")


def _is_local_name(host: str) -> bool:
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    if name == "localhost":
        return True
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True
