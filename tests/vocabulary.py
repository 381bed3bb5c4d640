"""What the code has words for. What has no name cannot be called: no verb ends a meeting, none touches an account.

Read from the syntax tree: the names that are defined or reached for, and the texts that could be sent to a meeting
server (a path, a key, a verb). Docstrings, comments and sentences speak freely, and so do facts ("meetings_ended": 0).
"""

import ast
import re
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import pairwise
from pathlib import Path

import joingate

PACKAGE = Path(joingate.__file__).parent

_ENDING = frozenset(
    "end ending destroy delete deletion lock locking terminate termination close closing kill shutdown stop".split()
)
_MEETING = frozenset("meeting meetings room rooms conference conferences muc".split())
_BANNING = frozenset(
    "suspend suspension ban banning disable delete deletion deactivate close lock terminate block revoke".split()
)
_ACCOUNT = frozenset("account accounts user users organizer organiser host hosts".split())
_SENT = frozenset("end destroy lock terminate".split())
_FILLERS = frozenset("a all any the this".split())

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


def read_package() -> dict[str, str]:
    """Return the source of every module, by its path inside the package."""
    return {str(path.relative_to(PACKAGE)): path.read_text("utf-8") for path in sorted(PACKAGE.rglob("*.py"))}


def meeting_words(sources: Mapping[str, str]) -> list[str]:
    """Return `path:line: word` for each word that would end, close, lock or delete a meeting (G3)."""
    return [
        *_pairs(sources, _ENDING, _MEETING),
        # A verb on its own is what a meeting server is sent: Janus `destroy`, BigBlueButton `end`.
        *(
            found
            for path, found, text in _texts(sources)
            if text.lower().strip("/") in (_SENT if path.startswith("servers/") else {"destroy"})
        ),
    ]


def account_words(sources: Mapping[str, str]) -> list[str]:
    """Return `path:line: word` for each word that would act on an account (G4)."""
    return _pairs(sources, _BANNING, _ACCOUNT)


def _pairs(sources: Mapping[str, str], verbs: frozenset[str], objects: frozenset[str]) -> list[str]:
    """Find a verb beside an object, in either order, within one name or text: end_meeting, DeleteRoom, account-ban."""
    found = []
    for path, source in sources.items():
        for line, text in (*_names(source), *_constants(source)):
            words = [word for word in map(str.lower, _WORD.findall(text)) if word not in _FILLERS]
            if any((a in verbs and b in objects) or (a in objects and b in verbs) for a, b in pairwise(words)):
                found.append(f"{path}:{line}: {text}")
    return found


def _texts(sources: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    for path, source in sources.items():
        for line, text in _constants(source):
            yield path, f"{path}:{line}: {text}", text


@cache
def _names(source: str) -> tuple[tuple[int, str], ...]:
    return tuple(_names_in(ast.parse(source)))


@cache
def _constants(source: str) -> tuple[tuple[int, str], ...]:
    return tuple(_constants_in(ast.parse(source)))


def _names_in(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield the names that are defined, and the attributes that are reached for."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.lineno, node.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id
        elif isinstance(node, ast.Attribute):
            yield node.lineno, node.attr


def _constants_in(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield each text without a blank that is no docstring: such a one may be a verb, a path, a key."""
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes) and id(node) not in docstrings:
            text = node.value if isinstance(node.value, str) else node.value.decode("latin-1")
            if len(text.split()) == 1:
                yield node.lineno, text
