"""A number has many sessions: a post is about the one that was announced, and private ones stay private."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from bot.domain.records import Meeting as Record
from bot.sandbox.mattermost import Post
from bot.sandbox.zoom import Meeting
from bot.sandbox.zoom.clock import iso
from bot.sandbox.zoom.models import PERSONAL, RECURRING, RECURRING_FIXED, SCHEDULED, Json, Plan
from tests.conftest import MakeWorld, World
from tests.features.kit import ask, held, planned, replies, settle, told

MINUTE = 60
HOUR = 60 * MINUTE

Share = Callable[[World], Awaitable[Post]]


@pytest.fixture
async def world(make_world: MakeWorld) -> World:
    """Bob is linked, and his meetings take place in his personal room."""
    meetings = {"duplicate_window_ms": 0, "personal_meeting_room": "always"}
    world = await make_world(meetings=meetings)
    await world.link("bob")
    return world


def room_of(world: World) -> Meeting:
    return world.zoom.meeting_store.personal(world.zoom.user("bob@demo.example"))


def now_of(world: World, post: Post) -> Post:
    (found,) = [each for each in world.mattermost.bot_posts() if each.id == post.id]
    return found


def status(world: World, post: Post) -> str:
    return str(now_of(world, post).props["meeting_status"])


async def private_session(world: World, meeting: Meeting, minutes: float = 25) -> Json:
    """Hold a session that nobody announced, half an hour ago. Returns what Zoom's events say about it."""
    await world.zoom.start(meeting.id, deliver=False)
    about: Json = {
        "id": str(meeting.id),
        "uuid": meeting.uuid,
        "host_id": meeting.host_id,
        "topic": meeting.topic,
        "type": meeting.type,
        "start_time": iso(world.zoom.clock.now_ms()),
        "duration": 0,
        "timezone": "UTC",
    }
    world.zoom.clock.advance(minutes * MINUTE)
    await world.zoom.end(meeting.id, deliver=False)
    about_end = about | {"end_time": iso(world.zoom.clock.now_ms())}
    world.zoom.clock.advance((30 - minutes) * MINUTE)
    return about_end


ANN: Json = {"user_id": "1", "user_name": "Ann", "email": ""}
EARLIER = [
    "meeting.participant_left",
    "meeting.participant_joined",
    "meeting.started",
    "meeting.ended",
    "recording.started",
    "recording.stopped",
]


async def tell(world: World, event: str, about: Json) -> None:
    found = dict(about)
    if event != "meeting.ended":
        found.pop("end_time", None)
    if "participant" in event:
        found["participant"] = ANN
    assert (await world.zoom.deliver(event, {"account_id": "x", "object": found})).status == 200
    await settle(world)


async def publish(world: World, meeting: Meeting) -> None:
    """Zoom publishes a recording, a transcript and a summary of the last session."""
    await world.zoom.record(meeting.id)
    await world.zoom.transcribe(meeting.id)
    await world.zoom.summarize(meeting.id)
    await settle(world)


async def start_in_room(world: World) -> Post:
    return await world.ask("bob", "dev", "@zoom standup")


async def join_room(world: World) -> Post:
    return await world.ask("bob", "dev", "@zoom join me")


async def join_room_by_number(world: World) -> Post:
    return await world.ask("bob", "dev", f"@zoom join {room_of(world).id}")


SHARES = [start_in_room, join_room, join_room_by_number]


@pytest.mark.parametrize("names_last", [False, True])
@pytest.mark.parametrize("event", EARLIER)
async def test_late_news_of_a_private_session_bring_nothing_of_it_into_the_channel(
    world: World, event: str, names_last: bool
) -> None:
    world.zoom.names_last_uuid = names_last
    room = room_of(world)
    private = await private_session(world, room)
    post = await start_in_room(world)
    await tell(world, event, private)
    await publish(world, room)
    assert status(world, post) == "WAITING"
    assert replies(world, post) == []
    # The session that was announced is followed all the same.
    await held(world, room)
    await publish(world, room)
    assert status(world, post) == "ENDED"
    assert len(replies(world, post)) == 4


@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize("names_last", [False, True])
async def test_what_zoom_publishes_of_a_private_session_stays_private_however_the_room_was_shared(
    world: World, share: Share, names_last: bool
) -> None:
    world.zoom.names_last_uuid = names_last
    room = room_of(world)
    await private_session(world, room)
    post = await share(world)
    await publish(world, room)
    await world.bot.reconciler.reconcile()
    await settle(world)
    assert replies(world, post) == []
    assert status(world, post) == "WAITING"


@pytest.mark.parametrize("kind", [RECURRING, RECURRING_FIXED])
async def test_the_session_before_of_a_shared_recurring_meeting_stays_private(
    world: World, kind: int
) -> None:
    world.zoom.names_last_uuid = True
    meeting = planned(world, "bob", "Weekly", kind)
    private = await private_session(world, meeting)
    post = await world.ask("bob", "dev", f"@zoom join {meeting.id}")
    for event in EARLIER:
        await tell(world, event, private)
    await publish(world, meeting)
    assert status(world, post) == "WAITING"
    assert replies(world, post) == []


async def test_a_room_that_was_shared_while_it_ran_shows_that_session(world: World) -> None:
    room = room_of(world)
    await world.zoom.start(room.id, deliver=False)
    world.zoom.clock.advance(30 * MINUTE)
    post = await start_in_room(world)
    assert status(world, post) == "STARTED"
    await world.zoom.end(room.id)
    await publish(world, room)
    assert status(world, post) == "ENDED"
    assert len(replies(world, post)) == 4


async def test_a_room_that_was_shared_while_it_ran_shows_no_later_session(world: World) -> None:
    room = room_of(world)
    await world.zoom.start(room.id, deliver=False)
    post = await start_in_room(world)
    await world.zoom.end(room.id, deliver=False)
    await held(world, room)
    await publish(world, room)
    assert replies(world, post) == []
    assert status(world, post) == "STARTED"
    await world.bot.reconciler.reconcile()
    await settle(world)
    assert status(world, post) == "ENDED"


async def test_a_summary_without_times_goes_by_its_uuid_alone(world: World) -> None:
    room = room_of(world)
    private = await private_session(world, room)
    post = await start_in_room(world)
    await held(world, room)
    for uuid in (private["uuid"], room.last.uuid):
        about: Json = {"meeting_id": room.id, "meeting_uuid": uuid, "summary_content": "We met."}
        await world.zoom.deliver("meeting.summary_completed", {"object": about})
        await settle(world)
    assert len(replies(world, post)) == 1


async def test_a_session_that_another_post_shows_is_not_that_of_a_later_post(world: World) -> None:
    first = await start_in_room(world)
    room = room_of(world)
    await held(world, room)
    await settle(world)
    # Seconds later the room is announced again, and Zoom repeats what it told.
    again = await start_in_room(world)
    for delivery in list(world.zoom.deliveries):
        changed = delivery.body.replace(b'"event_ts":1', b'"event_ts":2')
        assert (await world.zoom.deliver(delivery.event, {}, raw=changed)).status == 200
    await settle(world)
    await world.bot.reconciler.reconcile()
    await settle(world)
    assert (status(world, first), status(world, again)) == ("ENDED", "WAITING")


async def test_a_private_session_hours_after_the_announcement_stays_private(world: World) -> None:
    post, room = await start_in_room(world), room_of(world)
    world.zoom.clock.advance(5 * HOUR)
    await world.zoom.start(room.id)
    await world.bot.reconciler.reconcile()
    await world.zoom.end(room.id)
    await world.bot.reconciler.reconcile()
    await publish(world, room)
    assert status(world, post) == "WAITING"
    assert replies(world, post) == []


@pytest.mark.parametrize("behind", [3, 120])
async def test_a_clock_that_differs_from_zoom_s_costs_no_live_session(world: World, behind: int) -> None:
    post, room = await start_in_room(world), room_of(world)
    await world.zoom.start(room.id, deliver=False)
    room.current.started_ms -= behind * 1000
    about: Json = {"id": str(room.id), "uuid": room.uuid, "start_time": iso(room.current.started_ms)}
    await tell(world, "meeting.started", about)
    assert status(world, post) == "STARTED"


async def test_where_clocks_may_differ_only_what_zoom_calls_running_counts(world: World) -> None:
    room = room_of(world)
    private = await private_session(world, room, minutes=29)
    post = await start_in_room(world)
    private["start_time"] = iso(world.zoom.clock.now_ms() - 90_000)
    await tell(world, "meeting.started", private)
    assert status(world, post) == "WAITING"
    # Not even while Zoom does not answer.
    world.zoom.faults.add(404, path=r"/v2/meetings/", times=-1, body={"code": 3001, "message": "no"})
    await tell(world, "meeting.participant_joined", private)
    assert status(world, post) == "WAITING"


async def test_the_end_of_the_session_before_does_not_close_the_new_post(world: World) -> None:
    room = room_of(world)
    # It ended just before.
    private = await private_session(world, room, minutes=29.8)
    post = await start_in_room(world)
    await tell(world, "meeting.ended", private)
    assert status(world, post) == "WAITING"
    await world.zoom.start(room.id)
    await tell(world, "meeting.ended", private)
    assert status(world, post) == "STARTED"
    # One that does not say when it began may be any session's.
    del private["start_time"]
    await tell(world, "meeting.ended", private)
    assert status(world, post) == "STARTED"
    await world.zoom.end(room.id)
    await settle(world)
    over = now_of(world, post)
    assert over.props["meeting_end_time"] // 1000 == room.last.ended_ms // 1000


@pytest.mark.parametrize("kind", [SCHEDULED, RECURRING, RECURRING_FIXED])
@pytest.mark.parametrize("hours", [4, 50])
async def test_a_meeting_that_was_shared_hours_ahead_is_followed_under_another_uuid(
    world: World, kind: int, hours: int
) -> None:
    world.zoom.meeting_store.renews_uuid = True
    meeting = planned(world, "bob", "Weekly", kind)
    post = await world.ask("bob", "dev", f"@zoom join {meeting.id}")
    named = post.props["meeting_uuid"]
    world.zoom.clock.advance(hours * HOUR)
    await world.zoom.start(meeting.id)
    await settle(world)
    assert status(world, post) == "STARTED"
    assert meeting.uuid == now_of(world, post).props["meeting_uuid"] != named
    await world.zoom.end(meeting.id)
    await publish(world, meeting)
    assert status(world, post) == "ENDED"
    assert len(replies(world, post)) == 4
    # What comes after it was not announced.
    await held(world, meeting)
    await publish(world, meeting)
    assert len(replies(world, post)) == 4


async def test_of_a_shared_meeting_of_which_no_event_came_one_session_is_recorded_here(world: World) -> None:
    meeting = planned(world, "bob")
    post = await world.ask("bob", "dev", f"@zoom join {meeting.id}")
    for _ in range(2):
        world.zoom.clock.advance(HOUR)
        await world.zoom.start(meeting.id, deliver=False)
        await world.zoom.end(meeting.id, deliver=False)
        await publish(world, meeting)
    assert len(replies(world, post)) == 4


async def test_a_meeting_planned_for_after_next_month_is_waited_for(world: World) -> None:
    at = world.zoom.clock.now_ms() + 45 * 24 * HOUR * 1000
    bob = world.zoom.user("bob@demo.example")
    meeting = world.zoom.meeting_store.create(bob, Plan(topic="Launch", scheduled_ms=at), SCHEDULED)
    post = await world.ask("bob", "dev", f"@zoom join {meeting.id}")
    world.zoom.clock.advance(45 * 24 * HOUR)
    await world.bot.reconciler.reconcile()
    await settle(world)
    assert status(world, post) == "WAITING"


async def test_a_channel_that_follows_a_meeting_sees_nothing_of_sessions_before(world: World) -> None:
    meeting = planned(world, "bob")
    private = await private_session(world, meeting, minutes=29)
    await ask(world, "bob", "dev", f"@zoom subscribe {meeting.id}")
    before = len(world.mattermost.bot_posts("dev"))
    private["start_time"] = iso(world.zoom.clock.now_ms() - 5 * MINUTE * 1000)
    for event in ("meeting.started", "meeting.participant_joined"):
        await tell(world, event, private)
        # Another session that is running does not make it the channel's.
        if event == "meeting.started":
            await world.zoom.start(meeting.id, deliver=False)
    assert len(world.mattermost.bot_posts("dev")) == before


# end


@pytest.mark.parametrize("names_last", [False, True])
async def test_end_closes_the_post_with_the_times_of_its_own_session(world: World, names_last: bool) -> None:
    world.zoom.names_last_uuid = names_last
    world.zoom.meeting_store.renews_uuid = True
    room = room_of(world)
    await private_session(world, room)
    post = await start_in_room(world)
    await world.zoom.start(room.id, deliver=False)
    world.zoom.clock.advance(10 * MINUTE)
    assert "has ended" in await told(world, "bob", "dev", "@zoom end")
    await settle(world)
    over = now_of(world, post)
    assert over.props["meeting_end_time"] // 1000 == room.last.ended_ms // 1000
    (record,) = await world.bot.ctx.store.find(Record, "zoom_id", room.id)
    assert record.uuid == room.last.uuid


async def test_end_does_not_end_a_private_session_of_the_same_room(world: World) -> None:
    await start_in_room(world)
    room = room_of(world)
    world.zoom.clock.advance(5 * HOUR)
    await world.zoom.start(room.id)
    assert "hasn't started" in await told(world, "alice", "dev", "@zoom end")
    assert room.status == "started"
    assert room.type == PERSONAL


def unnamed(world: World, meeting: Meeting, **more: object) -> Json:
    """What an event says of the running session if it leaves out the uuid."""
    return {"id": str(meeting.id), "host_id": meeting.host_id} | more


async def test_an_event_without_a_uuid_is_about_the_session_of_the_meeting_that_the_bot_made(
    make_world: MakeWorld,
) -> None:
    world = await make_world()
    await world.link("bob")
    post, meeting = await world.meeting("bob")
    await world.zoom.start(meeting.id)
    await settle(world)
    guest = {"user_id": "7", "user_name": "Guest"}
    about = unnamed(world, meeting, participant=guest)
    await world.zoom.deliver("meeting.participant_joined", {"object": about})
    await settle(world)
    assert "2 people" in str(now_of(world, post).props)
    await world.zoom.deliver("recording.started", {"object": unnamed(world, meeting)})
    await world.zoom.deliver("recording.stopped", {"object": unnamed(world, meeting)})
    await world.zoom.deliver("meeting.ended", {"object": unnamed(world, meeting)})
    await settle(world)
    assert status(world, post) == "ENDED"
    assert now_of(world, post).props["meeting_uuid"] == meeting.uuid


async def test_an_event_without_a_uuid_is_about_the_room_s_session_that_began_when_it_says(
    world: World,
) -> None:
    room = room_of(world)
    post = await world.ask("bob", "dev", "@zoom standup")
    await world.zoom.start(room.id)
    await settle(world)
    began = room.current.started_ms
    other = unnamed(world, room, start_time=iso(began - HOUR * 1000), end_time=iso(began - MINUTE * 1000))
    for about in (other, unnamed(world, room)):
        await world.zoom.deliver("meeting.ended", {"object": about})
        await settle(world)
        assert status(world, post) == "STARTED"
    world.zoom.clock.advance(MINUTE)
    about = unnamed(world, room, start_time=iso(began), end_time=iso(world.zoom.clock.now_ms()))
    await world.zoom.deliver("meeting.ended", {"object": about})
    await settle(world)
    assert status(world, post) == "ENDED"


async def test_an_event_without_a_uuid_changes_no_pasted_link_and_no_ended_meeting(world: World) -> None:
    room = room_of(world)
    pasted = await world.ask("bob", "town-square", f"@zoom join {room.join_url}")
    post = await world.ask("bob", "dev", "@zoom standup")
    await held(world, room)
    await settle(world)
    ended = now_of(world, post)
    world.zoom.clock.advance(HOUR)
    about = unnamed(world, room, start_time=iso(world.zoom.clock.now_ms()))
    guest = {"user_id": "7", "user_name": "Guest"}
    for event in ("started", "participant_joined", "ended"):
        await world.zoom.deliver(f"meeting.{event}", {"object": about | {"participant": guest}})
    await settle(world)
    assert now_of(world, post).props == ended.props
    assert status(world, pasted) == "WAITING"
    assert now_of(world, pasted).edit_at == 0
