"""Debian's Prosody on loopback, with MUC, WebSocket, BOSH, stream management and joingate's module; and its clients."""

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Self
from xml.sax.saxutils import quoteattr

from aiohttp import ClientSession, ClientTimeout, WSMsgType
from aiohttp.client import ClientWebSocketResponse

from joingate.demo.gate_process import free_ports

MODULES = Path(__file__).parents[2] / "deploy/prosody"
HOST, ACCOUNTS, ROOMS = "meet.test", "auth.meet.test", "muc.meet.test"
TOKEN = "a-token-for-the-tests-alone"
PASSWORD = "secret"
PATIENCE = 30.0
"""Seconds after which something that has to come has not come."""

_CONFIG = """
run_as_root = true; daemonize = false; pidfile = "{folder}/pid"; data_path = "{folder}/data"
plugin_paths = {{ "{modules}"; "{plugins}" }}
admin_socket = "{folder}/socket"; storage = "internal"; interfaces = {{ "127.0.0.1" }}; c2s_ports = {{ {c2s} }}
http_ports = {{ {http} }}; http_interfaces = {{ "127.0.0.1" }}; https_ports = {{ }}; http_default_host = "{host}"
trusted_proxies = {{ "127.0.0.1" }}; consider_websocket_secure = true; consider_bosh_secure = true
c2s_require_encryption = false; allow_unencrypted_plain_auth = true
modules_enabled = {{ "roster"; "saslauth"; "disco"; "ping"; "presence"; "message"; "iq"; "http"; "joingate"; {more} }}
modules_disabled = {{ "s2s"; "tls"; "offline"; "c2s_limit" }}
log = {{ {{ levels = {{ min = "info" }}, to = "file", filename = "{folder}/log" }} }}
joingate_token = "{token}"
VirtualHost "{host}"
  authentication = "anonymous"; modules_enabled = {{ "websocket"; "bosh"; "smacks" }}; smacks_hibernation_time = {keeps}
VirtualHost "{accounts}"
  authentication = "internal_plain"
  modules_enabled = {{ "websocket"; "bosh"; "smacks" }}; smacks_hibernation_time = {keeps}
Component "{rooms}" "muc"
  muc_room_locking = false; muc_room_default_public_jids = true; restrict_room_creation = false
  modules_enabled = {{ "muc_mam" }}; muc_log_by_default = true
Component "lobby.{host}" "muc"
  muc_room_locking = false
"""


class ProsodyServer:
    """One process; `async with` starts and stops it.

    Attributes:
        port: of HTTP on 127.0.0.1.
        admin_url: where mod_joingate answers.
        plugins: a folder for modules of the test's own.
    """

    def __init__(self, folder: Path, *, keeps: float = 600, modules: Iterable[str] = ()) -> None:
        """Prepare a folder.

        Args:
            folder: an empty one, for configuration, data and log; further modules go to its `plugins`.
            keeps: seconds for which a stream can be resumed.
            modules: further ones.
        """
        self.folder = folder
        self.port, c2s = free_ports(2)
        self.admin_url = f"http://127.0.0.1:{self.port}/joingate"
        self.plugins = folder / "plugins"
        self._child: asyncio.subprocess.Process | None = None
        self.plugins.mkdir()
        folder.joinpath("prosody.cfg.lua").write_text(
            _CONFIG.format(
                folder=folder,
                modules=MODULES,
                plugins=self.plugins,
                c2s=c2s,
                http=self.port,
                host=HOST,
                accounts=ACCOUNTS,
                rooms=ROOMS,
                token=TOKEN,
                keeps=keeps,
                more="".join(f'"{module}"; ' for module in modules),
            )
        )

    def register(self, name: str) -> None:
        """Make an account on ACCOUNTS, before the start or after."""
        folder = self.folder / "data" / ACCOUNTS.replace(".", "%2e") / "accounts"
        folder.mkdir(parents=True, exist_ok=True)
        folder.joinpath(f"{name}.dat").write_text(f'return {{ ["password"] = "{PASSWORD}"; }};')

    async def __aenter__(self) -> Self:
        self.folder.joinpath("data").mkdir(exist_ok=True)
        with self.folder.joinpath("output").open("wb") as output:
            self._child = await asyncio.create_subprocess_exec(
                *("prosody", "--config", str(self.folder / "prosody.cfg.lua"), "-F"),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        try:
            await asyncio.wait_for(self._answers(), PATIENCE)
        except BaseException:
            await self.stop()
            raise
        return self

    async def _answers(self) -> None:
        async with ClientSession(timeout=ClientTimeout(total=1)) as session:
            while True:
                assert self._child is not None
                assert self._child.returncode is None, self.log()
                with contextlib.suppress(OSError, TimeoutError):
                    async with session.get(f"http://127.0.0.1:{self.port}/http-bind", headers={"Host": HOST}) as answer:
                        if answer.status == 200:
                            return
                await asyncio.sleep(0.05)

    def log(self) -> str:
        """Return what it has said so far."""
        return "\n".join(
            path.read_text(errors="replace") for name in ("output", "log") if (path := self.folder / name).is_file()
        )

    async def stop(self) -> None:
        """End the process."""
        child, self._child = self._child, None
        if child is None or child.returncode is not None:
            return
        child.terminate()
        try:
            await asyncio.wait_for(child.wait(), PATIENCE)
        except TimeoutError:
            child.kill()
            await child.wait()

    async def __aexit__(self, *_: object) -> None:
        await self.stop()


class XmppClient:
    """One WebSocket that speaks XMPP, as plainly as the tests need it.

    Attributes:
        jid: the full address that the server has bound.
        socket: aiohttp's.
    """

    def __init__(self, socket: ClientWebSocketResponse, host: str) -> None:
        self.jid = ""
        self.socket = socket
        self.host = host
        self._passed_over: list[str] = []

    async def send(self, text: str) -> None:
        await self.socket.send_str(text)

    async def hear(self, *parts: str) -> str:
        """Return the next message that has all these parts; what comes before it is passed over, but for `unheard`."""
        async with asyncio.timeout(PATIENCE):
            while True:
                message = await self.socket.receive()
                assert message.type is WSMsgType.TEXT, f"no message with {parts}, but {message}"
                if all(part in message.data for part in parts):
                    return str(message.data)
                self._passed_over.append(message.data)

    async def settle(self) -> list[str]:
        """Return all that has been said until the server has answered a ping, less what `hear` has returned."""
        await self.send("<iq xmlns='jabber:client' type='get' id='settled'><ping xmlns='urn:xmpp:ping'/></iq>")
        await self.hear("settled")
        said, self._passed_over = self._passed_over, []
        return said

    async def authenticate(self, name: str | None = None) -> None:
        opening = f"<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='{self.host}' version='1.0'/>"
        await self.send(opening)
        await self.hear("mechanisms")
        namespace = "urn:ietf:params:xml:ns:xmpp-sasl"
        if name is None:
            await self.send(f"<auth xmlns='{namespace}' mechanism='ANONYMOUS'/>")
        else:
            plain = base64.b64encode(f"\0{name}\0{PASSWORD}".encode()).decode()
            await self.send(f"<auth xmlns='{namespace}' mechanism='PLAIN'>{plain}</auth>")
        await self.hear("<success")
        await self.send(opening)
        await self.hear("features")

    async def bind(self, resource: str | None = None) -> str:
        inside = "" if resource is None else f"<resource>{resource}</resource>"
        await self.send(
            "<iq xmlns='jabber:client' type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
            f"{inside}</bind></iq>"
        )
        answer = await self.hear("<jid>")
        self.jid = answer.partition("<jid>")[2].partition("</jid>")[0]
        return answer

    async def enable_resumption(self) -> str:
        """Return the token."""
        await self.send("<enable xmlns='urn:xmpp:sm:3' resume='true'/>")
        answer = await self.hear("<enabled")
        return answer.partition(" id='")[2].partition("'")[0]

    async def join(self, room: str, nick: str) -> str:
        """Enter `room` of ROOMS, or one with a domain; return the server's answer about oneself, an error perhaps."""
        address = room if "@" in room else f"{room}@{ROOMS}"
        await self.send(
            f"<presence xmlns='jabber:client' to={quoteattr(f'{address}/{nick}')}>"
            "<x xmlns='http://jabber.org/protocol/muc'/></presence>"
        )
        async with asyncio.timeout(PATIENCE):
            while True:
                answer = await self.hear("<presence")
                if "code='110'" in answer or "type='error'" in answer:
                    return answer
                self._passed_over.append(answer)


@asynccontextmanager
async def visit(
    port: int, *, name: str | None = None, resource: str | None = None, binds: bool = True
) -> AsyncIterator[XmppClient]:
    """Connect to Prosody, or to a gate before it, on `port`; anonymously, or with an account."""
    host = HOST if name is None else ACCOUNTS
    async with (
        ClientSession() as session,
        session.ws_connect(
            f"http://127.0.0.1:{port}/xmpp-websocket", protocols=["xmpp"], headers={"Host": host}
        ) as socket,
    ):
        client = XmppClient(socket, host)
        await client.authenticate(name)
        if binds:
            await client.bind(resource)
        yield client
        with contextlib.suppress(ConnectionError):  # else the stream would wait to be resumed
            await client.send("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>")


def abort(client: XmppClient) -> None:
    """Lose the connection, without a word."""
    connection = client.socket._response.connection
    assert connection is not None
    assert connection.transport is not None
    connection.transport.abort()
