"""Keeping a worker in every place: who goes is replaced at once, who goes young again and again less so."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Final

from joingate.workers.nursery import NurseryGoneError
from joingate.workers.worker import NoAnswerError, State, Worker

_log = logging.getLogger("joingate")

YOUNG: Final = 10.0
"""Seconds: a worker that goes sooner makes the next one wait; as systemd's StartLimitIntervalSec."""

LONGEST_PAUSE: Final = 10.0
FIRST_PAUSE: Final = 0.25

PATIENCE: Final = 1.0
"""Seconds that connections may wait in a place where nobody serves; if it is to take longer they come to the others."""


class CannotServeError(Exception):
    """A worker has begun, and says why it cannot serve: a line for each problem."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__("; ".join(lines))
        self.lines = lines


_NOT_FILLED: Final = (CannotServeError, NoAnswerError, NurseryGoneError, OSError)

Begin = Callable[[int], Awaitable[Worker]]
"""Begins a process for a place."""

MakeServe = Callable[[Worker], Awaitable[None]]
"""Has it serve; raises CannotServeError or NoAnswerError."""


@dataclass(slots=True)
class Place:
    """One of gate.workers.

    Attributes:
        number: from 0.
        worker: who serves there; None before the first, and while there is nobody.
        restarts: how often another took the place since the start.
        problem: why nobody can serve there.
    """

    number: int
    worker: Worker | None = None
    restarts: int = 0
    problem: str | None = None
    changing: asyncio.Lock = field(default_factory=asyncio.Lock)


class Keeping:
    """See the module.

    Attributes:
        places: in their order.
        present: every worker whose process is there, those that are draining too.
        lost: set when nobody is there, and nobody can be begun any more.
    """

    def __init__(
        self,
        places: int,
        begin: Begin,
        make_serve: MakeServe,
        *,
        gone: Callable[[Worker], None],
        vacate: Callable[[int], None],
    ) -> None:
        """Prepare.

        Args:
            places: how many.
            begin: begins a process.
            make_serve: has it serve.
            gone: called for each one whose process is no more.
            vacate: called for a place that stays empty: nobody is to wait there.
        """
        self.places = [Place(number) for number in range(places)]
        self.present: set[Worker] = set()
        self._begin = begin
        self._make_serve = make_serve
        self._gone = gone
        self._vacate = vacate
        self.lost = asyncio.Event()
        self._is_barren = False
        """Nobody can be begun any more."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._keeping: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Have a worker serve in every place, and from then on keep one there.

        Raises:
            CannotServeError: one cannot, and so probably none can.
            NoAnswerError: one has ended.
            NurseryGoneError, OSError: one could not be begun.
        """
        try:
            async with asyncio.TaskGroup() as group:
                for place in self.places:
                    group.create_task(self._fill(place))
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None
        self._keeping = [self._do(self._keep(place)) for place in self.places]

    async def renew(self) -> None:
        """Put a fresh worker in every place, one after the other; the one before leaves once the fresh one serves."""
        for place in self.places:
            async with place.changing:
                before = place.worker
                try:
                    await self._fill(place)
                except _NOT_FILLED as error:
                    _log.error("worker %d stays as it is: %s", place.number + 1, error)
                    return
                place.restarts += 1
                if before is not None:
                    before.leave()

    async def let_go(self) -> None:
        """Replace nobody any more, and have everybody drain and end."""
        for task in self._keeping:
            task.cancel()
        await asyncio.gather(*self._keeping, return_exceptions=True)
        for worker in tuple(self.present):
            worker.leave()

    async def see_off(self, seconds: float) -> None:
        """Wait until everybody has ended; after `seconds`, end them."""
        try:
            async with asyncio.timeout(seconds):
                await self._all_gone()
        except TimeoutError:
            for worker in tuple(self.present):
                _log.error("%s does not end; it is killed", worker)
                worker.kill()
            await self._all_gone()

    async def _all_gone(self) -> None:
        for worker in tuple(self.present):
            await worker.gone.wait()
        self.present.clear()

    async def _fill(self, place: Place) -> None:
        worker = await self._begin(place.number)
        self.present.add(worker)
        self._do(self._see_off(worker))
        try:
            await self._make_serve(worker)
        except BaseException:
            worker.kill()
            raise
        if worker.state is State.STARTING:
            worker.state = State.SERVING
        place.worker, place.problem = worker, None

    async def _see_off(self, worker: Worker) -> None:
        await worker.gone.wait()
        self.present.discard(worker)
        self._gone(worker)
        self._look_whether_lost()

    def _look_whether_lost(self) -> None:
        if self._is_barren and not self.present:
            self.lost.set()

    async def _keep(self, place: Place) -> None:
        """Fill a place again whenever whoever serves there leaves."""
        time = asyncio.get_running_loop().time
        died_young = 0
        while True:
            since, worker = time(), place.worker
            if worker is not None:
                await worker.leaves.wait()
            async with place.changing:
                if place.worker is not worker:
                    continue  # it was renewed
                if worker is not None:
                    _log.error(
                        "%s %s; another takes its place", worker, "has ended" if worker.gone.is_set() else "leaves"
                    )
                died_young = died_young + 1 if time() - since < YOUNG else 0
                place.worker = None
                if (pause := _pause_after(died_young)) > PATIENCE:
                    self._vacate(place.number)
                await asyncio.sleep(pause)
                try:
                    await self._fill(place)
                except Exception as error:  # noqa: BLE001 - whatever it is, the place is to be filled the next time
                    if not isinstance(error, _NOT_FILLED):
                        _log.exception("defect: a worker could not be begun")
                    place.problem = f"worker {place.number + 1} cannot be replaced: {error}"
                    _log.error("%s", place.problem)
                    self._vacate(place.number)
                    if isinstance(error, NurseryGoneError):
                        self._is_barren = True
                        self._look_whether_lost()
                        return
                    continue
                place.restarts += 1
                _log.info("worker %d serves again", place.number + 1)

    def _do(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def _pause_after(died_young: int) -> float:
    """Return for how long a place stays empty after so many have gone young in a row: after the first, not at all."""
    return 0.0 if died_young < 2 else min(FIRST_PAUSE * 2.0 ** min(died_young - 2, 10), LONGEST_PAUSE)
