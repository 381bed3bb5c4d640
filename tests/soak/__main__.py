"""Soak a serving gate; print what was tried and what was lost. Exit status 1 if anything was lost."""

import argparse
import sys
from pathlib import Path

import uvloop

from tests.soak.process import Sample, write_series
from tests.soak.run import Options, about, soak

MOST_MINUTES = 24 * 60.0
SERIES = Path("soak-steady.json")


def main() -> int:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=_minutes, default=30.0, help="of load (30)")
    parser.add_argument("--seed", type=int, default=0, help="another seed draws another run (0)")
    parser.add_argument("--steady", action="store_true", help="constant load only: no changes, no faults")
    parser.add_argument("--report", type=_file, metavar="FILE", help="write the table there as well")
    parser.add_argument(
        "--series", type=_file, metavar="FILE.json", help=f"the gate's memory, with a plot ({SERIES} with --steady)"
    )
    given = parser.parse_args()
    series: Path | None = given.series or (SERIES if given.steady else None)
    options = Options(given.minutes, given.seed, given.steady)
    samples: list[Sample] = []
    account = uvloop.run(soak(options, samples))
    table = account.table(about(options))
    sys.stdout.write(table)
    if given.report is not None:
        given.report.write_text(table)
    if series is not None:
        write_series(samples, series)
    return 0 if account.is_whole else 1


def _file(text: str) -> Path:
    path = Path(text)
    if path.is_dir() or not path.parent.is_dir():
        raise argparse.ArgumentTypeError(f"{text} cannot be written; name a file in a folder that exists")
    return path


def _minutes(text: str) -> float:
    try:
        minutes = float(text)
    except ValueError:
        minutes = 0.0
    if not 0 < minutes <= MOST_MINUTES:
        raise argparse.ArgumentTypeError(f"{text} is no length of a run; write minutes, at most {MOST_MINUTES:.0f}")
    return minutes


if __name__ == "__main__":
    sys.exit(main())
