"""Encryption keys: makes new ones, and moves the store to them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from bot.config import Config
from bot.domain.records import Record
from bot.errors import StoreError, VaultError
from bot.setup.sealed import rotated, sealed_kinds
from bot.setup.store import store_file
from bot.stores import Put, Store
from bot.stores.opening import open_store
from bot.vault import Vault, new_key

__all__ = ["Rotation", "new_key", "rotate"]

BATCH = 500

# Receives how many records are done, and how many there are.
OnProgress = Callable[[int, int], None]


def unobserved(done: int, total: int) -> None:
    """Do nothing: the default of ``on_progress``."""


@dataclass(frozen=True, slots=True)
class Rotation:
    """How many records are now sealed with the first key, and how many no key opens."""

    done: int
    unreadable: int


async def rotate(config: Config, on_progress: OnProgress = unobserved) -> Rotation:
    """Reseal every sealed value in the store with the first key of ``store.encryption_keys``.

    ``on_progress`` is told how many records were looked at, and how many there are. It can be repeated if it
    was interrupted. What does not open is left as it is. Raises :class:`bot.errors.StoreError`, also if there
    is no store yet, and :class:`bot.errors.StoreLockedError` while the bot runs.
    """
    path = store_file(config)
    # Opening it would create an empty store, and the operator would not notice.
    if not await asyncio.to_thread(path.exists):
        raise StoreError(f"store.url: there is no store {path}: is it the one that the bot uses?")
    vault = Vault(config.store.encryption_keys)
    store = await open_store(config.store.url)
    try:
        return await _rotate(store, vault, on_progress)
    finally:
        await store.close()


async def _rotate(store: Store, vault: Vault, on_progress: OnProgress) -> Rotation:
    total = sum([len(page) for kind in sealed_kinds() async for page in store.pages(kind, size=BATCH)])
    done = unreadable = seen = 0
    for kind, names in sealed_kinds().items():
        async for page in store.pages(kind, size=BATCH):
            some = [each for each in page if any(getattr(each, name) for name in names)]
            changes = [Put(fresh) for each in some if (fresh := _readable(vault, each, names))]
            await store.commit(*changes)
            done += len(changes)
            unreadable += len(some) - len(changes)
            seen += len(page)
            on_progress(seen, total)
    return Rotation(done, unreadable)


def _readable(vault: Vault, record: Record, names: tuple[str, ...]) -> Record | None:
    try:
        return rotated(vault, record, names)
    except VaultError:
        return None
