"""The compiled Reach against the pure one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joingate.core.reach import Reach, ReachInUse

pytest.importorskip("joingate.core._reach", reason="not compiled: make native")

from joingate.core._reach import Reach as Compiled

CN = frozenset(("CN",))


def test_what_is_compiled_takes_its_place() -> None:
    assert ReachInUse is Compiled


meetings = st.text("ab-\N{SNOWMAN}", max_size=3)
countries = st.sampled_from(("CN", "HK", "US"))
indexes = st.dictionaries(meetings, st.frozensets(countries), max_size=40)


@given(
    by_meeting=indexes, by_prefix=indexes, everywhere=st.none() | st.frozensets(countries), asked=meetings, at=countries
)
def test_compiled_and_pure_say_the_same(
    by_meeting: dict[str, frozenset[str]],
    by_prefix: dict[str, frozenset[str]],
    everywhere: frozenset[str] | None,
    asked: str,
    at: str,
) -> None:
    lengths = tuple(sorted({len(prefix) for prefix in by_prefix}))
    compiled = Compiled(by_meeting, by_prefix, lengths, everywhere)
    assert compiled.may_mean(asked, at) is Reach(by_meeting, by_prefix, lengths, everywhere).may_mean(asked, at)


@pytest.mark.parametrize(
    "arguments",
    [
        ({b"m": CN}, {}, (), None),
        ({"m": {"CN"}}, {}, (), None),
        ({}, {"m": None}, (1,), None),
        ([], {}, (), None),
        ({}, {}, None, None),
        ({}, {}, ("1",), None),
        ({}, {}, (), {"CN"}),
    ],
)
def test_the_compiled_one_takes_nothing_else(arguments: tuple[object, ...]) -> None:
    with pytest.raises(TypeError):
        Compiled(*arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize("arguments", [(), ("m",), ("m", None), (b"m", "CN"), ("m", "CN", 1)])
def test_the_compiled_one_is_asked_nothing_else(arguments: tuple[object, ...]) -> None:
    with pytest.raises(TypeError):
        Compiled({}, {}, (), None).may_mean(*arguments)  # type: ignore[arg-type]
