import pytest

from joingate.codecs.report_summary import NO_ORDERS
from joingate.codecs.report_tables import Label, Section, Table, counted_sections, number, places
from joingate.core import record as r
from joingate.core.model import Cause
from joingate.core.report import Report
from joingate.core.suppression import Mask, Shown
from joingate.core.territory import GROUPS
from tests.report_ledgers import RULES, deferral, ejection, entries, meeting, order, policy, report, restriction


def section(found: Report, id_: str) -> Section:
    return next(each for each in counted_sections(found) if each.id == id_)


def cells(found: Report, id_: str) -> dict[str, tuple[str, ...]]:
    table = section(found, id_).table
    assert table is not None
    return {label.main: written for label, written in table.rows} | ({"Total": table.total} if table.total else {})


def example() -> Report:
    return report(
        entries(
            order(asked_objects=("meeting",), asked_territory=("CN", "HK"), named=1200),
            order("2", authority="x", authority_name="X", branch="police", shadow=True, prefixes=2),
            policy(),
            RULES,
            *(restriction(meeting=meeting(number)) for number in range(1234)),
            *[ejection()] * 30,
            r.Outcome(r.Ending.CONFIRMED, tuple(range(1239, 1264))),
            *[deferral()] * 3,
            r.Window("cac-1", {Cause.STALE: 40}, 0, 10),
            r.Window("2", {}, 50, 0),
            *[restriction("board", basis=r.Basis.HOST_POLICY)] * 21,
            *[ejection("board", basis=r.Basis.HOST_POLICY)] * 22,
        )
    )


def test_the_exact_figures_come_first() -> None:
    found = counted_sections(example())
    assert [each.id for each in found] == [
        *("exact", "time", "asked", "orders", "meetings", "participants", "ejections", "doubt", "hosts")
    ]
    assert found[0].table == Table(
        "Exact figures",
        ("Figure", "Count"),
        (
            (Label("Participants restricted outside their order\N{RIGHT SINGLE QUOTATION MARK}s territory"), ("0",)),
            (Label("Participants restricted outside their order\N{RIGHT SINGLE QUOTATION MARK}s time"), ("0",)),
            (Label("Meetings ended"), ("0",)),
            (Label("Accounts touched"), ("0",)),
            (Label("Disclosures of user data"), ("0",)),
            (Label("People concerned by these disclosures"), ("0",)),
        ),
    )
    assert "no record for them exists" in found[0].notes[0]


def test_the_tables() -> None:
    found = example()
    assert cells(found, "time") == {"3 September 2026": ("1,234", "30"), "Total": ("1,234", "30")}
    assert cells(found, "asked")["End or prevent a whole meeting"] == ("1", "0")
    cac, x = "Cyberspace Administration of China", "X"
    assert cells(found, "orders") == {
        cac: ("1", "1", "1", "1", "0", "0", "0"),
        x: ("1", "0", "0", "0", "1", "0", "0"),
        "Total": ("2", "1", "1", "1", "1", "0", "0"),
    }
    assert cells(found, "meetings") == {
        cac: ("1,200", "0", "0", "1,235"),
        x: ("0", "0", "0", "0"),
        "Total": ("1,200", "0", "0", "1,235"),
    }
    assert cells(found, "participants") == {
        cac: ("1,234", "30", "<10", "40", "0", "10"),
        x: ("0", "0", "0", "0", "50", "0"),
        "Total": ("1,234", "30", "<10", "40", "50", "10"),
    }
    assert cells(found, "ejections")[cac] == ("30", "10+", "0", "<10")
    assert cells(found, "doubt")["The database is too old"] == ("40",)
    assert cells(found, "doubt")["Total"] == ("40",)
    assert cells(found, "hosts") == {
        "Host policies that stood in the period": ("1",),
        "Participants: rejected": ("21",),
        "Participants: ejected": ("22",),
        "Of the ejected: gone": ("0",),
        "Of the ejected: still present": ("0",),
        "Of the ejected: unknown": ("22",),
        "Participants: deferred": ("0",),
        "Participants: in shadow": ("0",),
        "Participants: unrecorded": ("0",),
    }


def test_a_row_is_named_by_its_authority_its_branch_and_its_territory() -> None:
    table = section(example(), "orders").table
    assert table is not None
    assert table.rows[0][0] == Label("Cyberspace Administration of China", "regulator; mainland China (CN)")
    assert table.columns[0] == "Authority and territory"
    nobody = section(report(entries(RULES, ejection("unheard-of"))), "orders").table
    assert nobody is not None
    assert nobody.rows[0][0] == Label("No order in the ledger")


def test_without_orders_there_are_no_tables_of_them() -> None:
    found = report(entries(RULES))
    assert [each.id for each in counted_sections(found)] == ["exact", "time", "asked", "orders", "doubt", "hosts"]
    assert section(found, "orders").table is None
    assert section(found, "orders").lead == NO_ORDERS


@pytest.mark.parametrize(
    ("shown", "written"), [(0, "0"), (1234567, "1,234,567"), (Mask.FEW, "<10"), (Mask.SOME, "10+"), (Mask.ANY, "1+")]
)
def test_numbers(shown: Shown, written: str) -> None:
    assert number(shown) == written


def test_places() -> None:
    assert places(("CN", "UA-43")) == "mainland China (CN), UA-43"
    assert places(sorted({*GROUPS["EU"].members, "CH"})) == "the European Union (EU), Switzerland (CH)"
    assert places(("AT", "BE", "CH"), 2) == "Austria (AT), Belgium (BE) and 1 more"
    assert places(("AT", "BE"), 2) == "Austria (AT), Belgium (BE)"
