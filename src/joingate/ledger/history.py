"""The history that several processes append to: one folder, one lock, one tree.

`append` is for the event loop: under the lock it reads what others have appended, writes its own lines in one write(2),
and is done; the lines are the kernel's, and outlive the process. `capture` is for the loop too: it notes, at no cost,
what has been appended so far. `make_durable` is for a thread: it forces that to the disk, and signs a checkpoint of it.

After a failed fsync nothing more is appended until `recover`, in a thread too, has written the unsynced end to a fresh
file. The others notice by the lock's generation, and open the fresh file.
"""

import os
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from joingate.codecs.signed_note import VerifierKey
from joingate.core.errors import RefusedInputError
from joingate.core.record import Record
from joingate.ledger.accepted import accepted
from joingate.ledger.captured import Captured
from joingate.ledger.checkpoints import Checkpoints
from joingate.ledger.durable import make_folder, stands_at, sync_folder
from joingate.ledger.files import LedgerFiles
from joingate.ledger.identity import check_genesis, stated_verifier_key, write_genesis
from joingate.ledger.keys import Keys, load_keys
from joingate.ledger.lock import PATIENTLY, HistoryLock
from joingate.ledger.open_files import OpenFiles
from joingate.ledger.position import Position, seqs
from joingate.ledger.set_aside import set_aside
from joingate.ledger.tail import NOTHING_KNOWN, Known, Tail, read_tail
from joingate.ledger.trouble import LedgerUnavailableError, OvertakenError, cannot_start, unavailable

__all__ = ["Captured", "History", "LedgerUnavailableError", "OvertakenError", "seqs"]


class History:
    """The ledger's history, open for appending.

    Attributes:
        origin: the ledger's name.
        key: signs checkpoints and receipts.
        verifier_key: checks what `key` has signed.
        commitment_key: 32 bytes.
    """

    def __init__(self, files: LedgerFiles, keys: Keys, verifier: VerifierKey, lock: HistoryLock) -> None:
        """For `open`, which holds the lock."""
        self.origin = verifier.name
        self.key: Ed25519PrivateKey = keys.signing
        self.verifier_key = verifier
        self.commitment_key = keys.commitment
        self._files = files
        self._lock = lock
        self._generation = lock.generation()
        self._checkpoints = Checkpoints(files, keys.signing, verifier)
        self._is_suspect = False
        """An fsync has failed."""
        self._is_astray = False
        """The files that are open were seen not to be those in the folder."""
        self._open: OpenFiles
        self._settled: Position
        """Set by the thread that has made so much durable; what is remembered of it goes later, on the loop."""

    @classmethod
    def open(cls, folder: Path, hour: str) -> "History":
        """Open the ledger in `folder`, or begin one; what a crash has left unfinished is mended.

        Args:
            folder: need not be there.
            hour: UTC hour, such as "2026-11-21T04Z".

        Raises:
            RefusedInputError: what is there needs a person to mend it.
            LedgerUnavailableError: it could not be read or written at present.
        """
        files = LedgerFiles(folder)
        try:
            for path in (files.folder, files.records):
                make_folder(path)
            lock = HistoryLock(files.lock)
            try:
                ahead = _read_ahead(files, lock)
                with lock.held(PATIENTLY):
                    history = cls._begun(files, lock, hour, ahead)
            except BaseException:
                lock.close()
                raise
        except OSError as error:
            raise cannot_start(folder, error) from None
        return history

    @classmethod
    def _begun(cls, files: LedgerFiles, lock: HistoryLock, hour: str, ahead: "_Ahead | None") -> "History":
        has_records = _has_records(files)
        keys = load_keys(files.secret, may_make=not has_records)
        history = cls(files, keys, stated_verifier_key(files, keys.signing), lock)
        known = _known(history._checkpoints)
        if not has_records:
            write_genesis(files, history.origin, hour)
        check_genesis(files, history.origin)
        tail = _mended_tail(files, lock, known, hour) if ahead is None else ahead.tail
        history._open = OpenFiles(files, tail)
        history._settled = history._open.base
        history._generation = lock.generation() if ahead is None else ahead.generation
        try:
            history._look(hour)  # what has been written since it was read ahead
        except BaseException:
            history._open.close()
            raise
        return history

    @property
    def size(self) -> int:
        """Records in the history, as far as this process knows."""
        return self._open.at.size

    @property
    def revision(self) -> str:
        """Of the rules in use by the last record that tells; "" before there is one."""
        return self._open.at.revision

    @property
    def epochs(self) -> tuple[int, ...]:
        """Of the databases in use by the last record that tells; none before there is one."""
        return self._open.at.epochs

    def append(self, records: Sequence[Record], hour: str, in_use: tuple[str, tuple[int, ...]] | None = None) -> int:
        """Write records behind all there are: every one of them, or none.

        A record that begins a file has a segment before it, which takes a seq: `seqs` tells those of a batch.

        Args:
            records: at least one.
            hour: UTC hour; should the clock have gone back, the last record's stands instead.
            in_use: the revision and the epochs that the records rest on; None where they rest on none.

        Returns:
            The seq of the first.

        Raises:
            OvertakenError: another process has put other rules or databases in use; none is written.
            LedgerUnavailableError: they are not in the history.
            TypeError: one of them cannot be written; none is.
        """
        lock = self._lock
        try:
            lock.acquire()
            try:
                if not (self._is_suspect or self._is_astray) and self._is_in_use(in_use):
                    first = self._open.append_here(records, hour)
                    if first is not None:
                        return first
                self._look(hour)
                if not self._is_in_use(in_use):
                    raise OvertakenError
                return self._open.append(records, hour)
            finally:
                lock.release()
        except OSError as error:
            raise unavailable(self._files.records, error) from None

    def _is_in_use(self, in_use: tuple[str, tuple[int, ...]] | None) -> bool:
        return in_use is None or in_use == (self._open.at.revision, self._open.at.epochs)

    def _look(self, hour: str) -> None:
        """Bring what this process knows up to date; the lock is held."""
        if self._is_suspect:
            raise LedgerUnavailableError(f"{self._files.records}: records could not be forced to the disk")
        if self._is_astray:
            self._check_place([(file.path, file.fd) for file in self._open.files], self._generation)
        if self._settled is not self._open.base:
            self._open.settle(self._settled)
        for _ in range(2):
            if self._lock.generation() != self._generation:
                self._read_anew(hour)
            torn = self._open.read_on()
            if not torn:
                return
            set_aside(self._files, self._lock, self._open.at, hour, torn)
        raise _not_mended(self._files)

    def _read_anew(self, hour: str) -> None:
        """Open the files that another process has put in place of those that are open."""
        before = self._open
        known = Known(before.base.size, before.base.peaks.root()) if before.base.size else NOTHING_KNOWN
        try:
            tail = _mended_tail(self._files, self._lock, known, hour)
        except RefusedInputError as error:
            raise LedgerUnavailableError(str(error)) from None
        if tail.lines[: len(before.lines)] != before.lines:
            raise LedgerUnavailableError(
                f"{self._files.records}: records that this process wrote are no longer there; restart the gate, and "
                "keep a copy of the ledger"
            )
        self._open = OpenFiles(self._files, tail)
        self._settled = self._open.base
        self._generation = self._lock.generation()
        before.close()

    def capture(self) -> Captured | None:
        """Note what has been appended, for `make_durable`; None where nothing is new, or it is not the time for it."""
        try:
            with self._lock.held():
                self._look("")
                return self._capture()
        except (OSError, LedgerUnavailableError):
            return None  # an append says why, and the next time may be better

    def _capture(self) -> Captured | None:
        end = self._open
        if end.at.size == end.base.size:
            return None
        begins_file = end.last.first >= end.base.size
        return Captured(end.base, end.at.copy(), tuple(end.lines), end.held_open(), begins_file, self._generation)

    def make_durable(self, captured: Captured) -> None:
        """Force what was captured to the disk, and sign a checkpoint over it; may take as long as the disk does.

        Raises:
            LedgerUnavailableError: it is not durable, or not signed; `recover` is next.
        """
        try:
            self._force(captured)
        except OSError as error:
            raise unavailable(self._files.folder, error) from None
        except RefusedInputError as error:
            raise LedgerUnavailableError(str(error)) from None
        finally:
            captured.close()

    def _force(self, captured: Captured) -> None:
        try:
            for _, fd in captured.files:
                os.fsync(fd)
            self._check_place(captured.files, captured.generation)
            if captured.begins_file:
                sync_folder(self._files.records)
        except OSError:
            self._is_suspect = True
            raise
        if self._lock.generation() != captured.generation:
            return  # these files were replaced, by durable ones; `capture` opens them
        self._checkpoints.sign(captured.at.peaks, captured.root_at)
        if captured.at.size > self._settled.size:
            self._settled = captured.at

    def _check_place(self, opened: Sequence[tuple[Path, int]], generation: int) -> None:
        """Refuse to go on in files that nobody would find."""
        places = [(self._files.lock, self._lock.fd)]
        if self._lock.generation() == generation:
            places += opened
        for path, fd in places:
            if not stands_at(fd, path) and self._lock.generation() == generation:
                self._is_astray = True
                raise LedgerUnavailableError(
                    f"{path}: is not the file that was opened: the ledger's folder was moved, deleted or replaced; put "
                    "it back, or restart the gate"
                )
        self._is_astray = False

    def recover(self) -> None:
        """After `make_durable` has failed: do all that it did not; may take as long. Nothing is appended meanwhile.

        After an fsync that failed, the files it was for are written anew.

        Raises:
            LedgerUnavailableError: it is still not durable, or not signed.
        """
        try:
            # With the file open once more, the lock keeps this process's other threads out as well.
            with closing(HistoryLock(self._files.lock)) as lock, lock.held(PATIENTLY):
                self._is_astray = True  # until it has been looked for
                self._rewrite(lock)
                captured = self._capture()
        except OSError as error:
            raise unavailable(self._files.folder, error) from None
        if captured is not None:
            self.make_durable(captured)

    def _rewrite(self, lock: HistoryLock) -> None:
        was_suspect, self._is_suspect = self._is_suspect, False
        try:
            self._look("")
            if was_suspect:
                try:
                    self._open.rewrite(lock)
                finally:
                    self._generation = self._lock.generation()  # whatever was replaced, this process knows
        except BaseException:
            self._is_suspect = was_suspect
            raise

    def accepted(self) -> tuple[dict[str, str], set[str]]:
        """Return the digests of the rules that were accepted and not lifted, by id; and which of these have expired.

        Raises:
            LedgerUnavailableError: a file cannot be read.
        """
        try:
            return accepted(self._files)
        except OSError as error:
            raise unavailable(self._files.records, error) from None

    def close(self) -> None:
        """Close the files; what was not made durable is left to the kernel."""
        self._open.close()
        self._lock.close()


class _Ahead(NamedTuple):
    """The end of a history, read without its lock, and how often a file of it had been replaced before."""

    tail: Tail
    generation: int


def _read_ahead(files: LedgerFiles, lock: HistoryLock) -> _Ahead | None:
    """Read what is there while others append to it: it may take a tenth of a second, and they are not to wait so long.

    Returns:
        None where there is anything about it that has to be looked at while nobody writes.
    """
    if not (_has_records(files) and files.verifier_key.exists()):
        return None
    try:
        generation = lock.generation()
        signing = load_keys(files.secret, may_make=False).signing
        known = _known(Checkpoints(files, signing, stated_verifier_key(files, signing)))
        tail = read_tail(files, known)
    except (RefusedInputError, OSError):
        return None
    return None if tail.torn else _Ahead(tail, generation)


def _has_records(files: LedgerFiles) -> bool:
    return bool(files.record_files()) or files.checkpoints.exists()


def _known(checkpoints: Checkpoints) -> Known:
    newest = checkpoints.newest()
    return Known(newest.size, newest.root) if newest else NOTHING_KNOWN


def _mended_tail(files: LedgerFiles, lock: HistoryLock, known: Known, hour: str) -> Tail:
    """Read the history's end, and set aside what is unfinished of it."""
    for _ in range(2):
        tail = read_tail(files, known)
        if not tail.torn:
            return tail
        set_aside(files, lock, tail.at, hour, tail.torn)
    raise _not_mended(files)


def _not_mended(files: LedgerFiles) -> LedgerUnavailableError:
    return LedgerUnavailableError(f"{files.records}: what was set aside of the end is there again; restart the gate")
