"""What no webhook told of a recording or summary is asked for, and a recording is linked once it can be watched."""

from __future__ import annotations

import json

import pytest

from bot.domain.records import Item
from bot.features import news
from bot.runtime.reconciler import Reconciler
from bot.sandbox.zoom.clock import iso
from bot.sandbox.zoom.models import Json
from tests.conftest import MakeWorld, World
from tests.features.kit import held, replies, settle, with_stranger

HOUR = 3600


async def later(world: World, seconds: float) -> None:
    """Time passes, and what is due is done."""
    world.zoom.clock.advance(seconds)
    world.bot.worker.timer.fire()
    await settle(world)


def asked(world: World) -> list[str]:
    ends = ("/recordings", "/meeting_summary")
    return [call.path for call in world.zoom.calls if call.path.endswith(ends)]


async def test_a_recording_and_a_summary_of_which_no_webhook_came_are_asked_for(trio: World) -> None:
    post, meeting = await trio.meeting("bob")
    await held(trio, meeting)
    await trio.zoom.record(meeting.id, deliver=False)
    await trio.zoom.transcribe(meeting.id, deliver=False)
    await settle(trio)
    assert replies(trio, post) == []
    await later(trio, 700)
    assert len(replies(trio, post)) == 3
    # The summary comes later.
    await trio.zoom.summarize(meeting.id, deliver=False)
    await later(trio, HOUR)
    assert len(replies(trio, post)) == 4
    for _ in range(4):
        await later(trio, 12 * HOUR)
    assert len(replies(trio, post)) == 4
    assert len(asked(trio)) == 10


async def test_answers_without_ids_are_about_the_session_that_was_asked_for(trio: World) -> None:
    post, meeting = await trio.meeting("bob")
    await held(trio, meeting)
    await settle(trio)
    file = {"id": "f", "file_type": "MP4", "play_url": "https://zoom.us/rec/play/1"}
    recording = {"uuid": None, "recording_files": [file]}
    trio.zoom.faults.add(200, times=-1, path=r"/recordings$", body=recording)
    trio.zoom.faults.add(200, times=-1, path=r"/meeting_summary$", body={"summary_content": "# Decided"})
    await later(trio, 700)
    link, summary = sorted(replies(trio, post), key=lambda each: "Decided" in each.message)
    assert "/rec/play/1" in link.message
    assert "**Decided**" in summary.message
    # The webhooks come after all.
    await trio.zoom.summarize(meeting.id)
    about: Json = {"id": meeting.id, "uuid": meeting.last.uuid, "host_id": meeting.host_id}
    await trio.zoom.deliver("recording.completed", {"object": about | {"recording_files": [file]}})
    await settle(trio)
    assert {each.id for each in replies(trio, post)} == {link.id, summary.id}


async def test_news_without_a_uuid_is_not_posted_again_with_it(trio: World) -> None:
    post, meeting = await trio.meeting("bob")
    await held(trio, meeting)
    await settle(trio)
    (recording,) = trio.zoom.recordings.record(meeting)
    (transcript,) = trio.zoom.recordings.transcribe(meeting)
    (summary,) = trio.zoom.recordings.summarize(meeting)
    for event in (recording, transcript, summary):
        about = json.loads(json.dumps(event.payload["object"]))
        about.pop("uuid" if "uuid" in about else "meeting_uuid")
        await trio.zoom.deliver(event.name, {"object": about}, download_token=event.download_token)
    await settle(trio)
    said = {each.id for each in replies(trio, post)}
    assert len(said) == 4
    await later(trio, 700)
    await trio.zoom.webhooks.send([recording, transcript, summary])
    await settle(trio)
    assert {each.id for each in replies(trio, post)} == said


@pytest.mark.parametrize("restarted", [False, True])
async def test_a_meeting_whose_end_zoom_never_tells_is_asked_about(trio: World, restarted: bool) -> None:
    post, meeting = await trio.meeting("bob")
    await trio.zoom.start(meeting.id)
    await settle(trio)
    unpaid = {"code": 200, "message": "Only available for paid users."}
    trio.zoom.faults.add(400, times=-1, method="GET", path=r"/past_meetings", body=unpaid)
    await trio.zoom.end(meeting.id, deliver=False)
    reconciler = Reconciler(trio.bot.ctx)
    for _ in range(3):
        trio.zoom.clock.advance(300)
        await reconciler.reconcile()
    await trio.shows(post, lambda now: now.props["meeting_status"] == "ENDED")
    if restarted:
        for _ in range(6):
            await later(trio, HOUR)
        await trio.stop()
        await trio.zoom.record(meeting.id, deliver=False)
        await trio.start()
    else:
        await trio.zoom.record(meeting.id, deliver=False)
        await later(trio, HOUR)
    await trio.mattermost.wait_for(lambda: len(replies(trio, post)) == 2)


async def test_what_webhooks_told_is_not_posted_again(trio: World) -> None:
    post, meeting = await trio.meeting("bob")
    await held(trio, meeting)
    await trio.zoom.record(meeting.id)
    await trio.zoom.summarize(meeting.id)
    await settle(trio)
    said = len(replies(trio, post))
    await later(trio, 700)
    assert asked(trio)
    assert len(replies(trio, post)) == said == 3


async def test_a_webhook_that_comes_after_all_gives_the_reply_its_link(trio: World) -> None:
    post, meeting = await trio.meeting("bob")
    await held(trio, meeting)
    await trio.zoom.record(meeting.id, deliver=False)
    await settle(trio)
    await later(trio, 700)
    (asked_for,) = [each for each in replies(trio, post) if "/rec/play/" in each.message]
    await trio.zoom.record(meeting.id)
    changed = await trio.shows(asked_for, lambda now: "/rec/share/" in now.message)
    assert "/rec/share/" in changed.props["attachments"][0]["title_link"]
    await settle(trio)
    await later(trio, HOUR)
    assert [each.id for each in replies(trio, post) if "/rec/" in each.message] == [changed.id]


async def test_after_a_restart_it_is_asked_at_once(trio: World) -> None:
    post, meeting = await trio.meeting("bob")
    await held(trio, meeting)
    await settle(trio)
    await later(trio, 2 * HOUR)
    await trio.stop()
    await trio.zoom.record(meeting.id, deliver=False)
    await trio.start()
    await trio.mattermost.wait_for(lambda: len(replies(trio, post)) == 2)


async def test_a_start_asks_about_a_few_sessions_at_a_time(trio: World) -> None:
    posts = []
    for number in range(9):
        post, meeting = await trio.meeting("bob", topic=f"t{number}")
        await held(trio, meeting)
        await trio.zoom.record(meeting.id, deliver=False)
        posts.append(post)
    await settle(trio)
    await trio.stop()
    slow = trio.zoom.faults.add(times=-1, path=r"/recordings$", delay=1.0)
    await trio.start()
    await trio.zoom.wait_for(lambda: slow.hits)
    # The others wait for those.
    post = await trio.ask("carol", "dev", "@zoom now")
    assert post.props["meeting_topic"] == "now"
    assert slow.hits <= news.PARALLEL
    trio.zoom.faults.clear()
    await settle(trio)
    assert [len(replies(trio, each)) for each in posts] == [2] * 9


async def test_zoom_that_stays_away_is_asked_a_few_times(trio: World) -> None:
    post, meeting = await trio.meeting("bob")
    await held(trio, meeting)
    await settle(trio)
    for pause_s in (600, HOUR, 3 * HOUR, 8 * HOUR, 11 * HOUR):
        await later(trio, pause_s + 1)
    await trio.stop()
    limit = {"X-RateLimit-Type": "Daily-limit", "Retry-After": iso(trio.zoom.clock.now_ms() + 86_400_000)}
    trio.zoom.faults.add(429, times=-1, path=r"/recordings$", body={"code": 429}, headers=limit)
    trio.zoom.clear_calls()
    await trio.start()
    await settle(trio)
    for _ in range(8):
        await later(trio, HOUR)
    assert len(asked(trio)) == 5
    assert replies(trio, post) == []


async def test_after_a_restart_it_is_asked_as_soon_as_zoom_is_back(trio: World) -> None:
    post, meeting = await trio.meeting("bob")
    await held(trio, meeting)
    await settle(trio)
    await later(trio, 2 * HOUR)
    await trio.stop()
    await trio.zoom.record(meeting.id, deliver=False)
    away = trio.zoom.faults.add(503, times=-1, path=r"/(recordings|meeting_summary)$")
    await trio.start()
    await settle(trio)
    assert away.hits
    trio.zoom.faults.clear()
    await later(trio, 61)
    assert len(replies(trio, post)) == 2


async def test_starts_one_after_the_other_order_each_look_once(trio: World) -> None:
    for topic in ("one", "two"):
        _, meeting = await trio.meeting("bob", topic=topic)
        await held(trio, meeting)
    await settle(trio)
    # Zoom hangs: what a start ordered still waits at the next.
    trio.zoom.faults.add(times=-1, method="GET", path=r"/recordings$", delay=60)
    for _ in range(3):
        await trio.stop()
        await trio.start()
    waiting = [item for item in await trio.bot.ctx.store.find(Item, "state", "waiting") if not item.due_at]
    assert len([item for item in waiting if item.id.startswith("news:")]) == 2


async def test_a_session_of_a_room_that_nobody_announced_is_not_asked_for(trio: World) -> None:
    room = trio.zoom.meeting_store.personal(trio.zoom.user("bob@demo.example"))
    post = await trio.ask("bob", "dev", "@zoom join me")
    await held(trio, room)
    await settle(trio)
    await held(trio, room)
    await trio.zoom.record(room.id, deliver=False)
    await later(trio, 700)
    assert replies(trio, post) == []


async def test_where_nothing_is_posted_nothing_is_asked(make_world: MakeWorld) -> None:
    world = await with_stranger(await make_world(meetings={"post_recordings": "none", "summaries": False}))
    _, meeting = await world.meeting("bob")
    await held(world, meeting)
    await settle(world)
    await later(world, 2 * HOUR)
    assert asked(world) == []


@pytest.mark.parametrize("told", [True, False])
async def test_a_recording_is_linked_when_it_can_be_watched(trio: World, told: bool) -> None:
    post, meeting = await trio.meeting("bob")
    await held(trio, meeting)
    await trio.zoom.record(meeting.id, deliver=False)
    trio.zoom.clock.advance(60)
    events = trio.zoom.recordings.record(meeting)
    about = json.loads(json.dumps(events[0].payload["object"]))
    for file in about["recording_files"]:
        file["status"] = "processing"
    early: Json = {"object": about}
    ts = trio.zoom.clock.now_ms() - 50_000
    await trio.zoom.deliver("recording.completed", early, download_token="x", event_ts=ts)
    await settle(trio)
    assert replies(trio, post) == []
    if told:
        await trio.zoom.webhooks.send(events)
        await settle(trio)
    else:
        await later(trio, 61)
    # Zoom's answers have links to single parts only.
    link = "/rec/share/" if told else "/rec/play/"
    assert [each for each in replies(trio, post) if link in each.message]


async def test_a_recording_with_one_part_ready_is_linked_at_once(trio: World) -> None:
    post, meeting = await trio.meeting("bob")
    await held(trio, meeting)
    files = [
        {"id": str(n), "file_type": "MP4", "status": s} for n, s in enumerate(("processing", "completed"))
    ]
    about: Json = {"id": meeting.id, "uuid": meeting.uuid, "host_id": meeting.host_id}
    about |= {"share_url": "https://zoom.us/rec/share/1", "recording_files": files}
    await trio.zoom.deliver("recording.completed", {"object": about})
    await settle(trio)
    assert len(replies(trio, post)) == 1


async def test_a_recording_of_which_zoom_never_says_that_it_is_ready_is_linked_after_an_hour(
    trio: World,
) -> None:
    post, meeting = await trio.meeting("bob")
    await held(trio, meeting)
    missing = {
        "code": 4711,
        "message": "does not contain scopes:[cloud_recording:read:list_recording_files].",
    }
    trio.zoom.faults.add(400, times=-1, path=r"/recordings$", body=missing)
    about: Json = {"id": meeting.id, "uuid": meeting.last.uuid, "host_id": meeting.host_id}
    about |= {"share_url": "https://zoom.us/rec/share/1"}
    about |= {"recording_files": [{"id": "1", "file_type": "MP4", "status": "processing"}]}
    await trio.zoom.deliver("recording.completed", {"object": about})
    await settle(trio)
    for pause_s in (61, 121, 301, 901):
        await later(trio, pause_s)
    assert replies(trio, post) == []
    await later(trio, HOUR)
    await later(trio, HOUR)
    (link,) = replies(trio, post)
    assert "/rec/share/1" in link.message
    for _ in range(5):
        await later(trio, 12 * HOUR)
    assert [each.id for each in replies(trio, post)] == [link.id]
