"""Encryption keys: makes new ones, and moves the store to them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from bot.config import Config
from bot.domain.records import Record
from bot.errors import VaultError
from bot.setup.places import opened, require_store
from bot.setup.progress import Progress, quiet
from bot.setup.sealed import rotated, sealed_kinds
from bot.stores import Store, Update
from bot.vault import Vault, new_key

__all__ = ["Rotation", "new_key", "rotate"]

BATCH = 500


@dataclass(frozen=True, slots=True)
class Rotation:
    """How many records are now sealed with the first key, and how many no key opens."""

    done: int
    unreadable: int


async def rotate(config: Config, progress: Progress = quiet) -> Rotation:
    """Reseal every sealed value in the store with the first key of ``store.encryption_keys``.

    It can be repeated if it was interrupted. What does not open is left as it is. Raises
    :class:`bot.errors.StoreError`, also if there is no store yet, and
    :class:`bot.errors.StoreLockedError` while the bot runs: a replica that does not have the first key yet
    could not open what is resealed, and would ask people to connect again.
    """
    await require_store(config.store.url, config.store.ca_file)
    vault = Vault(config.store.encryption_keys)
    store = await opened(config)
    try:
        return await rotate_in(store, vault, progress)
    finally:
        await store.close()


async def rotate_in(store: Store, vault: Vault, progress: Progress) -> Rotation:
    """The same in a store that is open."""
    kinds = sealed_kinds()
    total = sum([await store.count(kind) for kind in kinds])
    rotating = _Rotating(vault)
    with progress("re-encrypting", total) as advance:
        for kind, names in kinds.items():
            async for page in store.pages(kind, size=BATCH):
                some = [each for each in page if any(getattr(each, name) for name in names)]
                change = partial(rotating.reseal, names=names)
                # As they are then, so that nothing is lost of what a replica that has just started writes.
                await store.commit(*(Update(kind, each.id, change) for each in some))
                advance(len(page))
    return Rotation(rotating.done, rotating.unreadable)


class _Rotating:
    """Reseals records, and counts them."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self.done = 0
        self.unreadable = 0

    def reseal(self, record: Record, names: tuple[str, ...]) -> Record | None:
        """The record with these fields resealed; None if one does not open."""
        try:
            fresh = rotated(self._vault, record, names)
        except VaultError:
            self.unreadable += 1
            return None
        self.done += 1
        return fresh
