"""The demo is stopped and started again on the same port: the page says so, and goes on."""

from __future__ import annotations

from yarl import URL

from bot.sandbox.mattermost import Mattermost
from bot.sandbox.site import page_routes
from tests.browser.conftest import MakeWindows
from tests.browser.windows import IN_BROWSER, Windows, choose, posts, write
from tests.conftest import MakeWorld

pytestmark = IN_BROWSER


def forget_what_chromium_notes(windows: Windows) -> None:
    """It notes by itself whatever was refused or not answered."""
    assert all("Failed to load" in error or "WebSocket" in error for error in windows.errors)
    windows.errors.clear()


async def test_the_page_outlives_the_demo(make_world: MakeWorld, open_windows: MakeWindows) -> None:
    world = await make_world(start=False)
    windows = await open_windows(world)
    page = await windows.open("bob")
    await choose(page, "Town Square")
    await world.mattermost.post("alice", "town-square", "of the old demo")
    await posts(page).get_by_text("of the old demo").wait_for()
    port = URL(world.mattermost.url).port
    assert port is not None
    await page.locator("#composer textarea").fill("half written")
    await world.mattermost.stop()
    down = page.get_by_role("alert").filter(has_text="has stopped")
    await down.get_by_text(f"zoombot demo --port {port}").wait_for()
    await windows.snap(page, "stopped")
    # Nobody can become somebody else now, and nothing is lost by trying.
    await page.locator("#people").get_by_role("button", name="carol").click()
    async with Mattermost(port=port, routes=page_routes(world.zoom)) as anew:
        await anew.wait_for_socket("bob")
        await windows.ready(page, "bob")
        await down.wait_for(state="hidden")
        await page.locator("#title", has_text="Town Square").wait_for()
        assert await page.locator("#composer textarea").input_value() == "half written"
        assert await posts(page).count() == 0
        await page.keyboard.press("Enter")
        await posts(page).get_by_text("half written").wait_for()
        assert [post.message for post in anew.posts("town-square")] == ["half written"]
        forget_what_chromium_notes(windows)
        await page.close()


async def test_what_is_sent_to_a_demo_that_knows_nobody_is_kept(
    make_world: MakeWorld, open_windows: MakeWindows
) -> None:
    world = await make_world(start=False)
    windows = await open_windows(world)
    page = await windows.open("bob")
    port = URL(world.mattermost.url).port
    assert port is not None
    # The page does not hear that its connection is gone.
    await page.clock.install()
    await page.clock.pause_at("2999-01-01")
    await world.mattermost.stop()
    async with Mattermost(port=port, routes=page_routes(world.zoom)) as anew:
        await write(page, "anybody?")
        await anew.wait_for_socket("bob")
        await windows.ready(page, "bob")
        assert await page.locator("#composer textarea").input_value() == "anybody?"
        await page.keyboard.press("Enter")
        await posts(page).get_by_text("anybody?").wait_for()
        forget_what_chromium_notes(windows)
        await page.close()
