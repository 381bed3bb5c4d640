import base64
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joingate.codecs.inclusion import LONGEST_PROOF, InclusionProof, check_proof, parse_proof, write_proof
from joingate.codecs.ledger_line import encode
from joingate.codecs.merkle import Peaks, inclusion_proof, leaf_hash, subtree_of
from joingate.codecs.receipt import commitment
from joingate.codecs.signed_note import Checkpoint, NoteError, sign_note
from joingate.core.record import Entry, Heartbeat, Restriction
from tests.ledger_histories import EXAMPLES, KEY, ORIGIN, VERIFIER_KEY

CODE = "abcdefgh2345jklm"
HOUR = "2026-11-21T04Z"
EXAMPLE = EXAMPLES["restriction"]
assert isinstance(EXAMPLE, Restriction)
ENTRY = Entry(5, HOUR, replace(EXAMPLE, receipt=commitment(CODE)))


def proof_of(index: int, line: bytes, size: int = 9) -> InclusionProof:
    """A proof that `line` stands at `index` of `size` records, signed."""
    leaves = [leaf_hash(line if at == index else b"%d" % at) for at in range(size)]
    path = inclusion_proof(index, size, subtree_of(leaves))
    root = subtree_of(leaves)(0, size)
    return InclusionProof(line, index, tuple(path), sign_note(Checkpoint(ORIGIN, size, root).text, ORIGIN, KEY))


LINE = encode(ENTRY).rstrip(b"\n")
PROOF = proof_of(5, LINE)
TEXT = write_proof(PROOF)


def test_a_proof_is_written_as_the_specification_has_it() -> None:
    first, extra, index, *hashes, gap, origin, size, root, gap_too, signature, end = TEXT.split("\n")
    assert (first, index) == ("c2sp.org/tlog-proof@v1", "index 5")
    assert extra == f"extra {base64.b64encode(LINE).decode()}"
    assert [base64.b64decode(each) for each in hashes] == list(PROOF.path)
    assert (gap, gap_too, end) == ("", "", "")
    assert (origin, size, len(base64.b64decode(root))) == (ORIGIN, "9", 32)
    assert signature.startswith(f"\N{EM DASH} {ORIGIN} ")


@pytest.mark.parametrize(("index", "size"), [(0, 1), (0, 2), (6, 7), (5, 9), (8, 9)])
def test_a_proof_shows_the_record_of_a_receipt(index: int, size: int) -> None:
    entry = replace(ENTRY, seq=index)
    proof = proof_of(index, encode(entry).rstrip(b"\n"), size)
    assert parse_proof(write_proof(proof)) == proof
    proven = check_proof(proof, " ABCD EFGH 2345 JKLM", VERIFIER_KEY)
    assert proven.entry == entry
    assert (proven.checkpoint.origin, proven.checkpoint.size) == (ORIGIN, size)


EXTRA = f"extra {base64.b64encode(LINE).decode()}\n"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is no proof, which begins with c2sp.org/tlog-proof@v1"),
        (TEXT.replace("@v1", "@v2"), "is no proof, which begins with c2sp.org/tlog-proof@v1"),
        (TEXT.partition("\n\n")[0], "is no proof, which begins with c2sp.org/tlog-proof@v1"),
        ("c2sp.org/tlog-proof@v1\n\n", "does not carry the record that it is of"),
        (TEXT.replace(EXTRA, ""), "does not carry the record that it is of"),
        (TEXT.replace(EXTRA, "extra not base64\n"), "does not say which record it is of"),
        (TEXT.replace(EXTRA, "extra \u00e4\n"), "does not say which record it is of"),
        (TEXT.replace("index 5", "index 05"), "does not say which record it is of"),
        (TEXT.replace("index 5\n", ""), "does not say which record it is of"),
        (f"c2sp.org/tlog-proof@v1\n{EXTRA}\n{PROOF.checkpoint}", "does not say which record it is of"),
        (TEXT.replace("index 5\n", "index 5\nAAAA\n"), "has a line that is no SHA-256"),
        (TEXT.replace("index 5\n", "index 5\nnot base64\n"), "has a line that is no SHA-256"),
        (
            TEXT.replace("index 5\n", f"index 5\n{'A' * 42}B=\n"),
            "has a line that is no SHA-256",
        ),  # bits beyond the last byte
        (TEXT + "x" * LONGEST_PROOF, "is too long for a proof"),
    ],
)
def test_what_is_no_proof_is_refused(text: str, why: str) -> None:
    with pytest.raises(NoteError, match=f"^{re.escape(why)}$"):
        parse_proof(text)


SHOWN = "does not lead from its record to the 9 records that are signed"
OTHER = encode(Entry(5, HOUR, EXAMPLE)).rstrip(b"\n")
BEAT = encode(Entry(5, HOUR, Heartbeat())).rstrip(b"\n")


@pytest.mark.parametrize(
    ("proof", "why"),
    [
        (replace(PROOF, index=4), SHOWN),
        (replace(PROOF, index=9), SHOWN),
        (replace(PROOF, line=OTHER), SHOWN),
        (replace(PROOF, path=PROOF.path[:-1]), SHOWN),
        (replace(PROOF, checkpoint=PROOF.checkpoint.replace("\n9\n", "\n8\n")), "has a signature that"),
        (proof_of(5, b"{}"), "is of no record: the line does not begin with seq, hour and kind"),
        (proof_of(5, OTHER), "is of another record than this receipt's"),
        (proof_of(5, BEAT), "is of another record than this receipt's"),
        (proof_of(6, LINE), "is of a record that calls itself 5 and stands in place 6"),
    ],
)
def test_a_proof_of_anything_else_is_refused(proof: InclusionProof, why: str) -> None:
    with pytest.raises(NoteError, match=f"^{re.escape(why)}"):
        check_proof(proof, CODE, VERIFIER_KEY)


@given(st.integers(0, len(TEXT) - 1), st.characters(codec="utf-8"))
def test_no_character_of_a_proof_can_be_another(at: int, character: str) -> None:
    changed = TEXT[:at] + character + TEXT[at + 1 :]
    if changed != TEXT:
        with pytest.raises(NoteError):
            check_proof(parse_proof(changed), CODE, VERIFIER_KEY)


def test_the_tree_of_the_examples_is_the_one_that_grows() -> None:
    peaks = Peaks()
    for at in range(9):
        peaks.append(leaf_hash(LINE if at == 5 else b"%d" % at))
    assert base64.b64encode(peaks.root()).decode() in PROOF.checkpoint
