"""B2: what does a join cost that brings a connection of its own? CPU per admitted join, beside nginx + geoip2.

    python -m bench.new_connections [--rounds 9] [--seconds 3] [--rules 100000]

As `bench.cpu_per_join`, but every request says `Connection: close`. The proxies still keep theirs to the meeting
server.
"""

import argparse
import sys

from bench.cpu_per_join import join_options, measure_joins, report_joins
from bench.record import Notebook
from bench.side_by_side import run

LIMIT = 1.1


def main() -> int:
    """Measure; see `bench.side_by_side` for the exit status."""
    return run(join_options(__doc__), _measure)


def _measure(chosen: argparse.Namespace, notebook: Notebook) -> None:
    rounds = measure_joins(chosen, new_connections=True)
    report_joins(notebook, "B2", "a join, a new connection each", rounds, LIMIT)


if __name__ == "__main__":
    sys.exit(main())
