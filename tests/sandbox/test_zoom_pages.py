"""The sandbox's Zoom: pages for people, which work without scripts."""

from __future__ import annotations

import re

import pytest
from yarl import URL

from tests.sandbox.zoomkit import Stage, stage


async def press(scene: Stage, number: int, action: str, **form: str) -> int:
    async with scene.http.post(f"{scene.zoom.url}/j/{number}/{action}", data=form) as response:
        await scene.zoom.settle()
        return response.status


async def shown(scene: Stage, url: str) -> str:
    async with scene.http.get(url) as response:
        return await response.text()


async def test_a_meeting_is_held_with_buttons_alone() -> None:
    async with stage() as scene:
        made = await scene.create(topic="<b>Retro</b>")
        number = made["id"]
        page = await shown(scene, made["join_url"])
        assert "&lt;b&gt;Retro" in page
        assert "<script>" not in page
        assert await press(scene, number, "join", name="Early <i>") == 200
        assert await press(scene, number, "start") == 200
        assert await press(scene, number, "join", name="Bob") == 200
        page = await shown(scene, made["join_url"])
        assert "Early &lt;i&gt;" in page
        guest = re.findall(r'name="user_id" value="(\d+)"', page)[-1]
        assert await press(scene, number, "leave", user_id=guest) == 200
        assert await press(scene, number, "end") == 200
        assert await press(scene, number, "summarize") == 200
        assert scene.events[0] == "meeting.participant_jbh_waiting"
        assert scene.events[-2:] == ["meeting.ended", "meeting.summary_completed"]
        assert "has ended" in await shown(scene, made["join_url"])


async def test_webhooks_are_sent_when_recording_starts_and_stops() -> None:
    async with stage() as scene:
        made = await scene.create()
        number = made["id"]
        await press(scene, number, "start")
        assert await press(scene, number, "record") == 200
        assert "It is being recorded" in await shown(scene, made["join_url"])
        assert await press(scene, number, "record") == 409
        scene.zoom.clock.advance(60)
        assert await press(scene, number, "pause") == 200
        assert "Its recording is paused" in await shown(scene, made["join_url"])
        assert "Resume recording" in await shown(scene, made["join_url"])
        assert await press(scene, number, "pause") == 409
        assert await press(scene, number, "resume") == 200
        assert "Pause recording" in await shown(scene, made["join_url"])
        assert await press(scene, number, "cut") == 200
        assert "recorded" not in await shown(scene, made["join_url"])
        assert await press(scene, number, "cut") == 409
        names = ["recording.started", "recording.paused", "recording.resumed", "recording.stopped"]
        assert scene.events[-4:] == names
        started, stopped = (hit.json["payload"]["object"] for hit in (scene.hits[-4], scene.hits[-1]))
        assert (started["id"], started["uuid"], started["type"]) == (number, made["uuid"], 1)
        assert started["host_id"] == made["host_id"]
        assert started["recording_file"]["recording_end"] == ""
        assert stopped["recording_file"]["recording_start"] == started["recording_file"]["recording_start"]
        assert stopped["recording_file"]["recording_end"] > started["recording_file"]["recording_start"]


async def test_recordings_are_published_once_and_after_a_delay() -> None:
    async with stage() as scene:
        made = await scene.create()
        number = made["id"]
        for action in ("start", "record", "end"):
            await press(scene, number, action)
        assert scene.events[-2:] == ["recording.stopped", "meeting.ended"]
        ended_ms = scene.zoom.meetings[number].last.ended_ms
        page = await shown(scene, made["join_url"])
        assert "Publish the recording" in page
        assert "Zoom publishes the recording at" in page
        scene.zoom.clock.advance(60)
        await scene.zoom.wait_for(lambda: scene.events[-1] == "recording.completed")
        assert scene.hits[-1].json["event_ts"] == pytest.approx(ended_ms + 60_000, abs=1000)
        page = await shown(scene, made["join_url"])
        assert "Publish the recording" not in page
        assert await press(scene, number, "record") == 409
        assert await press(scene, number, "transcribe") == 200
        assert await press(scene, number, "summarize") == 200
        scene.zoom.clock.advance(3600)
        await scene.zoom.settle()
        made_of_it = ["recording.completed", "recording.transcript_completed", "meeting.summary_completed"]
        assert scene.events[-3:] == made_of_it
        assert "All is published" in await shown(scene, made["join_url"])


async def test_nobody_can_join_a_meeting_twice() -> None:
    async with stage() as scene:
        made = await scene.create()
        number, bob = made["id"], scene.zoom.user("bob@demo.example")
        assert await press(scene, number, "join", email=bob.email) == 200
        page = await shown(scene, made["join_url"])
        assert "At the door (1)" in page
        assert "In the meeting" not in page
        assert "Join as Bob" not in page
        assert scene.hits[-1].json["payload"]["object"]["participant"]["id"] == bob.id
        assert await press(scene, number, "join", email=bob.email) == 409
        await press(scene, number, "start")
        page = await shown(scene, made["join_url"])
        assert "In the meeting (2)" in page
        assert "At the door" not in page
        assert "Join as Bob" not in page
        assert await press(scene, number, "join", email=bob.email) == 409


async def test_times_are_shown_in_the_meetings_time_zone() -> None:
    async with stage() as scene:
        made = await scene.create(timezone="Asia/Kolkata")
        await scene.zoom.start(made["id"])
        scene.zoom.clock.advance(24 * 3600)
        page = await shown(scene, made["join_url"])
        assert "Live for 24 h." in page
        assert re.search(r"\w{3} \d+ \w{3}, \d\d:\d\d IST", page)
        scene.zoom.meetings[made["id"]].timezone = "Nowhere/Land"
        assert "UTC" in await shown(scene, made["join_url"])


async def test_an_impossible_action_shows_an_error_page() -> None:
    async with stage() as scene:
        number = (await scene.create())["id"]
        assert await press(scene, number, "end") == 409
        assert await press(scene, number, "fly") == 409
        assert await press(scene, 123, "start") == 404
        assert "not valid" in await shown(scene, f"{scene.zoom.url}/j/123")


async def test_the_page_hook_adds_to_the_page() -> None:
    async with stage() as scene:
        made = await scene.create()
        scene.zoom.page_hook = lambda meeting: f'<p id="hook">{meeting.id}</p>'
        assert f'<p id="hook">{made["id"]}</p>' in await shown(scene, made["join_url"])


async def test_the_consent_page_shows_accounts_and_keeps_what_was_asked() -> None:
    async with stage() as scene:
        page = await shown(scene, scene.authorize_url(state='"><script>'))
        assert "alice@demo.example" in page
        assert "carol@demo.example" in page
        assert "<script>" not in page


async def test_nobody_consents_without_choosing_an_account() -> None:
    async with stage() as scene:
        url = scene.authorize_url()
        page = await shown(scene, url)
        assert " checked" not in page
        assert page.count(" required>") == len(scene.zoom.accounts.users)
        form = dict(URL(url).query) | {"decision": "allow"}
        async with scene.http.post(f"{scene.zoom.url}/oauth/authorize", data=form) as response:
            assert response.status == 400
            assert "choose an account" in await response.text()
        form["decision"] = "deny"
        post = scene.http.post(f"{scene.zoom.url}/oauth/authorize", data=form, allow_redirects=False)
        async with post as response:
            assert URL(response.headers["Location"]).query["error"] == "access_denied"
