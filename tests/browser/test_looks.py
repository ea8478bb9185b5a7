"""The pages on small screens, in the dark, and without a mouse."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import MakeWindows
from tests.browser.windows import choose, posts
from tests.conftest import MakeWorld
from tests.sandbox.mattermostkit import integration

if TYPE_CHECKING:
    from playwright.async_api import Page

pytestmark = pytest.mark.browser

LONG = "W" * 300
WIDE = "| a | b |\n|---|---|\n| " + "cell " * 60 + f"| {LONG} |"
READABLE = 4.5
FITS = "() => document.scrollingElement.scrollWidth <= innerWidth"

# Of every element that has text of its own: the contrast with what is painted behind it (WCAG 2.1).
CONTRASTS = """() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const pixel = (colour) => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = (colour) => {
    const [r, g, b] = pixel(colour).map((part) => part / 255).map((part) => part <= .03928 ? part / 12.92 : ((part + .055) / 1.055) ** 2.4);
    return .2126 * r + .7152 * g + .0722 * b;
  };
  const behind = (node) => {
    for (; node; node = node.parentElement) {
      const colour = getComputedStyle(node).backgroundColor;
      if (pixel(colour)[3] === 255) return colour;
    }
    return "white";
  };
  const own = (node) => [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim());
  return [...document.querySelectorAll("body *")].filter((node) => own(node) && node.checkVisibility()).map((node) => {
    const [one, other] = [light(getComputedStyle(node).color), light(behind(node))].sort((a, b) => b - a);
    return [(one + .05) / (other + .05), node.textContent.slice(0, 40)];
  });
}"""


async def faint(page: Page) -> list[str]:
    """Words that are hard to read."""
    found: list[tuple[float, str]] = await page.evaluate(CONTRASTS)
    assert len(found) > 5
    return [f"{words}: {ratio:.1f}" for ratio, words in found if ratio < READABLE]


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
