"""A webhook changes the post."""

from __future__ import annotations

import dataclasses
import threading
from datetime import UTC, datetime

import pytest

from bot.core.timings import FeatureTimings
from bot.domain.records import Announcement, Item, ItemState
from bot.domain.records import Meeting as Record
from bot.features import refused_posts
from bot.sandbox.mattermost import Post
from bot.sandbox.zoom import Meeting
from bot.sandbox.zoom.models import Json
from bot.stores.sqlite import Changes, DocumentFile
from tests.conftest import MakeWorld, World
from tests.features.kit import settle

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MINUTE = 60


def status(post: Post) -> str:
    return str(post.props["meeting_status"])


def card(post: Post) -> dict[str, str]:
    """The fields of a post's card."""
    (attachment,) = post.props["attachments"]
    return {field["title"]: field["value"] for field in attachment["fields"]}


def now_of(world: World, post: Post) -> Post:
    """The post as it is now."""
    (found,) = [each for each in world.mattermost.bot_posts() if each.id == post.id]
    return found


def started(meeting: Meeting, **changes: object) -> Json:
    """The payload of ``meeting.started``, as at nine."""
    found: Json = {
        "id": str(meeting.id),
        "uuid": meeting.uuid,
        "host_id": meeting.host_id,
        "topic": meeting.topic,
        "type": 1,
        "start_time": "2026-03-02T09:00:00Z",
        "timezone": "Europe/Berlin",
        "duration": 0,
    }
    return {"account_id": "x", "object": found | changes}


def ended(meeting: Meeting, **changes: object) -> Json:
    """The payload of ``meeting.ended``, as at 9:42."""
    return started(meeting, **({"end_time": "2026-03-02T09:42:00Z"} | changes))


async def becomes(world: World, post: Post, wanted: str) -> Post:
    return await world.shows(post, lambda now: status(now) == wanted)


async def test_what_was_refused_for_a_slow_disk_is_handled_once_it_is_written(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = await make_world(start=False)
    world.timings = dataclasses.replace(world.timings, features=FeatureTimings(store_s=0.2))
    await world.start()
    await world.link("alice")
    post, meeting = await world.meeting()
    await settle(world)
    turns, write = threading.Event(), DocumentFile.write

    def slow(file: DocumentFile, changes: Changes) -> None:
        assert turns.wait(30)
        write(file, changes)

    monkeypatch.setattr(DocumentFile, "write", slow)
    delivery = await world.zoom.deliver("meeting.started", started(meeting))
    assert delivery.status == 503
    turns.set()
    await becomes(world, post, "STARTED")


# In order


async def test_a_post_waits_then_is_live_then_says_that_it_ended(world: World) -> None:
    post, meeting = await world.meeting()
    assert status(post) == "WAITING"
    await world.zoom.start(meeting.id)
    live = await becomes(world, post, "STARTED")
    assert live.props["meeting_link"] == post.props["meeting_link"]
    assert "meeting_end_time" not in live.props
    await world.zoom.end(meeting.id)
    over = await becomes(world, post, "ENDED")
    assert "has ended" in over.message
    assert isinstance(over.props["meeting_end_time"], int)
    # One post, changed: no second one, and what it was known by stays.
    assert len(world.mattermost.bot_posts("dev")) == 1
    for name in ("meeting_id", "meeting_uuid", "meeting_topic", "zoombot_trigger", "meeting_provider"):
        assert over.props[name] == post.props[name]


async def test_a_post_in_a_thread_is_changed_where_it_is(world: World) -> None:
    root = await world.mattermost.post("bob", "dev", "shall we?")
    post = await world.ask("alice", "dev", "@zoom standup", root_id=root.id)
    await world.zoom.start(post.props["meeting_id"])
    await world.zoom.end(post.props["meeting_id"])
    assert (await becomes(world, post, "ENDED")).root_id == root.id


async def test_the_last_one_out_ends_it(world: World) -> None:
    post, meeting = await world.meeting()
    await world.zoom.start(meeting.id, host=False)
    guest = await world.zoom.join(meeting.id, "Bob")
    await becomes(world, post, "STARTED")
    await world.zoom.leave(meeting.id, guest)
    await becomes(world, post, "ENDED")


async def test_a_meeting_asked_for_in_a_direct_message_is_followed_too(world: World) -> None:
    post = await world.ask("alice", world.direct("alice"), "start")
    await world.zoom.start(post.props["meeting_id"])
    await world.zoom.end(post.props["meeting_id"])
    await becomes(world, post, "ENDED")


async def test_a_uuid_with_slashes_and_plus_signs_is_only_a_name(world: World) -> None:
    post, meeting = await world.meeting()
    meeting.current.uuid = "//a+b/c=="
    await world.zoom.deliver("meeting.started", started(meeting))
    await becomes(world, post, "STARTED")
    await world.zoom.deliver("meeting.ended", ended(meeting))
    await becomes(world, post, "ENDED")


# Recording


def recording(meeting: Meeting) -> Json:
    """The payload of what Zoom says of a recording that is going on."""
    file = {"recording_start": "2026-03-02T09:05:00Z", "recording_end": ""}
    return started(meeting, id=meeting.id, recording_file=file)


def state(post: Post) -> str:
    return str(post.props["attachments"][0]["text"])


async def test_a_live_meeting_says_whether_it_is_being_recorded(world: World) -> None:
    post, meeting = await world.meeting()
    await world.zoom.start(meeting.id)
    for minute, event, recorded in (
        (1, "recording.started", True),
        (4, "recording.paused", False),
        # Late: it was said again since.
        (2, "recording.resumed", False),
        (5, "recording.resumed", True),
        (6, "recording.stopped", False),
        (5, "recording.started", False),
    ):
        at = int(START.timestamp() * 1000) + minute * MINUTE * 1000
        await world.zoom.deliver(event, recording(meeting), event_ts=at)
        await settle(world)
        assert ("being recorded" in state(now_of(world, post))) == recorded
        assert status(now_of(world, post)) == "STARTED"


async def test_a_recording_that_stops_with_the_meeting_says_nothing_of_the_next_one(
    make_world: MakeWorld,
) -> None:
    meetings = {"personal_meeting_room": "always", "duplicate_window_ms": 0}
    world = await make_world(meetings=meetings)
    await world.link("alice")
    _, room = await world.meeting()
    await world.zoom.start(room.id)
    await world.zoom.deliver("recording.started", recording(room))
    over = room.uuid
    await world.zoom.end(room.id)
    again, _ = await world.meeting()
    await world.zoom.deliver("recording.stopped", started(room, id=room.id, uuid=over))
    await settle(world)
    # Else Zoom would be asked about the meeting before, and say that it is over.
    await world.bot.reconciler.reconcile()
    await settle(world)
    assert status(now_of(world, again)) == "WAITING"
    await world.zoom.start(room.id)
    await becomes(world, again, "STARTED")


# Times


async def test_the_duration_is_zoom_s_however_late_the_webhook_comes(world: World) -> None:
    post, meeting = await world.meeting()
    await world.zoom.deliver("meeting.started", started(meeting))
    await world.zoom.deliver("meeting.ended", ended(meeting))
    over = await becomes(world, post, "ENDED")
    assert card(over)["Duration"] == "42 min"
    assert over.props["meeting_end_time"] == int(START.timestamp() * 1000) + 42 * MINUTE * 1000
    # In the host's own time zone.
    assert "10:00–10:42 CET" in card(over)["When"]


async def test_an_end_alone_knows_when_it_began(world: World) -> None:
    post, meeting = await world.meeting()
    await world.zoom.deliver("meeting.ended", ended(meeting))
    assert card(await becomes(world, post, "ENDED"))["Duration"] == "42 min"


async def test_an_end_without_a_time_takes_that_of_the_event(world: World) -> None:
    post, meeting = await world.meeting()
    at = int(START.timestamp() * 1000) + 10 * MINUTE * 1000
    await world.zoom.deliver("meeting.ended", started(meeting), event_ts=at)
    over = await becomes(world, post, "ENDED")
    assert over.props["meeting_end_time"] == at
    assert card(over)["Duration"] == "10 min"


@pytest.mark.parametrize("nonsense", ["", "soon", "2026-03-02T09:42:00", "99999-01-01T00:00:00Z"])
async def test_a_time_that_is_none_spoils_nothing(world: World, nonsense: str) -> None:
    post, meeting = await world.meeting()
    await world.zoom.deliver("meeting.started", started(meeting, start_time=nonsense))
    await world.zoom.deliver("meeting.ended", ended(meeting, start_time=nonsense, end_time=nonsense))
    await becomes(world, post, "ENDED")


# Twice, late and out of order


async def test_every_webhook_may_come_twice(world: World) -> None:
    post, meeting = await world.meeting()
    await world.zoom.start(meeting.id)
    await world.zoom.end(meeting.id)
    over = await becomes(world, post, "ENDED")
    edits = len([call for call in world.mattermost.calls if call.method == "PUT"])
    for delivery in list(world.zoom.deliveries):
        assert (await world.zoom.redeliver(delivery)).status == 200
    await settle(world)
    again = now_of(world, post)
    assert (again.message, again.props) == (over.message, over.props)
    assert len([call for call in world.mattermost.calls if call.method == "PUT"]) == edits


async def test_a_start_after_the_end_does_not_bring_it_back(world: World) -> None:
    post, meeting = await world.meeting()
    await world.zoom.deliver("meeting.ended", ended(meeting))
    over = await becomes(world, post, "ENDED")
    await world.zoom.deliver("meeting.started", started(meeting))
    await settle(world)
    assert now_of(world, post).props == over.props


async def test_webhooks_that_come_before_the_post_count_all_the_same(world: World) -> None:
    gone = world.mattermost.faults.add(503, method="POST", path=r"/posts$", times=2)
    asked = await world.mattermost.post("alice", "dev", "@zoom standup")
    await world.mattermost.wait_for(lambda: gone.hits)
    (number,) = world.zoom.created
    await world.zoom.start(number)
    await world.zoom.end(number)
    post = await world.answer_to(asked)
    await becomes(world, post, "ENDED")
    assert len(world.answers_to(asked)) == 1


async def test_webhooks_faster_than_zoom_s_own_answer_count_all_the_same(world: World) -> None:
    world.zoom.faults.add(method="POST", path="/meetings$", delay=0.3, after=True)
    asked = await world.mattermost.post("alice", "dev", "@zoom standup")
    await world.zoom.wait_for(lambda: world.zoom.created)
    await world.zoom.start(world.zoom.created[0])
    post = await world.answer_to(asked)
    await becomes(world, post, "STARTED")


async def test_what_ended_while_the_bot_was_away_is_shown_when_it_is_back(world: World) -> None:
    post, meeting = await world.meeting()
    await world.stop()
    await world.zoom.start(meeting.id, deliver=False)
    await world.zoom.end(meeting.id, deliver=False)
    await world.start()
    over = await becomes(world, post, "ENDED")
    assert over.props["meeting_end_time"] // 1000 == meeting.last.ended_ms // 1000


async def test_what_was_started_before_a_restart_ends_after_it(world: World) -> None:
    post, meeting = await world.meeting()
    await world.zoom.start(meeting.id)
    await becomes(world, post, "STARTED")
    await world.stop()
    await world.start()
    await world.zoom.end(meeting.id)
    await becomes(world, post, "ENDED")


async def test_zoom_tries_again_and_the_bot_takes_it_then(world: World) -> None:
    post, meeting = await world.meeting()
    await world.stop()
    await world.zoom.start(meeting.id)
    assert world.zoom.deliveries[-1].status == 0
    await world.start()
    await becomes(world, post, "STARTED")


# Whose meeting it is


async def test_a_meeting_that_was_not_asked_for_here_is_none_of_ours(world: World) -> None:
    post, meeting = await world.meeting()
    stranger = started(meeting, id="99999999999", uuid="bm90IG91cnM=")
    delivery = await world.zoom.deliver("meeting.started", stranger)
    assert (delivery.status, delivery.text) == (200, "")
    await settle(world)
    assert status(now_of(world, post)) == "WAITING"
    assert len(world.mattermost.bot_posts()) == 1


async def test_one_meeting_s_webhook_leaves_the_others_alone(make_world: MakeWorld) -> None:
    world = await make_world(meetings={"duplicate_window_ms": 0})
    await world.link("alice")
    (first, one), (second, _) = await world.meeting(), await world.meeting(topic="retro")
    await world.zoom.start(one.id)
    await becomes(world, first, "STARTED")
    await settle(world)
    assert status(now_of(world, second)) == "WAITING"


async def test_an_id_may_come_as_a_number(world: World) -> None:
    post, meeting = await world.meeting()
    await world.zoom.deliver("meeting.started", started(meeting, id=meeting.id))
    await becomes(world, post, "STARTED")


async def test_a_post_that_was_deleted_stays_deleted_and_the_record_is_right(world: World) -> None:
    post, meeting = await world.meeting()
    await world.mattermost.delete(post.id)
    await world.zoom.start(meeting.id)
    await world.zoom.end(meeting.id)
    await settle(world)
    assert world.mattermost.bot_posts("dev") == []
    (record,) = await world.bot.ctx.store.all(Record)
    assert record.ended_at


async def test_an_edit_is_tried_again_until_mattermost_takes_it(world: World) -> None:
    post, meeting = await world.meeting()
    fault = world.mattermost.faults.add(503, method="PUT", path="/posts/", times=2)
    await world.zoom.start(meeting.id)
    await becomes(world, post, "STARTED")
    assert fault.hits == 2


async def test_many_webhooks_at_once_are_few_edits(world: World) -> None:
    post, meeting = await world.meeting()
    await world.zoom.start(meeting.id)
    for number in range(30):
        await world.zoom.join(meeting.id, f"Guest {number}")
    await world.zoom.end(meeting.id)
    over = await becomes(world, post, "ENDED")
    await settle(world)
    assert card(over)["Attended"] == "31 people"


async def test_what_is_shown_of_a_topic_from_zoom_s_webhook_is_escaped(world: World) -> None:
    post, meeting = await world.meeting()
    await world.zoom.deliver("meeting.ended", ended(meeting, topic="@all](https://evil.example)"))
    over = await becomes(world, post, "ENDED")
    assert "@all" not in over.message + str(over.props["attachments"])
    assert "](" not in over.message


async def test_a_post_that_is_refused_twice_is_dealt_with_once(world: World) -> None:
    ctx = world.bot.ctx
    announcement = Announcement(id="refused", meeting="none", channel_id="c", created_at=1)
    await ctx.store.commit(*refused_posts.drop_later(ctx, announcement))
    await world.bot.worker.idle()
    await ctx.store.commit(*refused_posts.drop_later(ctx, announcement))
    done = await ctx.store.get(Item, "unposted:refused")
    assert done is not None
    assert done.state is ItemState.DONE


async def test_a_paused_recording_is_not_shown_as_one(world: World) -> None:
    post, meeting = await world.meeting()
    store = world.zoom.meeting_store
    await world.zoom.start(meeting.id)
    for change, recorded in (
        (store.record, True),
        (store.pause, False),
        (store.resume, True),
        (store.cut, False),
    ):
        await world.zoom.webhooks.send(change(meeting))
        await settle(world)
        now = next(each for each in world.mattermost.bot_posts() if each.id == post.id)
        assert ("being recorded" in str(now.props["attachments"])) is recorded


# Figures, and what comes in another form


async def test_a_guest_who_comes_in_four_times_is_one_person(world: World) -> None:
    post, meeting = await world.meeting()
    await world.zoom.start(meeting.id)
    for _ in range(4):
        guest = await world.zoom.join(meeting.id, "Guest")
        await world.zoom.leave(meeting.id, guest)
    await world.zoom.end(meeting.id)
    await settle(world)
    assert card(await becomes(world, post, "ENDED"))["Attended"] == "2 people"


async def test_a_registrant_is_one_person_under_several_names(world: World) -> None:
    post, meeting = await world.meeting()
    for number, name in enumerate(("Ann", "Ann (phone)")):
        who: Json = {"user_id": number + 1, "user_name": name, "registrant_id": "r1", "id": ""}
        await world.zoom.deliver("meeting.participant_joined", started(meeting, participant=who))
    await world.zoom.deliver("meeting.ended", ended(meeting))
    await settle(world)
    assert card(await becomes(world, post, "ENDED"))["Attended"] == "1 person"


@pytest.mark.parametrize(
    "same", [{"user_name": " Guest  one"}, {"user_name": "Guest one "}, {"email": "G@x.example"}]
)
async def test_a_guest_is_one_person_however_the_name_or_address_is_written(world: World, same: Json) -> None:
    post, meeting = await world.meeting()
    email = "g@x.example" if "email" in same else ""
    for number, written in enumerate(({}, same)):
        who: Json = {"user_id": number + 1, "user_name": "Guest one", "id": "", "email": email} | written
        await world.zoom.deliver("meeting.participant_joined", started(meeting, participant=who))
    await world.zoom.deliver("meeting.ended", ended(meeting))
    await settle(world)
    assert card(await becomes(world, post, "ENDED"))["Attended"] == "1 person"


async def test_numbers_in_place_of_texts_are_taken(world: World) -> None:
    post, meeting = await world.meeting()
    who: Json = {"user_id": 1, "user_name": 42, "id": 7, "email": 3, "participant_uuid": 5}
    payload = started(meeting, topic=2026, host_id=9, timezone=1, participant=who)
    assert (await world.zoom.deliver("meeting.participant_joined", payload)).status == 200
    live = await becomes(world, post, "STARTED")
    assert live.props["attachments"][0]["text"] == "Live, 1 person in the meeting"


async def test_an_end_without_any_time_counts_from_its_arrival_until_zoom_tells_it(world: World) -> None:
    post, meeting = await world.meeting()
    await world.zoom.start(meeting.id)
    before = world.now()
    payload = started(meeting, start_time=None)
    assert (await world.zoom.deliver("meeting.ended", payload, event_ts=0)).status == 200
    over = await becomes(world, post, "ENDED")
    assert before <= over.props["meeting_end_time"] <= world.now()
    await world.zoom.deliver("meeting.ended", ended(meeting))
    told = int(datetime(2026, 3, 2, 9, 42, tzinfo=UTC).timestamp() * 1000)
    await world.shows(post, lambda now: now.props.get("meeting_end_time") == told)


async def test_a_start_without_any_time_is_a_start(world: World) -> None:
    post, meeting = await world.meeting()
    await world.zoom.deliver("meeting.started", started(meeting, start_time=None), event_ts=0)
    await becomes(world, post, "STARTED")
