# ruff: noqa: RUF001 - Chinese punctuation is meant
import pytest

from joingate.codecs.moment import rfc3339, spoken, utc_hour
from joingate.codecs.negotiation import Language


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (1591286400.0, "2020-06-04T16:00:00Z"),
        (1591286400.999, "2020-06-04T16:00:00Z"),
    ],
)
def test_a_moment_for_machines(seconds: float, written: str) -> None:
    assert rfc3339(seconds) == written


@pytest.mark.parametrize(
    ("language", "seconds", "written"),
    [
        (Language.ENGLISH, 1591286400.0, "4 June 2020, 16:00 UTC"),
        (Language.ENGLISH, 1591286405.0, "4 June 2020, 16:00:05 UTC"),
        (Language.SIMPLIFIED, 1591286400.0, "2020年6月4日 16:00（UTC）"),
        (Language.TRADITIONAL, 1609459199.5, "2020年12月31日 23:59:59（UTC）"),
    ],
)
def test_a_moment_for_people(language: Language, seconds: float, written: str) -> None:
    assert spoken(seconds, language) == written


def test_an_hour_is_written_without_anything_finer() -> None:
    assert utc_hour(0) == "1970-01-01T00Z"
    assert utc_hour(1_795_233_600 // 3600) == "2026-11-21T04Z"
