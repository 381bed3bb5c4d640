"""Files come and go under an atlas; what is loaded is whole or refused, and what is in use stays as it was."""

import os
import shutil
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path

import pytest

from joingate.core.errors import RefusedInputError
from joingate.core.model import Location
from joingate.geodb import database
from joingate.geodb.atlas import Atlas
from joingate.geodb.build import build
from joingate.geodb.load import describe, fingerprint, load_atlas
from tests.conftest import TABLES

CN = ip_address("127.86.0.1")
NOW = 1_800_000_000.0


@pytest.fixture
def path(tmp_path: Path, demo_mmdb: Path) -> Path:
    return Path(shutil.copy(demo_mmdb, tmp_path / "demo.mmdb"))


def _refusal(path: Path, previous: Atlas | None = None) -> str:
    with pytest.raises(RefusedInputError) as refusal:
        load_atlas([path], 0, None, previous)
    return str(refusal.value)


def _truncate(path: Path) -> None:
    os.truncate(path, 0)


def _cut(path: Path) -> None:
    os.truncate(path, 4096)


def _overwrite(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"\xff" * path.stat().st_size)


def _replace(path: Path) -> None:
    (path.parent / "new").write_bytes(b"not a database")
    (path.parent / "new").replace(path)


@pytest.mark.parametrize("harm", [_truncate, _cut, _overwrite, _replace, Path.unlink])
def test_nothing_that_befalls_the_file_reaches_the_atlas(path: Path, harm: Callable[[Path], None]) -> None:
    atlas = load_atlas([path], 0, None)
    everywhere = [ip_address(f"{first}.{second}.2.1") for first in (10, 127) for second in range(256)]
    before = [atlas.locate(address, NOW) for address in everywhere]
    harm(path)
    assert [atlas.locate(address, NOW) for address in everywhere] == before
    assert atlas.locate(CN, NOW) == Location("CN")
    assert atlas.errors == 0
    assert _refusal(path, atlas).startswith(f"{path}: ")
    assert atlas.locate(CN, NOW) == Location("CN")


def test_an_unchanged_file_is_not_vetted_again(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    atlas = load_atlas([path], 0, None)

    def never(*_: object) -> None:
        pytest.fail("vetted again")

    monkeypatch.setattr(database, "vet", never)
    path.touch()
    again = load_atlas([path], 30, None, atlas)
    assert again.databases[0] is atlas.databases[0]
    assert again.max_age_days == 30


def test_where_nothing_has_changed_what_is_in_use_stays(path: Path, tmp_path: Path) -> None:
    atlas = load_atlas([path], 0, None)
    path.touch()
    assert load_atlas([path], 0, None, atlas) is atlas
    overrides = tmp_path / "overrides.toml"
    overrides.write_text("[networks]\n")
    placed = load_atlas([path], 0, overrides, atlas)
    assert load_atlas([path], 0, overrides, placed) is placed
    overrides.write_text('[networks]\n"127.86.0.0/16" = "DE"\n')
    moved = load_atlas([path], 0, overrides, placed)
    assert moved is not placed
    assert moved.locate(CN, NOW).country == "DE"


def _build(path: Path, build_epoch: int, table: str = "demo") -> None:
    build(TABLES / f"{table}.csv", path, build_epoch=build_epoch)


def test_a_newer_one_takes_its_place(path: Path) -> None:
    _build(path, 1_700_000_000)
    first = load_atlas([path], 0, None)
    _build(path, 1_700_000_001, "second")
    assert first.locate(ip_address("127.65.0.1"), NOW) == Location("SG")
    second = load_atlas([path], 0, None, first)
    assert second.locate(ip_address("127.65.0.1"), NOW) == Location("MY")
    assert second.build_epochs == (1_700_000_001,)


def test_an_older_one_does_not(path: Path) -> None:
    _build(path, 1_700_000_001)
    atlas = load_atlas([path], 0, None)
    _build(path, 1_700_000_000)
    assert _refusal(path, atlas) == (
        f"{path}: older (build_epoch 1700000000) than the one in use (1700000001); "
        "put a newer one in its place, or restart to go back on purpose"
    )
    assert load_atlas([path], 0, None).build_epochs == (1_700_000_000,)


def test_one_of_the_same_time_does(path: Path) -> None:
    _build(path, 1_700_000_000)
    atlas = load_atlas([path], 0, None)
    _build(path, 1_700_000_000, "second")
    assert load_atlas([path], 0, None, atlas).databases[0].digest != atlas.databases[0].digest


def test_a_path_that_is_new_has_nothing_to_be_older_than(path: Path, second_mmdb: Path) -> None:
    atlas = load_atlas([second_mmdb], 0, None)
    _build(path, 1_000_000_000)
    assert load_atlas([path], 0, None, atlas).build_epochs == (1_000_000_000,)


def test_two_databases_in_their_order(path: Path, second_mmdb: Path) -> None:
    atlas = load_atlas([second_mmdb, path], 0, None)
    assert [database.path for database in atlas.databases] == [second_mmdb, path]
    assert atlas.locate(CN, NOW) == Location("CN", sources=2)


def test_the_same_database_twice(path: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copy(path, tmp_path / "copy.mmdb"))
    with pytest.raises(RefusedInputError) as refusal:
        load_atlas([path, copy], 0, None)
    assert str(refusal.value) == f"{copy}: the same database as {path}; list it once in [geodb] paths"


def test_every_problem_of_every_file(path: Path, tmp_path: Path) -> None:
    missing = tmp_path / "none.mmdb"
    (tmp_path / "empty.mmdb").touch()
    (tmp_path / "overrides.toml").write_text("[network]\n")
    with pytest.raises(RefusedInputError) as refusal:
        load_atlas([missing, path, tmp_path / "empty.mmdb"], 0, tmp_path / "overrides.toml")
    assert refusal.value.problems == (
        f"{missing}: cannot be read (No such file or directory); correct [geodb] paths, or put a database there",
        f"{tmp_path}/empty.mmdb: is empty; put a complete database in its place",
        f"{tmp_path}/overrides.toml: network: unknown key; the only table is [networks]",
    )


def test_overrides_are_read_again(path: Path, tmp_path: Path) -> None:
    overrides = tmp_path / "overrides.toml"
    overrides.write_text('[networks]\n"127.86.0.1/32" = "DE"\n')
    atlas = load_atlas([path], 0, overrides)
    assert atlas.locate(CN, NOW) == Location("DE")
    overrides.write_text("")
    assert load_atlas([path], 0, overrides, atlas).locate(CN, NOW) == Location("CN")


def test_what_has_not_changed_is_left_as_it_is(path: Path, tmp_path: Path, second_mmdb: Path) -> None:
    overrides = tmp_path / "overrides.toml"
    overrides.write_text('[networks]\n"127.86.0.1/32" = "DE"\n')
    atlas = load_atlas([path], 0, overrides)
    overrides.write_text('[networks]\n"127.86.0.1/32" = "DE"  # as before\n')
    assert load_atlas([path], 0, overrides, atlas) is atlas
    assert load_atlas([path], 30, overrides, atlas) is not atlas
    assert load_atlas([path, second_mmdb], 0, overrides, atlas) is not atlas
    assert load_atlas([path], 0, None, atlas) is not atlas
    overrides.write_text('[networks]\n"127.86.0.1/32" = "FR"\n')
    assert load_atlas([path], 0, overrides, atlas) is not atlas


def test_a_fingerprint_tells_what_happened_to_files(path: Path, tmp_path: Path) -> None:
    paths = [path, tmp_path / "none"]
    seen = [fingerprint(paths)]
    assert seen[0][1] is None
    assert fingerprint(paths) == seen[0]
    shutil.copy(path, tmp_path / "new")
    (tmp_path / "new").replace(path)
    seen.append(fingerprint(paths))
    os.truncate(path, 10)
    seen.append(fingerprint(paths))
    os.utime(path, ns=(1, 1))
    seen.append(fingerprint(paths))
    (tmp_path / "none").touch()
    seen.append(fingerprint(paths))
    path.unlink()
    seen.append(fingerprint(paths))
    assert len(set(seen)) == 6


def test_what_info_shows(path: Path) -> None:
    _build(path, 1_700_000_000, "second")
    shown = describe(path)
    assert list(shown) == [
        "path",
        "digest",
        "database_type",
        "ip_version",
        "build_epoch",
        "node_count",
        "networks",
        "countries",
        "subdivisions",
    ]
    assert (shown["path"], shown["database_type"], shown["build_epoch"]) == (
        str(path),
        "joingate-Country",
        1_700_000_000,
    )
    assert shown["subdivisions"] == []


def test_info_refuses_what_a_swap_would(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    with pytest.raises(RefusedInputError, match="cannot be opened as an MMDB file"):
        describe(tmp_path / "a")
