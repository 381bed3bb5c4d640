"""Files as sealed memory: once read, no truncation, overwriting or replacement of the file can reach the process.

A mapped file that its owner truncates kills whoever reads it with SIGBUS; an anonymous memory file (memfd_create(2))
that is sealed can be changed by nobody, not even by this process, and is still read at the speed of a mapping.
"""

import fcntl
import hashlib
import os
import stat
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from joingate.core.errors import RefusedInputError

_SEALS = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SEAL
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class SealedFile:
    """What a file held at one moment.

    Attributes:
        fd: descriptor of the sealed memory, open for reading.
        size: bytes.
        digest: SHA-256, the first 16 hexadecimal digits.
    """

    fd: int
    size: int
    digest: str


@contextmanager
def memory_file(name: str) -> Iterator[int]:
    """Lend the descriptor of a new, empty memory file that can still be sealed; it is closed at the end.

    A mapping made meanwhile outlives the descriptor.
    """
    fd = os.memfd_create(name, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        yield fd
    finally:
        os.close(fd)


def seal(fd: int) -> None:
    """Forbid every later change of a memory file, by anyone.

    Raises:
        OSError: somebody still has it mapped for writing.
    """
    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, _SEALS)


class KeptOpen:
    """A descriptor of a memory file that stays open as long as this is held.

    A class of its own, because it is told of its end by a weak reference, and compiled classes take none.
    """

    __slots__ = ("__weakref__", "fd")

    def __init__(self, fd: int) -> None:
        """Keep a duplicate of `fd`, which may be closed."""
        self.fd = os.dup(fd)
        weakref.finalize(self, os.close, self.fd)


@contextmanager
def sealed_copy(path: Path) -> Iterator[SealedFile]:
    """Lend the content of the file at `path`, read once and sealed.

    Raises:
        RefusedInputError: there is no such file, it cannot be read, is empty, or changed under the reading.
    """
    with memory_file("database") as fd:
        try:
            size, digest = _copy(path, fd)
            seal(fd)
        except OSError as error:
            raise RefusedInputError(
                f"{path}: cannot be read ({error.strerror}); correct [geodb] paths, or put a database there"
            ) from None
        yield SealedFile(fd, size, digest)


def _copy(path: Path, target: int) -> tuple[int, str]:
    # O_NONBLOCK: a FIFO put in the file's place must not hold up the loading for ever.
    source = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        before = os.fstat(source)
        if not stat.S_ISREG(before.st_mode):
            raise RefusedInputError(f"{path}: not a regular file; correct [geodb] paths")
        digest = hashlib.sha256()
        size = 0
        while chunk := os.read(source, _CHUNK):
            digest.update(chunk)
            size += len(chunk)
            rest = memoryview(chunk)
            while rest:
                rest = rest[os.write(target, rest) :]
        after = os.fstat(source)
    finally:
        os.close(source)
    if (before.st_size, before.st_mtime_ns) != (size, after.st_mtime_ns):
        raise RefusedInputError(
            f"{path}: changed while it was read; write a new file beside it and rename it into place"
        )
    if not size:
        raise RefusedInputError(f"{path}: is empty; put a complete database in its place")
    return size, digest.hexdigest()[:16]
