"""Receipts: what a restricted participant can show, and only they.

A receipt is a random code of 80 bits. The ledger's record holds its commitment, so whoever has the code finds the
record, and nobody else can tell whose it is. A promise goes with it: the ledger's signature that a record with this
commitment will stand in the history by a deadline. A promise that is not kept is evidence.

One signature costs more than all the rest of a rejection. So a book of receipts is signed at once, as the root of a
small tree over their commitments, and each promise carries the few hashes from its own leaf to that root. That waits
for the first promise to be shown: a Close frame has no room for one, so ejecting thousands signs nothing.

Source: RFC 9162 2.1 (tree and inclusion proof), C2SP signed-note; the idea is that of RFC 9162's SCT.
"""

import base64
import hashlib
import re
from collections.abc import Iterator
from functools import partial
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from joingate.codecs.merkle import leaf_hash, node_hash, verify_inclusion
from joingate.codecs.signed_note import NoteError, VerifierKey, open_note, sign_note
from joingate.core.receipt import Promise, Receipt

__all__ = ["BOOK", "CODE_BYTES", "Promise", "Receipt", "check_promise", "commitment", "issue", "parse_promise", "plain"]

BOOK: Final = 64
"""Receipts under one signature, a power of two: six hashes a promise, and little left of the signature's cost."""

CODE_BYTES: Final = 16
"""Random bytes for a code: five bits of each choose a letter, by RFC 4648's base 32 in lower case."""

_LETTERS: Final = b"abcdefghijklmnopqrstuvwxyz234567" * 8
_FIRST_LINE: Final = "joingate receipts/1"
_COMMITTED: Final = b"joingate receipt\n"

_sha256 = hashlib.sha256


def commitment(code: str) -> str:
    """Return what stands in the record: the SHA-256, in hexadecimal, of "joingate receipt", a line feed and the code.

    The code is read as people write it: capitals and spaces do not matter.
    """
    return _commitment(plain(code)).hex()


def _commitment(code: str) -> bytes:
    return _sha256(_COMMITTED + code.encode()).digest()


def plain(code: str) -> str:
    """Return `code` in its one spelling: lower case, no spaces or hyphens."""
    return re.sub(r"[\s-]", "", code).lower()


def issue(origin: str, deadline: str, key: Ed25519PrivateKey, random: bytes) -> Iterator[Receipt]:
    """Yield a book of receipts.

    Args:
        origin: the ledger's.
        deadline: UTC hour.
        key: the ledger's.
        random: BOOK times CODE_BYTES.
    """
    letters = random.translate(_LETTERS)
    codes = [letters[at : at + CODE_BYTES] for at in range(0, BOOK * CODE_BYTES, CODE_BYTES)]
    commitments = [_sha256(_COMMITTED + code).digest() for code in codes]
    book = _Book(origin, deadline, key, commitments)
    for index, (code, committed) in enumerate(zip(codes, commitments, strict=True)):
        yield Receipt(code.decode(), committed.hex(), partial(book.promise, index))


class _Book:
    """The promises of as many receipts as are signed at once."""

    def __init__(self, origin: str, deadline: str, key: Ed25519PrivateKey, commitments: list[bytes]) -> None:
        self._origin = origin
        self._deadline = deadline
        self._key = key
        self._commitments = commitments
        self._promises: list[Promise] = []

    def promise(self, index: int) -> Promise:
        """Return a receipt's promise; the first to be asked for has all of them made."""
        if not self._promises:
            self._promises = self._make()
        return self._promises[index]

    def _make(self) -> list[Promise]:
        level = [leaf_hash(committed) for committed in self._commitments]
        # Each receipt's path, a height at a time: at every height the neighbour of what the receipt is under.
        paths: list[list[bytes]] = []
        for height in range(BOOK.bit_length() - 1):
            paths.append([level[index >> height ^ 1] for index in range(BOOK)])
            level = [node_hash(left, right) for left, right in zip(level[::2], level[1::2], strict=True)]
        root = base64.b64encode(level[0]).decode()
        note = sign_note(f"{_FIRST_LINE}\n{self._origin}\n{self._deadline}\n{root}\n", self._origin, self._key)
        return [Promise(index, path, note) for index, path in enumerate(zip(*paths, strict=True))]


def check_promise(code: str, promise: Promise, key: VerifierKey) -> str:
    """Return the deadline, a UTC hour, of a promise that `key` made for the receipt `code`.

    Raises:
        NoteError: it made no such promise.
    """
    lines = open_note(promise.note, key).split("\n")
    if len(lines) != 5 or lines[0] != _FIRST_LINE or lines[1] != key.name:
        raise NoteError("is no promise of this ledger")
    leaf = leaf_hash(_commitment(plain(code)))
    try:
        root = base64.b64decode(lines[3], validate=True)
    except ValueError:
        raise NoteError("is no promise of this ledger") from None
    if not verify_inclusion(leaf, promise.index, BOOK, promise.path, root):
        raise NoteError("is a promise for another receipt")
    return lines[2]


def parse_promise(members: Any) -> Promise:
    """Read a promise from the members of a JSON object.

    Raises:
        NoteError: it is none.
    """
    match members:
        case {"index": int(index), "path": list(path), "note": str(note)} if 0 <= index < BOOK:
            try:
                return Promise(index, tuple(base64.b64decode(each, validate=True) for each in path), note)
            except (ValueError, TypeError):
                pass
    raise NoteError("is no promise")
