"""`joingate demo --keep`: everything stays up, and a browser can come in as from any of the demo's territories."""

import asyncio
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from joingate.demo.cast import DOORS, NOWHERE, ORDERED
from joingate.demo.doors import Doors
from joingate.demo.folder import Folder
from joingate.demo.gate_process import GateError, GateProcess
from joingate.demo.participant import Participant
from joingate.demo.table import Paint, table

_SMALL_TALK = 4.0  # seconds between two messages of each participant: a pace that people can read
_LOOK = 0.5


async def keep_open(participants: Sequence[Participant], folder: Folder, gate: GateProcess, paint: Paint) -> None:
    """Keep meeting server, gate and participants up until cancelled; Enter puts the order in force and lifts it.

    Raises:
        GateError: the gate has ended.
    """
    async with Doors(DOORS, gate.port) as doors:
        print(f"\n{paint('Everything keeps running', 'bold')}. Join from a browser:\n")
        rows = [
            (place.name, paint(f"http://127.0.0.1:{port}/#as={_written(place.territory)}&meeting={ORDERED}", "cyan"))
            for place, port in doors.ports.items()
        ]
        for line in table(paint, ("as from", "page"), rows):
            print(f"   {line}")
        print(f"\n   The gate's own page: {paint(f'{gate.admin_url}/', 'cyan')}")
        print(f"   Its rules: {folder.order.parent}; kill -HUP {gate.pid} loads them anew\n")
        for participant in participants:
            participant.pause = _SMALL_TALK
            participant.talk()
        with _enter_pressed() as pressed:
            if sys.stdin.isatty():
                print("   Enter puts the order in force, and lifts it again. Ctrl-C ends everything.")
            else:
                print("   Ctrl-C ends everything.")
            await _obey(pressed, participants, folder, gate, paint)


async def _obey(
    pressed: asyncio.Event, participants: Sequence[Participant], folder: Folder, gate: GateProcess, paint: Paint
) -> None:
    while True:
        try:
            async with asyncio.timeout(_LOOK):
                await pressed.wait()
        except TimeoutError:
            if not gate.is_running:
                raise GateError(f"the gate has ended\n{gate.log_tail()}") from None
            continue
        pressed.clear()
        if folder.order.exists():
            folder.lift_order()
            gate.reload()
            print(f"   {paint('The order is lifted', 'green')}: whoever was ejected can join again.")
        else:
            folder.put_order()
            gate.reload()
            print(f"   {paint('The order is in force', 'red')} in {ORDERED}, for CN.")
        await asyncio.sleep(_LOOK)
        inside = sorted({each.name for each in participants if each.is_inside and each.meeting == ORDERED})
        print(f"   Of the demo's people, in that meeting: {', '.join(inside)}.")


@contextmanager
def _enter_pressed() -> Iterator[asyncio.Event]:
    """Set an event whenever a line is entered at the terminal, where there is one."""
    pressed = asyncio.Event()
    if not sys.stdin.isatty():
        yield pressed
        return

    def read() -> None:
        if sys.stdin.readline():
            pressed.set()
        else:
            loop.remove_reader(sys.stdin)  # Ctrl-D: nothing more is entered, everything stays up

    loop = asyncio.get_running_loop()
    loop.add_reader(sys.stdin, read)
    try:
        yield pressed
    finally:
        loop.remove_reader(sys.stdin)


def _written(territory: str) -> str:
    return "nowhere" if territory == NOWHERE else territory
