"""What of a ledger is looked at: as much as was there at one moment, so that a gate may go on writing meanwhile.

Checkpoints are looked at first, and records after them: whatever a checkpoint covers was on the disk before it. A gate
that is just adding a checkpoint, or a line, is waited for; what is still unfinished then is no gate at work.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from joingate.core.errors import RefusedInputError
from joingate.ledger.files import LedgerFiles

PATIENCE: Final = 10
"""Looks at files that do not fit together, before they are taken as they are."""

_PAUSE: Final = 0.05  # seconds between two looks; a sync of the disk fits in them all
_LONGEST_NOTE: Final = 65_536
_DASH: Final = "\N{EM DASH} ".encode()

_KNOWN: Final = frozenset(
    ("verifier_key", "checkpoint", "checkpoints", "records", "set_aside", "secret", "lock"),
)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A moment of a ledger.

    Attributes:
        checkpoint: what the file holds; empty where there is none.
        checkpoints: size in bytes of that file.
        records: the files of records in their order, each with its size in bytes.
        unknown: paths, within the folder, of what is no part of a ledger.
    """

    checkpoint: bytes
    checkpoints: int
    records: tuple[tuple[Path, int], ...]
    unknown: tuple[str, ...]


def take_snapshot(files: LedgerFiles) -> Snapshot:
    """Look at a ledger.

    Raises:
        RefusedInputError: there is none in the folder, or it cannot be read.
    """
    try:
        if not files.records.is_dir():
            raise RefusedInputError(f"{files.folder}: holds no ledger; name the folder that [ledger] path names")
        checkpoint, size = _checkpoints(files)
        return Snapshot(checkpoint, size, _records(files), tuple(_unknown(files)))
    except OSError as error:
        raise unreadable(error, files.folder) from None


def unreadable(error: OSError, path: Path) -> RefusedInputError:
    """Return what to say of a file that the system does not let us read."""
    return RefusedInputError(
        f"{error.filename or path}: cannot be read ({error.strerror}); correct the path, or make it readable"
    )


def _checkpoints(files: LedgerFiles) -> tuple[bytes, int]:
    for attempt in range(PATIENCE):
        newest = _start_of(files.checkpoint)
        size = files.checkpoints.stat().st_size if files.checkpoints.exists() else 0
        if newest and _ends_in(files.checkpoints, size, newest):
            break
        _pause(attempt)
    return newest, size


def _start_of(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_LONGEST_NOTE)
    except FileNotFoundError:
        return b""


def _ends_in(path: Path, size: int, note: bytes) -> bool:
    if size < len(note):
        return False
    with path.open("rb") as file:
        file.seek(size - len(note))
        return file.read(len(note)) == note


def _records(files: LedgerFiles) -> tuple[tuple[Path, int], ...]:
    for attempt in range(PATIENCE):
        found = tuple((path, path.stat().st_size) for path in files.record_files())
        if not found or _ends_in(*found[-1], b"\n"):
            break
        _pause(attempt)
    return found


def _pause(attempt: int) -> None:
    if attempt < PATIENCE - 1:
        time.sleep(_PAUSE)


def _unknown(files: LedgerFiles) -> Iterator[str]:
    for path in sorted(files.folder.iterdir()):
        if path.name not in _KNOWN:
            yield _printable(path.name)
    for path in sorted(files.records.iterdir()):
        if path.suffix != ".jsonl":
            yield _printable(f"{files.records.name}/{path.name}")


def _printable(name: str) -> str:
    """Show the bytes of a name that are not UTF-8."""
    return name.encode(errors="backslashreplace").decode()


def notes_of(path: Path, size: int) -> Iterator[bytes]:
    """Yield the notes in the first `size` bytes of a file, each as it stands; what is none is yielded like one.

    A note begins where the signatures of the one before it have ended.

    Raises:
        OSError: the file cannot be read.
    """
    if not size:
        return
    note, ends = b"", False
    with path.open("rb") as file:
        while size > 0 and (line := file.readline(min(size, _LONGEST_NOTE))):
            size -= len(line)
            is_signature = line.startswith(_DASH)
            if (ends and not is_signature) or len(note) > _LONGEST_NOTE:
                yield note
                note = b""
            note += line
            ends = is_signature
    yield note
