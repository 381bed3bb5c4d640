"""joingate schema."""

import argparse

import orjson

from joingate.cli.options import Commands
from joingate.codecs.rulefile import rules_json_schema
from joingate.settings import settings_json_schema


def register(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_parser("schema", help="print the JSON Schema of rule files or of the configuration")
    parser.add_argument("of", choices=("rules", "config"))
    parser.set_defaults(run=_schema)


def _schema(chosen: argparse.Namespace) -> int:
    schema = rules_json_schema() if chosen.of == "rules" else settings_json_schema()
    print(orjson.dumps(schema, option=orjson.OPT_INDENT_2).decode())
    return 0
