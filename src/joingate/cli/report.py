"""joingate report."""

import argparse
import re
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Final

from joingate.cli.options import Commands, add_ledger, ledger_of
from joingate.cli.progress import ProgressBar
from joingate.codecs.quoted import quoted
from joingate.codecs.report_csv import render_csv
from joingate.codecs.report_json import render_json
from joingate.codecs.report_markdown import render_markdown
from joingate.codecs.report_page import render_page
from joingate.core.errors import RefusedInputError
from joingate.core.report import Report
from joingate.core.report_period import Period
from joingate.ledger.report import DamagedLedgerError, read_report

_FORMS: Final[dict[str, Callable[[Report], bytes]]] = {
    "html": render_page,
    "json": render_json,
    "csv": render_csv,
    "md": render_markdown,
}
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def register(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_parser("report", help="write the transparency report, worked out again from the ledger alone")
    parser.add_argument(
        "--from", dest="first", metavar="DAY", help="UTC, such as 2026-01-01; default: the ledger's first"
    )
    parser.add_argument("--to", dest="last", metavar="DAY", help="the last day, included; default: the ledger's last")
    parser.add_argument("--format", choices=_FORMS, default="md", help="default: md")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="default: standard output")
    add_ledger(parser)
    parser.set_defaults(run=_report)


def _report(chosen: argparse.Namespace) -> int:
    period = Period(_day("--from", chosen.first), _day("--to", chosen.last))
    if period.first is not None and period.last is not None and period.last < period.first:
        raise RefusedInputError(f"--to: {period.last} is before --from, {period.first}; write the later day there")
    try:
        with ProgressBar() as bar:
            report = read_report(ledger_of(chosen), period, bar)
    except DamagedLedgerError as error:
        print(f"joingate: {error}", file=sys.stderr)
        return 1
    _write(_FORMS[chosen.format](report), chosen.output)
    return 0


def _day(option: str, written: str | None) -> str | None:
    if written is None:
        return None
    try:
        if _DAY.fullmatch(written) is not None:
            return date.fromisoformat(written).isoformat()
    except ValueError:
        pass
    raise RefusedInputError(f"{option}: {quoted(written)} is not a day; write e.g. 2026-01-31")


def _write(content: bytes, output: Path | None) -> None:
    if output is None:
        sys.stdout.buffer.write(content)
        return
    try:
        output.write_bytes(content)
    except OSError as error:
        raise RefusedInputError(f"{output}: cannot be written ({error.strerror}); name another file") from None
