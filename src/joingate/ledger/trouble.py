"""What can go wrong with the ledger's files, told apart by who can mend it: time, or a person."""

import errno
from pathlib import Path

from joingate.core.errors import RefusedInputError

_FOR_A_PERSON = {
    errno.EACCES: "grant the gate's user access to it",
    errno.EPERM: "grant the gate's user access to it",
    errno.ENOTDIR: "name a folder in [ledger] path",
    errno.EEXIST: "name a folder in [ledger] path",
    errno.EISDIR: "move the folder away",
    errno.ELOOP: "name a folder in [ledger] path",
    errno.ENAMETOOLONG: "name a folder with a shorter path in [ledger] path",
}


class LedgerUnavailableError(Exception):
    """Nothing can be recorded at present, and so nobody is restricted. It may pass; the text is for the operator."""


class OvertakenError(Exception):
    """What a record was to rest on is no longer what the history says is in use: it has to be said anew first."""


def unavailable(path: Path, error: OSError) -> LedgerUnavailableError:
    """Return what to raise when work on `path` has failed while the gate serves."""
    return LedgerUnavailableError(f"{error.filename or path}: {error.strerror}")


def cannot_start(path: Path, error: OSError) -> RefusedInputError | LedgerUnavailableError:
    """Return what to raise when work on `path` has failed at the start, where a person still looks on."""
    remedy = _FOR_A_PERSON.get(error.errno or 0)
    if remedy is None:
        return unavailable(path, error)
    return RefusedInputError(f"{error.filename or path}: {error.strerror}; {remedy}")
