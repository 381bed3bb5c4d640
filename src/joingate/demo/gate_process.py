"""The gate as an operator runs it: a process of its own, told by signals, known by what it answers and logs."""

import asyncio
import contextlib
import os
import secrets
import signal
import socket
import sys
from pathlib import Path

from aiohttp import ClientError, ClientSession, ClientTimeout

from joingate.core.errors import JoingateError

_START = 60.0  # seconds; a slow machine with other work imports for many
_STOP = 5.0
_TAIL = 30  # lines of log worth showing
_PORTS = range(10_000, 32_000)


class GateError(JoingateError):
    """The gate did not start, or is not there any more; its text ends with what the gate logged last."""


class GateProcess:
    """`joingate serve` as a child, with its log in a file.

    Attributes:
        port: of 127.0.0.1, where participants join.
        admin_url: of its admin service, without a slash at the end.
    """

    def __init__(self, settings: Path, *, port: int, admin_port: int, log: Path) -> None:
        self.port = port
        self.admin_url = f"http://127.0.0.1:{admin_port}"
        self._settings = settings
        self._log = log
        self._child: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int:
        """The child's process id; 0 when there is none."""
        return self._child.pid if self._child is not None else 0

    @property
    def is_running(self) -> bool:
        """Whether the child is there."""
        return self._child is not None and self._child.returncode is None

    async def start(self) -> None:
        """Start the child and wait until it says that it is ready.

        Raises:
            GateError: it ended, or was not ready in time.
        """
        with self._log.open("wb") as log:
            self._child = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "joingate", "serve", "--config", str(self._settings)),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C reaches the demo alone, which then ends the gate
            )
        try:
            async with asyncio.timeout(_START), ClientSession(timeout=ClientTimeout(total=2.0)) as session:
                while not await self._is_ready(session):
                    if not self.is_running:
                        raise GateError(f"the gate ended with status {self._child.returncode}\n{self.log_tail()}")
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise GateError(f"the gate was not ready after {_START:.0f} s\n{self.log_tail()}") from None

    async def _is_ready(self, session: ClientSession) -> bool:
        try:
            async with session.get(f"{self.admin_url}/readyz") as answer:
                return answer.status == 200
        except (ClientError, TimeoutError, OSError):
            return False

    def reload(self) -> None:
        """Send SIGHUP.

        Raises:
            GateError: the gate has ended.
        """
        if self._child is not None and self._child.returncode is None:  # else its number may be another's by now
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGHUP)
                return
        raise GateError(f"the gate is not running any more\n{self.log_tail()}")

    async def stop(self) -> None:
        """End the child, by force if it does not go by itself."""
        if self._child is None or not self.is_running:
            return
        for send in (self._child.terminate, self._child.kill):
            with contextlib.suppress(ProcessLookupError):
                send()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_STOP):
                    await self._child.wait()
                return

    def log_tail(self) -> str:
        """Return the last lines that the gate wrote."""
        try:
            lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            lines = []
        return "\n".join(lines[-_TAIL:]) or "it logged nothing"


def free_ports(count: int) -> list[int]:
    """Choose `count` ports of 127.0.0.1 that nobody listens on; they are free again on return.

    The system hands out higher ones (ip_local_port_range): nobody who asks it for one is given one of these meanwhile.
    """
    found: list[int] = []
    with contextlib.ExitStack() as held:
        while len(found) < count:
            port = secrets.choice(_PORTS)
            with contextlib.suppress(OSError):
                held.enter_context(socket.socket()).bind(("127.0.0.1", port))
                found.append(port)
    return found
