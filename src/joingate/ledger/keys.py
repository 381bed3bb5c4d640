"""The ledger's two secrets: the key that signs, and the key of the commitments to meetings. Made at the first start.

Without the first, no more checkpoints of the same ledger can be signed; without the second, nobody can show any more
which meeting a record is about. Neither is ever made anew beside records that the old ones were used for.
"""

import os
import secrets
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from joingate.core.errors import RefusedInputError
from joingate.ledger.durable import make_folder, write_durably

SIGNING_KEY: Final = "signing_key"
COMMITMENT_KEY: Final = "commitment_key"

_SIZE: Final = 32  # bytes: an Ed25519 seed (RFC 8032 5.1.5), and as many for the other
_OTHERS: Final = 0o077


@dataclass(frozen=True, slots=True)
class Keys:
    """What nobody else may have.

    Attributes:
        signing: signs checkpoints and receipts.
        commitment: 32 bytes, from which the salts of the commitments to meetings are made.
    """

    signing: Ed25519PrivateKey = field(repr=False)
    commitment: bytes = field(repr=False)


def load_keys(secret: Path, *, may_make: bool) -> Keys:
    """Read the keys from the folder `secret`.

    Args:
        secret: the folder; mode 0700, its files 0600.
        may_make: whether a missing key is made. Not so where there are records.

    Raises:
        RefusedInputError: a key is missing, has another size, or can be read by others.
        OSError: a file cannot be read or made.
    """
    if may_make:
        make_folder(secret, 0o700)
    if secret.is_dir():
        _refuse_others(secret, secret.stat().st_mode, "700")
    signing, commitment = (_load(secret / name, may_make=may_make) for name in (SIGNING_KEY, COMMITMENT_KEY))
    return Keys(Ed25519PrivateKey.from_private_bytes(signing), commitment)


def _load(path: Path, *, may_make: bool) -> bytes:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        if may_make:
            write_durably(path, secrets.token_bytes(_SIZE), 0o600)
            return _load(path, may_make=False)
        raise RefusedInputError(
            f"{path}: is missing, and there are records made with it; put it back from a copy, or move the whole "
            "ledger away and begin a new one"
        ) from None
    try:
        _refuse_others(path, os.fstat(fd).st_mode, "600")
        key = os.read(fd, _SIZE + 1)
    finally:
        os.close(fd)
    if len(key) != _SIZE:
        raise RefusedInputError(f"{path}: is no key, which has {_SIZE} bytes; put it back from a copy")
    return key


def _refuse_others(path: Path, mode: int, wanted: str) -> None:
    if stat.S_IMODE(mode) & _OTHERS:
        raise RefusedInputError(
            f"{path}: others than its owner have access to it; run chmod {wanted} on it, and consider what they may "
            "have read"
        )
