"""The files of records that a process has open: those with lines that no checkpoint vouches for yet, and the last.

The lines since the last checkpoint stay in memory. Once an fsync has failed they are needed: the kernel has then
forgotten that its pages were never written, another fsync says that all is well, and what a file gives back may be
gone with the cache. So the files are written anew, from what the checkpoint vouches for and from memory.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from joingate.codecs.ledger_line import LedgerLineError
from joingate.core.record import Record
from joingate.ledger.durable import sync_folder, write_beside, write_whole
from joingate.ledger.files import LedgerFiles
from joingate.ledger.lock import HistoryLock
from joingate.ledger.position import Position, by_file
from joingate.ledger.tail import Pieces, Tail
from joingate.ledger.trouble import LedgerUnavailableError


@dataclass(slots=True)
class OpenFile:
    """One file of records, open for appending and reading.

    Attributes:
        end: size in bytes of its lines, as far as this process has written or read them.
    """

    first: int
    path: Path
    fd: int
    end: int


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)


class OpenFiles:
    """The end of a history, open. Whoever calls holds the history's lock.

    Attributes:
        base: where the last checkpoint ends.
        at: where the last line leaves the history.
        lines: the lines between the two.
        files: those that hold any of them, and the last.
    """

    def __init__(self, files: LedgerFiles, tail: Tail) -> None:
        """Open the files of a tail.

        Raises:
            OSError: one cannot be opened.
        """
        self._files = files
        self.base = tail.base
        self.at = tail.at
        self.lines = tail.lines
        self.files: list[OpenFile] = []
        try:
            for first, end in sorted(tail.ends.items()):
                path = files.record_file(first)
                self.files.append(OpenFile(first, path, _open(path), end))
        except OSError:
            self.close()
            raise

    def append(self, records: Sequence[Record], hour: str) -> int:
        """Write records behind the last, and return the seq of the first; all of them, or none.

        Raises:
            OSError: they could not be written.
        """
        at = self.at.copy()
        lines = at.write(records, max(hour, at.hour))
        room = self.at.room()
        if len(lines) <= room:
            self._append_here(lines)
        else:
            self._append_across(lines, room)
        first = self.at.size if room else self.at.size + 1  # behind the segment
        self.lines += lines
        self.at = at
        return first

    def _append_here(self, lines: list[bytes]) -> None:
        file = self.files[-1]
        data = b"".join(lines)
        try:
            write_whole(file.fd, data)
        except OSError:
            # Should this fail too, whole lines count as records, and the rest is set aside, at the next append.
            os.ftruncate(file.fd, file.end)
            raise
        file.end += len(data)

    def _append_across(self, lines: list[bytes], room: int) -> None:
        """Fill the last file and begin others, each complete with its first lines before it has a name.

        A process that dies midway leaves the first files of the batch, never one without those before it.
        """
        file, size = self.files[-1], self.at.size
        data = b"".join(lines[:room])
        begun: list[OpenFile] = []
        try:
            write_whole(file.fd, data)
            for first, of_file in by_file(size + room, lines[room:]):
                path = self._files.record_file(first)
                new = write_beside(path, b"".join(of_file), is_synced=False)
                begun.append(OpenFile(first, path, _open(new), sum(map(len, of_file))))
                new.rename(path)
        except OSError:
            for each in reversed(begun):
                os.close(each.fd)
                each.path.unlink(missing_ok=True)
            os.ftruncate(file.fd, file.end)
            raise
        file.end += len(data)
        self.files += begun

    def read_on(self) -> Pieces:
        """Read what others have appended; returns the unfinished end that one of them has left.

        Raises:
            LedgerUnavailableError: what is there cannot have come from an append.
            OSError: it could not be read.
        """
        while True:
            file = self.files[-1]
            end = os.lseek(file.fd, 0, os.SEEK_END)
            if end != file.end and not self._read(file, end):
                return ((file.path, file.end),)
            if not self.at.is_between_files:
                return ()
            if file.first == self.at.size:
                raise _not_appended(file.path, "the file is empty")
            path = self._files.record_file(self.at.size)
            try:
                fd = _open(path)
            except FileNotFoundError:
                return ()
            self.files.append(OpenFile(self.at.size, path, fd, 0))

    def _read(self, file: OpenFile, end: int) -> bool:
        """Whether the file, whose size is `end`, ends in a whole line."""
        if end < file.end:
            raise _not_appended(file.path, "the file is shorter than it was")
        *lines, rest = os.pread(file.fd, end - file.end, file.end).split(b"\n")
        for body in lines:
            line = body + b"\n"
            try:
                self.at.read(line, file.first, strictly=False)
            except LedgerLineError as error:
                raise _not_appended(file.path, str(error)) from None
            file.end += len(line)
            self.lines.append(line)
        return not rest

    def settle(self, settled: Position) -> None:
        """Forget what a checkpoint now vouches for, up to `settled`."""
        del self.lines[: settled.size - self.base.size]
        self.base = settled
        while len(self.files) > 1 and self.files[1].first <= settled.size:
            os.close(self.files.pop(0).fd)

    def rewrite(self, lock: HistoryLock) -> None:
        """Write the files with lines that no checkpoint vouches for anew, and put them in place of the old.

        Raises:
            LedgerUnavailableError: what a checkpoint vouches for can no longer be read.
            OSError: a file could not be read, written or made durable; the old ones, or equal ones, are there.
        """
        ends = [file.first for file in self.files[1:]] + [self.at.size]
        for file, end in zip(self.files, ends, strict=True):
            unsettled = self.lines[max(0, file.first - self.base.size) : end - self.base.size]
            new = write_beside(file.path, self._settled(file, sum(map(len, unsettled))) + b"".join(unsettled))
            fd = _open(new)
            lock.next_generation()
            new.rename(file.path)
            os.close(file.fd)
            file.fd = fd
        sync_folder(self._files.records)

    def _settled(self, file: OpenFile, unsettled: int) -> bytes:
        """Return the lines of a file that a checkpoint vouches for, read back and held against it."""
        size = file.end - unsettled
        if not size:
            return b""
        data = os.pread(file.fd, size, 0)
        try:
            lines = data.splitlines(keepends=True)
            found = Position.before(lines[0], file.first)
            for line in lines:
                found.read(line, file.first, strictly=False)
        except (LedgerLineError, IndexError):
            found = Position()
        if found.size != self.base.size or found.peaks.root() != self.base.peaks.root():
            raise LedgerUnavailableError(
                f"{file.path}: the disk no longer gives back what was made durable on it; put the file back from a copy"
            )
        return data

    def close(self) -> None:
        for file in self.files:
            os.close(file.fd)
        self.files.clear()


def _not_appended(path: Path, why: str) -> LedgerUnavailableError:
    return LedgerUnavailableError(f"{path}: {why}; something else than joingate has changed it. Restart the gate")
