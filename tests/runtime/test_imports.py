"""Old messages that a script brings in ask for nothing; what was missed does, whatever the clocks say."""

from __future__ import annotations

import pytest

from bot.sandbox.mattermost import Post
from tests.conftest import MakeWorld, World
from tests.features.kit import settle

MINUTE_MS = 60_000
YEAR_MS = 365 * 24 * 60 * MINUTE_MS


@pytest.fixture
async def world(make_world: MakeWorld) -> World:
    world = await make_world(meetings={"duplicate_window_ms": 0})
    await world.link("alice")
    return world


async def bring_in(world: World, age_ms: int, message: str = "@zoom standup") -> Post:
    """A message of this age by the server's clock, as an administrator's script posts it."""
    written = world.mattermost.world.now() - age_ms
    return await world.mattermost.post("alice", "dev", message, create_at=written)


async def test_old_messages_that_are_brought_in_are_passed_over_in_silence(world: World) -> None:
    old = [await bring_in(world, 8 * YEAR_MS - number) for number in range(12)]
    await world.ask("alice", "dev", "@zoom now")
    await settle(world)
    assert [world.answers_to(post) for post in old] == [[]] * 12
    assert world.bot.listener.imports.count == 12
    assert len(world.zoom.created) == 1


@pytest.mark.parametrize("message", ["@zoom help", "zoom", "@zoom connect", "let's talk, @zoom?"])
async def test_no_command_of_long_ago_is_answered(world: World, message: str) -> None:
    old = await bring_in(world, 20 * MINUTE_MS, message)
    await world.ask("alice", "ops", "@zoom now")
    await settle(world)
    assert world.answers_to(old) == []


async def test_a_message_of_a_moment_ago_is_answered(world: World) -> None:
    assert "meeting_id" in (await world.answer_to(await bring_in(world, 5 * MINUTE_MS))).props


async def test_what_is_brought_in_while_the_bot_is_away_is_passed_over(world: World) -> None:
    await world.stop()
    old = await bring_in(world, YEAR_MS)
    asked = await world.mattermost.post("alice", "dev", "@zoom now")
    await world.start()
    await world.answer_to(asked)
    await settle(world)
    assert world.answers_to(old) == []


@pytest.mark.parametrize("offset_ms", [-3 * 60 * MINUTE_MS, 3 * 60 * MINUTE_MS, -2 * YEAR_MS])
async def test_the_server_s_clock_decides(make_world: MakeWorld, offset_ms: int) -> None:
    world = await make_world(start=False, meetings={"duplicate_window_ms": 0})
    world.mattermost.world.clock_offset_ms = offset_ms
    await world.start()
    await world.link("alice")
    assert "meeting_id" in (await world.ask("alice", "dev", "@zoom now")).props
    old = await bring_in(world, 20 * MINUTE_MS)
    await world.ask("alice", "dev", "@zoom again")
    await settle(world)
    assert world.answers_to(old) == []


async def test_a_server_whose_clock_was_set_back_is_answered(world: World) -> None:
    """The bot asks for the time again before it passes anything over."""
    world.mattermost.world.clock_offset_ms = -60 * MINUTE_MS
    assert "meeting_id" in (await world.ask("alice", "dev", "@zoom now")).props


async def test_what_a_resumed_connection_brings_late_is_apologized_for(make_world: MakeWorld) -> None:
    """It was missed: nobody brought it in."""
    world = await make_world(mattermost={"catch_up_ms": MINUTE_MS})
    await world.link("alice")
    await world.bot.listener.catch_up()
    world.zoom.clock.advance(600)
    # It was written half of the time ago, and arrives now.
    missed = await bring_in(world, 5 * MINUTE_MS)
    answer = await world.answer_to(missed)
    assert answer.channel_id == world.direct("alice").id
    assert world.zoom.created == []
