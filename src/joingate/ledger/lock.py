"""The lock under which lines are appended, one process at a time, and the sign that a file of records was replaced.

The lock is flock(2) on an open file of its own for each History: it goes with the process, however that ends. A
process that is stopped while it holds the lock must not stop the others' event loops, so nobody waits long for it.
"""

import fcntl
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from joingate.ledger.trouble import LedgerUnavailableError

AT_ONCE: Final[tuple[float, ...]] = ()
BRIEFLY: Final = (0.0001,) * 20 + (0.0005,) * 16 + (0.002,) * 20
"""Seconds between tries: some 50 ms in all, thousands of times what an append takes. Where processors are short,
whoever holds it may have waited for one most of that; and to give up is to restrict nobody until the next try."""
PATIENTLY: Final = (0.001,) * 100 + (0.01,) * 490
"""Some 5 seconds: for starts and for threads of their own."""

_flock = fcntl.flock
_TAKE: Final = fcntl.LOCK_EX | fcntl.LOCK_NB
_GIVE: Final = fcntl.LOCK_UN


def lock_file(fd: int, path: Path, pauses: Iterable[float]) -> None:
    """Take the lock of an open file.

    Raises:
        LedgerUnavailableError: another holds it, after all `pauses` still.
        OSError: it cannot be locked.
    """
    for pause in (0.0, *pauses):
        if pause:
            time.sleep(pause)
        try:
            _flock(fd, _TAKE)
        except BlockingIOError:
            continue
        return
    raise LedgerUnavailableError(f"{path}: another process holds the lock")


class HistoryLock:
    """The file `lock`. Its size, always sparse, counts how often a file of records was replaced: the generation.

    A size can grow without a free block on the disk, and be read for the price of an lseek(2).
    """

    def __init__(self, path: Path) -> None:
        """Open or make the file.

        Raises:
            OSError: it cannot be opened.
        """
        self.path = path
        # Not readable by others: whoever can open a file can hold its lock.
        self.fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._pauses: Iterable[float] = BRIEFLY

    def acquire(self, pauses: Iterable[float] | None = None) -> None:
        """Take the lock, waiting BRIEFLY; not at all when the last wait was in vain.

        Raises:
            LedgerUnavailableError: it is not to be had.
            OSError: it cannot be locked.
        """
        try:
            _flock(self.fd, _TAKE)
        except BlockingIOError:
            waiting, self._pauses = self._pauses, AT_ONCE
            lock_file(self.fd, self.path, waiting if pauses is None else pauses)
        self._pauses = BRIEFLY

    def release(self) -> None:
        _flock(self.fd, _GIVE)

    @contextmanager
    def held(self, pauses: Iterable[float] | None = None) -> Iterator[None]:
        """Hold the lock; raises as `acquire` does."""
        self.acquire(pauses)
        try:
            yield
        finally:
            self.release()

    def generation(self) -> int:
        return os.lseek(self.fd, 0, os.SEEK_END)

    def next_generation(self) -> None:
        """Tell the others, before a file of records is replaced, to open their files anew.

        Raises:
            OSError: the file cannot grow.
        """
        os.ftruncate(self.fd, self.generation() + 1)

    def close(self) -> None:
        if self.fd >= 0:
            os.close(self.fd)
        self.fd = -1
