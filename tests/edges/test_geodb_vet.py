"""Candidates are examined in a child: bad ones are refused with a message, and whatever they do, they do there."""

import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import mmdb_writer
import pytest
from netaddr import IPSet  # type: ignore[import-untyped]  # it has no annotations

from joingate.core.errors import RefusedInputError
from joingate.geodb import database, examine
from joingate.geodb.build import build
from joingate.geodb.database import open_database
from joingate.geodb.sealed import memory_file, sealed_copy
from joingate.geodb.vet import EXAMINER, Vetting, vet
from tests.conftest import TABLES

_COMPLETE = "put a complete, undamaged database in its place"
_UNOPENED = f"cannot be opened as an MMDB file, so is truncated, damaged or something else; {_COMPLETE}"


def _vet(path: Path, command: Sequence[str] = EXAMINER, seconds: float = 60) -> Vetting:
    with sealed_copy(path) as source, memory_file("condensed") as target:
        return vet(path, source.fd, target, command=command, seconds=seconds)


def _refusal(path: Path, command: Sequence[str] = EXAMINER, seconds: float = 60) -> str:
    with pytest.raises(RefusedInputError) as refusal:
        _vet(path, command, seconds)
    (problem,) = refusal.value.problems
    assert problem.startswith(f"{path}: ")
    return problem.removeprefix(f"{path}: ")


def test_what_is_found(demo_mmdb: Path) -> None:
    vetting = _vet(demo_mmdb)
    assert (vetting.database_type, vetting.ip_version) == ("joingate-City", 6)
    assert vetting.countries >= {"CN", "HK", "MO", "TW", "US", "DE", "UA", "FR", "GP", "CH", "GB", "JP", "SG"}
    assert vetting.subdivisions >= {"UA-43", "UA-30"}


def test_maxminds_good_ones(maxmind: Path) -> None:
    city = _vet(maxmind / "GeoIP2-City-Test.mmdb")
    assert (city.networks, len(city.countries)) == (250, 48)
    assert city.subdivisions == {"AU-VIC", "CN-22", "GB-ENG", "SE-E", "US-CA", "US-WA"}
    country = _vet(maxmind / "GeoIP2-Country-Test.mmdb")
    assert (country.networks, len(country.countries), country.subdivisions) == (345, 46, frozenset())


BAD = {
    "GeoIP2-City-Test-Broken-Double-Format": f"the record of 2a02:cf40:: cannot be read; {_COMPLETE}",
    "MaxMind-DB-no-ipv4-search-tree": "the record of :: is no map; a country or city database is needed",
    "MaxMind-DB-test-broken-pointers-24": f"the record of 1.1.1.16 cannot be read; {_COMPLETE}",
    "cyclic-data-structure": _UNOPENED,
    "invalid-bytes-length": _UNOPENED,
    "invalid-map-key-length": _UNOPENED,
    "libmaxminddb-corrupt-search-tree": "is of type 'Test', and none of its 2 networks has a country; ",
    "libmaxminddb-deep-array-nesting": f"the record of 32.0.0.0 cannot be read; {_COMPLETE}",
    "libmaxminddb-empty-array-last-in-metadata": "is of type 'Test', and none of its 2 networks has a country; ",
    "libmaxminddb-metadata-marker-only": _UNOPENED,
    "libmaxminddb-oversized-array": f"the record of 0.0.0.0 cannot be read; {_COMPLETE}",
    "libmaxminddb-separator-record-max-left": f"the record of 0.0.0.0 cannot be read; {_COMPLETE}",
    "metadata-is-an-uint128": _UNOPENED,
}


@pytest.mark.parametrize("name", BAD)
def test_maxminds_bad_ones(maxmind: Path, name: str) -> None:
    assert _refusal(maxmind / "bad" / f"{name}.mmdb").startswith(BAD[name])


def test_every_bad_one_is_listed(maxmind: Path) -> None:
    assert {path.stem for path in (maxmind / "bad").iterdir()} == set(BAD)


@pytest.mark.parametrize(
    ("name", "kind", "networks"),
    [("GeoLite2-ASN-Test", "GeoLite2-ASN", 412), ("GeoIP2-Anonymous-IP-Test", "GeoIP2-Anonymous-IP", 599)],
)
def test_another_kind_of_database(maxmind: Path, name: str, kind: str, networks: int) -> None:
    assert _refusal(maxmind / f"{name}.mmdb") == (
        f"is of type '{kind}', and none of its {networks} networks has a country; "
        "a country or city database is needed, such as GeoLite2-Country"
    )


def test_every_length_of_a_truncated_file(demo_mmdb: Path, tmp_path: Path) -> None:
    whole = demo_mmdb.read_bytes()
    path = tmp_path / "a.mmdb"
    for length in (1, 100, len(whole) // 2, len(whole) - 20):
        path.write_bytes(whole[:length])
        assert _refusal(path) == _UNOPENED


def test_a_zeroed_beginning(demo_mmdb: Path, tmp_path: Path) -> None:
    whole = demo_mmdb.read_bytes()
    path = tmp_path / "a.mmdb"
    path.write_bytes(bytes(4000) + whole[4000:])
    assert _refusal(path) == f"its search tree is damaged (its paths run in circles); {_COMPLETE}"


def test_something_else(tmp_path: Path) -> None:
    path = tmp_path / "a.mmdb"
    path.write_text("<!doctype html><title>429 Too Many Requests</title>")
    assert _refusal(path) == _UNOPENED


def _written(path: Path, records: dict[str, Any], **metadata: Any) -> Path:
    """Write what `build` never would."""
    writer = mmdb_writer.MMDBWriter(database_type="Test")
    for network, record in records.items():
        writer.insert_network(IPSet([network]), record)
    original = writer._build_meta
    writer._build_meta = lambda: {**original(), **metadata}  # type: ignore[method-assign]
    writer.to_db_file(str(path))
    return path


DE = {"country": {"iso_code": "DE"}}


def test_no_networks(tmp_path: Path) -> None:
    path = _written(tmp_path / "a.mmdb", {})
    assert _refusal(path) == "holds no networks; put a complete country or city database in its place"


@pytest.mark.parametrize("odd", ["DE", ["DE"], 49])
def test_one_record_that_is_no_map_among_good_ones(tmp_path: Path, odd: object) -> None:
    path = _written(tmp_path / "a.mmdb", {"1.0.0.0/8": DE, "9.0.0.0/8": odd})
    assert _refusal(path) == "the record of 9.0.0.0 is no map; a country or city database is needed"


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({"ip_version": 5}, _UNOPENED),
        ({"build_epoch": 0}, _UNOPENED),
        (
            {"build_epoch": 9_000_000_000},
            "says it was built in the future (build_epoch 9000000000); set this machine's",
        ),
    ],
)
def test_metadata_that_cannot_be(tmp_path: Path, metadata: dict[str, Any], message: str) -> None:
    assert _refusal(_written(tmp_path / "a.mmdb", {"1.0.0.0/8": DE}, **metadata)).startswith(message)


def test_a_clock_some_hours_ahead_is_no_future(tmp_path: Path) -> None:
    path = _written(tmp_path / "a.mmdb", {"1.0.0.0/8": DE}, build_epoch=int(time.time()) + 80_000)
    assert _vet(path).countries == {"DE"}


def test_parts_of_countries_that_are_no_codes_count_for_the_country(tmp_path: Path) -> None:
    odd = {"country": {"iso_code": "DE"}, "subdivisions": [{"iso_code": "S\u00fcd-" + "x" * 40}]}
    hong_kong = {"country": {"iso_code": "CN"}, "subdivisions": [{"iso_code": "HK"}]}
    vetting = _vet(_written(tmp_path / "a.mmdb", {"1.0.0.0/8": odd, "2.0.0.0/8": hong_kong}))
    assert vetting.countries == {"DE", "HK"}
    assert not vetting.subdivisions


def _python(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (
            "import os; os.kill(os.getpid(), 11)",
            f"its examination was ended by SIGSEGV, as damaged files do; {_COMPLETE}",
        ),
        (
            "import os; os.kill(os.getpid(), 7)",
            f"its examination was ended by SIGBUS, as damaged files do; {_COMPLETE}",
        ),
        ("raise SystemExit('no room')", f"its examination failed (no room); {_COMPLETE}"),
        ("raise SystemExit(3)", f"its examination failed (no message); {_COMPLETE}"),
        ("", f"its examination gave no sensible answer; {_COMPLETE}"),
        ("print('{')", f"its examination gave no sensible answer; {_COMPLETE}"),
        ("print('[]')", f"its examination gave no sensible answer; {_COMPLETE}"),
        ("print('7')", f"its examination gave no sensible answer; {_COMPLETE}"),
        ("print('{\"networks\": 1}')", f"its examination gave no sensible answer; {_COMPLETE}"),
        ('print(\'{"refusal": "is unfit; mend it"}\')', "is unfit; mend it"),
    ],
)
def test_what_a_child_led_astray_may_do(demo_mmdb: Path, code: str, message: str) -> None:
    assert _refusal(demo_mmdb, _python(code)) == message


def test_a_child_that_hangs(demo_mmdb: Path) -> None:
    message = _refusal(demo_mmdb, _python("import time; time.sleep(600)"), seconds=0.2)
    assert message == f"its examination took longer than 0.2 s; {_COMPLETE}"


def test_a_child_that_cannot_be_started(demo_mmdb: Path, tmp_path: Path) -> None:
    message = _refusal(demo_mmdb, (str(tmp_path / "no-python"),))
    assert message.startswith("its examination could not be started ([Errno 2] No such file or directory")


def test_no_answer_without_a_condensed_database(demo_mmdb: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A child that says all is well and wrote nothing leaves the reader nothing to open."""
    said = (
        '{"database_type": "x", "ip_version": 6, "build_epoch": 1, "node_count": 1, "networks": 1, '
        '"countries": [], "subdivisions": []}'
    )
    monkeypatch.setattr(
        database, "vet", lambda path, source, target: vet(path, source, target, command=_python(f"print('{said}')"))
    )
    with pytest.raises(RefusedInputError, match="its examination left nothing usable; try again"):
        open_database(demo_mmdb)


def test_the_child_sees_no_settings_or_secrets(demo_mmdb: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOINGATE_ADMIN__TOKEN", "s3cret")
    code = "import os, sys; sys.exit(str(sorted(key for key in os.environ if 'JOINGATE' in key)))"
    assert _refusal(demo_mmdb, _python(code)) == f"its examination failed ([]); {_COMPLETE}"


def test_the_child_is_found_from_any_folder(demo_mmdb: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "maxminddb.py").write_text("raise SystemExit('not this one')")
    monkeypatch.chdir(tmp_path)
    assert _vet(demo_mmdb).networks > 100


def test_the_child_imports_little() -> None:
    code = "import joingate.geodb.examine, sys; sys.exit(str({'aiohttp', 'pydantic', 'asyncio'} & set(sys.modules)))"
    assert os.waitstatus_to_exitcode(os.system(f'{sys.executable} -c "{code}" 2>/dev/null')) == 1  # noqa: S605  fixed text


@pytest.fixture
def examined(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], str]:
    """Examine in this process, with limits that would outlive the test left out."""
    monkeypatch.setattr(examine, "setrlimit", lambda *_: None)

    def run(path: Path) -> str:
        with sealed_copy(path) as source, memory_file("condensed") as target:
            monkeypatch.setattr(sys, "argv", ["examine", str(source.fd), str(target)])
            examine.main()
        return capfd.readouterr().out

    return run


def test_what_the_child_prints(examined: Callable[[Path], str], tmp_path: Path) -> None:
    path = _written(tmp_path / "a.mmdb", {"1.0.0.0/8": DE, "2.0.0.0/8": {}}, build_epoch=1_700_000_000)
    assert json.loads(examined(path)) == {
        "database_type": "Test",
        "ip_version": 4,
        "build_epoch": 1_700_000_000,
        "node_count": 9,
        "networks": 2,
        "countries": ["DE"],
        "subdivisions": [],
    }


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        (b"x", _UNOPENED),
        ({"1.0.0.0/8": {}}, "is of type 'Test', and none of its 1 networks has a country; "),
        ({"1.0.0.0/8": "DE"}, "the record of 1.0.0.0 is no map; "),
        ({}, "holds no networks; "),
    ],
)
def test_what_the_child_prints_of_what_is_unfit(
    examined: Callable[[Path], str], tmp_path: Path, content: Any, refusal: str
) -> None:
    path = tmp_path / "a.mmdb"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        _written(path, content)
    assert json.loads(examined(path))["refusal"].startswith(refusal)


def test_what_takes_too_much_memory(
    examined: Callable[[Path], str], demo_mmdb: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def exhaust(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(examine, "read_tree", exhaust)
    assert examined(demo_mmdb) == f'{{"refusal": "takes more than 4 GiB of memory to read; {_COMPLETE}"}}'


def test_an_older_copy_with_the_same_table_is_the_same(tmp_path: Path) -> None:
    """The same table and build_epoch make the same bytes, so a digest tells a rebuilt database from a new one."""
    build(TABLES / "demo.csv", tmp_path / "a.mmdb", build_epoch=1_700_000_000)
    build(TABLES / "demo.csv", tmp_path / "b.mmdb", build_epoch=1_700_000_000)
    shutil.copy(tmp_path / "a.mmdb", tmp_path / "c.mmdb")
    assert len({open_database(path).digest for path in tmp_path.glob("*.mmdb")}) == 1
