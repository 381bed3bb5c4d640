"""Ejections and what became of them.

Which ejections are open is kept as bits, a bit for each seq, in blocks that go when their last bit goes: of ten million
records at most a few megabytes, however many of them are never resolved.
"""

from typing import Final

from joingate.core.audit_findings import Finding, Property
from joingate.core.record import Ending, Outcome

_BLOCK: Final = 12
"""Bits of a seq within its block."""


class SeqSet:
    """A set of seqs, compact where they are many."""

    __slots__ = ("_blocks", "_count")

    def __init__(self) -> None:
        self._blocks: dict[int, int] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __contains__(self, seq: int) -> bool:
        return bool(self._blocks.get(seq >> _BLOCK, 0) >> (seq & (1 << _BLOCK) - 1) & 1)

    def add(self, seq: int) -> None:
        """Add a seq that may be there already."""
        if seq not in self:
            self._blocks[seq >> _BLOCK] = self._blocks.get(seq >> _BLOCK, 0) | 1 << (seq & (1 << _BLOCK) - 1)
            self._count += 1

    def discard(self, seq: int) -> None:
        """Remove a seq that may not be there."""
        if seq in self:
            block = seq >> _BLOCK
            self._blocks[block] ^= 1 << (seq & (1 << _BLOCK) - 1)
            self._count -= 1
            if not self._blocks[block]:
                del self._blocks[block]


class Ejections:
    """Every ejection, until it is confirmed."""

    def __init__(self) -> None:
        self._property = Property("ejections")
        self._open = SeqSet()
        self._still_present = SeqSet()
        self._ejected = 0

    def eject(self, seq: int) -> None:
        """Note a restriction that ejects."""
        self._ejected += 1
        self._open.add(seq)

    def resolve(self, seq: int, outcome: Outcome) -> None:
        """Note what record `seq` says of ejections."""
        for ejection in outcome.restrictions:
            if ejection not in self._open:
                self._property.violate(seq, f"record {ejection} is no ejection before it that is not yet confirmed")
            elif outcome.ending is Ending.STILL_PRESENT:
                self._still_present.add(ejection)
            else:
                self._open.discard(ejection)
                self._still_present.discard(ejection)

    def finding(self) -> Finding:
        """Conclude."""
        confirmed, still = self._ejected - len(self._open), len(self._still_present)
        silent = len(self._open) - still
        return self._property.finding(
            f"every outcome is that of an ejection before it: {self._ejected} ejections, {confirmed} confirmed, "
            f"{still} still present, {silent} without an outcome yet",
            ejections=self._ejected,
            confirmed=confirmed,
            still_present=still,
            unresolved=silent,
        )
