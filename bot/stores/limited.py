"""A store whose caller waits for it only so long."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, TypeVar

from bot.domain.records import Record
from bot.errors import StoreTimeoutError
from bot.stores import PAGE, Change, Store

R = TypeVar("R", bound=Record)
T = TypeVar("T")


class Limit:
    """So many seconds for all that is awaited in it together. What else the caller waits for does not
    count."""

    def __init__(self, seconds: float) -> None:
        self._left_s = seconds

    async def of(self, work: Awaitable[T]) -> T:
        """The result of ``work``. Raises :class:`StoreTimeoutError` when the time is used up."""
        clock = asyncio.get_running_loop().time
        began = clock()
        try:
            async with asyncio.timeout(max(self._left_s, 0)):
                return await work
        except TimeoutError:
            raise StoreTimeoutError("the store did not answer in time") from None
        finally:
            self._left_s -= clock() - began


class LimitedStore:
    """Does what the store below does, as long as the limit lasts. A change that was given up may or may not
    hold."""

    def __init__(self, store: Store, limit: Limit) -> None:
        self._store = store
        self._limit = limit

    @property
    def writable(self) -> bool:
        """See :class:`bot.stores.Store`, as for all that follows."""
        return self._store.writable

    @property
    def trouble(self) -> str:
        """Why it is not writable."""
        return self._store.trouble

    @asynccontextmanager
    async def lock(self, name: str) -> AsyncIterator[Callable[[], bool]]:
        """A lock over all processes that use the store. Only the wait for it is limited."""
        async with AsyncExitStack() as stack:
            yield await self._limit.of(stack.enter_async_context(self._store.lock(name)))

    async def get(self, kind: type[R], id_: str) -> R | None:
        """The record of this id, or None."""
        return await self._limit.of(self._store.get(kind, id_))

    async def find(self, kind: type[R], field: str, value: Any) -> list[R]:
        """The records whose indexed field equals ``value``."""
        return await self._limit.of(self._store.find(kind, field, value))

    async def has(self, kind: type[Record], field: str, value: Any) -> bool:
        """Whether there is any record whose indexed field equals ``value``."""
        return await self._limit.of(self._store.has(kind, field, value))

    async def all(self, kind: type[R]) -> list[R]:
        """Every record of a kind."""
        return await self._limit.of(self._store.all(kind))

    async def pages(
        self, kind: type[R], field: str = "", value: Any = None, *, size: int = PAGE
    ) -> AsyncIterator[list[R]]:
        """Every record of a kind, or those whose indexed field equals ``value``, in pages."""
        pages = self._store.pages(kind, field, value, size=size)
        while (page := await self._limit.of(anext(pages, None))) is not None:
            yield page

    async def count(self, kind: type[Record]) -> int:
        """How many documents of a kind there are."""
        return await self._limit.of(self._store.count(kind))

    async def inspect(self) -> None:
        """Read everything, and set aside what cannot be read."""
        await self._limit.of(self._store.inspect())

    async def insert(self, record: Record, *also: Change) -> bool:
        """Write ``record`` and ``also`` unless its id is taken."""
        return await self._limit.of(self._store.insert(record, *also))

    async def commit(self, *changes: Change) -> None:
        """Write all changes or none of them."""
        await self._limit.of(self._store.commit(*changes))

    async def update(
        self, kind: type[R], id_: str, change: Callable[[R], R | None], *also: Change
    ) -> R | None:
        """Replace a record by ``change(record)``, atomically."""
        return await self._limit.of(self._store.update(kind, id_, change, *also))

    async def close(self) -> None:
        """Write what waits, then close."""
        await self._store.close()
