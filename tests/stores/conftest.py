from __future__ import annotations

import sqlite3
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing
from pathlib import Path

import pytest

from bot.stores import Store
from bot.stores.opening import open_store
from tests.stores.server import execute, in_thread, new_database

# Every store that the conformance tests judge: its name → what opens it in a directory, again and again.
Opener = Callable[[Path], Awaitable[Store]]


def _open_tiny(directory: Path) -> Awaitable[Store]:
    return open_store(f"tinydb:{directory}/zoombot.db")


# The database that stands for each directory.
_databases: dict[Path, str] = {}


def _open_postgresql(directory: Path) -> Awaitable[Store]:
    if directory not in _databases:
        _databases[directory] = new_database()
    return open_store(_databases[directory])


OPENERS: dict[str, Opener] = {"tinydb": _open_tiny, "postgresql": _open_postgresql}

# What writes a document's body into a closed store past its interface, by the store's name: the directory, the
# table, the id and the body.
Spoil = Callable[[Path, str, str, bytes], None]


def _spoil_tiny(directory: Path, table: str, id_: str, body: bytes) -> None:
    spoil_row(
        directory / "zoombot.db", table, id_, body, zlib.crc32(body, zlib.crc32(f"{table}\0{id_}".encode()))
    )


def spoil_row(path: Path, table: object, id_: object, body: object, crc: int) -> None:
    """Write a row of the store's file as it is."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("INSERT OR REPLACE INTO documents VALUES (?, ?, ?, ?)", (table, id_, body, crc))


def _spoil_postgresql(directory: Path, table: str, id_: str, body: bytes) -> None:
    key = id_.encode()
    sql = """
        INSERT INTO zoombot.documents VALUES ($1, $2, $3, '{}')
        ON CONFLICT (kind, key) DO UPDATE SET body = excluded.body
    """
    in_thread(execute(_databases[directory], sql, table, key, body))


SPOILERS: dict[str, Spoil] = {"tinydb": _spoil_tiny, "postgresql": _spoil_postgresql}


def files(directory: Path) -> dict[str, int]:
    """The name and mode of each file."""
    return {file.name: file.stat().st_mode & 0o777 for file in directory.iterdir()}


@pytest.fixture(params=OPENERS)
def made_of(request: pytest.FixtureRequest) -> str:
    """The name of the store that is judged."""
    return str(request.param)


@pytest.fixture
def opener(made_of: str) -> Opener:
    return OPENERS[made_of]


@pytest.fixture
def spoil(made_of: str) -> Spoil:
    return SPOILERS[made_of]


@pytest.fixture
async def store(opener: Opener, tmp_path: Path) -> AsyncIterator[Store]:
    store = await opener(tmp_path)
    yield store
    await store.close()
