"""Rules and databases that another process is handed are the same rules, and the same memory."""

import os
from pathlib import Path

import pytest

from joingate.core.client_address import parse_address
from joingate.core.model import Location
from joingate.core.rule_set import RuleSet
from joingate.core.rules import Action, HostPolicy
from joingate.geodb.atlas import Atlas
from joingate.geodb.load import load_atlas
from joingate.parcel import pack, unpack
from tests.core.made import order

NOW = 1_800_000_000.0


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.fixture
def atlas(demo_mmdb: Path, second_mmdb: Path, tmp_path: Path) -> Atlas:
    overrides = tmp_path / "overrides.toml"
    overrides.write_text('[networks]\n"192.0.2.0/24" = "FR"\n')
    return load_atlas([demo_mmdb, second_mmdb], 60, overrides)


def test_rules_arrive_as_they_were() -> None:
    rules = RuleSet(
        [order(), order("prefix", meetings=("all-*",)), HostPolicy("p", ("m",), Action.REJECT, deny=frozenset({"CN"}))],
        fold=str.lower,
    )
    before = open_descriptors()
    arrived = unpack(pack(rules), None)
    assert open_descriptors() == before
    assert isinstance(arrived, RuleSet)
    assert (arrived.revision, arrived.rules) == (rules.revision, rules.rules)
    for meeting in ("m", "all-hands", "other"):
        assert arrived.for_meeting(meeting) == rules.for_meeting(meeting)


def test_databases_are_the_same_memory(atlas: Atlas) -> None:
    packed = pack(atlas)
    assert [os.fstat(fd).st_ino for fd in packed[1:]] == [os.fstat(each.fd).st_ino for each in atlas.databases]
    arrived = unpack(packed, None)
    assert isinstance(arrived, Atlas)
    assert (arrived.build_epochs, arrived.max_age_days, arrived.stale_at) == (atlas.build_epochs, 60, atlas.stale_at)
    assert [each.digest for each in arrived.databases] == [each.digest for each in atlas.databases]
    for text in ("127.86.0.1", "127.85.2.1", "127.0.0.1", "2001:db8::1", "192.0.2.9"):
        address = parse_address(text)
        assert arrived.locate(address, NOW) == atlas.locate(address, NOW)
    assert arrived.locate(parse_address("192.0.2.9"), NOW) == Location("FR")


def test_what_is_in_use_already_stays_open(atlas: Atlas) -> None:
    atlas.databases[0].errors = 7
    arrived = unpack(pack(atlas), atlas)
    assert isinstance(arrived, Atlas)
    assert arrived is not atlas
    assert all(one is other for one, other in zip(arrived.databases, atlas.databases, strict=True))
    assert arrived.errors == 7


def test_a_database_that_is_let_go_leaves_no_descriptor(demo_mmdb: Path) -> None:
    before = open_descriptors()
    atlas = load_atlas([demo_mmdb], 0, None)
    assert open_descriptors() > before
    del atlas
    assert open_descriptors() == before
