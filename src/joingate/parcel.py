"""Rules and databases, loaded once, in memory that another process of the same gate can be handed.

Rules are pickled: both ends are one program and one user, the memory is sealed and has no name, and nothing that
anybody else has written is unpickled. A database is not copied at all; all processes read the same pages.
"""

import mmap
import os
import pickle
from collections.abc import Sequence
from pathlib import Path

from joingate.core.rule_set import RuleSet
from joingate.geodb.atlas import Atlas
from joingate.geodb.database import Database
from joingate.geodb.overrides import Overrides
from joingate.geodb.sealed import memory_file, seal
from joingate.geodb.vet import Vetting
from joingate.loading import Loaded

_Described = tuple[Path, str, Vetting]


def pack(loaded: Loaded) -> list[int]:
    """Return descriptors of all that makes up rules or databases, for the caller to close; may take long."""
    if isinstance(loaded, RuleSet):
        return [_memory_of(loaded)]
    described = [(each.path, each.digest, each.vetting) for each in loaded.databases]
    fds = [_memory_of((described, loaded.overrides, loaded.max_age_days))]
    return fds + [os.dup(each.fd) for each in loaded.databases]


def unpack(fds: Sequence[int], in_use: Atlas | None) -> Loaded:
    """Return what was packed, and close the descriptors; may take long.

    Args:
        fds: as `pack` returned them, whatever their numbers are here.
        in_use: databases; those among the packed ones that are in use already stay open as they are.
    """
    try:
        packed = _read(fds[0])
        if isinstance(packed, RuleSet):
            return packed
        described, overrides, max_age_days = packed
        reusable = {(each.path, each.digest): each for each in ([] if in_use is None else in_use.databases)}
        databases = [_database(each, fd, reusable.get(each[:2])) for each, fd in zip(described, fds[1:], strict=True)]
        return Atlas(databases, overrides, max_age_days)
    finally:
        for fd in fds:
            os.close(fd)


def _database(described: _Described, fd: int, reusable: Database | None) -> Database:
    return Database(*described, fd) if reusable is None else reusable


def _memory_of(value: object) -> int:
    with memory_file("parcel") as fd, open(fd, "wb", closefd=False) as file:
        pickle.dump(value, file, protocol=pickle.HIGHEST_PROTOCOL)
        file.flush()
        seal(fd)
        return os.dup(fd)


def _read(fd: int) -> RuleSet | tuple[list[_Described], Overrides, int]:
    # Privately: kernels before 6.7 take no shared mapping of sealed memory from a descriptor that was made for writing.
    with mmap.mmap(fd, 0, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ) as packed:
        return pickle.loads(packed)  # type: ignore[no-any-return] # noqa: S301 - see the module
