"""What has been appended by some moment, and is to be made durable in a thread while more is appended."""

import os
from dataclasses import dataclass
from pathlib import Path

from joingate.codecs.ledger_batch import grow
from joingate.ledger.position import Position


@dataclass(frozen=True, slots=True)
class Captured:
    """The end of a history as it was.

    Attributes:
        base: where the last checkpoint ended.
        at: where the last line had left the history.
        lines: the lines between the two.
        files: that hold them, under descriptors of their own, until `close`.
        begins_file: whether any of the files has begun since.
        generation: of the files, see HistoryLock.
    """

    base: Position
    at: Position
    lines: tuple[bytes, ...]
    files: tuple[tuple[Path, int], ...]
    begins_file: bool
    generation: int

    def root_at(self, size: int) -> bytes | None:
        """Return the root of the first `size` records, or None outside of what was captured."""
        if not self.base.size <= size <= self.at.size:
            return None
        peaks = self.base.peaks.copy()
        grow(peaks, self.lines[: size - self.base.size])
        return peaks.root()

    def close(self) -> None:
        for _, fd in self.files:
            os.close(fd)
