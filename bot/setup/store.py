"""The doctor's checks of the store."""

from __future__ import annotations

import asyncio
import contextlib
import enum
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from bot.clock import now_ms
from bot.config import Config
from bot.domain.records import Item, ItemState, LinkedAccount, Meeting, Record
from bot.errors import StoreError, VaultError
from bot.setup.channels import check_channels
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
        return [
            *await _counted(store),
            *await check_channels(store),
            await _sealed(store, config.store.encryption_keys),
        ]
    except StoreError as error:
        return [wrong("store.url", str(error))]
    finally:
        await store.close()


def _new(path: Path) -> Finding:
    if not path.parent.is_dir():
        return wrong(
            "store.url", f"the directory {path.parent} does not exist: create it for the bot's own user"
        )
    if not os.access(path.parent, os.W_OK | os.X_OK):
        return wrong("store.url", f"{path.parent} is not writable: make the bot's own user its owner")
    return ok("store.url", f"{path} does not exist yet; `zoombot run` creates it")


async def _counted(store: Store) -> list[Finding]:
    links, meetings = await store.all(LinkedAccount), await store.find(Meeting, "open", value=True)
    waiting = await store.find(Item, "state", ItemState.WAITING)
    dead = await store.find(Item, "state", ItemState.DEAD)
    due = [item for item in waiting if item.due_at <= now_ms()]
    text = f"{len(links)} linked accounts, {len(meetings)} open meetings, {len(due)} waiting requests"
    found = [ok("store.url", f"readable: {text}")]
    if dead:
        last = max(dead, key=lambda item: item.received_at)
        reason = " ".join(last.error.split())[:200] or "no reason was recorded"
        found.append(note("store", f"{len(dead)} requests were given up; the latest ({last.kind}): {reason}"))
    return found


class _Opens(enum.Enum):
    """How a sealed value opens."""

    FIRST = "with the first key"
    LATER = "with another key"
    NEVER = "with none"


async def _sealed(store: Store, keys: Sequence[str]) -> Finding:
    vault, first = Vault(keys), Vault(keys[:1])
    counts: Counter[_Opens] = Counter()
    links: Counter[_Opens] = Counter()
    for kind, names in sealed_kinds().items():
        for record in await store.all(kind):
            found = [_opens(vault, first, record, name) for name in names if getattr(record, name)]
            counts.update(found)
            links.update(found if kind is LinkedAccount else ())
    return _judged(counts, links)


def _opens(vault: Vault, first: Vault, record: Record, name: str) -> _Opens:
    for each, how in ((first, _Opens.FIRST), (vault, _Opens.LATER)):
        with contextlib.suppress(VaultError):
            owner_of(each, record, name)
            return how
    return _Opens.NEVER


def _judged(counts: Counter[_Opens], links: Counter[_Opens]) -> Finding:
    subject, total, linked = "store.encryption_keys", counts.total(), links.total()
    if shut := counts[_Opens.NEVER]:
        lost = f"{shut} of {total} sealed values do not open"
        lost += f", among them {links[_Opens.NEVER]} of {linked} Zoom links"
        fix = "add the key they were sealed with to the end of the list, or these people must connect again"
        return wrong(subject, f"{lost}: {fix}")
    if not total:
        return ok(subject, "nothing is sealed yet")
    text = f"all {total} sealed values open, including {linked} Zoom links"
    if later := counts[_Opens.LATER]:
        fix = "stop the bot and run `zoombot keys rotate` before you remove a key"
        return note(subject, f"{text}, but {later} not with the first key: {fix}")
    return ok(subject, f"{text}, all with the first key")
