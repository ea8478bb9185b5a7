"""One timer for all tasks that are due later. It sleeps until the earliest one."""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import itertools
from collections.abc import Callable

from bot.clock import Now
from bot.domain.records import Item

# How soon the timer notices that the clock was changed, in seconds.
LONGEST_SLEEP_S = 5.0


class Timer:
    """Passes each item to ``take`` when it is due. The items are in the store as well."""

    def __init__(
        self, take: Callable[[Item], None], now: Now, *, longest_sleep_s: float = LONGEST_SLEEP_S
    ) -> None:
        self._take = take
        self._now = now
        self._longest_sleep_s = longest_sleep_s
        self._heap: list[tuple[int, int, Item]] = []
        self._numbers = itertools.count()
        # When each item is due. Heap entries with another time are outdated.
        self._due: dict[str, int] = {}
        self._changed = asyncio.Event()

    @property
    def waiting(self) -> int:
        """How many items are not due yet."""
        return len(self._due)

    def add(self, item: Item) -> None:
        """Schedule an item; it replaces an earlier one with the same id."""
        if self._due.get(item.id) == item.due_at:
            return
        self._due[item.id] = item.due_at
        heapq.heappush(self._heap, (item.due_at, next(self._numbers), item))
        self._changed.set()

    async def run(self) -> None:
        """Pass on items when they are due, until cancelled."""
        while True:
            self._changed.clear()
            self.fire()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._sleep_s()):
                    await self._changed.wait()

    def fire(self) -> None:
        """Pass on all items that are due now."""
        while self._heap and self._heap[0][0] <= self._now():
            due_at, _, item = heapq.heappop(self._heap)
            if self._due.get(item.id) == due_at:
                del self._due[item.id]
                self._take(item)

    def _sleep_s(self) -> float | None:
        if not self._heap:
            return None
        return min(max(0.0, (self._heap[0][0] - self._now()) / 1000), self._longest_sleep_s)
