"""A store that tells watchers what was written, which is how the worker and the publisher learn of work."""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import AbstractAsyncContextManager
from itertools import chain
from typing import Any, TypeVar

from bot.domain.records import Record
from bot.errors import StoreError
from bot.stores import PAGE, Change, Insert, Put, Store, Update

R = TypeVar("R", bound=Record)
T = TypeVar("T")

Watcher = Callable[[Any], None]


def _none(record: Record) -> bool:
    return False


class NotifyingStore:
    """Does what the store below does, and tells the watchers of a kind what was written.

    ``owns``: which records this process works on where others write to the store as well. Of these, watchers
    are also told when they were not inserted: another process may have been faster.

    Watchers are called in the order of the changes, once these are durable, and must not block. They are also
    called if the writer was cancelled before that, because a cancelled write is not undone.
    """

    def __init__(self, store: Store, owns: Callable[[Record], bool] = _none) -> None:
        self._store = store
        self._owns = owns
        self._watchers: dict[type[Record], list[Watcher]] = defaultdict(list)
        # These wait on behalf of writers that were cancelled.
        self._telling: set[asyncio.Task[None]] = set()

    def watch(self, kind: type[R], watcher: Callable[[R], None]) -> None:
        """Call ``watcher`` with every record of this kind that is written from now on."""
        self._watchers[kind].append(watcher)

    @property
    def writable(self) -> bool:
        """See :class:`bot.stores.Store`, as for all that follows."""
        return self._store.writable

    @property
    def trouble(self) -> str:
        """Why it is not writable."""
        return self._store.trouble

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

    def pages(
        self, kind: type[R], field: str = "", value: Any = None, *, size: int = PAGE
    ) -> AsyncIterator[list[R]]:
        """Every record of a kind, or those whose indexed field equals ``value``, in pages."""
        return self._store.pages(kind, field, value, size=size)

    def lock(self, name: str) -> AbstractAsyncContextManager[Callable[[], bool]]:
        """A lock over all processes that use the store."""
        return self._store.lock(name)

    async def count(self, kind: type[Record]) -> int:
        """How many documents of a kind there are."""
        return await self._store.count(kind)

    async def inspect(self) -> None:
        """Read everything, and set aside what cannot be read."""
        await self._store.inspect()

    async def insert(self, record: Record, *also: Change) -> bool:
        """Write ``record`` and ``also`` unless its id is taken."""
        notes = _Notes()
        notes.of(Put(record))
        written = await self._written(self._store.insert(record, *notes.of_all(also)), notes)
        if not written and self._owns(record):
            self._tell([record])
        return written

    async def commit(self, *changes: Change) -> None:
        """Write all changes or none of them."""
        notes = _Notes()
        await self._written(self._store.commit(*notes.of_all(changes)), notes)

    async def update(
        self, kind: type[R], id_: str, change: Callable[[R], R | None], *also: Change
    ) -> R | None:
        """Replace a record by ``change(record)``, atomically."""
        notes = _Notes()
        first = notes.of_update(Update(kind, id_, change))
        work = self._store.update(kind, id_, first.change, *notes.of_all(also))
        return await self._written(work, notes)

    async def close(self) -> None:
        """Write what waits, then close."""
        await self._store.close()
        for task in self._telling:
            task.cancel()
        await asyncio.gather(*self._telling, return_exceptions=True)

    async def _written(self, work: Awaitable[T], notes: _Notes) -> T:
        """What the store's ``work`` returns; False says that nothing was written."""
        try:
            result = await work
        except asyncio.CancelledError:
            task = asyncio.create_task(self._tell_when_durable(notes))
            self._telling.add(task)
            task.add_done_callback(self._telling.discard)
            raise
        if result is not False:
            self._tell(notes)
        return result

    async def _tell_when_durable(self, notes: _Notes) -> None:
        with contextlib.suppress(StoreError):
            await self._store.commit()
            self._tell(notes)

    def _tell(self, notes: Iterable[Record]) -> None:
        for record in notes:
            for watcher in self._watchers.get(type(record), ()):
                watcher(record)


class _Notes:
    """What the changes of one call write, in their order."""

    def __init__(self) -> None:
        # One list for each change: an insert or an update fills its own when it is applied.
        self._news: list[list[Record]] = []

    def __iter__(self) -> Iterator[Record]:
        return chain.from_iterable(self._news)

    def of_all(self, changes: Iterable[Change]) -> list[Change]:
        """The changes to pass on, so that what they do is noted."""
        return [self.of(change) for change in changes]

    def of(self, change: Change) -> Change:
        """The change to pass on, so that what it does is noted."""
        match change:
            case Put():
                self._news.append([change.record])
            case Insert():
                return self._of_insert(change)
            case Update():
                return self.of_update(change)
        return change

    def _of_insert(self, insert: Insert) -> Insert:
        news = self._new()

        def when_done() -> None:
            insert.when_done()
            news.append(insert.record)

        return Insert(insert.record, when_done)

    def of_update(self, update: Update[Any]) -> Update[Any]:
        """The update to pass on, so that the record which it writes is noted."""
        news = self._new()

        def change(record: Any) -> Any:
            after = update.change(record)
            if after is not None:
                news.append(after)
            return after

        return Update(update.kind, update.id, change)

    def _new(self) -> list[Record]:
        self._news.append([])
        return self._news[-1]
