"""The supervisor's side of a gate of several processes: it makes workers ready, asks all of them, and adds up.

What it has loaded is in sealed memory (joingate.parcel), and so is what is in use: a worker that takes another's place
judges by exactly what the others judge by, whatever stands in the files by then.
"""

import asyncio
import logging
import os
import socket
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from joingate.core.census import census
from joingate.core.errors import RefusedInputError
from joingate.core.share import Share, add_up
from joingate.gate.binding import bind_beside
from joingate.gate.gate import Effect
from joingate.loading import Loaded, Part
from joingate.parcel import pack
from joingate.reload import NotReadyError
from joingate.replacing import together
from joingate.settings import Settings
from joingate.workers.channel import Message
from joingate.workers.keeping import CannotServeError, Keeping, Place
from joingate.workers.nursery import Nursery, NurseryGoneError
from joingate.workers.worker import NoAnswerError, Worker

_log = logging.getLogger("joingate")

WORK_SECONDS: Final = 60.0
"""For an answer that takes work: to read a hundred thousand rules out of memory takes one or two."""

SHARE_SECONDS: Final = 1.0
"""For a worker's part of the status: whoever asks for it has limits of their own, a second with Kubernetes' probes."""

LAST_WORDS: Final = 10.0
"""Seconds that a drained worker has to write the end of what it records."""

_REMEDY: Final = "Reload again; should that not help, end its process, and another takes its place"

_Parcels = Mapping[Part, Sequence[int]]
"""Descriptors of what was packed; the same object for as long as it is the same content."""


@dataclass(slots=True)
class _Known:
    """What a worker has been handed, and what it has said last."""

    handed: _Parcels | None = None
    ready: _Parcels | None = None
    share: Share = field(default_factory=Share)
    revision: str = ""


class Supervising:
    """All workers as one: what judges (reload.Judging), and what there is to know of it."""

    def __init__(
        self,
        settings: Settings,
        nursery: Nursery,
        in_use: Mapping[Part, Loaded],
        listening: Sequence[Sequence[socket.socket]],
    ) -> None:
        """Prepare.

        Args:
            settings: the configuration.
            nursery: where workers come from.
            in_use: what they are to judge by at first.
            listening: each place's sockets, bound, and kept open here while a worker is replaced.
        """
        self._settings = settings
        self._nursery = nursery
        self._listening = [list(sockets) for sockets in listening]
        self._addresses = [(each.family, each.getsockname()) for each in listening[0]]
        self._keeping = Keeping(
            settings.gate.workers, self._begin, self._make_serve, gone=self._gone, vacate=self._vacate
        )
        self._known: dict[Worker, _Known] = {}
        self._judging: set[Worker] = set()
        self._counted = Share()
        """By workers that are no more."""
        self._in_use: _Parcels = _pack_all(in_use)
        self._ready: _Parcels = {}
        self._renewing: asyncio.Task[None] | None = None
        self.is_ready = False
        self.is_draining = False

    # Workers

    async def start(self) -> None:
        """Have a worker serve in every place.

        Raises:
            RefusedInputError: with why the first that cannot does not.
        """
        try:
            await self._keeping.start()
        except CannotServeError as error:
            raise RefusedInputError(error.lines) from None
        except (NoAnswerError, NurseryGoneError, OSError) as error:
            raise RefusedInputError(f"gate.workers: {error}, and has not served; see what it logged") from None
        self.is_ready = True

    def renew_soon(self) -> None:
        """Put a fresh worker in every place, and refuse nobody meanwhile; once at a time."""
        if self._renewing is None or self._renewing.done():
            self._renewing = asyncio.get_running_loop().create_task(self._keeping.renew())

    async def drain(self) -> None:
        """Have everybody drain and end, within the time that the settings give."""
        self.is_draining = True
        gate = self._settings.gate
        if self._renewing is not None:
            self._renewing.cancel()
        await self._keeping.let_go()
        for sockets in self._listening:
            for each in sockets:
                each.close()
        _log.info("draining: %d participants inside", (await self.share()).participants)
        await self._keeping.see_off(gate.drain_seconds + gate.close_timeout + LAST_WORDS)
        self._nursery.close()

    async def lost(self) -> None:
        """Wait until nobody serves and nobody ever will; what comes then is for whoever restarts the gate."""
        await self._keeping.lost.wait()

    def _vacate(self, place: int) -> None:
        """Let nobody come to where nobody serves: the kernel spreads connections over the other places."""
        for each in self._listening[place]:
            if each.family != socket.AF_UNIX:  # whose queue is everybody's
                each.close()

    async def _begin(self, place: int) -> Worker:
        sockets = self._listening[place]
        for number, (family, address) in enumerate(self._addresses):
            if sockets[number].fileno() < 0:  # the place was vacated
                sockets[number] = bind_beside(family, address)
        worker = await Worker.begin(self._nursery, place, [each.fileno() for each in sockets])
        self._known[worker] = _Known()
        return worker

    async def _make_serve(self, worker: Worker) -> None:
        known = self._known[worker]
        while known.handed is not self._in_use:  # which a reload may replace while it makes itself ready
            question, handed = "begin" if known.handed is None else "prepare", self._in_use
            _refuse(await self._hand(worker, question, handed))
            if question == "prepare":
                for part in handed:
                    _refuse(await worker.ask("take", part=part, seconds=WORK_SECONDS))
            known.handed = handed
        self._judging.add(worker)  # from here on, whatever is asked of all is asked of it; and only then it serves
        _refuse(await worker.ask("serve", seconds=WORK_SECONDS))

    async def _hand(self, worker: Worker, question: str, parcels: _Parcels) -> Message:
        parts = [[part, len(fds)] for part, fds in parcels.items()]
        fds = [fd for each in parcels.values() for fd in each]
        return await worker.ask(question, fds, parts=parts, seconds=WORK_SECONDS)

    def _gone(self, worker: Worker) -> None:
        self._judging.discard(worker)
        self._counted = add_up((self._counted, self._known.pop(worker).share.gone()))

    # What all judge by (reload.Judging)

    async def prepare(self, loaded: Mapping[Part, Loaded]) -> None:
        """Have every worker stand ready to take these.

        Raises:
            NotReadyError: one is not.
        """
        ready = self._ready = await asyncio.to_thread(_pack_all, loaded)
        problems = await asyncio.gather(*(self._make_ready(worker, ready) for worker in self._judging))
        if (problem := next(filter(None, problems), None)) is not None:
            raise NotReadyError(f"{problem}; nothing is changed. {_REMEDY}")

    async def _make_ready(self, worker: Worker, ready: _Parcels) -> str | None:
        """Return why it is not; one that is gone does not count, as another will begin with what is in use then."""
        try:
            _refuse(await worker.ask("discard"))  # tells soon whether it answers at all
            _refuse(await self._hand(worker, "prepare", ready))
        except NoAnswerError as error:
            return None if worker.gone.is_set() else str(error)
        except CannotServeError as error:
            return f"{worker}: {error}"
        if (known := self._known.get(worker)) is not None:
            known.ready = ready
        return None

    async def preview(self) -> int:
        """Count whom the rules that are ready would eject, over all workers.

        Raises:
            NotReadyError: one does not say.
        """
        answers = await asyncio.gather(*(self._ask_ready(worker, "preview") for worker in self._judging))
        if problems := [answer for answer in answers if isinstance(answer, str)]:
            raise NotReadyError(f"{problems[0]}; nothing is changed. {_REMEDY}")
        return sum(answer["would_eject"] for answer in answers if isinstance(answer, dict))

    async def take(self, part: Part) -> Effect:
        """Have every worker judge by what is ready, and nobody go on judging by what is in use no more."""
        replaced = self._in_use[part]
        self._in_use = {**self._in_use, part: self._ready[part]}
        _close(replaced)
        asked = tuple(self._judging)
        answers = await asyncio.gather(*(self._ask_ready(worker, "take", part) for worker in asked))
        for worker, answer in zip(asked, answers, strict=True):
            if isinstance(answer, str):
                _log.error("%s; it is ended, so that one that judges by what is in use takes its place", answer)
                worker.kill()
        return together(Effect(**answer["effect"]) for answer in answers if isinstance(answer, dict))

    async def _ask_ready(self, worker: Worker, question: str, part: Part | None = None) -> Message | str | None:
        """Ask one that is ready, or is made so first; return its answer, or why there is none; None if it is gone."""
        ready, known = self._ready, self._known.get(worker)
        if known is None:
            return None
        if known.ready is not ready and (problem := await self._make_ready(worker, ready)) is not None:
            return problem
        try:
            return _refuse(await worker.ask(question, seconds=WORK_SECONDS, part=part))
        except NoAnswerError as error:
            return None if worker.gone.is_set() else str(error)
        except CannotServeError as error:
            return f"{worker}: {error}"

    async def discard(self) -> None:
        """Have every worker forget what was not taken."""
        ready, self._ready = self._ready, {}
        for part, fds in ready.items():
            if self._in_use.get(part) is not fds:
                _close(fds)
        await asyncio.gather(*(worker.ask("discard") for worker in self._judging), return_exceptions=True)

    # What there is to know

    async def share(self) -> Share:
        """Add up what all workers say; for one that does not answer, what it said last."""
        await asyncio.gather(*map(self._hear, tuple(self._judging)))
        return add_up([self._counted, *(self._known[worker].share for worker in self._judging)])

    async def _hear(self, worker: Worker) -> None:
        try:
            answer = _refuse(await worker.ask("share", seconds=SHARE_SECONDS))
        except (NoAnswerError, CannotServeError):
            return
        if (known := self._known.get(worker)) is not None:
            known.share, known.revision = Share(**answer["share"]), answer["revision"]

    async def census(self, meeting: str) -> dict[str, str]:
        """Say from where a meeting's participants come, in all workers together, as roughly as the census does."""
        total = Counter[str]()
        asked = (worker.ask("census", meeting=meeting) for worker in tuple(self._judging))
        for answer in await asyncio.gather(*asked, return_exceptions=True):
            if isinstance(answer, dict):
                total.update(answer.get("places", {}))
        return census(total)

    @property
    def problems(self) -> list[str]:
        """Say what an operator has to know at once."""
        silent = [f"{worker} does not answer" for worker in self._judging if worker.is_silent]
        return sorted(silent) + [each.problem for each in self._keeping.places if each.problem is not None]

    def places(self) -> list[dict[str, object]]:
        """Describe who serves, ready for JSON."""
        return [
            {
                "worker": place.number + 1,
                "state": _state_of(place),
                "restarts": place.restarts,
                "revision": None if place.worker not in self._known else self._known[place.worker].revision,
            }
            for place in self._keeping.places
        ]


def _state_of(place: Place) -> str:
    if place.worker is None:
        return "starting" if place.problem is None else "absent"
    return "silent" if place.worker.is_silent else str(place.worker.state)


def _refuse(answer: Message) -> Message:
    """Return an answer that is none of a refusal.

    Raises:
        CannotServeError: it is one.
    """
    if (refused := answer.get("refused")) is not None:
        raise CannotServeError(refused)
    return answer


def _pack_all(loaded: Mapping[Part, Loaded]) -> _Parcels:
    return {part: pack(each) for part, each in loaded.items()}


def _close(fds: Sequence[int]) -> None:
    for fd in fds:
        os.close(fd)
