"""What no webhook told: meetings are closed with Zoom's times, expired, or removed where nobody knows."""

from __future__ import annotations

import asyncio
from math import inf

import pytest
from msgspec.structs import replace

from bot.domain.records import LinkedAccount, Meeting, Orphan
from bot.runtime import orphans as orphans_module
from bot.runtime.orphans import Orphans
from bot.runtime.reconciler import Reconciler
from bot.sandbox.mattermost import Post
from bot.stores import Put
from tests.conftest import MakeWorld, World

HOUR_MS = 60 * 60_000
CREATE = r"/users/[^/]+/meetings$"


@pytest.fixture
async def world(make_world: MakeWorld) -> World:
    world = await make_world(meetings={"duplicate_window_ms": 0})
    await world.link("alice")
    await world.link("bob")
    return world


def ended(post: Post) -> bool:
    return bool(post.props["meeting_status"] == "ENDED")


async def age(world: World, post: Post, hours: int) -> None:
    """Make the bot believe that the meeting of a post is so old."""
    store = world.bot.ctx.store
    (meeting,) = await store.find(Meeting, "zoom_id", post.props["meeting_id"])
    then = meeting.created_at - hours * HOUR_MS
    began = meeting.started_at and then
    await store.update(Meeting, meeting.id, lambda now: replace(now, created_at=then, started_at=began))


async def reconcile(world: World) -> Reconciler:
    reconciler = Reconciler(world.bot.ctx)
    await reconciler.reconcile()
    return reconciler


async def test_a_meeting_that_ended_while_the_bot_was_away_is_closed_with_zooms_times(world: World) -> None:
    post, meeting = await world.meeting()
    await world.zoom.start(meeting.id)
    await world.stop()
    world.zoom.clock.advance(45 * 60)
    await world.zoom.end(meeting.id, deliver=False)
    await world.start()
    shown = await world.shows(post, ended)
    assert abs(shown.props["meeting_end_time"] - meeting.last.ended_ms) < 1000
    assert "45 min" in str(shown.props["attachments"])


async def test_a_meeting_that_began_unseen_is_shown_as_begun(world: World) -> None:
    post, meeting = await world.meeting()
    await world.zoom.start(meeting.id, deliver=False)
    assert (await reconcile(world)).mended == 1
    await world.shows(post, lambda post: post.props["meeting_status"] == "STARTED")
    # Now it is known: there is nothing to mend.
    assert (await reconcile(world)).mended == 0


async def test_a_meeting_that_was_deleted_at_zoom_is_over(world: World) -> None:
    post, meeting = await world.meeting()
    del world.zoom.meetings[meeting.id]
    world.zoom.rooms._runs.clear()
    await reconcile(world)
    assert "never started" in (await world.shows(post, ended)).message


async def test_a_meeting_that_nobody_starts_expires_after_a_day(world: World) -> None:
    post, _ = await world.meeting()
    await age(world, post, 23)
    assert (await reconcile(world)).mended == 0
    await age(world, post, 2)
    assert (await reconcile(world)).mended == 1
    assert "never started" in (await world.shows(post, ended)).message


async def test_an_expired_meeting_that_begins_after_all_is_live_again(world: World) -> None:
    post, meeting = await world.meeting()
    await age(world, post, 25)
    await reconcile(world)
    await world.shows(post, ended)
    await world.zoom.start(meeting.id)
    await world.shows(post, lambda post: post.props["meeting_status"] == "STARTED")


async def test_what_zoom_forgot_altogether_is_closed_in_the_end(world: World) -> None:
    post, meeting = await world.meeting()
    await world.zoom.start(meeting.id)
    await world.shows(post, lambda post: post.props["meeting_status"] == "STARTED")
    del world.zoom.meetings[meeting.id]
    world.zoom.rooms._runs.clear()
    # Just ended, and not in Zoom's records yet: it is asked about again.
    assert (await reconcile(world)).mended == 0
    await age(world, post, 25)
    assert (await reconcile(world)).mended == 1
    await world.shows(post, ended)


async def test_one_meeting_that_cannot_be_asked_about_holds_up_no_other(world: World) -> None:
    broken, meeting = await world.meeting("alice", "dev", "broken")
    post, other = await world.meeting("bob", "ops", "fine")
    await world.zoom.start(meeting.id)
    await world.zoom.start(other.id)
    for each in (broken, post):
        await world.shows(each, lambda post: post.props["meeting_status"] == "STARTED")
    await world.zoom.end(meeting.id, deliver=False)
    await world.zoom.end(other.id, deliver=False)
    world.zoom.faults.add(500, times=-1, path=f"/meetings/{meeting.id}$")
    assert (await reconcile(world)).mended == 1
    await world.shows(post, ended)
    world.zoom.faults.clear()
    assert (await reconcile(world)).mended == 1
    await world.shows(broken, ended)


async def test_tokens_that_do_not_open_hold_up_no_other(world: World) -> None:
    _, meeting = await world.meeting("alice", "dev", "locked")
    post, other = await world.meeting("bob", "ops", "fine")
    await world.stop()
    await world.zoom.start(other.id, deliver=False)
    await world.zoom.end(other.id, deliver=False)
    await world.start()
    await world.shows(post, ended)
    store = world.bot.ctx.store
    link = await store.get(LinkedAccount, world.mattermost.user("alice").id)
    assert link is not None
    await store.commit(Put(replace(link, sealed_tokens="sealed under a key that is gone")))
    # A process that has not read them yet.
    await world.stop()
    await world.start()
    reconciler = await reconcile(world)
    assert reconciler.mended == 0
    assert meeting.id in world.zoom.meetings


async def test_at_most_four_meetings_are_asked_about_at_once(world: World) -> None:
    for number in range(12):
        await world.meeting("alice", "dev", f"number {number}")
    world.zoom.clear_calls()
    world.zoom.delay = 0.05
    loop = asyncio.get_running_loop()
    began = loop.time()
    await reconcile(world)
    # Each is two calls: all at once would take 0.1 s, one after the other 1.2 s.
    assert len(world.zoom.calls) == 24
    assert loop.time() - began >= 12 / 4 * 2 * 0.05


# Orphans.


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
    orphans = Orphans(world.bot.ctx)
    await orphans.look()
    assert kept in world.zoom.meetings
    assert not {spare, another} & set(world.zoom.meetings)
    assert orphans.removed == 2


async def test_a_meeting_that_zoom_lists_later_is_found_by_a_later_look(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.zoom.lists_waiting = False
    await made_unseen(world)
    await orphan(world)
    monkeypatch.setattr(orphans_module, "PAUSES_S", ((0.0, inf),))
    orphans = Orphans(world.bot.ctx)
    await orphans.look()
    assert orphans.removed == 0
    world.zoom.lists_waiting = True
    await orphans.look()
    assert orphans.removed == 1


async def test_a_meeting_that_cannot_be_deleted_holds_up_no_other(world: World) -> None:
    first, second = [await made_unseen(world) for _ in range(2)]
    await orphan(world)
    started = {"code": 3002, "message": "Sorry, you cannot delete this meeting since it's in progress."}
    world.zoom.faults.add(400, method="DELETE", path=f"/meetings/{first}$", body=started)
    await Orphans(world.bot.ctx).look()
    assert second not in world.zoom.meetings


async def test_looks_come_further_and_further_apart(world: World) -> None:
    await orphan(world)
    orphans = Orphans(world.bot.ctx)
    await orphans.look()
    world.zoom.clear_calls()
    await orphans.look()
    assert world.zoom.calls == []


async def test_what_did_not_appear_is_forgotten_after_ten_minutes(world: World) -> None:
    await orphan(world, age_ms=11 * 60_000)
    await Orphans(world.bot.ctx).look()
    assert await world.bot.ctx.store.all(Orphan) == []


async def test_while_zoom_cannot_be_asked_it_is_kept_for_a_day(world: World) -> None:
    # Carol has linked nothing.
    await orphan(world, user="carol", age_ms=23 * HOUR_MS)
    await Orphans(world.bot.ctx).look()
    assert len(await world.bot.ctx.store.all(Orphan)) == 1
    await orphan(world, user="carol", age_ms=25 * HOUR_MS)
    await Orphans(world.bot.ctx).look()
    assert await world.bot.ctx.store.all(Orphan) == []


async def test_a_spare_beside_one_that_was_announced_is_noted_and_removed(world: World) -> None:
    world.zoom.lists_waiting = False
    world.zoom.faults.add(504, method="POST", path=CREATE, after=True)
    answer = await world.ask("alice", "dev", "@zoom standup")
    spare, kept = world.zoom.created
    assert answer.props["meeting_id"] == kept
    world.zoom.lists_waiting = True
    await Orphans(world.bot.ctx).look()
    assert list(world.zoom.meetings.keys() & {spare, kept}) == [kept]


async def test_what_could_not_be_announced_is_never_posted_after_all(world: World) -> None:
    world.mattermost.faults.add(403, method="POST", path=r"/posts$", user="zoom")
    asked = await world.mattermost.post("alice", "dev", "@zoom standup")
    assert "couldn't post" in (await world.answer_to(asked)).message
    await reconcile(world)
    await world.bot.publisher.idle()
    assert world.mattermost.bot_posts("dev") == []
    assert await world.bot.ctx.store.all(Meeting) == []


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
    await Orphans(world.bot.ctx).look()
    assert spare in world.zoom.meetings
    await world.link("alice")
    await Orphans(world.bot.ctx).look()
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
