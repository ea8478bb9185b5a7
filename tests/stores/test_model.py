"""Random changes against a dict."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from bot.stores import Change, Delete, Insert, Put, Store, Update
from tests.stores.conftest import OPENERS, Opener
from tests.stores.kinds import Colour, Thing

Model = dict[str, Thing]

IDS = st.sampled_from(["a", "b", "c", "d"])
THINGS = st.builds(Thing, id=IDS, colour=st.sampled_from(Colour), number=st.integers(0, 2), on=st.booleans())
CHANGES = st.one_of(
    THINGS.map(Put),
    THINGS.map(Insert),
    IDS.map(lambda id_: Delete(Thing, id_)),
    st.tuples(IDS, st.integers(0, 2)).map(
        lambda given: Update(Thing, given[0], lambda thing: replace(thing, number=given[1]))
    ),
    IDS.map(lambda id_: Update(Thing, id_, lambda thing: None)),
)
# A list is a commit, a thing is an insert, None is closing and opening again.
STEPS = st.lists(st.one_of(st.lists(CHANGES, min_size=1, max_size=5), THINGS, st.none()), max_size=12)


def apply(model: Model, changes: list[Change]) -> None:
    for change in changes:
        if isinstance(change, Put):
            assert isinstance(change.record, Thing)
            model[change.record.id] = change.record
        elif isinstance(change, Insert):
            assert isinstance(change.record, Thing)
            model.setdefault(change.record.id, change.record)
        elif isinstance(change, Delete):
            model.pop(change.id, None)
        elif change.id in model:
            model[change.id] = change.change(model[change.id]) or model[change.id]


async def agree(store: Store, model: Model) -> None:
    def in_order(things: list[Thing]) -> list[Thing]:
        return sorted(things, key=lambda thing: thing.id)

    assert in_order(await store.all(Thing)) == in_order(list(model.values()))
    for field, values in (("colour", list(Colour)), ("number", [0, 1, 2, 3]), ("on", [True, False])):
        for value in values:
            expected = [thing for thing in model.values() if getattr(thing, field) == value]
            assert in_order(await store.find(Thing, field, value)) == in_order(expected)


async def play(opener: Opener, directory: Path, steps: list[list[Change] | Thing | None]) -> None:
    model: Model = {}
    store = await opener(directory)
    try:
        for step in steps:
            if step is None:
                await store.close()
                store = await opener(directory)
            elif isinstance(step, Thing):
                assert await store.insert(step) == (step.id not in model)
                model.setdefault(step.id, step)
            else:
                apply(model, step)
                await store.commit(*step)
            await agree(store, model)
    finally:
        await store.close()


@pytest.mark.parametrize("name", OPENERS)
@settings(max_examples=60, deadline=None)
@given(steps=STEPS)
def test_a_store_is_a_dict_that_lasts(name: str, steps: list[list[Change] | Thing | None]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        asyncio.run(play(OPENERS[name], Path(directory), steps))
