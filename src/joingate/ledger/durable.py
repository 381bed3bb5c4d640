"""Files that are there, whole, after a loss of power: written under another name, synced, and only then renamed."""

import errno
import os
from pathlib import Path

MODE = 0o644
"""Of whatever may be published; the umask takes from it what the operator wants taken."""


def write_durably(path: Path, data: bytes, mode: int = MODE) -> None:
    """Put a file with `data` at `path`, in place of what may be there.

    Raises:
        OSError: it could not be; what was there still is.
    """
    new = write_beside(path, data, mode)
    new.rename(path)
    sync_folder(path.parent)


def write_beside(path: Path, data: bytes, mode: int = MODE, *, is_synced: bool = True) -> Path:
    """Write `data` to a new file beside `path`, to be renamed to it; returns the new file's path.

    Raises:
        OSError: it could not be written; nothing is left of it.
    """
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)  # left by a process that died; its mode is not trusted either
    try:
        fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        try:
            write_whole(fd, data)
            if is_synced:
                os.fsync(fd)
        finally:
            os.close(fd)
    except OSError:
        new.unlink(missing_ok=True)
        raise
    return new


def write_whole(fd: int, data: bytes) -> None:
    """Write `data` in one call.

    Raises:
        OSError: it failed, or fell short: what a disk does that has room for a part only.
    """
    written = os.write(fd, data)
    if written != len(data):
        raise OSError(errno.ENOSPC, f"only {written} of {len(data)} bytes could be written")


def sync_folder(path: Path) -> None:
    """Make the names in a folder durable.

    Raises:
        OSError: they could not be.
    """
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def make_folder(path: Path, mode: int = 0o755) -> None:
    """Make a folder, and those above it, where there is none.

    Raises:
        OSError: it could not be made, or something else goes by that name.
    """
    if path.is_dir():
        return
    make_folder(path.parent)
    path.mkdir(mode, exist_ok=True)
    sync_folder(path.parent)


def stands_at(fd: int, path: Path) -> bool:
    """Whether the open file is the one that goes by `path`."""
    try:
        return os.path.samestat(os.fstat(fd), path.stat())
    except OSError:
        return False
