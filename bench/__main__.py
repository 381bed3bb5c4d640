"""Every benchmark there is, one after the other, and a page of what they found.

    python -m bench [--quick] [--results FOLDER] [--only MODULE ...]

Exit status 0 when every target is met, 1 when one is missed or not shown, 2 when something could not be measured: what
is missing is then said, and the others are measured nevertheless. A quick run ends with 0 or 2. The folder is emptied
of an earlier run's records.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.record import PLOTS, RESULTS, read_plots, read_results
from bench.render import render
from bench.side_by_side import NOT_MEASURED

MODULES = (
    *("cpu_per_join", "new_connections", "relay", "memory", "judging", "ejection", "reloading", "latency", "starting"),
    *("workers", "scaling", "phases", "ledger_append", "ledger_admissions"),
)


def main() -> int:
    """Run them; see the module for the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="under 2 minutes, to see that it works")
    parser.add_argument("--results", type=Path, help="folder for records, table, plots and page; default: a new one")
    parser.add_argument("--only", nargs="+", choices=MODULES, default=MODULES, metavar="MODULE")
    chosen = parser.parse_args()
    folder: Path = chosen.results or Path(tempfile.mkdtemp(prefix="joingate-bench-"))
    for name in (RESULTS, PLOTS):
        (folder / name).unlink(missing_ok=True)
    statuses = [_run(module, folder, quick=chosen.quick) for module in chosen.only]
    if results := read_results(folder):
        render(folder, results, read_plots(folder))
        print(f"{folder}/index.html")
    return max(statuses)


def _run(module: str, folder: Path, *, quick: bool) -> int:
    print(f"# {module}", flush=True)
    began = time.monotonic()
    command = [sys.executable, "-m", f"bench.{module}", "--results", str(folder), *(["--quick"] if quick else [])]
    status = subprocess.run(command, check=False).returncode
    print(f"  {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    return status if 0 <= status <= NOT_MEASURED else NOT_MEASURED


if __name__ == "__main__":
    sys.exit(main())
