import hashlib
import json
import re
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from joingate.codecs.receipt import BOOK, CODE_BYTES, Promise, check_promise, commitment, issue, parse_promise, plain
from joingate.codecs.signed_note import NoteError, open_note, sign_note, verifier_key

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
ORIGIN = "joingate-0a1b2c3d4e5f"
OWN = verifier_key(ORIGIN, KEY)
DEADLINE = "2026-11-22T04Z"
RANDOM = hashlib.shake_256(b"receipts").digest(BOOK * CODE_BYTES)
RECEIPTS = list(issue(ORIGIN, DEADLINE, KEY, RANDOM))
LETTERS = "abcdefghijklmnopqrstuvwxyz234567"
CODE, PROMISE = RECEIPTS[17].code, RECEIPTS[17].promise


def test_a_book_is_codes_of_80_bits_under_one_signature() -> None:
    assert len({receipt.code for receipt in RECEIPTS}) == BOOK == 64
    assert all(re.fullmatch("[a-z2-7]{16}", receipt.code) for receipt in RECEIPTS)
    assert "".join(receipt.code for receipt in RECEIPTS) == "".join(LETTERS[byte % 32] for byte in RANDOM)
    assert len({receipt.promise.note for receipt in RECEIPTS}) == 1
    assert open_note(PROMISE.note, OWN).startswith(f"joingate receipts/1\n{ORIGIN}\n{DEADLINE}\n")


def test_every_letter_of_a_code_is_as_likely_as_any_other() -> None:
    every_byte = bytes(range(256)) * (BOOK * CODE_BYTES // 256)
    drawn = Counter("".join(receipt.code for receipt in issue(ORIGIN, DEADLINE, KEY, every_byte)))
    assert drawn == Counter(dict.fromkeys(LETTERS, BOOK * CODE_BYTES // 32))


def test_every_promise_is_that_of_its_receipt_and_of_no_other() -> None:
    for receipt in RECEIPTS:
        assert check_promise(receipt.code, receipt.promise, OWN) == DEADLINE
        assert len(receipt.promise.path) == 6
        other = RECEIPTS[receipt.promise.index ^ 1]
        with pytest.raises(NoteError, match=r"^is a promise for another receipt$"):
            check_promise(other.code, receipt.promise, OWN)


def test_a_code_is_read_as_people_write_it() -> None:
    assert plain(" ABCD-efgh 2345\u00a0jklm\n") == "abcdefgh2345jklm"
    assert commitment("ABCD EFGH 2345 JKLM") == commitment("abcdefgh2345jklm")
    assert commitment("abcdefgh2345jklm") == hashlib.sha256(b"joingate receipt\nabcdefgh2345jklm").hexdigest()


def test_a_promise_goes_through_json() -> None:
    assert parse_promise(json.loads(json.dumps(PROMISE.members()))) == PROMISE


MEMBERS = PROMISE.members()


@pytest.mark.parametrize(
    "members",
    [
        None,
        [],
        {},
        {**MEMBERS, "index": "17"},
        {**MEMBERS, "index": -1},
        {**MEMBERS, "index": BOOK},
        {**MEMBERS, "path": "x"},
        {**MEMBERS, "path": ["not base64"]},
        {**MEMBERS, "path": ["\u00e4"]},
        {**MEMBERS, "path": [1]},
        {**MEMBERS, "note": None},
    ],
)
def test_what_is_no_promise_is_refused(members: Any) -> None:
    with pytest.raises(NoteError, match=r"^is no promise$"):
        parse_promise(members)


def signed(*lines: str) -> Promise:
    return replace(PROMISE, note=sign_note("".join(f"{line}\n" for line in lines), ORIGIN, KEY))


ROOT = open_note(PROMISE.note, OWN).split("\n")[3]


@pytest.mark.parametrize(
    ("promise", "why"),
    [
        (signed("joingate receipts/2", ORIGIN, DEADLINE, ROOT), "is no promise of this ledger"),
        (signed("joingate receipts/1", "joingate-ffffffffffff", DEADLINE, ROOT), "is no promise of this ledger"),
        (signed("joingate receipts/1", ORIGIN, ROOT), "is no promise of this ledger"),
        (signed("joingate receipts/1", ORIGIN, DEADLINE, ROOT, "more"), "is no promise of this ledger"),
        (signed("joingate receipts/1", ORIGIN, DEADLINE, "not base64"), "is no promise of this ledger"),
        (signed("joingate receipts/1", ORIGIN, DEADLINE, "AAAA"), "is a promise for another receipt"),
        (replace(PROMISE, index=16), "is a promise for another receipt"),
        (replace(PROMISE, path=PROMISE.path[:-1]), "is a promise for another receipt"),
        (replace(PROMISE, path=PROMISE.path[::-1]), "is a promise for another receipt"),
        (
            replace(PROMISE, note=PROMISE.note.replace("T04Z", "T05Z")),
            f"has a signature that {ORIGIN} did not make over this text",
        ),
    ],
)
def test_a_promise_that_the_ledger_did_not_make_is_refused(promise: Promise, why: str) -> None:
    with pytest.raises(NoteError, match=f"^{re.escape(why)}$"):
        check_promise(CODE, promise, OWN)


def test_a_promise_of_another_key_is_refused() -> None:
    other = verifier_key(ORIGIN, Ed25519PrivateKey.from_private_bytes(bytes(32)))
    with pytest.raises(NoteError, match=f"^is not signed by {ORIGIN}$"):
        check_promise(CODE, PROMISE, other)
