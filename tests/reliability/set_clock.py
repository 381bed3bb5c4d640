"""Run the program with a wall clock that a file sets: how many seconds it is ahead.

    python -m tests.reliability.set_clock FILE python -m joingate serve ...

Only this process's `time.time`; monotonic time goes on as it does when a machine's clock is set.
"""

import sys
import time
from pathlib import Path

_file = Path(sys.argv[1])
_time = time.time


def _now() -> float:
    return _time() + float(_file.read_text())


if __name__ == "__main__":
    time.time = _now
    sys.argv = ["joingate", *sys.argv[5:]]  # without FILE python -m joingate
    from joingate.__main__ import main  # only now: whoever imports time.time has this one

    sys.exit(main())
