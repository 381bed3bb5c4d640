"""An unfinished end of the history: kept in `set_aside/`, told of in a `recovery` record, and only then cut off.

Whatever moment this is interrupted at, nothing is lost and nothing goes untold: the bytes are durable elsewhere before
the record stands where they stood, and what is left behind that record is an unfinished end again.
"""

import hashlib
import os
from pathlib import Path

from joingate.core.record import Recovery
from joingate.ledger.durable import make_folder, sync_folder, write_beside, write_durably, write_whole
from joingate.ledger.files import LedgerFiles
from joingate.ledger.lock import HistoryLock
from joingate.ledger.position import Position
from joingate.ledger.tail import Pieces


def set_aside(files: LedgerFiles, lock: HistoryLock, at: Position, hour: str, torn: Pieces) -> None:
    """Replace the unfinished end behind `at` by a recovery record; the caller holds the lock and reads on from `at`.

    Raises:
        OSError: it could not be kept, or the record not be written; then nothing is cut off.
    """
    kept = b"".join(path.read_bytes()[offset:] for path, offset in torn)
    if at.is_between_files or len(torn) > 1:
        lock.next_generation()  # whoever has one of these files open must look again
    whole = dict(torn)
    if kept:
        recovery = _keep(files, at.size, kept)
        data = b"".join(at.copy().write((recovery,), max(hour, at.hour)))
        if at.is_between_files:
            path = files.record_file(at.size)
            write_beside(path, data).rename(path)
            whole.pop(path, None)
        else:
            path, offset = torn[0]
            _overwrite(path, offset, data)
            whole[path] = offset + len(data)
    for path, offset in reversed(whole.items()):
        if offset:
            os.truncate(path, offset)
        else:
            path.unlink()
    sync_folder(files.records)


def _keep(files: LedgerFiles, seq: int, data: bytes) -> Recovery:
    digest = hashlib.sha256(data).hexdigest()
    make_folder(files.set_aside)
    write_durably(files.set_aside / f"{seq:012}-{digest}", data)
    return Recovery(len(data), digest)


def _overwrite(path: Path, offset: int, data: bytes) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)  # without O_APPEND, which would ignore the offset
    try:
        os.lseek(fd, offset, os.SEEK_SET)
        write_whole(fd, data)
    finally:
        os.close(fd)
