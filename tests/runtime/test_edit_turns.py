"""What is urgent is shown at once, and numbers of people when there is time; in the end every post is right."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from bot.runtime.pace import EditLimits
from bot.sandbox.mattermost import Post
from bot.sandbox.zoom import Meeting
from tests.conftest import MakeWorld, World
from tests.features.kit import settle

NEVER_S = 600.0
PATCH = r"/patch$"
# After one edit, the next that can wait comes never.
STRICT = EditLimits(least_s=0.01, most_s=NEVER_S, per_s=0.0001, spare=1)


@pytest.fixture
async def world(make_world: MakeWorld) -> World:
    world = await make_world(start=False, meetings={"duplicate_window_ms": 0})
    world.timings = replace(world.timings, post_retry_s=0.02, edits=STRICT)
    await world.start()
    await world.link("bob")
    return world


def state(post: Post) -> str:
    """The line of a post that says who is in the meeting; empty once it has ended."""
    return str(post.props["attachments"][0].get("text") or "")


async def live(world: World, topic: str = "standup") -> tuple[Post, Meeting]:
    """A meeting that has begun, and whose post says so: the edits that can wait rest from now on."""
    post, meeting = await world.meeting("bob", topic=topic)
    await world.zoom.start(meeting.id, host=False)
    await world.shows(post, lambda post: post.props["meeting_status"] == "STARTED")
    return post, meeting


async def one_who_came(world: World, meeting: Meeting, name: str) -> str:
    """Somebody comes in, and the number waits to be shown."""
    session = await world.zoom.join(meeting.id, name)
    await world.bot.worker.idle()
    return session


async def test_an_end_is_shown_at_once_although_a_number_waits(world: World) -> None:
    post, meeting = await live(world)
    await one_who_came(world, meeting, "Ann")
    assert world.bot.publisher.waiting
    await world.zoom.end(meeting.id)
    ended = await world.shows(post, lambda post: post.props["meeting_status"] == "ENDED")
    assert "1 person" in str(ended.props["attachments"])


async def test_a_recording_is_shown_at_once_and_takes_the_number_with_it(world: World) -> None:
    post, meeting = await live(world)
    await one_who_came(world, meeting, "Ann")
    file = {"recording_start": "2026-03-02T09:05:00Z", "recording_end": ""}
    about = {"id": meeting.id, "uuid": meeting.uuid, "recording_file": file}
    await world.zoom.deliver("recording.started", {"object": about})
    await world.shows(post, lambda post: "recorded" in state(post))
    assert state(await world.shows(post, state)) == "Live and being recorded, 1 person in the meeting"


async def test_a_number_that_waits_is_right_after_a_restart(world: World) -> None:
    post, meeting = await live(world)
    for name in ("Ann", "Ben"):
        await one_who_came(world, meeting, name)
    assert state(await world.shows(post, state)) == "Live"
    await world.stop()
    await world.start()
    await world.shows(post, lambda post: "2 people" in state(post))


async def test_an_end_comes_before_the_numbers_that_stand_in_line(world: World) -> None:
    posts = [await live(world, f"number {number}") for number in range(4)]
    await world.stop()
    world.timings = replace(world.timings, edits=replace(STRICT, at_once=1))
    await world.start()
    fault = world.mattermost.faults.add(times=1, method="PUT", path=PATCH, delay=NEVER_S)
    for _, meeting in posts:
        await one_who_came(world, meeting, "Ann")
    await world.mattermost.wait_for(lambda: fault.hits)
    stuck = next(call.path for call in reversed(world.mattermost.calls) if call.path.endswith("/patch"))
    post, meeting = next(each for each in posts if each[0].id not in stuck)
    await world.zoom.end(meeting.id)
    await world.shows(post, lambda post: post.props["meeting_status"] == "ENDED")


async def test_a_try_again_shows_what_came_meanwhile(world: World) -> None:
    post, meeting = await world.meeting("bob")
    fault = world.mattermost.faults.add(503, times=-1, method="PUT", path=PATCH)
    await world.zoom.start(meeting.id, host=False)
    await world.mattermost.wait_for(lambda: fault.hits)
    await world.zoom.end(meeting.id)
    await world.bot.worker.idle()
    world.mattermost.clear_calls()
    world.mattermost.faults.clear()
    await world.shows(post, lambda post: post.props["meeting_status"] == "ENDED")
    await settle(world)
    taken = [call for call in world.mattermost.calls if call.path.endswith("/patch") and call.status == 200]
    assert len(taken) == 1


async def test_slow_edits_hold_up_no_new_post(world: World) -> None:
    """There are more of them than calls that may be made at once."""
    for number in range(40):
        await world.ask("bob", "dev", f"@zoom number {number}")
    fault = world.mattermost.faults.add(times=-1, method="PUT", path=PATCH, delay=NEVER_S)
    await asyncio.gather(*(world.zoom.start(meeting, host=False) for meeting in world.zoom.created))
    await world.bot.worker.idle()
    await world.mattermost.wait_for(lambda: fault.hits)
    assert "meeting_id" in (await world.ask("bob", "dev", "@zoom next")).props


async def test_a_crowd_that_comes_and_goes_is_counted_right_in_the_end(world: World) -> None:
    world.mattermost.faults.add(times=-1, method="PUT", path=PATCH, delay=0.01)
    await world.stop()
    world.timings = replace(world.timings, edits=EditLimits(least_s=0.01, most_s=0.05, at_once=2))
    await world.start()
    posts = [await live(world, f"number {number}") for number in range(5)]

    async def come_and_go(meeting: Meeting) -> None:
        sessions = [await world.zoom.join(meeting.id, f"Guest {number}") for number in range(8)]
        for session in sessions[:5]:
            await world.zoom.leave(meeting.id, session)

    await asyncio.gather(*(come_and_go(meeting) for _, meeting in posts))
    await settle(world)
    for post, _ in posts:
        assert state(await world.shows(post, state)) == "Live, 3 people in the meeting"
