"""From files to an Atlas, all or nothing; and what commands and watchers ask of the same files.

Everything here reads files and waits for a child process: from asyncio, call it in a thread.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

from joingate.core.errors import RefusedInputError
from joingate.geodb.atlas import Atlas
from joingate.geodb.database import Database, open_database
from joingate.geodb.overrides import Overrides, load_overrides

Fingerprint = tuple[tuple[int, int, int, int] | None, ...]


def load_atlas(
    paths: Sequence[Path], max_age_days: int, overrides: Path | None, previous: Atlas | None = None
) -> Atlas:
    """Read and vet every file, and put them together.

    Args:
        paths: databases; where there are several, a place needs them all to agree.
        max_age_days: 0 is no limit.
        overrides: the overrides file, if there is one.
        previous: the atlas in use; files it was made of are not vetted again, and an older database than it holds
            for the same path is refused.

    Returns:
        `previous` itself where nothing has changed.

    Raises:
        RefusedInputError: with every problem of every file.
    """
    in_use = {database.path: database for database in previous.databases} if previous is not None else {}
    problems: list[str] = []
    databases: list[Database] = []
    for path in paths:
        try:
            database = open_database(path, in_use.get(path))
            _refuse_rollback(database, in_use.get(path))
            _refuse_repetition(database, databases)
            databases.append(database)
        except RefusedInputError as error:
            problems += error.problems
    known = Overrides({})
    if overrides is not None:
        try:
            known = load_overrides(overrides)
        except RefusedInputError as error:
            problems += error.problems
    if problems:
        raise RefusedInputError(problems)
    loaded = Atlas(databases, known, max_age_days)
    return previous if previous is not None and loaded.is_like(previous) else loaded


def _refuse_rollback(candidate: Database, in_use: Database | None) -> None:
    if in_use is not None and candidate.vetting.build_epoch < in_use.vetting.build_epoch:
        raise RefusedInputError(
            f"{candidate.path}: older (build_epoch {candidate.vetting.build_epoch}) than the one in use "
            f"({in_use.vetting.build_epoch}); put a newer one in its place, or restart to go back on purpose"
        )


def _refuse_repetition(candidate: Database, others: Iterable[Database]) -> None:
    """Two copies of one database would always agree, and that agreement would be recorded as two sources'."""
    for other in others:
        if other.digest == candidate.digest:
            raise RefusedInputError(
                f"{candidate.path}: the same database as {other.path}; list it once in [geodb] paths"
            )


def fingerprint(paths: Iterable[Path]) -> Fingerprint:
    """Return what changes when a file is replaced or written to: device, inode, bytes, mtime in ns; None if missing."""

    def of(path: Path) -> tuple[int, int, int, int] | None:
        try:
            found = path.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns

    return tuple(map(of, paths))


def describe(path: Path) -> dict[str, object]:
    """Vet the file exactly as a swap would, and say what it is.

    Returns:
        path, digest, database_type, ip_version, build_epoch (POSIX seconds), node_count, networks, countries and
        subdivisions (sorted lists of codes).

    Raises:
        RefusedInputError: a swap would refuse it.
    """
    database = open_database(path)
    vetting = database.vetting
    return {
        "path": str(path),
        "digest": database.digest,
        "database_type": vetting.database_type,
        "ip_version": vetting.ip_version,
        "build_epoch": vetting.build_epoch,
        "node_count": vetting.node_count,
        "networks": vetting.networks,
        "countries": sorted(vetting.countries),
        "subdivisions": sorted(vetting.subdivisions),
    }
