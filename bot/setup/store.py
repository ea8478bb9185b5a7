"""The doctor's look at the store."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from bot.config import Config
from bot.errors import StoreError, VaultError
from bot.records import Item, ItemState, Link, Meeting
from bot.setup.findings import Finding, note, ok, wrong
from bot.setup.sealed import owner_of, sealed_kinds
from bot.stores import Store
from bot.stores.opening import open_store
from bot.vault import Vault


def store_file(config: Config) -> Path:
    """The file that ``store.url`` names."""
    return Path(config.store.url.removeprefix("tinydb:"))


async def check_store(config: Config) -> list[Finding]:
    """Whether the store can be read, what is in it, and whether the keys open what is sealed."""
    path = store_file(config)
    if not await asyncio.to_thread(path.exists):
        return [await asyncio.to_thread(_new, path)]
    try:
        store = await open_store(config.store.url, readonly=True)
    except StoreError as error:
        return [wrong("store.url", str(error))]
    try:
        return [*await _counted(store), await _sealed(store, Vault(config.store.encryption_keys))]
    except StoreError as error:
        return [wrong("store.url", str(error))]
    finally:
        await store.close()


def _new(path: Path) -> Finding:
    if not path.parent.is_dir():
        return wrong(
            "store.url", f"the directory {path.parent} does not exist: make it, for the bot's own user"
        )
    if not os.access(path.parent, os.W_OK | os.X_OK):
        return wrong("store.url", f"nothing can be written in {path.parent}: give it to the bot's own user")
    return ok("store.url", f"{path} is not there yet; `zoombot run` makes it")


async def _counted(store: Store) -> list[Finding]:
    links, meetings = await store.all(Link), await store.find(Meeting, "open", value=True)
    waiting = await store.find(Item, "state", ItemState.WAITING)
    dead = await store.find(Item, "state", ItemState.DEAD)
    text = f"{len(links)} linked accounts, {len(meetings)} open meetings, {len(waiting)} waiting requests"
    found = [ok("store.url", f"readable: {text}")]
    if dead:
        last = max(dead, key=lambda item: item.received_at)
        reason = " ".join(last.error.split())[:200] or "no reason was kept"
        found.append(note("store", f"{len(dead)} requests were given up; the newest ({last.kind}): {reason}"))
    return found


async def _sealed(store: Store, vault: Vault) -> Finding:
    good = bad = 0
    for kind, names in sealed_kinds().items():
        for record in await store.all(kind):
            for name in names:
                if not getattr(record, name):
                    continue
                try:
                    owner_of(vault, record, name)
                    good += 1
                except VaultError:
                    bad += 1
    if bad:
        mend = "add the key they were sealed under to the end of the list"
        return wrong("store.encryption_keys", f"{bad} of {good + bad} sealed values do not open: {mend}")
    return ok("store.encryption_keys", f"all {good} sealed values open")
