"""The report as one long table: a line for each number, after the columns that say what it is the number of.

    section,authority,territory,item,measure,value
    participants,cac,CN,,rejected,<10

RFC 4180, UTF-8. A text that a spreadsheet would run as a formula gets an apostrophe before it.
"""

import csv
from collections.abc import Iterator
from typing import Any, Final

from joingate.codecs.report_json import FORMAT, members_of
from joingate.core.report import Dated, OrderFacts, Report, Row

COLUMNS: Final = ("section", "authority", "territory", "item", "measure", "value")

# Full-width forms too: some spreadsheets read them as the plain ones.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")

_Line = tuple[str, str, str, str, str, Any]


class _Lines(list[str]):
    """What csv writes to."""

    write = list[str].append


def render_csv(report: Report) -> bytes:
    """Write the report."""
    table = _Lines()
    writer = csv.writer(table, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for line in _lines(report):
        writer.writerow([_cell(value) for value in line])
    return "".join(table).encode()


def _cell(value: Any) -> str:
    if isinstance(value, tuple):
        value = " ".join(map(str, value))
    text = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _lines(report: Report) -> Iterator[_Line]:
    yield from _about(report)
    yield from _members("exact", "", report.zeros)
    for row in report.rows:
        territory = " ".join(row.territory)
        yield "authority", row.authority, territory, "", "name", row.name
        yield "authority", row.authority, territory, "", "branch", row.branch
        yield from _row(row, "")
    yield from _row(report.total, "total")
    for share in report.shares:
        span = f"{share.bucket.first}/{share.bucket.last}"
        yield "over_time", "", "", span, "rejected", share.rejected
        yield "over_time", "", "", span, "ejected", share.ejected
    for demand in report.demands:
        yield "asked_and_granted", "", "", demand.what, "asked", demand.asked
        yield "asked_and_granted", "", "", demand.what, "granted", demand.granted
    for cause, shown in report.doubt:
        yield "doubt", "", "", cause, "admitted", shown
    yield "host_policies", "", "", "", "policies", report.host_policies.policies
    yield from _members("host_policies", "", report.host_policies.participants)
    for facts in report.orders:
        yield from _order(facts)
    for section, records in (
        ("disclosure", report.disclosures),
        ("correction", report.corrections),
        ("recovery", report.recoveries),
        ("revision", report.revisions),
        ("database", report.databases),
    ):
        for dated in records:
            yield from _dated(section, dated)


def _about(report: Report) -> Iterator[_Line]:
    checkpoint = report.checkpoint
    for measure, value in (
        ("format", FORMAT),
        ("origin", report.origin),
        ("from", report.first),
        ("to", report.last),
        ("first_hour", report.first_hour),
        ("last_hour", report.last_hour),
        ("ends_within_a_line", report.unfinished),
        ("checkpoint_size", None if checkpoint is None else checkpoint.size),
        ("checkpoint_root", None if checkpoint is None else checkpoint.root),
        ("hours", report.hours),
        ("hours_without_heartbeat", report.silent_hours),
    ):
        yield "report", "", "", "", measure, value
    for gap in report.gaps:
        yield "report", "", "", f"{gap.first}/{gap.last}", "hours_without_heartbeat", gap.hours


def _row(row: Row, item: str) -> Iterator[_Line]:
    territory = " ".join(row.territory)
    for section, counts in (("orders", row.orders), ("meetings", row.meetings), ("participants", row.participants)):
        for _, _, _, _, measure, value in _members(section, item, counts):
            yield section, row.authority, territory, item, measure, value


def _members(section: str, item: str, counts: Any) -> Iterator[_Line]:
    for name, value in members_of(counts).items():
        yield section, "", "", item, name, value


def _order(facts: OrderFacts) -> Iterator[_Line]:
    order = facts.order
    found = members_of(order) | {"accepted": facts.accepted, "changes": facts.changes, "standing": facts.standing}
    for name, value in found.items():
        if name not in ("rule", "authority", "territory"):
            yield "order", order.authority, " ".join(order.territory), order.rule, name, value


def _dated(section: str, dated: Dated[Any]) -> Iterator[_Line]:
    for name, value in ({"hour": dated.hour} | members_of(dated.record)).items():
        yield section, "", "", str(dated.seq), name, value
