"""A disk that takes no more: the system refuses to let files grow."""

from __future__ import annotations

import asyncio
import resource
import sqlite3
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace

from bot.errors import StoreError
from bot.stores import Delete, Put, Store, sqlite
from bot.stores.opening import open_store
from bot.stores.writer import Limits
from tests.stores.kinds import Other, Thing


class Troubles:
    """The lines that the store told, to be waited for."""

    def __init__(self) -> None:
        self.lines: asyncio.Queue[str] = asyncio.Queue()

    async def next(self) -> str:
        return await asyncio.wait_for(self.lines.get(), 20)


@pytest.fixture
def troubles() -> Troubles:
    return Troubles()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "zoombot.db"


@pytest.fixture
async def store(path: Path, troubles: Troubles) -> AsyncIterator[Store]:
    store = await open_store(f"tinydb:{path}", on_trouble=troubles.lines.put_nowait)
    await store.commit(Put(Thing(id="old", number=0)))
    yield store
    await store.close()


async def test_a_disk_that_does_not_answer_does_not_hold_up_the_end(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered = threading.Event()
    store = await open_store(f"tinydb:{path}", limits=Limits(close_s=0.05))
    monkeypatch.setattr(sqlite.DocumentFile, "write", lambda self, changes: answered.wait(60))
    waiting = asyncio.ensure_future(store.commit(Put(Thing(id="a", number=1))))
    await asyncio.sleep(0)
    with pytest.raises(StoreError, match="does not answer"):
        await store.close()
    answered.set()
    await asyncio.wait([waiting])


def log_size(path: Path) -> int:
    return path.with_name(path.name + "-wal").stat().st_size


def writable(store: Store) -> bool:
    return store.writable


@contextmanager
def full_disk(path: Path) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (log_size(path), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_writes_wait_for_room_and_nothing_is_lost(store: Store, path: Path, troubles: Troubles) -> None:
    with full_disk(path):
        first = asyncio.ensure_future(store.commit(Put(Thing(id="a", number=1)), Put(Other(id="a"))))
        told = await troubles.next()
        assert "cannot be written" in told
        assert writable(store) is False
        # Those who ask meanwhile join.
        more = [asyncio.ensure_future(store.insert(Thing(id=f"m{n}", number=2))) for n in range(20)]
        more.append(asyncio.ensure_future(store.insert(Thing(id="a", number=3))))
        given_up = asyncio.ensure_future(store.update(Thing, "old", lambda thing: replace(thing, number=9)))
        _, waiting = await asyncio.wait([first, *more, given_up], timeout=0.05)
        assert len(waiting) == 23
        given_up.cancel()
        assert await store.get(Thing, "a") == Thing(id="a", number=1)

    assert "can be written again" in await troubles.next()
    assert writable(store) is True
    await first
    assert await asyncio.gather(*more) == [True] * 20 + [False]
    await store.close()

    again = await open_store(f"tinydb:{path}")
    assert await again.get(Thing, "old") == Thing(id="old", number=9)
    assert len(await again.find(Thing, "number", 2)) == 20
    assert await again.get(Other, "a") is not None
    await again.close()
    assert troubles.lines.empty()


async def test_a_store_that_closes_on_a_full_disk_says_what_it_lost(path: Path, troubles: Troubles) -> None:
    store = await open_store(f"tinydb:{path}", on_trouble=troubles.lines.put_nowait)
    await store.commit(Put(Other(id="old")))
    with full_disk(path):
        refused = asyncio.ensure_future(store.commit(Put(Other(id="new"))))
        await troubles.next()
        with pytest.raises(StoreError, match="without 1 changes"):
            await asyncio.wait_for(store.close(), 4)
        with pytest.raises(StoreError):
            await refused
    await store.close()
    again = await open_store(f"tinydb:{path}")
    assert [other.id for other in await again.all(Other)] == ["old"]
    await again.close()


async def test_what_waits_has_a_limit(path: Path, troubles: Troubles) -> None:
    store = await open_store(
        f"tinydb:{path}", on_trouble=troubles.lines.put_nowait, limits=Limits(waiting=10)
    )
    await store.commit(Put(Thing(id="old", number=0)))
    with full_disk(path):
        taken = [asyncio.ensure_future(store.commit(Put(Other(id=f"{n}")))) for n in range(10)]
        await troubles.next()
        with pytest.raises(StoreError, match="wait for the disk"):
            await store.commit(Put(Other(id="10")))
        assert await store.get(Other, "10") is None
    await troubles.next()
    await asyncio.gather(*taken)
    await store.commit(Put(Other(id="10")))
    assert len(await store.all(Other)) == 11
    await store.close()


async def test_another_programs_lock_is_waited_for(store: Store, path: Path, troubles: Troubles) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        waiting = asyncio.ensure_future(store.commit(Delete(Thing, "old")))
        assert "locked" in await troubles.next()
        connection.execute("ROLLBACK")
        await waiting
    assert "can be written again" in await troubles.next()


async def test_many_commits_share_few_transactions(store: Store, path: Path) -> None:
    before = log_size(path)
    await asyncio.gather(*(store.commit(Put(Other(id=f"{n}"))) for n in range(1000)))
    # One by one each would have written its page of 4 KiB at least.
    assert log_size(path) - before < 500 * 4096
