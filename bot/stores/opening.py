"""Opens the store that a ``store.url`` names."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from bot.domain.upkeep import SCHEMA, SCHEMA_VERSION, Schema, known_kinds
from bot.errors import StoreError
from bot.stores import Store
from bot.stores.access import access_trouble
from bot.stores.lock import FileLock
from bot.stores.sqlite import Contents, DocumentFile, read
from bot.stores.tiny import TinyStore
from bot.stores.writer import DEFAULT_LIMITS, Limits, Writer

_log = logging.getLogger(__name__)

# How many records a line of the log names.
_NAMED = 10


async def open_store(
    url: str,
    *,
    readonly: bool = False,
    on_trouble: Callable[[str], None] = _log.warning,
    limits: Limits = DEFAULT_LIMITS,
) -> Store:
    """The store at ``tinydb:<file>``; the path is absolute, or relative to the working directory.

    ``readonly`` reads a snapshot, even while another process has the store open, and refuses changes.
    Records that cannot be read are set aside; in a snapshot they are in the file as they were.
    ``on_trouble`` gets a line for the log when that happens, when writing starts to fail, and when it works
    again.
    Raises :class:`StoreError`, :class:`bot.errors.StoreLockedError` or
    :class:`bot.errors.StoreDamagedError`; each says what to do.
    """
    path = await asyncio.to_thread(_path, url)
    if readonly:
        contents = await asyncio.to_thread(_snapshot, path)
        return await _sifted(TinyStore(contents.bodies, None), contents, path)
    contents, file = await asyncio.to_thread(_open, path)
    store = TinyStore(contents.bodies, Writer(file, on_trouble, limits))
    await _sifted(store, contents, path)
    if store.asides:
        on_trouble(_set_aside_line(store.asides))
    return store


async def _sifted(store: TinyStore, contents: Contents, path: Path) -> TinyStore:
    """The store, with what cannot be read set aside. A store of a later version is closed as it is."""
    try:
        await require_known(store, str(path))
        for damaged in contents.damaged:
            store.set_aside(damaged)
        store.look_through(known_kinds())
    except BaseException:
        await store.close()
        raise
    return store


async def require_known(store: Store, name: str) -> None:
    """Raise :class:`StoreError` if a later version of the program wrote the store of this name."""
    schema = await store.get(Schema, SCHEMA)
    if schema is not None and schema.version > SCHEMA_VERSION:
        raise StoreError(later(name))


def later(name: str) -> str:
    """The sentence that refuses the store of this name."""
    return f"the store {name} was written by a later zoombot: install that version again"


def _set_aside_line(names: Sequence[str]) -> str:
    some = ", ".join(names[:_NAMED]) + (", …" if len(names) > _NAMED else "")
    return f"{len(names)} records cannot be read and are set aside: {some}; see `zoombot store list`"


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


def _snapshot(path: Path) -> Contents:
    if not path.exists() and not access_trouble(path):
        raise StoreError(f"there is no store {path} yet: `zoombot run` creates it")
    return read(path, shared=True)


def _open(path: Path) -> tuple[Contents, DocumentFile]:
    lock = FileLock(path)
    try:
        return read(path, shared=False), DocumentFile(path, lock)
    except BaseException:
        lock.release()
        raise
