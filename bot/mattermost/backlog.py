"""The queue between the socket, which never waits, and the consumer of its events, which may."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Container

from bot.mattermost.frames import Event

MAX_FRAMES = 4096
MAX_CHARACTERS = 32 * 1024 * 1024

Passes = Callable[[Event], bool]


class Backlog:
    """A bounded queue of events and of notes about new connections (True: resumed, False: fresh).

    If there are ``names``, only events of these are queued. An event for which ``passes(event)`` is True is
    not queued either. This is not asked while something before it waits or is still being handled.
    """

    def __init__(
        self,
        max_frames: int = MAX_FRAMES,
        max_characters: int = MAX_CHARACTERS,
        *,
        names: Container[str] | None = None,
        passes: Passes | None = None,
    ) -> None:
        self._items: deque[Event | bool] = deque()
        self._names = names
        self._passes = passes
        self._max_frames = max_frames
        self._max_characters = max_characters
        self._characters = 0
        # Whether what was taken last is still being handled.
        self._handling = False
        self._filled = asyncio.Event()
        self._emptied = asyncio.Event()
        self._emptied.set()

    def offer(self, event: Event) -> bool:
        """Append an event that has to be queued; return False if there is no room for it."""
        if self._names is not None and event.name not in self._names:
            return True
        if self._passes is not None and not (self._items or self._handling) and self._passes(event):
            return True
        if len(self._items) >= self._max_frames or self._characters + event.size > self._max_characters:
            return False
        self._characters += event.size
        self._append(event)
        return True

    def announce(self, resumed: bool) -> None:
        """Append a note about a new connection. There are few of these, so the limits do not apply."""
        self._append(resumed)

    async def take(self) -> Event | bool:
        """Wait for the oldest item and remove it. Whoever asks for the next has handled the one before."""
        self._handling = False
        await self._filled.wait()
        self._handling = True
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
