"""Where meetings may be started, and who says so."""

from __future__ import annotations

from bot.sandbox.zoom.models import Meeting
from tests.conftest import MakeWorld, World, two_hosts
from tests.features.kit import ask, connect, direct, held, planned, settle


async def test_public_channels_can_be_closed_and_single_ones_opened(make_world: MakeWorld) -> None:
    world = await make_world(meetings={"restrict_public_channels": True})
    await world.link("alice")
    refused = await world.ask("alice", "dev", "@zoom standup")
    assert refused.channel_id == world.direct("alice").id
    assert "can't be started" in refused.message
    assert "meeting_id" in (await world.ask("alice", "ops", "@zoom standup")).props
    said = await world.ask("alice", "dev", "@zoom channel allow")
    assert said.channel_id == world.mattermost.channel("dev").id
    assert "meeting_id" in (await world.ask("alice", "dev", "@zoom standup")).props


async def test_only_administrators_set_rules(world: World) -> None:
    refused = await world.ask("bob", "dev", "@zoom channel restrict")
    assert refused.channel_id == world.direct("bob").id
    assert "meeting_id" in (await world.ask("bob", "dev", "@zoom standup")).props


async def test_a_restricted_channel_stays_closed_whichever_way_one_asks(make_world: MakeWorld) -> None:
    world = await make_world()
    pending = await world.mattermost.post("carol", "dev", "@zoom later")
    await world.answer_to(pending)
    await world.ask("alice", "dev", "@zoom channel restrict")
    await world.mattermost.command("carol", "dev", "/zoom start now")
    await world.mattermost.wait_for(lambda: world.mattermost.ephemerals)
    assert "can't be started" in world.mattermost.ephemerals[-1].text
    assert world.zoom.created == []


async def test_the_list_is_for_system_administrators(world: World) -> None:
    await world.ask("alice", "ops", "@zoom channel restrict")
    listed = await world.ask("alice", world.direct("alice"), "channel list")
    assert "Ops" in listed.message
    refused = await world.ask("bob", world.direct("bob"), "channel list")
    assert "Ops" not in refused.message


# Channels that are made public or private.


async def restricting(make_world: MakeWorld) -> World:
    """Public channels are restricted; alice and bob are linked, and carol is in ops as well."""
    world = await make_world(meetings={"restrict_public_channels": True})
    world.mattermost.join("carol", "ops")
    return await two_hosts(world)


async def posts_of_next(world: World, meeting: Meeting, channel: str) -> int:
    """How many posts the meeting's next session gets in a channel."""
    before = len(world.mattermost.bot_posts(channel))
    await held(world, meeting)
    await settle(world)
    return len(world.mattermost.bot_posts(channel)) - before


async def test_a_channel_that_follows_a_meeting_counts_as_what_it_is_now(make_world: MakeWorld) -> None:
    world = await restricting(make_world)
    meeting = planned(world, "bob")
    await ask(world, "bob", "ops", f"@zoom subscribe {meeting.id}")
    assert await posts_of_next(world, meeting, "ops") == 1
    world.mattermost.convert("ops")
    assert await posts_of_next(world, meeting, "ops") == 0
    world.mattermost.convert("ops")
    assert await posts_of_next(world, meeting, "ops") == 1


async def test_a_channel_that_was_public_when_it_subscribed_is_served_once_it_is_private(
    make_world: MakeWorld,
) -> None:
    world = await restricting(make_world)
    meeting = planned(world, "bob")
    await ask(world, "alice", "dev", "@zoom channel allow")
    await ask(world, "bob", "dev", f"@zoom subscribe {meeting.id}")
    await ask(world, "alice", "dev", "@zoom channel default")
    assert await posts_of_next(world, meeting, "dev") == 0
    world.mattermost.convert("dev")
    assert await posts_of_next(world, meeting, "dev") == 1


async def test_a_channel_that_the_bot_may_not_see_counts_as_what_it_was(make_world: MakeWorld) -> None:
    world = await restricting(make_world)
    meeting = planned(world, "bob")
    await ask(world, "bob", "ops", f"@zoom subscribe {meeting.id}")
    ops = world.mattermost.channel("ops")
    world.mattermost.faults.add(status=403, times=1, method="GET", path=f"/channels/{ops.id}$")
    assert await posts_of_next(world, meeting, "ops") == 1


async def test_a_request_that_waited_for_linking_counts_in_the_channel_as_it_is_now(
    make_world: MakeWorld,
) -> None:
    world = await restricting(make_world)
    (invitation,) = await ask(world, "carol", "ops", "@zoom standup")
    world.mattermost.convert("ops")
    await connect(world, "carol", invitation.message)
    assert world.zoom.created == []
    assert "can't be started in this channel" in direct(world, "carol")[-1]


async def test_a_question_is_answered_for_the_channel_as_it_is_now(make_world: MakeWorld) -> None:
    world = await restricting(make_world)
    await world.ask("bob", "ops", "@zoom standup")
    await ask(world, "bob", "ops", "@zoom retro")
    world.mattermost.convert("ops")
    await world.mattermost.post("bob", world.direct("bob"), "new")
    await world.mattermost.wait_for(lambda: len(direct(world, "bob")) > 1)
    await settle(world)
    assert len(world.zoom.created) == 1
    assert "can't be started in this channel" in direct(world, "bob")[-1]


async def test_a_live_mention_asks_nothing_about_its_channel(make_world: MakeWorld) -> None:
    world = await restricting(make_world)
    world.mattermost.clear_calls()
    await world.ask("bob", "ops", "@zoom standup")
    assert not [call for call in world.mattermost.calls if "/channels/" in call.path]
