from collections.abc import Sequence
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joingate.codecs.merkle import (
    EMPTY_ROOT,
    Peaks,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    subtree_of,
    verify_consistency,
    verify_inclusion,
)

# Certificate Transparency's own test data: eight leaves, and the root after each.
LEAVES = tuple(
    map(
        bytes.fromhex,
        ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"),
    )
)
ROOTS = (
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)

MANY = [leaf_hash(bytes([number])) for number in range(40)]


def root_of(leaves: Sequence[bytes]) -> bytes:
    """The definition of RFC 9162 2.1.1, word for word."""
    if not leaves:
        return sha256().digest()
    if len(leaves) == 1:
        return leaves[0]
    split = largest_power(len(leaves))
    return sha256(b"\x01" + root_of(leaves[:split]) + root_of(leaves[split:])).digest()


def path_of(index: int, leaves: Sequence[bytes]) -> list[bytes]:
    """RFC 9162 2.1.3.1."""
    if len(leaves) == 1:
        return []
    split = largest_power(len(leaves))
    if index < split:
        return [*path_of(index, leaves[:split]), root_of(leaves[split:])]
    return [*path_of(index - split, leaves[split:]), root_of(leaves[:split])]


def proof_of(old: int, leaves: Sequence[bytes], *, whole: bool = True) -> list[bytes]:
    """RFC 9162 2.1.4.1."""
    if old == len(leaves):
        return [] if whole else [root_of(leaves)]
    split = largest_power(len(leaves))
    if old <= split:
        return [*proof_of(old, leaves[:split], whole=whole), root_of(leaves[split:])]
    return [*proof_of(old - split, leaves[split:], whole=False), root_of(leaves[:split])]


def largest_power(size: int) -> int:
    power = 1
    while power * 2 < size:
        power *= 2
    return power


def test_hashes_of_leaves_and_nodes_cannot_be_taken_for_each_other() -> None:
    assert leaf_hash(b"ab") == sha256(b"\x00ab").digest()
    assert node_hash(b"a", b"b") == sha256(b"\x01ab").digest()


def test_a_growing_tree_has_the_roots_of_certificate_transparency() -> None:
    peaks = Peaks()
    assert peaks.root() == EMPTY_ROOT == bytes.fromhex(ROOTS[0])
    for leaf, root in zip(LEAVES, ROOTS[1:], strict=True):
        peaks.append(leaf_hash(leaf))
        assert peaks.root().hex() == root
    assert peaks.size == 8
    assert peaks.hashes == [peaks.root()]


def test_peaks_are_all_that_is_needed_to_go_on() -> None:
    for size in range(len(MANY)):
        begun = Peaks()
        for leaf in MANY[:size]:
            begun.append(leaf)
        resumed, untouched = Peaks(size, begun.hashes), begun.copy()
        for leaf in MANY[size:]:
            resumed.append(leaf)
        assert resumed.root() == root_of(MANY)
        assert (begun.size, begun.root()) == (untouched.size, untouched.root()) == (size, root_of(MANY[:size]))


@pytest.mark.parametrize(("size", "hashes"), [(0, [b"x"]), (1, []), (3, [b"x"]), (4, [b"x", b"y"])])
def test_peaks_of_another_size_are_refused(size: int, hashes: list[bytes]) -> None:
    with pytest.raises(ValueError, match=f"^a tree of {size} leaves has {size.bit_count()} peaks, not {len(hashes)}$"):
        Peaks(size, hashes)


def test_every_inclusion_proof_is_the_one_defined_and_verifies() -> None:
    for size in range(1, len(MANY) + 1):
        root, subtree = root_of(MANY[:size]), subtree_of(MANY)
        for index in range(size):
            path = inclusion_proof(index, size, subtree)
            assert path == path_of(index, MANY[:size])
            assert verify_inclusion(MANY[index], index, size, path, root)


def test_every_consistency_proof_is_the_one_defined_and_verifies() -> None:
    for size in range(1, len(MANY) + 1):
        root, subtree = root_of(MANY[:size]), subtree_of(MANY)
        for old in range(1, size + 1):
            path = consistency_proof(old, size, subtree)
            assert path == proof_of(old, MANY[:size])
            assert verify_consistency(old, root_of(MANY[:old]), size, root, path)


sizes = st.integers(1, len(MANY))


@given(sizes, st.data())
def test_an_inclusion_proof_of_anything_else_does_not_verify(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    root, path = root_of(MANY[:size]), path_of(index, MANY[:size])
    other = data.draw(st.integers(0, size - 1).filter(lambda each: each != index) if size > 1 else st.just(-1))
    assert not verify_inclusion(MANY[other], index, size, path, root)
    assert not verify_inclusion(MANY[index], other, size, path, root)
    assert not verify_inclusion(MANY[index], index, size, [*path, root], root)
    assert not verify_inclusion(MANY[index], index, size, path, leaf_hash(root))
    assert not verify_inclusion(MANY[index], size, size, path, root)
    if path:
        assert not verify_inclusion(MANY[index], index, size, path[:-1], root)
        at = data.draw(st.integers(0, len(path) - 1))
        assert not verify_inclusion(MANY[index], index, size, [*path[:at], root, *path[at + 1 :]], root)


@given(sizes, st.data())
def test_a_consistency_proof_of_anything_else_does_not_verify(size: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(1, size))
    before, root, path = root_of(MANY[:old]), root_of(MANY[:size]), proof_of(old, MANY[:size])
    wrong = leaf_hash(root)
    assert not verify_consistency(old, wrong, size, root, path)
    assert not verify_consistency(old, before, size, wrong, path)
    assert not verify_consistency(old, before, size, root, [*path, wrong])
    assert not verify_consistency(0, before, size, root, path)
    assert not verify_consistency(size + 1, before, size, root, path)
    if path:
        assert not verify_consistency(old, before, size, root, path[:-1])
        at = data.draw(st.integers(0, len(path) - 1))
        assert not verify_consistency(old, before, size, root, [*path[:at], wrong, *path[at + 1 :]])


@pytest.mark.parametrize(("index", "size"), [(0, 0), (-1, 3), (3, 3)])
def test_there_is_no_proof_of_a_leaf_that_is_not_there(index: int, size: int) -> None:
    with pytest.raises(ValueError, match=f"^a tree of {size} leaves has no leaf {index}$"):
        inclusion_proof(index, size, subtree_of(MANY))


@pytest.mark.parametrize(("old", "size"), [(0, 3), (4, 3)])
def test_there_is_no_proof_from_a_tree_that_is_no_part(old: int, size: int) -> None:
    with pytest.raises(ValueError, match=f"^a tree of {old} leaves is no part of one of {size} that can be shown$"):
        consistency_proof(old, size, subtree_of(MANY))
