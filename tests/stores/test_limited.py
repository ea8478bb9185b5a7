"""A store whose caller waits only so long: it does what the store below does, and no longer."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, cast

import pytest
from msgspec.structs import replace

from bot.errors import StoreError, StoreTimeoutError
from bot.stores import Put, Store
from bot.stores.limited import Limit, LimitedStore
from bot.stores.opening import open_store
from tests.stores.kinds import Thing


async def test_it_does_what_the_store_does(tmp_path: Path) -> None:
    store = LimitedStore(await open_store(f"tinydb:{tmp_path / 'test.db'}"), Limit(60))
    assert store.writable
    assert await store.insert(Thing(id="a", number=1))
    assert not await store.insert(Thing(id="a", number=2))
    await store.commit(*(Put(Thing(id=f"b{number}", number=2)) for number in range(5)))
    changed = await store.update(Thing, "a", lambda thing: replace(thing, number=3))
    assert changed == await store.get(Thing, "a") == Thing(id="a", number=3)
    assert (await store.has(Thing, "number", 3), await store.has(Thing, "number", 9)) == (True, False)
    assert len(await store.find(Thing, "number", 2)) == 5
    assert len(await store.all(Thing)) == 6
    assert [len(page) async for page in store.pages(Thing, "number", 2, size=2)] == [2, 2, 1]
    await store.inspect()
    await store.close()
    with pytest.raises(StoreError):
        await store.get(Thing, "a")


class Slow:
    """A store that takes its time for each answer."""

    def __init__(self, answered: asyncio.Event) -> None:
        self._answered = answered
        self.taken = asyncio.Lock()

    def lock(self, name: str) -> asyncio.Lock:
        return self.taken

    def __getattr__(self, name: str) -> Any:
        async def asked(*given: Any) -> None:
            await self._answered.wait()

        return asked


async def test_all_calls_together_have_so_much_time() -> None:
    answered = asyncio.Event()
    limit = Limit(0.3)
    slow = Slow(answered)
    store = LimitedStore(cast(Store, slow), limit)
    with pytest.raises(StoreTimeoutError):
        await store.get(Thing, "a")
    # Nothing is left for a second one, nor for who waits for somebody with the same store.
    async with asyncio.timeout(0.25):
        with pytest.raises(StoreTimeoutError):
            await store.commit(Put(Thing(id="a", number=1)))
        await slow.taken.acquire()
        with pytest.raises(StoreTimeoutError):
            async with store.lock("name"):
                pass
    assert slow.taken.locked()
