"""The store's file: SQLite in WAL mode, each commit on the disk before it returns.

Everything here blocks, so call it in a thread.
"""

from __future__ import annotations

import os
import sqlite3
import zlib
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from bot.errors import StoreDamagedError, StoreError
from bot.stores.lock import FileLock

# A document's table and id.
Key = tuple[str, str]
# The new body of each changed document as JSON; None for one that was removed.
Changes = Mapping[Key, bytes | None]
# Table → id → body.
Bodies = dict[str, dict[str, bytes]]

# "zbot": marks our files among other SQLite files.
_APPLICATION = 0x7A626F74
_VERSION = 1
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
_REMOVE = "DELETE FROM documents WHERE kind = ? AND id = ?"


def read(path: Path, *, shared: bool) -> Bodies:
    """All documents of the file, without changing it; none if it is missing or empty.

    ``shared`` means that another process may be writing to it. Raises :class:`StoreDamagedError`, and
    :class:`StoreError` for a file that is another program's, a later version's, or not accessible.
    """
    try:
        if not path.exists() or not path.stat().st_size:
            return {}
        with closing(_connect(path, _reading_mode(path, shared))) as connection:
            connection.execute("BEGIN")
            return _bodies(path, connection)
    except sqlite3.OperationalError as error:
        raise StoreError(f"the store {path} cannot be read: {error}") from None
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        raise _damaged(path, str(error)) from None
    except OSError as error:
        raise StoreError(f"the store {path} cannot be read: {error.strerror}") from None


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


def _bodies(path: Path, connection: sqlite3.Connection) -> Bodies:
    if not _recognised(path, connection):
        return {}
    (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise _damaged(path, verdict)
    bodies: Bodies = {}
    for kind, id_, body, crc in connection.execute("SELECT kind, id, body, crc FROM documents"):
        if not isinstance(body, bytes) or crc != _checksum(kind, id_, body):
            raise _damaged(path, f"a document of {kind!r} fails its checksum")
        bodies.setdefault(kind, {})[id_] = body
    return bodies


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
            try:
                self._prepare(path)
            except BaseException:
                self._connection.close()
                raise
        except (sqlite3.Error, OSError) as error:
            raise StoreError(f"the store {path} cannot be opened for writing: {error}") from None

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
        removed = [key for key, body in changes.items() if body is None]
        with self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.executemany(_WRITE, written)
            self._connection.executemany(_REMOVE, removed)

    def close(self) -> None:
        """Move the log into the file, close it, and release the lock."""
        try:
            self._connection.close()
        finally:
            self._lock.release()


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
