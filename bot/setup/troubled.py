"""Records that are set aside or cannot be opened: lists them, and drops one."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass

from bot.config import Config
from bot.domain.records import Item, ItemState, Record
from bot.domain.upkeep import SetAside, name_of
from bot.errors import StoreError, VaultError
from bot.setup.places import opened
from bot.setup.sealed import owner_of, sealed_kinds
from bot.stores import Delete, Store
from bot.vault import Vault


class Trouble(enum.StrEnum):
    """What is the matter with a record."""

    SET_ASIDE = "set aside"
    SHUT = "does not open"
    GIVEN_UP = "given up"


@dataclass(frozen=True, slots=True)
class Troubled:
    """A record that is set aside or cannot be opened.

    ``id`` is its name for the operator, ``key`` its own id. ``why`` does not quote the record.
    """

    id: str
    key: str
    trouble: Trouble
    why: str
    drop: Delete

    def __str__(self) -> str:
        return f"{self.id}  {self.trouble}: {self.why}"


async def troubled_in(store: Store, keys: Sequence[str]) -> list[Troubled]:
    """Every record that is set aside, that no key opens, or that was given up after its last attempt. Reads
    the whole store, and opens all that is sealed."""
    kept = await kept_in(store)
    taken = {each.id for each in kept if each.trouble is Trouble.SET_ASIDE}
    return kept + [renamed(each, taken) for each in await _shut(store, Vault(keys))]


async def kept_in(store: Store) -> list[Troubled]:
    """Every record that is set aside, or that was given up after its last attempt. Reads the whole store."""
    await store.inspect()
    asides = [
        Troubled(each.id, each.key, Trouble.SET_ASIDE, each.why, Delete(SetAside, each.id))
        for each in await store.all(SetAside)
    ]
    taken = {each.id for each in asides}
    return asides + [renamed(each, taken) for each in await _given_up(store)]


def shut(record: Record) -> Troubled:
    """A record that no key opens."""
    return _of(record, Trouble.SHUT, "no key of store.encryption_keys opens it, or it is damaged")


async def listed(config: Config) -> list[Troubled]:
    """What :func:`troubled_in` finds in the bot's store, also while the bot runs. Raises
    :class:`bot.errors.StoreError`."""
    store = await opened(config, readonly=True)
    try:
        return await troubled_in(store, config.store.encryption_keys)
    finally:
        await store.close()


async def forget(config: Config, id: str) -> Troubled:
    """Drop the record of this name or of this own id, if :func:`troubled_in` finds it. Returns what it was.

    Replicas on a database may run meanwhile. Raises :class:`bot.errors.StoreError` if it is not in the list,
    and :class:`bot.errors.StoreLockedError` while the bot runs on a file.
    """
    # Opening it for writing would create an empty store.
    _only(await listed(config), id)
    store = await opened(config, on_trouble=lambda line: None)
    try:
        keys = config.store.encryption_keys
        found = _only(await troubled_in(store, keys), id)
        await _drop(store, found, Vault(keys))
    finally:
        await store.close()
    return found


async def _drop(store: Store, found: Troubled, vault: Vault) -> None:
    """Drop it unless a replica has replaced it by one that opens."""
    kind, id = found.drop.kind, found.drop.id
    if found.trouble is not Trouble.SHUT:
        await store.commit(found.drop)
        return
    names = sealed_kinds()[kind]

    def still(record: Record) -> Record | None:
        return None if all(_opens(vault, record, name) for name in names) else record

    await store.update(kind, id, still, found.drop)
    if await store.get(kind, id) is not None:
        raise StoreError(f"{found.id} can be opened now: it was not dropped")


def _only(troubled: list[Troubled], id: str) -> Troubled:
    fitting = [each for each in troubled if each.id == id] or [each for each in troubled if each.key == id]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        names = ", ".join(each.id for each in fitting)
        raise StoreError(f"more than one record has the id {id}: name one of {names}")
    raise StoreError(f"{id} is not in the list: `zoombot store list` shows what can be dropped")


async def _given_up(store: Store) -> list[Troubled]:
    return [
        _of(item, Trouble.GIVEN_UP, " ".join(item.error.split())[:200] or "no reason was recorded")
        for item in await store.find(Item, "state", ItemState.DEAD)
    ]


async def _shut(store: Store, vault: Vault) -> list[Troubled]:
    found: list[Troubled] = []
    for kind, names in sealed_kinds().items():
        async for page in store.pages(kind):
            for record in page:
                if not _is_given_up(record) and not all(_opens(vault, record, name) for name in names):
                    found.append(shut(record))
    return found


def _is_given_up(record: Record) -> bool:
    return isinstance(record, Item) and record.state is ItemState.DEAD


def _opens(vault: Vault, record: Record, name: str) -> bool:
    if not getattr(record, name):
        return True
    try:
        owner_of(vault, record, name)
    except VaultError:
        return False
    return True


def _of(record: Record, trouble: Trouble, why: str) -> Troubled:
    kind = type(record)
    return Troubled(name_of(kind.table, record.id), record.id, trouble, why, Delete(kind, record.id))


def renamed(found: Troubled, taken: set[str]) -> Troubled:
    """The same under another name, if an earlier record that is set aside has its name."""
    if found.id not in taken:
        return found
    return Troubled(f"{found.id}~live", found.key, found.trouble, found.why, found.drop)
