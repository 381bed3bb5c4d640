import csv
import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joingate.codecs.report_csv import COLUMNS, render_csv
from joingate.codecs.report_json import render_json
from joingate.core import record as r
from joingate.core.model import Cause
from joingate.core.report import Report, Signed
from tests.report_ledgers import DATABASE, HOUR, ORIGIN, RULES, SHA256, ejection, entries, order, report, restriction


def lines(found: Report) -> list[list[str]]:
    return list(csv.reader(io.StringIO(render_csv(found).decode(), newline=""), strict=True))


def values(found: Report, section: str) -> dict[tuple[str, ...], str]:
    return {tuple(line[1:5]): line[5] for line in lines(found) if line[0] == section}


def example() -> Report:
    return report(
        entries(
            DATABASE,
            order(asked_objects=("meeting", "data"), territory=("CN-BJ", "CN-GD")),
            RULES,
            *[restriction(located_as="CN-BJ")] * 12,
            *[ejection(located_as="HK")] * 3,
            r.Window("cac-1", {Cause.STALE: 12}, 0, 0),
            r.Disclosure("cac", r.Subject.OTHER, 3, "law, and order", 'a "reference"'),
            r.Correction(4, r.Mistake.CLERICAL, "why"),
            r.Recovery(211, SHA256),
        ),
        checkpoint=Signed(9, "root"),
    )


def test_every_line_has_every_column() -> None:
    found = lines(example())
    assert tuple(found[0]) == COLUMNS == ("section", "authority", "territory", "item", "measure", "value")
    assert {len(line) for line in found} == {6}
    assert render_csv(example()).endswith(b"\r\n")
    assert render_csv(example()).count(b"\r\n") == len(found)
    assert len({tuple(line[:5]) for line in found}) == len(found)


def test_the_sections() -> None:
    found = example()
    nobody = ("", "", "")
    about = values(found, "report")
    assert about[*nobody, "origin"] == ORIGIN
    assert about[*nobody, "ends_within_a_line"] == "false"
    assert (about[*nobody, "checkpoint_size"], about[*nobody, "checkpoint_root"]) == ("9", "root")
    assert about["", "", f"{HOUR}/{HOUR}", "hours_without_heartbeat"] == "1"
    assert values(found, "exact")[*nobody, "outside_territory"] == "3"
    place = ("cac", "CN-BJ CN-GD")
    assert values(found, "authority")[*place, "", "name"] == "Cyberspace Administration of China"
    assert values(found, "orders")[*place, "", "asked_more"] == "1"
    assert values(found, "meetings")[*place, "", "restricted"] == "1+"
    assert values(found, "participants")[*place, "", "rejected"] == "12"
    assert values(found, "participants")["", "", "total", "ejected"] == "<10"
    assert values(found, "over_time")["", "", "2026-09-03/2026-09-03", "ejected"] == "<10"
    assert values(found, "asked_and_granted")["", "", "data", "asked"] == "1"
    assert values(found, "doubt")["", "", "stale", "admitted"] == "12"
    assert values(found, "host_policies") == dict.fromkeys(values(found, "host_policies"), "0")
    orders = values(found, "order")
    assert orders[*place, "cac-1", "asked_objects"] == "meeting data"
    assert (orders[*place, "cac-1", "notice_url"], orders[*place, "cac-1", "service_wide"]) == ("", "false")
    assert orders[*place, "cac-1", "standing"] == "in_force"
    assert values(found, "disclosure")["", "", "20", "reference"] == 'a "reference"'
    assert values(found, "correction")["", "", "21", "corrects"] == "4"
    assert values(found, "recovery")["", "", "22", "size"] == "211"
    assert values(found, "revision")["", "", "3", "revision"] == "ab" * 8
    assert values(found, "database")["", "", "1", "max_age_days"] == "60"


def test_without_a_checkpoint() -> None:
    about = values(report(entries(), unfinished=True), "report")
    assert about["", "", "", "checkpoint_size"] == ""
    assert about["", "", "", "ends_within_a_line"] == "true"


FORMULAE = ("=1+1", "+1", "-1", "@SUM(A1)", "＝1", "＋1", "－1", "＠x")  # noqa: RUF001


@pytest.mark.parametrize("formula", FORMULAE)
def test_a_spreadsheet_runs_no_text_of_an_order(formula: str) -> None:
    found = report(entries(order(reference=formula, authority_name=formula)))
    assert values(found, "order")["cac", "CN", "cac-1", "reference"] == f"'{formula}"
    assert values(found, "authority")["cac", "CN", "", "name"] == f"'{formula}"


texts = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1)


@given(st.one_of(texts, st.sampled_from(FORMULAE)), texts)
def test_no_text_breaks_the_table(text: str, other: str) -> None:
    found = report(entries(order(reference=text), r.Correction(1, r.Mistake.ORDER, other)))
    for line in lines(found):
        assert len(line) == 6
        assert not any(cell.startswith(("=", "+", "-", "@")) for cell in line)
    assert values(found, "order")["cac", "CN", "cac-1", "reference"].removeprefix("'") == text.removeprefix("'")


def test_it_says_what_the_json_says() -> None:
    """So nothing can be worked out from one that cannot be from the other."""
    found = example()
    whole: dict[str, Any] = json.loads(render_json(found))
    said = values(found, "participants")
    for row in whole["rows"]:
        for name, number in row["participants"].items():
            assert said[row["authority"], " ".join(row["territory"]), "", name] == str(number)
    for name, number in whole["total"]["participants"].items():
        assert said["", "", "total", name] == str(number)
    for span in whole["over_time"]["spans"]:
        key = f"{span['from']}/{span['to']}"
        assert values(found, "over_time")["", "", key, "rejected"] == str(span["rejected"])
