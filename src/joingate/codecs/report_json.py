"""The report as JSON, for machines. `format` changes when a member changes its meaning or goes; new ones may come.

A count is a number, or one of the texts that `marks` explains.
"""

from dataclasses import fields
from typing import Any, Final

import orjson

from joingate.core.report import Dated, OrderFacts, Report, Row
from joingate.core.suppression import Mask

FORMAT: Final = "joingate-report/1"

_MARKS = {
    Mask.FEW: "1 to 9",
    Mask.SOME: "10 or more: hidden, since a smaller number could be worked out from it",
    Mask.ANY: "1 or more: hidden likewise",
}


def render_json(report: Report) -> bytes:
    """Write the report, indented, with a line feed at the end."""
    return orjson.dumps(_members(report), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _members(report: Report) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "origin": report.origin,
        "period": {"from": report.first, "to": report.last},
        "ledger": {
            "first_hour": report.first_hour,
            "last_hour": report.last_hour,
            "ends_within_a_line": report.unfinished,
        },
        "marks": {mask.value: meaning for mask, meaning in _MARKS.items()},
        "exact": report.zeros,
        "rows": [_identity(row) | _numbers(row) for row in report.rows],
        "total": _numbers(report.total),
        "over_time": {
            "unit": report.unit,
            "spans": [
                {
                    "from": share.bucket.first,
                    "to": share.bucket.last,
                    "rejected": share.rejected,
                    "ejected": share.ejected,
                }
                for share in report.shares
            ],
        },
        "asked_and_granted": report.demands,
        "doubt": {cause.value: shown for cause, shown in report.doubt},
        "host_policies": report.host_policies,
        "orders": [_order(facts) for facts in report.orders],
        "disclosures": list(map(_dated, report.disclosures)),
        "corrections": list(map(_dated, report.corrections)),
        "heartbeats": {"hours": report.hours, "without": report.silent_hours, "gaps": report.gaps},
        "recoveries": list(map(_dated, report.recoveries)),
        "revisions": list(map(_dated, report.revisions)),
        "databases": list(map(_dated, report.databases)),
        "checkpoint": report.checkpoint,
    }


def _identity(row: Row) -> dict[str, Any]:
    return {"authority": row.authority, "name": row.name, "branch": row.branch, "territory": row.territory}


def _numbers(row: Row) -> dict[str, Any]:
    return {"orders": row.orders, "meetings": row.meetings, "participants": row.participants}


def _order(facts: OrderFacts) -> dict[str, Any]:
    order = members_of(facts.order)
    return order | {"accepted": facts.accepted, "changes": facts.changes, "standing": facts.standing}


def _dated(dated: Dated[Any]) -> dict[str, Any]:
    return {"seq": dated.seq, "hour": dated.hour} | members_of(dated.record)


def members_of(value: Any) -> dict[str, Any]:
    """Return the members of a record or of counts; a record's are named as in the ledger."""
    return {field.name: getattr(value, field.name) for field in fields(value)}
