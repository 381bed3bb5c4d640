"""What the report lists rather than counts: orders, disclosures, corrections, how the gate ran, the checkpoint."""

from typing import Final

from joingate.codecs.report_tables import Label, Section, Table, number, places
from joingate.codecs.report_words import DEMANDS, STANDINGS, spoken_day, spoken_epoch, spoken_hour
from joingate.core.record import Database, Mistake, Subject
from joingate.core.report import Dated, OrderFacts, Report
from joingate.core.territory import outside

MOST_LISTED: Final = 100
"""Rows of one list in a form for people."""

_SUBJECTS = {
    Subject.PARTICIPANTS: "participants",
    Subject.MEETING: "a meeting",
    Subject.ACCOUNT: "an account",
    Subject.OTHER: "something else",
}
_MISTAKES = {
    Mistake.ORDER: "the order should not have been accepted, or not as it was",
    Mistake.LOCATION: "a database or an override was wrong",
    Mistake.CLERICAL: "a clerical mistake",
}

_Rows = list[tuple[Label, tuple[str, ...]]]


def listed_sections(report: Report) -> list[Section]:
    """Return what is listed."""
    return [
        _disclosures(report),
        _corrections(report),
        _orders(report),
        _running(report),
        _databases(report),
        _revisions(report),
        _checkpoint(report),
    ]


def _list(caption: str, columns: tuple[str, ...], rows: _Rows) -> Table:
    return Table(caption, columns, tuple(rows[:MOST_LISTED]), numeric=False, left_out=max(0, len(rows) - MOST_LISTED))


def _disclosures(report: Report) -> Section:
    title = "Disclosures"
    if not report.disclosures:
        return Section("disclosures", title, "Nothing was handed over to any authority in this period.")
    rows: _Rows = []
    for each in report.disclosures:
        found = each.record
        rows.append(
            (
                Label(spoken_hour(each.hour), f"record {each.seq}"),
                (found.authority, _SUBJECTS[found.subject], number(found.people), found.legal_basis, found.reference),
            )
        )
    columns = ("Recorded", "Authority", "About", "People", "Legal basis", "Reference")
    return Section("disclosures", title, "What was handed over to authorities.", _list("Disclosures", columns, rows))


def _corrections(report: Report) -> Section:
    title = "Corrections"
    if not report.corrections:
        return Section("corrections", title, "No record of this period was corrected.")
    rows: _Rows = [
        (
            Label(spoken_hour(each.hour), f"record {each.seq}"),
            (str(each.record.corrects), _MISTAKES[each.record.mistake], each.record.explanation),
        )
        for each in report.corrections
    ]
    lead = (
        "A record is never changed. A correction is a record of its own, and the counts above are those of the records."
    )
    return Section(
        "corrections",
        title,
        lead,
        _list("Corrections", ("Recorded", "Corrects record", "Why", "Explanation"), rows),
    )


def _orders(report: Report) -> Section:
    title = "The orders"
    if not report.orders:
        return Section("list", title, "There were none.")
    columns = ("Order", "Authority and territory", "From", "Until", "Granted", "Asked for beyond that", "Standing")
    return Section(
        "list",
        title,
        "Orders received or in force in this period, as they were accepted last, in the order in which they came.",
        _list("Orders received or in force", columns, [_order(facts) for facts in report.orders]),
    )


def _order(facts: OrderFacts) -> tuple[Label, tuple[str, ...]]:
    order = facts.order
    url = order.notice_url or ""
    standing = STANDINGS[facts.standing] + (", in shadow" if order.shadow else "")
    changed = f", changed {_times(facts.changes)}" if facts.changes else ""
    asked = [DEMANDS[what] for what in order.asked_objects]
    if wider := outside(frozenset(order.asked_territory), frozenset(order.territory)):
        asked.append(f"in {places(sorted(wider))}")
    return (
        Label(
            order.rule,
            f"{order.legal_basis}; {order.reference}; received {spoken_day(order.received)}",
            url if url.startswith(("https://", "http://")) else "",
        ),
        (
            f"{order.authority_name}; {places(order.territory)}",
            _moment(order.opens),
            _moment(order.closes),
            f"{order.action}; {_named(facts)}",
            "; ".join(asked) or "nothing",
            standing + changed,
        ),
    )


def _named(facts: OrderFacts) -> str:
    order = facts.order
    named = [f"{order.named:,} by id"] if order.named else []
    named += [f"{order.prefixes:,} by prefix"] if order.prefixes else []
    return "every meeting" if order.service_wide else f"meetings: {', '.join(named) or 'none'}"


def _moment(moment: str) -> str:
    """Write "2026-09-03T16:00:00Z" as "3 September 2026, 16:00"; seconds, and midnight's hour, only where needed."""
    clock = moment[11:19].removesuffix(":00")
    return spoken_day(moment[:10]) if clock == "00:00" else f"{spoken_day(moment[:10])}, {clock}"


def _running(report: Report) -> Section:
    rows: _Rows = [(Label(spoken_hour(gap.first)), (spoken_hour(gap.last), number(gap.hours))) for gap in report.gaps]
    silent = f"Of {report.hours:,} hours, {report.silent_hours:,} were without a heartbeat."
    torn = report.recoveries
    mended = (
        " No unfinished end of a file was found."
        if not torn
        else f" An unfinished end of a file, as a loss of power leaves it, was set aside {_times(len(torn))}, last on "
        f"{spoken_hour(torn[-1].hour)}."
    )
    table = _list("Hours without a heartbeat", ("From", "To", "Hours"), rows) if rows else None
    return Section("running", "Running", silent + mended, table)


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count:,} times"


def _databases(report: Report) -> Section:
    rows: _Rows = [(Label(spoken_hour(each.hour), f"record {each.seq}"), _database(each)) for each in report.databases]
    table = _list(
        "Databases that located participants", ("Since", "Built", "Type", "Digest", "Overrides", "Oldest allowed"), rows
    )
    return Section(
        "databases",
        "Databases",
        "What participants were located by: those in use at the beginning, and every change."
        if rows
        else "None was in use.",
        table if rows else None,
    )


def _database(dated: Dated[Database]) -> tuple[str, ...]:
    found = dated.record
    return (
        ", ".join(map(spoken_epoch, found.epochs)),
        ", ".join(found.types),
        ", ".join(found.digests),
        number(found.overrides),
        f"{found.max_age_days:,} days" if found.max_age_days else "any",
    )


def _revisions(report: Report) -> Section:
    rows: _Rows = [
        (
            Label(spoken_hour(each.hour)),
            (
                f"{each.seq:,}",
                each.record.revision,
                number(each.record.orders),
                number(each.record.host_policies),
            ),
        )
        for each in report.revisions
    ]
    table = _list("Revisions of the rules", ("Since", "Record", "Revision", "Orders", "Host policies"), rows)
    return Section(
        "revisions",
        "Revisions of the rules",
        "What participants were judged by: the revision in use at the beginning, and every change."
        if rows
        else "None was in use.",
        table if rows else None,
    )


def _checkpoint(report: Report) -> Section:
    signed = report.checkpoint
    rows: _Rows = [
        (Label("Ledger"), (report.origin,)),
        (Label("First record"), (spoken_hour(report.first_hour),)),
        (Label("Last record"), (spoken_hour(report.last_hour),)),
    ]
    if signed is not None:
        rows += [(Label("Checkpoint covers"), (f"{signed.size:,} records",)), (Label("Root"), (signed.root,))]
    notes = ("The last line of the ledger is unfinished, and is not counted.",) if report.unfinished else ()
    lead = (
        "No checkpoint is signed yet."
        if signed is None
        else "The newest signed checkpoint. The records that this report was made from have this root; whoever holds a "
        "copy of the same checkpoint knows that they have not been changed since."
    )
    return Section("checkpoint", "The ledger", lead, _list("Checkpoint", ("", ""), rows), notes)
