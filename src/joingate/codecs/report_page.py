"""The report as one HTML page: no script, nothing fetched, and a table of the same numbers beside each chart."""

import hashlib
from base64 import b64encode
from collections.abc import Callable, Iterable
from html import escape
from typing import Final

from joingate.codecs.page import text
from joingate.codecs.report_chart import MOST_BARS, PATTERNS, Bars, bars_chart, columns_chart, legend
from joingate.codecs.report_lists import listed_sections
from joingate.codecs.report_method import METHOD
from joingate.codecs.report_style import REPORT_STYLE
from joingate.codecs.report_summary import summary
from joingate.codecs.report_tables import Label, Section, Table, counted_sections, label_of, places
from joingate.codecs.report_words import (
    DEMANDS,
    LEFT_OUT,
    SUBJECT,
    TITLE,
    short_bucket,
    spoken_bucket,
    spoken_hour,
    spoken_span,
)
from joingate.core.report import Report

POLICY: Final = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; "
    f"style-src 'sha256-{b64encode(hashlib.sha256(REPORT_STYLE.encode()).digest()).decode()}'"
)
"""What the page allows itself, wherever it is opened from."""

# Columns of numbers; on a phone the rows of a table with more, or with more than one of texts, become cards.
_WIDE: Final = 4
_SHORT: Final = 2
_ACTIONS = ("Rejected", "Ejected")
_DEMANDED = ("Asked", "Granted")


def render_page(report: Report) -> bytes:
    """Write the report, UTF-8."""
    sections = [*counted_sections(report), *listed_sections(report)]
    span = spoken_span(report.first, report.last)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{escape(POLICY, quote=True)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{text(TITLE)}, {text(span)}</title>
<style>{REPORT_STYLE}</style>
</head>
<body>
<main>
<header>
<p class="kind">joingate</p>
<h1>{text(TITLE)}</h1>
<p class="subject">{text(SUBJECT)}</p>
<p class="period">{text(span)} (UTC). Ledger <code>{text(report.origin)}</code>, records from
{text(spoken_hour(report.first_hour))}, to {text(spoken_hour(report.last_hour))}.</p>
<p class="lead">{text(summary(report))}</p>
</header>
{_contents(sections)}
{PATTERNS}
{chr(10).join(_section(section, report) for section in sections)}
{_method()}
</main>
</body>
</html>
""".encode()


def _contents(sections: Iterable[Section]) -> str:
    links = [(section.id, section.title) for section in sections] + [("method", "Method")]
    items = "".join(f'<li><a href="#{id_}">{text(title)}</a></li>' for id_, title in links)
    return f'<nav aria-label="Contents"><ul>{items}</ul></nav>'


def _section(section: Section, report: Report) -> str:
    return f"""<section id="{section.id}" aria-labelledby="{section.id}-title">
<h2 id="{section.id}-title">{text(section.title)}</h2>
<p>{text(section.lead)}</p>
{_FORMS.get(section.id, _plain)(section, report)}
{chr(10).join(f'<p class="note">{text(note)}</p>' for note in section.notes)}
</section>"""


def _plain(section: Section, _: Report) -> str:
    return "" if section.table is None else _table(section.table)


def _figures(section: Section, report: Report) -> str:
    """Write the exact figures large; what must be zero and is not stands out."""
    zeros = report.zeros
    violated = (zeros.outside_territory, zeros.outside_time)
    items = []
    for at, (label, cells) in enumerate(section.table.rows if section.table else ()):
        alarm = ' class="alarm"' if at < len(violated) and violated[at] else ""
        items.append(f"<li{alarm}><strong>{text(cells[0])}</strong> {text(label.main)}</li>")
    return f'<ul class="figures">{"".join(items)}</ul>'


def _over_time(section: Section, report: Report) -> str:
    groups = [
        Bars(
            spoken_bucket(share.bucket, report.unit),
            short_bucket(share.bucket, report.unit),
            (share.rejected, share.ejected),
        )
        for share in report.shares
    ]
    chart = columns_chart("Participants restricted under orders over time", _ACTIONS, groups)
    return _figure("Participants restricted under orders, by action", chart, legend(_ACTIONS, groups), section.table)


def _asked(section: Section, report: Report) -> str:
    groups = [Bars(DEMANDS[each.what], "", (each.asked, each.granted)) for each in report.demands]
    chart = bars_chart(_DEMANDED, groups)
    return _figure("Orders by what they asked for", chart, legend(_DEMANDED, groups), section.table)


def _by_row(section: Section, report: Report) -> str:
    groups = []
    for row in report.rows:
        label = label_of(row)
        name = f"{label.main}: {places(row.territory, 2)}" if row.territory else label.main
        groups.append(Bars(name, "", (row.participants.rejected, row.participants.ejected)))
    chart = bars_chart(_ACTIONS, groups)
    more = len(groups) - MOST_BARS
    caption = "Participants rejected and ejected"
    if more > 0:
        caption += f"; the first {MOST_BARS} lines of the table, which has {more:,} more"
    return _figure(caption, chart, legend(_ACTIONS, groups), section.table, is_wide=True)


def _figure(caption: str, chart: str, explained: str, table: Table | None, *, is_wide: bool = False) -> str:
    numbers = "" if table is None else _table(table)
    return f"""<figure>
<div class="{"stack" if is_wide else "pair"}">
<div><figcaption>{text(caption)}</figcaption>{explained}{chart}</div>
<div>{numbers}</div>
</div>
</figure>"""


_FORMS: Final[dict[str, Callable[[Section, Report], str]]] = {
    "exact": _figures,
    "time": _over_time,
    "asked": _asked,
    "participants": _by_row,
}
"""How the sections that are more than a table are written."""


def _table(table: Table) -> str:
    columns = len(table.columns)
    width = "short" if columns == _SHORT else "wide" if columns > (_WIDE if table.numeric else _SHORT) else "middle"
    classes = f"{'numbers' if table.numeric else 'texts'} {width}"
    headings = "".join(f'<th scope="col">{text(name)}</th>' for name in table.columns)
    rows = "\n".join(_row(table, _label(label), cells) for label, cells in table.rows)
    total = "" if table.total is None else f"<tfoot>{_row(table, 'Total', table.total)}</tfoot>"
    more = f'<p class="note">{text(LEFT_OUT.format(count=table.left_out))}</p>' if table.left_out else ""
    head = f"<thead><tr>{headings}</tr></thead>" if any(table.columns) else ""
    return f"""<div class="scroll"><table class="{classes}">
<caption>{text(table.caption)}</caption>
{head}
<tbody>
{rows}
</tbody>
{total}
</table></div>{more}"""


def _row(table: Table, label: str, cells: Iterable[str]) -> str:
    written = "".join(
        f'<td data-label="{text(name)}"><span>{text(cell)}</span></td>'
        for name, cell in zip(table.columns[1:], cells, strict=True)
    )
    return f'<tr><th scope="row">{label}</th>{written}</tr>'


def _label(label: Label) -> str:
    main = f"<bdi>{text(label.main)}</bdi>"
    if label.href:
        main = f'<a href="{text(label.href)}" rel="noreferrer">{main}</a>'
    return f'{main}<span class="sub">{text(label.sub)}</span>' if label.sub else main


def _method() -> str:
    paragraphs = "\n".join(f"<div><h3>{text(heading)}</h3><p>{text(each)}</p></div>" for heading, each in METHOD)
    return f"""<section id="method" aria-labelledby="method-title">
<h2 id="method-title">Method</h2>
<div class="method">
{paragraphs}
</div>
</section>"""
