"""Does the ledger cost those who are admitted anything? CPU per admitted join, with the ledger and without, in one run.

    python -m bench.ledger_admissions [--rounds 15] [--seconds 2] [--rules 1000]

Both gates are joingate, on the same rules and database; the one without a ledger (`peers/no_ledger.py`) has its journal
taken out. In a round both are loaded at once, on one processor: whatever slows the machine then slows both. They are
started anew for each round, because two processes of one program differ by some 2 % already, as long as they live. What
is printed is the median of the ratios, taken round by round, and the interval that holds it with 95 % confidence: the
limit is met where the whole interval is below it.
"""

import argparse
import sys
from concurrent.futures import ThreadPoolExecutor

from bench.record import Notebook
from bench.side_by_side import parser_of, quickly, run, say
from bench.stage import HERE, Stage, stage
from bench.wrk import Load, load

LIMIT = 1.03
WITH, WITHOUT = "with a ledger", "without"
COMMANDS: dict[str, tuple[str, ...]] = {WITH: (), WITHOUT: (str(HERE / "peers/no_ledger.py"),)}


def main() -> int:
    """Measure; see `bench.side_by_side` for the exit status."""
    parser = parser_of(__doc__, rounds=15)
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--rules", type=int, default=1000)
    return run(parser, _measure)


def _measure(chosen: argparse.Namespace, notebook: Notebook) -> None:
    quickly(chosen, rounds=1)
    found: dict[str, list[float]] = {WITH: [], WITHOUT: []}
    with stage(chosen.rules) as prepared:
        for number in range(chosen.rounds):
            say(f"round {number + 1} of {chosen.rounds}")
            with prepared.apart():
                for name, loaded in _both(prepared, chosen.seconds, reverse=number % 2 == 1).items():
                    found[name].append(loaded.cpu_per_join)
    notebook.compare(
        *("ledger, admissions", "CPU for a join with the ledger", "us"),
        *(found[WITH], found[WITHOUT]),
        peer_name="without a ledger",
        limit=LIMIT,
    )


def _both(prepared: Stage, seconds: int, *, reverse: bool) -> dict[str, Load]:
    """Start both gates, in this order or in the other, and load them at once."""
    names = (WITHOUT, WITH) if reverse else (WITH, WITHOUT)
    gates = [prepared.joingate(name, *COMMANDS[name]) for name in names]
    with ThreadPoolExecutor(len(gates)) as at_once:
        list(at_once.map(lambda gate: load(gate, 1), gates))  # warm up
        return dict(zip(names, at_once.map(lambda gate: load(gate, seconds), gates), strict=True))


if __name__ == "__main__":
    sys.exit(main())
