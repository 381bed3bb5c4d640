"""What a restricted participant is given to show later: a code that only they have, and the ledger's promise."""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Promise:
    """That a record with a receipt's commitment stands in the ledger's history by a deadline.

    Attributes:
        index: the receipt's place in its book.
        path: inclusion proof in the book, 32 bytes each.
        note: the signed note over the ledger's origin, the deadline and the book's root.
    """

    index: int
    path: tuple[bytes, ...]
    note: str

    def members(self) -> dict[str, object]:
        """Return the promise as the members of a JSON object."""
        return {"index": self.index, "path": [base64.b64encode(each).decode() for each in self.path], "note": self.note}


class Receipt(NamedTuple):
    """One receipt: a random code of 80 bits, and the promise that goes with it.

    Attributes:
        commitment: what stands in the record in place of the code: a SHA-256 of it, in hexadecimal.
        promised: makes the promise. Not every restriction has room to show one, and it takes a signature.
    """

    code: str
    commitment: str
    promised: Callable[[], Promise]

    @property
    def promise(self) -> Promise:
        """The promise, made now if it has not been."""
        return self.promised()
