"""joingate demo."""

import argparse
import sys

from joingate.cli.options import Commands


def register(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "demo", help="watch an order be loaded while people talk, and what it does and does not do"
    )
    parser.add_argument("--keep", action="store_true", help="leave it running, with a page to join from")
    parser.set_defaults(run=_demo)


def _demo(chosen: argparse.Namespace) -> int:
    from joingate.demo import run  # noqa: PLC0415 - the demo's server and clients are nobody else's start-up time

    return run(keep=chosen.keep, color=sys.stdout.isatty())
