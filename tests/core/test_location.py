from ipaddress import ip_address

import pytest

from joingate.core.location import agree, located_as, place, read_record
from joingate.core.model import UNKNOWN, Cause, Location
from joingate.core.territory import OWN_COUNTRY_CODE

MISSING = UNKNOWN[Cause.COUNTRY_MISSING]


@pytest.mark.parametrize(
    ("country", "subdivision", "found"),
    [
        ("CN", None, Location("CN")),
        ("UA", "UA-43", Location("UA", "UA-43")),
        ("CN", "CN-HK", Location("HK")),
        ("CN", "CN-MO", Location("MO")),
        ("CN", "CN-TW", Location("TW")),
        ("FR", "FR-974", Location("RE")),
        ("XK", None, Location("XK")),
        ("A1", None, MISSING),
        ("AP", None, MISSING),
        ("EU", None, MISSING),
        ("cn", None, MISSING),
        ("", None, MISSING),
    ],
)
def test_place(country: str, subdivision: str | None, found: Location) -> None:
    assert place(country, subdivision) == found


@pytest.mark.parametrize(("part", "own"), sorted(OWN_COUNTRY_CODE.items()))
def test_a_part_with_its_own_code_is_placed_there(part: str, own: str) -> None:
    assert place(part[:2], part, sources=2) == Location(own, sources=2)


CN = {"iso_code": "CN"}


@pytest.mark.parametrize(
    ("record", "found"),
    [
        (None, UNKNOWN[Cause.NOT_FOUND]),
        ({}, MISSING),
        ([], MISSING),
        ("CN", MISSING),
        (0, MISSING),
        ({"country": None}, MISSING),
        ({"country": "CN"}, MISSING),
        ({"country": {}}, MISSING),
        ({"country": {"iso_code": None}}, MISSING),
        ({"country": {"iso_code": 156}}, MISSING),
        ({"country": {"iso_code": b"CN"}}, MISSING),
        ({"country": {"iso_code": "EU"}}, MISSING),
        ({"country": CN}, Location("CN")),
        ({"continent": {"code": "AS"}}, MISSING),
        ({"registered_country": CN}, MISSING),
        ({"represented_country": CN}, MISSING),
        ({"country": {"iso_code": "GB"}, "registered_country": CN, "represented_country": CN}, Location("GB")),
        ({"country": CN, "subdivisions": []}, Location("CN")),
        ({"country": CN, "subdivisions": None}, Location("CN")),
        ({"country": CN, "subdivisions": {"iso_code": "GD"}}, Location("CN")),
        ({"country": CN, "subdivisions": "GD"}, Location("CN")),
        ({"country": CN, "subdivisions": [None]}, Location("CN")),
        ({"country": CN, "subdivisions": [{}]}, Location("CN")),
        ({"country": CN, "subdivisions": [{"iso_code": ""}]}, Location("CN")),
        ({"country": CN, "subdivisions": [{"iso_code": 44}]}, Location("CN")),
        ({"country": CN, "subdivisions": [{"iso_code": "GD"}]}, Location("CN", "CN-GD")),
        ({"country": CN, "subdivisions": ({"iso_code": "GD"},)}, Location("CN", "CN-GD")),
        ({"country": CN, "subdivisions": [{"iso_code": "HK"}]}, Location("HK")),
        ({"country": CN, "subdivisions": [None, {"iso_code": "GD"}]}, Location("CN")),
        ({"country": CN, "subdivisions": [{"iso_code": "GD"}, None]}, Location("CN", "CN-GD")),
        (
            {"country": {"iso_code": "GB"}, "subdivisions": [{"iso_code": "ENG"}, {"iso_code": "LND"}]},
            Location("GB", "GB-ENG"),
        ),
    ],
)
def test_read_record(record: object, found: Location) -> None:
    assert read_record(record) == found


UA, KYIV, CRIMEA, RU = Location("UA"), Location("UA", "UA-30"), Location("UA", "UA-43"), Location("RU")
LOST, STALE = UNKNOWN[Cause.NOT_FOUND], UNKNOWN[Cause.STALE]


@pytest.mark.parametrize(
    ("answers", "address", "found"),
    [
        ([], "1.1.1.1", UNKNOWN[Cause.NO_DATABASE]),
        ([UA], "1.1.1.1", UA),
        ([UA, UA], "1.1.1.1", Location("UA", sources=2)),
        ([KYIV, KYIV, KYIV], "1.1.1.1", Location("UA", "UA-30", sources=3)),
        ([KYIV, CRIMEA], "1.1.1.1", Location("UA", sources=2)),
        ([KYIV, UA], "1.1.1.1", Location("UA", sources=2)),
        ([UA, KYIV], "1.1.1.1", Location("UA", sources=2)),
        ([UA, RU], "1.1.1.1", UNKNOWN[Cause.SOURCES_DISAGREE]),
        ([CRIMEA, CRIMEA, RU], "1.1.1.1", UNKNOWN[Cause.SOURCES_DISAGREE]),
        ([UA, LOST], "1.1.1.1", UNKNOWN[Cause.SOURCES_DISAGREE]),
        ([LOST, UA], "1.1.1.1", UNKNOWN[Cause.SOURCES_DISAGREE]),
        ([LOST], "1.1.1.1", LOST),
        ([LOST, LOST], "2606:4700::1", LOST),
        ([STALE], "1.1.1.1", STALE),
        ([MISSING], "10.0.0.1", MISSING),
        ([LOST, MISSING], "10.0.0.1", MISSING),
        ([LOST], "10.0.0.1", UNKNOWN[Cause.PRIVATE]),
        ([LOST, LOST], "192.168.0.1", UNKNOWN[Cause.PRIVATE]),
        ([LOST], "127.0.0.1", UNKNOWN[Cause.PRIVATE]),
        ([LOST], "100.64.0.1", UNKNOWN[Cause.PRIVATE]),
        ([LOST], "fe80::1", UNKNOWN[Cause.PRIVATE]),
        ([LOST], "fd00::1", UNKNOWN[Cause.PRIVATE]),
        ([UA], "10.0.0.1", UA),  # an operator's override may place a private network
    ],
)
def test_agree(answers: list[Location], address: str, found: Location) -> None:
    assert agree(answers, ip_address(address)) == found


@pytest.mark.parametrize(
    ("location", "codes", "named"),
    [
        (Location("CN", "CN-GD"), {"CN"}, "CN"),
        (Location("UA", "UA-43"), {"UA-43"}, "UA-43"),
        (Location("UA", "UA-30"), {"UA-43"}, "UA-30"),
        (Location("UA", "UA-30"), {"US"}, "UA"),
        (Location("US"), {"US-NJ"}, "US"),
        (UNKNOWN[Cause.STALE], {"CN"}, "unknown"),
    ],
)
def test_a_place_is_named_no_finer_than_the_rule_speaks(location: Location, codes: set[str], named: str) -> None:
    assert located_as(location, frozenset(codes)) == named
