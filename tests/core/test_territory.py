import re
from datetime import date

import pycountry
import pytest
from hypothesis import given
from hypothesis import strategies as st

from joingate.core.model import UNKNOWN, Cause, Location
from joingate.core.territory import (
    COUNTRIES,
    GROUPS,
    MISTAKEN,
    OWN_COUNTRY_CODE,
    UNPLACED,
    expand,
    lies_in,
    may_lie_in,
    outside,
    refuse_code,
)

ASSIGNED = frozenset(country.alpha_2 for country in pycountry.countries)
SUBDIVISIONS = {subdivision.code: subdivision for subdivision in pycountry.subdivisions}


def test_the_countries_are_those_of_iso_3166_1_and_kosovo() -> None:
    assert len(ASSIGNED) == 249
    assert ASSIGNED | {"XK"} == COUNTRIES
    assert all(re.fullmatch("[A-Z]{2}", code) for code in COUNTRIES)


@pytest.mark.parametrize(("part", "own"), sorted(OWN_COUNTRY_CODE.items()))
def test_a_code_of_its_own_is_a_country(part: str, own: str) -> None:
    assert own in COUNTRIES
    assert part[:2] in COUNTRIES
    assert part[:2] != own
    assert re.fullmatch(r"[A-Z]{2}-[A-Z0-9]{1,3}", part)
    assert refuse_code(part) == f'"{part}" has a country code of its own; write "{own}"'


# ISO 3166-2 before its French and Chinese reforms: old databases still answer these.
WITHDRAWN = {"FR-GF", "FR-GP", "FR-MQ", "FR-RE", "FR-YT", "CN-71", "CN-91", "CN-92"}


def test_the_codes_in_the_table_are_those_of_iso_3166_2_or_withdrawn() -> None:
    assert OWN_COUNTRY_CODE.keys() - SUBDIVISIONS.keys() == WITHDRAWN


HOMONYMS = {"GN-ML"}
"""Parts that share letters and name with a country elsewhere: Guinea has a prefecture called Mali."""


def test_every_part_with_the_letters_and_the_name_of_a_country_is_in_the_table() -> None:
    """Such as US-PR and PR, both called Puerto Rico."""
    names = {country.alpha_2: country.name for country in pycountry.countries}
    doubles = {
        part
        for part, subdivision in SUBDIVISIONS.items()
        if part[:2] != part[3:] and subdivision.name.split(" (")[0] == names.get(part[3:])
    }
    assert doubles - HOMONYMS <= OWN_COUNTRY_CODE.keys()
    assert len(doubles - HOMONYMS) > 5


@pytest.mark.parametrize(("written", "meant"), sorted(MISTAKEN.items()))
def test_a_mistaken_code_is_none_and_the_code_meant_is(written: str, meant: str) -> None:
    assert written not in COUNTRIES | GROUPS.keys()
    assert meant in COUNTRIES
    assert refuse_code(written) == f'"{written}" is not an ISO 3166 code; write "{meant}"'


@pytest.mark.parametrize("code", sorted(UNPLACED))
def test_an_unplaced_code_is_no_country(code: str) -> None:
    assert code not in COUNTRIES | MISTAKEN.keys() | GROUPS.keys()
    assert refuse_code(code) == f'"{code}" is no territory: whoever cannot be placed is not restricted; remove it'


@pytest.mark.parametrize(
    ("name", "members", "some", "none"),
    [
        ("EU", 27, "AT CY DE FR HR MT", "GB CH NO RE TR XK"),
        ("EU+", 34, "AX GF GP MF MQ RE YT DE", "BL NC PF PM WF GL FO AW CW"),
        ("EEA", 30, "IS LI NO DE", "CH GB SJ RE"),
    ],
)
def test_groups(name: str, members: int, some: str, none: str) -> None:
    group = GROUPS[name]
    assert len(group.members) == members
    assert group.members <= COUNTRIES
    assert frozenset(some.split()) <= group.members
    assert not frozenset(none.split()) & group.members
    assert group.since == date(2020, 2, 1)
    assert group.meaning
    assert expand([name]) == group.members


def test_groups_contain_each_other_as_they_should() -> None:
    assert GROUPS.keys() == {"EU", "EU+", "EEA"}
    assert GROUPS["EU"].members == GROUPS["EU+"].members & GROUPS["EEA"].members
    assert not GROUPS.keys() & COUNTRIES


NOT_A_TERRITORY = (
    'is not a territory; write an ISO 3166-1 alpha-2 code such as "DE", an ISO 3166-2 code such as "UA-43", '
    "or a group (EU, EU+, EEA)"
)


@pytest.mark.parametrize(
    ("code", "refusal"),
    [
        ("CN", None),
        ("HK", None),
        ("XK", None),
        ("EU", None),
        ("EU+", None),
        ("UA-43", None),
        ("CN-GD", None),
        ("GB-ENG", None),
        ("FR-6AE", None),
        ("CN-HK", '"CN-HK" has a country code of its own; write "HK"'),
        ("CN-MO", '"CN-MO" has a country code of its own; write "MO"'),
        ("CN-TW", '"CN-TW" has a country code of its own; write "TW"'),
        ("FI-01", '"FI-01" has a country code of its own; write "AX"'),
        ("uk", '"uk" is not an ISO 3166 code; write "GB"'),
        ("China", '"China" is not an ISO 3166 code; write "CN"'),
        (" uk ", '" uk " is not an ISO 3166 code; write "GB"'),
        ("a1", '"a1" is no territory: whoever cannot be placed is not restricted; remove it'),
        ("cn", '"cn" is not written as ISO 3166 writes it; write "CN"'),
        (" CN", '" CN" is not written as ISO 3166 writes it; write "CN"'),
        ("ua-43", '"ua-43" is not written as ISO 3166 writes it; write "UA-43"'),
        ("eea", '"eea" is not written as ISO 3166 writes it; write "EEA"'),
        ("QQ-1", '"QQ-1" is a part of "QQ", which is no ISO 3166-1 code; write the country\'s code first'),
        ("EU-DE", '"EU-DE" is a part of "EU", which is no ISO 3166-1 code; write the country\'s code first'),
        ("", f'"" {NOT_A_TERRITORY}'),
        ("*", f'"*" {NOT_A_TERRITORY}'),
        ("CHN", f'"CHN" {NOT_A_TERRITORY}'),
        ("156", f'"156" {NOT_A_TERRITORY}'),
        ("QQ", f'"QQ" {NOT_A_TERRITORY}'),
        ("UA-", f'"UA-" {NOT_A_TERRITORY}'),
        ("UA-4321", f'"UA-4321" {NOT_A_TERRITORY}'),
        ("UA_43", f'"UA_43" {NOT_A_TERRITORY}'),
        ("UA-43\n", '"UA-43\n" is not written as ISO 3166 writes it; write "UA-43"'),
        ("CN-香港", f'"CN-香港" {NOT_A_TERRITORY}'),
        ("\u0421N", f'"\u0421N" {NOT_A_TERRITORY}'),  # a Cyrillic letter that looks like C
        ("UA-4\u0663", f'"UA-4\u0663" {NOT_A_TERRITORY}'),  # an Arabic-Indic digit
    ],
)
def test_refuse_code(code: str, refusal: str | None) -> None:
    assert refuse_code(code) == refusal


@given(st.text(max_size=8))
def test_what_is_not_refused_is_a_code_or_a_group(code: str) -> None:
    if refuse_code(code) is None:
        assert code in GROUPS or re.fullmatch(r"[A-Z]{2}(-[A-Z0-9]{1,3})?", code)
        assert code in GROUPS or code[:2] in COUNTRIES


def test_every_other_part_of_a_country_is_a_territory() -> None:
    assert {code for code in SUBDIVISIONS if refuse_code(code) is not None} == OWN_COUNTRY_CODE.keys() & SUBDIVISIONS


@pytest.mark.parametrize(
    ("codes", "territory"),
    [
        ([], set()),
        (["CN"], {"CN"}),
        (["CN", "CN"], {"CN"}),
        (["UA-43", "HK"], {"UA-43", "HK"}),
        (["EEA", "CH"], GROUPS["EEA"].members | {"CH"}),
    ],
)
def test_expand(codes: list[str], territory: set[str]) -> None:
    assert expand(codes) == territory


def test_expand_refuses_what_refuse_code_refuses() -> None:
    with pytest.raises(ValueError, match=r'^"CN-TW" has a country code of its own; write "TW"$'):
        expand(["CN", "CN-TW"])


@pytest.mark.parametrize(
    ("inner", "outer", "beyond"),
    [
        ("", "", ""),
        ("", "CN", ""),
        ("CN", "CN", ""),
        ("CN-GD", "CN", ""),
        ("CN-GD CN-XJ", "CN-GD", "CN-XJ"),
        ("CN", "CN-GD", "CN"),
        ("HK", "CN", "HK"),
        ("HK MO TW", "CN", "HK MO TW"),
        ("CN HK", "CN", "HK"),
        ("UA-43", "RU", "UA-43"),
        ("CN", "", "CN"),
    ],
)
def test_outside(inner: str, outer: str, beyond: str) -> None:
    assert outside(frozenset(inner.split()), frozenset(outer.split())) == frozenset(beyond.split())


@pytest.mark.parametrize(
    ("location", "territory", "inside"),
    [
        (Location("CN"), "CN", True),
        (Location("CN"), "HK", False),
        (Location("HK"), "CN", False),
        (Location("MO"), "CN", False),
        (Location("TW"), "CN", False),
        (Location("UA", "UA-43"), "UA-43", True),
        (Location("UA", "UA-43"), "UA", True),
        (Location("UA", "UA-30"), "UA-43", False),
        (Location("UA"), "UA-43", False),
        (Location("PR"), "US", False),
        (Location("RE"), "FR", False),
        (Location("CN"), "", False),
        *((UNKNOWN[cause], "CN HK UA-43", False) for cause in Cause),
    ],
)
def test_lies_in(location: Location, territory: str, inside: bool) -> None:
    assert lies_in(location, frozenset(territory.split())) is inside


@pytest.mark.parametrize(
    ("location", "codes", "may"),
    [
        (Location("UA"), ("UA-43",), True),
        (Location("UA"), ("PL", "UA-43"), True),
        (Location("UA"), ("UA", "UA-43"), False),  # it does
        (Location("UA", "UA-30"), ("UA-43",), False),  # it does not
        (Location("PL"), ("UA-43",), False),
        (Location("PL"), (), False),
        (UNKNOWN[Cause.STALE], ("CN",), True),
    ],
)
def test_what_cannot_be_told(location: Location, codes: tuple[str, ...], may: bool) -> None:
    assert may_lie_in(location, frozenset(codes)) is may
