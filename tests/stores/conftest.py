from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from bot.stores import Store
from bot.stores.opening import open_store

# Every store that the conformance tests judge: its name → what opens it in a directory, again and again.
Opener = Callable[[Path], Awaitable[Store]]


def _open_tiny(directory: Path) -> Awaitable[Store]:
    return open_store(f"tinydb:{directory}/zoombot.db")


OPENERS: dict[str, Opener] = {"tinydb": _open_tiny}


def files(directory: Path) -> dict[str, int]:
    """The name and mode of each file."""
    return {file.name: file.stat().st_mode & 0o777 for file in directory.iterdir()}


@pytest.fixture(params=OPENERS)
def opener(request: pytest.FixtureRequest) -> Opener:
    return OPENERS[request.param]


@pytest.fixture
async def store(opener: Opener, tmp_path: Path) -> AsyncIterator[Store]:
    store = await opener(tmp_path)
    yield store
    await store.close()
