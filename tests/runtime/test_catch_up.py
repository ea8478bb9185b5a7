"""What the socket missed is found in the channels' history: all of it, once, and out of nobody's way."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from bot.clock import now_ms
from bot.domain.grammar import Grammar
from bot.domain.records import Cursor
from bot.runtime.catch_up import OVERLAP_MS
from bot.sandbox.mattermost import Post
from bot.stores import Put
from bot.stores.opening import open_store
from tests.conftest import MakeWorld, World
from tests.runtime.test_health import reasons

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


@pytest.mark.load
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


async def test_the_cursor_stands_still_while_mattermost_is_in_trouble(world: World) -> None:
    await world.stop()
    in_dev = await world.mattermost.post("alice", "dev", "@zoom one")
    in_ops = await later(world, in_dev, "ops", "@zoom two")
    ops = world.mattermost.channel("ops").id
    broken = world.mattermost.faults.add(503, times=-1, method="GET", path=f"{ops}/posts$", user="zoom")
    # The socket opens, but the account cannot be looked up either.
    me = world.mattermost.faults.add(503, times=-1, method="GET", path="/users/me$", user="zoom")
    me.times = 0
    task = asyncio.create_task(world.start())
    await world.mattermost.wait_for(lambda: world.app is not None)
    me.times = -1
    await world.mattermost.wait_for(lambda: broken.hits >= 3 and me.hits >= 2)
    assert await cursor(world) < in_ops.create_at
    assert len(world.bot.listener.unread) == 0
    assert "mattermost history" in await reasons(world)
    world.mattermost.faults.clear()
    await task
    for asked in (in_dev, in_ops):
        await world.answer_to(asked)
    await settled(world)
    while await reasons(world):
        pass
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
    slow = world.mattermost.faults.add(times=-1, method="GET", path=f"{ops}/posts$", user="zoom", delay=60)
    task = asyncio.create_task(world.start())
    await world.mattermost.wait_for(lambda: slow.hits)
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


# Posts that ordinary readers fall over.

DEEP = {"x": msgspec.Raw(b"[" * 1_500 + b"]" * 1_500)}


async def test_a_post_that_is_nested_without_end_holds_up_nothing(world: World) -> None:
    await world.stop()
    await world.mattermost.post("bob", "dev", "deep", props=DEEP)
    asked = [
        await world.mattermost.post("alice", "dev", "@zoom one"),
        await world.mattermost.post("alice", "ops", "@zoom two"),
        await world.mattermost.post("alice", "ops", "@zoom three", props=DEEP),
    ]
    await world.start()
    for post in asked:
        assert "meeting_id" in (await world.answer_to(post)).props


async def test_a_live_post_that_is_nested_without_end_is_read(world: World) -> None:
    connects = world.bot.socket.state.connects
    answer = await world.ask("alice", "dev", "@zoom deep", props=DEEP)
    assert answer.props["meeting_topic"] == "deep"
    large = DEEP | {"y": msgspec.Raw(b"[" + b"[]," * 60_000 + b"[]]")}
    answer = await world.ask("alice", "dev", "@zoom large", props=large)
    assert answer.props["meeting_topic"] == "large"
    assert world.bot.socket.state.connects == connects


async def test_a_post_that_breaks_the_grammar_stops_no_other(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bug on our side, which one message meets."""
    parse = Grammar.parse_message

    def fragile(self: Grammar, message: str, **more: Any) -> Any:
        if "bug" in message:
            raise ValueError("a bug")
        return parse(self, message, **more)

    monkeypatch.setattr(Grammar, "parse_message", fragile)
    await world.mattermost.post("alice", "dev", "@zoom bug")
    assert "meeting_id" in (await world.ask("alice", "dev", "@zoom live")).props
    await world.stop()
    await world.mattermost.post("alice", "dev", "@zoom bug again")
    asked = await world.mattermost.post("alice", "dev", "@zoom missed")
    await world.start()
    assert "meeting_id" in (await world.answer_to(asked)).props
    assert world.bot.ctx.mattermost.unreadable.count >= 1


# A bot in no team.


async def test_a_direct_message_to_a_bot_in_no_team_is_caught_up(world: World) -> None:
    bot = world.mattermost.user("zoom")
    direct, group = world.direct("alice"), world.mattermost.group("alice", "bob", "zoom")
    for name in ("town-square", "dev", "ops"):
        world.mattermost.leave("zoom", name, by="alice")
    del world.mattermost.world.directory.team_members[world.mattermost.team().id][bot.id]
    await world.stop()
    asked = await world.mattermost.post("alice", direct, "help")
    in_group = await world.mattermost.post("alice", group, "@zoom standup")
    await world.start()
    assert (await world.answer_to(asked)).channel_id == direct.id
    assert (await world.answer_to(in_group)).channel_id == group.id
