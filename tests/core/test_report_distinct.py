import hashlib

from hypothesis import given
from hypothesis import strategies as st

from joingate.core.report_distinct import Distinct

digests = st.integers(0, 300).map(lambda number: hashlib.sha256(b"%d" % number).hexdigest())


@given(st.lists(digests, max_size=600))
def test_it_counts_as_a_set_does(added: list[str]) -> None:
    distinct = Distinct()
    for digest in added:
        distinct.add(digest)
    assert len(distinct) == len(set(added))


def test_keys_that_want_the_same_slot() -> None:
    """Their low bits are the same, so each is found behind the others; one is the key of a free slot."""
    distinct = Distinct()
    for high in [*range(200), *range(200)]:
        distinct.add(f"{high << 32:016x}{'0' * 48}")
    assert len(distinct) == 200


def test_ten_thousand_take_no_more_than_their_share() -> None:
    distinct = Distinct()
    for number in range(10_000):
        distinct.add(hashlib.sha256(b"%d" % number).hexdigest())
    assert len(distinct) == 10_000
    assert distinct._slots.itemsize * len(distinct._slots) <= 24 * 10_000
