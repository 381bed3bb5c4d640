"""joingate.toml and the environment over it: bytes in, `Settings` out, or every problem at once.

`JOINGATE_GATE__LISTEN` stands for the key `listen` of `[gate]`, `JOINGATE_UPSTREAM__ADMIN__URL` for `url` of
`[upstream.admin]`. What the key holds decides how the text is read: a list
is split at its commas, numbers and `true`/`false` are written plainly, everything else is taken as it is, without
quotes. Values that contain a comma cannot be listed so. `[[join]]` stands in the file only. A variable with no `__`
after `JOINGATE_` is somebody else's: container platforms set such ones for a service of that name.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from joingate.codecs.config_keys import Reading
from joingate.codecs.config_problems import SECTIONS_TO_COME, describe, nearest
from joingate.codecs.config_sections import SECTIONS, Settings, written_schema
from joingate.codecs.rule_document import parse_document
from joingate.core.errors import RefusedInputError

Tables = dict[str, Any]

_PREFIX = "JOINGATE_"
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
_NUMBER = re.compile(r"[+-]?[0-9]{1,18}(?:\.[0-9]{1,18})?")


def parse_settings(data: bytes, environ: Mapping[str, str], file: str, reading: Reading) -> Settings:
    """Read the configuration.

    Args:
        data: the bytes of joingate.toml.
        environ: the environment; only JOINGATE_SECTION__KEY is looked at.
        file: the file's name, as messages are to show it.
        reading: the file's folder, and a way to look at the files that keys name.

    Raises:
        RefusedInputError: every problem there is, or, when the file is no TOML, that one.
    """
    tables = parse_document(file, data)
    upstream = tables.get("upstream")
    if isinstance(upstream, dict) and "admin" in upstream:
        tables["upstream"] = {key: value for key, value in upstream.items() if key != "admin"}
        tables["upstream.admin"] = upstream["admin"]
    variables, problems = _override(tables, environ)
    for section in SECTIONS:  # so that a missing section is told by the keys that it lacks
        tables.setdefault(section, [] if section == "join" else {})
    try:
        settings = Settings.model_validate(tables, context=reading)
    except ValidationError as refusal:
        problems += describe(refusal.errors(include_url=False), file, variables)
    if problems:
        raise RefusedInputError(problems)
    return settings


def settings_json_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of joingate.toml."""
    schema = written_schema(Settings)
    admin = schema["properties"].pop("upstream.admin")
    schema["$defs"]["UpstreamSettings"]["properties"]["admin"] = admin
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _override(tables: Tables, environ: Mapping[str, str]) -> tuple[dict[tuple[str, str], str], list[str]]:
    """Write the environment's values over the file's; return which variable set which key, and what is wrong."""
    known = {f"{_PREFIX}{section.replace('.', '__')}__{key}".upper(): (section, key) for section, key in _keys()}
    variables: dict[tuple[str, str], str] = {}
    problems: list[str] = []
    for name in sorted(environ):
        section, separator, _ = name.removeprefix(_PREFIX).partition("__")
        if not name.startswith(_PREFIX) or not separator:
            continue
        if not _is_utf8(environ[name]):
            problems.append(f"{name}: is not UTF-8; write it in UTF-8")
        elif name in known:
            variables[known[name]] = name
            _set(tables, *known[name], environ[name])
        elif section == "JOIN":
            problems.append(f"{name}: [[join]] stands in the file only; write it there and unset the variable")
        elif section.lower() in SECTIONS_TO_COME:
            problems.append(f"{name}: [{section.lower()}] is not in this version; unset the variable")
        else:
            problems.append(f"{name}: unknown variable; the nearest is {nearest(name.upper(), known)}")
    return variables, problems


def _is_utf8(text: str) -> bool:
    """Whether `text` has no lone surrogates, which is how `os.environ` carries bytes that are not UTF-8."""
    return not any("\ud800" <= char <= "\udfff" for char in text)


def _keys() -> Iterator[tuple[str, str]]:
    return ((section, key) for section in SECTIONS if section != "join" for key in SECTIONS[section].model_fields)


def _set(tables: Tables, section: str, key: str, text: str) -> None:
    table = tables.setdefault(section, {})
    if isinstance(table, dict):  # if not, the file has a problem that is told anyway
        table[key] = _read(text, written_schema(SECTIONS[section])["properties"][key].get("type"))


def _read(text: str, written_type: str | None) -> object:
    """Read a variable as the key's type; text that is not of that type stays text, and is refused as such."""
    match written_type:
        case "array":
            return [part.strip() for part in text.split(",")] if text.strip() else []
        case "integer" if _INTEGER.fullmatch(text):
            return int(text)
        case "number" if _NUMBER.fullmatch(text):
            return float(text)
        case "boolean":
            return {"true": True, "false": False}.get(text, text)
        case _:
            return text
