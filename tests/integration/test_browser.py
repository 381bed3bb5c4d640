# ruff: noqa: RUF001 - Chinese punctuation is meant
"""What people see in a real browser: the notice, the room before and after an order, the gate's own page."""

import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest

from joingate.demo.cast import BOARD, CAST, ORDERED
from joingate.demo.folder import ORDER_ID, POLICY_ID
from joingate.demo.hearing import Stretch, compare
from joingate.demo.participant import Participant
from tests.integration.stage import Stage, Visitor, put_up, shoot

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

Scheme = Literal["light", "dark"]

RUTH = next(person for person in CAST if person.name == "Ruth")
JOIN = f"/meetings/{ORDERED}/join?user=Mei"
AUTHORITY = "Cyberspace Administration of China"
LAW = "Cybersecurity Law, article 50"
A_WHILE = 1500  # milliseconds, in which a page that reconnects by itself would have done so
PATIENCE = 30.0  # seconds after which something is taken never to happen


@asynccontextmanager
async def new_page(browser: "Browser", *, locale: str = "en-GB", scheme: Scheme = "light") -> "AsyncIterator[Page]":
    context = await browser.new_context(locale=locale, timezone_id="UTC", color_scheme=scheme)
    try:
        yield await context.new_page()
    finally:
        await context.close()


@pytest.mark.parametrize(
    ("locale", "language", "shows"),
    [
        ("en-GB", "en", ("You were not let into this meeting", "mainland China (CN)")),
        ("zh-CN", "zh-Hans", ("您未能加入此会议", "中国大陆（CN）")),
        ("zh-TW", "zh-Hant", ("您未能加入此會議", "中國大陸（CN）")),
    ],
)
async def test_a_join_link_opened_from_cn_says_why_it_does_not_open(
    browser: "Browser", tmp_path: Path, locale: str, language: str, shows: tuple[str, ...]
) -> None:
    async with put_up(tmp_path) as stage, new_page(browser, locale=locale) as page:
        await order_in_force(stage, page)
        asked, complaints = [], []
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: complaints.append(message.text))
        answer = await page.goto(stage.url("CN", JOIN))
        assert answer is not None
        assert answer.status == 451
        headers = await answer.all_headers()
        assert headers["link"] == '</.well-known/joingate>; rel="blocked-by"'
        assert headers["cache-control"] == "no-store"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["content-language"] == language
        shown = await page.inner_text("body")
        order = stage.folder.order.read_text()
        until = re.search(r"^until = (\d+)-\d+-0?(\d+)T(\d+:\d+)", order, re.MULTILINE)
        assert until is not None
        for expected in (*shows, AUTHORITY, LAW, ORDER_ID, "UTC", *until.groups()):
            assert expected in shown, expected
        assert await page.locator(".receipt").is_visible()
        assert len(await page.locator(".receipt").inner_text()) >= 16
        # The style is the page's own, and its policy lets it apply; nothing else is fetched.
        assert await page.evaluate("getComputedStyle(document.querySelector('main')).borderTopStyle") == "solid"
        assert asked == [stage.url("CN", JOIN)]
        assert [text for text in complaints if "451" not in text] == []
        assert await fits(page)
        await shoot(page, f"notice-order-{language}")


async def test_a_host_policy_says_whose_it_is(browser: "Browser", tmp_path: Path) -> None:
    async with put_up(tmp_path) as stage, new_page(browser) as page:
        answer = await page.goto(stage.url("US", f"/meetings/{BOARD}/join?user=Will"))
        assert answer is not None
        assert answer.status == 403
        assert "link" not in await answer.all_headers()
        shown = await page.inner_text("body")
        for expected in ("The host of the meeting", POLICY_ID, "United States", "No legal order is involved."):
            assert expected in shown, expected
        await shoot(page, "notice-host-policy")


@pytest.mark.parametrize("websocket_reject", ["http", "close"])
async def test_an_order_removes_one_person_and_leaves_the_other(
    browser: "Browser", tmp_path: Path, websocket_reject: str
) -> None:
    async with (
        put_up(tmp_path, websocket_reject=websocket_reject) as stage,
        new_page(browser) as page_of_mei,
        new_page(browser) as page_of_kit,
    ):
        mei, kit = Visitor("Mei", page_of_mei), Visitor("Kit", page_of_kit)
        ruth = Participant(RUTH, ORDERED, stage.gate.port)
        ruth.pause = 0.05
        try:
            await both_talk(stage, mei, kit, ruth, websocket_reject)
            await the_order_takes_mei_out(stage, mei, kit, ruth, websocket_reject)
            await mei_is_told_at_the_door(mei, websocket_reject)
            await lifting_lets_mei_in_again(stage, mei, kit)
            await ruth.fall_silent()
            await kit_has_missed_nothing(kit, ruth)
        finally:
            await ruth.leave()
        assert mei.errors == kit.errors == []


async def both_talk(stage: Stage, mei: Visitor, kit: Visitor, ruth: Participant, variant: str) -> None:
    for visitor, territory in ((kit, "HK"), (mei, "CN")):
        await visitor.watch()
        await visitor.fill_in(stage.url(territory))
        await visitor.page.get_by_text("You are in.").wait_for()
    assert await mei.page.get_by_role("heading", name=f"Meeting {ORDERED}").is_visible()
    await shoot(mei.page, f"room-joined-{variant}")
    assert (await ruth.join()).admitted
    ruth.talk()
    await mei.say("Can you see the second page?")
    await kit.page.get_by_text("Can you see the second page?").wait_for()
    await kit.say("Yes, I have it here.")
    await mei.page.get_by_text("Yes, I have it here.").wait_for()
    await shoot(kit.page, f"room-before-{variant}")


async def the_order_takes_mei_out(stage: Stage, mei: Visitor, kit: Visitor, ruth: Participant, variant: str) -> None:
    stage.order_comes()
    await says_why(mei, "You were removed from this meeting", "closed with code 4451.")
    ((code, reason, clean),) = await mei.closes()
    assert (code, clean) == (4451, True)
    assert reason.startswith(f"legal order {ORDER_ID} until ")
    assert await fits(mei.page)
    await shoot(mei.page, f"ejected-{variant}")

    for number in range(5):  # the other one is in the same conversation, on the same socket, all the while
        await kit.say(f"still here {number}")
        await mei.page.wait_for_timeout(A_WHILE / 5)
    assert len(mei.sockets) == 1, "the page reconnected by itself"
    assert ruth.is_inside
    await kit.page.get_by_text("Mei left").wait_for()
    assert await kit.page.locator("#people").inner_text() == "K\nKit\nR\nRuth"
    await shoot(kit.page, f"room-under-the-order-{variant}")


async def mei_is_told_at_the_door(mei: Visitor, variant: str) -> None:
    await mei.page.get_by_role("button", name="Try again").click()
    how = "closed with code 4451." if variant == "close" else "refused with status 451."
    await says_why(mei, "You were not admitted to this meeting", how)
    _, (code, reason, clean) = await mei.closes()
    if variant == "close":
        assert (code, clean) == (4451, True)
        assert reason.startswith(f"legal order {ORDER_ID} until ")
    else:
        assert (code, reason, clean) == (1006, "", False)  # all that a script is told of a refused handshake
    await shoot(mei.page, f"not-admitted-{variant}")


async def lifting_lets_mei_in_again(stage: Stage, mei: Visitor, kit: Visitor) -> None:
    stage.order_is_lifted()
    again = mei.page.get_by_role("button", name="Try again")
    room = mei.page.get_by_text("You are in.")
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:  # a reload takes a moment
        await again.click()  # disabled from here until the page knows: in, or refused once more
        await mei.page.wait_for_function("document.querySelector('#again').disabled === false")
        if await room.is_visible():
            break
        await mei.page.wait_for_timeout(100)
    assert await room.is_visible()
    await mei.say("Here I am again.")
    await kit.page.get_by_text("Here I am again.").wait_for()


async def kit_has_missed_nothing(kit: Visitor, ruth: Participant) -> None:
    end = time.monotonic() + PATIENCE
    while True:  # what is on its way arrives
        heard_by_kit = compare(kit.heard.get("Ruth", []), ruth.stretches)
        heard_of_kit = compare(ruth.heard["Kit"], [Stretch(1, len(kit.said))])
        if (heard_by_kit.is_whole and heard_of_kit.is_whole) or time.monotonic() > end:
            break
        await kit.page.wait_for_timeout(100)
    assert heard_by_kit.received > 0
    assert heard_by_kit.is_whole, heard_by_kit
    assert kit.said == [1, 2, 3, 4, 5, 6]
    assert heard_of_kit.is_whole, heard_of_kit
    assert len(kit.sockets) == 1
    assert not kit.sockets[0].is_closed()
    assert await kit.closes() == []
    assert (ruth.joins, ruth.is_inside) == (1, True)


async def says_why(visitor: Visitor, title: str, how: str) -> None:
    panel = visitor.page.get_by_role("alert")
    await panel.get_by_role("heading", name=title, exact=True).wait_for()
    shown = await panel.inner_text()
    for expected in (
        AUTHORITY,
        LAW,
        ORDER_ID,
        how,
        "CN",
        "UTC",
        "The meeting goes on.",
        "Nothing is retried by itself.",
    ):
        assert expected in shown, expected
    assert re.search(r"Receipt\s+[a-z2-7]{16}\s", shown), shown


@pytest.mark.parametrize(
    ("locale", "title"), [("en-GB", "About this gate"), ("zh-CN", "关于本网关"), ("zh-TW", "關於本閘道")]
)
async def test_the_notice_leads_to_the_gate_s_own_page(
    browser: "Browser", tmp_path: Path, locale: str, title: str
) -> None:
    async with put_up(tmp_path) as stage, new_page(browser, locale=locale) as page:
        await order_in_force(stage, page)
        await page.goto(stage.url("CN", JOIN))
        async with page.expect_navigation() as navigation:
            await page.get_by_role("link", name=title).click()
        answer = await navigation.value
        assert answer is not None
        assert answer.status == 200
        assert page.url == stage.url("CN", "/.well-known/joingate")
        assert await page.locator("h1").inner_text() == title
        assert await page.locator("main ol > li").count() == 8  # the eight guarantees
        assert await fits(page)
        await shoot(page, f"about-{locale}")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_entry_asks_for_a_meeting_and_a_name(browser: "Browser", tmp_path: Path, scheme: Scheme) -> None:
    async with put_up(tmp_path) as stage, new_page(browser, scheme=scheme) as page:
        await page.goto(stage.url("HK", f"/#as=HK&meeting={ORDERED}"))
        assert await page.get_by_role("textbox", name="Meeting").input_value() == ORDERED
        await page.get_by_role("button", name="Join").click()  # without a name the browser itself objects
        assert await page.get_by_role("heading", name="Join a meeting").is_visible()
        assert await page.get_by_text("demo's door for HK").is_visible()
        assert await fits(page)
        await shoot(page, f"entry-{scheme}")


async def order_in_force(stage: Stage, page: "Page") -> None:
    """Put the order in force and wait until the gate refuses by it."""
    stage.order_comes()
    end = time.monotonic() + PATIENCE
    while (await page.request.get(stage.url("CN", JOIN))).status != 451:
        assert time.monotonic() < end, f"the order is not in force\n{stage.gate.log_tail()}"
        await page.wait_for_timeout(100)


async def fits(page: "Page") -> bool:
    """Whether a phone would show the page without scrolling sideways."""
    before = page.viewport_size
    await page.set_viewport_size({"width": 320, "height": 700})
    fitting: bool = await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    if before is not None:
        await page.set_viewport_size(before)
    return fitting
