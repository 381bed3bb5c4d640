"""Where an address is, worked out beside the gate: from the database file itself, by the other of the two readers.

The gate asks a condensed copy with the C reader; this asks the file as it was built, with the reader in pure Python,
and takes the records apart by itself. Nothing of `joingate.geodb` is used.
"""

from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

import maxminddb

from joingate.core.model import UNKNOWN, Address, Cause, Location


class Places:
    """One database.

    Attributes:
        path: of a file that stays as it is.
        kind: its type, as the gate's status names it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._reader = maxminddb.open_database(path, maxminddb.MODE_MEMORY)  # the mode of the pure-Python reader
        self.kind = self._reader.metadata().database_type
        self._known: dict[Address, Location] = {}

    def locate(self, address: Address) -> Location:
        """Say where `address` is, or that it is unknown; why it is makes no difference to a verdict."""
        if (known := self._known.get(address)) is None:
            known = self._known[address] = self._look_up(address)
        return known

    def _look_up(self, address: Address) -> Location:
        if isinstance(address, IPv6Address):
            if address.ipv4_mapped is not None:
                return self._look_up(IPv4Address(address.ipv4_mapped))
            if address.sixtofour is not None or address.teredo is not None:
                return UNKNOWN[Cause.ADDRESS_UNDETERMINABLE]
        record = self._reader.get(str(address))
        if not isinstance(record, dict) or not isinstance(country := record.get("country"), dict):
            return UNKNOWN[Cause.COUNTRY_MISSING]
        code, parts = str(country["iso_code"]), record.get("subdivisions")
        part = parts[0] if isinstance(parts, list) else None
        return Location(code, f"{code}-{part['iso_code']}" if isinstance(part, dict) else None)
