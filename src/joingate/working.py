"""The worker's side of a gate of several processes: it serves, and does what its supervisor asks.

The supervisor loads, declares, watches files and counts for all; a worker judges by what it is handed. Should the
supervisor go, however that comes about, the worker drains and goes too: nobody serves unseen, or keeps the port.
"""

import asyncio
import gc
import logging
import signal
import socket
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack

import uvloop

from joingate.aside import look_at_everything_once, out_of_the_way
from joingate.core.errors import RefusedInputError
from joingate.core.rule_set import RuleSet
from joingate.geodb.atlas import Atlas
from joingate.ledger.journal import Journal
from joingate.ledger.role import Role
from joingate.loading import Loaded, Part, databases_of
from joingate.parcel import unpack
from joingate.serving import Serving, log_defect
from joingate.settings import Settings
from joingate.workers.channel import Channel, Message

_log = logging.getLogger("joingate")


def live(settings: Settings, place: int, fds: Sequence[int]) -> None:
    """Be a worker until it has drained.

    Args:
        settings: the configuration.
        place: among gate.workers, from 0.
        fds: of the channel, two; then of the sockets to listen on.
    """
    for handler in logging.getLogger().handlers:
        handler.setFormatter(logging.Formatter(f"joingate: %(levelname)s: worker {place + 1}: %(message)s"))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_Working(settings, place, [socket.socket(fileno=fd) for fd in fds]).run())


class _Working:
    def __init__(self, settings: Settings, place: int, sockets: Sequence[socket.socket]) -> None:
        self._settings = settings
        self._place = place
        self._talking, self._passing, *self._listening = sockets
        self._stop = asyncio.Event()
        self._stack = AsyncExitStack()
        self._serving: Serving
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(log_defect)
        loop.add_signal_handler(signal.SIGTERM, self._stop.set)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
        channel = await Channel.over(self._talking, self._passing)
        answering = loop.create_task(self._answer_all(channel))
        await self._stop.wait()
        async with self._stack:
            if hasattr(self, "_serving"):
                draining = loop.create_task(self._serving.drain())
                await asyncio.sleep(0)  # nothing is accepted any more
                channel.send({"leaves": True})
                await draining
        answering.cancel()
        channel.close()

    async def _answer_all(self, channel: Channel) -> None:
        """Answer each question on its own: how things stand can be told while people are ejected."""
        while (received := await channel.receive()) is not None:
            message, fds = received
            if message["ask"] == "drain":
                self._stop.set()
                continue
            task = asyncio.get_running_loop().create_task(self._answer(channel, message, fds))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        self._stop.set()

    async def _answer(self, channel: Channel, message: Message, fds: list[int]) -> None:
        answers: dict[str, Callable[[], Awaitable[Message]]] = {
            "begin": lambda: self._begin(message, fds),
            "serve": self._serve,
            "prepare": lambda: self._prepare(message, fds),
            "preview": self._preview,
            "take": lambda: self._take(Part(message["part"])),
            "discard": self._discard,
            "share": self._share,
            "census": lambda: self._census(message["meeting"]),
        }
        try:
            answer = await answers[message["ask"]]()
        except RefusedInputError as error:
            answer = {"refused": list(error.problems)}
        except Exception as error:  # noqa: BLE001 - logged whole, and the supervisor told
            _log.exception("defect: a question of the supervisor's goes unanswered")
            answer = {"refused": [f"{type(error).__name__}: a defect of joingate; its traceback is in the log"]}
        channel.send({**answer, "number": message["number"]})

    async def _begin(self, message: Message, fds: list[int]) -> Message:
        """Stand ready to serve by what comes with the message."""
        gc.disable()  # as in a gate of one process (joingate.app)
        in_use = await asyncio.to_thread(_unpack_all, message["parts"], fds, None)
        rules, atlas = in_use[Part.RULES], in_use[Part.GEODB]
        if not isinstance(rules, RuleSet) or not isinstance(atlas, Atlas):
            raise TypeError("a worker is begun with rules and databases")
        journal = Journal(self._settings.ledger.path, role=Role.FOLLOWER)
        journal.open()
        journal.follow_databases(databases_of(atlas))
        journal.follow_rules(rules)
        gc.freeze()
        look_at_everything_once()
        gc.enable()
        self._serving = Serving(self._settings, (rules, atlas), journal, place=self._place, is_alone=False)
        return {}

    async def _serve(self) -> Message:
        self._serving.begin(self._stack)
        await self._serving.listen(self._listening)
        return {}

    async def _prepare(self, message: Message, fds: list[int]) -> Message:
        replacing = self._serving.replacing
        with out_of_the_way():
            await replacing.prepare(await asyncio.to_thread(_unpack_all, message["parts"], fds, replacing.atlas))
        return {}

    async def _preview(self) -> Message:
        return {"would_eject": await self._serving.replacing.preview()}

    async def _take(self, part: Part) -> Message:
        return {"effect": await self._serving.replacing.take(part)}

    async def _discard(self) -> Message:
        await self._serving.replacing.discard()
        return {}

    async def _share(self) -> Message:
        return {"share": self._serving.share(), "revision": self._serving.gate.rules.revision}

    async def _census(self, meeting: str) -> Message:
        return {"places": self._serving.count_places(meeting)}


def _unpack_all(parts: Sequence[tuple[str, int]], fds: Sequence[int], in_use: Atlas | None) -> dict[Part, Loaded]:
    """Unpack each part, in their order, from as many descriptors as it was packed into.

    Raises:
        RefusedInputError: they did not all arrive.
    """
    if sum(size for _, size in parts) != len(fds):
        raise RefusedInputError("too many open files; raise the limit (LimitNOFILE=, ulimit -n), and restart the gate")
    loaded: dict[Part, Loaded] = {}
    at = 0
    for part, size in parts:
        loaded[Part(part)] = unpack(fds[at : at + size], in_use)
        at += size
    return loaded
