"""What the watchers of a store are told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from bot.errors import StoreError
from bot.stores import Delete, Insert, Put, Update
from bot.stores.notifying import NotifyingStore
from tests.stores.conftest import Opener
from tests.stores.kinds import Other, Thing


@pytest.fixture
async def store(opener: Opener, tmp_path: Path) -> AsyncIterator[NotifyingStore]:
    store = NotifyingStore(await opener(tmp_path))
    yield store
    await store.close()


@pytest.fixture
def told(store: NotifyingStore) -> list[Any]:
    """The things that were written."""
    told: list[Any] = []
    store.watch(Thing, told.append)
    return told


def thing(id_: str, number: int = 0) -> Thing:
    return Thing(id=id_, number=number)


async def test_watchers_are_told_of_each_change_in_order(store: NotifyingStore, told: list[Any]) -> None:
    await store.commit(
        Insert(thing("a")),
        Update(Thing, "a", lambda thing: replace(thing, number=1)),
        Delete(Thing, "a"),
        Put(thing("a", 2)),
        Put(Other(id="x")),
        Delete(Other, "x"),
    )
    assert told == [thing("a"), thing("a", 1), thing("a", 2)]


async def test_an_insert_that_was_skipped_is_told_to_nobody(store: NotifyingStore, told: list[Any]) -> None:
    done: list[str] = []
    await store.commit(Put(thing("a")))
    told.clear()
    await store.commit(
        Insert(thing("a", 1), lambda: done.append("a")), Insert(thing("b"), lambda: done.append("b"))
    )
    assert told == [thing("b")]
    assert done == ["b"]


async def test_what_is_written_beside_an_insert_or_an_update_is_told(
    store: NotifyingStore, told: list[Any]
) -> None:
    assert await store.insert(thing("a"), Insert(thing("b")), Delete(Thing, "c"))
    await store.update(Thing, "a", lambda thing: replace(thing, number=1), Delete(Thing, "b"))
    assert told == [thing("a"), thing("b"), thing("a", 1)]


async def test_a_call_that_wrote_nothing_is_told_to_nobody(store: NotifyingStore, told: list[Any]) -> None:
    await store.commit(Put(thing("a")))
    told.clear()
    assert not await store.insert(thing("a", 1), Delete(Thing, "a"))
    with pytest.raises(StoreError):
        await store.commit(
            Insert(thing("b")), Delete(Thing, "a"), Put(Thing(id="c", number=1, note="\udcff"))
        )
    assert told == []


async def test_what_a_cancelled_call_changed_is_told_once_it_is_durable(
    store: NotifyingStore, told: list[Any]
) -> None:
    writing = asyncio.ensure_future(store.commit(Insert(thing("a")), Delete(Thing, "b")))
    await asyncio.sleep(0)
    assert told == []
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)
    await store.commit(Delete(Thing, "last"))
    assert told == [thing("a")]
