"""A kind in pages, whatever happens between them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from msgspec.structs import replace

from bot.errors import StoreError
from bot.stores import Delete, Put, Store
from tests.stores.conftest import Opener
from tests.stores.kinds import Other, Thing


async def pages(store: Store, field: str = "", value: object = None, size: int = 3) -> list[list[str]]:
    return [[each.id for each in page] async for page in store.pages(Thing, field, value, size=size)]


@pytest.mark.parametrize("count", [0, 1, 2, 3, 7, 9])
@pytest.mark.parametrize("again", [False, True])
async def test_pages_have_every_record_once_in_order(
    opener: Opener, tmp_path: Path, count: int, again: bool
) -> None:
    store = await opener(tmp_path)
    await store.commit(*(Put(Thing(id=f"{n}", number=n % 2)) for n in range(count)))
    if again:
        await store.close()
        store = await opener(tmp_path)
    found = await pages(store)
    assert [id_ for page in found for id_ in page] == [f"{n}" for n in range(count)]
    assert all(len(page) == 3 for page in found[:-2])
    odd = await pages(store, "number", 1)
    assert [id_ for page in odd for id_ in page] == [f"{n}" for n in range(count) if n % 2]
    assert await store.count(Thing) == count
    await store.close()


@pytest.mark.parametrize("odd", ["", "\0", "ä", "\U0001f600"])
async def test_any_id_has_its_place(store: Store, odd: str) -> None:
    await store.commit(*(Put(Thing(id=id_, number=1)) for id_ in ("a", "z", odd, "\uffff")))
    found = [id_ for page in await pages(store, size=1) for id_ in page]
    assert found == sorted({"a", "z", odd, "\uffff"})


async def test_what_changes_between_pages_is_seen_from_then_on(store: Store) -> None:
    await store.commit(*(Put(Thing(id=f"{n}", number=1)) for n in range(9)))
    seen: list[str] = []
    async for page in store.pages(Thing, "number", 1, size=3):
        seen += [each.id for each in page]
        if len(seen) == 3:
            await store.commit(
                Put(Thing(id="1a", number=1)),
                Put(Thing(id="4a", number=1)),
                Delete(Thing, "5"),
                Delete(Thing, "0"),
                Put(Thing(id="7", number=2)),
            )
    assert seen == ["0", "1", "2", "3", "4", "4a", "6", "8"]


async def test_pages_may_delete_what_they_show(store: Store) -> None:
    await store.commit(*(Put(Thing(id=f"{n:03}", number=1)) for n in range(50)))
    async for page in store.pages(Thing, size=7):
        await store.commit(*(Delete(Thing, each.id) for each in page))
    assert await store.all(Thing) == []


async def test_a_field_without_index_is_refused(store: Store) -> None:
    with pytest.raises(StoreError, match="note"):
        await pages(store, "note", "")


async def test_a_page_shows_the_moment_at_which_it_is_asked_for(store: Store) -> None:
    await store.commit(*(Put(Thing(id=f"{n}", number=1)) for n in range(5)))

    async def first() -> list[Thing]:
        return await anext(store.pages(Thing, "number", 1, size=10))

    reading = asyncio.ensure_future(first())
    await asyncio.sleep(0)
    await store.commit(*(Delete(Thing, f"{n}") for n in range(5)))
    assert len(await reading) == 5


async def test_calls_apply_in_the_order_in_which_they_were_made(opener: Opener, tmp_path: Path) -> None:
    """Also where the first has to look something up, and the later ones do not."""
    store = await opener(tmp_path)
    await store.commit(Put(Thing(id="a", number=0)), Put(Other(id="x")))
    await store.close()
    store = await opener(tmp_path)
    calls = [
        store.update(Thing, "a", lambda thing: replace(thing, number=thing.number + 1)),
        store.commit(Put(Thing(id="a", number=10))),
        store.update(Thing, "a", lambda thing: replace(thing, number=thing.number + 1)),
        store.insert(Thing(id="a", number=99)),
        store.commit(Delete(Thing, "a")),
        store.insert(Thing(id="a", number=5), Delete(Other, "x")),
        store.update(Thing, "a", lambda thing: replace(thing, note="last")),
    ]
    made = [asyncio.ensure_future(call) for call in calls]
    await asyncio.sleep(0)
    seen = await store.get(Thing, "a")
    results = await asyncio.gather(*made)
    assert seen == await store.get(Thing, "a") == Thing(id="a", number=5, note="last")
    assert (results[3], results[5]) == (False, True)
    assert await store.all(Other) == []
    await store.close()


async def test_a_change_whose_caller_goes_away_while_something_is_looked_up_is_made(
    opener: Opener, tmp_path: Path
) -> None:
    store = await opener(tmp_path)
    await store.commit(Put(Thing(id="a", number=0)))
    await store.close()
    store = await opener(tmp_path)
    writing = asyncio.ensure_future(store.update(Thing, "a", lambda thing: replace(thing, number=1)))
    await asyncio.sleep(0)
    writing.cancel()
    await asyncio.wait([writing])
    assert await store.get(Thing, "a") == Thing(id="a", number=1)
    await store.close()
    store = await opener(tmp_path)
    assert await store.get(Thing, "a") == Thing(id="a", number=1)
    await store.close()
