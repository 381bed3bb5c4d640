"""Which ledger it is: its name, its key for others to check with, and its first record, which must belong together."""

import hashlib

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from joingate.codecs.ledger_line import LedgerLineError, decode
from joingate.codecs.ledger_schema import SCHEMA_DIGEST
from joingate.codecs.signed_note import VerifierKey, verifier_key
from joingate.core.errors import RefusedInputError
from joingate.core.record import FORMAT, Genesis
from joingate.ledger.durable import write_durably
from joingate.ledger.files import LedgerFiles, lines_of
from joingate.ledger.position import Position


def stated_verifier_key(files: LedgerFiles, key: Ed25519PrivateKey) -> VerifierKey:
    """Return the verifier key of `key`, and put it into its file; the name comes from the key, 12 digits of a SHA-256.

    Raises:
        RefusedInputError: the file says otherwise.
        OSError: it cannot be read or written.
    """
    public = key.public_key().public_bytes_raw()
    made = verifier_key(f"joingate-{hashlib.sha256(public).hexdigest()[:12]}", key)
    try:
        found = files.verifier_key.read_text("utf-8", "replace").strip()
    except FileNotFoundError:
        write_durably(files.verifier_key, f"{made}\n".encode())
        return made
    if found != str(made):
        raise RefusedInputError(
            f"{files.verifier_key}: does not belong to the key in {files.secret}; put back what belongs together"
        )
    return made


def write_genesis(files: LedgerFiles, origin: str, hour: str) -> None:
    """Begin a history.

    Raises:
        OSError: it cannot be written.
    """
    genesis = Genesis(FORMAT, SCHEMA_DIGEST, origin)
    write_durably(files.record_file(0), b"".join(Position().write((genesis,), hour)))


def check_genesis(files: LedgerFiles, origin: str) -> None:
    """Refuse a history that this joingate and this key cannot go on with.

    Raises:
        RefusedInputError: with what to put right.
        OSError: it cannot be read.
    """
    path = files.record_file(0)
    try:
        genesis = decode(next(lines_of(path), b"")).record
    except FileNotFoundError:
        raise RefusedInputError(f"{path}: is missing; put it back") from None
    except LedgerLineError as error:
        raise RefusedInputError(f"{path}: line 1: {error}; put the file back from a copy") from None
    if not isinstance(genesis, Genesis) or genesis.origin != origin:
        raise RefusedInputError(
            f"{path}: is not a history of {origin}, whose key is beside it; put back what belongs together"
        )
    if genesis.schema != SCHEMA_DIGEST:
        raise RefusedInputError(
            f"{path}: was begun by a joingate with other kinds of records; move the whole ledger away, where it can "
            "still be verified, and begin a new one"
        )
