"""From configured paths to what the gate judges by. The one way in, for `serve`, a reload, `check` and `explain` alike.

Everything here reads files and may wait for a child process: from asyncio, call it in a thread.
"""

import stat
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from functools import cache
from pathlib import Path

from joingate.codecs.dialects import dialect_of
from joingate.codecs.join_request import JoinMatcher
from joingate.codecs.join_route import JoinRoute
from joingate.codecs.rulefile import parse_rules
from joingate.core.errors import RefusedInputError
from joingate.core.record import Database
from joingate.core.rule_set import RuleSet
from joingate.core.rules import Order
from joingate.geodb.atlas import Atlas
from joingate.geodb.load import Fingerprint, fingerprint, load_atlas
from joingate.settings import Settings

RULE_SUFFIXES = (".toml", ".json")


class Part(StrEnum):
    """What is loaded on its own, and kept on its own when it cannot be."""

    GEODB = "geodb"
    RULES = "rules"


Loaded = RuleSet | Atlas
"""What each part is, once loaded."""


def fold_of(settings: Settings) -> Callable[[str], str]:
    """Return how the meeting server folds the ids of meetings."""
    dialect = dialect_of(settings.upstream.server, settings.upstream.components)
    if dialect is not None:
        return dialect.fold
    return str.lower if settings.upstream.meeting_ids == "lowercase" else str


def routes_of(settings: Settings) -> Sequence[JoinRoute]:
    """Return which requests are joins by their heads: as configured, or as the server's kind has them."""
    dialect = dialect_of(settings.upstream.server, settings.upstream.components)
    return settings.join if dialect is None else dialect.routes


def matcher_of(settings: Settings) -> JoinMatcher:
    """Return what says of each request whether it is a join by its head."""
    return JoinMatcher(routes_of(settings), fold=fold_of(settings))


def load_rules(settings: Settings, previous: RuleSet | None = None) -> RuleSet:
    """Read, check and index every rule file; those that have not changed since `previous` are not parsed again.

    Raises:
        RefusedInputError: with every problem of every file.
    """
    files: dict[str, bytes] = {}
    problems: list[str] = []
    for path in rule_files(settings.rules.path):
        # A name that is not UTF-8 cannot be printed everywhere that a problem is.
        name = str(path).encode(errors="backslashreplace").decode()
        try:
            if not stat.S_ISREG(path.stat().st_mode):  # reading a pipe would wait for its writer
                problems.append(f"{name}: is not a file; remove it")
                continue
            files[name] = path.read_bytes()
        except OSError as error:
            problems.append(f"{name}: cannot be read ({error.strerror}); make it readable, or remove it")
    if problems:
        raise RefusedInputError(problems)
    return parse_rules(files, fold=fold_of(settings), previous=previous)


def rule_files(path: Path) -> list[Path]:
    """Return the rule files at `path`, a file or a folder, in the order of their names.

    A folder's subfolders are not entered; hidden files and editors' backups are no rules.

    Raises:
        RefusedInputError: there is nothing at `path`, or it cannot be looked into.
    """
    try:
        if not stat.S_ISDIR(path.stat().st_mode):
            return [path]
        found = sorted(path.iterdir())
    except FileNotFoundError:
        raise RefusedInputError(f"{path}: does not exist; create the folder, or correct rules.path") from None
    except OSError as error:
        raise RefusedInputError(
            f"{path}: cannot be read ({error.strerror}); make it readable, or correct rules.path"
        ) from None
    return [each for each in found if each.suffix in RULE_SUFFIXES and not each.name.startswith(".")]


def load_atlas_of(settings: Settings, previous: Atlas | None = None) -> Atlas:
    """Read and vet every database.

    Raises:
        RefusedInputError: with every problem of every file.
    """
    geodb = settings.geodb
    return load_atlas(geodb.paths, geodb.max_age_days, geodb.overrides, previous)


def load_all(settings: Settings) -> tuple[RuleSet, Atlas]:
    """Load rules and databases.

    Raises:
        RefusedInputError: with every problem of both.
    """
    problems: tuple[str, ...] = ()
    with ThreadPoolExecutor(1) as beside:  # a database is vetted in a process of its own meanwhile
        loading = beside.submit(load_atlas_of, settings)
        try:
            rules = load_rules(settings)
        except RefusedInputError as error:
            problems = error.problems
        try:
            atlas = loading.result()
        except RefusedInputError as error:
            problems += error.problems
    if problems:
        raise RefusedInputError(problems)
    return rules, atlas


def databases_of(atlas: Atlas) -> Database:
    """Return the ledger's record of the databases in use."""
    return Database(
        epochs=atlas.build_epochs,
        types=tuple(_printable(database.vetting.database_type)[:128] for database in atlas.databases),
        digests=tuple(database.digest for database in atlas.databases),
        overrides=len(atlas.overrides),
        max_age_days=atlas.max_age_days,
    )


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in text) or "?"


def part_fingerprint(settings: Settings, part: Part) -> Fingerprint:
    """Return what changes when a rule file does, or a database or the overrides."""
    geodb = settings.geodb
    if part is Part.GEODB:
        return fingerprint([*geodb.paths, geodb.overrides] if geodb.overrides is not None else geodb.paths)
    try:
        return fingerprint(rule_files(settings.rules.path))
    except RefusedInputError:
        return ()


def unenforceable(rules: RuleSet, atlas: Atlas) -> list[str]:
    """Say which orders name territory in which these databases locate nobody; they restrict nobody there."""
    found = cache(atlas.unenforceable)  # a hundred thousand orders name a handful of territories
    return [
        f"order {rule.id}: these databases locate nobody in {', '.join(sorted(codes))}; it restricts nobody there"
        for rule in rules.rules
        if isinstance(rule, Order) and (codes := found(rule.territory))
    ]
