"""What pydantic refuses in a rule file, in our words: which rule, which key, what is wrong, what to write instead.

pydantic says what kind of mistake stands where; the table of kinds at the end of this file has the sentence, and the
remedy comes from the schema's own descriptions and examples.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from joingate.codecs.quoted import quoted, shown
from joingate.codecs.rule_fields import ID
from joingate.codecs.rule_schema import KEYS

_WRITTEN = {
    "authority": "[authority.ID] and its keys below it",
    "order": "[[order]] and its keys below it",
    "host_policy": "[[host_policy]] and its keys below it",
    "order.asked": 'asked = { objects = ["meeting"], territory = ["CN"] }',
}
"""How each table is written."""


@dataclass(frozen=True, slots=True)
class _Mistake:
    """One of pydantic's errors.

    Attributes:
        path: tables and key without numbers and ids, such as ("order", "asked", "objects").
        value: what was written; of no meaning where a key is missing.
        refusal: the words of a check in `rule_fields`, when one of them refused.
    """

    path: tuple[str, ...]
    value: Any
    refusal: str

    @property
    def table(self) -> str:
        return ".".join(self.path[:-1])

    @property
    def field(self) -> FieldInfo:
        return KEYS[self.table][self.path[-1]]

    @property
    def example(self) -> Any:
        return (self.field.examples or [None])[0]


def rule_label(kind: str, at: int | str, document: dict[str, Any]) -> str:
    """Name a rule for a message: by its id where it has a good one, by its number in the file where not.

    Args:
        kind: "authority", "order" or "host_policy".
        at: the authority's id, or the rule's place in its list, from 0.
        document: the file as it was parsed.
    """
    if isinstance(at, str):
        return f"{kind} {quoted(at)}"
    rule = document[kind][at]
    rule_id = rule.get("id") if isinstance(rule, dict) else None
    if isinstance(rule_id, str) and ID.fullmatch(rule_id):
        return f'{kind} "{rule_id}"'
    return f"{kind} number {at + 1}"


def problem_lines(refused: ValidationError, document: dict[str, Any]) -> Iterator[str]:
    """Yield one line for each of pydantic's errors in `document`, without the file's name."""
    for error in refused.errors(include_url=False):
        yield _line(error, document)


def _line(error: ErrorDetails, document: dict[str, Any]) -> str:
    kind, *rest = error["loc"]
    # pydantic writes "[key]" behind an authority whose id, the key of a table, a check refused.
    keys = [part for part in rest[1:] if isinstance(part, str) and (part, error["type"]) != ("[key]", "value_error")]
    said = _SENTENCES[error["type"]](
        _Mistake((str(kind), *keys), error["input"], str(error.get("ctx", {}).get("error", "")))
    )
    place = [rule_label(str(kind), rest[0], document), *keys] if rest else [str(kind)]
    if error["type"] == "extra_forbidden":
        place.pop()  # the sentence names the key
    if len(place) > 2:
        place = [place[0], ".".join(place[1:])]
    return ": ".join((*place, said))


def _missing(mistake: _Mistake) -> str:
    such_as = f", such as {_written(mistake.example)}" if mistake.example else ""
    return f"is missing; write {mistake.field.description}{such_as}"


def _unknown_key(mistake: _Mistake) -> str:
    key = mistake.path[-1]
    known = KEYS[mistake.table]
    if mistake.table == "host_policy" and key in KEYS["order"]:
        return f'unknown key "{key}": only an order has it, and a host policy makes no legal claim; remove it'
    if mistake.table == "order" and key in KEYS["host_policy"]:
        return f'unknown key "{key}": only a host policy has it; an order names its territory'
    if near := get_close_matches(key, known, n=1):
        return f'unknown key {quoted(key)}; did you mean "{near[0]}"?'
    return f"unknown key {quoted(key)}; write one of {', '.join(known)}"


def _not_a_table(mistake: _Mistake) -> str:
    return f"{shown(mistake.value)} stands where a table is meant; write {_WRITTEN['.'.join(mistake.path)]}"


def _not_a_list(mistake: _Mistake) -> str:
    if len(mistake.path) == 1:
        form = _WRITTEN[mistake.path[0]]
        return f"{shown(mistake.value)} stands where a list of tables is meant; write {form}"
    remedy = [mistake.value] if isinstance(mistake.value, str) and len(mistake.value) < 64 else mistake.example
    return f"{shown(mistake.value)} stands where a list is meant; write {_written(remedy)}"


def _not_text(mistake: _Mistake) -> str:
    value = shown(mistake.value)
    example = mistake.example[0] if isinstance(mistake.example, list) else mistake.example
    is_id = mistake.path[-1] in {"id", "meetings", "reference"} and value.isdecimal()
    remedy = f'"{value}"' if is_id else f"text in quotes, such as {_written(example)}"
    return f"{value} is not text; write {remedy}"


def _not_true_or_false(mistake: _Mistake) -> str:
    return f"{shown(mistake.value)} is neither true nor false; write true or false, without quotes"


def _not_one_of(mistake: _Mistake) -> str:
    if mistake.path[-1] == "action":
        return (
            f'{shown(mistake.value)} is no action; write "reject" (new joins only) or "eject" (those inside as well): '
            "a rule acts on participants, never on a meeting or an account"
        )
    words = get_args(mistake.field.annotation)
    if not isinstance(words[0], str):  # list[Literal[...]]
        words = get_args(words[0])
    return f"{shown(mistake.value)} is not known here; write one of {', '.join(map(_written, words))}"


def _refused(mistake: _Mistake) -> str:
    return mistake.refusal


def _written(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


_SENTENCES: dict[str, Callable[[_Mistake], str]] = {
    "missing": _missing,
    "extra_forbidden": _unknown_key,
    "model_type": _not_a_table,
    "dict_type": _not_a_table,
    "list_type": _not_a_list,
    "string_type": _not_text,
    "bool_type": _not_true_or_false,
    "literal_error": _not_one_of,
    "value_error": _refused,
}
"""The kinds of error this schema can bring about; another would be a defect, and the fuzz test looks for it."""
