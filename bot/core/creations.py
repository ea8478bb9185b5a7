"""Requests that are at Zoom: a webhook may speak of a meeting whose creation is not written down yet."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque


class PendingCreations:
    """Which inbox items may yet bring a meeting into being.

    They are numbered as they begin: whoever waits remembers one number, and the oldest pending creation
    tells who need not wait any more: the cost of a wait does not grow with the creations.
    """

    def __init__(self) -> None:
        self._begun = 0
        # In the order in which they began.
        self._pending: dict[str, int] = {}
        # Who waits for all creations up to a number; the numbers only grow.
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    def __bool__(self) -> bool:
        return bool(self._pending)

    def begin(self, id: str) -> None:
        """An item goes to Zoom, or may have been there before the process began."""
        if id not in self._pending:
            self._begun += 1
            self._pending[id] = self._begun

    def end(self, id: str) -> None:
        """Whatever the item brought is written down."""
        self._pending.pop(id, None)
        oldest = next(iter(self._pending.values()), self._begun + 1)
        while self._waiting and self._waiting[0][0] < oldest:
            _, landed = self._waiting.popleft()
            if not landed.done():
                landed.set_result(None)

    async def settled(self, timeout_s: float) -> None:
        """Wait for those that are under way now, no longer than ``timeout_s`` seconds."""
        if not self._pending:
            return
        landed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((self._begun, landed))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await landed
