"""The sandbox's Zoom: pages for people, which work without scripts."""

from __future__ import annotations

import re

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
        assert await press(scene, number, "record") == 200
        assert "recorded" in await shown(scene, made["join_url"])
        assert await press(scene, number, "end") == 200
        assert await press(scene, number, "summarize") == 200
        assert scene.events[0] == "meeting.participant_jbh_waiting"
        assert scene.events[-4:] == [
            "meeting.ended",
            "recording.completed",
            "recording.transcript_completed",
            "meeting.summary_completed",
        ]
        assert "has ended" in await shown(scene, made["join_url"])


async def test_what_is_not_possible_now_says_so() -> None:
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
