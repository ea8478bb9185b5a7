"""What every store has to do, whatever it is made of."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from msgspec.structs import replace

from bot.errors import StoreError
from bot.stores import Delete, Insert, Put, Store, Update
from tests.stores.conftest import Opener
from tests.stores.kinds import Colour, Other, Thing


def ids(records: list[Thing]) -> list[str]:
    return sorted(record.id for record in records)


async def test_what_was_put_is_got_again(store: Store) -> None:
    thing = Thing(id="a", number=1, note="ä\n\0😀", detail={"n": [1, None, {"x": 1.5}]})
    await store.commit(Put(thing))
    assert await store.get(Thing, "a") == thing


async def test_what_is_not_there_is_none(store: Store) -> None:
    assert await store.get(Thing, "a") is None
    assert await store.find(Thing, "number", 1) == []
    assert await store.all(Thing) == []


async def test_kinds_do_not_share_ids(store: Store) -> None:
    await store.commit(Put(Thing(id="a", number=1)), Put(Other(id="a", at=2)))
    await store.commit(Delete(Thing, "a"))
    assert await store.get(Thing, "a") is None
    assert await store.get(Other, "a") == Other(id="a", at=2)


@pytest.mark.parametrize("odd", ["", " ", "a\0b", "ä", "post:x/y+z==", "'; DROP TABLE x; --", "x" * 5000])
async def test_any_text_is_an_id(store: Store, odd: str) -> None:
    assert await store.insert(Thing(id=odd, number=1))
    assert not await store.insert(Thing(id=odd, number=2))
    assert ids(await store.find(Thing, "number", 1)) == [odd]
    await store.commit(Delete(Thing, odd))
    assert await store.all(Thing) == []


async def test_a_put_replaces_the_whole_record(store: Store) -> None:
    await store.commit(Put(Thing(id="a", number=1, note="old", colour=Colour.BLUE)))
    await store.commit(Put(Thing(id="a", number=2)))
    assert await store.get(Thing, "a") == Thing(id="a", number=2)


async def test_find_follows_every_change(store: Store) -> None:
    await store.commit(*(Put(Thing(id=f"{n}", number=n % 2)) for n in range(6)))
    assert ids(await store.find(Thing, "number", 1)) == ["1", "3", "5"]
    await store.update(Thing, "1", lambda thing: replace(thing, number=7))
    await store.commit(Delete(Thing, "3"))
    assert ids(await store.find(Thing, "number", 1)) == ["5"]
    assert ids(await store.find(Thing, "number", 7)) == ["1"]


async def test_find_knows_enums_booleans_and_defaults(store: Store) -> None:
    await store.commit(
        Put(Thing(id="default", number=1)), Put(Thing(id="set", number=1, colour=Colour.BLUE, on=False))
    )
    assert ids(await store.find(Thing, "colour", Colour.RED)) == ["default"]
    assert ids(await store.find(Thing, "colour", "blue")) == ["set"]
    assert ids(await store.find(Thing, "on", True)) == ["default"]
    assert ids(await store.find(Thing, "on", False)) == ["set"]


async def test_has_follows_every_change(store: Store) -> None:
    await store.commit(*(Put(Thing(id=str(number), number=1)) for number in range(2)))
    assert await store.has(Thing, "number", 1)
    assert not await store.has(Thing, "number", 2)
    await store.commit(Delete(Thing, "0"))
    assert await store.has(Thing, "number", 1)
    await store.update(Thing, "1", lambda thing: replace(thing, number=2))
    assert not await store.has(Thing, "number", 1)
    with pytest.raises(StoreError, match="note"):
        await store.has(Thing, "note", "")


async def test_find_refuses_a_field_without_index(store: Store) -> None:
    with pytest.raises(StoreError, match="note"):
        await store.find(Thing, "note", "")


async def test_the_caller_owns_what_it_gets(store: Store) -> None:
    thing = Thing(id="a", number=1, detail={"list": [1]})
    await store.commit(Put(thing))
    thing.detail["list"].append(2)
    for found in (
        await store.get(Thing, "a"),
        *await store.all(Thing),
        *await store.find(Thing, "number", 1),
        await store.update(Thing, "a", lambda thing: thing.detail["list"].append(4)),
        await store.update(Thing, "a", lambda thing: replace(thing, note="changed")),
    ):
        assert found is not None
        found.detail["list"].append(3)
    assert await store.get(Thing, "a") == Thing(id="a", number=1, note="changed", detail={"list": [1]})


async def test_the_second_insert_of_an_id_writes_nothing(store: Store) -> None:
    assert await store.insert(Thing(id="a", number=1), Put(Other(id="x")))
    assert not await store.insert(Thing(id="a", number=2), Put(Other(id="y")), Delete(Other, "x"))
    assert await store.get(Thing, "a") == Thing(id="a", number=1)
    assert [other.id for other in await store.all(Other)] == ["x"]


async def test_an_insert_whose_id_is_taken_is_skipped_and_the_rest_of_the_commit_holds(store: Store) -> None:
    written: list[str] = []
    await store.commit(Put(Thing(id="a", number=1)))
    await store.commit(
        Put(Other(id="before")),
        Insert(Thing(id="a", number=2), lambda: written.append("a")),
        Insert(Thing(id="b", number=2), lambda: written.append("b")),
        Put(Other(id="after")),
    )
    assert await store.get(Thing, "a") == Thing(id="a", number=1)
    assert await store.find(Thing, "number", 2) == [Thing(id="b", number=2)]
    assert sorted(other.id for other in await store.all(Other)) == ["after", "before"]
    assert written == ["b"]


async def test_an_insert_sees_the_changes_before_it(store: Store) -> None:
    await store.commit(
        Insert(Thing(id="a", number=1)),
        Insert(Thing(id="a", number=2)),
        Put(Thing(id="b", number=1)),
        Delete(Thing, "b"),
        Insert(Thing(id="b", number=3)),
    )
    assert await store.get(Thing, "a") == Thing(id="a", number=1)
    assert await store.get(Thing, "b") == Thing(id="b", number=3)


async def test_whoever_wrote_is_told_once_all_of_the_commit_is_done(store: Store) -> None:
    done: list[str] = []
    with pytest.raises(StoreError):
        await store.commit(
            Put(Thing(id="a", number=1), lambda: done.append("never")),
            Delete(Thing, "a", lambda: done.append("never")),
            Put(Thing(id="bad", number=1, detail={"bad": object()})),
        )
    assert done == []
    await store.commit(
        Put(Thing(id="a", number=1), lambda: done.append("put")),
        Delete(Thing, "b", lambda: done.append("delete")),
        Delete(Thing, "c", lambda: done.append("delete")),
        Insert(Thing(id="d", number=1), lambda: done.append("insert")),
    )
    assert done == ["put", "delete", "delete", "insert"]


async def test_an_insert_in_a_commit_that_fails_is_not_written(store: Store) -> None:
    with pytest.raises(StoreError, match="things"):
        await store.commit(
            Insert(Thing(id="a", number=1)), Put(Thing(id="bad", number=1, detail={"bad": object()}))
        )
    assert await store.all(Thing) == []


async def test_of_many_inserts_at_once_one_wins(store: Store) -> None:
    won = await asyncio.gather(*(store.insert(Thing(id="a", number=n)) for n in range(50)))
    assert won.count(True) == 1
    thing = await store.get(Thing, "a")
    assert thing is not None
    assert won[thing.number]


async def test_an_update_returns_the_new_record(store: Store) -> None:
    await store.commit(Put(Thing(id="a", number=1)))
    after = await store.update(Thing, "a", lambda thing: replace(thing, number=2), Put(Other(id="x")))
    assert after == await store.get(Thing, "a") == Thing(id="a", number=2)
    assert await store.get(Other, "x") is not None


async def test_updates_at_once_lose_nothing(store: Store) -> None:
    await store.commit(Put(Thing(id="a", number=0)))

    def grow(thing: Thing) -> Thing:
        return replace(thing, number=thing.number + 1)

    await asyncio.gather(*(store.update(Thing, "a", grow) for _ in range(200)))
    assert [thing.number for thing in await store.all(Thing)] == [200]


async def test_an_update_of_nothing_writes_nothing(store: Store) -> None:
    assert await store.update(Thing, "a", lambda thing: thing, Put(Other(id="x"))) is None
    assert await store.all(Other) == []
    assert await store.all(Thing) == []


async def test_an_update_to_none_writes_nothing(store: Store) -> None:
    await store.commit(Put(Thing(id="a", number=1)))
    assert await store.update(Thing, "a", lambda thing: None, Put(Other(id="x"))) == Thing(id="a", number=1)
    assert await store.all(Other) == []


async def test_an_update_that_raises_writes_nothing(store: Store) -> None:
    await store.commit(Put(Thing(id="a", number=1)))
    with pytest.raises(ZeroDivisionError):
        await store.update(Thing, "a", lambda thing: replace(thing, number=1 // 0), Put(Other(id="x")))
    assert await store.get(Thing, "a") == Thing(id="a", number=1)
    assert await store.all(Other) == []


async def test_an_update_may_not_change_the_id(store: Store) -> None:
    await store.commit(Put(Thing(id="a", number=1)))
    with pytest.raises(StoreError, match="id"):
        await store.update(Thing, "a", lambda thing: replace(thing, id="b"))
    assert ids(await store.all(Thing)) == ["a"]


async def test_changes_of_a_commit_see_those_before(store: Store) -> None:
    await store.commit(
        Put(Thing(id="a", number=1)),
        Update(Thing, "a", lambda thing: replace(thing, number=thing.number + 1)),
        Update(Thing, "gone", lambda thing: replace(thing, number=9)),
        Update(Thing, "a", lambda thing: None),
        Put(Thing(id="b", number=1)),
        Delete(Thing, "b"),
        Delete(Other, "a"),
        Delete(Other, "b"),
        Put(Other(id="b")),
    )
    assert await store.all(Thing) == [Thing(id="a", number=2)]
    assert await store.all(Other) == [Other(id="b")]


@pytest.mark.parametrize("bad", ["\udcff", object()])
async def test_a_commit_with_one_bad_record_writes_nothing(store: Store, bad: object) -> None:
    await store.commit(Put(Thing(id="old", number=1)))
    with pytest.raises(StoreError, match="things"):
        await store.commit(
            Delete(Thing, "old"),
            Put(Thing(id="new", number=1)),
            Update(Thing, "new", lambda thing: replace(thing, number=2)),
            Put(Thing(id="bad", number=1, detail={"bad": bad})),
        )
    assert ids(await store.all(Thing)) == ids(await store.find(Thing, "number", 1)) == ["old"]
    assert await store.find(Thing, "number", 2) == []


async def test_a_commit_of_nothing_is_nothing(store: Store) -> None:
    await store.commit()
    await store.commit(Delete(Thing, "a"), Delete(Thing, "\udcff"))
    assert store.writable


async def test_everything_is_there_after_opening_again(opener: Opener, tmp_path: Path) -> None:
    store = await opener(tmp_path)
    await store.commit(*(Put(Thing(id=f"{n}", number=n)) for n in range(20)))
    await store.update(Thing, "3", lambda thing: replace(thing, number=100, detail={"ä": ["b"]}))
    await store.commit(Delete(Thing, "4"))
    before = sorted(await store.all(Thing), key=lambda thing: thing.id)
    await store.close()

    store = await opener(tmp_path)
    assert sorted(await store.all(Thing), key=lambda thing: thing.id) == before
    assert ids(await store.find(Thing, "number", 100)) == ["3"]
    assert await store.find(Thing, "number", 3) == await store.find(Thing, "number", 4) == []
    await store.close()


async def test_what_waits_is_written_before_it_closes(opener: Opener, tmp_path: Path) -> None:
    store = await opener(tmp_path)
    writing = [asyncio.ensure_future(store.insert(Other(id=f"{n}"))) for n in range(100)]
    await asyncio.sleep(0)
    await store.close()
    assert all(await asyncio.gather(*writing))
    store = await opener(tmp_path)
    assert len(await store.all(Other)) == 100
    await store.close()


async def test_a_cancelled_call_leaves_the_store_consistent(opener: Opener, tmp_path: Path) -> None:
    store = await opener(tmp_path)
    for n in range(20):
        writing = asyncio.ensure_future(store.commit(Put(Thing(id=f"{n}", number=n)), Put(Other(id=f"{n}"))))
        await asyncio.sleep(0)
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
    await store.commit(Put(Other(id="last")))
    kept = ids(await store.all(Thing))
    await store.close()
    store = await opener(tmp_path)
    assert ids(await store.all(Thing)) == kept
    assert sorted(other.id for other in await store.all(Other)) == sorted([*kept, "last"])
    await store.close()


async def test_a_closed_store_refuses_everything(opener: Opener, tmp_path: Path) -> None:
    store = await opener(tmp_path)
    await store.close()
    await store.close()
    assert not store.writable
    for call in (
        store.get(Thing, "a"),
        store.all(Thing),
        store.find(Thing, "number", 1),
        store.insert(Thing(id="a", number=1)),
        store.commit(Put(Thing(id="a", number=1))),
        store.update(Thing, "a", lambda thing: thing),
    ):
        with pytest.raises(StoreError, match="closed"):
            await call


async def test_a_record_with_a_wrong_value_is_not_written(store: Store) -> None:
    """It could not be read again: records are not checked when they are made."""
    for wrong in (Thing(id="a", number="hunter2"), Thing(id="a", number=1, on=None)):  # type: ignore[arg-type]
        with pytest.raises(StoreError, match="things") as caught:
            await store.commit(Put(Other(id="x")), Put(wrong))
        assert "hunter2" not in str(caught.value)
    assert await store.all(Thing) == []
    assert await store.all(Other) == []


async def test_a_long_list_lets_others_run(store: Store) -> None:
    await store.commit(*(Put(Other(id=f"{n}")) for n in range(3000)))
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.ensure_future(count())
    found = await store.all(Other)
    counting.cancel()
    assert len(found) == 3000
    assert turns >= 3


async def test_a_list_shows_one_moment(store: Store) -> None:
    await store.commit(*(Put(Thing(id=f"{n}", number=1)) for n in range(3000)))
    listing = asyncio.ensure_future(store.find(Thing, "number", 1))
    await asyncio.sleep(0)
    await store.commit(*(Delete(Thing, f"{n}") for n in range(3000)))
    assert len(await listing) == 3000
    assert await store.find(Thing, "number", 1) == []
