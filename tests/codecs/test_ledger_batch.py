from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joingate.codecs.ledger_batch import encode_all, encode_one, grow
from joingate.codecs.ledger_line import decode, encode
from joingate.codecs.ledger_schema import MOST_SEQ
from joingate.codecs.merkle import Peaks, leaf_hash
from joingate.core.record import Basis, Entry, Lift, Record, Restriction, Restricts, Told
from tests.ledger_histories import EXAMPLES

HOURS = st.sampled_from(("2026-11-21T04Z", "2026-11-21T05Z"))


@pytest.mark.parametrize("kind", EXAMPLES)
def test_every_kind_is_written_as_encode_writes_it(kind: str) -> None:
    entry = Entry(4711, "2026-11-21T04Z", EXAMPLES[kind])
    line = encode_one(4711, "2026-11-21T04Z", EXAMPLES[kind])
    assert line == encode(entry)
    assert decode(line) == entry


@given(st.integers(0, 2**53 - 1), HOURS, st.text(st.characters(codec="utf-8"), max_size=20))
def test_whatever_stands_in_a_text_is_written_as_encode_writes_it(seq: int, hour: str, text: str) -> None:
    assert encode_one(seq, hour, Lift(text)) == encode(Entry(seq, hour, Lift(text)))


@given(st.integers(0, 9999), HOURS, st.lists(st.sampled_from(list(EXAMPLES.values()))))
def test_records_of_a_batch_follow_each_other(first: int, hour: str, records: Sequence[Record]) -> None:
    assert encode_all(first, hour, records) == [
        encode(Entry(seq, hour, record)) for seq, record in enumerate(records, first)
    ]


HEX = st.text("0123456789abcdef", min_size=64, max_size=64)
COUNTS = st.integers(0, MOST_SEQ)


@given(
    COUNTS,
    st.builds(
        Restriction,
        st.sampled_from(Restricts),
        st.sampled_from(Basis),
        st.from_regex("[A-Za-z0-9._-]{1,64}", fullmatch=True),
        HEX.map(lambda digits: digits[:16]),
        st.lists(COUNTS, min_size=1, max_size=4).map(tuple),
        st.sampled_from(("CN", "UA-43", "unknown")),
        COUNTS,
        st.sampled_from(Told),
        HEX,
        HEX,
    ),
)
def test_a_restriction_is_written_as_encode_writes_it(seq: int, record: Restriction) -> None:
    entry = Entry(seq, "2026-11-21T04Z", record)
    assert encode_one(seq, "2026-11-21T04Z", record) == encode(entry)
    assert decode(encode_one(seq, "2026-11-21T04Z", record)) == entry


def test_what_cannot_be_written_raises() -> None:
    with pytest.raises(TypeError):
        encode_one(1, "2026-11-21T04Z", Lift("\ud800"))


@given(st.integers(0, 40), st.lists(st.binary(max_size=4), max_size=40))
def test_the_tree_grows_as_peaks_do(size: int, bodies: list[bytes]) -> None:
    expected, found = (Peaks(size, [bytes([n]) * 32 for n in range(size.bit_count())]) for _ in range(2))
    for body in bodies:
        expected.append(leaf_hash(body))
    grow(found, [body + b"\n" for body in bodies])
    assert (found.size, found.hashes) == (expected.size, expected.hashes)
