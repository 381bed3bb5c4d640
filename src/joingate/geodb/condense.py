"""An MMDB's search tree, checked whole, with each record reduced to the one code that decides.

A vendor's record names continent, country and registered country in eight languages, and its reader decodes all of it
at every lookup: 20 us for MaxMind's own test data where the tree alone takes about 1 us. So the tree is kept and what
its leaves point at is replaced by one short string: "UA-43", "DE", or "" for a record that names no country. The
result is itself an MMDB file, which the C reader answers from.

Source: MaxMind DB File Format Specification 2.0 (binary search tree, data section, metadata).
"""

from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

SEPARATOR = bytes(16)
"""What stands between the search tree and the data section."""

_METADATA_MARKER = b"\xab\xcd\xefMaxMind.com"
_IPV4_DEPTH = 96
"""IPv4 lies under ::/96 of an IPv6 tree."""

_SHARING = 8
"""How often, on average, a node may be reached: once in a tree, oftener where a writer shares equal branches."""


class CorruptTreeError(Exception):
    """The search tree is not a tree of its metadata's dimensions."""


@dataclass(frozen=True, slots=True)
class Leaves:
    """Where the tree ends.

    Attributes:
        networks: how many networks have a record; aliases of the IPv4 tree are not counted again.
        found_at: each distinct value of a record pointer, and the first address of one network that leads to it.
    """

    networks: int
    found_at: Mapping[int, int]


def read_tree(data: bytes, node_count: int, record_size: int) -> "array[int]":
    """Return the two records of every node, one after the other.

    Args:
        data: the search tree's bytes.
        node_count: nodes.
        record_size: bits of a record: 24, 28 or 32.

    Raises:
        CorruptTreeError: no nodes, another record size, or too few bytes.
    """
    if not node_count:
        raise CorruptTreeError("no nodes")
    if record_size not in (24, 28, 32):
        raise CorruptTreeError(f"records of {record_size} bits")
    if len(data) != node_count * record_size // 4:
        raise CorruptTreeError(f"too short for {node_count} nodes")
    if record_size == 32:
        records = array("I", data)
        records.byteswap()
        return records
    if record_size == 24:
        thirds = zip(data[0::3], data[1::3], data[2::3], strict=True)
        return array("I", (a << 16 | b << 8 | c for a, b, c in thirds))
    records = array("I", bytes(8 * node_count))
    columns = [data[i::7] for i in range(7)]
    shared = columns[3]  # the high four bits of both records of a node
    records[0::2] = array("I", ((s >> 4) << 24 | a << 16 | b << 8 | c for s, a, b, c in zip(shared, *columns[:3])))  # noqa: B905  equal by construction
    records[1::2] = array("I", ((s & 15) << 24 | a << 16 | b << 8 | c for s, a, b, c in zip(shared, *columns[4:])))  # noqa: B905  the same
    return records


def find_leaves(records: "array[int]", bits: int) -> Leaves:
    """Walk the tree level by level to its last leaf.

    Args:
        records: as `read_tree` returns them.
        bits: of an address: 32 or 128.

    Raises:
        CorruptTreeError: a path longer than an address, which every cycle is.
    """
    node_count = len(records) // 2
    ipv4_root, ipv4_entry = _ipv4_root(records) if bits == 128 else (node_count, 0)
    above = array("I", bytes(4 * node_count))  # for each node, the place of the record that leads to it
    leaf_at: dict[int, int] = {}
    networks = walked = 0
    level = [0]
    for depth in range(1, bits + 1):
        below: list[int] = []
        for node in level:
            for at in (2 * node, 2 * node + 1):
                child = records[at]
                if child < node_count:
                    # 6to4, Teredo and mapped prefixes are aliases of the IPv4 tree, which is walked where it belongs.
                    if child != ipv4_root or at == ipv4_entry or depth > _IPV4_DEPTH:
                        above[child] = at
                        below.append(child)
                elif child > node_count:
                    networks += 1
                    leaf_at.setdefault(child, at)
        level = below
        walked += len(level)
        if walked > _SHARING * node_count:
            raise CorruptTreeError("its paths run in circles")
    if level:
        raise CorruptTreeError("paths longer than an address")
    return Leaves(networks, {record: _first_address(at, above, bits) for record, at in leaf_at.items()})


def _ipv4_root(records: "array[int]") -> tuple[int, int]:
    """Follow ::/96 down; return what stands at its end, and the place of the record that says so."""
    node = at = 0
    for _ in range(_IPV4_DEPTH):
        if node >= len(records) // 2:
            break
        at = 2 * node
        node = records[at]
    return node, at


def _first_address(at: int, above: "array[int]", bits: int) -> int:
    """Climb from the record at `at` to the root, and return the lowest address whose path comes down that way."""
    number, depth = at & 1, 1
    while node := at >> 1:
        at = above[node]
        number |= (at & 1) << depth
        depth += 1
    return number << (bits - depth)


def condense(records: "array[int]", code_at: Mapping[int, str], ip_version: int, build_epoch: int) -> bytes:
    """Write the MMDB file that answers a code where the original answers a record.

    Args:
        records: as `read_tree` returns them.
        code_at: the code for each record pointer; at most 28 ASCII characters.
        ip_version: 4 or 6.
        build_epoch: POSIX seconds, taken over from the original.
    """
    node_count = len(records) // 2
    pointer_to: dict[str, int] = {}
    section = bytearray()
    for code in sorted(set(code_at.values())):
        pointer_to[code] = node_count + len(SEPARATOR) + len(section)
        section += _string(code)
    new = {old: pointer_to[code] for old, code in code_at.items()}
    tree = array("I", (new.get(record, record) for record in records))
    tree.byteswap()
    metadata = _map(
        (
            ("binary_format_major_version", _uint(5, 2)),
            ("binary_format_minor_version", _uint(5, 0)),
            ("build_epoch", bytes((8, 2)) + build_epoch.to_bytes(8, "big")),  # extended type 9, uint64
            ("database_type", _string("joingate-Condensed")),
            ("description", _map(())),
            ("ip_version", _uint(5, ip_version)),
            ("languages", bytes((0, 4))),  # extended type 11, an array of none
            ("node_count", _uint(6, node_count)),
            ("record_size", _uint(5, 32)),
        )
    )
    return tree.tobytes() + SEPARATOR + bytes(section) + _METADATA_MARKER + metadata


def _string(text: str) -> bytes:
    return bytes((2 << 5 | len(text),)) + text.encode("ascii")


def _uint(kind: int, number: int) -> bytes:
    size = (number.bit_length() + 7) // 8
    return bytes((kind << 5 | size,)) + number.to_bytes(size, "big")


def _map(pairs: Iterable[tuple[str, bytes]]) -> bytes:
    items = list(pairs)
    return bytes((7 << 5 | len(items),)) + b"".join(_string(key) + value for key, value in items)
