"""The tree over the ledger's lines: hashes, peaks, inclusion and consistency.

A leaf is a line without its line feed. The tree of n leaves is that of RFC 9162 2.1; a history that is only ever
appended to keeps its `Peaks`, the roots of the perfect subtrees that n is the sum of, and needs nothing else to go on.

Source: RFC 9162 2.1.1 (hashes), 2.1.3 (inclusion), 2.1.4 (consistency).
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from typing import Final

EMPTY_ROOT: Final = hashlib.sha256(b"").digest()

_sha256 = hashlib.sha256


def leaf_hash(data: bytes) -> bytes:
    """Return SHA-256(0x00 || data)."""
    return _sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return SHA-256(0x01 || left || right)."""
    return _sha256(b"\x01" + left + right).digest()


class Peaks:
    """A tree that grows, as the roots of its perfect subtrees, largest first.

    Attributes:
        size: leaves.
        hashes: one for each bit set in `size`.
    """

    __slots__ = ("hashes", "size")

    def __init__(self, size: int = 0, hashes: Iterable[bytes] = ()) -> None:
        """Go on from a tree of `size` leaves.

        Raises:
            ValueError: `hashes` are not those of so many leaves.
        """
        self.size = size
        self.hashes = list(hashes)
        if len(self.hashes) != size.bit_count():
            raise ValueError(f"a tree of {size} leaves has {size.bit_count()} peaks, not {len(self.hashes)}")

    def append(self, leaf: bytes) -> None:
        """Add a leaf's hash."""
        size, hashes = self.size, self.hashes
        while size & 1:
            leaf = node_hash(hashes.pop(), leaf)
            size >>= 1
        hashes.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        """Return the tree's root."""
        if not self.hashes:
            return EMPTY_ROOT
        *rest, root = self.hashes
        for peak in reversed(rest):
            root = node_hash(peak, root)
        return root

    def copy(self) -> "Peaks":
        """Return one that grows on its own."""
        return Peaks(self.size, self.hashes)


Subtree = Callable[[int, int], bytes]
"""Root of the leaves [start, end), whatever stands behind it: a list in memory, or files."""


def subtree_of(leaves: Sequence[bytes]) -> Subtree:
    """Return the Subtree of leaf hashes held in memory."""

    def root(start: int, end: int) -> bytes:
        peaks = Peaks()
        for leaf in leaves[start:end]:
            peaks.append(leaf)
        return peaks.root()

    return root


def _split(size: int) -> int:
    """Return the largest power of two smaller than `size`, which is 2 or more."""
    return 1 << (size - 1).bit_length() - 1


def inclusion_proof(index: int, size: int, subtree: Subtree) -> list[bytes]:
    """Return the hashes that lead from leaf `index` to the root of the first `size` leaves (RFC 9162 2.1.3.1).

    Raises:
        ValueError: there is no such leaf.
    """
    if not 0 <= index < size:
        raise ValueError(f"a tree of {size} leaves has no leaf {index}")
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(subtree(middle, end))
            end = middle
        else:
            path.append(subtree(start, middle))
            start = middle
    path.reverse()
    return path


def verify_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Whether `path` leads from the hash `leaf` at `index` to `root` (RFC 9162 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    at, last = index, size - 1
    found = leaf
    for sibling in path:
        if last == 0:
            return False
        if at & 1 or at == last:
            found = node_hash(sibling, found)
            while at and not at & 1:
                at >>= 1
                last >>= 1
        else:
            found = node_hash(found, sibling)
        at >>= 1
        last >>= 1
    return last == 0 and found == root


def consistency_proof(old: int, size: int, subtree: Subtree) -> list[bytes]:
    """Return the hashes that show the first `old` leaves to be a prefix of the first `size` (RFC 9162 2.1.4.1).

    Raises:
        ValueError: `old` is not between 1 and `size`.
    """
    if not 0 < old <= size:
        raise ValueError(f"a tree of {old} leaves is no part of one of {size} that can be shown")
    path: list[bytes] = []
    start, end, is_whole = 0, size, True
    while (part := old - start) != end - start:
        middle = start + _split(end - start)
        if part <= middle - start:
            path.append(subtree(middle, end))
            end = middle
        else:
            path.append(subtree(start, middle))
            start, is_whole = middle, False
    if not is_whole:
        path.append(subtree(start, end))
    path.reverse()
    return path


def verify_consistency(old: int, old_root: bytes, size: int, root: bytes, path: Sequence[bytes]) -> bool:
    """Whether `path` shows the tree of `old` leaves to be a prefix of that of `size` (RFC 9162 2.1.4.2)."""
    if old == size:
        return not path and old_root == root
    if not 0 < old < size or not path:
        return False
    hashes = list(path) if old & (old - 1) else [old_root, *path]
    at, last = old - 1, size - 1
    while at & 1:
        at >>= 1
        last >>= 1
    found_old = found_new = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            found_old = node_hash(sibling, found_old)
            found_new = node_hash(sibling, found_new)
            while at and not at & 1:
                at >>= 1
                last >>= 1
        else:
            found_new = node_hash(found_new, sibling)
        at >>= 1
        last >>= 1
    return last == 0 and found_old == old_root and found_new == root
