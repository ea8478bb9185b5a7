"""Chats and transcripts are fetched in turn, each once; what cannot be had is said to stay in Zoom."""

from __future__ import annotations

import dataclasses
import json

from bot.sandbox.zoom import Meeting
from bot.sandbox.zoom.models import Delivery, Json
from bot.worker import Patience
from tests.conftest import MakeWorld, World
from tests.features.kit import content, held, replies, settle


async def again(world: World, first: Delivery, **changes: object) -> None:
    """A new event of the same news, with these changes to its object."""
    body = json.loads(first.body)
    payload: Json = {"object": body["payload"]["object"] | changes}
    await world.zoom.deliver(first.event, payload, download_token=body["download_token"])
    await settle(world)


async def transcripts(world: World, meeting: Meeting, count: int) -> None:
    """The transcript of this many occurrences of a meeting, which are one file."""
    await world.zoom.transcribe(meeting.id, deliver=False)
    url = f"{world.zoom.url}/rec/download/{meeting.last.files[-1].id}"
    file: Json = {"id": "f", "file_type": "TRANSCRIPT", "download_url": url}
    for number in range(count):
        about: Json = {"id": meeting.id, "uuid": f"run{number}==", "recording_files": [file]}
        token = world.zoom.shelf.download_token(meeting.id)
        await world.zoom.deliver("recording.transcript_completed", {"object": about}, download_token=token)


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


async def test_to_wait_for_its_turn_costs_a_fetch_nothing(make_world: MakeWorld) -> None:
    world = await make_world(start=False)
    world.tempo = dataclasses.replace(world.tempo, patience=Patience(handler_s=2.0, pauses_s=()))
    await world.start()
    await world.link("bob")
    post, meeting = await world.meeting("bob")
    await held(world, meeting)
    # One after another they take longer than a handler may.
    world.zoom.faults.add(times=-1, method="GET", path=r"/rec/download/", delay=0.4)
    await transcripts(world, meeting, 28)
    await settle(world)
    assert len(replies(world, post)) == 28
