"""What no webhook told: meetings are closed with Zoom's times, expired, or removed where nobody knows."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from bot.domain.records import LinkedAccount, Meeting
from bot.runtime.reconciler import Reconciler
from bot.sandbox.mattermost import Post
from bot.stores import Put
from tests.conftest import MakeWorld, World, two_hosts

HOUR_MS = 60 * 60_000
CREATE = r"/users/[^/]+/meetings$"


@pytest.fixture
async def world(make_world: MakeWorld) -> World:
    return await two_hosts(await make_world(meetings={"duplicate_window_ms": 0}))


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
    world.zoom.meeting_store._runs.clear()
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
    world.zoom.meeting_store._runs.clear()
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


async def test_what_could_not_be_announced_is_never_posted_after_all(world: World) -> None:
    world.mattermost.faults.add(403, method="POST", path=r"/posts$", user="zoom")
    asked = await world.mattermost.post("alice", "dev", "@zoom standup")
    assert "couldn't post" in (await world.answer_to(asked)).message
    await reconcile(world)
    await world.bot.publisher.idle()
    assert world.mattermost.bot_posts("dev") == []
    assert await world.bot.ctx.store.all(Meeting) == []
