"""joingate bench."""

import argparse
import subprocess
import sys
from pathlib import Path

import joingate
from joingate.cli.options import Commands
from joingate.core.errors import RefusedInputError

REPOSITORY = Path(joingate.__file__).parents[2]


def register(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "bench", help="measure this gate beside nginx and HAProxy, from a clone of the repository"
    )
    parser.add_argument("--quick", action="store_true", help="under 2 minutes, to see that it works")
    parser.add_argument("--results", type=Path, help="folder for records, table, plots and page")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="of the files in bench/, such as cpu_per_join")
    parser.set_defaults(run=_bench)


def _bench(chosen: argparse.Namespace) -> int:
    if not (REPOSITORY / "bench/__main__.py").exists():
        raise RefusedInputError(
            "bench: the benchmarks and the peers' configurations are not installed with joingate; "
            "clone the repository, and run make bench there"
        )
    options = ["--quick"] if chosen.quick else []
    if chosen.results is not None:
        options += ["--results", str(chosen.results.absolute())]
    if chosen.only is not None:
        options += ["--only", *chosen.only]
    command = [sys.executable, "-m", "bench", *options]
    return subprocess.run(command, cwd=REPOSITORY, check=False).returncode  # noqa: S603 - our own module
