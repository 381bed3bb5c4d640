"""Which rules the history holds as accepted, found in all of its files without reading most of what is in them."""

import re
from typing import Final

from joingate.ledger.files import LedgerFiles

_OF_RULES: Final = re.compile(
    rb'Z","kind":"(order|host_policy|lift|expiry)","rule":"([A-Za-z0-9._-]+)"(?:|,.*,"digest":"([0-9a-f]{16})")\}$',
    re.MULTILINE,
)
"""Matches the lines of these kinds alone: inside a string every quotation mark is escaped. To decode as many orders as
a large service has would take many seconds of a start."""


def accepted(files: LedgerFiles) -> tuple[dict[str, str], set[str]]:
    """Return what a history holds of orders and host policies.

    Returns:
        The digests of those that were accepted and not lifted, by rule id; and which of these have expired.

    Raises:
        OSError: a file cannot be read.
    """
    digests: dict[str, str] = {}
    expired: set[str] = set()
    for path in files.record_files():
        for kind, found, digest in _OF_RULES.findall(path.read_bytes()):
            rule = found.decode()
            if kind == b"expiry":
                expired.add(rule)
                continue
            expired.discard(rule)
            if kind == b"lift":
                digests.pop(rule, None)
            else:
                digests[rule] = digest.decode()
    return digests, expired
