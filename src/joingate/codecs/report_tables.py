"""The report as sections of tables, for people: the same in HTML and in Markdown, which differ in their marks only."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from joingate.codecs.negotiation import Language
from joingate.codecs.report_summary import NO_ORDERS
from joingate.codecs.report_words import CAUSES, DEMANDS, MASK_NOTE, NO_ORDER, UNITS, VOCABULARY_NOTE, spoken_bucket
from joingate.codecs.territory_names import place_name
from joingate.core.report import Participants, Report, Row
from joingate.core.suppression import Shown
from joingate.core.territory import GROUPS

MOST_PLACES: Final = 12
"""Territories named in one place; the forms for machines have all."""


@dataclass(frozen=True, slots=True)
class Label:
    """What a row is about: `main`, below it `sub` or "", and where it leads to or ""."""

    main: str
    sub: str = ""
    href: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table whose first column names the rows.

    Attributes:
        caption: says what the numbers are.
        columns: headings, that of the first column among them.
        rows: what each is about, and its cells.
        total: the cells of the row of sums; None where there is none.
        numeric: whether the cells are numbers.
        left_out: rows that the forms for machines have, and this does not.
    """

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Label, tuple[str, ...]], ...]
    total: tuple[str, ...] | None = None
    numeric: bool = True
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the report.

    Attributes:
        id: for links to it.
        lead: a paragraph before the table, or "".
        table: None where there is nothing to list; `lead` says so then.
        notes: paragraphs after it.
    """

    id: str
    title: str
    lead: str
    table: Table | None = None
    notes: tuple[str, ...] = ()


def counted_sections(report: Report) -> list[Section]:
    """Return what is counted; the exact figures come first."""
    return [_exact(report), _over_time(report), _asked(report), *_by_row(report), _doubt(report), _by_hosts(report)]


def number(shown: Shown) -> str:
    """Write a number with its thousands apart, or its mask."""
    return f"{shown:,}" if isinstance(shown, int) else str(shown)


def places(codes: Sequence[str], most: int = MOST_PLACES) -> str:
    """Name territories: a group that is there whole first, and no more than `most` of them."""
    left, found = set(codes), []
    for group in sorted(GROUPS, key=lambda name: -len(GROUPS[name].members)):
        if left >= (members := GROUPS[group].members):
            found.append(place_name(group, Language.ENGLISH))
            left -= members
    found += [place_name(code, Language.ENGLISH) for code in sorted(left)]
    more = len(found) - most
    return ", ".join(found) if more <= 0 else f"{', '.join(found[:most])} and {more} more"


def _exact(report: Report) -> Section:
    zeros = report.zeros
    figures = (
        (
            "Participants restricted outside their order\N{RIGHT SINGLE QUOTATION MARK}s territory",
            zeros.outside_territory,
        ),
        ("Participants restricted outside their order\N{RIGHT SINGLE QUOTATION MARK}s time", zeros.outside_time),
        ("Meetings ended", zeros.meetings_ended),
        ("Accounts touched", zeros.accounts_touched),
        ("Disclosures of user data", zeros.disclosures),
        ("People concerned by these disclosures", zeros.people),
    )
    rows = tuple((Label(name), (number(count),)) for name, count in figures)
    return Section(
        "exact",
        "Exact figures",
        "Counted exactly and shown exactly, however small. The first four must be zero.",
        Table("Exact figures", ("Figure", "Count"), rows),
        (f"Meetings ended, accounts touched: {VOCABULARY_NOTE}",),
    )


def _over_time(report: Report) -> Section:
    rows = tuple(
        (Label(spoken_bucket(share.bucket, report.unit)), (number(share.rejected), number(share.ejected)))
        for share in report.shares
    )
    total = report.total.participants
    return Section(
        "time",
        "Restrictions over time",
        "Participants restricted under orders: rejected when they tried to join, or ejected when they were inside.",
        Table(
            "Participants restricted under orders, by action",
            (UNITS[report.unit], "Rejected", "Ejected"),
            rows,
            (number(total.rejected), number(total.ejected)),
        ),
        (MASK_NOTE,),
    )


def _asked(report: Report) -> Section:
    rows = tuple(
        (Label(DEMANDS[demand.what]), (number(demand.asked), number(demand.granted))) for demand in report.demands
    )
    return Section(
        "asked",
        "Asked and granted",
        "What the orders received in this period asked for, and what they were granted. One order can ask for several.",
        Table("Orders by what they asked for", ("Demand", "Orders that asked", "Orders granted it"), rows),
    )


def _by_row(report: Report) -> Iterable[Section]:
    if not report.rows:
        yield Section("orders", "Orders", NO_ORDERS)
        return
    yield Section(
        "orders",
        "Orders by authority and territory",
        "Each line is an authority with the territory that its orders apply to. In force counts every order that was "
        "in force at some time in the period, whenever it was received.",
        _table_of(
            report,
            "Orders",
            ("Received", "Asked for more", "Beyond own territory", "In force", "In shadow", "Lifted", "Expired"),
            lambda row: (
                *(row.orders.received, row.orders.asked_more, row.orders.asked_beyond, row.orders.in_force),
                *(row.orders.in_shadow, row.orders.lifted, row.orders.expired),
            ),
        ),
        ("Demands that were refused are not orders, and are not in a ledger: see the method below.",),
    )
    yield Section(
        "meetings",
        "Meetings that orders name",
        "Meetings named by the orders in force, and those in which anybody was restricted.",
        _table_of(
            report,
            "Meetings",
            ("Named by id", "Named by prefix", "Orders for every meeting", "With restrictions"),
            lambda row: (
                *(row.meetings.named, row.meetings.prefixes, row.meetings.service_wide, row.meetings.restricted),
            ),
        ),
    )
    yield Section(
        "participants",
        "Participants by authority and territory",
        "Deferred: not ejected, because the meeting would have ended for the others. In doubt: admitted, because their "
        "location could not be told. In shadow: admitted, under an order that is only counted. Unrecorded: admitted, "
        "because the ledger could not be written.",
        _table_of(
            report,
            "Participants",
            ("Rejected", "Ejected", "Deferred", "In doubt", "In shadow", "Unrecorded"),
            lambda row: _outcomes(row.participants),
        ),
        (MASK_NOTE,),
    )
    yield Section(
        "ejections",
        "What became of ejections",
        "Gone: the participant is known to have left. Still present: the connection was cut, and the meeting server "
        "still lists the participant. Unknown: nothing was recorded yet.",
        _table_of(
            report,
            "Ejections",
            ("Ejected", "Gone", "Still present", "Unknown"),
            lambda row: (row.participants.ejected, *_endings(row.participants)),
        ),
    )


def _outcomes(participants: Participants) -> tuple[Shown, ...]:
    return (
        *(participants.rejected, participants.ejected, participants.deferred),
        *(participants.doubt, participants.shadowed, participants.unrecorded),
    )


def _endings(participants: Participants) -> tuple[Shown, ...]:
    return participants.confirmed, participants.still_present, participants.unresolved


def _table_of(report: Report, what: str, columns: tuple[str, ...], cells: Callable[[Row], tuple[Shown, ...]]) -> Table:
    return Table(
        f"{what} by authority and territory",
        ("Authority and territory", *columns),
        tuple((label_of(row), tuple(map(number, cells(row)))) for row in report.rows),
        tuple(map(number, cells(report.total))),
    )


def label_of(row: Row) -> Label:
    """Name a row: the authority, and below it its branch and the territory."""
    if not row.authority:
        return Label(NO_ORDER)
    return Label(row.name, f"{row.branch}; {places(row.territory)}")


def _doubt(report: Report) -> Section:
    rows = tuple((Label(CAUSES[cause]), (number(shown),)) for cause, shown in report.doubt)
    return Section(
        "doubt",
        "Admitted in doubt",
        "Participants whom an order might have meant, and who were admitted because their location could not be told.",
        Table(
            "Participants admitted in doubt, by its cause",
            ("Cause", "Admitted"),
            rows,
            (number(report.total.participants.doubt),),
        ),
    )


def _by_hosts(report: Report) -> Section:
    hosts = report.host_policies
    names = ("Rejected", "Ejected", "Deferred", "In shadow", "Unrecorded")
    found = hosts.participants
    counts = (found.rejected, found.ejected, found.deferred, found.shadowed, found.unrecorded)
    endings = zip(("gone", "still present", "unknown"), _endings(found), strict=True)
    rows = [("Host policies that stood in the period", number(hosts.policies))]
    rows += [(f"Participants: {name.lower()}", number(count)) for name, count in zip(names, counts, strict=True)]
    rows[3:3] = [(f"Of the ejected: {name}", number(count)) for name, count in endings]
    return Section(
        "hosts",
        "Host policies",
        "A meeting\N{RIGHT SINGLE QUOTATION MARK}s own host can admit or refuse territories. No authority is involved, "
        "and none of this is counted above.",
        Table("Restrictions under host policies", ("Figure", "Count"), tuple((Label(a), (b,)) for a, b in rows)),
    )
