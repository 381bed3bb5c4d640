"""What is refused in joingate.toml, said to the person who wrote it: place, problem and remedy on one line.

Values are shown where they help; never those of keys that stand next to a secret, and never those of unknown keys.
"""

import json
import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from pydantic_core import ErrorDetails

from joingate.codecs.config_sections import SECTIONS, written_schema
from joingate.codecs.quoted import quoted, shown

SECTIONS_TO_COME = ("fleet",)
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")  # TOML 1.0, Keys
_BESIDE_SECRETS = (
    "tls_key",
    "token_file",
    "secret_file",
)  # where people put the secret instead of the path of its file


def nearest(name: str, names: Iterable[str]) -> str:
    """Return the one of `names` that `name` is most probably meant to be."""
    return get_close_matches(name, list(names), n=1, cutoff=0.0)[0]


def describe(errors: Iterable[ErrorDetails], file: str, variables: Mapping[tuple[str, str], str]) -> list[str]:
    """Put pydantic's errors into words.

    Args:
        errors: what validating `Settings` raised.
        file: the name of the configuration file.
        variables: the environment variable that each overridden (section, key) comes from.
    """
    return [_describe(error, file, variables) for error in errors]


def _describe(error: ErrorDetails, file: str, variables: Mapping[tuple[str, str], str]) -> str:
    section, *rest = map(str, error["loc"])
    if not rest:
        return f"{file}: {_section_problem(section, error)}"
    if section != "join":
        place = variables.get((section, rest[0]), f"{file}: {section}.{_bare(rest[0])}")
        return f"{place}: {_key_problem(section, rest[0], error)}"
    place = f"{file}: [[join]] {int(rest[0]) + 1}"
    if not rest[1:]:
        return f"{place}: {shown(error['input'])} is not a table; write [[join]] on a line of its own, its keys below"
    return f"{place}, {_bare(rest[1])}: {_key_problem('join', rest[1], error)}"


def _bare(key: str) -> str:
    return key if _BARE_KEY.fullmatch(key) else quoted(key)


def _section_problem(section: str, error: ErrorDetails) -> str:
    if section in SECTIONS_TO_COME:
        return f"[{section}]: is not in this version; remove the section"
    if section not in SECTIONS and not isinstance(error["input"], dict | list):
        homes = {key: name for name in reversed(SECTIONS) for key in SECTIONS[name].model_fields}
        key = nearest(section, homes)
        return f"{_bare(section)}: stands in no section; the nearest key is {key} of {_header(homes[key])}"
    if section not in SECTIONS:
        return f"{_bare(section)}: unknown section; the nearest is {_header(nearest(section, SECTIONS))}"
    if error["type"] == "value_error":
        return f"{_header(section)}: {_said(error)}"
    return f"{section}: is not what it should be; write {_header(section)} on a line of its own, its keys below"


def _header(section: str) -> str:
    return "[[join]]" if section == "join" else f"[{section}]"


def _key_problem(section: str, key: str, error: ErrorDetails) -> str:
    said = "the value" if key in _BESIDE_SECRETS else shown(error["input"])
    written = written_schema(SECTIONS[section])["properties"].get(key, {})
    match error["type"]:
        case "missing":
            return f"is missing; write e.g. {key} = {_toml(written['examples'])}"
        case "extra_forbidden":
            return f'unknown key; the nearest is "{nearest(key, SECTIONS[section].model_fields)}"'
        case "too_short":
            return f"is empty; list at least one, e.g. {_toml(written['examples'])}"
        case "string_type":
            return f"{said} is not text; write one value in quotes"
        case "list_type":
            return f"{said} is not a list; write it in brackets, e.g. {_toml(written['examples'])}"
        case "bool_type":
            return f"{said} is neither true nor false; write one of the two"
        case "enum" | "literal_error":
            return f"{said} is not known here; write {error['ctx']['expected'].replace(chr(39), chr(34))}"
        case "int_type" | "float_type" | "greater_than_equal" | "less_than_equal":
            return f"{said} cannot be used; write {_numbers(written)}"
        case _:  # value_error: the parsers' own words
            return _said(error)


def _said(error: ErrorDetails) -> str:
    return error["msg"].removeprefix("Value error, ")


def _numbers(written: Mapping[str, Any]) -> str:
    kind = "a whole number" if written["type"] == "integer" else "seconds"
    return f"{kind} from {written['minimum']} to {written['maximum']}"


def _toml(examples: list[Any]) -> str:
    return json.dumps(examples[0])  # strings and lists of strings are written alike in JSON and TOML
