"""A store that tells who listens what was written: so the worker and the publisher learn of their work."""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from bot.domain.records import Record
from bot.errors import StoreError
from bot.stores import Change, Put, Store, Update

R = TypeVar("R", bound=Record)
T = TypeVar("T")

Watcher = Callable[[Any], None]


class NotifyingStore:
    """Does what the store below does; after each write the watchers of the kind get the new record.

    Watchers are called in the order of the writes, once they are durable, and must not block. They are called
    also where whoever wrote does not wait for that: a cancelled write is not undone.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._watchers: dict[type[Record], list[Watcher]] = defaultdict(list)
        # What is told later, since nobody waited for it.
        self._telling: set[asyncio.Task[None]] = set()

    def watch(self, kind: type[R], watcher: Callable[[R], None]) -> None:
        """Call ``watcher`` with every record of this kind that is written from now on."""
        self._watchers[kind].append(watcher)

    @property
    def writable(self) -> bool:
        """See :class:`bot.stores.Store`, as for all that follows."""
        return self._store.writable

    async def get(self, kind: type[R], id_: str) -> R | None:
        """The record of this id, or None."""
        return await self._store.get(kind, id_)

    async def find(self, kind: type[R], field: str, value: Any) -> list[R]:
        """The records whose indexed field equals ``value``."""
        return await self._store.find(kind, field, value)

    async def has(self, kind: type[Record], field: str, value: Any) -> bool:
        """Whether there is any record whose indexed field equals ``value``."""
        return await self._store.has(kind, field, value)

    async def all(self, kind: type[R]) -> list[R]:
        """Every record of a kind."""
        return await self._store.all(kind)

    async def insert(self, record: Record, *also: Change) -> bool:
        """Write ``record`` and ``also`` unless its id is taken."""
        written: list[Record] = [record]
        return await self._written(self._store.insert(record, *_noting(also, written)), written)

    async def commit(self, *changes: Change) -> None:
        """Write all changes or none of them."""
        written: list[Record] = []
        await self._written(self._store.commit(*_noting(changes, written)), written)

    async def update(
        self, kind: type[R], id_: str, change: Callable[[R], R | None], *also: Change
    ) -> R | None:
        """Replace a record by ``change(record)``, atomically."""
        written: list[Record] = []
        first = _noting_update(Update(kind, id_, change), written)
        work = self._store.update(kind, id_, first.change, *_noting(also, written))
        return await self._written(work, written)

    async def close(self) -> None:
        """Write what waits, then close."""
        await self._store.close()
        for task in self._telling:
            task.cancel()
        await asyncio.gather(*self._telling, return_exceptions=True)

    async def _written(self, work: Awaitable[T], written: list[Record]) -> T:
        """What the store's ``work`` returns; False says that nothing was written."""
        try:
            result = await work
        except asyncio.CancelledError:
            task = asyncio.create_task(self._tell_when_durable(written))
            self._telling.add(task)
            task.add_done_callback(self._telling.discard)
            raise
        if result is not False:
            self._tell(written)
        return result

    async def _tell_when_durable(self, written: list[Record]) -> None:
        with contextlib.suppress(StoreError):
            await self._store.commit()
            self._tell(written)

    def _tell(self, records: list[Record]) -> None:
        for record in records:
            for watcher in self._watchers.get(type(record), ()):
                watcher(record)


def _noting(changes: tuple[Change, ...], written: list[Record]) -> list[Change]:
    noted: list[Change] = []
    for change in changes:
        if isinstance(change, Put):
            written.append(change.record)
        noted.append(_noting_update(change, written) if isinstance(change, Update) else change)
    return noted


def _noting_update(update: Update[Any], written: list[Record]) -> Update[Any]:
    def change(record: Any) -> Any:
        after = update.change(record)
        if after is not None:
            written.append(after)
        return after

    return Update(update.kind, update.id, change)
