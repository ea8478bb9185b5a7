"""Where the store of a configuration is, and how the operator's commands open it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

from bot.config import Config
from bot.config.database import is_database, shown_url
from bot.errors import StoreError, StoreLockedError
from bot.stores import Store
from bot.stores.opening import look_at_database, open_store
from bot.stores.seen import SeenDatabase

_log = logging.getLogger(__name__)


def store_file(url: str) -> Path:
    """The file that a ``store.url`` names, if it names no database."""
    return Path(url.removeprefix("tinydb:"))


async def opened(
    config: Config, *, readonly: bool = False, on_trouble: Callable[[str], None] = _log.warning
) -> Store:
    """The store of ``store.url``; see :func:`bot.stores.opening.open_store`."""
    settings = config.store
    return await open_store(settings.url, ca_file=settings.ca_file, readonly=readonly, on_trouble=on_trouble)


async def require_store(url: str, ca_file: str) -> None:
    """Raise :class:`StoreError` if there is no store: opening it for writing would create an empty one, and
    the operator would not notice. Likewise if replicas of the bot use it."""
    if is_database(url):
        seen = await require_unused(url, ca_file)
        missing = not seen.has_store
    else:
        missing = not await asyncio.to_thread(store_file(url).exists)
    if missing:
        name = shown_url(url).removeprefix("tinydb:")
        raise StoreError(f"store.url: there is no store {name}: is it the one that the bot uses?")


async def require_unused(url: str, ca_file: str) -> SeenDatabase:
    """The database as it is. Raises :class:`StoreLockedError` if replicas of the bot use it."""
    seen = await look_at_database(url, ca_file)
    running = [f"{each.number} on {each.host}" for each in seen.replicas if each.is_alive]
    if running:
        names = ", ".join(running)
        raise StoreLockedError(
            f"the store {shown_url(url)} is in use by replicas of the bot ({names}): stop them all first"
        )
    return seen
