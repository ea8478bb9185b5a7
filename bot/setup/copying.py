"""Copies a store into another, which must be empty."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from bot.config import Config
from bot.config.database import is_database, shown_url
from bot.config.model import KEYS_BY_SECTION
from bot.config.rules import WrongValueError
from bot.domain.records import Record
from bot.domain.upkeep import COPYING, Copying
from bot.errors import ConfigError, StoreError
from bot.setup.places import require_store, require_unused, store_file
from bot.setup.progress import Advance, Progress, quiet
from bot.stores import Delete, Put, Store
from bot.stores.opening import open_store, standstill

# What stands for ``store.url``.
CONFIG = "config"
# How many records are written together.
BATCH = 500


@dataclass(frozen=True, slots=True)
class Copied:
    """How many records were copied, and from where to where, without passwords."""

    records: int
    source: str
    target: str


async def copy(config: Config, source: str, target: str, progress: Progress = quiet) -> Copied:
    """Copy every record of a store into another. Both are named as in ``store.url``, or by :data:`CONFIG`.

    A copy that is broken off can be run again: it begins anew. Until it is finished, the bot refuses the
    target. What cannot be read is set aside in the source first, and copied as that. Raises
    :class:`ConfigError` for a name that is none, and :class:`StoreError` if the target is not empty, the bot
    runs on one of them, or something else writes to the target.
    """
    source, target = _url(config, "FROM", source), _url(config, "TO", target)
    ca_file = config.store.ca_file
    if source == target:
        raise StoreError(f"FROM and TO are the same store, {shown_url(source)}")
    await require_store(source, ca_file)
    await _require_free(source, target, ca_file)
    async with AsyncExitStack() as stack:
        old = await open_store(source, ca_file=ca_file)
        stack.push_async_callback(old.close)
        await old.inspect()
        new = await open_store(target, ca_file=ca_file, half=True)
        stack.push_async_callback(new.close)
        still = await stack.enter_async_context(standstill(old))
        await stack.enter_async_context(new.lock("store copy"))
        await _begin(new, shown_url(source), shown_url(target))
        total = sum([await old.count(kind) for kind in _kinds()])
        with progress("copying", total) as advance:
            for kind in _kinds():
                await _copy(kind, old, new, still, advance)
        await _compare(old, new, shown_url(target))
        await new.commit(Delete(Copying, COPYING))
    return Copied(total, shown_url(source), shown_url(target))


def _url(config: Config, name: str, given: str) -> str:
    if given == CONFIG:
        return config.store.url
    try:
        return str(KEYS_BY_SECTION["store"]["url"].rule.parse(given, Path.cwd()))
    except WrongValueError as error:
        raise ConfigError([f"{name}: {error}"]) from None


def _kinds() -> list[type[Record]]:
    return [kind for kind in Record.__subclasses__() if kind is not Copying]


async def _require_free(source: str, target: str, ca_file: str) -> None:
    """Refuse a target that is not empty as it is, before anything opens it for writing."""
    if is_database(target):
        seen = await require_unused(target, ca_file)
        there = seen.has_store
    else:
        there = store_file(target).exists()
    if there:
        store = await open_store(target, ca_file=ca_file, readonly=True, half=True)
        try:
            await _require_empty(store, shown_url(source), shown_url(target))
        finally:
            await store.close()


async def _require_empty(store: Store, source: str, target: str) -> bool:
    """Raise :class:`StoreError` unless the store is empty, or an unfinished copy of the source. Returns
    whether it is that."""
    copying = await store.get(Copying, COPYING)
    if copying is None:
        if sum([await store.count(kind) for kind in _kinds()]):
            raise StoreError(f"the store {target} is not empty: name a new one")
        return False
    if copying.source != source:
        raise StoreError(f"the store {target} is an unfinished copy of {copying.source}: name a new one")
    return True


async def _begin(store: Store, source: str, target: str) -> None:
    """Mark the target as unfinished, and remove what an earlier copy has left in it."""
    if await _require_empty(store, source, target):
        for kind in _kinds():
            async for page in store.pages(kind, size=BATCH):
                await store.commit(*(Delete(kind, record.id) for record in page))
    await store.commit(Put(Copying(id=COPYING, source=source)))


async def _copy(
    kind: type[Record],
    source: Store,
    target: Store,
    still: Callable[[], Awaitable[None]],
    advance: Advance,
) -> None:
    async for page in source.pages(kind, size=BATCH):
        await still()
        await target.commit(*map(Put, page))
        advance(len(page))


async def _compare(source: Store, target: Store, shown: str) -> None:
    for kind in _kinds():
        if await source.count(kind) != await target.count(kind):
            raise StoreError(f"something else writes to the store {shown}: stop it, and copy again")
