"""The demo: a real meeting server, the gate in front of it, real participants, and one order that comes and goes.

cast.py             who takes part, from which address, in which meeting
networks.csv        where those addresses are
folder.py           the gate's configuration, database and rules, in a temporary folder
meeting_server.py   rooms over WebSocket; knows nothing of the gate
page.html           its page to join from
gate_process.py     the gate, as a child process
participant.py      a WebSocket client that talks in numbered messages
hearing.py          what a listener has missed
story.py            what happens, in order
findings.py         what is claimed, and whether it was seen
doors.py, open_house.py   with `--keep`: joining from a browser, as from any of those territories
table.py            aligned tables, colour only on a terminal
"""

import asyncio
import contextlib
import signal
import sys
import time
from io import TextIOWrapper
from pathlib import Path
from tempfile import TemporaryDirectory

from joingate.core.errors import RefusedInputError
from joingate.demo.folder import Folder
from joingate.demo.gate_process import GateError, GateProcess, free_ports
from joingate.demo.meeting_server import MeetingServer
from joingate.demo.open_house import keep_open
from joingate.demo.story import Story
from joingate.demo.table import Paint


def run(*, keep: bool, color: bool) -> int:
    """Play the demo and print what was observed.

    Args:
        keep: leave everything running afterwards, with a page to join from, until it is interrupted.
        color: whether the output goes to somebody who sees colours.

    Returns:
        0 when every claim was seen, else 1.

    Raises:
        RefusedInputError: this is not Linux.
    """
    if not sys.platform.startswith("linux"):
        raise RefusedInputError(
            "joingate demo: participants need an address each, and only Linux has all of 127.0.0.0/8; run it there"
        )
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # whoever reads through a pipe sees it happen too
    paint = Paint(color=color)
    try:
        return asyncio.run(_play(paint, keep=keep))
    except (KeyboardInterrupt, asyncio.CancelledError):
        print("\nInterrupted. Everything that was started has been stopped.")
        return 1


async def _play(paint: Paint, *, keep: bool) -> int:
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, _cancel, asyncio.current_task())
    print(paint("joingate demo", "bold"))
    print("A meeting server, the gate in front of it, and people from six territories: all on this machine, all real")
    print("connections, each from an address of its own. What follows was observed, line by line.")
    began = time.monotonic()
    with TemporaryDirectory(prefix="joingate-demo-") as temporary:
        path = Path(temporary)
        async with MeetingServer() as server:
            gate_port, admin_port = free_ports(2)
            folder = Folder(path)
            await asyncio.to_thread(
                folder.lay_out, gate_port=gate_port, upstream_port=server.port, admin_port=admin_port
            )
            gate = GateProcess(folder.settings, port=gate_port, admin_port=admin_port, log=path / "gate.log")
            story = Story(folder, gate, server.port, paint)
            try:
                await gate.start()
                await story.tell()
                passed = _conclude(story, gate, paint, time.monotonic() - began)
                if keep:
                    with contextlib.suppress(asyncio.CancelledError):  # Ctrl-C is how this ends; the verdict stands
                        await keep_open(story.participants, folder, gate, paint)
            except GateError as error:
                print(f"\n{paint('Failed', 'red', 'bold')}: {error}")
                passed = False
            finally:
                await asyncio.gather(*(participant.leave() for participant in story.participants))
                await gate.stop()
    return 0 if passed else 1


def _cancel(task: "asyncio.Task[int] | None") -> None:
    if task is not None:
        task.cancel()


def _conclude(story: Story, gate: GateProcess, paint: Paint, seconds: float) -> bool:
    """Print every claim and the verdict."""
    findings = story.findings
    print(f"\n{paint('Claims', 'bold')}\n")
    for line in findings.lines(paint):
        print(f"   {line}")
    in_all = len(findings.noted)
    if not findings.failed:
        print(f"\n{paint('Passed', 'green', 'bold')}: all {in_all} claims were seen, in {seconds:.1f} s.")
        return True
    print(f"\n{paint('Failed', 'red', 'bold')}: {len(findings.failed)} of {in_all} claims were not seen:")
    for claim in findings.failed:
        print(f"   {claim}")
    print(f"\nThe gate's last words:\n{gate.log_tail()}")
    return False
