import pytest

from joingate.core.reach import Reach, ReachInUse

CN, HK_US = frozenset(("CN",)), frozenset(("HK", "US"))
BY_MEETING = {"m": CN, "n": HK_US, "": CN}
BY_PREFIX = {"al": HK_US, "all-": CN, "all-hands-": CN}


@pytest.mark.parametrize(
    ("meeting", "country", "everywhere", "answer"),
    [
        ("m", "CN", None, True),
        ("m", "HK", None, False),
        ("n", "US", None, True),
        ("", "CN", None, True),
        ("", "HK", None, False),
        ("other", "CN", None, None),
        ("a", "CN", None, None),
        ("al", "CN", None, False),
        ("al", "HK", None, True),
        ("all-", "CN", None, True),
        ("all-", "HK", None, True),
        ("all-hands-1", "CN", None, True),
        ("all-hands-1", "DE", None, False),
        ("m", "DE", CN, False),
        ("other", "CN", CN, True),
        ("other", "DE", CN, False),
        ("m", "HK", HK_US, True),
        ("al", "CN", CN, True),
    ],
)
def test_may_mean(meeting: str, country: str, everywhere: frozenset[str] | None, answer: bool | None) -> None:
    for kind in (Reach, ReachInUse):  # which are one where it is not compiled
        assert kind(BY_MEETING, BY_PREFIX, (2, 4, 10), everywhere).may_mean(meeting, country) is answer


def test_all_that_is_held_can_be_let_go() -> None:
    assert Reach(BY_MEETING, BY_PREFIX, (2, 4, 10), CN).indexes == (BY_MEETING, BY_PREFIX)
