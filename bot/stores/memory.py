"""What of the file was looked up and is kept in memory: as much as fits."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from functools import partial

from cachetools import LRUCache

from bot.stores.documents import UnknownError
from bot.stores.lookups import TOGETHER, Lookups, Row
from bot.stores.reading import Unreadable
from bot.stores.sqlite import Key

# How many bytes of documents are kept, and what one costs besides its JSON.
CACHE_BYTES = 16 * 1024 * 1024
_EACH = 300


class Memory:
    """Documents of the file in memory. None stands for a document that does not exist."""

    def __init__(self, lookups: Lookups, limit: int = CACHE_BYTES) -> None:
        self._lookups = lookups
        self._kept: LRUCache[Key, bytes | None] = LRUCache(limit, getsizeof=_size)
        # Needed for the changes that are being applied.
        self._pinned: dict[Key, bytes | None] = {}
        self._loading: dict[Key, asyncio.Future[list[Row]]] = {}
        self._damaged: list[Unreadable] = []

    def body(self, key: Key) -> bytes | None:
        """A document's JSON. Raises :class:`UnknownError` if it has to be looked up."""
        if key in self._pinned:
            return self._pinned[key]
        try:
            return self._kept[key]
        except KeyError:
            raise UnknownError(key) from None

    def keep(self, key: Key, body: bytes | None) -> None:
        """Keep a document as it is in the file now, if there is room."""
        if _size(body) <= self._kept.maxsize:
            self._kept[key] = body

    def outdate(self, key: Key) -> None:
        """Say that a document was changed: what is being looked up is not kept."""
        self._loading.pop(key, None)
        self._kept.pop(key, None)

    async def load(self, key: Key) -> bytes | None:
        """Look a document up."""
        answer = self._loading.get(key)
        if answer is None:
            answer = self._loading[key] = self._lookups.bodies([key])
            answer.add_done_callback(partial(self._loaded, key))
        return self._only(await asyncio.shield(answer))

    def _loaded(self, key: Key, answer: asyncio.Future[list[Row]]) -> None:
        if self._loading.get(key) is not answer:
            # It was changed meanwhile.
            return
        del self._loading[key]
        if not answer.cancelled() and answer.exception() is None:
            self.keep(key, self._only(answer.result()))

    def _only(self, rows: list[Row]) -> bytes | None:
        return self._readable(rows[0]) if rows else None

    async def pin(self, known: Mapping[Key, bytes | None], keys: Iterable[Key]) -> None:
        """Look documents up and keep them and the ``known`` ones until :meth:`unpin`. Meanwhile nobody may
        change them."""
        self._pinned |= known
        wanted = [key for key in keys if key not in self._pinned]
        for start in range(0, len(wanted), TOGETHER):
            some = wanted[start : start + TOGETHER]
            rows = {(row.table, row.id): row for row in await self._lookups.bodies(some)}
            self._pinned |= {key: self._readable(rows[key]) if key in rows else None for key in some}

    def pinned(self) -> list[tuple[Key, bytes | None]]:
        """What is kept until :meth:`unpin`."""
        return list(self._pinned.items())

    def unpin(self) -> None:
        """Forget what was pinned."""
        self._pinned.clear()

    def take_damaged(self) -> list[Unreadable]:
        """What was found damaged since the last call."""
        found, self._damaged = self._damaged, []
        return found

    def _readable(self, row: Row) -> bytes | None:
        if row.fault:
            self._damaged.append(row.unreadable)
            return None
        return row.body


def _size(body: bytes | None) -> int:
    return _EACH + len(body or b"")
