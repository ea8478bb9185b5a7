"""How a store is brought to the version of the program: once, in order, each step wholly or not at all."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.core.migrations import MIGRATIONS, Migration, migrate
from bot.domain.records import Preference, Recent
from bot.domain.upkeep import SCHEMA, SCHEMA_VERSION, Schema
from bot.errors import StoreError
from bot.stores import Change, Put, Store
from bot.stores.opening import open_store
from bot.vault import Vault, new_key

VAULT = Vault([new_key()])


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = await open_store(f"tinydb:{tmp_path}/zoombot.db")
    yield store
    await store.close()


async def version(store: Store) -> int:
    schema = await store.get(Schema, SCHEMA)
    return schema.version if schema else 0


def writing(name: str, done: list[str], *more: Change) -> Migration:
    async def migration(store: Store, vault: Vault) -> list[Change]:
        done.append(name)
        return [Put(Preference(id=name, pmi="never")), *more]

    return migration


def test_the_version_counts_the_migrations() -> None:
    assert len(MIGRATIONS) == SCHEMA_VERSION


async def test_a_new_store_gets_the_present_version(store: Store) -> None:
    assert await version(store) == 0
    await migrate(store, VAULT)
    assert await version(store) == SCHEMA_VERSION


async def test_each_migration_is_done_once_and_in_order(store: Store) -> None:
    done: list[str] = []
    one, two, three = (writing(name, done) for name in ("one", "two", "three"))
    await migrate(store, VAULT, (one, two))
    assert (done, await version(store)) == (["one", "two"], 2)
    await migrate(store, VAULT, (one, two))
    await migrate(store, VAULT, (one, two, three))
    assert (done, await version(store)) == (["one", "two", "three"], 3)


async def test_a_migration_that_fails_writes_nothing_and_is_done_again(store: Store) -> None:
    done: list[str] = []
    one = writing("one", done)
    bad = writing("two", done, Put(Recent(id="x", meeting="\udcff", created_at=1)))
    with pytest.raises(StoreError):
        await migrate(store, VAULT, (one, bad))
    assert await version(store) == 1
    assert [each.id for each in await store.all(Preference)] == ["one"]
    await migrate(store, VAULT, (one, writing("two", done)))
    assert (done, await version(store)) == (["one", "two", "two"], 2)
