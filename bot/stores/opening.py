"""Opens the store that a ``store.url`` names."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

from bot.errors import StoreError
from bot.stores import Store
from bot.stores.lock import FileLock
from bot.stores.sqlite import Bodies, DocumentFile, read
from bot.stores.tiny import TinyStore
from bot.stores.writer import DEFAULT_LIMITS, Limits, Writer

_log = logging.getLogger(__name__)


async def open_store(
    url: str,
    *,
    readonly: bool = False,
    on_trouble: Callable[[str], None] = _log.warning,
    limits: Limits = DEFAULT_LIMITS,
) -> Store:
    """The store at ``tinydb:<file>``; the path is absolute, or relative to the working directory.

    ``readonly`` reads a snapshot, even while another process has the store open, and refuses changes.
    ``on_trouble`` gets a line for the log when writing starts to fail and when it works again.
    Raises :class:`StoreError`, :class:`bot.errors.StoreLockedError` or
    :class:`bot.errors.StoreDamagedError`; each says what to do.
    """
    path = await asyncio.to_thread(_path, url)
    if readonly:
        return TinyStore(await asyncio.to_thread(_snapshot, path), None)
    bodies, file = await asyncio.to_thread(_open, path)
    return TinyStore(bodies, Writer(file, on_trouble, limits))


def _path(url: str) -> Path:
    # Never shown: a URL may contain a password.
    scheme, _, rest = url.partition(":")
    if scheme in ("postgresql", "postgres"):
        raise StoreError("store.url: PostgreSQL is not supported yet, use tinydb:<file>")
    if scheme != "tinydb" or not rest.removeprefix("//"):
        raise StoreError("store.url: must be tinydb:<file>")
    # Resolved, so that two names of one file share its lock.
    path = Path(rest.removeprefix("//")).resolve()
    if not path.parent.is_dir():
        raise StoreError(f"store.url: the directory {path.parent} does not exist: create it first")
    if path.is_dir():
        raise StoreError(f"store.url: {path} is a directory: it must be a file")
    return path


def _snapshot(path: Path) -> Bodies:
    if not path.exists():
        raise StoreError(f"there is no store {path} yet: `zoombot run` creates it")
    return read(path, shared=True)


def _open(path: Path) -> tuple[Bodies, DocumentFile]:
    lock = FileLock(path)
    try:
        return read(path, shared=False), DocumentFile(path, lock)
    except BaseException:
        lock.release()
        raise
