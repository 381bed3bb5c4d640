import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joingate.codecs.report_lists import MOST_LISTED
from joingate.codecs.report_markdown import render_markdown
from joingate.core import record as r
from joingate.core.report import Report
from tests.report_ledgers import ORIGIN, RULES, ejection, entries, order, report, restriction


def written(found: Report) -> str:
    return render_markdown(found).decode()


def test_a_report() -> None:
    text = written(
        report(entries(order(notice_url="https://example.org/1"), RULES, *[restriction()] * 12, *[ejection()] * 3))
    )
    lines = text.splitlines()
    assert lines[0] == "# Transparency report"
    assert lines[2] == (f"Restrictions of meeting participants by territory, 3 September 2026 (UTC). Ledger: {ORIGIN}")
    assert "| Figure | Count |" in lines
    assert "| --- | ---: |" in lines
    assert "| 3 September 2026 | 12 | <10 |" in lines
    assert "| **Total** | **12** | **<10** |" in lines
    assert (
        "| Cyberspace Administration of China<br>regulator; mainland China (CN) | 12 | <10 | 0 | 0 | 0 | 0 |" in lines
    )
    row = next(line for line in lines if line.startswith("| [cac-1]"))
    assert row.startswith(
        "| [cac-1](<https://example.org/1>)<br>Cybersecurity Law, article 50; \\[2026\\] 17; received"
    )
    assert "**Days and hours.** Days are those of UTC" in text
    titles = [line.removeprefix("## ") for line in lines if line.startswith("## ")]
    assert titles[0] == "Exact figures"
    assert titles[-1] == "Method"
    assert text.endswith("\n")


def test_what_is_left_out_is_said() -> None:
    text = written(report(entries(*(order(str(number)) for number in range(MOST_LISTED + 5)))))
    assert "\nAnd 5 more: the report as CSV or JSON has them all.\n" in text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, (with) #1 and 100 %", "plain, (with) #1 and 100 %"),
        ("a|b", "a\\|b"),
        ("[x](y) *b* _i_ `c` ~~s~~ $m$", "\\[x\\](y) \\*b\\* \\_i\\_ \\`c\\` \\~\\~s\\~\\~ \\$m\\$"),
        ("<script>", "\\<script>"),
        ("<10", "<10"),
        ("R&D, &amp; &#60; & so on", "R\\&D, \\&amp; \\&#60; & so on"),
        ("back\\slash", "back\\\\slash"),
    ],
)
def test_a_text_shows_as_it_is(text: str, shown: str) -> None:
    assert f"; {shown}; received" in written(report(entries(order(reference=text))))


@given(st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1))
def test_no_text_breaks_the_tables(text: str) -> None:
    def shape(found: str) -> list[int]:
        return [len(re.findall(r"(?<!\\)(?:\\\\)*\|", line)) for line in found.split("\n")]

    plain = written(report(entries(order(reference="x"), r.Correction(1, r.Mistake.ORDER, "x"))))
    other = written(report(entries(order(reference=text), r.Correction(1, r.Mistake.ORDER, text))))
    assert shape(other) == shape(plain)


def test_the_same_history_gives_the_same_bytes() -> None:
    history = entries(order(), order("2", authority="x"), RULES, *[restriction()] * 12, *[ejection("2")] * 3)
    assert render_markdown(report(history)) == render_markdown(report(iter(history)))
