"""A clock that is wrong destroys nothing: not the machine's, not Mattermost's, not Zoom's."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import replace
from functools import partial

import pytest

from bot.core.clocks import Clocks
from bot.domain.records import Meeting, Orphan, Record
from bot.domain.upkeep import known_kinds
from bot.retrying import Backoff
from bot.runtime.janitor import Janitor
from bot.runtime.reconciler import Reconciler
from bot.sandbox.mattermost import Post
from bot.stores import Put
from bot.zoom import Caller
from tests.conftest import MakeWorld, World, two_hosts
from tests.features.kit import connect, settle
from tests.runtime.test_health import reasons

HOUR_MS = 60 * 60_000
YEAR_MS = 365 * 24 * HOUR_MS
DAY_S = 24 * 3600


@pytest.fixture
async def world(make_world: MakeWorld) -> World:
    world = await make_world(start=False, meetings={"duplicate_window_ms": 0})
    # For whoever waits until the clocks are looked at again.
    quick = replace(world.timings.zoom, backoff=Backoff(0.0, 0.0, 3))
    world.timings = replace(world.timings, clocks_s=0.05, zoom=quick)
    await world.start()
    return await two_hosts(world)


def janitor(world: World) -> Janitor:
    ctx = world.bot.ctx
    return Janitor(ctx.store, ctx.now, partial(ctx.clocks.look, ctx.mattermost, ctx.zoom))


async def counts(world: World) -> Counter[type[Record]]:
    store = world.bot.ctx.store
    return Counter({kind: len(await store.all(kind)) for kind in known_kinds()})


async def lived_in(world: World) -> tuple[Post, Post]:
    """The store after a meeting that took place; the posts of one that waits, and of carol's invitation."""
    post, meeting = await world.meeting(topic="over")
    await world.zoom.start(meeting.id)
    await world.zoom.end(meeting.id)
    await world.shows(post, lambda post: post.props["meeting_status"] == "ENDED")
    waiting, _ = await world.meeting(topic="later")
    invitation = await world.ask("carol", "town-square", "@zoom for carol")
    await settle(world)
    return waiting, invitation


async def nothing_is_destroyed(world: World, before: Counter[type[Record]], waiting: Post) -> None:
    await Reconciler(world.bot.ctx).reconcile()
    assert await janitor(world).tidy() == 0
    await settle(world)
    assert before - await counts(world) == Counter()
    (shown,) = [each for each in world.mattermost.bot_posts("dev") if each.id == waiting.id]
    assert shown.props["meeting_status"] == "WAITING"


async def agree_again(world: World) -> None:
    """The next call or ping tells it, and the next look corrects the time."""
    ctx = world.bot.ctx
    await ctx.mattermost.me()
    while await reasons(world):
        pass
    await ctx.clocks.settle(ctx.mattermost, ctx.zoom)


@pytest.mark.parametrize("ahead_ms", [YEAR_MS, -YEAR_MS, 25 * HOUR_MS])
async def test_a_machine_whose_clock_is_wrong_at_start_goes_on(
    world: World, ahead_ms: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "bot.core.clocks")
    waiting, invitation = await lived_in(world)
    before = await counts(world)
    await world.stop()
    world.ahead_ms = ahead_ms
    await world.start()
    assert await reasons(world) == {"clock"}
    await nothing_is_destroyed(world, before, waiting)
    said = [each.getMessage() for each in caplog.records if "synchronize" in each.getMessage()]
    assert len(said) == 1
    assert "Mattermost's by" in said[0]
    # Zoom says so too: the right time is known, and everything works.
    assert abs(world.bot.ctx.now() - world.stage.now()) < 2000
    await connect(world, "carol", invitation.message)
    await world.mattermost.wait_for(lambda: world.mattermost.bot_posts("town-square"))
    post, meeting = await world.meeting(topic="now")
    await world.zoom.start(meeting.id)
    await world.shows(post, lambda post: post.props["meeting_status"] == "STARTED")
    await world.zoom.end(meeting.id)
    await world.shows(post, lambda post: post.props["meeting_status"] == "ENDED")
    # The clock is set right.
    world.ahead_ms = 0
    await agree_again(world)
    assert world.bot.ctx.now() == pytest.approx(world.stage.now(), abs=1000)
    assert "the clocks agree again" in caplog.text


@pytest.mark.parametrize("ahead_ms", [YEAR_MS, -YEAR_MS])
async def test_a_clock_that_jumps_while_the_bot_runs_destroys_nothing(world: World, ahead_ms: int) -> None:
    waiting, _ = await lived_in(world)
    before = await counts(world)
    world.ahead_ms = ahead_ms
    await nothing_is_destroyed(world, before, waiting)
    assert await reasons(world) == {"clock"}


async def test_while_zoom_does_not_say_its_time_nothing_is_destroyed(world: World) -> None:
    waiting, _ = await lived_in(world)
    alice, now = world.mattermost.user("alice").id, world.stage.now()
    await world.bot.ctx.store.commit(Put(Orphan(id="o", user_id=alice, marker="m", created_at=now)))
    before = await counts(world)
    await world.stop()
    world.zoom.faults.add(drop=True, path=".*", times=-1)
    world.ahead_ms = YEAR_MS
    await world.start()
    await nothing_is_destroyed(world, before, waiting)
    assert "clock" in await reasons(world)
    world.zoom.faults.clear()


async def test_while_mattermost_does_not_say_its_time_nothing_is_destroyed(world: World) -> None:
    waiting, _ = await lived_in(world)
    before = await counts(world)
    await world.mattermost.stop()
    world.ahead_ms = YEAR_MS
    await Reconciler(world.bot.ctx).reconcile()
    assert await janitor(world).tidy() == 0
    assert before - await counts(world) == Counter()
    world.ahead_ms = 0
    await world.mattermost.start()
    await world.bot.socket.opened()
    await nothing_is_destroyed(world, before, waiting)


@pytest.mark.parametrize("whose", ["Mattermost", "Zoom"])
async def test_a_server_whose_clock_is_wrong_destroys_nothing(world: World, whose: str) -> None:
    waiting, _ = await lived_in(world)
    before = await counts(world)
    await world.stop()
    for ahead_ms in (YEAR_MS, -YEAR_MS):
        if whose == "Zoom":
            world.zoom.clock_offset_ms = ahead_ms
        else:
            world.mattermost.world.clock_offset_ms = ahead_ms
        await world.start()
        await world.bot.ctx.zoom.me(Caller(world.mattermost.user("alice").id))
        await nothing_is_destroyed(world, before, waiting)
        assert await reasons(world) == {"clock"}
        assert f"differs from {whose}'s by" in world.bot.ctx.clocks.trouble
        # Two of three are right: ours is not corrected.
        assert abs(world.bot.ctx.now() - world.stage.now()) < 1000
        await world.stop()
    world.mattermost.world.clock_offset_ms = world.zoom.clock_offset_ms = 0
    await world.start()
    await agree_again(world)


async def test_where_the_clocks_agree_the_old_is_deleted_and_expires(world: World) -> None:
    waiting, _ = await lived_in(world)
    world.zoom.clock.advance(2 * DAY_S)
    await Reconciler(world.bot.ctx).reconcile()
    assert (
        "never started"
        in (await world.shows(waiting, lambda post: post.props["meeting_status"] == "ENDED")).message
    )
    world.zoom.clock.advance(91 * DAY_S)
    assert await janitor(world).tidy() > 0
    assert await world.bot.ctx.store.find(Meeting, "open", False) == []


async def test_clocks_that_differ_by_less_than_an_hour_are_the_same(world: World) -> None:
    await world.stop()
    world.ahead_ms = 59 * 60_000
    await world.start()
    assert await reasons(world) == set()


def test_a_correction_is_no_difference_to_the_servers() -> None:
    clocks = Clocks(lambda: 10 * HOUR_MS)
    for server in (clocks.mattermost, clocks.zoom):
        server.note(0, clocks.now(), clocks.now())
    assert "Mattermost's by -36000 s and Zoom's by -36000 s" in clocks.trouble
    clocks._correct()
    assert clocks.now() == 0
    assert clocks.mattermost.offset == clocks.zoom.offset == 0
    assert "Mattermost's by -36000 s and Zoom's by -36000 s" in clocks.trouble
