"""The sandbox's Zoom: past meetings, recordings, transcripts, summaries, downloads."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from bot.sandbox.zoom.models import BASIC
from tests.sandbox.zoomkit import Stage, stage


async def held(scene: Stage, **fields: object) -> int:
    """A meeting that took ten and a half minutes, with alice and Bob."""
    number: int = (await scene.create(**fields))["id"]
    await scene.zoom.start(number)
    await scene.zoom.join(number, "Bob")
    scene.zoom.clock.advance(630)
    await scene.zoom.end(number)
    return number


def twice(uuid: str) -> str:
    return quote(quote(uuid, safe=""), safe="")


async def test_past_meeting_by_number_and_by_uuid() -> None:
    async with stage() as scene:
        number = await held(scene)
        past = (await scene.call("GET", f"/past_meetings/{number}")).json
        assert (past["id"], past["duration"], past["participants_count"]) == (number, 11, 2)
        assert past["end_time"] > past["start_time"]
        assert (await scene.call("GET", f"/past_meetings/{twice(past['uuid'])}")).json == past


async def test_awkward_uuids_must_be_encoded_twice() -> None:
    async with stage() as scene:
        awkward = 0
        for _ in range(8):
            number = await held(scene)
            scene.token = str(scene.zoom.grant("alice@demo.example")["access_token"])
            uuid = scene.zoom.meetings[number].uuid
            once = await scene.call("GET", f"/past_meetings/{quote(uuid, safe='')}")
            needs_twice = uuid.startswith("/") or "//" in uuid
            assert once.status == (404 if needs_twice else 200), uuid
            assert (await scene.call("GET", f"/past_meetings/{twice(uuid)}")).json["uuid"] == uuid
            awkward += needs_twice
        assert awkward >= 2
        assert scene.zoom.unknown == []


async def test_a_meeting_that_has_not_ended_has_no_past() -> None:
    async with stage() as scene:
        made = await scene.create()
        assert (await scene.call("GET", f"/past_meetings/{made['id']}")).json["code"] == 3001
        await scene.zoom.start(made["id"])
        assert (await scene.call("GET", f"/past_meetings/{made['id']}")).json["code"] == 3001


async def test_instances_and_participants_of_a_recurring_meeting() -> None:
    async with stage() as scene:
        number = await held(scene, type=3)
        await scene.zoom.start(number)
        await scene.zoom.end(number)
        runs = (await scene.call("GET", f"/past_meetings/{number}/instances")).json["meetings"]
        assert len({run["uuid"] for run in runs}) == 2
        path = f"/past_meetings/{twice(runs[0]['uuid'])}/participants?page_size=1"
        first = (await scene.call("GET", path)).json
        second = (await scene.call("GET", f"{path}&next_page_token={first['next_page_token']}")).json
        names = [item["name"] for item in first["participants"] + second["participants"]]
        assert names == ["Alice Demo", "Bob"]
        assert second["next_page_token"] == ""
        assert first["participants"][0]["duration"] == pytest.approx(630, abs=1)


async def test_one_person_alone_is_no_participant_afterwards() -> None:
    async with stage() as scene:
        number = (await scene.create())["id"]
        await scene.zoom.start(number)
        await scene.zoom.join(number, "Alice Demo", "alice@demo.example")
        await scene.zoom.end(number)
        alone = (await scene.call("GET", f"/past_meetings/{number}/participants")).json
        assert (alone["participants"], alone["total_records"]) == ([], 0)


async def test_zoom_tells_of_a_past_meeting_for_a_year_and_lists_it_for_fifteen_months() -> None:
    async with stage() as scene:
        number = await held(scene, type=3)
        for days, status, runs in ((364, 200, 1), (2, 400, 1), (90, 400, 0)):
            scene.zoom.clock.advance(days * 24 * 3600)
            scene.token = str(scene.zoom.grant("alice@demo.example")["access_token"])
            told = await scene.call("GET", f"/past_meetings/{number}")
            assert told.status == status
            assert status == 200 or told.json["code"] == 12702
            listed = await scene.call("GET", f"/past_meetings/{number}/instances")
            assert len(listed.json["meetings"]) == runs


async def test_recording_event_opens_its_own_downloads_only() -> None:
    async with stage() as scene:
        number, other = await held(scene), await held(scene)
        await scene.zoom.record(number)
        await scene.zoom.record(other)
        event, foreign = scene.hits[-2].json, scene.hits[-1].json
        assert event["event"] == "recording.completed"
        shape = event["payload"]["object"]
        assert shape["id"] == number
        chat = next(file for file in shape["recording_files"] if file["file_type"] == "CHAT")
        assert "play_url" not in chat
        good = {"Authorization": f"Bearer {event['download_token']}"}
        async with scene.http.get(chat["download_url"], headers=good) as response:
            assert response.status == 200
            content = await response.read()
            assert len(content) == chat["file_size"]
            assert b"Bob" in content
        bad = {"Authorization": f"Bearer {foreign['download_token']}"}
        for headers in ({}, bad):
            async with scene.http.get(chat["download_url"], headers=headers) as response:
                assert response.status == 401
        own = {"Authorization": f"Bearer {scene.token}"}
        async with scene.http.get(chat["download_url"], headers=own) as response:
            assert response.status == 200


async def test_recordings_through_the_api() -> None:
    async with stage() as scene:
        number = await held(scene)
        none = await scene.call("GET", f"/meetings/{number}/recordings")
        assert (none.status, none.json["code"]) == (404, 3301)
        await scene.zoom.record(number)
        await scene.zoom.transcribe(number)
        found = (await scene.call("GET", f"/meetings/{number}/recordings")).json
        kinds = [file["file_type"] for file in found["recording_files"]]
        assert kinds == ["MP4", "M4A", "CHAT", "TRANSCRIPT"]
        assert found["type"] == "1"
        published = scene.hits[-2].json["payload"]["object"]
        assert [file["file_type"] for file in published["recording_files"]] == [
            "MP4",
            "M4A",
            "CHAT",
            "TIMELINE",
        ]
        assert published["type"] == 1
        transcript = scene.hits[-1].json["payload"]["object"]
        assert [file["recording_type"] for file in transcript["recording_files"]] == ["audio_transcript"]


async def test_recording_event_may_lack_its_download_token() -> None:
    async with stage() as scene:
        scene.zoom.recordings.gives_tokens = False
        await scene.zoom.record(await held(scene))
        assert "download_token" not in scene.hits[-1].json


async def test_summary_as_event_and_through_the_api() -> None:
    async with stage() as scene:
        number = await held(scene)
        path = f"/meetings/{twice(scene.zoom.meetings[number].uuid)}/meeting_summary"
        assert (await scene.call("GET", path)).status == 404
        await scene.zoom.summarize(number)
        shape = scene.hits[-1].json["payload"]["object"]
        assert scene.events[-1] == "meeting.summary_completed"
        assert shape["meeting_id"] == number
        assert shape["summary_details"][0].keys() == {"label", "summary"}
        assert (await scene.call("GET", path)).json == shape


async def test_a_meeting_that_never_started_cannot_be_recorded() -> None:
    async with stage() as scene:
        made = await scene.create()
        with pytest.raises(ValueError, match="never started"):
            await scene.zoom.record(made["id"])


async def test_of_hosts_without_a_paid_account_there_are_no_past_meetings() -> None:
    async with stage() as scene:
        number = await held(scene)
        scene.zoom.user("alice@demo.example").type = BASIC
        refused = await scene.call("GET", f"/past_meetings/{number}")
        assert (refused.status, refused.json["code"]) == (400, 200)
        assert "Only available for paid account" in refused.json["message"]
