"""Opens the store that a ``store.url`` names."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType

from bot.config.database import is_database, shown_url
from bot.domain.records import Record
from bot.domain.upkeep import COPYING, SCHEMA, SCHEMA_VERSION, Copying, Schema
from bot.errors import StoreError
from bot.stores import Store
from bot.stores.access import access_trouble
from bot.stores.claims import DEFAULT_CLAIM_TIMINGS, Alone, Claims, ClaimTimings
from bot.stores.indexes import Indexes, indexes_of
from bot.stores.lock import FileLock
from bot.stores.lookups import Lookups
from bot.stores.reading import Reader, UnreadableError
from bot.stores.seen import WATCH_S, SeenDatabase
from bot.stores.sqlite import DocumentFile, examine, is_behind, reading, trouble
from bot.stores.tiny import TinyStore
from bot.stores.writer import DEFAULT_LIMITS, Limits, Writer

_log = logging.getLogger(__name__)


async def open_store(
    url: str,
    *,
    readonly: bool = False,
    on_trouble: Callable[[str], None] = _log.warning,
    limits: Limits = DEFAULT_LIMITS,
    ca_file: str = "",
    patience_s: float = 0.0,
    half: bool = False,
) -> Store:
    """The store at ``tinydb:<file>``, where the path is absolute, or relative to the working directory; or
    the one in the database at ``postgresql://…``, which is waited for ``patience_s`` seconds.

    ``readonly`` reads a snapshot, even while another process has the store open, and refuses changes.
    Records that cannot be read are set aside when they are come across; in a snapshot they are in the file
    as they were. ``on_trouble`` gets a line for the log when that happens, when writing starts to fail, and
    when it works again. ``half`` also opens a copy of another store that is not finished.
    Raises :class:`StoreError`, :class:`bot.errors.StoreLockedError` or
    :class:`bot.errors.StoreDamagedError`; each says what to do.
    """
    indexes = indexes_of(Record.__subclasses__())
    if is_database(url):
        open_database = _with_driver().open_database
        store: Store = await open_database(
            url, indexes, ca_file=ca_file, readonly=readonly, on_trouble=on_trouble, patience_s=patience_s
        )
    else:
        store = await _open_file(url, indexes, on_trouble, None if readonly else limits)
    if not half:
        await _require_whole(store, shown_url(url))
    return store


def _with_driver() -> ModuleType:
    """What opens databases. Only when it is needed: asyncpg is an extra."""
    try:
        from bot.stores.postgresql import opening
    except ModuleNotFoundError:
        raise StoreError(
            "store.url: PostgreSQL needs asyncpg: pip install 'mattermost-zoombot[postgresql]'"
        ) from None
    return opening


async def _open_file(
    url: str, indexes: Indexes, on_trouble: Callable[[str], None], limits: Limits | None
) -> TinyStore:
    """The store in a file; without ``limits``, a snapshot of it."""
    path = await asyncio.to_thread(_path, url)
    if limits is None:
        connection, when_closed = await asyncio.to_thread(_snapshot, path, indexes)
        return TinyStore(Lookups(path, connection, when_closed), None, indexes, on_trouble)
    connection, file = await asyncio.to_thread(_open, path, indexes)
    lookups = Lookups(path, connection)
    return TinyStore(lookups, Writer(file, lookups, on_trouble, limits), indexes, on_trouble)


async def _require_whole(store: Store, shown: str) -> None:
    """Close a store that is half a copy, and raise :class:`StoreError`."""
    try:
        copying = await store.get(Copying, COPYING)
        if copying is not None:
            fix = "run `zoombot store copy` again, or name another store"
            raise StoreError(f"the store {shown} is an unfinished copy of {copying.source}: {fix}")
    except BaseException:
        await store.close()
        raise


async def look_at_database(url: str, ca_file: str, watch_s: float = WATCH_S) -> SeenDatabase:
    """The database at ``postgresql://…`` as its user sees it. Takes up to ``watch_s`` seconds, to see which
    replicas live. Changes nothing. Raises :class:`StoreError`."""
    indexes = indexes_of(Record.__subclasses__())
    seen: SeenDatabase = await _with_driver().look_at(url, ca_file, indexes, watch_s)
    return seen


@asynccontextmanager
async def standstill(store: Store) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """Nobody changes an open store meanwhile. Yields what raises :class:`StoreError` if that is not so any
    more. Nothing is for a file: who has opened it has it alone."""
    if isinstance(store, TinyStore):
        yield _nothing
        return
    from bot.stores.postgresql.standstill import hold
    from bot.stores.postgresql.store import PostgresStore

    assert isinstance(store, PostgresStore), "open_store opens no other stores"
    async with hold(store.database, store.session.name) as still:
        yield still


async def _nothing() -> None:
    pass


def open_claims(store: Store, timings: ClaimTimings = DEFAULT_CLAIM_TIMINGS) -> Claims:
    """The claims of this process on the work in a store that :func:`open_store` has opened."""
    if isinstance(store, TinyStore):
        return Alone()
    from bot.stores.postgresql.claims import Replica
    from bot.stores.postgresql.store import PostgresStore

    assert isinstance(store, PostgresStore), "open_store opens no other stores"
    return Replica(store, store.session.name, timings)


async def require_known(store: Store, name: str) -> None:
    """Raise :class:`StoreError` if a later version of the program wrote the store of this name."""
    schema = await store.get(Schema, SCHEMA)
    if schema is not None and schema.version > SCHEMA_VERSION:
        raise StoreError(later(name))


def later(name: str) -> str:
    """The sentence that refuses the store of this name."""
    return f"the store {name} was written by a later zoombot: install that version again"


def _path(url: str) -> Path:
    # Never shown: a URL may contain a password.
    scheme, _, rest = url.partition(":")
    if scheme != "tinydb" or not rest.removeprefix("//"):
        raise StoreError("store.url: must be tinydb:<file> or postgresql://…")
    # Resolved, so that two names of one file share its lock.
    path = Path(rest.removeprefix("//")).resolve()
    if not path.parent.is_dir():
        raise StoreError(f"store.url: the directory {path.parent} does not exist: create it first")
    if path.is_dir():
        raise StoreError(f"store.url: {path} is a directory: it must be a file")
    return path


def _snapshot(path: Path, indexes: Indexes) -> tuple[sqlite3.Connection, Callable[[], None]]:
    """A connection that sees the file as it is now, and what to call when it is closed."""
    if not path.exists() and not access_trouble(path):
        raise StoreError(f"there is no store {path} yet: `zoombot run` creates it")
    _examine(path, shared=True)
    connection = reading(path, shared=True)
    try:
        connection.execute("BEGIN")
        # From this first question on, the file is seen as it is now.
        if not is_behind(connection, indexes):
            return connection, lambda: None
        return _indexed_copy(path, connection, indexes)
    except BaseException as error:
        connection.close()
        if isinstance(error, sqlite3.Error):
            raise trouble(path, error) from None
        raise


def _indexed_copy(
    path: Path, connection: sqlite3.Connection, indexes: Indexes
) -> tuple[sqlite3.Connection, Callable[[], None]]:
    """The same for a file of an earlier version: what that lacks is added to a copy."""
    directory = TemporaryDirectory(prefix="zoombot-")
    try:
        copy = Path(directory.name) / path.name
        with closing(connection), closing(sqlite3.connect(copy)) as target:
            connection.backup(target)
        DocumentFile(copy, None, indexes).close()
        return reading(copy, shared=True), directory.cleanup
    except BaseException:
        directory.cleanup()
        raise


def _open(path: Path, indexes: Indexes) -> tuple[sqlite3.Connection, DocumentFile]:
    lock = FileLock(path)
    try:
        _examine(path, shared=False)
        file = DocumentFile(path, lock, indexes)
    except BaseException:
        lock.release()
        raise
    try:
        return reading(path, shared=True), file
    except BaseException:
        file.close()
        raise


def _examine(path: Path, *, shared: bool) -> None:
    """Refuse a file that this program may not touch, as it is."""
    body = examine(path, (Schema.table, SCHEMA), shared=shared)
    if body is None:
        return
    try:
        schema = Reader(Schema).read(body)
    except UnreadableError:
        return
    if schema.version > SCHEMA_VERSION:
        raise StoreError(later(str(path)))
