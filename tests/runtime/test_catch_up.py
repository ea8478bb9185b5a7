"""What the socket missed is found in the channels' history: all of it, once, and out of nobody's way."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from bot.clock import now_ms
from bot.domain.records import Cursor
from bot.runtime.listener import OVERLAP_MS
from bot.sandbox.mattermost import Post
from bot.stores import Put
from bot.stores.opening import open_store
from tests.conftest import MakeWorld, World

HISTORY = r"/channels/[^/]+/posts$"


@pytest.fixture
async def world(make_world: MakeWorld) -> World:
    world = await make_world(meetings={"duplicate_window_ms": 0})
    world.timings = replace(world.timings, post_retry_s=0.02)
    await world.link("alice")
    return world


async def settled(world: World) -> None:
    await world.bot.worker.idle()
    await world.bot.publisher.idle()


async def test_ten_thousand_missed_posts_do_not_hold_up_a_live_one(world: World) -> None:
    await world.mattermost.stop()
    missed = []
    for number in range(10_000):
        asks = number % 1000 == 500
        post = await world.mattermost.post("alice", "dev", f"@zoom {number}" if asks else f"talk {number}")
        missed += [post] * asks
    # Each page takes its time: what is live must come in between, however slow this machine is.
    world.mattermost.faults.add(times=-1, method="GET", path=HISTORY, user="zoom", delay=1.0)
    before = world.bot.listener.catch_ups
    await world.mattermost.start()
    await world.mattermost.wait_for_socket()
    live = await world.ask("alice", "ops", "@zoom live")
    assert "meeting_id" in live.props
    assert world.bot.listener.catch_ups == before
    world.mattermost.faults.clear()
    for post in missed:
        assert (await world.answer_to(post)).props["meeting_topic"] == post.message.removeprefix("@zoom ")
    await settled(world)
    assert [len(world.answers_to(post)) for post in missed] == [1] * 10


async def test_what_was_missed_for_too_long_gets_one_apology(make_world: MakeWorld) -> None:
    world = await make_world(mattermost={"catch_up_ms": 1})
    await world.link("alice")
    await world.stop()
    old = await world.mattermost.post("alice", "dev", "@zoom standup")
    await world.start()
    answer = await world.answer_to(old)
    assert answer.channel_id == world.direct("alice").id
    assert "meeting_id" not in answer.props
    for _ in range(2):
        await settled(world)
        await world.stop()
        await world.start()
    await settled(world)
    assert len(world.answers_to(old)) == 1
    assert world.zoom.created == []


async def test_what_is_younger_gets_its_meeting(world: World) -> None:
    await world.stop()
    asked = await world.mattermost.post("alice", "dev", "@zoom standup")
    await world.start()
    assert "meeting_id" in (await world.answer_to(asked)).props


async def test_an_edit_while_the_bot_was_away_asks_for_nothing(world: World) -> None:
    talk = await world.mattermost.post("alice", "dev", "just talk")
    await world.ask("alice", "dev", "@zoom help")
    await world.stop()
    await world.mattermost.edit("alice", talk.id, "@zoom standup")
    asked = await world.mattermost.post("alice", "dev", "@zoom later")
    await world.start()
    await world.answer_to(asked)
    await settled(world)
    assert world.answers_to(talk) == []


async def test_a_bot_that_starts_for_the_first_time_answers_nothing_old(make_world: MakeWorld) -> None:
    world = await make_world(start=False)
    old = await world.mattermost.post("alice", "dev", "@zoom help")
    await world.start()
    await world.ask("alice", "ops", "@zoom help")
    await settled(world)
    assert world.answers_to(old) == []


async def test_what_was_written_before_the_first_start_is_never_answered(make_world: MakeWorld) -> None:
    world = await make_world(start=False)
    old = await world.mattermost.post("alice", "dev", "@zoom help")
    await world.start()
    await world.stop()
    await world.start()
    await world.ask("alice", "dev", "@zoom help")
    await settled(world)
    assert world.answers_to(old) == []


async def test_a_server_whose_clock_ran_ahead_for_a_moment_has_nothing_skipped(world: World) -> None:
    world.mattermost.world.clock_offset_ms = 30 * 60_000
    ahead = await world.mattermost.post("alice", "dev", "just talk")
    world.mattermost.world.clock_offset_ms = 0
    await world.ask("alice", "ops", "@zoom help")
    await world.stop()
    missed = await world.mattermost.post("alice", "dev", "@zoom standup")
    await world.start()
    assert "meeting_id" in (await world.answer_to(missed)).props
    assert await cursor(world) < ahead.create_at


async def test_a_cursor_of_the_future_is_not_believed(world: World) -> None:
    await world.stop()
    store = await open_store(world.config.store.url)
    await store.commit(Put(Cursor(id="mattermost", at=now_ms() + 3_600_000)))
    await store.close()
    missed = await world.mattermost.post("alice", "dev", "@zoom standup")
    await world.start()
    assert "meeting_id" in (await world.answer_to(missed)).props


async def cursor(world: World) -> int:
    found = await world.bot.ctx.store.get(Cursor, "mattermost")
    return found.at if found else 0


async def test_the_cursor_stands_still_until_every_channel_was_read(world: World) -> None:
    await world.stop()
    in_dev = await world.mattermost.post("alice", "dev", "@zoom one")
    in_ops = await later(world, in_dev, "ops", "@zoom two")
    ops = world.mattermost.channel("ops").id
    broken = world.mattermost.faults.add(503, times=-1, method="GET", path=f"{ops}/posts$", user="zoom")
    # `start` waits for the catch-up, which does not end while one channel cannot be read.
    task = asyncio.create_task(world.start())
    await world.answer_to(in_dev)
    live = await world.ask("alice", "dev", "@zoom live")
    await world.mattermost.wait_for(lambda: broken.hits >= 3)
    assert "meeting_id" in live.props
    assert await cursor(world) < in_ops.create_at
    world.mattermost.faults.clear()
    await task
    await world.answer_to(in_ops)
    await settled(world)
    for asked in (in_dev, in_ops):
        assert len(world.answers_to(asked)) == 1


async def later(world: World, first: Post, channel: str, message: str) -> Post:
    """A post of a later moment than the first one's: its channel is read before the other."""
    while world.mattermost.world.now() <= first.create_at:
        await asyncio.sleep(0)
    return await world.mattermost.post("alice", channel, message)


async def test_a_channel_that_the_bot_may_not_read_holds_up_nothing(world: World) -> None:
    await world.stop()
    in_dev = await world.mattermost.post("alice", "dev", "@zoom one")
    in_ops = await later(world, in_dev, "ops", "just talk")
    ops = world.mattermost.channel("ops").id
    world.mattermost.faults.add(403, times=-1, method="GET", path=f"{ops}/posts$", user="zoom")
    await world.start()
    assert "meeting_id" in (await world.answer_to(in_dev)).props
    await world.bot.listener.save_cursor()
    assert await cursor(world) > in_ops.create_at - OVERLAP_MS


async def test_a_bot_that_is_stopped_in_the_middle_of_catching_up_begins_again(world: World) -> None:
    await world.stop()
    asked = [await world.mattermost.post("alice", "dev", f"@zoom {number}") for number in range(5)]
    ops = world.mattermost.channel("ops").id
    last = await world.mattermost.post("alice", "ops", "@zoom last")
    broken = world.mattermost.faults.add(503, times=-1, method="GET", path=f"{ops}/posts$", user="zoom")
    task = asyncio.create_task(world.start())
    await world.mattermost.wait_for(lambda: broken.hits >= 2)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await world.stop()
    world.mattermost.faults.clear()
    await world.start()
    for post in [*asked, last]:
        await world.answer_to(post)
    await settled(world)
    assert [len(world.answers_to(post)) for post in [*asked, last]] == [1] * 6


async def test_what_was_taken_in_but_not_handled_is_handled_after_the_restart(world: World) -> None:
    world.zoom.delay = 30
    asked = await world.mattermost.post("alice", "dev", "@zoom standup")
    # It is written down before it is handled: the worker hears of it from the store.
    while not world.bot.worker.waiting:
        await asyncio.sleep(0)
    await world.stop()
    world.zoom.delay = 0
    await world.start()
    answer: Post = await world.answer_to(asked)
    await settled(world)
    assert len(world.answers_to(asked)) == 1
    assert answer.props["meeting_id"] in world.zoom.meetings
