"""The store's file: SQLite in WAL mode, each commit on the disk before it returns.

``documents`` has a row for each document, with its checksum. ``entries`` has a row for each indexed field of
a document, and ``indexed`` says which fields these are. Everything here blocks, so call it in a thread.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import zlib
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from bot.errors import StoreDamagedError, StoreError
from bot.stores.access import access_trouble
from bot.stores.indexes import Entry, Index, Indexes
from bot.stores.lock import FileLock

log = logging.getLogger(__name__)

# A document's table and id.
Key = tuple[str, str]
# The new body of each changed document as JSON; None for one that was removed.
Changes = Mapping[Key, bytes | None]

# "zbot": marks our files among other SQLite files.
_APPLICATION = 0x7A626F74
# 3: the file has indexes. An earlier version would not keep them, and refuses the file.
VERSION = 3
_SCHEMA = """
    CREATE TABLE IF NOT EXISTS documents (
        kind TEXT NOT NULL, id TEXT NOT NULL, body BLOB NOT NULL, crc INTEGER NOT NULL,
        PRIMARY KEY (kind, id)
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS entries (
        kind TEXT NOT NULL, field TEXT NOT NULL, value BLOB NOT NULL, id TEXT NOT NULL,
        PRIMARY KEY (kind, field, value, id)
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS indexed (kind TEXT NOT NULL PRIMARY KEY, fields TEXT NOT NULL) WITHOUT ROWID;
"""
_WRITE = """
    INSERT INTO documents VALUES (?, ?, ?, ?)
    ON CONFLICT (kind, id) DO UPDATE SET body = excluded.body, crc = excluded.crc
"""
# Also removes a row whose key is not UTF-8 or no text. Twice each, without numbered placeholders: some
# releases of Python 3.12 take those for named ones.
_REMOVE = """
    DELETE FROM documents WHERE kind IN (CAST(? AS TEXT), ?) AND id IN (CAST(? AS TEXT), ?)
"""
# As bytes, because what somebody else wrote may be a text that is not UTF-8.
_BODY = "SELECT CAST(body AS BLOB) FROM documents WHERE kind = ? AND id = ?"
_BODIES = "SELECT CAST(id AS BLOB), CAST(body AS BLOB) FROM documents WHERE kind = ? AND typeof(id) = 'text'"
_ADD_ENTRY = "INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?)"
_DROP_ENTRY = "DELETE FROM entries WHERE kind = ? AND field = ? AND value = ? AND id = ?"
# Reads all entries of a kind. Only what somebody else wrote needs that.
_DROP_ENTRIES = "DELETE FROM entries WHERE kind = ? AND id = ?"


class DocumentFile:
    """The file, opened for writing; created with mode 0600 if it is missing. :func:`examine` it first.

    Its indexes are made anew where they are not ``indexes``. Releases ``lock`` when it is closed. Raises
    :class:`StoreError`. SQLite gives ``-wal`` and ``-shm`` the mode of the file itself.
    """

    def __init__(self, path: Path, lock: FileLock | None, indexes: Indexes) -> None:
        self._lock = lock
        self._indexes = indexes
        try:
            _make_private(path)
            self._connection = connect(path, "mode=rw")
            try:
                self._prepare(path)
            except BaseException:
                self._connection.close()
                raise
        except (sqlite3.Error, OSError) as error:
            why = access_trouble(path) or error
            raise StoreError(f"the store {path} cannot be opened for writing: {why}") from None

    def _prepare(self, path: Path) -> None:
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        # So that the log shrinks again after a large clean-up.
        self._connection.execute("PRAGMA journal_size_limit = 16777216")
        new = not _recognised(path, self._connection)
        if new or is_behind(self._connection, self._indexes):
            if not new:
                log.info("the store gets its indexes: with very many people that takes a minute")
            self._bring_up_to_date()
        if new:
            _sync_directory(path.parent)
        # Short, because from now on the writer retries.
        self._connection.execute("PRAGMA busy_timeout = 200")

    def _bring_up_to_date(self) -> None:
        with self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            for statement in _SCHEMA.split(";"):
                self._connection.execute(statement)
            for table, text in _outdated(self._connection, self._indexes):
                self._index(table)
                self._connection.execute("INSERT OR REPLACE INTO indexed VALUES (?, ?)", (table, text))
            self._connection.execute(f"PRAGMA application_id = {_APPLICATION}")
            self._connection.execute(f"PRAGMA user_version = {VERSION}")

    def _index(self, table: str) -> None:
        """Make the indexes of a table anew."""
        self._connection.execute("DELETE FROM entries WHERE kind = ?", (table,))
        rows = self._connection.execute(_BODIES, (table,))
        self._connection.executemany(
            _ADD_ENTRY,
            (
                (table, field, value, id_.decode())
                for id_, body in rows
                if _is_utf8(id_)
                for field, value in self._indexes[table].entries(body)
            ),
        )

    def write(self, changes: Changes) -> None:
        """Write all changes in one transaction, or none. Raises :class:`sqlite3.Error`."""
        written = [(*key, body, checksum(*key, body)) for key, body in changes.items() if body is not None]
        removed = [
            (*[_bytes(kind)] * 2, *[_bytes(id_)] * 2) for (kind, id_), body in changes.items() if body is None
        ]
        with self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            # First, since the documents as they were tell which entries they have.
            for (kind, id_), body in changes.items():
                if (index := self._indexes.get(kind)) and index.fields:
                    self._change_entries(index, kind, id_, index.entries(body) if body else set())
            self._connection.executemany(_WRITE, written)
            self._connection.executemany(_REMOVE, removed)

    def _change_entries(self, index: Index, kind: str, id_: str, wanted: set[Entry]) -> None:
        id_ = _bytes(id_).decode("utf-8", "replace")
        row = self._connection.execute(_BODY, (kind, id_)).fetchone()
        known = index.entries(row[0]) if row else set()
        if row and not known:
            self._connection.execute(_DROP_ENTRIES, (kind, id_))
        dropped = [(kind, field, value, id_) for field, value in known - wanted]
        added = [(kind, field, value, id_) for field, value in wanted - known]
        if dropped:
            self._connection.executemany(_DROP_ENTRY, dropped)
        if added:
            self._connection.executemany(_ADD_ENTRY, added)

    def close(self) -> None:
        """Move the log into the file, close it, and release the lock."""
        try:
            self._connection.close()
        finally:
            if self._lock is not None:
                self._lock.release()


def examine(path: Path, key: Key, *, shared: bool) -> bytes | None:
    """Look at the file without changing it, and return one document, None if it is not there.

    ``shared`` means that another process may be writing to it. Raises :class:`StoreDamagedError`, and
    :class:`StoreError` for a file that is another program's, a later version's, or not accessible. Damage
    inside is found when it is read.
    """
    try:
        if not path.exists() or not path.stat().st_size:
            return None
        with closing(_open_reading(path, shared=shared)) as connection:
            if not _recognised(path, connection):
                return None
            found = connection.execute(_BODY, key).fetchone()
            return found[0] if found else None
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        raise trouble(path, error) from None
    except OSError as error:
        why = access_trouble(path) or error.strerror
        raise StoreError(f"the store {path} cannot be read: {why}") from None


def reading(path: Path, *, shared: bool) -> sqlite3.Connection:
    """A connection that only reads. Raises :class:`StoreError`."""
    try:
        connection = _open_reading(path, shared=shared)
        connection.execute("PRAGMA cache_size = -4096")
    except sqlite3.Error as error:
        raise trouble(path, error) from None
    return connection


def _open_reading(path: Path, *, shared: bool) -> sqlite3.Connection:
    # `immutable` leaves no -shm file behind, but is only safe without other processes and without a log.
    log = path.with_name(path.name + "-wal")
    alone = not shared and not (log.exists() and log.stat().st_size)
    return connect(path, "mode=ro&immutable=1" if alone else "mode=ro")


def connect(path: Path, mode: str) -> sqlite3.Connection:
    """A connection to the file. Opened in one thread, it is used and closed in another."""
    return sqlite3.connect(
        f"{path.as_uri()}?{mode}", uri=True, timeout=5, isolation_level=None, check_same_thread=False
    )


def is_behind(connection: sqlite3.Connection, indexes: Indexes) -> bool:
    """Whether the file is of an earlier version, or has other indexes."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return version < VERSION or bool(_outdated(connection, indexes))


def _outdated(connection: sqlite3.Connection, indexes: Indexes) -> list[tuple[str, str]]:
    """The tables whose indexes have to be made anew, with what to remember of these."""
    known = dict(connection.execute("SELECT kind, fields FROM indexed"))
    wanted = {table: index.text for table, index in indexes.items()}
    return [(table, text) for table, text in wanted.items() if known.get(table, "") != text]


def _recognised(path: Path, connection: sqlite3.Connection) -> bool:
    """Whether there are documents to read; False for a database that was never set up."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if not application and not tables:
        return False
    if application != _APPLICATION:
        raise StoreError(f"{path} belongs to another program: give zoombot its own store.url")
    if version > VERSION:
        raise StoreError(f"the store {path} was written by a later zoombot: install that version again")
    return True


def checksum(kind: str, id_: str, body: bytes) -> int:
    """The checksum of a document."""
    return zlib.crc32(body, zlib.crc32(f"{kind}\0{id_}".encode()))


def damaged(path: Path, cause: str) -> StoreDamagedError:
    """The error for a file that is damaged."""
    return StoreDamagedError(
        f"the store {path} is damaged ({cause}). It was left untouched. Move it aside together with "
        f"{path.name}-wal and {path.name}-shm, then copy a backup into its place; "
        "without a backup, zoombot starts empty and people have to link their accounts again"
    )


def trouble(path: Path, error: Exception) -> StoreError:
    """The error for a file that cannot be read now or is damaged, from what SQLite says."""
    if isinstance(error, sqlite3.OperationalError):
        return StoreError(f"the store {path} cannot be read: {access_trouble(path) or error}")
    return damaged(path, str(error))


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _make_private(path: Path) -> None:
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    for suffix in ("", "-wal", "-shm"):
        part = path.with_name(path.name + suffix)
        if part.exists() and part.stat().st_mode & 0o777 != 0o600:
            part.chmod(0o600)


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
