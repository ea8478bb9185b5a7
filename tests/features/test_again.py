"""A meeting of its own number that starts again within a day is live again on its post; a room's is not."""

from __future__ import annotations

import pytest

from bot.sandbox.mattermost import Post
from bot.sandbox.zoom import Meeting
from bot.sandbox.zoom.clock import iso
from bot.sandbox.zoom.models import SCHEDULED, Json
from tests.conftest import MakeWorld, World, two_hosts
from tests.features.kit import RECURRING, ask, held, planned, replies, settle, started_again, told

HOUR = 3600


@pytest.fixture
async def world(make_world: MakeWorld) -> World:
    return await two_hosts(await make_world(meetings={"duplicate_window_ms": 0}))


def now_of(world: World, post: Post) -> Post:
    (found,) = [each for each in world.mattermost.bot_posts() if each.id == post.id]
    return found


def status(world: World, post: Post) -> str:
    return str(now_of(world, post).props["meeting_status"])


def event(meeting: Meeting, uuid: str, began: int, ended: int = 0) -> Json:
    """The payload of an event about a session."""
    about: Json = {"id": str(meeting.id), "uuid": uuid, "host_id": meeting.host_id, "topic": meeting.topic}
    about["start_time"] = iso(began)
    return {"object": about | ({"end_time": iso(ended)} if ended else {})}


async def test_a_meeting_cut_off_after_forty_minutes_is_live_again(world: World) -> None:
    post, meeting = await world.meeting()
    await world.zoom.start(meeting.id)
    world.zoom.clock.advance(40 * 60)
    await world.zoom.end(meeting.id)
    await settle(world)
    assert status(world, post) == "ENDED"
    world.zoom.clock.advance(120)
    await started_again(world, meeting)
    await settle(world)
    live = now_of(world, post)
    assert live.props["meeting_status"] == "STARTED"
    assert meeting.join_url in live.message
    assert "meeting_end_time" not in live.props
    assert live.props["attachments"][0]["text"] == "Live, 1 person in the meeting"
    await told(world, "alice", "dev", "@zoom end")
    await settle(world)
    assert meeting.status == "ended"
    assert status(world, post) == "ENDED"
    assert len(world.mattermost.bot_posts("dev")) == 1


async def test_a_webinar_is_live_again_too_and_a_meeting_shared_by_join_is_not(world: World) -> None:
    world.zoom.user("alice@demo.example").webinar = True
    shared = planned(world, "alice", kind=SCHEDULED)
    webinar = await world.ask("alice", "dev", "@zoom webinar talk")
    joined = await world.ask("alice", "town-square", f"@zoom join {shared.id}")
    for post, again in ((webinar, "STARTED"), (joined, "ENDED")):
        meeting = world.zoom.meetings[post.props["meeting_id"]]
        await held(world, meeting)
        await settle(world)
        assert status(world, post) == "ENDED"
        world.zoom.clock.advance(60)
        await world.zoom.start(meeting.id)
        await settle(world)
        assert status(world, post) == again


async def test_after_more_than_a_day_it_stays_over(world: World) -> None:
    post, meeting = await world.meeting()
    await held(world, meeting)
    world.zoom.clock.advance(25 * HOUR)
    await started_again(world, meeting)
    await settle(world)
    assert status(world, post) == "ENDED"


async def test_the_personal_room_s_next_session_stays_private(world: World) -> None:
    await ask(world, "alice", world.direct("alice"), "settings pmi always")
    post = await world.ask("alice", "dev", "@zoom standup")
    room = world.zoom.meetings[post.props["meeting_id"]]
    await held(world, room)
    world.zoom.clock.advance(60)
    await world.zoom.start(room.id)
    await settle(world)
    assert status(world, post) == "ENDED"


async def test_each_session_of_a_followed_meeting_has_a_post_of_its_own(world: World) -> None:
    meeting = planned(world, "alice", kind=RECURRING)
    await ask(world, "alice", "dev", f"@zoom subscribe {meeting.id}")
    await held(world, meeting)
    world.zoom.clock.advance(60)
    await world.zoom.start(meeting.id)
    await settle(world)
    posts = [each for each in world.mattermost.bot_posts("dev") if each.props.get("meeting_id")]
    assert [each.props["meeting_status"] for each in posts] == ["ENDED", "STARTED"]


async def test_late_events_of_the_first_session_do_not_end_the_second(world: World) -> None:
    post, meeting = await world.meeting()
    await world.zoom.start(meeting.id)
    first = [each for each in world.zoom.deliveries if each.event == "meeting.started"]
    began, uuid = world.zoom.clock.now_ms(), meeting.uuid
    world.zoom.clock.advance(2400)
    # The end of the first session is told only after the second began.
    ended = world.zoom.clock.now_ms()
    await world.zoom.end(meeting.id, deliver=False)
    world.zoom.clock.advance(60)
    await started_again(world, meeting)
    await settle(world)
    await world.zoom.deliver("meeting.ended", event(meeting, uuid, began, ended))
    body = first[0].body.replace(b'"event_ts":1', b'"event_ts":2')
    assert (await world.zoom.deliver("meeting.started", {}, raw=body)).status == 200
    await settle(world)
    live = now_of(world, post)
    assert (live.props["meeting_status"], live.props["meeting_uuid"]) == ("STARTED", meeting.uuid)
    # Its recording still belongs here.
    payload = event(meeting, uuid, began, ended)["object"]
    assert isinstance(payload, dict)
    recorded: Json = {"object": payload | {"share_url": "https://zoom.us/rec/share/1"}}
    await world.zoom.deliver("recording.completed", recorded)
    await settle(world)
    assert len(replies(world, post)) == 1


async def test_a_second_session_of_which_only_the_end_is_told_shows_its_own_times(world: World) -> None:
    post, meeting = await world.meeting()
    await held(world, meeting)
    await settle(world)
    first = now_of(world, post).props["meeting_end_time"]
    began = world.zoom.clock.now_ms() + 60_000
    await world.zoom.deliver("meeting.ended", event(meeting, "second==", began, began + 600_000))
    await settle(world)
    over = now_of(world, post)
    assert over.props["meeting_status"] == "ENDED"
    assert over.props["meeting_end_time"] == (began + 600_000) // 1000 * 1000 > first
