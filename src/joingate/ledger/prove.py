"""Showing from a ledger's files that a receipt's record stands in its history.

Everything is read once to find the record, and once more to make the proof; nothing but a few hashes is kept.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

import orjson

from joingate.codecs.inclusion import InclusionProof, write_proof
from joingate.codecs.ledger_line import LedgerLineError, decode
from joingate.codecs.ledger_schema import HOUR
from joingate.codecs.merkle import Peaks, inclusion_proof, leaf_hash, verify_inclusion
from joingate.codecs.receipt import check_promise, commitment, parse_promise, plain
from joingate.codecs.signed_note import Checkpoint, NoteError, VerifierKey, open_checkpoint, parse_verifier_key
from joingate.core.errors import RefusedInputError
from joingate.core.record import Entry, Restriction
from joingate.ledger import files as layout
from joingate.ledger.files import LedgerFiles, lines_of
from joingate.ledger.snapshot import unreadable

Progress = Callable[[int, int], None]
"""Called with the records hashed so far, and with all there are to hash."""

_LONGEST: Final = 65_536  # bytes, of a key or a checkpoint
_LOOK: Final = "run joingate ledger verify"


@dataclass(frozen=True, slots=True)
class Recorded:
    """A receipt's record.

    Attributes:
        entry: the record.
        proof: as text; None while no checkpoint covers the record.
    """

    entry: Entry
    proof: str | None


def read_verifier_key(folder: Path) -> VerifierKey:
    """Return the key in a ledger's folder.

    Raises:
        RefusedInputError: there is none.
    """
    path = LedgerFiles(folder).verifier_key
    try:
        return parse_verifier_key(_text(path))
    except NoteError as error:
        raise RefusedInputError(f"{path}: {error}; {_LOOK}") from None


def newest_checkpoint(folder: Path) -> tuple[str, Checkpoint]:
    """Return the newest checkpoint, as a signed note and as what it says.

    Raises:
        RefusedInputError: there is none that the ledger's key has signed.
    """
    key = read_verifier_key(folder)
    path = LedgerFiles(folder).checkpoint
    note = _text(path)
    try:
        return note, open_checkpoint(note, key)
    except NoteError as error:
        raise RefusedInputError(f"{path}: {error}; {_LOOK}") from None


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_LONGEST).decode("utf-8", "replace")
    except FileNotFoundError:
        raise RefusedInputError(f"{path}: does not exist; name the ledger's folder with --ledger") from None
    except OSError as error:
        raise unreadable(error, path) from None


def prove_receipt(folder: Path, code: str, progress: Progress | None = None) -> Recorded | None:
    """Return the record of a receipt with its proof under the newest checkpoint; None when there is no such record.

    Args:
        folder: the ledger's.
        code: the receipt's.
        progress: told how far the hashing has come.

    Raises:
        RefusedInputError: there is no ledger, or its files contradict each other.
    """
    note, checkpoint = newest_checkpoint(folder)
    files = LedgerFiles(folder)
    try:
        found = _find(files, commitment(code))
        if found is None:
            return None
        entry, line = found
        if entry.seq >= checkpoint.size:
            return Recorded(entry, None)
        path = inclusion_proof(entry.seq, checkpoint.size, _Leaves(files, checkpoint.size, progress).root)
    except OSError as error:
        raise unreadable(error, folder) from None
    if not verify_inclusion(leaf_hash(line), entry.seq, checkpoint.size, path, checkpoint.root):
        raise RefusedInputError(f"{folder}: the records are not those that the newest checkpoint is of; {_LOOK}")
    return Recorded(entry, write_proof(InclusionProof(line, entry.seq, tuple(path), note)))


def promised_hour(document: bytes, code: str, key: VerifierKey) -> str:
    """Return the hour by whose end the ledger has promised the record of a receipt, such as "2026-11-22T04Z".

    Args:
        document: JSON: a promise, or a notice with its receipt and its promise.
        code: the receipt's.
        key: the ledger's.

    Raises:
        NoteError: `key` made no such promise.
    """
    try:
        members = orjson.loads(document)
    except orjson.JSONDecodeError:
        raise NoteError("is not JSON") from None
    if isinstance(members, dict) and "receipt_promise" in members:
        if plain(str(members.get("receipt"))) != plain(code):
            raise NoteError("is of another receipt")
        members = members["receipt_promise"]
    hour = check_promise(code, parse_promise(members), key)
    try:
        return str(HOUR.read(hour))
    except ValueError:
        raise NoteError("names no hour") from None


def _find(files: LedgerFiles, receipt: str) -> tuple[Entry, bytes] | None:
    """Return the restriction with this commitment, and its line; quotation marks in a text are escaped."""
    wanted = f'"receipt":"{receipt}"'.encode()
    for path in files.record_files():
        for line in lines_of(path):
            if wanted in line:
                try:
                    entry = decode(line)
                except LedgerLineError as error:
                    raise RefusedInputError(f"{path}: holds a line that is no record: {error}; {_LOOK}") from None
                if isinstance(entry.record, Restriction):
                    return entry, line.removesuffix(b"\n")
    return None


class _Leaves:
    """The leaves of the tree, read from the files of records."""

    def __init__(self, files: LedgerFiles, size: int, progress: Progress | None) -> None:
        self._files = files
        self._size = size
        self._progress = progress
        self._hashed = 0

    def root(self, start: int, end: int) -> bytes:
        """Return the root of the records from `start` up to `end`, without it (merkle.Subtree)."""
        peaks = Peaks()
        while (at := start + peaks.size) < end:
            first = at - at % layout.LINES_IN_FILE
            path = self._files.record_file(first)
            for line in islice(lines_of(path), at - first, end - first):
                peaks.append(leaf_hash(line.removesuffix(b"\n")))
            if start + peaks.size == at:
                raise RefusedInputError(f"{path}: is shorter than the newest checkpoint has it; {_LOOK}")
            self._tell(start + peaks.size - at)
        return peaks.root()

    def _tell(self, records: int) -> None:
        self._hashed += records
        if self._progress is not None:
            self._progress(self._hashed, self._size)
