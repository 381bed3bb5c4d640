"""Options that several commands share."""

import argparse
import os
from pathlib import Path
from typing import TypeAlias

from joingate.settings import Settings, load_settings

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001 - argparse names its type no other way


def add_config(parser: argparse.ArgumentParser) -> None:
    """Add --config."""
    parser.add_argument(
        "-c", "--config", type=Path, default=Path("joingate.toml"), metavar="FILE", help="default: joingate.toml"
    )


def add_ledger(parser: argparse.ArgumentParser) -> None:
    """Add --ledger, and --config for where it is not given."""
    parser.add_argument("--ledger", type=Path, metavar="FOLDER", help="default: that of the configuration")
    add_config(parser)


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add --json."""
    parser.add_argument("--json", action="store_true", help="print JSON for a machine to read")


def ledger_of(chosen: argparse.Namespace) -> Path:
    """Return the ledger's folder: that of --ledger, or the one that the configuration names.

    Raises:
        RefusedInputError: with every problem in the configuration.
    """
    given: Path | None = chosen.ledger
    return settings_of(chosen).ledger.path if given is None else given


def settings_of(chosen: argparse.Namespace) -> Settings:
    """Load the configuration that --config names.

    Raises:
        RefusedInputError: with every problem in it.
    """
    return load_settings(chosen.config, os.environ)
