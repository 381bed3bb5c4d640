"""The report as Markdown with tables (GitHub Flavored Markdown), for repositories and terminals."""

import re
from collections.abc import Iterable, Iterator

from joingate.codecs.report_lists import listed_sections
from joingate.codecs.report_method import METHOD
from joingate.codecs.report_summary import summary
from joingate.codecs.report_tables import Label, Section, Table, counted_sections
from joingate.codecs.report_words import LEFT_OUT, SUBJECT, TITLE, spoken_span
from joingate.core.report import Report

# What could begin a mark, a tag, an entity, a formula or a cell within a line (CommonMark 2.4; "<10" begins nothing).
_SPECIAL = re.compile(r"[\\`*_\[\]|~$]|<(?![0-9])|&(?=[#A-Za-z])")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def render_markdown(report: Report) -> bytes:
    """Write the report."""
    return "\n".join(_lines(report)).encode()


def _lines(report: Report) -> Iterator[str]:
    yield f"# {TITLE}"
    yield ""
    yield f"{SUBJECT}, {spoken_span(report.first, report.last)} (UTC). Ledger: {_text(report.origin)}"
    yield ""
    yield _text(summary(report))
    yield ""
    for section in (*counted_sections(report), *listed_sections(report)):
        yield from _section(section)
    yield "## Method"
    yield ""
    for heading, paragraph in METHOD:
        yield f"**{_text(heading)}.** {_text(paragraph)}"
        yield ""


def _section(section: Section) -> Iterator[str]:
    yield f"## {_text(section.title)}"
    yield ""
    yield _text(section.lead)
    yield ""
    if section.table is not None:
        yield from _table(section.table)
        yield ""
    for note in section.notes:
        yield _text(note)
        yield ""


def _table(table: Table) -> Iterator[str]:
    yield _row(map(_text, table.columns))
    yield _row(["---", *(["---:" if table.numeric else "---"] * (len(table.columns) - 1))])
    for label, cells in table.rows:
        yield _row([_label(label), *map(_text, cells)])
    if table.total is not None:
        yield _row(["**Total**", *(f"**{_text(cell)}**" for cell in table.total)])
    if table.left_out:
        yield ""
        yield _text(LEFT_OUT.format(count=table.left_out))


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _label(label: Label) -> str:
    main = _text(label.main)
    if label.href:
        main = f"[{main}](<{label.href}>)"
    return f"{main}<br>{_text(label.sub)}" if label.sub else main


def _text(text: str) -> str:
    """Escape a text so that it shows as it is, on one line."""
    return _SPECIAL.sub(r"\\\g<0>", _CONTROLS.sub(" ", text))
