"""From configured paths to what the gate judges by. The one way in, for `serve`, a reload, `check` and `explain` alike.

Everything here reads files and may wait for a child process: from asyncio, call it in a thread.
"""

from collections.abc import Callable
from pathlib import Path

from joingate.codecs.rulefile import parse_rules
from joingate.core.errors import RefusedInputError
from joingate.core.rules import Order, RuleSet
from joingate.geodb.atlas import Atlas
from joingate.geodb.load import Fingerprint, fingerprint, load_atlas
from joingate.settings import Settings

RULE_SUFFIXES = (".toml", ".json")


def fold_of(settings: Settings) -> Callable[[str], str]:
    """Return how the meeting server folds the ids of meetings."""
    return str.lower if settings.upstream.meeting_ids == "lowercase" else str


def load_rules(settings: Settings) -> RuleSet:
    """Read, check and index every rule file.

    Raises:
        RefusedInputError: with every problem of every file.
    """
    files: dict[str, bytes] = {}
    for path in rule_files(settings.rules.path):
        try:
            files[str(path)] = path.read_bytes()
        except OSError as error:
            raise RefusedInputError(
                f"{path}: cannot be read ({error.strerror}); make it readable, or remove it"
            ) from None
    return parse_rules(files, fold=fold_of(settings))


def rule_files(path: Path) -> list[Path]:
    """Return the rule files at `path`, a file or a folder, in the order of their names.

    A folder's subfolders are not entered; hidden files and editors' backups are no rules.

    Raises:
        RefusedInputError: there is nothing at `path`.
    """
    if path.is_dir():
        return sorted(each for each in path.iterdir() if each.suffix in RULE_SUFFIXES and not each.name.startswith("."))
    if not path.exists():
        raise RefusedInputError(f"{path}: does not exist; create the folder, or correct rules.path")
    return [path]


def load_atlas_of(settings: Settings, previous: Atlas | None = None) -> Atlas:
    """Read and vet every database.

    Raises:
        RefusedInputError: with every problem of every file.
    """
    geodb = settings.geodb
    return load_atlas(geodb.paths, geodb.max_age_days, geodb.overrides, previous)


def rules_fingerprint(settings: Settings) -> Fingerprint:
    """Return what changes when a rule file does."""
    try:
        return fingerprint(rule_files(settings.rules.path))
    except RefusedInputError:
        return ()


def atlas_fingerprint(settings: Settings) -> Fingerprint:
    """Return what changes when a database or the overrides do."""
    geodb = settings.geodb
    return fingerprint([*geodb.paths, geodb.overrides] if geodb.overrides is not None else geodb.paths)


def unenforceable(rules: RuleSet, atlas: Atlas) -> list[str]:
    """Say which orders name territory in which these databases locate nobody; they restrict nobody there."""
    return [
        f"order {rule.id}: these databases locate nobody in {', '.join(sorted(codes))}; it restricts nobody there"
        for rule in rules.rules
        if isinstance(rule, Order) and (codes := atlas.unenforceable(rule.territory))
    ]
