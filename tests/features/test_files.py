"""Chats and transcripts are fetched in turn, each once; what cannot be had is said to stay in Zoom."""

from __future__ import annotations

import json

from bot.sandbox.zoom.models import Delivery, Json
from tests.conftest import World
from tests.features.kit import content, held, replies, settle


async def again(world: World, first: Delivery, **changes: object) -> None:
    """A new event of the same news, with these changes to its object."""
    body = json.loads(first.body)
    payload: Json = {"object": body["payload"]["object"] | changes}
    await world.zoom.deliver(first.event, payload, download_token=body["download_token"])
    await settle(world)


async def test_a_second_event_with_one_more_chat_posts_that_one_alone(trio: World) -> None:
    post, meeting = await trio.meeting("bob")
    await held(trio, meeting)
    await trio.zoom.record(meeting.id)
    await settle(trio)
    (first,) = [each for each in trio.zoom.deliveries if each.event == "recording.completed"]
    files = json.loads(first.body)["payload"]["object"]["recording_files"]
    more = [each | {"id": "another"} for each in files if each["file_type"] == "CHAT"]
    before = replies(trio, post)
    await again(trio, first, recording_files=[*more, *files])
    (added,) = [each for each in replies(trio, post) if each not in before]
    assert content(trio, added) == content(trio, before[-1])
