"""The sandbox's Zoom against Zoom's published schemas: every answer and every event."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bot.sandbox.zoom import Zoom
from bot.sandbox.zoom.api import Api
from bot.sandbox.zoom.dispatch import Dispatcher
from bot.sandbox.zoom.models import BASIC, PERSONAL, RECURRING, WEBINAR, Plan
from bot.sandbox.zoom.past_meetings import PastMeetings
from bot.sandbox.zoom.world import App
from tests.sandbox.schemas import Referee, folder
from tests.sandbox.zoomkit import Answer, Stage, stage

ALICE = "alice@demo.example"
YEAR_S = 366 * 24 * 3600


class Court:
    """A stage whose answers and events are judged."""

    def __init__(self, scene: Stage, referee: Referee) -> None:
        self.scene = scene
        self.zoom = scene.zoom
        self.referee = referee

    async def call(self, method: str, path: str, body: object = None, *, token: str | None = None) -> Answer:
        answer = await self.scene.call(method, path, body, token=token)
        self.referee.answer(method, path, answer.status, answer.json)
        return answer

    async def create(self, kind: str = "meetings", user: str = "me", **fields: object) -> int:
        answer = await self.call("POST", f"/users/{user}/{kind}", {"topic": "Retro", "type": 1} | fields)
        assert answer.status == 201, answer
        number: int = answer.json["id"]
        return number

    def renew(self) -> None:
        """A new token, since the clock was moved."""
        self.scene.token = str(self.zoom.grant(ALICE)["access_token"])


@asynccontextmanager
async def court(app: App = "user") -> AsyncIterator[Court]:
    """Every answer that was asked for through it, and every event, must be as Zoom describes it."""
    referee = Referee(folder())
    async with stage(app) as scene:
        yield Court(scene, referee)
        await scene.zoom.settle()
        for hit in scene.hits:
            referee.event(hit.json)
    assert referee.faults == []


async def test_people_and_their_settings() -> None:
    async with court() as here:
        assert (await here.call("GET", "/users/me")).status == 200
        assert (await here.call("GET", "/users/me/settings")).status == 200
        assert (await here.call("GET", "/users/me", token="none")).status == 401
    async with court("server-to-server") as here:
        assert (await here.call("GET", f"/users/{ALICE}")).status == 200
        assert (await here.call("GET", "/users/nobody@demo.example")).status == 404
        assert (await here.call("GET", "/users/nobody@demo.example/settings")).status == 404
        await here.create(user=ALICE)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"type": 2, "start_time": "2999-01-01T09:00:00Z", "duration": 45, "timezone": "Europe/Berlin"},
        {"type": 3},
        {"type": 8, "start_time": "2999-01-01T09:00:00Z"},
        {"settings": {"use_pmi": True}},
        {"settings": {"use_pmi": True}, "type": 2},
        {"agenda": "a" * 2000, "password": "secret"},
    ],
)
async def test_a_meeting_from_its_creation_to_its_end(fields: dict[str, Any]) -> None:
    async with court() as here:
        number = await here.create(**fields)
        path = f"/meetings/{number}"
        assert (await here.call("GET", path)).status == 200
        assert (await here.call("PATCH", path, {"topic": "New"})).status == 204
        meeting = here.zoom.meetings[number]
        changed = here.zoom.meeting_store.change(meeting, topic="Newer", password="new")
        await here.zoom.webhooks.send(changed)
        await here.zoom.start(number)
        assert (await here.call("GET", path)).json["status"] == "started"
        for kind in ("scheduled", "live", "upcoming", "upcoming_meetings", "previous_meetings"):
            assert (await here.call("GET", f"/users/me/meetings?type={kind}")).status == 200
        assert (await here.call("PUT", f"{path}/status", {"action": "end"})).status == 204
        here.zoom.clock.advance(60)
        assert (await here.call("GET", f"/past_meetings/{number}")).status == 200
        assert (await here.call("GET", f"/past_meetings/{number}/instances")).status == 200
        assert (await here.call("GET", f"/past_meetings/{number}/participants")).status == 200


async def test_what_is_refused() -> None:
    async with court() as here:
        number = await here.create()
        path = f"/meetings/{number}"
        for body in ({"topic": 5}, {"topic": "x" * 201}, {"type": 7}, [1]):
            assert (await here.call("POST", "/users/me/meetings", body)).status == 400
        assert (await here.call("PUT", f"{path}/status", {"action": "end"})).status == 400
        await here.zoom.start(number)
        assert (await here.call("DELETE", path)).json["code"] == 3002
        for gone in ("GET", "DELETE", "PATCH"):
            assert (await here.call(gone, "/meetings/1", {})).json["code"] == 3001
        assert (await here.call("GET", "/past_meetings/1")).json["code"] == 3001
        assert (await here.call("GET", f"{path}/recordings")).json["code"] == 3301
        assert (await here.call("GET", f"{path}/meeting_summary")).json["code"] == 3001
        assert (await here.call("POST", "/users/me/webinars", {})).json["code"] == 200
        here.zoom.missing_scopes(ALICE, "meeting:read:meeting")
        assert (await here.call("GET", path)).json["code"] == 4711
        here.zoom.missing_scopes(ALICE)
        here.zoom.daily_creates = 0
        assert (await here.call("POST", "/users/me/meetings", {})).status == 429
        here.zoom.daily_limit(ALICE, "2999-01-01T00:00:00Z")
        assert (await here.call("POST", "/users/me/meetings", {})).status == 429


async def test_another_s_meeting_is_refused() -> None:
    async with court() as here:
        bob = here.zoom.user("bob@demo.example")
        other = here.zoom.meeting_store.create(bob, Plan(topic="Bob's"))
        assert (await here.call("GET", f"/meetings/{other.id}")).status == 400
        await here.zoom.start(other.id, deliver=False)
        await here.zoom.end(other.id, deliver=False)
        assert (await here.call("GET", f"/past_meetings/{other.id}")).status == 400


async def test_a_personal_room_is_not_deleted() -> None:
    async with court() as here:
        room = here.zoom.meeting_store.personal(here.zoom.user(ALICE))
        refused = await here.call("DELETE", f"/meetings/{room.id}")
        assert (refused.status, refused.json["code"]) == (400, 3018)
        assert (await here.call("GET", f"/meetings/{room.id}")).json["type"] == PERSONAL


async def test_a_webinar() -> None:
    async with court() as here:
        here.zoom.user(ALICE).webinar = True
        number = await here.create("webinars", type=WEBINAR)
        path = f"/webinars/{number}"
        shown = (await here.call("GET", path)).json
        assert "status" not in shown
        assert "pmi" not in shown
        await here.zoom.webhooks.send(
            here.zoom.meeting_store.change(here.zoom.meetings[number], topic="Newer")
        )
        await here.zoom.start(number)
        await here.zoom.join(number, "Guest")
        assert (await here.call("PUT", f"{path}/status", {"action": "end"})).status == 200
        unused = await here.create("webinars", type=WEBINAR)
        assert (await here.call("DELETE", f"/webinars/{unused}")).status == 204
        assert (await here.call("GET", f"/webinars/{unused}")).status == 404


async def test_what_comes_after_a_meeting() -> None:
    async with court() as here:
        number = await here.create(type=RECURRING)
        await here.zoom.wait_in_lobby(number, "Guest")
        await here.zoom.wait_in_lobby(number, "Bob", "bob@demo.example")
        await here.zoom.start(number)
        await here.zoom.join(number, "Guest")
        meeting = here.zoom.meetings[number]
        store = here.zoom.meeting_store
        for change in (store.record, store.pause, store.resume, store.cut):
            here.zoom.clock.advance(60)
            await here.zoom.webhooks.send(change(meeting))
        await here.zoom.end(number)
        for publish in (here.zoom.record, here.zoom.transcribe, here.zoom.summarize):
            await publish(number)
        for call in ("recordings", "meeting_summary"):
            assert (await here.call("GET", f"/meetings/{number}/{call}")).status == 200
        await here.zoom.deauthorize(ALICE)
        await here.zoom.settle()
        await here.zoom.validate_url()
    assert here.referee.heard >= {
        "meeting.participant_jbh_waiting",
        "meeting.participant_jbh_joined",
        "recording.started",
        "recording.paused",
        "recording.resumed",
        "recording.stopped",
        "recording.completed",
        "recording.transcript_completed",
        "meeting.summary_completed",
        "app_deauthorized",
        "endpoint.url_validation",
    }


async def test_past_meetings_that_zoom_tells_nothing_about() -> None:
    async with court() as here:
        number = await here.create()
        await here.zoom.start(number)
        await here.zoom.end(number)
        here.zoom.clock.advance(YEAR_S)
        here.renew()
        for path in (f"/past_meetings/{number}", f"/past_meetings/{number}/participants"):
            old = await here.call("GET", path)
            assert (old.status, old.json["code"]) == (400, 12702)
        here.zoom.user(ALICE).type = BASIC
        assert (await here.call("GET", f"/past_meetings/{number}")).json["code"] == 200


def test_every_call_that_the_sandbox_knows_is_one_of_zoom_s() -> None:
    referee = Referee(folder())
    zoom = Zoom()
    parts = (Api(zoom, Dispatcher(zoom)), PastMeetings(zoom, Dispatcher(zoom)))
    routes = [route for part in parts for route in part.routes() if route.path.startswith("/v2/")]
    assert len(routes) > 15
    unknown = [
        each for each in routes if referee.operation(each.method, each.path.removeprefix("/v2")) is None
    ]
    assert unknown == []


def test_the_referee_sees_a_wrong_type_a_missing_field_and_one_that_zoom_does_not_send() -> None:
    right: dict[str, Any] = {
        "event": "meeting.started",
        "event_ts": 1,
        "payload": {
            "account_id": "a",
            "object": {
                "id": "1",
                "uuid": "u",
                "host_id": "h",
                "topic": "t",
                "type": 1,
                "start_time": "2026-01-01T00:00:00Z",
                "duration": 0,
            },
        },
    }
    for change in ({"id": 1.5}, {"uuid": None}, {"own": 1}):
        wrong = copy.deepcopy(right)
        wrong["payload"]["object"] |= change
        referee = Referee(folder())
        referee.event(right)
        assert referee.faults == []
        referee.event(wrong)
        assert len(referee.faults) == 1
