"""The files of records that a process has open: those with lines that no checkpoint vouches for yet, and the last.

The lines since the last checkpoint stay in memory. Once an fsync has failed they are needed: the kernel has then
forgotten that its pages were never written, another fsync says that all is well, and what a file gives back may be
gone with the cache. So the files are written anew, from what the checkpoint vouches for and from memory.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from joingate.codecs.ledger_batch import encode_all, encode_one, grow, grow_by_one
from joingate.codecs.ledger_line import LedgerLineError
from joingate.core.record import Record
from joingate.ledger import files as layout
from joingate.ledger.durable import sync_folder, write_beside, write_whole
from joingate.ledger.files import LedgerFiles
from joingate.ledger.lock import HistoryLock
from joingate.ledger.position import TELLING, Position, by_file
from joingate.ledger.tail import Pieces, Tail
from joingate.ledger.trouble import LedgerUnavailableError

_lseek = os.lseek


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
        last: the last of them.
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
        self.last: OpenFile
        try:
            for first, end in sorted(tail.ends.items()):
                path = files.record_file(first)
                self._add([OpenFile(first, path, _open(path), end)])
        except OSError:
            self.close()
            raise

    def append_here(self, records: Sequence[Record], hour: str) -> int | None:
        """Write records into the last file, and return the seq of the first; all of them, or none.

        Returns:
            None, and nothing is written, where others have done anything to the file, or it has no room for so many.

        Raises:
            OSError: they could not be written.
        """
        file, at = self.last, self.at
        peaks = at.peaks
        first = peaks.size
        if _lseek(file.fd, 0, os.SEEK_END) != file.end or len(records) > -first % layout.LINES_IN_FILE:
            return None
        if hour < at.hour:  # noqa: PLR1730 - max() takes as long as a system call
            hour = at.hour
        is_one = len(records) == 1  # a restriction at join, which somebody waits for
        lines = () if is_one else encode_all(first, hour, records)
        data = encode_one(first, hour, records[0]) if is_one else b"".join(lines)
        try:
            write_whole(file.fd, data)
        except OSError:
            # Should this fail too, whole lines count as records, and the rest is set aside, at the next append.
            os.ftruncate(file.fd, file.end)
            raise
        file.end += len(data)
        at.hour = hour
        if is_one:
            self.lines.append(data)
            grow_by_one(peaks, data)
        else:
            self.lines += lines
            grow(peaks, lines)
        for record in records:
            if type(record) in TELLING:
                at.heed(record)
        return first

    def append(self, records: Sequence[Record], hour: str) -> int:
        """Write records, in other files too, once `read_on` has found no end; otherwise as `append_here`.

        Raises:
            OSError: they could not be written.
        """
        first = self.append_here(records, hour)
        return self._append_across(records, max(hour, self.at.hour)) if first is None else first

    def _append_across(self, records: Sequence[Record], hour: str) -> int:
        """Fill the last file and begin others, each complete with its first lines before it has a name.

        A process that dies midway leaves the first files of the batch, never one without those before it.
        """
        file, size, room = self.last, self.at.size, self.at.room()
        at = self.at.copy()
        lines = at.write(records, hour)
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
        self._add(begun)
        self.lines += lines
        self.at = at
        return size if room else size + 1  # behind the segment

    def read_on(self) -> Pieces:
        """Read what others have appended; returns the unfinished end that one of them has left.

        Raises:
            LedgerUnavailableError: what is there cannot have come from an append.
            OSError: it could not be read.
        """
        while True:
            file = self.last
            end = os.lseek(file.fd, 0, os.SEEK_END)
            if end != file.end and not self._read(file, end):
                return ((file.path, file.end),)
            if not self.at.is_between_files:
                return ()
            if file.first == self.at.size:
                return ((file.path, 0),)
            path = self._files.record_file(self.at.size)
            try:
                fd = _open(path)
            except FileNotFoundError:
                return ()
            self._add([OpenFile(self.at.size, path, fd, 0)])

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

    def _add(self, files: list[OpenFile]) -> None:
        self.files += files
        self.last = self.files[-1]

    def held_open(self) -> tuple[tuple[Path, int], ...]:
        """Return the files under descriptors of their own, which the caller closes.

        Raises:
            OSError: there are no more descriptors to be had.
        """
        held: list[tuple[Path, int]] = []
        try:
            for file in self.files:
                held.append((file.path, os.dup(file.fd)))  # noqa: PERF401 - those before one that fails are closed
        except OSError:
            for _, fd in held:
                os.close(fd)
            raise
        return tuple(held)

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
            try:
                lock.next_generation()
                if file is self.last:
                    os.ftruncate(file.fd, file.end + 1)  # needs no room; whoever has the old file open looks up
                new.rename(file.path)
            except OSError:
                os.close(fd)
                raise
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
