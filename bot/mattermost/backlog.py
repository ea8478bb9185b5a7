"""The queue between the socket, which never waits, and the consumer of its events, which may."""

from __future__ import annotations

import asyncio
from collections import deque

from bot.mattermost.frames import Event

MAX_FRAMES = 4096
MAX_CHARACTERS = 32 * 1024 * 1024


class Backlog:
    """A bounded queue of events and of notes about new connections (True: resumed, False: fresh)."""

    def __init__(self, max_frames: int = MAX_FRAMES, max_characters: int = MAX_CHARACTERS) -> None:
        self._items: deque[Event | bool] = deque()
        self._max_frames = max_frames
        self._max_characters = max_characters
        self._characters = 0
        self._filled = asyncio.Event()
        self._emptied = asyncio.Event()
        self._emptied.set()

    def offer(self, event: Event) -> bool:
        """Append an event; return False if there is no room for it."""
        if len(self._items) >= self._max_frames or self._characters + event.size > self._max_characters:
            return False
        self._characters += event.size
        self._append(event)
        return True

    def announce(self, resumed: bool) -> None:
        """Append a note about a new connection. There are few of these, so the limits do not apply."""
        self._append(resumed)

    async def take(self) -> Event | bool:
        """Wait for the oldest item and remove it."""
        await self._filled.wait()
        item = self._items.popleft()
        if isinstance(item, Event):
            self._characters -= item.size
        if not self._items:
            self._filled.clear()
            self._emptied.set()
        return item

    async def emptied(self) -> None:
        """Wait until everything has been taken."""
        await self._emptied.wait()

    def _append(self, item: Event | bool) -> None:
        self._items.append(item)
        self._filled.set()
        self._emptied.clear()
