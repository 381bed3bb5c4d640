"""How many different ones there were, without keeping them: a table of 64-bit keys, at most 24 bytes for each."""

from array import array
from typing import Final

_SMALLEST: Final = 64


class Distinct:
    """Counts different SHA-256 digests by their first 64 bits: of 10 million, two alike are one chance in 300,000."""

    __slots__ = ("_count", "_slots")

    def __init__(self) -> None:
        self._slots = _empty(_SMALLEST)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, digest: str) -> None:
        """Count a digest, in hexadecimal, unless it is counted already."""
        key = int(digest[:16], 16) or 1  # 0 is a free slot
        at = _find(self._slots, key)
        if self._slots[at] == key:
            return
        self._slots[at] = key
        self._count += 1
        if self._count * 3 > len(self._slots) * 2:
            self._grow()

    def _grow(self) -> None:
        slots = _empty(len(self._slots) * 2)
        for key in self._slots:
            if key:
                slots[_find(slots, key)] = key
        self._slots = slots


def _empty(size: int) -> "array[int]":
    return array("Q", bytes(8 * size))


def _find(slots: "array[int]", key: int) -> int:
    """Return where `key` is, or the free slot where it belongs; `slots` has one."""
    last = len(slots) - 1
    at = key & last
    while slots[at] not in (0, key):
        at = at + 1 & last
    return at
