"""The store: documents by kind and id, durable when a call returns.

A kind is a subclass of :class:`bot.domain.records.Record`. Every implementation passes the conformance
tests in ``tests/stores``.

A change is seen by all once the call that made it returns, and is durable then; the same process sees it
earlier. A cancelled call is not undone: its change may or may not hold.

A record that cannot be read ends nothing. When the store comes across it, it keeps it as a
:class:`bot.domain.upkeep.SetAside`, and frees its id.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from bot.domain.records import Record

R = TypeVar("R", bound=Record)

# How many records a page has.
PAGE = 200


def _nothing() -> None:
    pass


WhenDone = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Put:
    """Write this record, replacing any that has its id.

    ``when_done`` is called once the whole commit is in the store's memory; it may not be durable yet, and is
    lost only if the process is. It may not await.
    """

    record: Record
    when_done: WhenDone = field(default=_nothing, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Insert:
    """Write this record unless its id is taken; the other changes of the commit hold in both cases.

    ``when_done`` is called if the record is written; see :class:`Put`.
    """

    record: Record
    when_done: WhenDone = field(default=_nothing, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Delete:
    """Remove the record of this kind and id, if it is there. ``when_done`` is called in any case; see
    :class:`Put`."""

    kind: type[Record]
    id: str
    when_done: WhenDone = field(default=_nothing, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Update(Generic[R]):
    """Replace the record of this kind and id by ``change(record)``.

    Nothing happens if there is no such record, or if ``change`` returns None.
    """

    kind: type[R]
    id: str
    change: Callable[[R], R | None]


Change = Put | Insert | Delete | Update[Any]


class Store(Protocol):
    """What every store does. All errors are :class:`bot.errors.StoreError`."""

    @property
    def writable(self) -> bool:
        """False while writes do not reach the disk (full, read-only); they wait and are retried."""

    @property
    def trouble(self) -> str:
        """Why it is not writable, for the operator; empty if it is."""

    async def get(self, kind: type[R], id_: str) -> R | None:
        """The record of this id, or None. The caller may change what it gets."""

    async def find(self, kind: type[R], field: str, value: Any) -> list[R]:
        """The records whose indexed ``field`` equals ``value``, in no particular order. ``field`` must be
        in ``kind.indexes``."""

    async def has(self, kind: type[Record], field: str, value: Any) -> bool:
        """Whether :meth:`find` would find any record; takes the same time however many there are."""

    async def all(self, kind: type[R]) -> list[R]:
        """Every record of a kind as of now, in no particular order; for small kinds."""

    def pages(
        self, kind: type[R], field: str = "", value: Any = None, *, size: int = PAGE
    ) -> AsyncIterator[list[R]]:
        """Every record of a kind, or those that :meth:`find` would find, in pages by the order of their ids.
        Each page shows the moment at which it is asked for."""

    async def count(self, kind: type[Record]) -> int:
        """How many documents of a kind there are, also such as cannot be read. What is being written may not
        be counted yet."""

    async def inspect(self) -> None:
        """Read the whole store, and set aside what cannot be read. Raises
        :class:`bot.errors.StoreDamagedError`."""

    async def insert(self, record: Record, *also: Change) -> bool:
        """Write ``record``, and ``also`` in the same transaction, unless its id is taken. In that case write
        nothing and return False, once the record that has the id is durable."""

    async def commit(self, *changes: Change) -> None:
        """Write all changes or none of them; an :class:`Insert` whose id is taken is skipped."""

    async def update(
        self, kind: type[R], id_: str, change: Callable[[R], R | None], *also: Change
    ) -> R | None:
        """Replace a record by ``change(record)``, atomically. Returns the new record, or None if there
        was none. If ``change`` returns None, nothing is written, not even ``also``, and the old record is
        returned once it is durable. ``change`` is called once and may not await."""

    def lock(self, name: str) -> AbstractAsyncContextManager[Callable[[], bool]]:
        """A lock over all processes that use the store. Gives what says whether it is still held: a store
        that is away may lose it. Raises :class:`StoreError` if it is not free within a minute."""

    async def close(self) -> None:
        """Write what waits, then close; a second call does nothing. Raises StoreError if changes were lost
        because the disk kept refusing them."""
