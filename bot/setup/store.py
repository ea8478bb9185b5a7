"""The doctor's checks of the store."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from bot.clock import now_ms
from bot.config import Config
from bot.config.database import is_database
from bot.domain.records import Item, ItemState, Meeting
from bot.errors import StoreError
from bot.setup import database
from bot.setup.channels import check_channels
from bot.setup.findings import Finding, Level, note, ok, wrong
from bot.setup.held import held_posts
from bot.setup.looking import Looked, Opens, look
from bot.setup.places import opened, store_file
from bot.setup.troubled import Trouble, Troubled, kept_in, renamed
from bot.stores import Store
from bot.stores.access import access_trouble

# How many records a finding names.
_NAMED = 5


async def check_store(config: Config) -> list[Finding]:
    """Whether the store can be read, what is in it, and whether the keys open what is sealed."""
    found, readable = await (database.look(config) if is_database(config.store.url) else _look(config))
    if not readable:
        return found
    try:
        store = await opened(config, readonly=True)
    except StoreError as error:
        return [*(each for each in found if each.level is not Level.WRONG), wrong("store.url", str(error))]
    try:
        kept = await kept_in(store)
        looked = await look(store, config.store.encryption_keys)
        taken = {each.id for each in kept if each.trouble is Trouble.SET_ASIDE}
        return [
            *found,
            await _counted(store, looked.links),
            *await _kept(store, kept),
            *await check_channels(store),
            *await held_posts(store),
            _judged(looked, taken),
        ]
    except StoreError as error:
        return [*found, wrong("store.url", str(error))]
    finally:
        await store.close()


async def _look(config: Config) -> tuple[list[Finding], bool]:
    """What there is to say of the file, and whether it is there."""
    path = store_file(config.store.url)
    if not await asyncio.to_thread(path.exists):
        return [await asyncio.to_thread(_new, path)], False
    trouble = await asyncio.to_thread(access_trouble, path)
    return ([wrong("store.url", trouble)] if trouble else []), True


def _new(path: Path) -> Finding:
    if not path.parent.is_dir():
        return wrong(
            "store.url", f"the directory {path.parent} does not exist: create it for the bot's own user"
        )
    if trouble := access_trouble(path):
        return wrong("store.url", trouble)
    return ok("store.url", f"{path} does not exist yet; `zoombot run` creates it")


async def _counted(store: Store, links: int) -> Finding:
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


def _judged(looked: Looked, taken: set[str]) -> Finding:
    counts, links = looked.values, looked.of_links
    subject, total, linked = "store.encryption_keys", counts.total(), links.total()
    tried = f" that were tried, of {total + looked.untried}," if looked.untried else ""
    if shut := counts[Opens.NEVER]:
        lost = f"{shut} of {total} sealed values{tried} do not open"
        lost += f", among them {links[Opens.NEVER]} of {linked} Zoom links"
        lost += f" ({_named([renamed(each, taken) for each in looked.shut])})" if looked.shut else ""
        fix = "add the key they were sealed with to the end of the list, or these people must connect again"
        return wrong(subject, f"{lost}: {fix}")
    if not total:
        return ok(subject, "nothing is sealed yet")
    text = f"all {total} sealed values{tried} open, including {linked} Zoom links"
    if later := counts[Opens.LATER]:
        fix = "stop the bot and run `zoombot keys rotate` before you remove a key"
        return note(subject, f"{text}, but {later} not with the first key: {fix}")
    rest = "; before you remove a key, run `zoombot keys rotate`, which touches all" if looked.untried else ""
    return ok(subject, f"{text}, all with the first key{rest}")
