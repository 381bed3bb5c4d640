"""The command line: one file for each group of commands, each a `register(commands)` and the functions it names.

Exit status 0: done. 1: done, and the answer is no. 2: what was given cannot be used; a line for each problem says why.
"""

import argparse
import os
import sys
from collections.abc import Sequence

from joingate import __doc__ as summary
from joingate import __version__
from joingate.cli import bench, demo, geodb, ledger, offline, remote, report, schema, serve
from joingate.core.errors import JoingateError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    parser = argparse.ArgumentParser(prog="joingate", description=summary)
    parser.add_argument("--version", action="version", version=f"joingate {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for group in (serve, offline, remote, geodb, ledger, report, schema, demo, bench):
        group.register(commands)
    chosen = parser.parse_args(arguments)
    try:
        status = int(chosen.run(chosen))
        sys.stdout.flush()  # here, where a reader that has gone away can still be noticed
    except JoingateError as error:
        for line in str(error).splitlines():
            print(f"joingate: {line}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return status
