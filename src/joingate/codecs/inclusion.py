"""An inclusion proof as text: that one record stands in a history. Whoever has the verifier key can check it offline.

    c2sp.org/tlog-proof@v1
    extra eyJzZXEiOjE3LCJob3VyIjoiMjAyNi0xMS0yMVQwNFoiLC...
    index 17
    gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=
    B95lDa8R83lS8n0eG+o0buTxRKQTYFi//1U8anccXmA=

    joingate-0a1b2c3d4e5f
    4711
    sFodV/vSp5O8n9a8QpW6PRY97tfOSW5bsc2Xl/EQi08=

    — joingate-0a1b2c3d4e5f hI2DJw...

`extra` holds the record's line without its line feed. Nothing vouches for it but the proof itself, whose leaf it is.

Source: C2SP tlog-proof; RFC 9162 2.1.3.
"""

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Final

from joingate.codecs.ledger_line import LedgerLineError, decode
from joingate.codecs.merkle import leaf_hash, verify_inclusion
from joingate.codecs.receipt import commitment
from joingate.codecs.signed_note import Checkpoint, NoteError, VerifierKey, open_checkpoint
from joingate.core.record import Entry, Restriction

LONGEST_PROOF: Final = 524_288
"""Characters; the longest line in base64, and room for the rest."""

_FIRST_LINE: Final = "c2sp.org/tlog-proof@v1"
_INDEX = re.compile(r"index (0|[1-9][0-9]{0,15})", re.ASCII)


@dataclass(frozen=True, slots=True)
class InclusionProof:
    """That a line is leaf `index` of a signed history.

    Attributes:
        line: the record's line without its line feed.
        path: from the leaf's sibling to the root's child, 32 bytes each.
        checkpoint: the signed note.
    """

    line: bytes
    index: int
    path: tuple[bytes, ...]
    checkpoint: str


@dataclass(frozen=True, slots=True)
class Proven:
    """A record, and the signed history that it stands in."""

    entry: Entry
    checkpoint: Checkpoint


def write_proof(proof: InclusionProof) -> str:
    """Write a proof as text."""
    lines = [_FIRST_LINE, f"extra {_encode(proof.line)}", f"index {proof.index}", *map(_encode, proof.path)]
    return "\n".join(lines) + f"\n\n{proof.checkpoint}"


def parse_proof(text: str) -> InclusionProof:
    """Read a proof that carries its record's line.

    Raises:
        NoteError: it is none.
    """
    if len(text) > LONGEST_PROOF:
        raise NoteError("is too long for a proof")
    head, gap, checkpoint = text.partition("\n\n")
    first, *lines = head.split("\n")
    if first != _FIRST_LINE or not gap:
        raise NoteError(f"is no proof, which begins with {_FIRST_LINE}")
    if not lines or not lines[0].startswith("extra "):
        raise NoteError("does not carry the record that it is of")
    line = _decode(lines[0].removeprefix("extra "))
    index = _INDEX.fullmatch(lines[1]) if len(lines) > 1 else None
    path = [_decode(each) for each in lines[2:]]
    if line is None or index is None:
        raise NoteError("does not say which record it is of")
    hashes = tuple(each for each in path if each is not None and len(each) == 32)
    if len(hashes) != len(path):
        raise NoteError("has a line that is no SHA-256")
    return InclusionProof(line, int(index[1]), hashes, checkpoint)


def check_proof(proof: InclusionProof, code: str, key: VerifierKey) -> Proven:
    """Return the record that a receipt is of, as it stands in a history signed by `key`.

    Raises:
        NoteError: the proof does not show it.
    """
    checkpoint = open_checkpoint(proof.checkpoint, key)
    if not verify_inclusion(leaf_hash(proof.line), proof.index, checkpoint.size, proof.path, checkpoint.root):
        raise NoteError(f"does not lead from its record to the {checkpoint.size} records that are signed")
    try:
        entry = decode(proof.line)
    except LedgerLineError as error:
        raise NoteError(f"is of no record: {error}") from None
    if not isinstance(entry.record, Restriction) or entry.record.receipt != commitment(code):
        raise NoteError("is of another record than this receipt's")
    if entry.seq != proof.index:
        raise NoteError(f"is of a record that calls itself {entry.seq} and stands in place {proof.index}")
    return Proven(entry, checkpoint)


def _encode(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _decode(text: str) -> bytes | None:
    """Decode standard base64, in its one spelling; anything else is None."""
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        return None
    return data if _encode(data) == text else None
