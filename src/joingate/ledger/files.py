"""What lies where in a ledger's folder, and how its lines are read from the files, one after the other.

    verifier_key            NAME+ID+KEY: publish it, keep it, compare it
    checkpoint              the newest signed checkpoint
    checkpoints             every checkpoint, one note after the other
    records/000000000000.jsonl, records/000000016384.jsonl, ...     the lines; a name is the seq of the first
    set_aside/              unfinished ends of files, as found after a loss of power
    secret/                 the signing key and the key of the commitments; everything else may be published
    lock                    held while lines are appended

A file of records is complete at LINES_IN_FILE lines; every one but the first begins with a `segment` record.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from joingate.codecs.ledger_line import LONGEST_LINE

LINES_IN_FILE: Final = 16_384
"""So that a start reads a few megabytes at most, however long the history."""


@dataclass(frozen=True, slots=True)
class LedgerFiles:
    """The paths in one ledger's folder."""

    folder: Path

    @property
    def verifier_key(self) -> Path:
        return self.folder / "verifier_key"

    @property
    def checkpoint(self) -> Path:
        return self.folder / "checkpoint"

    @property
    def checkpoints(self) -> Path:
        return self.folder / "checkpoints"

    @property
    def records(self) -> Path:
        return self.folder / "records"

    @property
    def set_aside(self) -> Path:
        return self.folder / "set_aside"

    @property
    def secret(self) -> Path:
        return self.folder / "secret"

    @property
    def lock(self) -> Path:
        return self.folder / "lock"

    def record_file(self, first: int) -> Path:
        """Return the path of the file whose first line has the seq `first`."""
        return self.records / f"{first:012}.jsonl"

    def record_files(self) -> list[Path]:
        """Return the files of records there are, in their order.

        Raises:
            OSError: the folder cannot be read.
        """
        return sorted(path for path in self.records.iterdir() if path.suffix == ".jsonl")


def lines_of(path: Path) -> Iterator[bytes]:
    """Yield the lines of one file with their line feeds; the last may lack it. None is read longer than one can be.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb", buffering=1 << 20) as file:
        while line := file.readline(LONGEST_LINE + 1):
            yield line
