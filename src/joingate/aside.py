"""How loading and collecting keep out of the way of everybody's messages, though they share an interpreter with them.

A thread that parses a hundred thousand rules keeps the interpreter busy for seconds. The event loop gets it back when
it asks, after the switch interval: 5 ms by default, at every turn of the loop. And the garbage collector, which
everything waits for, would go through all that has been made so far again and again, and find nothing.
"""

import asyncio
import contextlib
import gc
import os
import sys
from collections.abc import Callable, Iterator
from typing import Final, TypeVar

_T = TypeVar("_T")

INTERVAL: Final = 0.0001
"""Seconds for which the event loop waits for a thread to let go: a fiftieth of the default, since a message passes the
loop twice. Each switch costs some microseconds, and only while a reload is under way."""


MANY: Final = 100_000
"""New objects that the collector is not shown: to go through them takes it some 10 ms, at every full collection."""


@contextlib.contextmanager
def out_of_the_way() -> Iterator[None]:
    """Load inside this block, and put what was loaded in use; no collection comes between.

    Where much was loaded, everything that is there now is frozen out of the collector's sight. It is freed when nothing
    refers to it any more, connections too: the data plane leaves no cycles, and tests/edges/test_gate_garbage.py holds
    that. Whatever else happened to wait for a collection at that moment stays for good, a little at each such reload.
    """
    before = sys.getswitchinterval()
    sys.setswitchinterval(min(before, INTERVAL))
    gc.disable()
    try:
        yield
        if gc.get_count()[0] > MANY:
            gc.freeze()
    finally:
        gc.enable()
        sys.setswitchinterval(before)


async def beside(load: Callable[[], _T]) -> _T:
    """Load in a thread that lets the event loop have the processor from the beginning, where they share one.

    Linux lets a thread that has just woken keep its processor for a slice, some milliseconds, whoever else wakes there
    meanwhile; a message that came just then waited for all of it. This thread gives its slice away: whoever wakes goes
    before it, and where nobody does, it goes on at once.
    """

    def stand_back() -> _T:
        os.sched_yield()
        return load()

    return await asyncio.to_thread(stand_back)


def look_at_everything_once() -> None:
    """Freeze, from now on, whatever has survived a full collection.

    Otherwise each goes through every connection there is, and everybody waits: a twentieth of a second with 9,000
    participants, again and again while they join. This is as sound as freezing in `out_of_the_way`, and for the same
    reason. What is new is looked through more often in turn, so that there is less of it.
    """
    gc.set_threshold(*gc.get_threshold()[:2], 1)
    gc.callbacks.append(_freeze_survivors)


def _freeze_survivors(phase: str, info: dict[str, int]) -> None:
    if phase == "stop" and info["generation"] == 2:
        gc.freeze()
