"""What does a restriction's record cost? CPU of `History.append`: encoding, hashing, lock and write, in one run.

    python -m bench.ledger_append [--rounds 61] [--records 6400]

Batches of 1 (a join rejected) and of 64 (ejections after a reload) alternate with the least that any ledger would do:
write(2) of the same bytes and an fstat(2), which is what a Python program pays for one append before it does anything
else. The median of the rounds decides, and has to be below the target with 95 % confidence. Nothing is forced to the
disk here: a thread does that, a few times a second, however many records there are.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench.processes import PROXY_CPU
from bench.record import Notebook
from bench.side_by_side import parser_of, quickly, run
from joingate.codecs.ledger_line import encode
from joingate.core.record import Basis, Entry, Restriction, Restricts, Told
from joingate.ledger.history import History

TARGET = 20.0  # microseconds of CPU per restriction, appended one at a time
HOUR = "2026-11-21T04Z"
BATCHES = (1, 64)

RECORD = Restriction(
    *(Restricts.REJECT, Basis.ORDER, "authority-2020-0604-1", "0123456789abcdef", (1_750_000_000,), "CN", 1),
    *(Told.HTTP, "ab" * 32, "cd" * 32),
)


def main() -> int:
    """Measure; see `bench.side_by_side` for the exit status."""
    parser = parser_of(__doc__, rounds=61)
    parser.add_argument("--records", type=int, default=6400, help="in each round, of each kind")
    return run(parser, _measure)


def _measure(chosen: argparse.Namespace, notebook: Notebook) -> None:
    quickly(chosen, rounds=7)
    os.sched_setaffinity(0, {int(PROXY_CPU)})
    found: dict[tuple[str, int], list[float]] = {}
    for _ in range(chosen.rounds):
        with tempfile.TemporaryDirectory() as folder:
            history = History.open(Path(folder) / "ledger", HOUR)
            for size in BATCHES:
                count = chosen.records // size
                found.setdefault(("append", size), []).append(_append(history, count, size))
                found.setdefault(("bare write", size), []).append(_bare(Path(folder) / "bare", count, size))
                if captured := history.capture():
                    history.make_durable(captured)
            history.close()
    for size in BATCHES:
        notebook.compare(
            *(f"ledger, {size} at a time", "CPU for one restriction on record", "us"),
            *(found["append", size], found["bare write", size]),
            peer_name="write(2) and fstat(2)",
        )
    notebook.hold("ledger, restriction", "CPU for one restriction on record", "us", found["append", 1], limit=TARGET)


def _append(history: History, count: int, size: int) -> float:
    batch = [RECORD] * size
    return _cpu(lambda: history.append(batch, HOUR), count, size)


def _bare(path: Path, count: int, size: int) -> float:
    data = encode(Entry(1_000_000, HOUR, RECORD)) * size
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def append() -> None:
        os.write(fd, data)
        os.fstat(fd)

    try:
        return _cpu(append, count, size)
    finally:
        os.close(fd)


def _cpu(call: Callable[[], object], count: int, size: int) -> float:
    """Return the microseconds of CPU, the kernel's included, that `count` calls of `size` records took per record."""
    start = time.process_time()
    for _ in range(count):
        call()
    return (time.process_time() - start) / (count * size) * 1e6


if __name__ == "__main__":
    sys.exit(main())
