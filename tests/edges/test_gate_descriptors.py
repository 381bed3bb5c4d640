"""The gate takes no more connections than it has file descriptors for, and says so."""

import resource
from collections.abc import Iterator

import pytest

from joingate.gate.descriptors import OF_ITS_OWN, connections_possible, shortage
from joingate.gate.options import turned_away_at_most

LIMITS: dict[str, tuple[int, int]] = {}


@pytest.fixture
def limit(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, tuple[int, int]]]:
    """Stand in for the kernel's limit, which the tests' own process could not raise again."""
    LIMITS.clear()
    LIMITS["files"] = (1024, 1024)
    monkeypatch.setattr(resource, "getrlimit", lambda _: LIMITS["files"])
    monkeypatch.setattr(resource, "setrlimit", lambda _, both: LIMITS.update(files=both))
    return iter([LIMITS])


@pytest.mark.usefixtures("limit")
def test_the_limit_is_raised_as_far_as_it_is_needed() -> None:
    LIMITS["files"] = (1024, 524_288)
    assert connections_possible(20_000, 64) == 20_000
    assert LIMITS["files"] == (2 * 20_000 + 512 + 64 + OF_ITS_OWN, 524_288)


@pytest.mark.usefixtures("limit")
def test_nothing_is_done_where_there_are_enough() -> None:
    for enough in (65_536, resource.RLIM_INFINITY):
        LIMITS["files"] = (enough, resource.RLIM_INFINITY)
        assert connections_possible(20_000, 64) == 20_000
        assert LIMITS["files"][0] == enough


@pytest.mark.usefixtures("limit")
@pytest.mark.parametrize("hard", [64, 128, 256, 1024, 4096, 8192, 9216, 40_000])
def test_where_there_are_not_the_gate_takes_as_many_as_it_can(hard: int) -> None:
    LIMITS["files"] = (64, hard)
    possible = connections_possible(20_000, 64)
    needs = [2 * count + turned_away_at_most(count) + 64 + OF_ITS_OWN for count in (possible, possible + 2)]
    assert needs[0] <= hard < needs[1] or (possible == 1 and hard < needs[1])
    assert shortage(20_000, possible, 64) == (
        "gate.max_connections: 20000 need 40624 file descriptors, and there are fewer; "
        f"at most {possible} are taken; raise the limit (LimitNOFILE, ulimit -n), or lower gate.max_connections"
    )


@pytest.mark.usefixtures("limit")
def test_a_sandbox_that_forbids_it_is_lived_with(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbid(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(resource, "setrlimit", forbid)
    LIMITS["files"] = (1024, 65_536)
    assert connections_possible(20_000, 64) == (1024 - 64 - OF_ITS_OWN - 1) * 8 // 17
