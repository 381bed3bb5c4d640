from dataclasses import replace
from typing import Any

import pytest

from joingate.codecs.report_lists import MOST_LISTED, listed_sections
from joingate.codecs.report_tables import Label, Section, Table
from joingate.core import record as r
from joingate.core.report import Report, Signed
from tests.report_ledgers import DATABASE, HOUR, ORIGIN, RULES, SHA256, entries, order, report


def section(found: Report, id_: str) -> Section:
    return next(each for each in listed_sections(found) if each.id == id_)


def rows(found: Report, id_: str) -> list[tuple[Label, tuple[str, ...]]]:
    table = section(found, id_).table
    assert table is not None
    return list(table.rows)


def test_where_there_is_nothing_to_list_the_report_says_so() -> None:
    found = listed_sections(report(entries(r.Heartbeat())))
    assert [(each.id, each.lead) for each in found[:-1]] == [
        ("disclosures", "Nothing was handed over to any authority in this period."),
        ("corrections", "No record of this period was corrected."),
        ("list", "There were none."),
        ("running", "Of 1 hours, 0 were without a heartbeat. No unfinished end of a file was found."),
        ("databases", "None was in use."),
        ("revisions", "None was in use."),
    ]
    assert all(each.table is None for each in found[:-1])


def test_disclosures_and_corrections() -> None:
    found = report(
        entries(
            r.Disclosure("cac", r.Subject.PARTICIPANTS, 1200, "law", "reference"),
            r.Correction(1, r.Mistake.CLERICAL, "the number of people was wrong"),
        )
    )
    assert rows(found, "disclosures") == [
        (
            Label("3 September 2026, 04:00 UTC", "record 1"),
            ("cac", "participants", "1,200", "law", "reference"),
        )
    ]
    assert rows(found, "corrections") == [
        (
            Label("3 September 2026, 04:00 UTC", "record 2"),
            ("1", "a clerical mistake", "the number of people was wrong"),
        )
    ]


@pytest.mark.parametrize("subject", r.Subject)
@pytest.mark.parametrize("mistake", r.Mistake)
def test_there_is_a_word_for_each(subject: r.Subject, mistake: r.Mistake) -> None:
    found = report(entries(r.Disclosure("cac", subject, 1, "law", "ref"), r.Correction(1, mistake, "why")))
    assert rows(found, "disclosures")[0][1][1]
    assert rows(found, "corrections")[0][1][1]


def listed(**changes: Any) -> tuple[Label, tuple[str, ...]]:
    return rows(report(entries(order(**changes), RULES)), "list")[0]


def test_an_order() -> None:
    assert listed() == (
        Label("cac-1", "Cybersecurity Law, article 50; [2026] 17; received 1 September 2026"),
        (
            "Cyberspace Administration of China; mainland China (CN)",
            "1 September 2026",
            "1 November 2026",
            "eject; meetings: 1 by id",
            "nothing",
            "in force",
        ),
    )


@pytest.mark.parametrize(
    ("changes", "place", "said"),
    [
        ({"opens": "2026-09-01T16:00:00Z"}, 1, "1 September 2026, 16:00"),
        ({"closes": "2026-11-01T16:00:30Z"}, 2, "1 November 2026, 16:00:30"),
        ({"closes": "2026-11-01T00:00:30Z"}, 2, "1 November 2026, 00:00:30"),
        ({"named": 1200, "prefixes": 2}, 3, "eject; meetings: 1,200 by id, 2 by prefix"),
        ({"named": 0, "prefixes": 0}, 3, "eject; meetings: none"),
        ({"named": 0, "service_wide": True}, 3, "eject; every meeting"),
        ({"asked_objects": ("meeting", "account")}, 4, "End or prevent a whole meeting; Act on an account"),
        ({"asked_territory": ("CN", "HK"), "asked_objects": ("data",)}, 4, "Hand over data; in Hong Kong (HK)"),
        ({"asked_territory": ("CN",)}, 4, "nothing"),
        ({"shadow": True}, 5, "in force, in shadow"),
        ({"opens": "2026-10-01T16:00:00Z"}, 5, "not yet in force"),
        ({"closes": "2026-09-02T16:00:00Z"}, 5, "expired"),
    ],
)
def test_what_an_order_says(changes: dict[str, Any], place: int, said: str) -> None:
    assert listed(**changes)[1][place] == said


@pytest.mark.parametrize(
    ("url", "href"),
    [
        ("https://example.org/1", "https://example.org/1"),
        ("http://example.org/1", "http://example.org/1"),
        ("javascript:alert(1)", ""),
        ("HTTPS://example.org", ""),
    ],
)
def test_only_addresses_of_the_web_are_links(url: str, href: str) -> None:
    assert listed(notice_url=url)[0].href == href


def test_an_order_that_changed_and_was_lifted() -> None:
    once = report(entries(order(), order(reference="2")))
    assert rows(once, "list")[0][1][5] == "in force, changed once"
    twice = report(entries(order(), order(reference="2"), order(reference="3"), r.Lift("cac-1")))
    assert rows(twice, "list")[0][1][5] == "lifted, changed 2 times"


def test_a_long_list_says_what_it_leaves_out() -> None:
    table = section(report(entries(*(order(str(number)) for number in range(MOST_LISTED + 3)))), "list").table
    assert table is not None
    assert (len(table.rows), table.left_out) == (MOST_LISTED, 3)


def test_running() -> None:
    found = report(
        entries(("2026-09-03T00Z", r.Heartbeat()), ("2026-09-03T03Z", r.Recovery(12, SHA256)), (HOUR, r.Heartbeat()))
    )
    assert section(found, "running").lead == (
        "Of 5 hours, 3 were without a heartbeat. An unfinished end of a file, as a loss of power leaves it, was set "
        "aside once, last on 3 September 2026, 03:00 UTC."
    )
    assert rows(found, "running") == [(Label("3 September 2026, 01:00 UTC"), ("3 September 2026, 03:00 UTC", "3"))]


def test_databases_and_revisions() -> None:
    ageless = r.Database((0, 2**53 - 1), ("A", "B"), ("ab" * 8, "cd" * 8), 2, 0)
    found = report(entries(DATABASE, ageless, RULES))
    assert rows(found, "databases") == [
        (
            Label("3 September 2026, 04:00 UTC", "record 1"),
            ("29 August 2026", "GeoLite2-Country", "cd" * 8, "0", "60 days"),
        ),
        (
            Label("3 September 2026, 04:00 UTC", "record 2"),
            ("1 January 1970, 9007199254740991", "A, B", f"{'ab' * 8}, {'cd' * 8}", "2", "any"),
        ),
    ]
    assert rows(found, "revisions") == [(Label("3 September 2026, 04:00 UTC"), ("3", "ab" * 8, "1", "0"))]


def test_the_checkpoint() -> None:
    found = report(entries(RULES), checkpoint=Signed(12345, "root="))
    assert section(found, "checkpoint").table == Table(
        "Checkpoint",
        ("", ""),
        (
            (Label("Ledger"), (ORIGIN,)),
            (Label("First record"), ("3 September 2026, 04:00 UTC",)),
            (Label("Last record"), ("3 September 2026, 04:00 UTC",)),
            (Label("Checkpoint covers"), ("12,345 records",)),
            (Label("Root"), ("root=",)),
        ),
        numeric=False,
    )
    assert section(found, "checkpoint").notes == ()
    without = replace(found, checkpoint=None, unfinished=True)
    assert section(without, "checkpoint").lead == "No checkpoint is signed yet."
    assert len(rows(without, "checkpoint")) == 3
    assert section(without, "checkpoint").notes == ("The last line of the ledger is unfinished, and is not counted.",)
