"""What one needs is in reach: in long channels, on small screens, and for a keyboard."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import MakeWindows
from tests.browser.windows import IN_BROWSER, choose, posts, write
from tests.conftest import MakeWorld, World
from tests.sandbox.mattermostkit import integration

if TYPE_CHECKING:
    from playwright.async_api import Locator, Page

pytestmark = IN_BROWSER

PHONE, MIDDLE = {"width": 390, "height": 844}, {"width": 850, "height": 800}

TOP = "document.querySelector('#scroll').scrollTop"
IN_SIGHT = """(it) => {
  const [inner, outer] = [it.getBoundingClientRect(), it.closest(".scroll").getBoundingClientRect()];
  return inner.top >= outer.top && inner.bottom <= outer.bottom + 1;
}"""


async def is_in_sight(shown: Locator) -> bool:
    """Whether all of it is in the part of its list that one sees."""
    return bool(await shown.evaluate(IN_SIGHT))


async def has_focus(shown: Locator) -> bool:
    """Whether what is typed goes there."""
    return bool(await shown.evaluate("it => it === document.activeElement"))


def composer(page: Page) -> Locator:
    """Where one writes in the channel."""
    return page.locator("#composer textarea")


async def scroll_to(page: Page, top: int) -> None:
    """Scroll the messages elsewhere, and wait until the page has been told."""
    await page.evaluate(
        """top => new Promise(done => {
            const list = document.querySelector("#scroll");
            list.addEventListener("scroll", () => done(), { once: true });
            list.scrollTop = top;
        })""",
        top,
    )


async def fill(world: World, channel: str = "dev") -> None:
    """More than a screen of messages."""
    for number in range(40):
        await world.mattermost.post("bob", channel, f"message {number}")


async def test_what_one_writes_or_is_told_alone_is_in_sight(
    make_world: MakeWorld, open_windows: MakeWindows
) -> None:
    world = await make_world(start=False)
    await fill(world)
    page = await (await open_windows(world)).open("alice")
    await posts(page).nth(39).wait_for()
    assert await is_in_sight(posts(page).last)
    await scroll_to(page, 0)
    await world.mattermost.post("bob", "dev", "of others")
    await posts(page).get_by_text("of others").wait_for()
    assert await page.evaluate(TOP) == 0
    await page.get_by_role("button", name="@zoom standup").click()
    await page.keyboard.press("Enter")
    own = posts(page).filter(has_text="@zoom standup")
    await own.wait_for()
    assert await is_in_sight(own)
    await scroll_to(page, 0)
    async with integration() as served:
        served.answer = {"response_type": "ephemeral", "text": "for you"}
        world.mattermost.register_command("whisper", served.url)
        await write(page, "/whisper")
        told = posts(page).filter(has_text="for you")
        await told.wait_for()
    assert await is_in_sight(told)


async def test_a_composer_grows_with_what_is_written_and_hides_nothing(
    make_world: MakeWorld, open_windows: MakeWindows
) -> None:
    world = await make_world(start=False)
    await fill(world)
    page = await (await open_windows(world)).open("alice")
    await posts(page).nth(39).wait_for()
    height = "it => it.offsetHeight"
    one = await composer(page).evaluate(height)
    await composer(page).fill("word " * 60)
    some = await composer(page).evaluate(height)
    assert one < some < 4 * one
    await composer(page).fill("word " * 3000)
    assert some < await composer(page).evaluate(height) < 6 * one
    await page.evaluate("() => new Promise(requestAnimationFrame)")
    assert await is_in_sight(posts(page).last)
    await page.keyboard.press("Enter")
    await posts(page).nth(40).wait_for()
    assert await composer(page).evaluate(height) == one


async def test_the_guide_stays_in_reach_and_folds_where_there_is_little_room(
    make_world: MakeWorld, open_windows: MakeWindows
) -> None:
    world = await make_world(start=False)
    await fill(world)
    windows = await open_windows(world)
    page = await windows.open("alice", viewport=PHONE)
    guide = page.locator("#guide")
    await guide.get_by_text("Your first minute").wait_for()
    await guide.get_by_role("button", name="/zoom retro").click()
    assert await composer(page).input_value() == "/zoom retro"
    assert await guide.evaluate("it => it.scrollWidth <= it.clientWidth && it.offsetHeight < 50")
    assert await guide.get_by_text("Your first minute").count() == 0
    await windows.snap(page, "folded")
    await guide.get_by_role("button", name="Show").click()
    await guide.get_by_text("Your first minute").wait_for()
    await guide.get_by_role("button", name="Hide").click()
    await guide.get_by_role("button", name="help").click()
    await page.locator("#title", has_text="zoom").wait_for()
    assert await guide.get_by_role("button").all_inner_texts() == ["@zoom standup", "/zoom retro", "help"]


async def test_the_guide_is_not_said_twice_where_the_bot_says_it(
    make_world: MakeWorld, open_windows: MakeWindows
) -> None:
    world = await make_world(start=False)
    page = await (await open_windows(world)).open("alice")
    heading = page.get_by_role("heading", name="Your first minute")
    await page.get_by_role("button", name="@zoom standup").click()
    assert await heading.is_visible()
    await choose(page, "zoom")
    await heading.wait_for(state="detached")
    await page.get_by_role("button", name="@zoom standup").click()
    await page.locator("#title", has_text="Dev").wait_for()
    await heading.wait_for()


async def test_the_drawer_tells_of_news_and_closes_as_people_expect(
    make_world: MakeWorld, open_windows: MakeWindows
) -> None:
    world = await make_world(start=False)
    windows = await open_windows(world)
    page = await windows.open("alice", viewport=PHONE)
    button, drawer = page.locator("#drawer"), page.locator("#sidebar")
    await world.mattermost.post("bob", "ops", "psst")
    await page.get_by_role("button", name="Channels unread").click()
    await windows.snap(page, "drawer")
    assert await page.locator("#composer").evaluate("it => it.inert")
    await page.keyboard.press("Escape")
    await drawer.wait_for(state="hidden")
    assert await has_focus(button)
    await button.click()
    await page.mouse.click(350, 500)
    await drawer.wait_for(state="hidden")
    assert await page.locator("#composer").evaluate("it => !it.inert")
    await button.click()
    await choose(page, "Ops")
    await drawer.wait_for(state="hidden")
    assert await has_focus(composer(page))
    await page.get_by_role("button", name="Channels", exact=True).wait_for()


@pytest.mark.parametrize("size", [MIDDLE, PHONE], ids=["middle", "phone"])
async def test_where_there_is_no_room_for_both_a_thread_takes_the_rooms_place(
    make_world: MakeWorld, open_windows: MakeWindows, size: dict[str, int]
) -> None:
    world = await make_world(start=False)
    await fill(world)
    windows = await open_windows(world)
    page = await windows.open("alice", viewport=size)
    await posts(page).nth(39).wait_for()
    await scroll_to(page, 300)
    reply = posts(page).nth(7).get_by_role("button", name="Reply")
    await reply.click()
    thread = page.locator("#thread")
    await thread.get_by_text("message 7").wait_for()
    await page.locator(".room").wait_for(state="hidden")
    before = await page.evaluate(TOP)
    left, right = await thread.evaluate("it => [it.offsetLeft, it.offsetLeft + it.offsetWidth]")
    assert (left, right) == (0 if size is PHONE else 225, size["width"])
    await composer(page).focus()
    assert not await has_focus(composer(page))
    await windows.snap(page, f"thread-{size['width']}")
    await page.keyboard.press("Escape")
    await thread.wait_for(state="hidden")
    assert await has_focus(reply)
    assert await page.evaluate(TOP) == before
    await reply.click()
    await thread.get_by_text("message 7").wait_for()
    if size is MIDDLE:
        await choose(page, "Dev")
        await thread.wait_for(state="hidden")


async def test_escape_closes_the_thread_from_anywhere_and_channels_lead_to_the_composer(
    make_world: MakeWorld, open_windows: MakeWindows
) -> None:
    world = await make_world(start=False)
    page = await (await open_windows(world)).open("alice")
    await world.mattermost.post("bob", "dev", "a question")
    await posts(page).get_by_role("button", name="Reply").click()
    thread = page.locator("#thread")
    await thread.get_by_text("a question").wait_for()
    await composer(page).focus()
    await page.keyboard.press("Escape")
    await thread.wait_for(state="hidden")
    assert await has_focus(composer(page))
    await choose(page, "Town Square")
    assert await has_focus(composer(page))
    await choose(page, "bob")
    assert await has_focus(composer(page))


async def test_the_ring_of_the_focus_leaves_the_neighbours_alone(
    make_world: MakeWorld, open_windows: MakeWindows
) -> None:
    world = await make_world(start=False)
    windows = await open_windows(world)
    page = await windows.open("alice")
    await write(page, "/nosuch thing")
    problem = page.get_by_role("alert").filter(has_text="not found")
    await problem.wait_for()
    ring = """it => {
      const { outlineWidth, outlineOffset } = getComputedStyle(it);
      return it.getBoundingClientRect().bottom + parseFloat(outlineWidth) + parseFloat(outlineOffset);
    }"""
    assert await has_focus(composer(page))
    words = "it => it.getBoundingClientRect().top + parseFloat(getComputedStyle(it).paddingTop)"
    assert await composer(page).evaluate(ring) < await problem.evaluate(words)
    windows.errors.clear()
