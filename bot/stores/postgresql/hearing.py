"""Fetches the records that other replicas told of, together, in the order in which they were told of."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable

from bot.domain.records import Announcement, Item, Meeting, Notice
from bot.errors import StoreError
from bot.stores.claims import Work
from bot.stores.postgresql.store import PostgresStore

log = logging.getLogger(__name__)

# Records that are not fetched yet. Beyond that, the store is looked through.
WAITING = 10_000
_KINDS: dict[str, type[Work]] = {kind.table: kind for kind in (Item, Announcement, Notice, Meeting)}

# A record's table and id.
Name = tuple[str, str]


class Hearing:
    """``on_lost`` is called when records could not be fetched."""

    def __init__(self, store: PostgresStore, on_lost: Callable[[], None]) -> None:
        self._store = store
        self._on_lost = on_lost
        self._waiting: asyncio.Queue[Name] = asyncio.Queue(WAITING)

    def note(self, told: Iterable[Name]) -> None:
        """Fetch these records soon."""
        try:
            for name in told:
                self._waiting.put_nowait(name)
        except asyncio.QueueFull:
            self._on_lost()

    async def run(self, take: Callable[[Iterable[Work]], None]) -> None:
        """Pass on what was fetched, until cancelled."""
        while True:
            told = [await self._waiting.get()]
            while not self._waiting.empty():
                told.append(self._waiting.get_nowait())
            try:
                take(await self._fetch(dict.fromkeys(told)))
            except StoreError as error:
                log.warning("what other replicas told of is looked for: %s", error)
                self._on_lost()

    async def _fetch(self, told: Collection[Name]) -> list[Work]:
        ids: dict[type[Work], list[str]] = {}
        for table, id_ in told:
            if (kind := _KINDS.get(table)) is not None:
                ids.setdefault(kind, []).append(id_)
        found: dict[Name, Work] = {}
        for kind, some in ids.items():
            found |= {(each.table, each.id): each for each in await self._store.some(kind, some)}
        return [found[name] for name in told if name in found]
