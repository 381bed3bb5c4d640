"""joingate geodb info, lookup, build."""

import argparse
import time
from pathlib import Path
from typing import Any

import orjson

from joingate.cli.options import Commands, add_config, add_json, settings_of
from joingate.core.client_address import parse_address
from joingate.core.errors import RefusedInputError
from joingate.geodb.load import describe
from joingate.loading import load_atlas_of


def register(commands: Commands) -> None:
    """Add the commands."""
    geodb = commands.add_parser("geodb", help="look into the databases that locate participants").add_subparsers(
        metavar="COMMAND", required=True
    )
    info = geodb.add_parser("info", help="vet databases exactly as a swap would; exit 2 if one would be refused")
    info.add_argument("file", nargs="?", type=Path, help="default: those of the configuration")
    info.set_defaults(run=_info)
    lookup = geodb.add_parser(
        "lookup", help="say where an address is, by the databases and overrides of the configuration"
    )
    lookup.add_argument("address")
    lookup.set_defaults(run=_lookup)
    for parser in (info, lookup):
        add_config(parser)
        add_json(parser)
    built = geodb.add_parser("build", help="build a database from a source table")
    built.add_argument("source", type=Path)
    built.add_argument("output", type=Path)
    built.set_defaults(run=_build)


def _info(chosen: argparse.Namespace) -> int:
    paths = [chosen.file] if chosen.file is not None else list(settings_of(chosen).geodb.paths)
    problems: list[str] = []
    good: list[dict[str, Any]] = []
    for path in paths:
        try:
            good.append(describe(path))
        except RefusedInputError as error:
            problems += error.problems
    if chosen.json:
        print(orjson.dumps(good, option=orjson.OPT_INDENT_2).decode())
    else:
        _print_good(good)
    if problems:
        raise RefusedInputError(problems)
    return 0


def _print_good(databases: list[dict[str, Any]]) -> None:
    for each in databases:
        built = time.strftime("%Y-%m-%d", time.gmtime(each["build_epoch"]))
        print(f"{each['path']}: good")
        print(f"  {each['database_type']}, IPv{each['ip_version']}, built {built} (build_epoch {each['build_epoch']})")
        print(f"  {each['networks']} networks, {len(each['countries'])} countries")


def _lookup(chosen: argparse.Namespace) -> int:
    address = parse_address(chosen.address)
    if address is None:
        raise RefusedInputError(f'"{chosen.address}" is not an IPv4 or IPv6 address; write e.g. 203.0.113.7')
    atlas = load_atlas_of(settings_of(chosen))
    location = atlas.locate(address, time.time())
    if chosen.json:
        found = {"country": location.country, "subdivision": location.subdivision, "cause": location.cause}
        print(orjson.dumps(found).decode())
    else:
        print(location)
    return 0


def _build(chosen: argparse.Namespace) -> int:
    from joingate.geodb.build import build  # noqa: PLC0415 - the writer is nobody else's start-up time

    networks = build(chosen.source, chosen.output)
    print(f"{chosen.output}: {networks} networks")
    return 0
