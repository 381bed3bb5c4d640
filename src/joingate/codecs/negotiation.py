"""Which form of an answer a client prefers (`Accept`), and in which of the languages on offer (`Accept-Language`).

Both headers come from strangers: what cannot be read is skipped, only the first members count, and there always is an
answer. Parameters of a media range other than `q` are ignored, since neither form exists in variants.

Source: RFC 9110 12.4.2, 12.5.1 and 12.5.4; RFC 4647 3.4 (lookup).
"""

import re
from collections.abc import Iterator
from enum import StrEnum

# Browsers send fewer than ten members in either header; a head full of commas must not cost a sort of thousands.
_MOST_MEMBERS = 32

_QVALUE = re.compile(r"0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?")


class Language(StrEnum):
    """The languages a person can be answered in, as the BCP 47 tags that go on the wire."""

    ENGLISH = "en"
    SIMPLIFIED = "zh-Hans"
    TRADITIONAL = "zh-Hant"


# A range is shortened until it is found here: zh-SG ends at zh, zh-Hant-MO at zh-hant, en-GB at en.
_LOOKUP = {
    "en": Language.ENGLISH,
    "zh": Language.SIMPLIFIED,
    "zh-hans": Language.SIMPLIFIED,
    "zh-hant": Language.TRADITIONAL,
    "zh-hk": Language.TRADITIONAL,
    "zh-mo": Language.TRADITIONAL,
    "zh-tw": Language.TRADITIONAL,
}

_HTML_RANGES = ("text/html", "text/*", "*/*")
_JSON_RANGES = ("application/problem+json", "application/json", "application/*", "*/*")


def _members(header: str) -> Iterator[tuple[str, float]]:
    """Yield each member's name in lower case and its quality; a member whose quality is malformed is skipped."""
    for member in header.split(",", _MOST_MEMBERS)[:_MOST_MEMBERS]:
        name, _, parameters = member.partition(";")
        quality = 1.0
        for parameter in parameters.split(";") if parameters else ():
            key, _, value = parameter.partition("=")
            if key.strip().lower() == "q":
                quality = float(value) if _QVALUE.fullmatch(value := value.strip()) else -1.0
        if quality >= 0 and (name := name.strip()):
            yield name.lower(), quality


def prefers_html(accept: str) -> bool:
    """Whether `accept`, a field value or "", ranks text/html above JSON; a tie is JSON's.

    The most specific range that covers a form gives its quality. `application/json` stands for
    `application/problem+json` unless that is named itself.
    """
    if accept in {"", "*/*"}:  # what programs send
        return False
    qualities: dict[str, float] = {}
    for name, quality in _members(accept):
        qualities[name] = max(quality, qualities.get(name, 0.0))
    return _quality(qualities, _HTML_RANGES) > _quality(qualities, _JSON_RANGES)


def _quality(qualities: dict[str, float], ranges: tuple[str, ...]) -> float:
    """Return the quality of the first of `ranges`, most specific first, that the client named; 0 when none is."""
    return next((qualities[name] for name in ranges if name in qualities), 0.0)


def choose_language(accept_language: str) -> Language:
    """Look `accept_language`, a field value or "", up among the languages on offer; English when none is asked for."""
    ranges = sorted(_members(accept_language), key=lambda member: -member[1])
    for name, quality in ranges:
        if quality == 0:
            break
        tag = name
        while tag:
            if (language := _LOOKUP.get(tag)) is not None:
                return language
            tag = tag.rpartition("-")[0]
    return Language.ENGLISH
