"""How long the oldest item waits that belongs to no replica."""

from __future__ import annotations

import asyncio
import contextlib

from bot.clock import now_ms
from bot.domain.records import Item, ItemState
from bot.errors import StoreError
from bot.stores import Store
from bot.stores.claims import IsMine


class Unclaimed:
    """Looks for it while :meth:`run` runs, whenever groups of queues are free, which they rarely are."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._is_free: IsMine | None = None
        self._noted = asyncio.Event()
        # Since when it waits (ms); 0 if there is none.
        self._since = 0

    @property
    def oldest_s(self) -> float:
        """For how long (s) it waits now; 0 if there is none."""
        return max(0, now_ms() - self._since) / 1000 if self._since else 0.0

    def note(self, is_free: IsMine | None) -> None:
        """``is_free`` says whose queues belong to nobody now; None if all have an owner."""
        self._is_free = is_free
        if is_free is None:
            self._since = 0
        else:
            self._noted.set()

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await self._noted.wait()
            self._noted.clear()
            # While the database is away, what was found last holds.
            with contextlib.suppress(StoreError):
                await self._look()

    async def _look(self) -> None:
        since, now = 0, now_ms()
        async for page in self._store.pages(Item, "state", ItemState.WAITING):
            for item in page:
                at = max(item.received_at, item.due_at)
                if self._is_free is not None and at <= now and self._is_free(item.queue):
                    since = min(since or at, at)
        self._since = since if self._is_free is not None else 0
