"""Where meetings may be started, and who says so."""

from __future__ import annotations

from tests.conftest import MakeWorld, World


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
