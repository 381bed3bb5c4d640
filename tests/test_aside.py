"""What loads keeps out of the way: what it sets is set back, whatever happens, and what it loads is out of sight."""

import gc
import os
import subprocess
import sys
import threading

import pytest

from joingate.aside import INTERVAL, MANY, beside, out_of_the_way


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


async def test_what_loads_beside_the_event_loop_first_gives_its_processor_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    done: list[tuple[str, int]] = []
    monkeypatch.setattr(os, "sched_yield", lambda: done.append(("gave way", threading.get_ident())))

    def load() -> str:
        done.append(("loaded", threading.get_ident()))
        return "rules"

    assert await beside(load) == "rules"
    [(first, thread), (then, same)] = done
    assert (first, then, thread) == ("gave way", "loaded", same)
    assert thread != threading.get_ident()


_GROWING = """
import gc
from joingate.aside import look_at_everything_once
gc.collect()
looked = []
gc.callbacks.append(lambda phase, info: looked.append(len(gc.get_objects())) if phase == "start" else None)
look_at_everything_once()
kept = [[number] for number in range(200_000)]
print(max(looked), gc.get_freeze_count())
"""


def test_whatever_there_is_is_looked_through_only_once() -> None:
    told = subprocess.run([sys.executable, "-c", _GROWING], capture_output=True, text=True, check=True).stdout
    most, frozen = map(int, told.split())
    assert most < 50_000
    assert frozen > 150_000
