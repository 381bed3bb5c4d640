"""One worker, as its supervisor knows it: where it stands, and what it answers."""

import asyncio
import contextlib
import itertools
import os
import signal
from collections.abc import Sequence
from enum import StrEnum
from socket import socketpair
from typing import Final, Self

from joingate.workers.channel import Channel, Message
from joingate.workers.nursery import Nursery

ANSWER_SECONDS: Final = 5.0
"""For an answer that needs no work; HAProxy's watchdog gives a thread about as long before it takes it for stuck."""


class State(StrEnum):
    """Where a worker stands."""

    STARTING = "starting"
    SERVING = "serving"
    DRAINING = "draining"  # accepts nothing; whoever is inside has the time of grace
    GONE = "gone"


class NoAnswerError(Exception):
    """A worker is gone, or does not answer in time; the text says which."""


class Worker:
    """See the module.

    Attributes:
        place: from 0; people are told it from 1.
        state: where it stands.
        is_silent: whether it has left the last question unanswered.
        leaves: set as soon as it accepts no more connections: another has to.
        gone: set when the process is no more.
    """

    def __init__(self, place: int, pid: int, channel: Channel) -> None:
        """Use `begin` instead."""
        self.place = place
        self.state = State.STARTING
        self.is_silent = False
        self.leaves = asyncio.Event()
        self.gone = asyncio.Event()
        self._pid = pid
        self._channel = channel
        self._numbers = itertools.count()
        self._waiting: dict[int, asyncio.Future[Message]] = {}
        self._listening = asyncio.get_running_loop().create_task(self._listen())

    @classmethod
    async def begin(cls, nursery: Nursery, place: int, fds: Sequence[int]) -> Self:
        """Begin a process.

        Args:
            nursery: where it comes from.
            place: which of the workers it is.
            fds: what it is handed behind its two ends of the channel; they stay open here.

        Raises:
            NurseryGoneError: there is none, now or later.
            OSError: there is none for now.
        """
        (talk, their_talk), (passing, their_passing) = socketpair(), socketpair()
        try:
            try:
                pid = nursery.begin(place, [their_talk.fileno(), their_passing.fileno(), *fds])
            finally:
                their_talk.close()
                their_passing.close()
            return cls(place, pid, await Channel.over(talk, passing))
        except BaseException:  # a process that has begun already ends with its channel
            talk.close()
            passing.close()
            raise

    def __str__(self) -> str:
        """Call it what people are told it is."""
        return f"worker {self.place + 1}"

    async def ask(
        self, question: str, fds: Sequence[int] = (), *, seconds: float = ANSWER_SECONDS, **more: object
    ) -> Message:
        """Ask, and wait for the answer.

        Raises:
            NoAnswerError: there is none.
        """
        number = next(self._numbers)
        waiting: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._waiting[number] = waiting
        try:
            if self.gone.is_set():
                raise NoAnswerError(f"{self} is gone")
            self._channel.send({"ask": question, "number": number, **more}, fds)
            async with asyncio.timeout(seconds):
                answer = await waiting
        except (TimeoutError, OSError):
            self.is_silent = True
            raise NoAnswerError(f"{self} does not answer") from None
        finally:
            del self._waiting[number]
        self.is_silent = False
        return answer

    def leave(self) -> None:
        """Ask it to drain and end; no answer comes but its end."""
        with contextlib.suppress(OSError):
            self._channel.send({"ask": "drain", "number": -1})

    def kill(self) -> None:
        """End it at once."""
        if not self.gone.is_set():  # as long as its end of the channel is open the process id is its own
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)

    async def _listen(self) -> None:
        while (received := await self._channel.receive()) is not None:
            message, _ = received
            if message.get("leaves"):
                self.state = State.DRAINING
                self.leaves.set()
            elif (waiting := self._waiting.get(message["number"])) is not None and not waiting.done():
                waiting.set_result(message)
        self.state = State.GONE
        self.leaves.set()
        self.gone.set()
        self._channel.close()
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(NoAnswerError(f"{self} is gone"))
