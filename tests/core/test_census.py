from hypothesis import given
from hypothesis import strategies as st

from joingate.core.census import census, count_places
from joingate.core.model import UNKNOWN, Cause, Location
from tests.strategies import locations


def test_countries_are_counted_by_tens() -> None:
    here = [Location("HK")] * 9 + [Location("CN", "CN-GD")] * 10 + [Location("US")] * 29 + [UNKNOWN[Cause.STALE]]
    assert census(count_places(here)) == {"CN": "10+", "HK": "<10", "US": "20+", "unknown": "<10"}
    assert census({}) == {}


@given(st.lists(locations, max_size=40))
def test_one_more_or_less_shows_only_where_it_makes_a_ten_full_or_is_the_first(here: list[Location]) -> None:
    for at in range(len(here)):
        country = here[at].country
        with_them = sum(each.country == country for each in here)
        if with_them % 10 and with_them > 1:
            assert census(count_places(here[:at] + here[at + 1 :])) == census(count_places(here))
