"""The demo as a stage for real browsers: meeting server, gate, and a door to it from each territory."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from joingate.demo.cast import DOORS, ORDERED, Person
from joingate.demo.doors import Doors
from joingate.demo.folder import Folder
from joingate.demo.gate_process import GateProcess, free_ports
from joingate.demo.meeting_server import MeetingServer

if TYPE_CHECKING:
    from playwright.async_api import Page, ViewportSize, WebSocket

DESKTOP: "ViewportSize" = {"width": 1280, "height": 900}
PHONE: "ViewportSize" = {"width": 390, "height": 844}

# Playwright says that a WebSocket was closed, not how; the page's own events do.
NOTE_CLOSES = """
window.closes = [];
window.WebSocket = class extends WebSocket {
  constructor(...given) {
    super(...given);
    this.addEventListener("close", (event) => window.closes.push([event.code, event.reason, event.wasClean]));
  }
};
"""


@dataclass(frozen=True, slots=True)
class Stage:
    """What is running, and where to knock."""

    folder: Folder
    gate: GateProcess
    doors: Doors

    def url(self, territory: str, path: str = "/") -> str:
        """Return the address of `path` as seen by somebody in `territory`."""
        return f"http://127.0.0.1:{self.doors.ports[self._place(territory)]}{path}"

    def _place(self, territory: str) -> Person:
        return next(place for place in DOORS if place.territory == territory)

    def order_comes(self) -> None:
        self.folder.put_order()
        self.gate.reload()

    def order_is_lifted(self) -> None:
        self.folder.lift_order()
        self.gate.reload()


@asynccontextmanager
async def put_up(path: Path, *, websocket_reject: str = "http") -> AsyncIterator[Stage]:
    """Start everything, without an order, on ports that the system chooses."""
    async with MeetingServer() as server:
        gate_port, admin_port = free_ports(2)
        folder = Folder(path)
        await asyncio.to_thread(folder.lay_out, gate_port=gate_port, upstream_port=server.port, admin_port=admin_port)
        settings = folder.settings.read_text()
        folder.settings.write_text(settings.replace("[gate]\n", f'[gate]\nwebsocket_reject = "{websocket_reject}"\n'))
        gate = GateProcess(folder.settings, port=gate_port, admin_port=admin_port, log=path / "gate.log")
        try:
            await gate.start()
            async with Doors(DOORS, gate.port) as doors:
                yield Stage(folder, gate, doors)
        finally:
            await gate.stop()


@dataclass  # no slots: Playwright notes its handlers on the object that they belong to
class Visitor:
    """A browser page in the demo's room, and everything that its WebSockets carried.

    Attributes:
        sockets: every WebSocket that the page has opened.
        heard: by sender, the numbers of the messages received, in the order of their arrival.
        said: numbers of the messages sent.
        errors: exceptions that the page's script let out.
    """

    name: str
    page: "Page"
    sockets: "list[WebSocket]" = field(default_factory=list)
    heard: dict[str, list[int]] = field(default_factory=dict)
    said: list[int] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    async def watch(self) -> None:
        """Take notes from now on."""
        self.page.on("websocket", self._opened)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        await self.page.add_init_script(NOTE_CLOSES)

    def _opened(self, socket: "WebSocket") -> None:
        self.sockets.append(socket)
        socket.on("framereceived", self._received)
        socket.on("framesent", lambda payload: self.said.append(json.loads(payload)["seq"]))

    def _received(self, payload: str | bytes) -> None:
        message = json.loads(payload)
        if "from" in message:
            self.heard.setdefault(message["from"], []).append(message["seq"])

    async def fill_in(self, url: str, meeting: str = ORDERED) -> None:
        """Open the page and ask to join."""
        await self.page.goto(f"{url}#meeting={meeting}")
        await self.page.get_by_label("Your name").fill(self.name)
        await self.page.get_by_role("button", name="Join").click()

    async def say(self, text: str) -> None:
        await self.page.get_by_placeholder("Say something").fill(text)
        await self.page.get_by_role("button", name="Send").click()

    async def closes(self) -> list[tuple[int, str, bool]]:
        """Return code, reason and cleanness of every Close that the page has seen."""
        return [(code, reason, clean) for code, reason, clean in await self.page.evaluate("window.closes")]


async def shoot(page: "Page", name: str) -> None:
    """Keep pictures of the page, wide and narrow, in the folder JOINGATE_SCREENSHOTS, if that is set."""
    if folder := os.environ.get("JOINGATE_SCREENSHOTS"):
        before = page.viewport_size
        for device, size in (("desktop", DESKTOP), ("phone", PHONE)):
            await page.set_viewport_size(size)
            await page.screenshot(path=Path(folder) / f"{name}-{device}.png", full_page=True)
        if before is not None:
            await page.set_viewport_size(before)
