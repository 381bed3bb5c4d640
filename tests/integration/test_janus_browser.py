"""A real browser in a Janus room through the gate: it joins, is ejected, shows the reason; and is refused in band."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from joingate.demo.cast import DOORS
from joingate.demo.doors import Doors
from tests.edges.served import DE, LIMIT
from tests.integration.gate_in_front import order_against
from tests.integration.janus_behind_gate import janus_behind_gate
from tests.integration.stage import shoot
from tests.integration.test_janus import ROOM, make_rooms, person

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

# As janus.js speaks: subprotocol, transactions, an ack before every event. A client that knows nothing of joingate.
PAGE = """
<!doctype html><title>Room</title><h1>Room</h1><p id="state">connecting</p><ul id="log"></ul>
<script>
const show = (text) => document.querySelector("#state").textContent = text;
const socket = new WebSocket("URL", "janus-protocol");
let session, handle, asked = 0;
const ask = (janus, more) => socket.send(JSON.stringify({janus, transaction: `t${++asked}`, ...more}));
socket.onopen = () => ask("create");
socket.onmessage = ({data}) => {
  const said = JSON.parse(data);
  const item = document.createElement("li");
  item.textContent = said.janus;
  document.querySelector("#log").append(item);
  if (said.janus === "success" && !session) {
    session = said.data.id;
    ask("attach", {session_id: session, plugin: "janus.plugin.videoroom"});
  } else if (said.janus === "success" && !handle) {
    handle = said.data.id;
    ask("message", {session_id: session, handle_id: handle,
                    body: {request: "join", ptype: "publisher", room: "ROOM", id: "mei"}});
  } else if (said.janus === "event") {
    const told = said.plugindata.data;
    if (told.error) show(`Janus says: ${told.error}`);
    else if (told.videoroom === "joined") show("in the room");
  }
};
socket.onclose = ({code, reason}) => show(`${code}: ${reason}`);
</script>
"""


async def open_room(page: "Page", port: int) -> None:
    await page.set_content(PAGE.replace("URL", f"ws://127.0.0.1:{port}/janus").replace("ROOM", ROOM))


async def state(page: "Page", begins: str) -> str:
    """Wait until the page shows what begins so, and return it whole."""
    found = page.locator("#state", has_text=begins)
    await found.wait_for(timeout=LIMIT * 1000)
    return (await found.text_content()) or ""


async def test_a_browser_is_ejected_and_shows_why(browser: "Browser", tmp_path: Path, demo_mmdb: Path) -> None:
    async with (
        janus_behind_gate(tmp_path, demo_mmdb) as (_, gate),
        Doors(DOORS, gate.port) as doors,
        person(gate, DE) as alice,
    ):
        ports = {place.territory: doors.ports[place] for place in DOORS}
        await make_rooms(alice, ROOM)
        await alice.join(ROOM, "alice")
        page = await browser.new_page()
        await open_room(page, ports["CN"])
        assert await state(page, "in the room") == "in the room"
        await order_against(gate, ROOM)
        told = await state(page, "4451")
        assert told.startswith("4451: legal order cac-1 until ")
        assert ", receipt " in told
        await shoot(page, "janus-ejected")
        assert await alice.client.inside(alice.session, alice.handle, ROOM) == {"alice"}

        again = await browser.new_page()
        await open_room(again, ports["CN"])
        assert (await state(again, "Janus says")).startswith("Janus says: legal order cac-1 until ")
        await shoot(again, "janus-refused")
        elsewhere = await browser.new_page()
        await open_room(elsewhere, ports["HK"])
        assert await state(elsewhere, "in the room") == "in the room"
        for each in (page, again, elsewhere):
            await each.close()
