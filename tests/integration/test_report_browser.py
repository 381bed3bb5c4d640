"""The transparency report in a real browser: from a file, without a network, on a desktop, a phone and paper."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest

from joingate.cli import main
from joingate.core import record as r
from joingate.core.model import Cause
from joingate.core.rules import Action
from tests.integration.stage import PHONE, shoot
from tests.report_ledgers import DATABASE, RULES, ejection, entries, lay_down, meeting, order, policy, restriction

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

Scheme = Literal["light", "dark"]

FIRST = date(2026, 7, 1)
COURT: dict[str, Any] = {
    "authority": "usdc-ndca",
    "authority_name": "United States District Court, Northern District of California",
    "branch": "judicial",
    "authority_territory": ("US",),
    "territory": ("US",),
    "action": Action.REJECT,
}
KOELN: dict[str, Any] = {
    "authority": "lg-koeln",
    "authority_name": "Landgericht Köln",
    "branch": "judicial",
    "authority_territory": ("DE",),
    "territory": ("DE",),
}
SANCTIONS: dict[str, Any] = {
    "authority": "ofac",
    "authority_name": "U.S. Department of the Treasury, Office of Foreign Assets Control",
    "branch": "executive",
    "authority_territory": ("CU", "IR", "KP", "SY", "UA-09", "UA-14", "UA-43"),
    "territory": ("CU", "IR", "KP", "SY", "UA-09", "UA-14", "UA-43"),
    "service_wide": True,
    "named": 0,
}
WINDOW = {"opens": "2026-07-01T00:00:00Z", "closes": "2026-09-29T00:00:00Z"}


def three_months() -> list[r.Entry]:
    """Four authorities and a host, and a little of everything that a ledger can hold."""
    asked: dict[str, Any] = {"asked_objects": ("meeting", "account"), "asked_territory": ("CN", "HK", "TW")}
    records: list[tuple[str, r.Record]] = [
        ("2026-07-01T00Z", record)
        for record in (
            DATABASE,
            order(notice_url="https://example.org/1", **asked, **WINDOW),
            order("court", **COURT, **WINDOW),
            order("koeln", **KOELN, **WINDOW),
            order("sanctions", **SANCTIONS, **WINDOW),
            policy(),
            RULES,
        )
    ]
    for day in range(90):
        hour = f"{FIRST + timedelta(day)}T12Z"
        records += [(hour, restriction(meeting=meeting(day)))] * (day % 7 + 2)
        records += [(hour, restriction("court", located_as="US", meeting=meeting(day % 5)))] * (day % 11)
        records += [(hour, restriction("sanctions", located_as="IR", meeting=meeting(day)))] * 9
        records += [(hour, ejection())] * (day % 4)
        records += [(hour, r.Heartbeat())]
        if day % 30 == 0:
            records += [(hour, restriction("koeln", located_as="DE")), (hour, restriction("board", basis=HOST))]
            records += [(hour, r.Window("cac-1", {Cause.NOT_FOUND: 12, Cause.STALE: 3}, 0, 0))]
    last = "2026-09-28T12Z"
    records += [
        (last, r.Disclosure("usdc-ndca", r.Subject.MEETING, 2, "Subpoena, Fed. R. Civ. P. 45", "3:26-cv-04711")),
        (last, r.Correction(9, r.Mistake.LOCATION, "An override placed a network in the wrong country.")),
    ]
    return entries(*records)


HOST = r.Basis.HOST_POLICY


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report as the command writes it."""
    folder = tmp_path_factory.mktemp("report")
    lay_down(folder / "ledger", three_months())
    output = folder / "report.html"
    assert main(["report", "--ledger", str(folder / "ledger"), "--format", "html", "-o", str(output)]) == 0
    return output


@asynccontextmanager
async def opened(browser: "Browser", written: Path, *, scheme: Scheme = "light") -> "AsyncIterator[Page]":
    """Open the report as a reader does who has been sent the file: no script, no network."""
    context = await browser.new_context(color_scheme=scheme, java_script_enabled=False, offline=True)
    try:
        page = await context.new_page()
        asked, complaints = [], []
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: complaints.append(message.text))
        await page.goto(written.as_uri())
        yield page
        assert asked == [written.as_uri()]
        assert complaints == []
    finally:
        await context.close()


async def test_it_says_what_it_has_to_say(browser: "Browser", written: Path) -> None:
    async with opened(browser, written) as page:
        assert await page.locator("h1").inner_text() == "Transparency report"
        figures = await page.locator(".figures li strong").all_inner_texts()
        assert figures == ["0", "0", "0", "0", "1", "2"]
        shown = await page.inner_text("main")
        for expected in ("1 July – 28 September 2026 (UTC)", "mainland China (CN)", "Landgericht Köln", "<10", "10+"):  # noqa: RUF001
            assert expected in shown, expected
        await page.get_by_role("link", name="Method").click()
        assert await page.get_by_role("heading", name="What cannot be seen from a ledger").is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_its_own_style_applies_and_bars_can_be_seen(browser: "Browser", written: Path, scheme: Scheme) -> None:
    async with opened(browser, written, scheme=scheme) as page:
        fills = {
            name: await page.locator(f"svg.chart rect.{name}").first.evaluate("bar => getComputedStyle(bar).fill")
            for name in ("first", "second", "masked")
        }
        assert fills["first"] == {"light": "rgb(31, 92, 120)", "dark": "rgb(140, 195, 221)"}[scheme]
        assert '#second"' in fills["second"]
        assert '#masked"' in fills["masked"]
        for bar in await page.locator("svg.chart rect").all():
            box = await bar.bounding_box()
            assert box is not None
            assert min(box["width"], box["height"]) > 0
        await shoot(page, f"report-{scheme}")


async def test_the_numbers_of_a_chart_stand_in_a_table_beside_it(browser: "Browser", written: Path) -> None:
    async with opened(browser, written) as page:
        charts = await page.locator("figure").all()
        assert len(charts) == 3
        for chart in charts:
            cells = await chart.locator("table td").all_inner_texts()
            drawn = await chart.locator("svg.chart title").all_text_contents()
            assert drawn
            for said in drawn:
                assert said.rpartition(": ")[2] in cells


@pytest.mark.parametrize("width", [1280, 768, 390, 360, 320])
async def test_nobody_has_to_scroll_sideways(browser: "Browser", written: Path, width: int) -> None:
    async with opened(browser, written) as page:
        await page.set_viewport_size({"width": width, "height": 800})
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        for region in await page.locator(".scroll").all():
            assert await region.evaluate("region => region.scrollWidth <= region.clientWidth")


async def test_on_a_phone_a_wide_table_is_a_list_of_cards(browser: "Browser", written: Path) -> None:
    async with opened(browser, written) as page:
        await page.set_viewport_size(PHONE)
        card = page.locator("#participants table tbody tr").first
        boxes = [await cell.bounding_box() for cell in await card.locator("td").all()]
        tops = [box["y"] for box in boxes if box is not None]
        assert tops == sorted(set(tops))
        label = await card.locator("td").first.evaluate("cell => getComputedStyle(cell, '::before').content")
        assert label == '"Rejected"'


async def test_it_prints(browser: "Browser", written: Path, tmp_path: Path) -> None:
    async with opened(browser, written, scheme="dark") as page:
        await page.emulate_media(media="print", color_scheme="dark")
        paper = await page.locator("body").evaluate("body => getComputedStyle(body).backgroundColor")
        assert paper == "rgb(255, 255, 255)"
        assert not await page.locator("nav").is_visible()
        pdf = await page.pdf(path=tmp_path / "report.pdf", format="A4", prefer_css_page_size=True)
        assert pdf.startswith(b"%PDF-")
        assert 3 <= len(re.findall(rb"/Type\s*/Page\b", pdf)) <= 12
