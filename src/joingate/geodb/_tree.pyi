"""deploy/native/tree.c: IPv4 addresses looked up in C, where it has been compiled (`make native`)."""

import mmap
from typing import final

from joingate.core.model import Location

@final
class Tree:
    """A condensed database's search tree, and the places that its leaves mean."""

    def __init__(self, data: mmap.mmap | bytes, nodes: int, ip_version: int, places: dict[object, Location]) -> None:
        """Read the leaves.

        Args:
            data: the database, as `joingate.geodb.condense` writes it; held, and never copied.
            nodes: of the tree.
            ip_version: of the tree: 4 or 6.
            places: what each string of a leaf means, and None an address that has none.

        Raises:
            ValueError: it is too short, or has no nodes, or nothing is said of None.
        """

    def get(self, number: int) -> Location:
        """Return the place of an IPv4 address.

        Raises:
            LookupError: the tree leads to none.
            ValueError, OverflowError: it is no IPv4 address.
        """
