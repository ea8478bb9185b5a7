"""The doctor's checks of the store."""

from __future__ import annotations

import asyncio
import contextlib
import enum
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from bot.clock import now_ms
from bot.config import Config
from bot.domain.records import Item, ItemState, LinkedAccount, Meeting, Record
from bot.errors import StoreError, VaultError
from bot.setup.channels import check_channels
from bot.setup.findings import Finding, note, ok, wrong
from bot.setup.held import held_posts
from bot.setup.sealed import owner_of, sealed_kinds
from bot.setup.troubled import Trouble, Troubled, troubled_in
from bot.stores import Store
from bot.stores.access import access_trouble
from bot.stores.opening import open_store
from bot.vault import Vault

# How many records a finding names.
_NAMED = 5


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
        trouble = await asyncio.to_thread(access_trouble, path)
        keys = config.store.encryption_keys
        troubled = await troubled_in(store, keys)
        return [
            *([wrong("store.url", trouble)] if trouble else []),
            await _counted(store),
            *await _kept(store, troubled),
            *await check_channels(store),
            *await held_posts(store),
            await _sealed(store, keys, troubled),
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
    if trouble := access_trouble(path):
        return wrong("store.url", trouble)
    return ok("store.url", f"{path} does not exist yet; `zoombot run` creates it")


async def _counted(store: Store) -> Finding:
    links = sum([len(page) async for page in store.pages(LinkedAccount)])
    meetings = sum([len(page) async for page in store.pages(Meeting, "open", value=True)])
    waiting = await store.find(Item, "state", ItemState.WAITING)
    due = [item for item in waiting if item.due_at <= now_ms()]
    text = f"{links} linked accounts, {meetings} open meetings, {len(due)} waiting requests"
    return ok("store.url", f"readable: {text}")


async def _kept(store: Store, troubled: Sequence[Troubled]) -> list[Finding]:
    """What is set aside: what cannot be read, and what was given up."""
    found = []
    if asides := [each for each in troubled if each.trouble is Trouble.SET_ASIDE]:
        fix = "put back a copy of the store, or drop each with `zoombot store forget ID`"
        text = f"{len(asides)} records cannot be read and are set aside: {_named(asides, why=True)}"
        found.append(wrong("store", f"{text}: {fix}"))
    if given_up := [each for each in troubled if each.trouble is Trouble.GIVEN_UP]:
        dead = await store.find(Item, "state", ItemState.DEAD)
        last = max(dead, key=lambda item: item.received_at)
        reason = " ".join(last.error.split())[:200] or "no reason was recorded"
        text = f"{len(given_up)} requests were given up: {_named(given_up)}"
        found.append(note("store", f"{text}; the latest ({last.kind}): {reason}"))
    return found


def _named(troubled: Sequence[Troubled], *, why: bool = False) -> str:
    names = [f"{each.id} ({each.why})" if why else each.id for each in troubled[:_NAMED]]
    rest = len(troubled) - len(names)
    more = [f"{rest} more (`zoombot store list` shows all)"] if rest else []
    return ", ".join([*names, *more])


class _Opens(enum.Enum):
    """How a sealed value opens."""

    FIRST = "with the first key"
    LATER = "with another key"
    NEVER = "with none"


async def _sealed(store: Store, keys: Sequence[str], troubled: Sequence[Troubled]) -> Finding:
    vault, first = Vault(keys), Vault(keys[:1])
    counts: Counter[_Opens] = Counter()
    links: Counter[_Opens] = Counter()
    for kind, names in sealed_kinds().items():
        async for page in store.pages(kind):
            found = [
                _opens(vault, first, record, name)
                for record in page
                for name in names
                if getattr(record, name)
            ]
            counts.update(found)
            links.update(found if kind is LinkedAccount else ())
    return _judged(counts, links, [each for each in troubled if each.trouble is Trouble.SHUT])


def _opens(vault: Vault, first: Vault, record: Record, name: str) -> _Opens:
    for each, how in ((first, _Opens.FIRST), (vault, _Opens.LATER)):
        with contextlib.suppress(VaultError):
            owner_of(each, record, name)
            return how
    return _Opens.NEVER


def _judged(counts: Counter[_Opens], links: Counter[_Opens], shut_ones: Sequence[Troubled]) -> Finding:
    subject, total, linked = "store.encryption_keys", counts.total(), links.total()
    if shut := counts[_Opens.NEVER]:
        lost = f"{shut} of {total} sealed values do not open"
        lost += f", among them {links[_Opens.NEVER]} of {linked} Zoom links"
        lost += f" ({_named(shut_ones)})" if shut_ones else ""
        fix = "add the key they were sealed with to the end of the list, or these people must connect again"
        return wrong(subject, f"{lost}: {fix}")
    if not total:
        return ok(subject, "nothing is sealed yet")
    text = f"all {total} sealed values open, including {linked} Zoom links"
    if later := counts[_Opens.LATER]:
        fix = "stop the bot and run `zoombot keys rotate` before you remove a key"
        return note(subject, f"{text}, but {later} not with the first key: {fix}")
    return ok(subject, f"{text}, all with the first key")
