from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Any

import mmdb_writer
import pytest
from netaddr import IPSet  # type: ignore[import-untyped]  # it has no annotations

from joingate.core.errors import RefusedInputError
from joingate.core.model import UNKNOWN, Cause, Location
from joingate.geodb import database as module
from joingate.geodb.database import Database, check_c_reader, open_database


@pytest.fixture(scope="module")
def demo(demo_mmdb: Path) -> Database:
    return open_database(demo_mmdb)


@pytest.mark.parametrize(
    ("address", "location"),
    [
        ("127.86.1.2", Location("CN")),
        ("127.49.0.1", Location("DE")),
        ("127.1.255.255", Location("US")),
        ("127.33.0.1", Location("FR")),
        ("127.44.0.1", Location("GB")),
        ("127.81.0.1", Location("JP")),
        ("127.65.0.1", Location("SG")),
        ("127.41.0.1", Location("CH")),
        ("127.85.2.1", Location("HK")),
        ("127.85.3.1", Location("MO")),
        ("127.88.6.1", Location("TW")),
        ("127.38.0.1", Location("UA", "UA-30")),
        ("127.38.43.1", Location("UA", "UA-43")),
        ("10.86.1.2", Location("CN")),
        ("10.38.43.1", Location("UA", "UA-43")),
        ("2001:db8:86::1", Location("CN")),
        ("2001:db8:380::1", Location("UA", "UA-30")),
        ("2001:db8:380:43::1", Location("UA", "UA-43")),
        ("203.0.113.65", Location("GP")),  # registered in FR
        ("127.202.86.1", Location("CN")),  # registered in US
        ("127.200.0.1", UNKNOWN[Cause.COUNTRY_MISSING]),
        ("127.201.0.1", UNKNOWN[Cause.COUNTRY_MISSING]),  # registered in CN, which says nothing
        ("127.0.0.1", UNKNOWN[Cause.NOT_FOUND]),
        ("2001:db8::1", UNKNOWN[Cause.NOT_FOUND]),
        ("203.0.113.230", UNKNOWN[Cause.NOT_FOUND]),
        ("8.8.8.8", UNKNOWN[Cause.NOT_FOUND]),
    ],
)
def test_the_demo_world(demo: Database, address: str, location: Location) -> None:
    assert demo.get(ip_address(address)) == location


@pytest.mark.parametrize(
    ("address", "location"),
    [
        ("81.2.69.142", Location("GB")),  # registered in US
        ("202.196.224.0", Location("PH")),  # represents US
        ("2a02:d500::", UNKNOWN[Cause.COUNTRY_MISSING]),  # a continent only
        ("214.1.1.0", UNKNOWN[Cause.COUNTRY_MISSING]),  # traits only
        ("127.0.0.1", UNKNOWN[Cause.NOT_FOUND]),
    ],
)
def test_the_rows_that_decide_rule_semantics(maxmind: Path, address: str, location: Location) -> None:
    assert open_database(maxmind / "GeoIP2-Country-Test.mmdb").get(ip_address(address)) == location


def test_parts_of_countries(maxmind: Path) -> None:
    city = open_database(maxmind / "GeoIP2-City-Test.mmdb")
    assert city.get(ip_address("81.2.69.142")) == Location("GB", "GB-ENG")
    assert [code for code in ("GB", "GB-ENG", "GB-SCT", "AQ") if city.names(code)] == ["GB", "GB-ENG"]


def test_an_ipv4_database_knows_nothing_of_ipv6(tmp_path: Path) -> None:
    writer = mmdb_writer.MMDBWriter(ip_version=4, database_type="Test")
    writer.insert_network(IPSet(["0.0.0.0/1"]), {"country": {"iso_code": "DE"}})
    writer.to_db_file(str(tmp_path / "a.mmdb"))
    database = open_database(tmp_path / "a.mmdb")
    assert database.get(ip_address("1.2.3.4")) == Location("DE")
    assert database.get(ip_address("200.2.3.4")) is UNKNOWN[Cause.NOT_FOUND]
    assert database.get(ip_address("2001:db8::1")) is UNKNOWN[Cause.NOT_FOUND]
    assert database.errors == 0


def test_a_lookup_makes_no_new_location(demo: Database) -> None:
    assert demo.get(ip_address("127.86.0.1")) is demo.get(ip_address("10.86.0.1"))


@pytest.mark.parametrize("text", ["81.2.69.142", "0121.02.0105.0216", "0x51.2.69.142", "1359103374", "127.1"])
def test_text_never_reaches_the_reader(maxmind: Path, text: str) -> None:
    country = open_database(maxmind / "GeoIP2-Country-Test.mmdb")
    with pytest.raises(AttributeError):
        country.get(text)  # type: ignore[arg-type]  # that is the point
    assert country.errors == 0


@pytest.mark.parametrize("error", [ValueError, UnicodeDecodeError("utf-8", b"", 0, 1, ""), RecursionError, KeyError])
def test_whatever_the_reader_raises_is_unknown_and_counted(
    demo: Database, monkeypatch: pytest.MonkeyPatch, error: Any
) -> None:
    def fail(_: object) -> None:
        raise error

    monkeypatch.setattr(demo, "_lookup", fail)
    monkeypatch.setattr(demo, "errors", 0)
    assert demo.get(IPv4Address("127.86.0.1")) is UNKNOWN[Cause.NO_DATABASE]
    assert demo.get(IPv6Address("2001:db8:86::1")) is UNKNOWN[Cause.NO_DATABASE]
    assert demo.errors == 2


def test_the_c_reader_is_here_and_its_lack_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    check_c_reader()

    def fail(_: str) -> None:
        raise ImportError

    monkeypatch.setattr(module, "import_module", fail)
    with pytest.raises(RefusedInputError) as refusal:
        check_c_reader()
    assert str(refusal.value).startswith(
        "maxminddb: its C extension is missing, so every lookup would be slow; install"
    )


def test_one_file_descriptor_is_not_left_behind(demo_mmdb: Path) -> None:
    before = set(Path("/proc/self/fd").iterdir())
    open_database(demo_mmdb)
    assert len(set(Path("/proc/self/fd").iterdir()) - before) == 0
