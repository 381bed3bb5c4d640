"""Ejected, and gone? Every ejection is seen through on the meeting server too, and how it ended goes on record.

The connection is cut by then, and the order itself refuses what comes next. What is left: ask the server to remove the
participant, look whether it still has them, and ask again, less and less often. `confirmed` is recorded when the server
no longer has them, and not before; `still present` is recorded once, is an alarm for as long as it lasts, and may be
followed by `confirmed`.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from joingate.core.model import Join
from joingate.core.recording import Recorder
from joingate.servers.admin_client import AdminClient, ServerError, Whom

_log = logging.getLogger("joingate")

FIRST_PAUSE: Final = 0.1
"""Seconds before a participant who is still there is removed again: long enough for one who has just joined."""

LONGEST_PAUSE: Final = 30.0
TRIES: Final = 4
"""In vain, and the record says `still present`: after less than a second, or after four timeouts; but not before the
server has had the time that it keeps whose connections are gone, or LONGEST_KEPT."""

LONGEST_KEPT: Final = 60.0

AT_ONCE: Final = 32
"""Calls to the meeting server at the same time."""


class Removals:
    """The ejections that are not known to have ended (core.recording.Remover).

    Attributes:
        can_remove: whether there is an interface to do it by (Remover).
        still_present: participants who are cut off, and whom the server still has.
        problem: what the server said last when it could not be asked; None while it can.
    """

    def __init__(
        self,
        recorder: Recorder,
        client: AdminClient | None,
        keeps_after_close: float | None,
        close: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """Begin with none.

        Args:
            recorder: to which outcomes go.
            client: the server's interface; None where the operator has configured none.
            keeps_after_close: seconds that the server keeps a participant whose connections are gone; None: no limit.
            close: closes what the client uses.
        """
        self.can_remove = client is not None
        self._close = close
        self._recorder = recorder
        self._client = client
        self._keeps_after_close = keeps_after_close
        self._tasks: set[asyncio.Task[None]] = set()
        self._slots = asyncio.Semaphore(AT_ONCE)
        self.still_present = 0
        self.problem: str | None = None

    def __len__(self) -> int:
        return len(self._tasks)

    def remove(self, join: Join, seq: int) -> None:
        """See an ejection through (Remover)."""
        whom = Whom(join.meeting, join.participant, join.place)
        work = self._outlast(seq) if self._client is None else self._remove(self._client, whom, seq)
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _outlast(self, seq: int) -> None:
        """Without the server's word, only time tells: nobody could come back to what it kept."""
        if self._keeps_after_close is None:
            self._recorder.still_present(seq)
            self.still_present += 1
            await asyncio.get_running_loop().create_future()
        else:
            await asyncio.sleep(self._keeps_after_close)
            self._recorder.confirm(seq)

    async def _remove(self, client: AdminClient, whom: Whom, seq: int) -> None:
        pause, tries = FIRST_PAUSE, 0
        time = asyncio.get_running_loop().time
        patience = time() + min(self._keeps_after_close or 0, LONGEST_KEPT)
        is_told = False
        try:
            while not await self._is_gone(client, whom):
                tries += 1
                if not is_told and tries >= TRIES and time() >= patience:
                    is_told = True
                    self.still_present += 1
                    self._recorder.still_present(seq)
                    _log.error("an ejected participant is cut off, and still present on the meeting server")
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
            self._recorder.confirm(seq)
        finally:
            self.still_present -= is_told

    async def _is_gone(self, client: AdminClient, whom: Whom) -> bool:
        async with self._slots:
            try:
                await client.remove(whom)
                is_gone = not await client.is_present(whom)
            except ServerError as error:
                if str(error) != self.problem:
                    _log.error("meeting server: %s", error)
                self.problem = str(error)
                return False
            self.problem = None
            return is_gone

    async def close(self) -> None:
        """Give up on what is under way; the record says that it has no outcome."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._close is not None:
            await self._close()
