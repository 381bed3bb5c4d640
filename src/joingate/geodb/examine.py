"""The child process in which a candidate database is examined: whatever a corrupt file does, it does here.

    python -m joingate.geodb.examine SOURCE_FD TARGET_FD

SOURCE_FD is the sealed candidate, TARGET_FD an empty memory file for the condensed database. One JSON object goes to
stdout: what was found, or {"refusal": "..."}. The module imports little, to start quickly.
"""

import ipaddress
import json
import mmap
import os
import re
import sys
import time
from resource import RLIMIT_AS, RLIMIT_CORE, setrlimit

import maxminddb

from joingate.core.location import read_record
from joingate.geodb.condense import CorruptTreeError, condense, find_leaves, read_tree

_MEMORY = 4 << 30
"""Bytes of address space: some ten times what the largest city database needs, and far below what a record that
unfolds by pointers to pointers would take."""

_CLOCK_SKEW = 86400
"""Seconds by which a builder's clock may be ahead of ours: a day, the most that time zones mixed up can amount to."""

_SUBDIVISION = re.compile(r"[A-Z]{2}-[A-Z0-9]{1,3}")

_Found = dict[str, str | int | list[str]]


class _Unfit(Exception):  # noqa: N818  a verdict on the file, not a failure
    """Why the candidate cannot be used, and the remedy."""


_INCOMPLETE = "put a complete, undamaged database in its place"


def examine(source: int, target: int) -> _Found:
    """Examine the whole of a candidate and write its condensed form.

    Args:
        source: descriptor of the candidate.
        target: descriptor that the condensed database is written to.
    """
    try:
        reader = maxminddb.open_database(f"/proc/self/fd/{source}", maxminddb.MODE_MMAP_EXT)
        metadata = reader.metadata()
    except Exception:  # noqa: BLE001  any error of the reader is a verdict on the file
        raise _Unfit(
            f"cannot be opened as an MMDB file, so is truncated, damaged or something else; {_INCOMPLETE}"
        ) from None
    if metadata.build_epoch > time.time() + _CLOCK_SKEW:
        when = f"built in the future (build_epoch {metadata.build_epoch})"
        raise _Unfit(f"says it was {when}; set this machine's clock, or {_INCOMPLETE}")
    bits = 32 if metadata.ip_version == 4 else 128
    with mmap.mmap(source, 0, prot=mmap.PROT_READ) as whole:
        tree = whole[: metadata.node_count * metadata.record_size // 4]
    try:
        records = read_tree(tree, metadata.node_count, metadata.record_size)
        leaves = find_leaves(records, bits)
    except CorruptTreeError as error:
        raise _Unfit(f"its search tree is damaged ({error}); {_INCOMPLETE}") from None
    if not leaves.networks:
        raise _Unfit("holds no networks; put a complete country or city database in its place")
    code_at = {pointer: _code(reader, first, bits) for pointer, first in leaves.found_at.items()}
    codes = set(code_at.values()) - {""}
    if not codes:
        raise _Unfit(
            f"is of type {metadata.database_type!r}, and none of its {leaves.networks} networks has a country; "
            "a country or city database is needed, such as GeoLite2-Country"
        )
    condensed = memoryview(condense(records, code_at, metadata.ip_version, metadata.build_epoch))
    while condensed:
        condensed = condensed[os.write(target, condensed) :]
    return {
        "database_type": metadata.database_type,
        "ip_version": metadata.ip_version,
        "build_epoch": metadata.build_epoch,
        "node_count": metadata.node_count,
        "networks": leaves.networks,
        "countries": sorted({code[:2] for code in codes}),
        "subdivisions": sorted(code for code in codes if "-" in code),
    }


def _code(reader: maxminddb.Reader, first: int, bits: int) -> str:
    """Read the record that holds at address number `first`, and reduce it to the code that decides."""
    address = ipaddress.IPv4Address(first) if bits == 32 else ipaddress.IPv6Address(first)
    try:
        record = reader.get(address)
    except Exception:  # noqa: BLE001  any error of the reader is a verdict on the file
        raise _Unfit(f"the record of {address} cannot be read; {_INCOMPLETE}") from None
    if not isinstance(record, dict):
        raise _Unfit(f"the record of {address} is no map; a country or city database is needed")
    location = read_record(record)
    if location.subdivision is not None and _SUBDIVISION.fullmatch(location.subdivision):
        return location.subdivision
    return location.country or ""


def main() -> None:
    """Examine the descriptors named by the two arguments; print one JSON object."""
    setrlimit(RLIMIT_CORE, (0, 0))
    setrlimit(RLIMIT_AS, (_MEMORY, _MEMORY))
    try:
        found = examine(int(sys.argv[1]), int(sys.argv[2]))
    except _Unfit as refusal:
        found = {"refusal": str(refusal)}
    except MemoryError:
        found = {"refusal": f"takes more than {_MEMORY >> 30} GiB of memory to read; {_INCOMPLETE}"}
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
