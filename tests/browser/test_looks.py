"""The pages on small screens, in the dark, and without a mouse."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import MakeWindows
from tests.browser.windows import IN_BROWSER, choose, posts
from tests.conftest import MakeWorld
from tests.sandbox.mattermostkit import integration

if TYPE_CHECKING:
    from playwright.async_api import Page

pytestmark = IN_BROWSER

LONG = "W" * 300
WIDE = "| a | b |\n|---|---|\n| " + "cell " * 60 + f"| {LONG} |"
READABLE, VISIBLE = 4.5, 3.0
FITS = "() => document.scrollingElement.scrollWidth <= innerWidth"

MEASURE = (Path(__file__).parent / "measure.js").read_text(encoding="utf-8")


async def faint(page: Page) -> list[str]:
    """What is hard to read, or to see the edge of."""
    found: dict[str, list[tuple[float, str]]] = await page.evaluate(MEASURE)
    assert len(found["words"]) > 5
    measured = [(pair, READABLE) for pair in found["words"] + found["placeholders"]]
    measured += [(pair, VISIBLE) for pair in found["borders"]]
    return [f"{what}: {ratio:.2f}" for (ratio, what), least in measured if ratio < least]


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_everything_is_readable_in_light_and_dark(
    make_world: MakeWorld, open_windows: MakeWindows, scheme: str
) -> None:
    world = await make_world()
    await world.link("alice")
    windows = await open_windows(world)
    page = await windows.open("alice", color_scheme=scheme)
    card, meeting = await world.meeting("alice", "dev")
    async with integration() as served:
        served.answer = {"text": "**for** you `alone`\n> @alice\n\n| a |\n| - |\n| b |"}
        world.mattermost.register_command("whisper", served.url)
        await world.mattermost.command("alice", "dev", "/whisper")
    await posts(page).filter(has_text="Only visible to you").wait_for()
    assert await faint(page) == []
    await posts(page).get_by_role("button", name="Reply").first.click()
    assert await faint(page) == []
    dark = await page.evaluate("getComputedStyle(document.body).backgroundColor === 'rgb(20, 23, 29)'")
    assert dark == (scheme == "dark")
    await world.zoom.start(meeting.id)
    await world.shows(card, lambda post: post.props["meeting_status"] == "STARTED")
    await page.goto(meeting.join_url)
    assert await faint(page) == []
    await page.goto(world.zoom.url)
    assert await faint(page) == []


async def test_nothing_is_wider_than_a_narrow_screen(
    make_world: MakeWorld, open_windows: MakeWindows
) -> None:
    world = await make_world()
    await world.link("alice")
    windows = await open_windows(world)
    page = await windows.open("alice", viewport={"width": 320, "height": 640})
    _, meeting = await world.meeting("alice", "dev", topic=LONG[:200])
    for message in (LONG, WIDE, f"```\n{LONG}\n```", f"> - {LONG}"):
        await world.mattermost.post("bob", "dev", message)
    await posts(page).nth(5).wait_for()
    assert await page.evaluate(FITS)
    await windows.snap(page, "narrow")
    await page.get_by_role("button", name="Channels").click()
    assert await page.evaluate(FITS)
    await choose(page, "Town Square")
    await page.locator("#sidebar").wait_for(state="hidden")
    await page.get_by_role("button", name="Channels").click()
    await choose(page, "Dev")
    await posts(page).get_by_role("button", name="Reply").last.click()
    await page.locator("#thread").get_by_text(LONG).wait_for()
    assert await page.evaluate(FITS)
    await page.goto(meeting.join_url)
    assert await page.evaluate(FITS)


async def test_a_keyboard_is_enough(make_world: MakeWorld, open_windows: MakeWindows) -> None:
    world = await make_world(start=False)
    page = await (await open_windows(world)).open("alice")
    await page.keyboard.type("one")
    await page.keyboard.press("Shift+Enter")
    await page.keyboard.type("two")
    await page.keyboard.press("Enter")
    await world.mattermost.wait_for(lambda: world.mattermost.posts("dev"))
    assert world.mattermost.posts("dev")[0].message == "one\ntwo"
    await go_to(page, "Town Square")
    await page.keyboard.press("Enter")
    await page.locator("#title", has_text="Town Square").wait_for()
    await go_to(page, "help")
    await page.keyboard.press("Enter")
    await page.locator("#title", has_text="zoom").wait_for()
    await page.keyboard.press("Enter")
    await world.mattermost.wait_for(lambda: world.mattermost.posts(world.direct("alice")))


async def go_to(page: Page, name: str) -> None:
    """Tab until a button has the focus, which is always to be seen."""
    for _ in range(60):
        await page.keyboard.press("Tab")
        outline, words = await page.evaluate(
            "() => [getComputedStyle(document.activeElement).outlineStyle, document.activeElement.innerText]"
        )
        # Between the last and the first element nothing has the focus.
        assert outline != "none" or await page.evaluate("document.activeElement === document.body")
        if words == name:
            return
    raise AssertionError(f"{name} cannot be reached by keyboard")
