"""How a value that a person wrote is shown back to them: on one line, cut short, text in quotes."""

import json

_LONGEST = 120
_HUGE = 10**18


def quoted(text: str) -> str:
    """Return `text` in double quotes with control characters escaped, at most about 120 characters of it.

    Messages are one problem to a line, so a line break inside a value must not make two of it.
    """
    cut = text if len(text) <= _LONGEST else text[:_LONGEST] + "..."
    escaped = json.dumps(cut, ensure_ascii=False)
    return "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in escaped)


def shown(value: object) -> str:
    """Return a value of any type that TOML or JSON has, as it is written there; of lists and tables, only the word."""
    match value:
        case str():
            return quoted(value)
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case list():
            return "a list"
        case dict():
            return "a table"
        case int() if abs(value) >= _HUGE:  # str() itself fails beyond 4300 digits
            return "a number this large"
        case _:
            return str(value)
