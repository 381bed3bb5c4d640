from pathlib import Path

import maxminddb
import pytest

from joingate.core.errors import RefusedInputError
from joingate.geodb.build import build
from tests.conftest import TABLES

HEADER = "network,continent,country,subdivision,registered_country\n"


def _build(tmp_path: Path, rows: str, header: str = HEADER) -> Path:
    (tmp_path / "table.csv").write_text(header + rows, encoding="utf-8")
    build(tmp_path / "table.csv", tmp_path / "a.mmdb", build_epoch=1_700_000_000)
    return tmp_path / "a.mmdb"


def _problems(tmp_path: Path, rows: str, header: str = HEADER) -> list[str]:
    with pytest.raises(RefusedInputError) as refusal:
        _build(tmp_path, rows, header)
    return [problem.removeprefix(f"{tmp_path}/table.csv:") for problem in refusal.value.problems]


def test_records_have_the_layout_that_vendors_use(tmp_path: Path) -> None:
    path = _build(tmp_path, "203.0.113.0/24,EU,UA,UA-43,\n2001:db8::/32,AS,TW,,US\n192.0.2.0/24,EU,,,\n")
    reader = maxminddb.open_database(path)
    assert reader.get("203.0.113.9") == {
        "continent": {"code": "EU", "names": {"en": "Europe"}},
        "country": {"iso_code": "UA", "names": {"en": "Ukraine"}},
        "registered_country": {"iso_code": "UA", "names": {"en": "Ukraine"}},
        "subdivisions": [{"iso_code": "43", "names": {"en": "Avtonomna Respublika Krym"}}],
    }
    assert reader.get("2001:db8::1") == {
        "continent": {"code": "AS", "names": {"en": "Asia"}},
        "country": {"iso_code": "TW", "names": {"en": "Taiwan"}},
        "registered_country": {"iso_code": "US", "names": {"en": "United States"}},
    }
    assert reader.get("192.0.2.1") == {"continent": {"code": "EU", "names": {"en": "Europe"}}}
    metadata = reader.metadata()
    assert (metadata.database_type, metadata.ip_version, metadata.build_epoch) == ("joingate-City", 6, 1_700_000_000)


def test_the_smaller_network_wins_whatever_the_order(tmp_path: Path) -> None:
    reader = maxminddb.open_database(_build(tmp_path, "10.1.0.0/16,EU,FR,,\n10.0.0.0/8,EU,DE,,\n"))
    found = [reader.get(address) for address in ("10.0.0.1", "10.1.0.1", "10.2.0.1")]
    assert [record["country"]["iso_code"] for record in found if isinstance(record, dict)] == ["DE", "FR", "DE"]  # type: ignore[call-overload,index]  # a record may be anything


def test_kosovo_has_a_name_though_no_iso_code(tmp_path: Path) -> None:
    record = maxminddb.open_database(_build(tmp_path, "10.0.0.0/8,EU,XK,,")).get("10.0.0.1")
    assert isinstance(record, dict)
    assert record["country"] == {"iso_code": "XK", "names": {"en": "Kosovo"}}


def test_the_same_table_makes_the_same_bytes(tmp_path: Path) -> None:
    for name in "ab":
        build(TABLES / "demo.csv", tmp_path / name, build_epoch=1_700_000_000)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_rows_are_counted_and_comments_are_not(tmp_path: Path) -> None:
    (tmp_path / "t").write_text(f"# first\n\n{HEADER}# then\n10.0.0.0/8, EU, DE, ,\n")
    assert build(tmp_path / "t", tmp_path / "a.mmdb") == 1


def test_an_existing_file_is_replaced_at_once(tmp_path: Path) -> None:
    path = _build(tmp_path, "10.0.0.0/8,EU,DE,,")
    reader, inode = maxminddb.open_database(path), path.stat().st_ino
    _build(tmp_path, "10.0.0.0/8,EU,FR,,")
    assert path.stat().st_ino != inode
    assert reader.get("10.0.0.1") != maxminddb.open_database(path).get("10.0.0.1")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["a.mmdb", "table.csv"]


def test_a_bad_table_leaves_the_file_alone(tmp_path: Path) -> None:
    before = _build(tmp_path, "10.0.0.0/8,EU,DE,,").read_bytes()
    _problems(tmp_path, "10.0.0.0/8,EU,Germany,,")
    assert (tmp_path / "a.mmdb").read_bytes() == before


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("10.0.0.0/8,EU,DE,", f"4 columns; write 5: {HEADER.strip()}"),
        ("10.0.0.1/8,EU,DE,,", '"10.0.0.1/8" has bits set beyond its prefix; write "10.0.0.0/8", or "10.0.0.1" alone'),
        ("10.0.0.0/8,,DE,,", 'continent "" is none; write one of AF AN AS EU NA OC SA'),
        ("10.0.0.0/8,EU,UK,,", 'country: "UK" is not an ISO 3166 code; write "GB"'),
        ("10.0.0.0/8,AS,CN-HK,,", 'country: "CN-HK" has a country code of its own; write "HK"'),
        ("10.0.0.0/8,EU,EU,,", 'country: "EU" is no country; write an ISO 3166-1 alpha-2 code such as "DE"'),
        ("10.0.0.0/8,EU,DE,,uk", 'registered_country: "uk" is not an ISO 3166 code; write "GB"'),
        ("10.0.0.0/8,AS,CN,CN-TW,", 'subdivision: "CN-TW" has a country code of its own; write "TW"'),
        (
            "10.0.0.0/8,EU,UA,UA-99,",
            'subdivision: ISO 3166-2 has no "UA-99"; write one it has, or leave the column empty',
        ),
        ("10.0.0.0/8,EU,,UA-43,", 'subdivision: "UA-43" is not in ""; write "UA" as the country'),
        ("1.0.0.0/8,EU,DE,,\n# and\n1.0.0.0/8,EU,FR,,", '"1.0.0.0/8" is in the table already; keep one of the two'),
    ],
)
def test_bad_rows_by_line(tmp_path: Path, row: str, problem: str) -> None:
    assert _problems(tmp_path, row) == [f"{2 + row.count(chr(10))}: {problem}"]


def test_every_bad_row(tmp_path: Path) -> None:
    assert [problem[:2] for problem in _problems(tmp_path, "x\n10.0.0.0/8,EU,DE,,\ny\n")] == ["2:", "4:"]


@pytest.mark.parametrize(("header", "line"), [("", 1), ("network,country\n", 1), ("# a\n\nnetwork\n", 3)])
def test_no_header(tmp_path: Path, header: str, line: int) -> None:
    assert _problems(tmp_path, "", header) == [f'{line}: no header; write "{HEADER.strip()}" as the first line']


def test_no_rows(tmp_path: Path) -> None:
    assert _problems(tmp_path, "") == [' holds no networks; write rows such as "203.0.113.0/24,EU,DE,,"']


def test_no_table(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff")
    for name, why in (("none", "cannot be read (No such file or directory)"), ("binary", "not UTF-8 text")):
        with pytest.raises(RefusedInputError) as refusal:
            build(tmp_path / name, tmp_path / "a.mmdb")
        assert str(refusal.value) == f"{tmp_path}/{name}: {why}; name a source table"


def test_no_place_to_write_to(tmp_path: Path) -> None:
    with pytest.raises(RefusedInputError) as refusal:
        build(TABLES / "demo.csv", tmp_path / "none" / "a.mmdb")
    assert str(refusal.value) == (
        f"{tmp_path}/none/a.mmdb: cannot be written (No such file or directory); name another output"
    )


def test_nothing_is_left_where_writing_fails(tmp_path: Path) -> None:
    (tmp_path / "a.mmdb").mkdir()
    with pytest.raises(RefusedInputError, match="cannot be written"):
        build(TABLES / "demo.csv", tmp_path / "a.mmdb")
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.mmdb"]
