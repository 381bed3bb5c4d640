"""What one value in a rule file may be: ids, codes, meetings, moments, texts.

Each check returns the value or says why not. It looks at that value only; how values fit together is `rule_compile`'s
business. Every refusal is a ValueError whose text says what is wrong and what to write instead; whoever calls knows the
file, the rule and the key.

Source: RFC 3339 (moments), RFC 3986 (notice_url), ISO 3166-2 (subdivisions).
"""

import re
from datetime import date, datetime
from difflib import get_close_matches
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from joingate.codecs.quoted import quoted, shown
from joingate.core.audit_texts import personal
from joingate.core.rules import SERVICE_WIDE
from joingate.core.territory import refuse_code

ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
"""Ids go into headers, metric labels and Close reasons (RFC 6455: 123 bytes): ASCII, short, nothing to escape."""

LONGEST_MEETING_ID = 512
LONGEST_TEXT = 2048
LONGEST_URL = 2048  # what browsers and proxies have long agreed to carry

_LONGEST_CODE = 16
# C0, DEL, C1 and Unicode's two line breaks; not the joiners that some scripts and emoji need.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d{1,6})?([Zz]|[+-]\d{2}:\d{2})?", re.ASCII)
_LONGEST_MOMENT = 32  # with microseconds and an offset
_URL = re.compile(r"https?://[!#-;=?-\[\]_a-z~]+")  # RFC 3986 2: what may stand in a URL without percent-encoding


def identifier(value: str) -> str:
    """Accept the id of a rule or an authority."""
    if ID.fullmatch(value) is None:
        raise ValueError(
            f'{quoted(value)} cannot be an id; write 1 to 64 letters, digits, ".", "_" or "-" (A-Z, a-z, 0-9)'
        )
    return value


@lru_cache(maxsize=8192)
def code(value: str) -> str:
    """Accept a country, a subdivision that exists, or a group."""
    if len(value) > _LONGEST_CODE or not value.isprintable():
        raise ValueError(f'{quoted(value)} is not a territory; write an ISO 3166 code such as "DE" or "UA-43"')
    if (refusal := refuse_code(value)) is not None:
        raise ValueError(refusal)
    if "-" in value:
        _require_subdivision(value)
    return value


def _require_subdivision(value: str) -> None:
    country = value[:2]
    known = _subdivisions(country)
    if value in known:
        return
    if not known:
        raise ValueError(f'"{value}" does not exist: ISO 3166-2 has no parts of "{country}"; write "{country}"')
    near = sorted(get_close_matches(value, known, n=3, cutoff=0))
    others = " and others" if len(known) > len(near) else ""
    raise ValueError(f'"{value}" does not exist in ISO 3166-2; of "{country}" it has {_listed(near)}{others}')


@lru_cache(maxsize=256)
def _subdivisions(country: str) -> tuple[str, ...]:
    """List the subdivisions of a country that have no country code of their own."""
    # 5,000 of them are read only when somebody names one: most rule sets never do.
    from pycountry import subdivisions  # noqa: PLC0415 - a table most rule sets never need

    return tuple(
        sorted(part.code for part in subdivisions if part.country_code == country and refuse_code(part.code) is None)
    )


def _listed(values: list[str]) -> str:
    return ", ".join(f'"{value}"' for value in values)


def codes(value: list[str]) -> list[str]:
    """Accept any codes, but at least one."""
    if not value:
        raise ValueError('is empty; write at least one code, such as ["CN"]')
    return value


def meeting(value: str) -> str:
    """Accept an exact meeting id, a prefix ending in "*", or "*" alone."""
    if not value.strip():
        raise ValueError("an empty id names no meeting; remove it")
    if len(value) > LONGEST_MEETING_ID:
        raise ValueError(f"{quoted(value)} is longer than {LONGEST_MEETING_ID} characters; write the meeting's own id")
    if _CONTROL.search(value) is not None:
        raise ValueError(f"{quoted(value)} holds a control character; write the meeting's own id")
    if value != value.strip():
        raise ValueError(
            f"{quoted(value)} has white space at an end, and would never match; write {quoted(value.strip())}"
        )
    if SERVICE_WIDE in value[:-1]:
        raise ValueError(
            f'{quoted(value)} has a "*" before its end; write exact ids, or a prefix such as "all-hands-*"'
        )
    return value


def meetings(value: list[str]) -> list[str]:
    """Accept any ids, but at least one."""
    if not value:
        raise ValueError('is empty, and would restrict nobody; write the ids of the meetings, such as ["8412345678"]')
    return value


@lru_cache(maxsize=8192)  # a hundred thousand orders share a few legal bases
def text(value: str) -> str:
    """Accept one line that says something and names nobody: people restricted read it, and the ledger keeps it."""
    if not value.strip():
        raise ValueError("is blank; write what the people restricted are to read")
    if len(value) > LONGEST_TEXT:
        raise ValueError(f"is longer than {LONGEST_TEXT} characters; shorten it, and publish the rest at notice_url")
    if _CONTROL.search(value) is not None:
        raise ValueError("holds a line break or another control character; write it on one line")
    if (found := personal(value)) is not None:
        raise ValueError(f"holds what reads as {found}, and goes on record for good; write it without")
    return value


def url(value: str) -> str:
    """Accept an absolute http or https URL."""
    if len(value) > LONGEST_URL:
        raise ValueError(f"is longer than {LONGEST_URL} characters; write a shorter URL")
    if _URL.fullmatch(value) is None or not _has_host(value):
        raise ValueError(f'{quoted(value)} is no absolute URL; write one such as "https://example.org/orders/1"')
    return value


def _has_host(value: str) -> bool:
    try:
        parts = urlsplit(value)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:  # an unclosed bracket, a port that is no number
        return False


def day(value: Any) -> date:
    """Accept a TOML date, or RFC 3339 full-date text."""
    if isinstance(value, str) and _DAY.fullmatch(value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise ValueError(f'"{value}" is not in the calendar; write a day such as 2020-05-29') from None
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    raise ValueError(f"{shown(value)} is not a day; write one such as 2020-05-29")


@lru_cache(maxsize=8192)
def _read_moment(value: str) -> datetime | str:
    """Read RFC 3339 date-time text; return what is none as it is."""
    if _MOMENT.fullmatch(value) is None:
        return value
    try:
        return datetime.fromisoformat(value.upper())
    except ValueError:
        raise ValueError(f'"{value}" is not in the calendar; write a moment such as 2020-06-03T16:00:00Z') from None


def moment(value: Any) -> datetime:
    """Accept a TOML offset date-time, or RFC 3339 date-time text; never one without its offset."""
    if isinstance(value, str) and len(value) <= _LONGEST_MOMENT:
        value = _read_moment(value)
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError(f"{value.isoformat()} has no time zone; write an offset, e.g. 2020-06-03T16:00:00Z")
        return value
    raise ValueError(f"{shown(value)} is not a moment; write one such as 2020-06-03T16:00:00Z")
