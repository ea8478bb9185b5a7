"""Meetings of very many people: the same figures as of few, at the same cost, and nothing left behind."""

from __future__ import annotations

import asyncio
import random
import tempfile
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from bot.core.context import Context
from bot.domain.attendance import MAX_HELD, attended, present
from bot.domain.crowd import hash_of
from bot.domain.meetings import Joined, Left, MeetingEvent, apply
from bot.domain.records import Guest, Meeting, Seat
from bot.errors import OutdatedError
from bot.features import lifecycle
from bot.features.crowds import MAX_SEATS, move_out
from bot.runtime.janitor import MEETING_MS, Janitor
from bot.stores import Put, Store
from bot.stores.opening import open_store
from tests.conftest import World
from tests.domain.test_meetings import FRESH
from tests.features.kit import settle

NAMES = st.sampled_from(["ann", "ann@demo.example", "bob", "Bob"])
EVENTS = st.builds(Joined, st.sampled_from("1234"), NAMES) | st.builds(Left, st.sampled_from("1234"), NAMES)


@asynccontextmanager
async def stored(meeting: Meeting) -> AsyncIterator[Store]:
    with tempfile.TemporaryDirectory() as folder:
        store = await open_store(f"tinydb:{Path(folder) / 'test.db'}")
        await store.commit(Put(meeting))
        try:
            yield store
        finally:
            await store.close()


async def take(store: Store, *events: MeetingEvent) -> None:
    """What a worker does with these events of the one meeting."""
    ctx = cast(Context, SimpleNamespace(store=store))
    for event in events:
        await store.commit(*await lifecycle.change(ctx, FRESH.id, event))


async def known(store: Store) -> Meeting:
    meeting = await store.get(Meeting, FRESH.id)
    assert meeting is not None
    return meeting


async def figures(store: Store) -> tuple[int, int]:
    meeting = await known(store)
    return present(meeting), attended(meeting)


def come(people: Iterable[int]) -> list[MeetingEvent]:
    return [Joined(f"session {each}", f"person {each}") for each in people]


def go(people: Iterable[int]) -> list[MeetingEvent]:
    return [Left(f"session {each}", f"person {each}") for each in people]


@settings(max_examples=60, deadline=None)
@given(st.lists(EVENTS, max_size=12), st.integers(0, 12))
def test_a_crowd_has_the_figures_of_few_people_whenever_it_becomes_one(
    events: list[MeetingEvent], few: int
) -> None:
    async def compare() -> None:
        async with stored(FRESH) as store:
            expected = FRESH
            for number, event in enumerate(events):
                if number == few:
                    await move_out(store, await known(store))
                await take(store, event)
                expected = apply(expected, event)
                assert await figures(store) == (present(expected), attended(expected))

    asyncio.run(compare())


async def test_thousands_come_go_and_come_again() -> None:
    async with stored(FRESH) as store:
        await take(store, *come(range(1300)))
        assert await figures(store) == (1300, 1300)
        await take(store, *go(range(0, 1300, 2)))
        assert await figures(store) == (650, 1300)
        await take(store, *come(range(1300)), *go(range(0, 1300, 2)))
        assert await figures(store) == (650, 1300)
        await take(store, *[Joined(f"again {each}", f"person {each}") for each in range(100)])
        assert await figures(store) == (700, 1300)


async def test_few_people_who_come_and_go_all_day_are_few() -> None:
    async with stored(FRESH) as store:
        for turn in range(500):
            who = f"person {turn % 30}"
            await take(store, Joined(str(turn), who), Left(str(turn), who))
        assert await figures(store) == (0, 30)
        assert len(await store.all(Guest)) == 30


async def test_an_event_writes_no_more_where_many_people_are() -> None:
    async with stored(FRESH) as store:
        ctx = cast(Context, SimpleNamespace(store=store))

        async def written(person: int) -> tuple[int, int]:
            changes = await lifecycle.change(ctx, FRESH.id, come([person])[0])
            await store.commit(*changes)
            return len(changes), len(msgspec.json.encode(await known(store)))

        await take(store, *come(range(MAX_HELD)))
        before = await written(100_000)
        await take(store, *come(range(MAX_HELD, 1000)))
        after = await written(100_001)
        assert before[0] == after[0]
        assert after[1] <= before[1] + 20


async def test_the_thousand_people_of_an_older_record_get_records_of_their_own() -> None:
    old = replace(
        FRESH,
        joined={f"session {each}": f"person {each}" for each in range(1000)},
        left={f"session {each}": f"person {each}" for each in range(0, 1000, 4)},
        came=sorted(hash_of(f"person {each}") for each in range(-400, 200)),
        uncounted=20,
        more_came=True,
    )
    async with stored(old) as store:
        assert await figures(store) == (770, 1400)
        await take(store, *come([1, 5000]))
        assert await figures(store) == (771, 1401)
        meeting = await known(store)
        assert (meeting.joined, meeting.left, meeting.came) == ({}, {}, [])
        # Nobody knows the sessions of the twenty who are only counted.
        await take(store, *go(range(1001)), *go([5000]), *go(range(6000, 6019)))
        assert await figures(store) == (0, 1401)


async def test_people_beyond_the_limit_are_counted_as_long_as_they_are_inside() -> None:
    full = replace(FRESH, crowd="c", seats=MAX_SEATS, guests=MAX_SEATS, inside=3)
    async with stored(full) as store:
        await take(store, *come(range(5)))
        meeting = await known(store)
        assert (present(meeting), attended(meeting), meeting.more_came) == (8, MAX_SEATS, True)
        await take(store, *go(range(5)))
        assert await figures(store) == (3, MAX_SEATS)
        assert await store.all(Seat) == []


async def test_two_events_at_the_same_time_are_not_mixed_up() -> None:
    async with stored(FRESH) as store:
        ctx = cast(Context, SimpleNamespace(store=store))
        await take(store, *come(range(MAX_HELD)))
        await take(store, Joined("s", "ann"))
        left = await lifecycle.change(ctx, FRESH.id, Left("s", "ann"))
        renamed = await lifecycle.change(ctx, FRESH.id, Joined("s", "Ann"))
        await store.commit(*left)
        before = await known(store)
        with pytest.raises(OutdatedError):
            await store.commit(*renamed)
        assert await known(store) == before
        await take(store, Joined("s", "Ann"))
        assert await figures(store) == (MAX_HELD, MAX_HELD + 1)


async def test_few_become_many_while_another_event_is_handled() -> None:
    async with stored(FRESH) as store:
        ctx = cast(Context, SimpleNamespace(store=store))
        late = await lifecycle.change(ctx, FRESH.id, come([7])[0])
        await move_out(store, await known(store))
        with pytest.raises(OutdatedError):
            await store.commit(*late)
        await take(store, *come([7]))
        assert await figures(store) == (1, 1)


async def test_the_records_of_people_go_with_their_meeting() -> None:
    async def agrees() -> bool:
        return True

    async with stored(FRESH) as store:
        await take(store, *come(range(450)))
        await store.update(Meeting, FRESH.id, lambda now: replace(now, open=False))
        await store.commit(Put(replace(FRESH, id="other")), Put(Seat(id="x", meeting="other")))
        await Janitor(store, lambda: FRESH.created_at + MEETING_MS + 1, agrees).tidy()
        assert [each.id for each in await store.all(Meeting)] == ["other"]
        assert [each.id for each in await store.all(Seat)] == ["x"]
        assert await store.all(Guest) == []


async def test_a_card_says_how_many_are_in_and_how_many_came(world: World) -> None:
    post, meeting = await world.meeting()
    await world.zoom.start(meeting.id)
    about = {"id": str(meeting.id), "uuid": meeting.uuid, "topic": meeting.topic, "type": 1}
    people = [str(each) for each in range(130)]
    random.Random(3).shuffle(people)  # noqa: S311

    async def deliver(event: str, user_id: str, at: int) -> None:
        who = {"user_id": user_id, "user_name": f"Guest {user_id}"}
        payload: dict[str, object] = {"account_id": "a", "object": {**about, "participant": who}}
        assert (await world.zoom.deliver(f"meeting.participant_{event}", payload, event_ts=at)).status == 200

    await asyncio.gather(*(deliver("joined", each, 1_700_000_000_000 + int(each)) for each in people))
    await asyncio.gather(*(deliver("left", each, 1_700_000_001_000 + int(each)) for each in people[:30]))
    await settle(world)
    # They and the host.
    assert len(await world.bot.ctx.store.all(Guest)) == 131
    await world.shows(post, lambda now: "101 people" in str(now.props["attachments"]))
    await world.zoom.end(meeting.id)
    await world.shows(
        post, lambda now: now.props["meeting_status"] == "ENDED" and "131 people" in str(now.props)
    )
