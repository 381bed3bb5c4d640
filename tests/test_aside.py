"""A reload keeps out of the way: what it sets is set back, whatever happens, and what it loads is out of sight."""

import gc
import sys

import pytest

from joingate.aside import INTERVAL, MANY, out_of_the_way


@pytest.mark.parametrize(("much", "is_frozen"), [(MANY + 1, True), (1000, False)])
def test_where_much_is_loaded_it_is_looked_through_by_no_collection(much: int, is_frozen: bool) -> None:
    gc.collect()
    before, frozen = sys.getswitchinterval(), gc.get_freeze_count()
    try:
        with out_of_the_way():
            assert sys.getswitchinterval() == pytest.approx(INTERVAL)
            assert not gc.isenabled()
            loaded = [[number] for number in range(much)]
        assert gc.isenabled()
        assert (gc.get_freeze_count() - frozen >= len(loaded)) is is_frozen
        assert sys.getswitchinterval() == pytest.approx(before)
    finally:
        gc.unfreeze()


def test_what_fails_is_no_different_but_nothing_is_kept() -> None:
    before, frozen = sys.getswitchinterval(), gc.get_freeze_count()
    with pytest.raises(RuntimeError), out_of_the_way():
        raise RuntimeError
    assert (gc.isenabled(), gc.get_freeze_count()) == (True, frozen)
    assert sys.getswitchinterval() == pytest.approx(before)
