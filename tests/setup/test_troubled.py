"""`store list` and `store forget` with a database, while a replica runs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.clock import now_ms
from bot.config import Config
from bot.domain.records import Item, ItemState, Pending
from bot.errors import StoreError
from bot.setup.troubled import Trouble, forget, listed
from bot.stores import Put
from bot.stores.opening import open_store
from bot.vault import Vault, new_key
from tests.stores.replica import replica
from tests.stores.server import execute, new_database


@pytest.fixture
async def kept(stored: Config) -> Config:
    """A store in a database with a record of each trouble."""
    config = replace(stored, store=replace(stored.store, url=new_database()))
    store = await open_store(config.store.url)
    item = Item(
        id="post:1",
        kind="request",
        queue="x",
        asked_at=now_ms(),
        received_at=now_ms(),
        state=ItemState.DEAD,
        error="ValueError",
        sealed="shut",
    )
    for name, key in (("a:b", new_key()), ("a:c", stored.store.encryption_keys[0]), ("a:d", new_key())):
        await store.commit(
            Put(Pending(id=name, user_id="a", sealed=Vault([key]).seal(name, "x"), asked_at=1))
        )
    await store.commit(Put(item))
    await store.close()
    sql = "UPDATE zoombot.documents SET body = 'hunter2' WHERE key = 'a:d'"
    await execute(config.store.url, sql)
    return config


async def test_each_is_listed_and_dropped_while_a_replica_runs(kept: Config) -> None:
    async with replica(kept.store.url):
        found = await listed(kept)
        assert {(each.id, each.trouble) for each in found} == {
            ("pending/a:d", Trouble.SET_ASIDE),
            ("inbox/post:1", Trouble.GIVEN_UP),
            ("pending/a:b", Trouble.SHUT),
        }
        for each in found:
            assert (await forget(kept, each.id)).id == each.id
            with pytest.raises(StoreError, match="not in the list"):
                await forget(kept, each.id)
        assert await listed(kept) == []
    store = await open_store(kept.store.url, readonly=True)
    assert [each.id for each in await store.all(Pending)] == ["a:c"]
    await store.close()
