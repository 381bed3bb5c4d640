"""`joingate serve` as an operator runs it: a folder of files, a process of its own, signals, the admin service.

Both listeners take a port that the system chooses; the log says which. Everything waited for has a limit that only a
gate which will never do it reaches.
"""

import asyncio
import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import aiohttp
import orjson

from tests.ws_client import Connected, Rejected, connect

LIMIT = 60.0  # seconds after which something is taken never to happen, on a machine with much other work
CN, HK, DE, US, FR, BR = "127.86.0.1", "127.85.2.1", "127.49.0.1", "127.1.0.1", "127.33.0.1", "127.55.0.1"
NOWHERE = "127.0.0.1"  # not in the demo database

_OWN = ("JOINGATE_", "PYTHONUNBUFFERED")  # standard output to a pipe is buffered, as it is by default

SETTINGS = """\
[gate]
listen = ["127.0.0.1:0"]
drain_seconds = 1
{gate}
[upstream]
url = "http://127.0.0.1:{upstream_port}"
{server}
[geodb]
paths = ["geo.mmdb"]
watch_seconds = {geodb_watch}
[rules]
path = "rules/"
max_ejections = {max_ejections}
watch_seconds = {rules_watch}
[admin]
listen = "{admin}"
{more_admin}
"""

GENERIC = """\
[[join]]
path = "/meetings/{meeting}/join"
participant = "query:user"
"""

AUTHORITIES = """\
[authority.cac]
name = "Cyberspace Administration of China"
branch = "regulator"
territory = ["CN"]

[authority.ag]
name = "Amtsgericht Musterstadt (made up)"
branch = "judicial"
territory = ["DE"]
"""


def order(
    rule_id: str,
    meetings: Sequence[str],
    *,
    authority: str = "cac",
    action: str = "eject",
    opens: datetime | None = None,
    closes: datetime | None = None,
) -> str:
    """Write an order, in force from yesterday until tomorrow unless told otherwise."""
    now = datetime.now(UTC)
    opens, closes = opens or now - timedelta(days=1), closes or now + timedelta(days=1)
    return f"""\
[[order]]
id = "{rule_id}"
authority = "{authority}"
meetings = {orjson.dumps(list(meetings)).decode()}
action = "{action}"
legal_basis = "Cybersecurity Law, article 50"
reference = "test"
received = {(opens - timedelta(days=1)).date().isoformat()}
from = {opens.isoformat()}
until = {closes.isoformat()}
"""


def host_policy(rule_id: str, meetings: Sequence[str], *, deny: Sequence[str], action: str = "eject") -> str:
    """Write a host policy."""
    return f"""\
[[host_policy]]
id = "{rule_id}"
meetings = {orjson.dumps(list(meetings)).decode()}
deny = {orjson.dumps(list(deny)).decode()}
action = "{action}"
"""


class Folder:
    """What an operator has on disk.

    Attributes:
        path: where joingate.toml, geo.mmdb and rules/ stand.
    """

    def __init__(
        self,
        path: Path,
        database: Path,
        *,
        upstream_port: int = 9,
        server: str = GENERIC,
        gate: str = "",
        admin: str = "127.0.0.1:0",
        more_admin: str = "",
        max_ejections: int = 0,
        geodb_watch: float = 0,
        rules_watch: float = 0,
    ) -> None:
        self.path = path
        (path / "rules").mkdir()
        shutil.copy(database, self.database)
        self.write("authorities.toml", AUTHORITIES)
        self.settings.write_text(
            SETTINGS.format(
                upstream_port=upstream_port,
                server=server,
                gate=gate,
                admin=admin,
                more_admin=more_admin,
                max_ejections=max_ejections,
                geodb_watch=geodb_watch,
                rules_watch=rules_watch,
            )
        )

    @property
    def settings(self) -> Path:
        """The configuration."""
        return self.path / "joingate.toml"

    @property
    def database(self) -> Path:
        """The database."""
        return self.path / "geo.mmdb"

    def write(self, name: str, text: str) -> None:
        """Put a rule file in its place, whole."""
        beside = self.path / f".{name}"
        beside.write_text(text)
        beside.replace(self.path / "rules" / name)

    def remove(self, name: str) -> None:
        """Remove a rule file."""
        (self.path / "rules" / name).unlink()


def command(*arguments: str | Path) -> list[str]:
    """Return the program's command line."""
    return [sys.executable, "-m", "joingate", *map(str, arguments)]


def environment(**more: str) -> dict[str, str]:
    """Return this process's environment without what would have the program behave as it does for nobody else."""
    return {key: value for key, value in os.environ.items() if not key.startswith(_OWN)} | more


def run(
    *arguments: str | Path, cwd: Path | None = None, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command of the program to its end."""
    return subprocess.run(
        command(*arguments),
        cwd=cwd,
        env=environment(**(env or {})),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )


class Served:
    """A serving gate.

    Attributes:
        port: of 127.0.0.1, where participants join.
        admin: the admin service's URL, without a slash at the end.
        process: the child; its log is in `folder.path / "log"`, and it writes nothing to `folder.path / "out"`.
    """

    def __init__(self, folder: Folder, *, token: str | None = None, under: Sequence[str] = ()) -> None:
        """Prepare; `under` is a command that ends by executing the one that follows it, in its own process."""
        self.folder = folder
        self._under = under
        self.port = 0
        self.admin = ""
        self.process: subprocess.Popen[bytes]
        self._headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        self._session: aiohttp.ClientSession
        self._clients: list[Connected] = []

    async def __aenter__(self) -> Self:
        self.begin()
        try:
            await self.ready()
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        for client in self._clients:
            client.abort()
        if self.process.poll() is None:
            self.process.kill()
        await asyncio.to_thread(self.process.wait)
        if hasattr(self, "_session"):
            await self._session.close()

    def begin(self) -> None:
        """Start the process, and wait for nothing."""
        with (self.folder.path / "log").open("wb") as log, (self.folder.path / "out").open("wb") as out:
            self.process = subprocess.Popen(
                [*self._under, *command("serve", "-c", self.folder.settings)],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=log,
                env=environment(),
                start_new_session=True,  # Ctrl-C reaches the test alone, which then ends the gate
            )

    async def ready(self) -> None:
        """Wait until the admin service says so."""
        await until(lambda: "admin service on" in self.log() or self.process.poll() is not None)
        assert self.process.poll() is None, self.log()
        found = re.search(r"listening on 127\.0\.0\.1:(\d+)", self.log())
        admin = re.search(r"admin service on (unix:)?(\S+);", self.log())
        assert found is not None
        assert admin is not None
        self.port = int(found[1])
        connector = aiohttp.UnixConnector(admin[2]) if admin[1] else aiohttp.TCPConnector()
        self.admin = "http://localhost" if admin[1] else f"http://{admin[2]}"
        self._session = aiohttp.ClientSession(connector=connector, headers=self._headers)
        await until_true(self._is_ready)

    async def _is_ready(self) -> bool:
        async with self._session.get(f"{self.admin}/readyz") as answer:
            return answer.status == 200

    def log(self) -> str:
        """Return everything logged so far."""
        return (self.folder.path / "log").read_text(errors="surrogateescape")

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the gate."""
        assert self.process.poll() is None, self.log()
        self.process.send_signal(number)

    def sighup(self) -> None:
        """Ask for a reload."""
        self.signal(signal.SIGHUP)

    async def status(self) -> dict[str, Any]:
        """Return /v1/status."""
        return orjson.loads(await self.get("/v1/status"))  # type: ignore[no-any-return]

    async def get(self, path: str) -> bytes:
        """Return a 200 answer of the admin service."""
        async with self._session.get(self.admin + path) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.read()

    async def get_when(self, path: str, is_so: Callable[[bytes], bool]) -> bytes:
        """Wait for an answer of the admin service, and return it."""
        found = b""

        async def matches() -> bool:
            nonlocal found
            found = await self.get(path)
            return is_so(found)

        await until_true(matches)
        return found

    async def reloaded(self, act: Callable[[], object] | None = None) -> dict[str, Any]:
        """Carry out `act` (SIGHUP unless given), wait until one more reload is over, and return the status then.

        Of several workers each has to have answered for it: what one said last may be from before.
        """
        before = _reloads(await self.status())
        (act or self.sighup)()
        return await self.status_when(lambda status: _reloads(status) > before and "silent" not in states(status))

    async def status_when(self, is_so: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Wait for a status, and return it."""
        found: dict[str, Any] = {}

        async def matches() -> bool:
            found.update(await self.status())
            return is_so(found)

        await until_true(matches)
        return found

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the program against this gate; from asyncio, in a thread."""
        on_unix = self.admin == "http://localhost"
        env = {} if on_unix else {"JOINGATE_ADMIN__LISTEN": self.admin.removeprefix("http://")}
        return run(*arguments, "-c", self.folder.settings, env=env)

    async def ledger_says(self, words: str) -> None:
        """Wait until `joingate ledger verify` finds no fault and says so; outcomes are written within some tenths."""

        async def does() -> bool:
            verdict = await asyncio.to_thread(run, "ledger", "verify", "-c", self.folder.settings)
            assert verdict.returncode == 0, verdict.stdout + verdict.stderr
            return words in verdict.stdout

        await until_true(does)

    async def knock(self, meeting: str, source: str, user: str = "somebody") -> Connected | Rejected:
        """Ask to join."""
        answer = await connect("127.0.0.1", self.port, f"/meetings/{meeting}/join?user={user}", local_addr=source)
        if isinstance(answer, Connected):
            self._clients.append(answer)
        return answer

    async def join(self, meeting: str, source: str, user: str = "somebody") -> Connected:
        """Join, where nothing but an admission will do."""
        answer = await self.knock(meeting, source, user)
        assert isinstance(answer, Connected), answer
        return answer

    async def rejected(self, meeting: str, source: str) -> int:
        """Ask to join, where nothing but a rejection will do, and return its status."""
        answer = await self.knock(meeting, source)
        assert isinstance(answer, Rejected), answer
        return answer.status

    async def ended(self) -> int:
        """Wait for the process to end, and return its exit status."""
        return await asyncio.to_thread(self.process.wait, LIMIT)


def states(status: dict[str, Any]) -> list[str]:
    """Return what each worker is doing, in alphabetical order; one that has not answered for a second is silent."""
    return sorted(each["state"] for each in status["workers"])


def _reloads(status: dict[str, Any]) -> int:
    return int(status["reloads"]["succeeded"] + status["reloads"]["failed"])


@contextlib.asynccontextmanager
async def limited() -> AsyncIterator[None]:
    """Fail, instead of waiting for ever, for what is certain to come."""
    async with asyncio.timeout(LIMIT):
        yield


async def until(is_so: Callable[[], bool]) -> None:
    """Wait until something that nobody announces is so."""

    async def look() -> bool:
        return is_so()

    await until_true(look)


async def until_true(is_so: Callable[[], Coroutine[Any, Any, bool]]) -> None:
    """Wait until something that has to be asked for is so."""
    end = time.monotonic() + LIMIT
    while not await is_so():
        assert time.monotonic() < end, "it has not happened"
        await asyncio.sleep(0.02)


async def exchange(sender: Connected, receivers: Sequence[Connected], text: str) -> None:
    """Send a message and see that everybody in the meeting gets it, next, and as it was sent."""
    async with limited():
        await sender.send_text(text)
        for receiver in receivers:
            assert await receiver.recv() == (1, text.encode())
