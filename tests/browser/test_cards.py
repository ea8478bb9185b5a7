"""Every state of what the bot posts, as a person sees it; ``ZOOMBOT_SCREENSHOTS`` keeps the pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import MakeWindows
from tests.browser.windows import IN_BROWSER, caught_up, choose, posts, write
from tests.conftest import MakeWorld

if TYPE_CHECKING:
    from playwright.async_api import Locator

pytestmark = IN_BROWSER


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_each_state_of_a_meeting_is_said_in_words(
    make_world: MakeWorld, open_windows: MakeWindows, scheme: str
) -> None:
    world = await make_world(meetings={"duplicate_window_ms": 0})
    await world.link("alice")
    windows = await open_windows(world)
    page = await windows.open("alice", color_scheme=scheme)

    async def show(state: Locator, words: str, name: str) -> None:
        await state.get_by_text(words).first.wait_for()
        await windows.snap(state, f"card-{name}-{scheme}")

    await write(page, "@zoom standup")
    card = posts(page).nth(1)
    await show(card, "Waiting for the host", "waiting")
    assert await card.get_by_role("link", name="Join the meeting").is_visible()
    number = world.zoom.created[0]
    await world.zoom.start(number)
    await world.zoom.join(number, "Bob Demo")
    await show(card, "Live, 2 people in the meeting", "live")
    assert await card.get_by_role("link", name="Join the meeting").is_visible()
    about = {"id": number, "uuid": world.zoom.meetings[number].uuid}
    await world.zoom.deliver("recording.started", {"object": about})
    await show(card, "Live and being recorded, 2 people in the meeting", "recorded")
    world.zoom.clock.advance(45 * 60)
    await world.zoom.end(number)
    await show(card, "45 min", "ended")
    assert await card.get_by_role("link").count() == 0
    await world.zoom.record(number)
    await card.get_by_role("button", name="repl").click()
    await show(page.locator("#thread .posts > li").nth(1), "recording", "recording")
    await page.keyboard.press("Escape")

    world.zoom.faults.add(status=500, times=-1, method="POST", path=r"/meetings$")
    await write(page, "@zoom retro")
    await choose(page, "zoom")
    await show(posts(page).last, "⚠", "error")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_a_question_is_shown_with_its_buttons_until_it_is_answered(
    make_world: MakeWorld, open_windows: MakeWindows, scheme: str
) -> None:
    world = await make_world()
    await world.link("alice")
    windows = await open_windows(world)
    page = await windows.open("alice", color_scheme=scheme)
    await write(page, "@zoom standup")
    await posts(page).get_by_text("Waiting for the host").wait_for()
    await write(page, "@zoom standup")
    await choose(page, "zoom")
    question = posts(page).filter(has=page.locator(".actions"))
    await question.wait_for()
    assert await question.get_by_role("link", name="Join “standup”?").is_visible()
    await windows.snap(question, f"card-question-{scheme}")
    await question.locator(".actions").get_by_role("button", name="Start another").click()
    answered = posts(page).filter(has_text="You chose: Start another")
    await answered.wait_for()
    await question.wait_for(state="detached")
    # The bot edits the question once more, which draws it anew.
    await caught_up(page, world)
    await windows.snap(answered, f"card-answered-{scheme}")
    await world.mattermost.wait_for(lambda: len(world.zoom.created) == 2)


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_cards_are_taken_in_at_a_glance_on_a_phone(
    make_world: MakeWorld, open_windows: MakeWindows, scheme: str
) -> None:
    world = await make_world(meetings={"duplicate_window_ms": 0})
    await world.link("alice")
    _, ended = await world.meeting(topic="planning")
    await world.zoom.start(ended.id)
    await world.zoom.join(ended.id, "Bob Demo")
    world.zoom.clock.advance(62 * 60)
    await world.zoom.end(ended.id)
    _, live = await world.meeting(topic="standup")
    await world.zoom.start(live.id)
    await world.zoom.join(live.id, "Bob Demo")
    await world.meeting(topic="retro")
    windows = await open_windows(world)
    page = await windows.open("alice", color_scheme=scheme, viewport={"width": 390, "height": 844})
    cards = page.locator(".attachment")
    for words in ("1 h 2 min", "2 people", "Waiting for the host"):
        await cards.get_by_text(words).first.wait_for()
    await windows.snap(page, f"cards-phone-{scheme}")
    for card in await cards.all():
        box = await card.bounding_box()
        assert box is not None
        assert box["height"] < 200
