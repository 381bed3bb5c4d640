"""The receipts of those who are restricted, one after the other; drawn many at a time, under one signature."""

import secrets
from collections.abc import Iterator
from typing import Final

from joingate.codecs.moment import utc_hour
from joingate.codecs.receipt import BOOK, CODE_BYTES, issue
from joingate.core.receipt import Receipt
from joingate.ledger.history import History

DEADLINE_HOURS: Final = 24
"""After a receipt is made, until its record must be in the history; a day, as RFC 9162's logs commonly promise."""


class Receipts:
    """Those of one history."""

    def __init__(self, history: History) -> None:
        """Draw none yet."""
        self._origin = history.origin
        self._key = history.key
        self._book: Iterator[Receipt] = iter(())
        self._hour = -1

    def draw(self, hour: int) -> Receipt:
        """Return one that nobody has, made in that hour since 1970."""
        receipt = next(self._book, None) if hour == self._hour else None
        if receipt is None:
            random = secrets.token_bytes(BOOK * CODE_BYTES)
            self._book, self._hour = issue(self._origin, utc_hour(hour + DEADLINE_HOURS), self._key, random), hour
            receipt = next(self._book)
        return receipt
