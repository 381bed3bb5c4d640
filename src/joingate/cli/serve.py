"""joingate serve."""

import argparse
import logging
import sys

from joingate.app import run
from joingate.cli.options import Commands, add_config, settings_of


def register(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_parser("serve", help="stand in front of the meeting server until SIGTERM")
    add_config(parser)
    parser.set_defaults(run=_serve)


def _serve(chosen: argparse.Namespace) -> int:
    # No time stamps: the journal adds its own, and lines that speak of restrictions carry no exact time (G8).
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="joingate: %(levelname)s: %(message)s")
    return run(settings_of(chosen))
