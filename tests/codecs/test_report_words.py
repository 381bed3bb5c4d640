import pytest

from joingate.codecs.report_words import (
    CAUSES,
    DEMANDS,
    STANDINGS,
    UNITS,
    short_bucket,
    spoken_bucket,
    spoken_day,
    spoken_epoch,
    spoken_hour,
    spoken_span,
)
from joingate.core.model import Cause
from joingate.core.report import Standing
from joingate.core.report_period import Bucket, Unit
from tests.report_ledgers import entries, report


def test_there_is_a_word_for_everything() -> None:
    assert set(CAUSES) == set(Cause)
    assert set(STANDINGS) == set(Standing)
    assert set(UNITS) == set(Unit)
    assert list(DEMANDS) == [demand.what for demand in report(entries()).demands]


def test_days_and_hours() -> None:
    assert spoken_day("2026-09-03") == "3 September 2026"
    assert spoken_day("2026-13-99") == "2026-13-99"
    assert spoken_day("2026-00-01") == "2026-00-01"
    assert spoken_hour("2026-09-03T04Z") == "3 September 2026, 04:00 UTC"


@pytest.mark.parametrize(
    ("epoch", "day"), [(0, "1 January 1970"), (1_788_000_000, "29 August 2026"), (2**53 - 1, "9007199254740991")]
)
def test_epochs(epoch: int, day: str) -> None:
    assert spoken_epoch(epoch) == day


@pytest.mark.parametrize(
    ("first", "last", "unit", "spoken", "short"),
    [
        ("2026-09-03", "2026-09-03", Unit.DAY, "3 September 2026", "3 Sep"),
        ("2026-08-31", "2026-09-06", Unit.WEEK, "31 August – 6 September 2026", "31 Aug"),  # noqa: RUF001
        ("2026-12-28", "2027-01-03", Unit.WEEK, "28 December 2026 – 3 January 2027", "28 Dec"),  # noqa: RUF001
        ("2026-09-07", "2026-09-13", Unit.WEEK, "7–13 September 2026", "7 Sep"),  # noqa: RUF001
        ("2026-02-01", "2026-02-28", Unit.MONTH, "February 2026", "Feb 2026"),
        ("2028-02-01", "2028-02-28", Unit.MONTH, "1–28 February 2028", "Feb 2028"),  # noqa: RUF001
        ("9999-12-01", "9999-12-31", Unit.MONTH, "December 9999", "Dec 9999"),
        ("2026-02-02", "2026-02-28", Unit.MONTH, "2–28 February 2026", "Feb 2026"),  # noqa: RUF001
        ("2026-01-01", "2026-12-31", Unit.YEAR, "2026", "2026"),
        ("2026-03-05", "2026-12-31", Unit.YEAR, "5 March – 31 December 2026", "2026"),  # noqa: RUF001
    ],
)
def test_buckets(first: str, last: str, unit: Unit, spoken: str, short: str) -> None:
    assert spoken_bucket(Bucket(first, last), unit) == spoken
    assert short_bucket(Bucket(first, last), unit) == short


def test_a_span_of_one_day() -> None:
    assert spoken_span("2026-09-03", "2026-09-03") == "3 September 2026"
