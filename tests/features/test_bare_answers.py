"""Zoom's answers may lack any field: as published, a created meeting has no uuid, host or status."""

from __future__ import annotations

import pytest

from tests.conftest import World
from tests.features.kit import ask, direct, planned, settle

AS_PUBLISHED = ("uuid", "host_id", "status", "created_at")


@pytest.mark.parametrize("command", ["standup", "webinar talk"])
async def test_what_zoom_made_is_announced_and_followed(world: World, command: str) -> None:
    world.zoom.leaves_out = AS_PUBLISHED
    world.zoom.user("alice@demo.example").webinar = True
    post = await world.ask("alice", "dev", f"@zoom {command}")
    meeting = world.zoom.meetings[post.props["meeting_id"]]
    assert post.props["meeting_link"] == meeting.join_url
    await world.zoom.start(meeting.id)
    live = await world.shows(post, lambda now: now.props["meeting_status"] == "STARTED")
    assert live.props["meeting_uuid"] == meeting.uuid
    (said,) = await ask(world, "alice", "dev", "@zoom end")
    assert "ended" in said.message
    await world.shows(post, lambda now: now.props["meeting_status"] == "ENDED")
    await settle(world)
    assert len(world.zoom.created) == 1
    assert len(direct(world, "alice")) == 1


async def test_a_planned_meeting_is_shared(world: World) -> None:
    meeting = planned(world, "alice")
    world.zoom.leaves_out = ("uuid", "timezone", "topic", "status")
    post = await world.ask("alice", "dev", f"@zoom join {meeting.id}")
    assert post.props["meeting_link"] == meeting.join_url
    await world.zoom.start(meeting.id)
    await world.shows(post, lambda now: now.props["meeting_status"] == "STARTED")
