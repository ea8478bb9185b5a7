"""Chats and transcripts are fetched in turn, each once; what cannot be had is said to stay in Zoom."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from typing import Any

import pytest

from bot.core.context import Job
from bot.core.tasks import Task
from bot.core.timings import FeatureTimings
from bot.domain.records import Item
from bot.errors import ZoomUnreachableError
from bot.features import files
from bot.runtime.worker import RetryPolicy
from bot.sandbox.mattermost import Call, Post
from bot.sandbox.zoom import Meeting
from bot.sandbox.zoom.models import Delivery, Json
from bot.zoom.webhooks import Webhook
from tests.conftest import MakeWorld, World
from tests.features.kit import content, direct, held, replies, settle, with_stranger


async def again(world: World, first: Delivery, **changes: object) -> None:
    """A new event of the same news, with these changes to its object."""
    body = json.loads(first.body)
    payload: Json = {"object": body["payload"]["object"] | changes}
    await world.zoom.deliver(first.event, payload, download_token=body["download_token"])
    await settle(world)


async def transcripts(world: World, meeting: Meeting, count: int) -> None:
    """The transcripts of this many occurrences of a meeting, which are all its last file."""
    url = f"{world.zoom.url}/rec/download/{meeting.last.files[-1].id}"
    file: Json = {"id": "f", "file_type": "TRANSCRIPT", "download_url": url}
    for number in range(count):
        about: Json = {"id": meeting.id, "uuid": f"run{number}==", "host_id": meeting.host_id}
        payload: Json = {"object": about | {"recording_files": [file]}}
        token = world.zoom.recordings.download_token(meeting.id)
        await world.zoom.deliver("recording.transcript_completed", payload, download_token=token)


def calls(world: World, path: str) -> list[Call]:
    """What Mattermost was asked at a path."""
    return [call for call in world.mattermost.calls if call.path.endswith(path)]


async def timed(make_world: MakeWorld, **changes: Any) -> World:
    """Three people, and a bot whose features wait as long as this says."""
    world = await make_world(start=False, meetings={"duplicate_window_ms": 0})
    features = dataclasses.replace(world.timings.features, **changes)
    world.timings = dataclasses.replace(world.timings, features=features)
    await world.start()
    return await with_stranger(world)


async def test_a_second_event_with_one_more_chat_posts_that_one_alone(trio: World) -> None:
    post, meeting = await trio.meeting("bob")
    await held(trio, meeting)
    await trio.zoom.record(meeting.id)
    await settle(trio)
    (first,) = [each for each in trio.zoom.deliveries if each.event == "recording.completed"]
    known = json.loads(first.body)["payload"]["object"]["recording_files"]
    more = [each | {"id": "another"} for each in known if each["file_type"] == "CHAT"]
    before = replies(trio, post)
    await again(trio, first, recording_files=[*more, *known])
    (added,) = [each for each in replies(trio, post) if each not in before]
    assert content(trio, added) == content(trio, before[-1])


async def test_to_wait_for_its_turn_costs_a_fetch_nothing(make_world: MakeWorld) -> None:
    world = await make_world(start=False)
    world.timings = dataclasses.replace(world.timings, retry_policy=RetryPolicy(handler_s=2.0, pauses_s=()))
    await world.start()
    await world.link("bob")
    post, meeting = await world.meeting("bob")
    await held(world, meeting)
    await world.zoom.transcribe(meeting.id, deliver=False)
    # One after another they take longer than a handler may.
    world.zoom.faults.add(times=-1, method="GET", path=r"/rec/download/", delay=0.4)
    await transcripts(world, meeting, 28)
    await settle(world)
    assert len(replies(world, post)) == 28


async def test_a_file_that_is_too_large_is_said_once_to_stay_in_zoom(trio: World) -> None:
    post, meeting = await trio.meeting("bob")
    await held(trio, meeting)
    await trio.zoom.transcribe(meeting.id, deliver=False)
    meeting.last.files[-1].content = bytes(21 * 1024 * 1024)
    fetched = trio.zoom.faults.add(times=-1, method="GET", path=r"/rec/download/")
    for _ in range(2):
        await transcripts(trio, meeting, 1)
        await settle(trio)
    (kept,) = replies(trio, post)
    assert "stays in Zoom: it's larger than 20 MB" in kept.message
    # The host's own token makes it no smaller.
    assert fetched.hits == 1


async def test_a_file_that_zoom_never_gives_is_said_to_stay_there(trio: World) -> None:
    post, meeting = await trio.meeting("bob", topic="*retro*")
    await held(trio, meeting)
    fault = trio.zoom.faults.add(status=503, times=-1, method="GET", path=r"/rec/download/")
    await trio.zoom.transcribe(meeting.id)
    await settle(trio)
    (kept,) = replies(trio, post)
    assert r"The transcript of \*retro\* stays in Zoom" in kept.message
    assert fault.hits == 3


async def test_a_download_that_hangs_is_given_up_in_its_handler_s_time(
    make_world: MakeWorld,
) -> None:
    trio = await timed(make_world, download_s=0.1)
    post, meeting = await trio.meeting("bob")
    await held(trio, meeting)
    trio.zoom.faults.add(method="GET", path=r"/rec/download/", delay=30.0)
    await trio.zoom.transcribe(meeting.id)
    await settle(trio)
    (kept,) = replies(trio, post)
    assert "stays in Zoom" in kept.message


async def test_with_host_only_the_host_alone_reads_that_a_file_stays_in_zoom(make_world: MakeWorld) -> None:
    world = await with_stranger(await make_world(meetings={"post_recordings": "host-only"}))
    post, meeting = await world.meeting("bob")
    await held(world, meeting)
    world.zoom.faults.add(status=404, times=-1, method="GET", path=r"/rec/download/")
    await world.zoom.transcribe(meeting.id)
    await settle(world)
    assert replies(world, post) == []
    (kept,) = direct(world, "bob")
    assert "stays in Zoom" in kept


async def test_a_file_store_that_fails_is_given_up_after_one_download(trio: World) -> None:
    post, meeting = await trio.meeting("bob")
    await held(trio, meeting)
    fetched = trio.zoom.faults.add(times=-1, method="GET", path=r"/rec/download/")
    refused = trio.mattermost.faults.add(500, times=-1, method="POST", path=r"/files$")
    await trio.zoom.transcribe(meeting.id)
    await settle(trio)
    (kept,) = replies(trio, post)
    assert "stays in Zoom: Mattermost didn't accept it" in kept.message
    assert (fetched.hits, refused.hits) == (1, 10)


async def test_a_file_that_mattermost_refuses_is_said_to_stay_in_zoom(trio: World) -> None:
    post, meeting = await trio.meeting("bob")
    await held(trio, meeting)
    refused = trio.mattermost.faults.add(413, times=-1, method="POST", path=r"/files$")
    await trio.zoom.transcribe(meeting.id)
    await settle(trio)
    (kept,) = replies(trio, post)
    assert "stays in Zoom" in kept.message
    assert refused.hits == 1


async def test_a_mattermost_that_is_away_is_waited_for_before_a_file_is_fetched_again(
    make_world: MakeWorld,
) -> None:
    world = await make_world(start=False)
    world.timings = dataclasses.replace(world.timings, retry_policy=RetryPolicy(away_s=0.01))
    await world.start()
    await world.link("bob")
    post, meeting = await world.meeting("bob")
    await held(world, meeting)
    await settle(world)
    fetched = world.zoom.faults.add(times=-1, method="GET", path=r"/rec/download/", delay=0.1)
    await world.zoom.transcribe(meeting.id)
    while not fetched.hits:
        await asyncio.sleep(0)
    world.mattermost.faults.add(503, times=-1)
    await world.mattermost.wait_for(lambda: len(calls(world, "/users/me")) > 20)
    world.mattermost.faults.clear()
    await settle(world)
    assert content(world, replies(world, post)[0]).startswith(b"WEBVTT")
    assert (fetched.hits, len(calls(world, "/files"))) == (2, 11)


@pytest.mark.parametrize(
    ("spent_s", "tried_again"), [(0.0, True), (FeatureTimings().download_s - 2.999, False)]
)
async def test_all_downloads_of_a_file_share_their_time(
    make_world: MakeWorld, spent_s: float, tried_again: bool
) -> None:
    trio = await timed(make_world, download_pauses_s=(0.5, 3.0))
    error = ZoomUnreachableError("no answer")
    fetch = files.Fetch(Webhook(event="recording.completed"), files.CHAT, tries=1, spent_s=1.0)
    again = files._again(trio.bot.ctx, Job("fetch"), fetch, error, spent_s)
    assert (again is not None) is tried_again
    if again is not None:
        item = again.record
        assert isinstance(item, Item)
        later = trio.bot.ctx.inbox.read(item, Task).read(files.Fetch)
        # What comes next has as much less.
        assert (later.tries, later.spent_s) == (2, spent_s + trio.bot.ctx.timings.download_pauses_s[1])


PAGE = "<!DOCTYPE html><html><body>Sign in</body></html>"


@pytest.mark.parametrize(
    ("status", "body", "headers"),
    [
        (200, PAGE, {"Content-Type": "text/html; charset=utf-8"}),
        (200, PAGE, {"Content-Type": "text/plain"}),
        (200, '{"status": false, "errorCode": 401}', {"Content-Type": "application/json"}),
        (403, PAGE, {"Content-Type": "text/html"}),
        (404, "{}", {"Content-Type": "application/json"}),
        (200, '{"status": false, "errorCode": 401}', {"Content-Type": "text/plain"}),
        (
            200,
            '<?xml version="1.0"?>\n<Error><Code>AccessDenied</Code></Error>',
            {"Content-Type": "text/plain"},
        ),
        (200, "<!-- sorry -->\n" + PAGE, {"Content-Type": "application/octet-stream"}),
    ],
)
@pytest.mark.parametrize("what", ["record", "transcribe"])
async def test_a_refused_file_is_fetched_with_the_host_s_token_or_later(
    trio: World, what: str, status: int, body: str, headers: dict[str, str]
) -> None:
    post, meeting = await trio.meeting("bob")
    await held(trio, meeting)
    # The first try, and the first of the host's own.
    refused = trio.zoom.faults.add(
        status=status, times=2, method="GET", path=r"/rec/download/", body=body, headers=headers
    )
    await getattr(trio.zoom, what)(meeting.id)
    await settle(trio)
    assert refused.hits == 2
    (found,) = [each for each in replies(trio, post) if each.file_ids]
    assert b"html" not in content(trio, found)


async def test_a_file_that_is_refused_at_first_as_if_every_token_were_wrong_is_asked_for_again(
    trio: World,
) -> None:
    post, meeting = await trio.meeting("bob")
    await held(trio, meeting)
    wrong = {"status": False, "errorCode": 401, "errorMessage": "Forbidden"}
    # The event's token, the host's own, and the next one of the host's.
    refused = trio.zoom.faults.add(401, times=3, method="GET", path=r"/rec/download/", body=wrong)
    await trio.zoom.transcribe(meeting.id)
    await settle(trio)
    assert refused.hits == 3
    assert [bool(each.file_ids) for each in replies(trio, post)] == [True]


async def test_a_host_who_is_not_connected_does_not_end_the_tries_with_the_event_s_token(trio: World) -> None:
    post, meeting = await trio.meeting("bob")
    await held(trio, meeting)
    trio.zoom.expire_tokens("bob@demo.example")
    trio.zoom.faults.add(400, times=-1, path="/oauth/token", body={"error": "invalid_grant"})
    trio.zoom.faults.add(404, method="GET", path=r"/rec/download/", body={"code": 3301, "message": "not yet"})
    await trio.zoom.transcribe(meeting.id)
    await settle(trio)
    assert [bool(each.file_ids) for each in replies(trio, post)] == [True]


async def test_a_chat_that_begins_with_a_bracket_is_a_chat(trio: World) -> None:
    post, meeting = await trio.meeting("bob")
    await held(trio, meeting)
    (event,) = trio.zoom.recordings.record(meeting)
    chat = next(each for each in meeting.last.files if each.type == "CHAT")
    chat.content = b"{not JSON\r\n00:00:01 Alice: <html> {}"
    await trio.zoom.webhooks.send([event])
    await settle(trio)
    (found,) = [each for each in replies(trio, post) if each.file_ids]
    assert content(trio, found) == chat.content


async def test_a_page_is_never_posted_and_its_file_stays_in_zoom(trio: World) -> None:
    post, meeting = await trio.meeting("bob")
    await held(trio, meeting)
    trio.zoom.faults.add(status=200, times=-1, method="GET", path=r"/rec/download/", body=PAGE)
    await trio.zoom.transcribe(meeting.id)
    await settle(trio)
    (kept,) = replies(trio, post)
    assert "stays in Zoom" in kept.message
    assert not kept.file_ids


async def transcribed(trio: World, text: bytes) -> Post:
    """The only reply to a meeting that is over and has this transcript."""
    post, meeting = await trio.meeting("bob")
    await held(trio, meeting)
    await trio.zoom.transcribe(meeting.id, deliver=False)
    meeting.last.files[-1].content = text
    await transcripts(trio, meeting, 1)
    await settle(trio)
    (reply,) = replies(trio, post)
    return reply


@pytest.mark.parametrize(("text", "taken"), [(b"\xef\xbb\xbfWEBVTT\n", True), (b"Dear customer", False)])
async def test_a_transcript_begins_as_one(trio: World, text: bytes, taken: bool) -> None:
    reply = await transcribed(trio, text)
    assert bool(reply.file_ids) is taken


@pytest.mark.parametrize("text", [b"", b"\r\n \n"])
async def test_an_empty_file_is_said(trio: World, text: bytes) -> None:
    reply = await transcribed(trio, text)
    assert reply.message == "The transcript of standup is empty."


@pytest.mark.parametrize(("count", "posted", "said"), [(8, 8, False), (23, 20, True)])
async def test_all_chats_are_posted_or_it_is_said_that_there_are_more(
    trio: World, count: int, posted: int, said: bool
) -> None:
    post, meeting = await trio.meeting("bob")
    await held(trio, meeting)
    await trio.zoom.record(meeting.id, deliver=False)
    chat = next(each for each in meeting.last.files if each.type == "CHAT")
    url = f"{trio.zoom.url}/rec/download/{chat.id}"
    found = [{"id": f"c{number}", "file_type": "CHAT", "download_url": url} for number in range(count)]
    about: Json = {"id": meeting.id, "uuid": meeting.last.uuid, "host_id": meeting.host_id}
    for _ in range(2):
        token = trio.zoom.recordings.download_token(meeting.id)
        payload: Json = {"object": about | {"recording_files": found, "again": _}}
        await trio.zoom.deliver("recording.completed", payload, download_token=token)
        await settle(trio)
    files_of = [each for each in replies(trio, post) if each.file_ids]
    more = [each for each in replies(trio, post) if "no more chats" in each.message]
    assert (len(files_of), len(more)) == (posted, int(said))
