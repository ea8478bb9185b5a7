"""Meetings that are being created: a webhook may be about one that is not in the store yet."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable


class PendingCreations:
    """The inbox items that may still create a meeting.

    Items are numbered as they begin. A waiter remembers only the newest number, and is done once the oldest
    pending item has a higher one: a wait costs the same however many creations are pending.
    """

    def __init__(self) -> None:
        self._begun = 0
        # Numbers by item id, oldest first.
        self._pending: dict[str, int] = {}
        # Each waiter waits for all creations up to its number. The numbers are in ascending order.
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()
        # Called with an item that begins (True) or ends here.
        self.on_change: Callable[[str, bool], None] = _ignore

    def __bool__(self) -> bool:
        return bool(self._pending)

    def begin(self, id: str) -> None:
        """Add an item that is about to call Zoom, or may have done so before the process started."""
        if id not in self._pending:
            self.hear(id, begun=True)
            self.on_change(id, True)

    def end(self, id: str) -> None:
        """Remove an item: the meeting that it created, if any, is in the store."""
        if id in self._pending:
            self.hear(id, begun=False)
            self.on_change(id, False)

    def hear(self, id: str, *, begun: bool) -> None:
        """Add or remove an item of another process."""
        if begun:
            if id not in self._pending:
                self._begun += 1
                self._pending[id] = self._begun
            return
        self._pending.pop(id, None)
        oldest = next(iter(self._pending.values()), self._begun + 1)
        while self._waiting and self._waiting[0][0] < oldest:
            _, landed = self._waiting.popleft()
            if not landed.done():
                landed.set_result(None)

    async def settled(self, timeout_s: float) -> None:
        """Wait for the creations that are pending now, at most ``timeout_s`` seconds."""
        if not self._pending:
            return
        landed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((self._begun, landed))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await landed


def _ignore(id: str, begun: bool) -> None:
    pass
