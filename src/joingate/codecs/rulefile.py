"""Rule files to a RuleSet: all of them, or none and every problem there is.

`authorities.toml` (or .json) names who may demand what where; every other file holds orders and host policies. A rule
with a problem is never skipped, since what is left would be another set of rules than the one that was written.

The way of a file: `rule_document` (notation) -> `rule_schema` (shape and single values; `rule_problems` words what is
refused) -> `rule_compile` (values that must fit together) -> here, what must fit across files.
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import PurePosixPath
from typing import Any

from pydantic import ValidationError

from joingate.codecs.quoted import quoted
from joingate.codecs.rule_compile import (
    compile_authority,
    compile_host_policy,
    compile_order,
    host_policy_problems,
    order_problems,
)
from joingate.codecs.rule_document import parse_document
from joingate.codecs.rule_problems import problem_lines
from joingate.codecs.rule_schema import RuleFile, rules_json_schema
from joingate.core.errors import RefusedInputError
from joingate.core.rule_set import RuleSet, Source
from joingate.core.rules import Authority, Order, Rule

__all__ = ["parse_rules", "rules_json_schema"]


def _as_written(meeting: str) -> str:
    return meeting


def parse_rules(
    files: Mapping[str, bytes], *, fold: Callable[[str], str] = _as_written, previous: RuleSet | None = None
) -> RuleSet:
    """Parse rule files into one RuleSet.

    Args:
        files: names as messages are to show them, ending in .toml or .json, to contents. None at all is no rules.
        fold: how the meeting server folds meeting ids (str.lower where it ignores case).
        previous: what was parsed before; a file that says what it said then is not parsed again.

    Raises:
        RefusedInputError: every problem of every file, by file name.
    """
    reading = _Reading(files, {} if previous is None else previous.sources)
    for name in sorted(files):
        if name not in reading.known:
            reading.take(name)
    for name in tuple(reading.tables):
        reading.take_authorities(name)
    for name in reading.outdated():
        del reading.known[name]
        reading.take(name)
    read = {name: tuple(reading.rules_of(name)) for name in sorted(reading.known.keys() | reading.tables.keys())}
    if any(reading.problems.values()):
        raise RefusedInputError([f"{name}: {said}" for name in sorted(files) for said in reading.problems[name]])
    rules = RuleSet((rule for some in read.values() for rule in some), fold=fold)
    rules.sources = {name: Source(reading.digests[name], some) for name, some in read.items()}
    return rules


class _Reading:
    """What is known so far of the files being read.

    Attributes:
        known: by file name, what those said that say the same now; but no files of authorities.
        digests: by file name, SHA-256 of the content.
        problems: by file name, in the order found.
        documents: by file name, as parsed.
        tables: by file name, what passed its checks.
        authorities: by id; None where one is named but refused, so that its orders are not blamed for it.
        authority_files: by id, the file that names it.
        all_authorities_read: whether no file of authorities failed to parse.
        rule_places: by id, where the rule stands, for the message that there are two.
    """

    def __init__(self, files: Mapping[str, bytes], sources: Mapping[str, Source]) -> None:
        self._files = files
        self.digests = {name: hashlib.sha256(content).digest() for name, content in files.items()}
        self.known = {
            name: source
            for name, source in sources.items()
            if self.digests.get(name) == source.digest and not _holds_authorities(name)
        }
        self.problems: defaultdict[str, list[str]] = defaultdict(list)
        self.documents: dict[str, dict[str, Any]] = {}
        self.tables: dict[str, RuleFile] = {}
        self.authorities: dict[str, Authority | None] = {}
        self.authority_files: dict[str, str] = {}
        self.all_authorities_read = True
        self.rule_places: dict[str, str] = {}

    def take(self, name: str) -> None:
        """Parse one file as far as its mistakes allow."""
        try:
            document = parse_document(name, self._files[name])
        except RefusedInputError as refused:
            self.problems[name] += [problem.removeprefix(f"{name}: ") for problem in refused.problems]
            self.all_authorities_read = self.all_authorities_read and not _holds_authorities(name)
            return
        self.problems[name] += _misplaced(name, document)
        self.documents[name] = document
        try:
            self.tables[name] = RuleFile.model_validate(document)
        except ValidationError as refused:
            self.problems[name] += problem_lines(refused, document)
            self.tables[name] = RuleFile.model_validate(_without_mistakes(document, refused))

    def take_authorities(self, name: str) -> None:
        """Build the authorities of one file."""
        tables = self.tables[name].authority
        named = self.documents[name].get("authority")
        for authority_id in named if isinstance(named, dict) else ():
            said = self.problems[name]
            if (other := self.authority_files.setdefault(authority_id, name)) != name:
                said.append(f"authority {quoted(authority_id)}: stands in {other} as well; remove one")
            table = tables.get(authority_id)
            self.authorities[authority_id] = None if table is None else compile_authority(authority_id, table)

    def outdated(self) -> list[str]:
        """Return the known files with orders of an authority that is another now, or none."""
        return [
            name
            for name, source in self.known.items()
            if any(
                isinstance(rule, Order) and self.authorities.get(rule.authority.id) != rule.authority
                for rule in source.rules
            )
        ]

    def rules_of(self, name: str) -> Iterator[Rule]:
        """Yield the rules of one file that have no problem, and note the problems of the others."""
        if name in self.known:
            for rule in self.known[name].rules:
                self._require_own_id(name, "order" if isinstance(rule, Order) else "host_policy", rule.id)
                yield rule
            return
        for kind, rule_id in _rule_ids(self.documents[name]):  # the refused ones' too; the document's last use
            self._require_own_id(name, kind, rule_id)
        said = self.problems[name]
        orders = self.tables[name].order
        orders.reverse()
        while orders:  # each goes when it is done with: all at once, they would keep the other threads waiting
            order = orders.pop()
            label = f'order "{order.id}"'
            if order.authority not in self.authorities and self.all_authorities_read:
                said.append(f"{label}: {self._unknown_authority(order.authority)}")
            authority = self.authorities.get(order.authority)
            problems = [f"{label}: {problem}" for problem in order_problems(order, authority)]
            said += problems
            if authority is not None and not problems:
                yield compile_order(order, authority)
        for policy in self.tables[name].host_policy:
            problems = [f'host_policy "{policy.id}": {problem}' for problem in host_policy_problems(policy)]
            said += problems
            if not problems:
                yield compile_host_policy(policy)

    def _require_own_id(self, name: str, kind: str, rule_id: str) -> None:
        place = f"{_SPOKEN[kind]} in {name}"
        if (other := self.rule_places.setdefault(rule_id, place)) is not place:
            self.problems[name].append(
                f"{kind} {quoted(rule_id)}: id: is that of {other} as well; give every rule an id of its own"
            )

    def _unknown_authority(self, authority_id: str) -> str:
        near = get_close_matches(authority_id, self.authorities, n=1)
        meant = f'did you mean "{near[0]}"?' if near else "name it in authorities.toml, as [authority.ID]"
        return f"authority: {quoted(authority_id)} is unknown; {meant}"


_SPOKEN = {"order": "an order", "host_policy": "a host policy"}


def _holds_authorities(name: str) -> bool:
    return PurePosixPath(name).stem == "authorities"


def _misplaced(name: str, document: dict[str, Any]) -> Iterator[str]:
    """Yield the tables that do not belong into this file: who may add an authority is worth a file of its own."""
    if not _holds_authorities(name):
        if "authority" in document:
            yield "authority: does not belong here; move it to authorities.toml"
        return
    for kind in _SPOKEN:
        if kind in document:
            yield f"{kind}: does not belong here, where authorities are named; move it to another file"


def _rule_ids(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for kind in _SPOKEN:
        rules = document.get(kind)
        if not isinstance(rules, list):
            continue
        rules.reverse()
        while rules:
            rule = rules.pop()
            rule_id = rule.get("id") if isinstance(rule, dict) else None
            if isinstance(rule_id, str):
                yield kind, rule_id


def _without_mistakes(document: dict[str, Any], refused: ValidationError) -> dict[str, Any]:
    """Leave out each table that was refused, so that what the others do not fit together is reported in one go."""
    places = {error["loc"][:2] for error in refused.errors(include_url=False, include_input=False)}
    left: dict[str, Any] = {}
    for kind, tables in document.items():
        if (kind,) in places:
            continue
        if isinstance(tables, dict):
            left[kind] = {key: table for key, table in tables.items() if (kind, key) not in places}
        else:
            left[kind] = [table for at, table in enumerate(tables) if (kind, at) not in places]
    return left
