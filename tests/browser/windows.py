"""Browser windows that remember what must not happen in them."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from yarl import URL

from tests.conftest import World
from tests.features.kit import settle

if TYPE_CHECKING:
    from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, Request

# The tests of the pages run in the loop that the browser was started in.
IN_BROWSER = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
SCREENSHOTS = "ZOOMBOT_SCREENSHOTS"


@dataclass
class Windows:
    """The windows of one test, each person's with a store of its own."""

    browser: Browser
    world: World
    folder: Path
    errors: list[str] = field(default_factory=list)
    strays: list[str] = field(default_factory=list)

    async def open(self, person: str, **more: Any) -> Page:
        """A person's chat page, once it listens."""
        context = await self.browser.new_context(reduced_motion="reduce", **more)
        context.set_default_timeout(10_000)
        self.watch(context)
        page = await context.new_page()
        await page.goto(f"{self.world.mattermost.url}/?as={person}")
        await self.ready(page, person)
        return page

    async def ready(self, page: Page, person: str) -> None:
        """Wait until the page is this person's and follows what happens."""
        await page.locator(f'#people [data-person="{person}"][aria-pressed="true"]').wait_for()
        await page.locator("#state:empty").wait_for(state="attached")
        await page.locator("#composer textarea").wait_for()

    def watch(self, context: BrowserContext) -> None:
        """Remember errors, and requests that leave this machine's stage."""
        context.on("console", self._hear)
        context.on("weberror", lambda error: self.errors.append(str(error.error)))
        context.on("request", self._see)

    async def snap(self, target: Page | Locator, name: str) -> Path:
        """A screenshot; kept where ``ZOOMBOT_SCREENSHOTS`` says, else with the test."""
        folder = Path(os.environ.get(SCREENSHOTS) or self.folder)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{name}.png"
        await target.screenshot(path=path, animations="disabled")
        return path

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.errors.append(f"{message.text} ({message.location})")

    def _see(self, request: Request) -> None:
        url = URL(request.url)
        if url.scheme not in ("data", "blob") and url.authority not in self._hosts():
            self.strays.append(request.url)

    def _hosts(self) -> set[str]:
        stage = self.world.stage
        return {
            URL(url).authority
            for url in (stage.mattermost_url, stage.zoom_url, self.world.config.web.public_url)
        }


async def write(page: Page, text: str) -> None:
    """Write in the channel that is shown, as a person at a keyboard does."""
    box = page.locator("#composer textarea")
    await box.click()
    await page.keyboard.type(text)
    await page.keyboard.press("Enter")


async def caught_up(page: Page, world: World) -> None:
    """Wait until the bot has done everything and the page shows it: events come in order, so that what is
    marked as unread now comes after all the rest. Nobody has looked at Town Square before."""
    await settle(world)
    await world.mattermost.post("bob", "town-square", "what comes last")
    await page.locator("#sidebar .unread", has_text="Town Square").wait_for()


async def choose(page: Page, channel: str) -> None:
    """Go to a channel, or to somebody's direct messages."""
    await page.locator("#sidebar").get_by_role("button", name=channel).click()
    await page.locator("#title", has_text=channel).wait_for()


async def follow(page: Page, link: Locator) -> Page:
    """Follow a link that opens a window of its own."""
    async with page.context.expect_page() as opened:
        await link.click()
    other = await opened.value
    await other.wait_for_load_state()
    return other


def posts(page: Page) -> Locator:
    """The messages of the channel that is shown."""
    return page.locator("#posts > li")
