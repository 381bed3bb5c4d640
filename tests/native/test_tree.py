"""The walk of our own down a condensed tree, against the reader of libmaxminddb."""

from array import array
from ipaddress import IPv4Address

import maxminddb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from joingate.core.model import UNKNOWN, Cause, Location
from joingate.geodb.condense import condense

pytest.importorskip("joingate.geodb._tree", reason="not compiled: make native")

from joingate.geodb._tree import Tree

CODES = ("", "CN", "DE", "UA-43", "US-NJ")
NOWHERE = UNKNOWN[Cause.NOT_FOUND]
PLACES: dict[object, Location] = {
    None: NOWHERE,
    "": UNKNOWN[Cause.COUNTRY_MISSING],
    **{code: Location(code[:2], code if "-" in code else None) for code in CODES if code},
}


@st.composite
def trees(draw: st.DrawFn) -> tuple[int, bytes, int, list[int]]:
    """A condensed database: its IP version, its bytes, its nodes, and IPv4 addresses at its networks' edges."""
    version = draw(st.sampled_from((4, 6)))
    under = 0 if version == 4 else 96
    networks = draw(st.lists(st.tuples(st.integers(0, 2**32 - 1), st.integers(1, 32)), min_size=1, max_size=8))
    records: list[int | None] = [None, None]
    leaves: dict[int, str] = {}
    for number, length in networks:
        node = 0
        bits = [0] * under + [number >> (31 - at) & 1 for at in range(length)]
        for bit in bits[:-1]:
            at = 2 * node + bit
            if at in leaves:
                break
            if records[at] is None:
                records[at] = len(records) // 2
                records += [None, None]
            node = records[at] or 0
        else:
            if records[2 * node + bits[-1]] is None:
                leaves[2 * node + bits[-1]] = draw(st.sampled_from(CODES))
    count = len(records) // 2
    pointers = {code: count + 16 + index for index, code in enumerate(CODES)}
    filled = array(
        "I", (pointers[leaves[at]] if at in leaves else record or count for at, record in enumerate(records))
    )
    code_at = {pointers[code]: code for code in set(leaves.values())}
    edges = [
        edge & 0xFFFFFFFF
        for number, length in networks
        for edge in (number, number >> (32 - length) << (32 - length), (number | (1 << (32 - length)) - 1) + 1)
    ]
    return version, condense(filled, code_at, version, 1_600_000_000), count, edges


@given(tree=trees(), others=st.lists(st.integers(0, 2**32 - 1), max_size=8))
def test_it_answers_what_the_reader_does(
    tmp_path_factory: pytest.TempPathFactory, tree: tuple[int, bytes, int, list[int]], others: list[int]
) -> None:
    version, data, nodes, edges = tree
    path = tmp_path_factory.mktemp("tree") / "condensed.mmdb"
    path.write_bytes(data)
    walk = Tree(data, nodes, version, PLACES)
    with maxminddb.open_database(path, maxminddb.MODE_MMAP_EXT) as reader:
        for number in (*edges, *others, 0, 2**32 - 1):
            assert walk.get(number) is PLACES[reader.get(IPv4Address(number))]


def _big(number: int) -> bytes:
    return number.to_bytes(4, "big")


def test_a_tree_that_leads_nowhere() -> None:
    """Such are not written; and what if one is: nobody is located by it, and nothing is read beyond its end."""
    strings = bytes(16) + b"\x42CN\x40\x44XX-1\xab"
    for right in (0, 2, 17, 18, 17 + 4, 17 + 9, 17 + 100, 2**32 - 1):
        walk = Tree(_big(1) + _big(right) + strings, 1, 4, PLACES)
        assert walk.get(0) is NOWHERE
        if right == 17:
            assert walk.get(2**32 - 1) is PLACES["CN"]
            continue
        with pytest.raises(LookupError, match="the tree leads to no place"):
            walk.get(2**32 - 1)
    assert Tree(_big(1) + _big(17 + 3) + strings, 1, 4, PLACES).get(2**32 - 1) is PLACES[""]


@pytest.mark.parametrize(
    ("data", "nodes", "places"),
    [
        (b"", 0, PLACES),
        (bytes(24), 0, PLACES),
        (bytes(23), 1, PLACES),
        (bytes(24), 2**32 - 1, PLACES),
        (bytes(24), 1, {}),
    ],
)
def test_what_is_no_tree(data: bytes, nodes: int, places: dict[object, Location]) -> None:
    with pytest.raises(ValueError, match="not a condensed database"):
        Tree(data, nodes, 4, places)


@pytest.mark.parametrize("number", [-1, 2**32, 2**64])
def test_what_is_no_address(number: int) -> None:
    with pytest.raises((ValueError, OverflowError)):
        Tree(_big(1) + _big(1) + bytes(16), 1, 4, PLACES).get(number)
