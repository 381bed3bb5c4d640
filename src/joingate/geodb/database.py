"""A vetted database in use, asked with the C reader or, where it is compiled, by a walk of our own down its tree."""

import mmap
from importlib import import_module
from importlib.util import find_spec
from ipaddress import IPv4Address
from pathlib import Path
from typing import TYPE_CHECKING, Final

import maxminddb

from joingate.core.errors import RefusedInputError
from joingate.core.model import UNKNOWN, Address, Cause, Location
from joingate.geodb.sealed import KeptOpen, memory_file, seal, sealed_copy
from joingate.geodb.vet import Vetting, vet

if TYPE_CHECKING:
    from joingate.geodb._tree import Tree

_HAS_TREE: Final = find_spec("joingate.geodb._tree") is not None
_NO_DATABASE = UNKNOWN[Cause.NO_DATABASE]


def check_c_reader() -> None:
    """Make sure that the C reader is there; the other one is 16 times slower and takes files that this one refuses.

    Raises:
        RefusedInputError: it is not.
    """
    try:
        import_module("maxminddb.extension")
    except ImportError:
        raise RefusedInputError(
            "maxminddb: its C extension is missing, so every lookup would be slow; "
            "install a wheel of maxminddb for this platform, or libmaxminddb's headers and then maxminddb from source"
        ) from None


class Database:
    """One database. What is read is a condensed copy in sealed memory: the file may do what it likes.

    Attributes:
        path: where it came from.
        digest: SHA-256 of the file, the first 16 hexadecimal digits.
        vetting: what its examination found.
        errors: lookups that the reader failed at, each answered as unknown (no database).
    """

    __slots__ = ("_ipv4_only", "_kept", "_lookup", "_places", "_tree", "digest", "errors", "path", "vetting")

    def __init__(self, path: Path, digest: str, vetting: Vetting, condensed: int) -> None:
        """Open the condensed database of descriptor `condensed`, which may be closed afterwards."""
        self.path = path
        self.digest = digest
        self.vetting = vetting
        self.errors = 0
        self._kept = KeptOpen(condensed)
        self._ipv4_only = vetting.ip_version == 4
        reader = maxminddb.open_database(f"/proc/self/fd/{condensed}", maxminddb.MODE_MMAP_EXT)
        self._lookup = reader.get
        # One Location for each answer there can be: a lookup makes no new object.
        self._places: dict[object, Location] = {
            None: UNKNOWN[Cause.NOT_FOUND],
            "": UNKNOWN[Cause.COUNTRY_MISSING],
            **{code: Location(code) for code in vetting.countries},
            **{code: Location(code[:2], code) for code in vetting.subdivisions},
        }
        self._tree = _tree(condensed, reader.metadata().node_count, vetting.ip_version, self._places)

    @property
    def fd(self) -> int:
        """Return a descriptor of the condensed copy, to hand another process the same memory; open as long as this."""
        return self._kept.fd

    def get(self, address: Address) -> Location:
        """Say where this database places `address`, which is never text: the C reader takes octal for decimal."""
        is_ipv4 = isinstance(address, IPv4Address)
        if not is_ipv4 and address.version == 6 and self._ipv4_only:
            return UNKNOWN[Cause.NOT_FOUND]
        try:
            if is_ipv4 and self._tree is not None:
                return self._tree.get(int(address))
            return self._places[self._lookup(address)]
        except Exception:  # noqa: BLE001  whatever the reader raises, this person is not located (G1)
            self.errors += 1
            return _NO_DATABASE

    def names(self, code: str) -> bool:
        """Whether any record answers the ISO 3166-1 or 3166-2 code."""
        return code in self.vetting.countries or code in self.vetting.subdivisions


def _tree(condensed: int, nodes: int, ip_version: int, places: dict[object, Location]) -> "Tree | None":
    if not _HAS_TREE:
        return None
    from joingate.geodb._tree import Tree  # noqa: PLC0415 - only there where it is compiled

    return Tree(mmap.mmap(condensed, 0, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ), nodes, ip_version, places)


def open_database(path: Path, reuse: Database | None = None) -> Database:
    """Read, vet and open the file at `path`; where it holds what `reuse` was made of, that is returned instead.

    Raises:
        RefusedInputError: the file cannot be used; one problem, with its remedy.
    """
    with sealed_copy(path) as source, memory_file("condensed") as condensed:
        if reuse is not None and reuse.digest == source.digest:
            return reuse
        vetting = vet(path, source.fd, condensed)
        seal(condensed)
        try:
            return Database(path, source.digest, vetting, condensed)
        except maxminddb.InvalidDatabaseError:
            raise RefusedInputError(
                f"{path}: its examination left nothing usable; try again with a good copy"
            ) from None
