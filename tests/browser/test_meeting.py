"""The meeting's page: its buttons work in place, for a keyboard too, and it follows what others do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.browser.conftest import MakeWindows
from tests.browser.windows import IN_BROWSER
from tests.conftest import MakeWorld

if TYPE_CHECKING:
    from playwright.async_api import Page

pytestmark = IN_BROWSER


async def focused(page: Page) -> str:
    """What has the focus, in words."""
    words: str = await page.evaluate("document.activeElement.value ?? document.activeElement.innerText")
    return words or await page.evaluate("document.activeElement.innerText")


async def test_the_focus_stays_with_the_button_or_goes_to_what_became_of_it(
    make_world: MakeWorld, open_windows: MakeWindows
) -> None:
    world = await make_world()
    await world.link("alice")
    _, meeting = await world.meeting()
    page = await (await open_windows(world)).open("alice")
    await page.goto(meeting.join_url)

    async def press(name: str, then: str) -> None:
        await page.get_by_role("button", name=name).focus()
        await page.keyboard.press("Enter")
        await page.get_by_text(then).wait_for()

    await press("Join as Bob Demo", "At the door (1)")
    assert await focused(page) == "Waiting for the host, Alice Demo."
    await press("Start as Alice Demo", "In the meeting (2)")
    await press("Record", "It is being recorded.")
    assert "It is being recorded." in await focused(page)
    await press("+ 2 hours", "Live for 2 h.")
    assert await focused(page) == "+ 2 hours"
    await press("Leave as Bob Demo", "In the meeting (1)")
    await press("Stop recording", "Live for 2 h.")
    await press("End for all", "It lasted 2 h.")
    await press("Publish the recording", "Zoom publishes the transcript at")
    await press("Publish the transcript", "ready some minutes later")
    await press("Publish the summary", "All is published")
    assert "This meeting has ended." in await focused(page)
    told = [delivery.event for delivery in world.zoom.deliveries]
    assert told.count("recording.started") == told.count("recording.stopped") == 1
    assert told.count("recording.completed") == told.count("recording.transcript_completed") == 1


async def test_what_is_being_written_stays_when_others_come_and_go(
    make_world: MakeWorld, open_windows: MakeWindows
) -> None:
    world = await make_world()
    await world.link("alice")
    _, meeting = await world.meeting()
    page = await (await open_windows(world)).open("alice")
    await page.goto(meeting.join_url)
    await page.get_by_label("Name").fill("Zoë")
    await world.zoom.start(meeting.id)
    await page.get_by_text("In the meeting (1)").wait_for()
    assert await focused(page) == "Zoë"
    await page.keyboard.press("Enter")
    await page.get_by_role("listitem").filter(has_text="Zoë").wait_for()


async def test_what_is_not_possible_any_more_is_said_on_the_page(
    make_world: MakeWorld, open_windows: MakeWindows
) -> None:
    world = await make_world()
    await world.link("alice")
    _, meeting = await world.meeting()
    windows = await open_windows(world)
    page = await windows.open("alice")
    # The page hears of nothing, as one that was away does.
    await page.route("**/live?*", lambda route: None)
    await page.goto(meeting.join_url)
    await world.zoom.start(meeting.id)
    await page.get_by_role("button", name="Start as Alice Demo").click()
    await page.get_by_role("alert").filter(has_text="Not now").wait_for()
    # Chromium itself notes every answer of 400 and above.
    assert all("409" in error for error in windows.errors)
    windows.errors.clear()


async def test_nobody_is_chosen_on_the_consent_page_until_somebody_is(
    make_world: MakeWorld, open_windows: MakeWindows
) -> None:
    world = await make_world()
    page = await (await open_windows(world)).open("bob")
    await page.goto(world.bot.ctx.oauth.authorize_url("state", "v" * 64))
    await page.get_by_role("button", name="Allow").click()
    assert await page.get_by_role("radio", checked=True).count() == 0
    assert await page.evaluate("document.activeElement.matches(':invalid')")
    await page.get_by_label("Bob Demo").check()
    assert await page.evaluate("document.querySelector('form').checkValidity()")
