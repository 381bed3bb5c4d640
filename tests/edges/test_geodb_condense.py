"""The tree is read as the specification lays it out, and a condensed database answers as the original does."""

from array import array
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

import maxminddb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from joingate.core.location import read_record
from joingate.core.model import Address
from joingate.geodb.condense import CorruptTreeError, condense, find_leaves, read_tree
from joingate.geodb.database import open_database


def _pack(left: int, right: int, size: int) -> bytes:
    """Write a node as the specification draws it."""
    if size == 28:
        middle = (left >> 24) << 4 | right >> 24
        return (left & 0xFFFFFF).to_bytes(3, "big") + bytes((middle,)) + (right & 0xFFFFFF).to_bytes(3, "big")
    return left.to_bytes(size // 8, "big") + right.to_bytes(size // 8, "big")


@given(st.data(), st.sampled_from([24, 28, 32]))
def test_nodes_of_every_size(data: st.DataObject, size: int) -> None:
    record = st.integers(0, 2**size - 1)
    nodes = data.draw(st.lists(st.tuples(record, record), min_size=1, max_size=20))
    packed = b"".join(_pack(left, right, size) for left, right in nodes)
    assert list(read_tree(packed, len(nodes), size)) == [record for node in nodes for record in node]


@pytest.mark.parametrize(
    ("count", "size", "message"),
    [(0, 24, "no nodes"), (2, 16, "records of 16 bits"), (3, 24, "too short for 3 nodes")],
)
def test_trees_that_cannot_be_read(count: int, size: int, message: str) -> None:
    with pytest.raises(CorruptTreeError) as error:
        read_tree(bytes(12), count, size)
    assert str(error.value) == message


def test_leaves_of_a_small_tree() -> None:
    # 0.0.0.0/2 -> 20, 64.0.0.0/2 nothing, 128.0.0.0/1 -> 21
    leaves = find_leaves(array("I", [1, 21, 20, 2]), 32)
    assert leaves.networks == 2
    assert {record: IPv4Address(first) for record, first in leaves.found_at.items()} == {
        20: IPv4Address("0.0.0.0"),
        21: IPv4Address("128.0.0.0"),
    }


@pytest.mark.parametrize(
    "records",
    [
        [0, 0],  # to itself
        [1, 2, 0, 2],  # back to the root
        [1, 3, 2, 3, 1, 3],  # between two
    ],
)
@pytest.mark.parametrize("bits", [32, 128])
def test_circles(records: list[int], bits: int) -> None:
    with pytest.raises(CorruptTreeError):
        find_leaves(array("I", records), bits)


def test_paths_longer_than_an_address() -> None:
    chain = [record for node in range(1, 33) for record in (node, 33)]
    find_leaves(array("I", [*chain[:-2], 40, 40]), 32)
    with pytest.raises(CorruptTreeError, match="paths longer than an address"):
        find_leaves(array("I", [*chain, 40, 40]), 32)


def test_branches_that_a_writer_shares() -> None:
    # 0/1 and 128/1 have the same subtree, with 20 in its upper half
    leaves = find_leaves(array("I", [1, 1, 2, 20]), 32)
    assert leaves.networks == 2
    assert leaves.found_at[20] in (int(IPv4Address("64.0.0.0")), int(IPv4Address("192.0.0.0")))


def test_many_distinct_codes(tmp_path: Path) -> None:
    codes = {4 + 16 + number: f"DE-{number:03}" for number in range(5)}
    records = array("I", [1, 2, 20, 21, 3, 24, 22, 23])
    path = tmp_path / "condensed.mmdb"
    path.write_bytes(condense(records, codes, 4, 1_600_000_000))
    reader = maxminddb.open_database(path, maxminddb.MODE_MMAP_EXT)
    assert [reader.get(address) for address in ("0.0.0.0", "64.0.0.0", "128.0.0.0", "160.0.0.0", "192.0.0.0")] == [
        "DE-000",
        "DE-001",
        "DE-002",
        "DE-003",
        "DE-004",
    ]
    assert (reader.metadata().build_epoch, reader.metadata().ip_version) == (1_600_000_000, 4)


def _edges(reader: maxminddb.Reader) -> set[Address]:
    """The first and last address of every network, and both neighbours; and the same IPv4 in other clothes."""
    found: set[Address] = set()
    for network, _ in reader:
        kind = type(network.network_address)
        first, last = int(network.network_address), int(network.broadcast_address)
        for number in (first - 1, first, (first + last) // 2, last, last + 1):
            if 0 <= number < 1 << network.max_prefixlen:
                found.add(kind(number))
                if network.version == 4:
                    found.update(IPv6Address(high | number << low) for high, low in ((0, 0), (0xFFFF << 32, 0)))
                    found.add(IPv6Address(0x2002 << 112 | number << 80))
                    found.add(IPv6Address(0x20010000 << 96 | number << 64))
    return found


@pytest.mark.parametrize("name", ["GeoIP2-City-Test", "GeoIP2-Country-Test", "GeoLite2-Country-Test"])
def test_answers_as_maxminds_databases_do(maxmind: Path, name: str) -> None:
    _compare(maxmind / f"{name}.mmdb")


def test_answers_as_the_demo_databases_do(demo_mmdb: Path, second_mmdb: Path) -> None:
    _compare(demo_mmdb)
    _compare(second_mmdb)


def _compare(path: Path) -> None:
    original = maxminddb.open_database(path, maxminddb.MODE_MMAP_EXT)
    database = open_database(path)
    edges = _edges(original)
    assert len(edges) > 500
    assert {address: database.get(address) for address in edges} == {
        address: read_record(original.get(address)) for address in edges
    }
    assert database.errors == 0
    assert database.vetting.networks == sum(1 for _ in original)
