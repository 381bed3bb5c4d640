"""Does the ledger cost those who are admitted anything? CPU per admitted join, with the ledger and without, in one run.

    python -m bench.ledger_admissions [--rounds 21] [--seconds 1] [--rules 1000]

Both gates are joingate, on the same rules and database, and the rounds alternate; the one without a ledger
(`peers/no_ledger.py`) has its journal taken out. What is printed is the median of the ratios, taken round by round, and
the interval that holds it with 95 % confidence: the limit is met where the whole interval is below it.
"""

import argparse
import sys

from bench.record import Notebook
from bench.side_by_side import alternate, parser_of, quickly, run
from bench.stage import HERE, stage
from bench.wrk import load

LIMIT = 1.03


def main() -> int:
    """Measure; see `bench.side_by_side` for the exit status."""
    parser = parser_of(__doc__, rounds=21)
    parser.add_argument("--seconds", type=int, default=1)
    parser.add_argument("--rules", type=int, default=1000)
    return run(parser, _measure)


def _measure(chosen: argparse.Namespace, notebook: Notebook) -> None:
    quickly(chosen, rounds=1)
    with stage(chosen.rules) as prepared:
        gates = {
            "with a ledger": prepared.joingate("with a ledger"),
            "without": prepared.joingate("without", str(HERE / "peers/no_ledger.py")),
        }
        for gate in gates.values():
            load(gate, 1)  # warm up
        found = alternate(gates, chosen.rounds, lambda gate: load(gate, chosen.seconds).cpu_per_join)
    notebook.compare(
        *("ledger, admissions", "CPU for a join with the ledger", "us"),
        *(found["with a ledger"], found["without"]),
        peer_name="without a ledger",
        limit=LIMIT,
    )


if __name__ == "__main__":
    sys.exit(main())
