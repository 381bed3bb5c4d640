"""Signed notes and checkpoints: the form in which the ledger's root is signed, kept, published and compared.

    joingate-0a1b2c3d4e5f
    4711
    sFodV/vSp5O8n9a8QpW6PRY97tfOSW5bsc2Xl/EQi08=

    — joingate-0a1b2c3d4e5f hI2DJw...

A checkpoint names no time. Any tool that knows the format can check one with the verifier key alone.

Source: C2SP signed-note (Ed25519, type 0x01) and tlog-checkpoint; RFC 8032.
"""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

_ED25519: Final = b"\x01"
_DASH: Final = "\N{EM DASH} "
_LONGEST_NOTE: Final = 65_536
_SIZE = re.compile(r"0|[1-9][0-9]{0,15}", re.ASCII)
_NAME = re.compile(r"[!-*,-~]{1,128}", re.ASCII)


class NoteError(ValueError):
    """A note, a checkpoint or a key cannot be believed; the text says why."""


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A name and the Ed25519 public key (32 bytes) that goes by it."""

    name: str
    public: bytes

    @property
    def id(self) -> bytes:
        """The 4 bytes that tell signatures of several keys apart."""
        return hashlib.sha256(self.name.encode() + b"\n" + _ED25519 + self.public).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{_encode(_ED25519 + self.public)}"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A signed statement: the first `size` records have this root (32 bytes)."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """The text that is signed."""
        return f"{self.origin}\n{self.size}\n{_encode(self.root)}\n"


def verifier_key(name: str, key: Ed25519PrivateKey) -> VerifierKey:
    """Return what others need to check signatures by `key`."""
    return VerifierKey(name, key.public_key().public_bytes_raw())


def parse_verifier_key(text: str) -> VerifierKey:
    """Read `NAME+ID+KEY`.

    Raises:
        NoteError: it is no Ed25519 verifier key.
    """
    parts = text.strip().split("+", 2)
    if len(parts) != 3 or _NAME.fullmatch(parts[0]) is None:
        raise NoteError("is not a verifier key, which looks like NAME+ID+KEY")
    name, key_id, encoded = parts
    key = _decode(encoded)
    if key is None or len(key) != 33 or key[:1] != _ED25519:
        raise NoteError("is not an Ed25519 verifier key")
    found = VerifierKey(name, key[1:])
    if found.id.hex() != key_id:
        raise NoteError("has an id that does not belong to its name and key")
    return found


def sign_note(text: str, name: str, key: Ed25519PrivateKey) -> str:
    """Sign `text`, which ends in a line feed, under `name`."""
    signature = verifier_key(name, key).id + key.sign(text.encode())
    return f"{text}\n{_DASH}{name} {_encode(signature)}\n"


def open_note(note: str, key: VerifierKey) -> str:
    """Return the text of a note signed by `key`; signatures by others are passed over.

    Raises:
        NoteError: it is no note, or `key` has not signed it.
    """
    if len(note) > _LONGEST_NOTE:
        raise NoteError("is too long for a signed note")
    text, gap, signatures = note.rpartition("\n\n")
    if not gap or not signatures.endswith("\n"):
        raise NoteError("is not a signed note")
    text += "\n"
    is_signed = False
    for line in signatures[:-1].split("\n"):
        name, space, encoded = line.removeprefix(_DASH).partition(" ")
        signature = _decode(encoded)
        if not line.startswith(_DASH) or not space or signature is None or len(signature) < 5:
            raise NoteError("has a signature line that is none")
        if name != key.name or signature[:4] != key.id:
            continue
        try:
            Ed25519PublicKey.from_public_bytes(key.public).verify(signature[4:], text.encode())
        except InvalidSignature:
            raise NoteError(f"has a signature that {key.name} did not make over this text") from None
        is_signed = True
    if not is_signed:
        raise NoteError(f"is not signed by {key.name}")
    return text


def parse_checkpoint(text: str) -> Checkpoint:
    """Read the text of a checkpoint without extension lines.

    Raises:
        NoteError: it is none.
    """
    lines = text.split("\n")
    if len(lines) != 4 or lines[3] or not lines[0] or _SIZE.fullmatch(lines[1]) is None:
        raise NoteError("is not a checkpoint")
    root = _decode(lines[2])
    if root is None or len(root) != 32:
        raise NoteError("has a root that is no SHA-256")
    return Checkpoint(lines[0], int(lines[1]), root)


def open_checkpoint(note: str, key: VerifierKey) -> Checkpoint:
    """Return the checkpoint in a note signed by `key`, whose name is the origin.

    Raises:
        NoteError: it cannot be believed.
    """
    found = parse_checkpoint(open_note(note, key))
    if found.origin != key.name:
        raise NoteError(f"is of {found.origin}, not of {key.name}")
    return found


def split_notes(text: str) -> list[str]:
    """Split checkpoints that stand one after the other; each begins where the signatures before it have ended.

    Raises:
        NoteError: the text does not end where a note does.
    """
    notes: list[str] = []
    lines: list[str] = []
    for line in text.splitlines(keepends=True):
        if lines and lines[-1].startswith(_DASH) and not line.startswith(_DASH):
            notes.append("".join(lines))
            lines = []
        lines.append(line)
    if lines:
        if not lines[-1].startswith(_DASH) or not lines[-1].endswith("\n"):
            raise NoteError("ends in the middle of a checkpoint")
        notes.append("".join(lines))
    return notes


def _encode(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _decode(text: str) -> bytes | None:
    """Decode standard base64, in its one spelling; anything else is None."""
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        return None
    return data if _encode(data) == text else None
