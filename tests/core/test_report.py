from dataclasses import replace

from joingate.core.report_period import Gap
from tests.report_ledgers import entries, report


def test_silent_hours() -> None:
    found = report(entries())
    assert found.silent_hours == 1
    gaps = (Gap("2026-09-03T04Z", "2026-09-03T05Z", 2), Gap("2026-09-03T07Z", "2026-09-03T07Z", 1))
    assert replace(found, gaps=gaps).silent_hours == 3
