import pytest

from joingate.core.model import UNKNOWN, Cause, Join, Location, Reason, Verdict


@pytest.mark.parametrize(("country", "cause"), [(None, None), ("CN", Cause.STALE)])
def test_a_location_is_a_country_or_a_cause(country: str | None, cause: Cause | None) -> None:
    with pytest.raises(ValueError, match=r"^a location is either a country or a cause of not knowing it$"):
        Location(country, cause=cause)


@pytest.mark.parametrize(
    ("location", "text"),
    [
        (Location("UA"), "UA"),
        (Location("UA", "UA-43", sources=2), "UA-43"),
        (Location(None, cause=Cause.STALE), "unknown (stale)"),
        (Location(None, cause=Cause.ADDRESS_UNDETERMINABLE), "unknown (address_undeterminable)"),
    ],
)
def test_a_location_names_itself(location: Location, text: str) -> None:
    assert str(location) == text


def test_every_cause_has_its_one_location() -> None:
    assert set(UNKNOWN) == set(Cause)
    for cause, location in UNKNOWN.items():
        assert (location.country, location.subdivision, location.cause, location.sources) == (None, None, cause, 0)


@pytest.mark.parametrize(("value", "field"), [(Location("CN"), "country"), (Join("m"), "meeting")])
def test_values_are_frozen_and_have_no_room_for_more(value: Location | Join, field: str) -> None:
    with pytest.raises(AttributeError):
        setattr(value, field, "HK")
    assert not hasattr(value, "__dict__")


def test_a_join_may_name_nobody_and_is_no_host_by_default() -> None:
    assert Join("m") == Join("m", None, host=False)


@pytest.mark.parametrize("words", [Verdict, Cause, Reason])
def test_words_are_the_same_in_code_and_on_the_wire(words: type[Verdict] | type[Cause] | type[Reason]) -> None:
    assert all(member.value == member.name.lower() == str(member) for member in words)


@pytest.mark.parametrize(("country", "subdivision"), [("HK", "CN-GD"), (None, "UA-43"), ("UA", "UA43")])
def test_a_subdivision_is_a_part_of_its_country(country: str | None, subdivision: str) -> None:
    with pytest.raises(ValueError, match="a subdivision is a part of its country"):
        Location(country, subdivision, None if country else Cause.STALE)
