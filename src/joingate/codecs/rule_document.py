"""A TOML or JSON file to one table of plain values; a mistake in the notation is one line with its place.

JSON is read by the standard library, not by orjson: orjson keeps the last of two equal keys and says nothing, which
would let a rule file mean something else than what its reader sees. TOML forbids equal keys itself; tomli is what the
standard library's reader was taken from, and compiled: three times as quick, for thousands of orders.

Source: TOML 1.0, and 1.1 where the installed tomli reads it; RFC 8259.
"""

import json
import re
from collections import Counter
from typing import Any, NoReturn

import tomli

from joingate.codecs.quoted import quoted
from joingate.core.errors import RefusedInputError

_TOML_PLACE = re.compile(
    r"(?P<reason>.*?) \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)", re.DOTALL
)
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def parse_document(name: str, content: bytes) -> dict[str, Any]:
    """Parse `content` as the notation that the end of `name` says.

    Raises:
        RefusedInputError: one problem, with line and column where there is one.
    """
    if not name.endswith((".toml", ".json")):
        raise RefusedInputError(f"{name}: is neither .toml nor .json; rename it, or move it elsewhere")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise RefusedInputError(f"{name}: line {line}: is not UTF-8; save the file as UTF-8") from None
    if text.startswith("\ufeff"):
        raise RefusedInputError(f"{name}: begins with a byte order mark; save the file as UTF-8 without one")
    try:
        return _parse_toml(name, text) if name.endswith(".toml") else _parse_json(name, text)
    except RecursionError:
        raise RefusedInputError(f"{name}: is nested too deeply; write it as the examples are written") from None


def _parse_toml(name: str, text: str) -> dict[str, Any]:
    try:
        return tomli.loads(text)
    except ValueError as error:
        found = _TOML_PLACE.fullmatch(str(error))
        if found is None:  # the interpreter's own limit on digits (sys.set_int_max_str_digits)
            raise RefusedInputError(f"{name}: holds a number of thousands of digits; write an id in quotes") from None
        line = int(found["line"] or text.count("\n") + 1)
        column = f", column {found['column']}" if found["column"] else ", at the end"
        reason = found["reason"]
        raise RefusedInputError(f"{name}: line {line}{column}: is not TOML: {reason[:1].lower()}{reason[1:]}") from None


def _parse_json(name: str, text: str) -> dict[str, Any]:
    try:
        document = json.loads(text, object_pairs_hook=_object, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        reason = error.msg[:1].lower() + error.msg[1:]
        raise RefusedInputError(f"{name}: line {error.lineno}, column {error.colno}: is not JSON: {reason}") from None
    except _NotPlainError as error:
        raise RefusedInputError(f"{name}: {error}") from None
    except ValueError:
        raise RefusedInputError(f"{name}: holds a number of thousands of digits; write an id in quotes") from None
    if not isinstance(document, dict):
        raise RefusedInputError(f'{name}: is no JSON object; write one, such as {{"order": []}}')
    if _SURROGATE.search(text) is not None and not _is_unicode(document):
        raise RefusedInputError(f"{name}: holds half of a surrogate pair; write the character itself")
    return document


class _NotPlainError(ValueError):
    """JSON that Python reads and rule files do not allow."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        counts = Counter(key for key, _ in pairs)
        twice = counts.most_common(1)[0][0]
        raise _NotPlainError(f"key {quoted(twice)} stands twice in one object; remove one")
    return table


def _no_number(word: str) -> NoReturn:
    raise _NotPlainError(f"{word} is not JSON; remove it")


def _is_unicode(document: dict[str, Any]) -> bool:
    try:
        json.dumps(document, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
