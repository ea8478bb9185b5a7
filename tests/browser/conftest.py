"""A Chromium for the pages of the demo: the system's, or else Playwright's own."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from tests.browser.windows import Windows
from tests.conftest import MakeWorld, World, worlds_in

if TYPE_CHECKING:
    from playwright.async_api import Browser

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")

MakeWindows = Callable[[World], Awaitable[Windows]]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """One headless browser; each window has a store of its own. To start one for each test would cost more than
    what the tests do."""
    api = pytest.importorskip("playwright.async_api", reason="Playwright is not installed")
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    async with api.async_playwright() as playwright:
        path = found or playwright.chromium.executable_path
        if not Path(path).exists():
            pytest.skip("there is no Chromium: neither on the PATH nor Playwright's own")
        browser = await playwright.chromium.launch(executable_path=path)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def make_world(tmp_path: Path) -> AsyncIterator[MakeWorld]:
    """As everywhere, in the loop of the browser."""
    async with worlds_in(tmp_path) as make:
        yield make


@pytest_asyncio.fixture(loop_scope="session")
async def open_windows(browser: Browser, tmp_path: Path) -> AsyncIterator[MakeWindows]:
    """Windows onto a world; in the end nothing went wrong in them, and nothing was loaded from elsewhere."""
    async with AsyncExitStack() as stack:

        async def make(world: World) -> Windows:
            windows = Windows(browser, world, tmp_path)
            stack.push_async_callback(_close, windows)
            return windows

        yield make


async def _close(windows: Windows) -> None:
    for context in windows.browser.contexts:
        await context.close()
    assert windows.errors == []
    assert windows.strays == []
