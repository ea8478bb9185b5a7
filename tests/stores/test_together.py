"""Many readers and writers at once: what is found afterwards is what is there."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from msgspec.structs import replace

from bot.stores import Delete, Put, Store
from tests.stores.conftest import Opener
from tests.stores.kinds import Colour, Thing

FIELDS: dict[str, list[Any]] = {"number": [0, 1, 2], "colour": list(Colour), "on": [True, False]}


def thing(random: Random) -> Thing:
    return Thing(
        id=f"{random.randrange(12)}",
        number=random.randrange(3),
        colour=random.choice(list(Colour)),
        on=random.random() < 0.5,
    )


def something(store: Store, random: Random) -> Awaitable[Any]:
    """Any call."""
    some = thing(random)
    field = random.choice(list(FIELDS))
    value = random.choice(FIELDS[field])
    calls: list[Callable[[], Awaitable[Any]]] = [
        lambda: store.commit(Put(some)),
        lambda: store.insert(some),
        lambda: store.commit(Delete(Thing, some.id)),
        lambda: store.update(Thing, some.id, lambda now: replace(now, number=some.number, on=some.on)),
        lambda: store.get(Thing, some.id),
        lambda: store.has(Thing, field, value),
        lambda: store.find(Thing, field, value),
        lambda: store.find(Thing, field, value),
        lambda: store.all(Thing),
    ]
    return random.choice(calls)()


async def agrees(store: Store) -> None:
    """Every way of reading tells the same."""
    there = {each.id: each for each in await store.all(Thing)}
    for id_ in map(str, range(12)):
        assert await store.get(Thing, id_) == there.get(id_)
    for field, values in FIELDS.items():
        for value in values:
            wanted = {id_ for id_, each in there.items() if getattr(each, field) == value}
            # Twice: the second answer may be a kept one.
            for _ in range(2):
                assert {each.id for each in await store.find(Thing, field, value)} == wanted
                assert await store.has(Thing, field, value) == bool(wanted)
            paged = [each.id async for page in store.pages(Thing, field, value, size=2) for each in page]
            assert paged == sorted(wanted)


@pytest.mark.parametrize("seed", range(12))
async def test_whatever_happens_at_once_all_ways_of_reading_agree(
    opener: Opener, tmp_path: Path, seed: int
) -> None:
    random = Random(seed)  # noqa: S311
    store = await opener(tmp_path)
    for turn in range(25):
        calls = [asyncio.ensure_future(something(store, random)) for _ in range(random.randrange(1, 25))]
        if random.random() < 0.3:
            await asyncio.sleep(0)
            random.choice(calls).cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        await agrees(store)
        if turn % 8 == 7:
            await store.close()
            store = await opener(tmp_path)
            await agrees(store)
    await store.close()


async def test_who_asks_while_something_changes_keeps_no_old_answer(store: Store) -> None:
    await store.commit(*(Put(Thing(id=f"{n}", number=n % 3)) for n in range(9)))
    for value in range(3):
        asked = [asyncio.ensure_future(store.find(Thing, "number", value)) for _ in range(3)]
        await asyncio.sleep(0)
        await store.commit(Put(Thing(id="new", number=value)))
        await asyncio.gather(*asked)
        assert "new" in {each.id for each in await store.find(Thing, "number", value)}
        assert "new" not in {each.id for each in await store.find(Thing, "number", (value + 1) % 3)}
