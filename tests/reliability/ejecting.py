"""Ejections when the meeting server's own interface cannot be asked: cut all the same, and not called done."""

import asyncio
from typing import Final

from tests.edges.served import CN, HK, exchange, limited, order
from tests.reliability.scenario import Scenario
from tests.reliability.stage import Stage

UNREACHABLE: Final = """\
keeps_after_close = 30.0
[upstream.admin]
url = "http://127.0.0.1:9/remove/{meeting}/{participant}"
present_url = "http://127.0.0.1:9/is/{meeting}/{participant}"
"""


async def nobody_to_ask(stage: Stage, times: int) -> None:
    """Eject people from a meeting while nobody listens where the meeting server should be asked."""
    gate = stage.gate
    meant = [await gate.join("mixed", CN, f"meant-{number}") for number in range(times)]
    spared = await gate.join("mixed", HK, "spared")
    gate.folder.write("mixed.toml", order("cac-2", ["mixed"]))
    gate.sighup()
    async with limited():
        for code, _ in await asyncio.gather(*(each.recv_close() for each in meant)):
            stage.saw(f"Close {code}")
    status = await gate.status_when(lambda status: bool(status["problems"]))
    stage.expect(status["ejections"]["under_way"] == times, "an ejection counts as done that nobody has confirmed")
    stage.expect(await gate.rejected("mixed", CN) == 451, "whoever was ejected came back")
    await exchange(spared, [spared], "still here")
    stage.state = "degraded"
    stage.only("Close 4451")


async def nobody_reads(stage: Stage, times: int) -> None:
    """Eject people who neither answer the Close nor read it."""
    gate = stage.gate
    meant = [await gate.join("mixed", CN, f"meant-{number}") for number in range(times)]
    for each in meant:
        each.reader._transport.pause_reading()  # type: ignore[attr-defined]  # StreamReader has no word for it
    gate.folder.write("mixed.toml", order("cac-2", ["mixed"]))
    gate.sighup()
    await stage.alone()
    for each in meant:
        each.reader._transport.resume_reading()  # type: ignore[attr-defined]  # likewise
    async with limited():
        for code, _ in await asyncio.gather(*(each.recv_close() for each in meant)):
            stage.saw(f"Close {code}")
    stage.only("Close 4451")


EJECTING: Final = (
    Scenario(
        "the meeting server's interface refuses connections during an ejection",
        "cut with 4451, an alarm and not called done, no way back in; whoever is not meant stays",
        nobody_to_ask,
        3,
        50,
        upstream=UNREACHABLE,
    ),
    Scenario(
        "the ejected neither read nor answer their Close",
        "cut `gate.close_timeout` later; whoever is not meant stays",
        nobody_reads,
        10,
        500,
        gate="close_timeout = 1.0",
    ),
)
