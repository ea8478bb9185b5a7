"""Makes the changes of one document in the order of the calls, and lets none be lost with its caller."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from typing import Any, TypeVar

from bot.stores.postgresql.edits import Place

T = TypeVar("T")


class Order:
    """The changes that are being made."""

    def __init__(self) -> None:
        self._changes: set[asyncio.Task[Any]] = set()
        # The last change of each document.
        self._last: dict[Place, asyncio.Task[Any]] = {}
        # Those whose callers went away.
        self._abandoned: set[asyncio.Task[Any]] = set()

    async def change(self, places: Collection[Place], make: Callable[[], Awaitable[T]]) -> T:
        """Make a change of these documents, after those that were begun before. A caller that goes away does
        not undo it."""
        before = {self._last[place] for place in places if place in self._last} | self._abandoned

        async def in_turn() -> T:
            if before:
                await asyncio.wait(before)
            return await make()

        task = asyncio.create_task(in_turn())
        self._changes.add(task)
        self._last.update(dict.fromkeys(places, task))
        task.add_done_callback(lambda done: self._made(places, done))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if not task.done():
                self._abandoned.add(task)
            raise

    async def passed(self, place: Place | None = None) -> None:
        """Wait until the changes are made whose callers went away, and those of this document."""
        waited = set(self._abandoned)
        if place in self._last:
            waited.add(self._last[place])
        if waited:
            await asyncio.wait(waited)

    async def finish(self, timeout_s: float) -> int:
        """Wait for all changes, then cancel those that are left. Returns how many these are."""
        if not self._changes:
            return 0
        _, late = await asyncio.wait(set(self._changes), timeout=timeout_s)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        return len(late)

    def _made(self, places: Collection[Place], task: asyncio.Task[Any]) -> None:
        self._changes.discard(task)
        self._abandoned.discard(task)
        for place in places:
            if self._last.get(place) is task:
                del self._last[place]
        if not task.cancelled():
            # Retrieves the error: the caller may have gone away.
            task.exception()
