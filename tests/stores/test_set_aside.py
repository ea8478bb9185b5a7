"""One record that cannot be read ends nothing: it is kept out of the way, and all others are as they were."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from msgspec.structs import replace

from bot.domain.upkeep import SCHEMA, SCHEMA_VERSION, Schema, SetAside
from bot.errors import StoreError
from bot.stores import Delete, Put, Store
from tests.stores.conftest import Opener, Spoil
from tests.stores.kinds import Other, Thing

SPOILED = {
    "cut": b'{"id":"bad","number":',
    "empty": b"",
    "no JSON": b"hunter2",
    "not UTF-8": b'{"id":"bad","number":1,"note":"hunter2\xff"}',
    "a lone surrogate": b'{"id":"bad","number":1,"note":"hunter2\\ud800"}',
    "a list": b'["hunter2"]',
    "a number": b"5",
    "null": b"null",
    "an unknown member": b'{"id":"bad","number":1,"colour":"hunter2"}',
    "a quote in an unknown member": b'{"id":"bad","number":1,"colour":"it\'s hunter2"}',
    "a wrong type": b'{"id":"bad","number":"hunter2"}',
    "an index of a list": b'{"id":"bad","number":1,"colour":["hunter2"]}',
    "an index of an object": b'{"id":"bad","number":{"hunter2":1}}',
    "a missing field": b'{"id":"bad","note":"hunter2"}',
    "an endless number": b'{"id":"bad","number":1e999}',
    "nested": b'{"id":"bad","number":1,"detail":{"a":' + b"[" * 20_000 + b"]" * 20_000 + b"}}",
    "the id of another": b'{"id":"good","number":1}',
    "no id": b'{"number":1}',
}


@pytest.fixture(params=SPOILED)
async def spoiled(
    request: pytest.FixtureRequest, opener: Opener, spoil: Spoil, tmp_path: Path
) -> tuple[Path, bytes]:
    """A closed store with two good things and one that is spoiled; the body of that."""
    store = await opener(tmp_path)
    await store.commit(
        *(Put(Thing(id=id_, number=1)) for id_ in ("good", "better", "bad")), Put(Other(id="bad"))
    )
    await store.close()
    body = SPOILED[request.param]
    spoil(tmp_path, "things", "bad", body)
    return tmp_path, body


async def things(store: Store) -> set[str]:
    """The ids of the things, by every way of reading them."""
    found = {each.id for each in await store.all(Thing)}
    assert found == {each.id for each in await store.find(Thing, "number", 1)}
    assert found == {each.id for each in await store.find(Thing, "colour", "red")}
    return found


async def test_the_others_of_its_table_are_read_and_written(
    opener: Opener, spoiled: tuple[Path, bytes]
) -> None:
    directory, body = spoiled
    for _ in range(2):
        store = await opener(directory)
        assert await things(store) == {"good", "better"}
        assert await store.get(Thing, "bad") is None
        assert await store.update(Thing, "bad", lambda thing: thing, Delete(Other, "bad")) is None
        assert await store.get(Other, "bad") == Other(id="bad")
        good = await store.update(Thing, "good", lambda thing: replace(thing, note="new"))
        assert good is not None
        (aside,) = await store.all(SetAside)
        assert (aside.id, aside.of, aside.key, aside.body) == ("things/bad", "things", "bad", body)
        assert aside.why
        assert "hunter2" not in aside.why
        await store.close()


async def test_its_id_may_be_used_again_and_nothing_is_overwritten(
    opener: Opener, spoil: Spoil, spoiled: tuple[Path, bytes]
) -> None:
    directory, body = spoiled
    store = await opener(directory)
    assert await store.insert(Thing(id="bad", number=1, note="anew"))
    assert await things(store) == {"good", "better", "bad"}
    await store.close()
    spoil(directory, "things", "bad", b"again")
    store = await opener(directory)
    assert await things(store) == {"good", "better"}
    asides = {each.id: each.body for each in await store.all(SetAside)}
    assert asides == {"things/bad": body, "things/bad~2": b"again"}
    await store.commit(Delete(SetAside, "things/bad"))
    await store.close()
    store = await opener(directory)
    assert [each.id for each in await store.all(SetAside)] == ["things/bad~2"]
    await store.close()


async def test_a_commit_may_be_the_first_to_use_the_kind_and_fail(
    opener: Opener, spoiled: tuple[Path, bytes]
) -> None:
    store = await opener(spoiled[0])
    with pytest.raises(StoreError):
        await store.commit(Put(Thing(id="new", number=1)), Put(Thing(id="x", number=1, note="\udcff")))
    assert await things(store) == {"good", "better"}
    assert [each.id for each in await store.all(SetAside)] == ["things/bad"]
    await store.close()


async def test_what_was_set_aside_may_be_spoiled_as_well(
    opener: Opener, spoil: Spoil, tmp_path: Path
) -> None:
    await (await opener(tmp_path)).close()
    spoil(tmp_path, "set_aside", "things/bad", b"hunter2")
    store = await opener(tmp_path)
    await store.inspect()
    (aside,) = await store.all(SetAside)
    assert (aside.id, aside.of, aside.body) == ("set_aside/things/bad", "set_aside", b"hunter2")
    await store.close()


async def test_the_schema_may_be_spoiled_as_well(opener: Opener, spoil: Spoil, tmp_path: Path) -> None:
    store = await opener(tmp_path)
    await store.commit(Put(Thing(id="a", number=1)))
    await store.close()
    spoil(tmp_path, "schema", SCHEMA, b'{"id":"store","version":"x"}')
    store = await opener(tmp_path)
    assert await store.get(Schema, SCHEMA) is None
    assert await things(store) == {"a"}
    await store.close()


async def test_a_store_of_a_later_version_is_refused_and_left_as_it_is(
    opener: Opener, spoil: Spoil, tmp_path: Path
) -> None:
    store = await opener(tmp_path)
    await store.commit(Put(Thing(id="a", number=1)), Put(Schema(id=SCHEMA, version=SCHEMA_VERSION + 1)))
    await store.close()
    # What this version cannot read, the later one can.
    spoil(tmp_path, "meetings", "m", b'{"id":"m"}')
    for _ in range(2):
        with pytest.raises(StoreError, match=r"later zoombot: install that version again$") as caught:
            await opener(tmp_path)
        assert "\n" not in str(caught.value)
    spoil(tmp_path, "schema", SCHEMA, b'{"id":"store","version":1}')
    store = await opener(tmp_path)
    await store.inspect()
    assert [each.id for each in await store.all(SetAside)] == ["meetings/m"]
    await store.close()


@pytest.mark.parametrize("body", [b"hunter2", b'{"id":"bad","number":"hunter2","colour":"blue"}'])
async def test_what_was_spoiled_is_not_found_by_what_it_was(
    opener: Opener, spoil: Spoil, tmp_path: Path, body: bytes
) -> None:
    store = await opener(tmp_path)
    await store.commit(Put(Thing(id="bad", number=7)))
    await store.close()
    spoil(tmp_path, "things", "bad", body)
    store = await opener(tmp_path)
    assert await store.find(Thing, "number", 7) == []
    assert await store.get(Thing, "bad") is None
    await store.commit(Put(Thing(id="bad", number=1)))
    await store.close()
    store = await opener(tmp_path)
    if body == b"hunter2":
        assert not await store.has(Thing, "number", 7)
    assert await store.find(Thing, "number", 7) == []
    assert [each.id async for page in store.pages(Thing, "number", 7) for each in page] == []
    assert [each.id for each in await store.find(Thing, "number", 1)] == ["bad"]
    await store.close()


async def test_who_reads_it_at_the_same_time_gets_nothing_either(
    opener: Opener, spoiled: tuple[Path, bytes]
) -> None:
    store = await opener(spoiled[0])
    first, second, found = await asyncio.gather(
        store.get(Thing, "bad"), store.get(Thing, "bad"), store.find(Thing, "number", 1)
    )
    assert first is second is None
    assert {each.id for each in found} == {"good", "better"}
    assert [each.id for each in await store.all(SetAside)] == ["things/bad"]
    await store.close()


async def test_who_looks_through_everything_meanwhile_sets_nothing_aside_again(
    opener: Opener, spoiled: tuple[Path, bytes]
) -> None:
    store = await opener(spoiled[0])
    looking = asyncio.ensure_future(store.inspect())
    await asyncio.sleep(0)
    for _ in range(20):
        assert await store.get(Thing, "bad") is None
    await looking
    await store.inspect()
    assert [each.id for each in await store.all(SetAside)] == ["things/bad"]
    await store.close()
