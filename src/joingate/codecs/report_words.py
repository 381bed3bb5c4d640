# ruff: noqa: RUF001 - typographic quotes are meant
"""The report's words for what is counted, and for days and hours: the same in every form for people."""

from calendar import monthrange
from datetime import UTC, date, datetime
from typing import Final

from joingate.core.model import Cause
from joingate.core.report import Standing
from joingate.core.report_period import Bucket, Unit

TITLE: Final = "Transparency report"
SUBJECT: Final = "Restrictions of meeting participants by territory"

MONTHS: Final = tuple("January February March April May June July August September October November December".split())

LEFT_OUT: Final = "And {count:,} more: the report as CSV or JSON has them all."

NO_ORDER: Final = "No order in the ledger"

CAUSES: Final[dict[Cause, str]] = {
    Cause.PRIVATE: "No public address",
    Cause.NOT_FOUND: "Not in the database",
    Cause.COUNTRY_MISSING: "The database names no country",
    Cause.SOURCES_DISAGREE: "The databases disagree",
    Cause.STALE: "The database is too old",
    Cause.NO_DATABASE: "No database",
    Cause.ADDRESS_UNDETERMINABLE: "The address cannot be told",
    Cause.SUBDIVISION_MISSING: "The country is known, its part is not",
}

DEMANDS: Final[dict[str, str]] = {
    "restriction": "Restrict participants inside the authority’s territory",
    "meeting": "End or prevent a whole meeting",
    "account": "Act on an account",
    "participants": "Restrict other participants",
    "data": "Hand over data",
    "other": "Something else",
    "territory": "Reach beyond the authority’s territory",
}

STANDINGS: Final[dict[Standing, str]] = {
    Standing.PENDING: "not yet in force",
    Standing.IN_FORCE: "in force",
    Standing.LIFTED: "lifted",
    Standing.EXPIRED: "expired",
}

UNITS: Final[dict[Unit, str]] = {Unit.DAY: "Day", Unit.WEEK: "Week", Unit.MONTH: "Month", Unit.YEAR: "Year"}

VOCABULARY_NOTE: Final = (
    "These two are zero because no record for them exists. The gate has no action that ends a meeting or touches an "
    "account, the list of what a ledger can record is closed, and the digest of that list stands in the ledger’s first "
    "record. What the meeting service does by itself is outside this ledger."
)

MASK_NOTE: Final = (
    "Numbers of participants from 1 to 9 are shown as “<10”. “10+” and “1+” stand for numbers from which one of these "
    "could be worked out. Zeros are always shown."
)


def spoken_day(day: str) -> str:
    """Write "2026-09-03" as "3 September 2026"; as it is where there is no such month."""
    year, month, number = map(int, day.split("-"))
    return f"{number} {MONTHS[month - 1]} {year}" if 1 <= month <= 12 else day


def spoken_hour(hour: str) -> str:
    """Write "2026-09-03T04Z" as "3 September 2026, 04:00 UTC"."""
    return f"{spoken_day(hour[:10])}, {hour[11:13]}:00 UTC"


def spoken_epoch(epoch: int) -> str:
    """Write POSIX seconds as a day; as they are where no calendar has such a day."""
    try:
        return spoken_day(datetime.fromtimestamp(epoch, UTC).date().isoformat())
    except (OverflowError, ValueError, OSError):
        return str(epoch)


def spoken_bucket(bucket: Bucket, unit: Unit) -> str:
    """Name the days of a bucket: "September 2026", or "5-30 September 2026" where they are not all of the month."""
    first, last = date.fromisoformat(bucket.first), date.fromisoformat(bucket.last)
    if unit is Unit.YEAR and (first.month, first.day, last.month, last.day) == (1, 1, 12, 31):
        return str(first.year)
    if unit is Unit.MONTH and (first.day, last.day) == (1, monthrange(last.year, last.month)[1]):
        return f"{MONTHS[first.month - 1]} {first.year}"
    return spoken_span(bucket.first, bucket.last)


def short_bucket(bucket: Bucket, unit: Unit) -> str:
    """Name the beginning of a bucket for the axis of a chart: "3 Sep", "Sep 2026" or "2026"."""
    day, month, year = spoken_day(bucket.first).split()
    return {Unit.MONTH: f"{month[:3]} {year}", Unit.YEAR: year}.get(unit, f"{day} {month[:3]}")


def spoken_span(first: str, last: str) -> str:
    """Write the days from `first` to `last`, naming month and year once where they are the same."""
    if first == last:
        return spoken_day(first)
    day, month, year = spoken_day(first).split()
    _, last_month, last_year = spoken_day(last).split()
    if (month, year) == (last_month, last_year):
        return f"{day}\N{EN DASH}{spoken_day(last)}"
    begin = f"{day} {month}" if year == last_year else f"{day} {month} {year}"
    return f"{begin} \N{EN DASH} {spoken_day(last)}"
