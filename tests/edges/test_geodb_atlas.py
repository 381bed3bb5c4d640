from ipaddress import ip_address
from pathlib import Path

import pytest

from joingate.core.client_address import parse_address
from joingate.core.model import UNKNOWN, Cause, Location
from joingate.geodb.atlas import Atlas
from joingate.geodb.database import Database, open_database
from joingate.geodb.network import read_network
from joingate.geodb.overrides import Overrides

NONE = Overrides({})
NOW = 2_000_000_000.0


@pytest.fixture(scope="module")
def demo(demo_mmdb: Path) -> Database:
    return open_database(demo_mmdb)


@pytest.fixture(scope="module")
def second(second_mmdb: Path) -> Database:
    return open_database(second_mmdb)


@pytest.mark.parametrize(
    "text",
    [
        "not an address",
        "0127.86.0.1",  # inet_aton would take all of these
        "0x7f.86.0.1",
        "127.86.1",
        "2136276993",
        "2002:7f56:1::",  # 6to4 of 127.86.0.1
        "2001:0:7f56:1::",  # Teredo through it
        "::127.86.0.1",
    ],
)
def test_addresses_that_say_nothing(demo: Database, text: str) -> None:
    atlas = Atlas([demo], NONE, 0)
    assert atlas.locate(parse_address(text), NOW) is UNKNOWN[Cause.ADDRESS_UNDETERMINABLE]


def test_an_address_that_embeds_another_is_unknown_whatever_the_database_says(maxmind: Path) -> None:
    database = open_database(maxmind / "GeoIP2-Country-Test.mmdb")
    chosen = ip_address("2002:5102:458e::")
    assert database.get(chosen) == Location("GB")
    atlas = Atlas([database], Overrides({read_network("2000::/3"): Location("GB")}), 0)
    assert atlas.locate(chosen, NOW) is UNKNOWN[Cause.ADDRESS_UNDETERMINABLE]
    assert atlas.locate(parse_address("::ffff:81.2.69.142"), NOW) == Location("GB")


@pytest.mark.parametrize(
    ("address", "location"),
    [
        ("127.86.0.1", Location("CN")),
        ("127.38.43.1", Location("UA", "UA-43")),
        ("127.200.0.1", UNKNOWN[Cause.COUNTRY_MISSING]),
        ("127.0.0.1", UNKNOWN[Cause.PRIVATE]),
        ("10.0.0.1", UNKNOWN[Cause.PRIVATE]),
        ("fe80::1", UNKNOWN[Cause.PRIVATE]),
        ("8.8.8.8", UNKNOWN[Cause.NOT_FOUND]),
        ("2600::1", UNKNOWN[Cause.NOT_FOUND]),
    ],
)
def test_one_database(demo: Database, address: str, location: Location) -> None:
    assert Atlas([demo], NONE, 0).locate(ip_address(address), NOW) == location


@pytest.mark.parametrize(
    ("address", "location"),
    [
        ("127.86.0.1", Location("CN", sources=2)),
        ("127.38.43.1", Location("UA", sources=2)),  # the second is country-only
        ("127.65.0.1", UNKNOWN[Cause.SOURCES_DISAGREE]),
        ("203.0.113.161", UNKNOWN[Cause.SOURCES_DISAGREE]),
        ("127.82.0.1", UNKNOWN[Cause.SOURCES_DISAGREE]),  # the second has no such network
        ("127.200.0.1", UNKNOWN[Cause.COUNTRY_MISSING]),
        ("8.8.8.8", UNKNOWN[Cause.NOT_FOUND]),
    ],
)
def test_two_databases_must_agree(demo: Database, second: Database, address: str, location: Location) -> None:
    assert Atlas([demo, second], NONE, 0).locate(ip_address(address), NOW) == location
    assert Atlas([second, demo], NONE, 0).locate(ip_address(address), NOW) == location


def test_no_database() -> None:
    atlas = Atlas([], NONE, 30)
    assert atlas.locate(ip_address("127.86.0.1"), NOW) is UNKNOWN[Cause.NO_DATABASE]
    assert (atlas.stale_at, atlas.build_epochs) == (None, ())
    assert not atlas.names("CN")


def test_overrides_go_first(demo: Database, second: Database) -> None:
    overrides = Overrides(
        {
            read_network("127.86.7.0/24"): Location("DE", "DE-HH"),
            read_network("127.86.8.0/24"): UNKNOWN[Cause.COUNTRY_MISSING],
            read_network("127.65.0.0/16"): Location("SG"),
        }
    )
    atlas = Atlas([demo, second], overrides, 1)
    long_after = atlas.build_epochs[0] + 1e9
    for now in (0.0, long_after):
        assert atlas.locate(ip_address("127.86.7.1"), now) == Location("DE", "DE-HH")
        assert atlas.locate(ip_address("127.86.8.1"), now) is UNKNOWN[Cause.COUNTRY_MISSING]
        assert atlas.locate(ip_address("127.65.0.1"), now) == Location("SG")
    assert atlas.locate(ip_address("127.86.9.1"), long_after) is UNKNOWN[Cause.STALE]


def test_stale_is_after_the_oldest_has_passed_its_age(demo: Database, second: Database) -> None:
    atlas = Atlas([demo, second], NONE, 60)
    limit = min(demo.vetting.build_epoch, second.vetting.build_epoch) + 60 * 86400
    assert atlas.stale_at == limit
    address = ip_address("127.86.0.1")
    assert atlas.locate(address, limit) == Location("CN", sources=2)
    assert atlas.locate(address, limit + 0.001) is UNKNOWN[Cause.STALE]


def test_no_age_limit(demo: Database) -> None:
    atlas = Atlas([demo], NONE, 0)
    assert atlas.stale_at is None
    assert atlas.locate(ip_address("127.86.0.1"), 1e12) == Location("CN")


def test_what_can_be_enforced(demo: Database, second: Database) -> None:
    territory = frozenset(("CN", "UA", "UA-43", "UA-18", "AQ"))
    assert Atlas([demo], NONE, 0).unenforceable(territory) == {"UA-18", "AQ"}
    assert Atlas([demo, second], NONE, 0).unenforceable(territory) == {"UA-43", "UA-18", "AQ"}
    overrides = Overrides({read_network("192.0.2.0/24"): Location("UA", "UA-18")})
    assert Atlas([demo, second], overrides, 0).unenforceable(territory) == {"UA-43", "AQ"}


def test_failed_lookups_are_counted_together(demo: Database, second: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "errors", 2)
    monkeypatch.setattr(second, "errors", 3)
    assert Atlas([demo, second], NONE, 0).errors == 5
