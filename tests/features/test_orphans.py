"""Meetings that nobody knows of are looked for by their reference, and deleted."""

from __future__ import annotations

import pytest

from bot.core.context import Job
from bot.domain.records import Item, Orphan
from bot.errors import StoreError
from bot.features.orphans import Search, pause_ms, remove_orphans
from bot.sandbox.mattermost import Post
from bot.stores import Put
from tests.conftest import MakeWorld, World, two_hosts

HOUR_MS = 60 * 60_000
CREATE = r"/users/[^/]+/meetings$"


@pytest.fixture(autouse=True)
def listed(world: World) -> None:
    """Zoom lists the instant meetings that nobody has started."""
    world.zoom.lists_waiting = True


@pytest.fixture
async def world(make_world: MakeWorld) -> World:
    return await two_hosts(await make_world(meetings={"duplicate_window_ms": 0}))


async def look(world: World, name: str = "alice", *, began: int = 0) -> Item | None:
    """Look for a person's orphans once; the task that looks again, if there is one."""
    about = Search(world.mattermost.user(name).id, began)
    changes = list(await remove_orphans(world.bot.ctx, Job("orphans"), about))
    await world.bot.ctx.store.commit(*changes)
    later = [each.record for each in changes if isinstance(each, Put)]
    return later[0] if later and isinstance(later[0], Item) else None


def removed(world: World) -> int:
    return world.bot.ctx.counts["orphans_removed"]


async def orphan(world: World, *, keep: int = 0, user: str = "alice", age_ms: int = 0) -> Orphan:
    record = Orphan(
        id="reference",
        user_id=world.mattermost.user(user).id,
        marker="Reference: reference",
        keep=keep,
        created_at=world.bot.ctx.now() - age_ms,
    )
    await world.bot.ctx.store.commit(Put(record))
    return record


async def made_unseen(world: World) -> int:
    """A meeting that Zoom made without the bot's learning of it."""
    caller = await world.bot.ctx.caller(world.mattermost.user("alice").id)
    made = await world.bot.ctx.zoom.create_meeting(caller, topic="lost", marker="Reference: reference")
    return made.id


async def test_the_spare_meetings_are_deleted_and_the_announced_one_stays(world: World) -> None:
    kept, spare, another = [await made_unseen(world) for _ in range(3)]
    await orphan(world, keep=kept)
    await look(world)
    assert kept in world.zoom.meetings
    assert not {spare, another} & set(world.zoom.meetings)
    assert removed(world) == 2


async def test_a_meeting_that_zoom_lists_later_is_found_by_a_later_look(world: World) -> None:
    world.zoom.lists_waiting = False
    await made_unseen(world)
    await orphan(world)
    await look(world)
    assert removed(world) == 0
    world.zoom.lists_waiting = True
    await look(world)
    assert removed(world) == 1


async def test_an_error_that_nobody_expects_ends_no_search(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(caller: object) -> list[object]:
        raise StoreError("the store does not answer")

    await orphan(world)
    monkeypatch.setattr(world.bot.ctx.zoom, "meetings", broken)
    assert await look(world) is not None
    assert len(await world.bot.ctx.store.all(Orphan)) == 1


async def test_a_meeting_that_cannot_be_deleted_holds_up_no_other(world: World) -> None:
    first, second = [await made_unseen(world) for _ in range(2)]
    await orphan(world)
    started = {"code": 3002, "message": "Sorry, you cannot delete this meeting since it's in progress."}
    world.zoom.faults.add(400, method="DELETE", path=f"/meetings/{first}$", body=started)
    await look(world)
    assert second not in world.zoom.meetings


async def test_looks_come_further_and_further_apart(world: World) -> None:
    await orphan(world)
    now = world.bot.ctx.now()
    later = await look(world)
    assert later is not None
    assert 5_000 <= later.due_at - now < 15_000
    assert [pause_ms(now, now - 1000 * since) for since in (0, 29, 31, 119, 121, 600)] == [
        *(5_000, 5_000),
        *(15_000, 15_000),
        *(60_000, 60_000),
    ]


async def test_the_pauses_count_from_the_first_look_that_could_be_made(world: World) -> None:
    await orphan(world, user="carol")
    now = world.bot.ctx.now()
    later = await look(world, "carol", began=now - 100_000)
    assert later is not None
    assert later.due_at - now < 15_000


async def test_what_did_not_appear_is_forgotten_after_ten_minutes(world: World) -> None:
    await orphan(world, age_ms=11 * 60_000)
    await look(world)
    assert await world.bot.ctx.store.all(Orphan) == []


async def test_while_zoom_cannot_be_asked_it_is_kept_for_a_day(world: World) -> None:
    # Carol has linked nothing.
    await orphan(world, user="carol", age_ms=23 * HOUR_MS)
    await look(world, "carol")
    assert len(await world.bot.ctx.store.all(Orphan)) == 1
    await orphan(world, user="carol", age_ms=25 * HOUR_MS)
    await look(world, "carol")
    assert await world.bot.ctx.store.all(Orphan) == []


async def test_a_spare_beside_one_that_was_announced_is_noted_and_removed(world: World) -> None:
    world.zoom.lists_waiting = False
    world.zoom.faults.add(504, method="POST", path=CREATE, after=True)
    answer = await world.ask("alice", "dev", "@zoom standup")
    spare, kept = world.zoom.created
    assert answer.props["meeting_id"] == kept
    world.zoom.lists_waiting = True
    await look(world)
    assert list(world.zoom.meetings.keys() & {spare, kept}) == [kept]


async def stopped_in_between(world: World) -> Post:
    """A mention whose meeting Zoom has made, asked of a bot that ended before it learned of that."""
    world.zoom.faults.add(method="POST", path=CREATE, drop=True, after=True)
    search = world.zoom.faults.add(method="GET", path=CREATE, delay=60)
    asked = await world.mattermost.post("alice", "dev", "@zoom standup")
    await world.zoom.wait_for(lambda: world.zoom.created)
    assert search.times <= 1
    await world.stop()
    world.zoom.faults.clear()
    return asked


async def test_a_meeting_made_just_before_the_end_is_adopted_after_the_restart(world: World) -> None:
    asked = await stopped_in_between(world)
    await world.start()
    answer = await world.answer_to(asked)
    assert answer.props["meeting_id"] == world.zoom.created[0]
    assert len(world.zoom.created) == 1


async def test_a_meeting_whose_maker_lost_the_link_is_removed_once_they_connect_again(world: World) -> None:
    asked = await stopped_in_between(world)
    (spare,) = world.zoom.created
    world.zoom.revoke("alice@demo.example")
    await world.start()
    assert "meeting_id" not in (await world.answer_to(asked)).props
    await look(world)
    assert spare in world.zoom.meetings
    await world.link("alice")
    await look(world)
    assert spare not in world.zoom.meetings


async def test_a_spare_made_just_before_the_end_is_removed_after_the_restart(world: World) -> None:
    world.zoom.lists_waiting = False
    asked = await stopped_in_between(world)
    await world.start()
    answer = await world.answer_to(asked)
    spare, kept = world.zoom.created
    assert answer.props["meeting_id"] == kept
    world.zoom.lists_waiting = True
    # Promised within 30 s of the restart.
    await world.zoom.wait_for(lambda: spare not in world.zoom.meetings, timeout=30)
    assert kept in world.zoom.meetings
