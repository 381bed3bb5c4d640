"""How workers are kept where no real one can easily be made to fail; the rest is in test_serve_workers.py."""

import asyncio
import os
from collections.abc import Sequence

import pytest

from joingate.workers import keeping
from joingate.workers.keeping import LONGEST_PAUSE, CannotServeError, Keeping, _pause_after
from joingate.workers.nursery import Nursery, NurseryGoneError
from joingate.workers.worker import NoAnswerError, Worker
from tests.edges.gate_fixture import LIMIT, eventually


def test_the_first_to_die_young_is_replaced_at_once_and_the_next_ones_later_and_later() -> None:
    pauses = [_pause_after(died_young) for died_young in range(12)]
    assert pauses[:3] == [0.0, 0.0, 0.25]
    assert pauses == sorted(pauses)
    assert pauses[-1] == LONGEST_PAUSE == _pause_after(10**6)


def nothing(place: int, fds: Sequence[int]) -> None:
    """Be a worker that ends at once."""


@pytest.fixture
def nursery() -> Nursery:
    return Nursery(nothing)


async def test_a_worker_that_ends_before_it_serves_cannot_be_started(nursery: Nursery) -> None:
    gone: list[Worker] = []
    vacated: list[int] = []

    async def ask(worker: Worker) -> None:
        await worker.ask("serve")

    kept = Keeping(2, lambda place: Worker.begin(nursery, place, []), ask, gone=gone.append, vacate=vacated.append)
    with pytest.raises(NoAnswerError, match=r"^worker [12] (is gone|does not answer)$"):
        await kept.start()
    async with asyncio.timeout(LIMIT):
        await eventually(lambda: not kept.present)
    assert gone
    nursery.close()


async def test_a_place_that_cannot_be_filled_says_why_until_it_can(
    nursery: Nursery, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(keeping, "FIRST_PAUSE", 0.01)
    begun: list[Worker] = []

    async def begin(place: int) -> Worker:
        begun.append(await Worker.begin(nursery, place, []))
        return begun[-1]

    async def serve(_: Worker) -> None:
        if 1 < len(begun) < 4:
            raise CannotServeError(["no room", "no time"])

    vacated: list[int] = []
    kept = Keeping(1, begin, serve, gone=lambda _: None, vacate=vacated.append)
    await kept.start()
    (place,) = kept.places
    async with asyncio.timeout(LIMIT):
        await eventually(lambda: place.problem is not None)
    assert (place.worker, place.problem) == (None, "worker 1 cannot be replaced: no room; no time")
    async with asyncio.timeout(LIMIT):
        await eventually(lambda: place.restarts > 0)
    assert caplog.text.count("worker 1 cannot be replaced: no room; no time") == 2
    assert vacated == [0, 0], "nobody waits where nobody serves"
    await kept.let_go()
    await kept.see_off(10)
    nursery.close()


async def test_without_a_nursery_no_worker_is_begun() -> None:
    nursery = Nursery(nothing)
    os.kill(nursery.pid, 9)
    with pytest.raises(NurseryGoneError, match="is gone; restart the gate"):
        await Worker.begin(nursery, 0, [])
    nursery.close()
