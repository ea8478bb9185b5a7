"""The store's file: SQLite in WAL mode, each commit on the disk before it returns.

Everything here blocks, so call it in a thread.
"""

from __future__ import annotations

import os
import sqlite3
import zlib
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from bot.errors import StoreDamagedError, StoreError
from bot.stores.access import access_trouble
from bot.stores.lock import FileLock
from bot.stores.reading import Unreadable

# A document's table and id.
Key = tuple[str, str]
# The new body of each changed document as JSON; None for one that was removed.
Changes = Mapping[Key, bytes | None]
# Table → id → body.
Bodies = dict[str, dict[str, bytes]]

# "zbot": marks our files among other SQLite files.
_APPLICATION = 0x7A626F74
# 2: unreadable records are set aside. Version 0.1 refuses it, because it would not know what to do with them.
_VERSION = 2
_SCHEMA = f"""
    BEGIN IMMEDIATE;
    CREATE TABLE documents (
        kind TEXT NOT NULL, id TEXT NOT NULL, body BLOB NOT NULL, crc INTEGER NOT NULL,
        PRIMARY KEY (kind, id)
    ) WITHOUT ROWID;
    PRAGMA application_id = {_APPLICATION};
    PRAGMA user_version = {_VERSION};
    COMMIT;
"""
_WRITE = """
    INSERT INTO documents VALUES (?, ?, ?, ?)
    ON CONFLICT (kind, id) DO UPDATE SET body = excluded.body, crc = excluded.crc
"""
# Also removes a row whose key is not UTF-8 or no text.
_REMOVE = """
    DELETE FROM documents WHERE kind IN (CAST(? AS TEXT), ?) AND id IN (CAST(? AS TEXT), ?)
"""


@dataclass(frozen=True, slots=True)
class Contents:
    """The documents of a file, and the rows that are damaged."""

    bodies: Bodies = field(default_factory=dict)
    damaged: list[Unreadable] = field(default_factory=list)


def read(path: Path, *, shared: bool) -> Contents:
    """All documents of the file, without changing it; none if it is missing or empty.

    ``shared`` means that another process may be writing to it. Raises :class:`StoreDamagedError`, and
    :class:`StoreError` for a file that is another program's, a later version's, or not accessible.
    """
    try:
        if not path.exists() or not path.stat().st_size:
            return Contents()
        with closing(_connect(path, _reading_mode(path, shared))) as connection:
            connection.execute("BEGIN")
            return _contents(path, connection)
    except sqlite3.OperationalError as error:
        raise StoreError(f"the store {path} cannot be read: {access_trouble(path) or error}") from None
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        raise _damaged(path, str(error)) from None
    except OSError as error:
        why = access_trouble(path) or error.strerror
        raise StoreError(f"the store {path} cannot be read: {why}") from None


def _reading_mode(path: Path, shared: bool) -> str:
    # `immutable` leaves no -shm file behind, but is only safe without other processes and without a log.
    log = path.with_name(path.name + "-wal")
    alone = not shared and not (log.exists() and log.stat().st_size)
    return "mode=ro&immutable=1" if alone else "mode=ro"


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    # Opened in one thread, used and closed in the writer's.
    return sqlite3.connect(
        f"{path.as_uri()}?{mode}", uri=True, timeout=5, isolation_level=None, check_same_thread=False
    )


def _contents(path: Path, connection: sqlite3.Connection) -> Contents:
    found = Contents()
    if not _recognised(path, connection):
        return found
    (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise _damaged(path, verdict)
    # One row that is not UTF-8 must not end the reading.
    connection.text_factory = bytes
    for row in connection.execute("SELECT kind, id, body, crc FROM documents"):
        kind, id_ = _text(row[0]), _text(row[1])
        if fault := _fault(kind, id_, row[2], row[3]):
            body = row[2] if isinstance(row[2], bytes) else str(row[2]).encode()
            found.damaged.append(Unreadable(kind, id_, body, fault))
        else:
            found.bodies.setdefault(kind, {})[id_] = row[2]
    return found


def _text(value: object) -> str:
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else str(value)


def _fault(kind: str, id_: str, body: object, crc: object) -> str:
    try:
        right = isinstance(body, bytes) and crc == _checksum(kind, id_, body)
    except UnicodeEncodeError:
        return "its id is not UTF-8"
    return "" if right else "its checksum is wrong"


def _recognised(path: Path, connection: sqlite3.Connection) -> bool:
    """Whether there are documents to read; False for a database that was never set up."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if not application and not tables:
        return False
    if application != _APPLICATION:
        raise StoreError(f"{path} belongs to another program: give zoombot its own store.url")
    if version > _VERSION:
        raise StoreError(f"the store {path} was written by a later zoombot: install that version again")
    return True


def _damaged(path: Path, cause: str) -> StoreDamagedError:
    return StoreDamagedError(
        f"the store {path} is damaged ({cause}). It was left untouched. Move it aside together with "
        f"{path.name}-wal and {path.name}-shm, then copy a backup into its place; "
        "without a backup, zoombot starts empty and people have to link their accounts again"
    )


def _checksum(kind: str, id_: str, body: bytes) -> int:
    return zlib.crc32(body, zlib.crc32(f"{kind}\0{id_}".encode()))


class DocumentFile:
    """The file, opened for writing; created with mode 0600 if it is missing. :func:`read` it first.

    Releases ``lock`` when it is closed. Raises :class:`StoreError`. SQLite gives ``-wal`` and ``-shm`` the
    mode of the file itself.
    """

    def __init__(self, path: Path, lock: FileLock) -> None:
        self._lock = lock
        try:
            _make_private(path)
            self._connection = _connect(path, "mode=rw")
            self._renewed = False
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
        if not _recognised(path, self._connection):
            self._connection.executescript(_SCHEMA)
            _sync_directory(path.parent)
        # Short, because from now on the writer retries.
        self._connection.execute("PRAGMA busy_timeout = 200")

    def write(self, changes: Changes) -> None:
        """Write all changes in one transaction, or none. Raises :class:`sqlite3.Error`."""
        written = [(*key, body, _checksum(*key, body)) for key, body in changes.items() if body is not None]
        # Twice each: some releases of Python 3.12 take a numbered placeholder for a named one.
        removed = [
            (*[_bytes(kind)] * 2, *[_bytes(id_)] * 2) for (kind, id_), body in changes.items() if body is None
        ]
        with self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            if not self._renewed:
                self._connection.execute(f"PRAGMA user_version = {_VERSION}")
            self._connection.executemany(_WRITE, written)
            self._connection.executemany(_REMOVE, removed)
        self._renewed = True

    def close(self) -> None:
        """Move the log into the file, close it, and release the lock."""
        try:
            self._connection.close()
        finally:
            self._lock.release()


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


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
