# ruff: noqa: RUF001 - Chinese punctuation is meant
"""A moment in POSIX seconds, written for machines and for people; always UTC, since no reader's time zone is known.

Only ends of orders are written, the same few again and again, so what was written is kept.
"""

from datetime import UTC, datetime
from functools import lru_cache

from joingate.codecs.negotiation import Language

# Not strftime's %B: that follows the process's locale, and the reader's language is not the operator's.
_MONTHS = "January February March April May June July August September October November December".split()


@lru_cache(maxsize=256)
def rfc3339(seconds: float) -> str:
    """Write "2020-06-04T16:00:00Z" (RFC 3339 5.6); fractions of a second are dropped."""
    return datetime.fromtimestamp(int(seconds), UTC).isoformat().replace("+00:00", "Z")


@lru_cache(maxsize=256)
def utc_hour(number: int) -> str:
    """Write the hour that is `number` hours after 1970 began, such as "2026-11-21T04Z"."""
    return datetime.fromtimestamp(number * 3600, UTC).strftime("%Y-%m-%dT%HZ")


@lru_cache(maxsize=256)
def spoken(seconds: float, language: Language) -> str:
    """Write "4 June 2020, 16:00 UTC" as `language` does; seconds only where there are some."""
    moment = datetime.fromtimestamp(int(seconds), UTC)
    clock = moment.strftime("%H:%M:%S" if moment.second else "%H:%M")
    if language is Language.ENGLISH:
        return f"{moment.day} {_MONTHS[moment.month - 1]} {moment.year}, {clock} UTC"
    return f"{moment.year}年{moment.month}月{moment.day}日 {clock}（UTC）"
