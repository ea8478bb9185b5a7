"""The sandbox's Zoom: format and retries of webhook deliveries."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

import pytest

from bot.sandbox.zoom import Delivery
from bot.sandbox.zoom.webhooks import validates
from tests.sandbox.zoomkit import Stage, stage

ALICE = "alice@demo.example"


def expected_signature(scene: Stage, timestamp: str, body: bytes) -> str:
    message = f"v0:{timestamp}:".encode() + body
    return "v0=" + hmac.new(scene.zoom.webhook_secret.encode(), message, hashlib.sha256).hexdigest()


async def test_a_meeting_sends_webhooks_from_start_to_end() -> None:
    async with stage() as scene:
        made = await scene.create()
        await scene.zoom.start(made["id"])
        bob = await scene.zoom.join(made["id"], "Bob", "bob@demo.example")
        guest = await scene.zoom.join(made["id"], "Guest")
        await scene.zoom.leave(made["id"], guest)
        scene.zoom.clock.advance(25 * 60)
        await scene.zoom.end(made["id"])
        assert scene.events == [
            "meeting.started",
            *["meeting.participant_joined"] * 3,
            *["meeting.participant_left"] * 3,
            "meeting.ended",
        ]
        started = scene.hits[0].json
        assert started["payload"]["object"]["id"] == str(made["id"])
        assert started["payload"]["object"]["uuid"] == made["uuid"]
        assert isinstance(started["event_ts"], int)
        assert "end_time" not in started["payload"]["object"]
        joined = scene.hits[2].json["payload"]["object"]["participant"]
        assert (joined["user_id"], joined["user_name"]) == (bob, "Bob")
        assert joined["id"] == scene.zoom.user("bob@demo.example").id
        stranger = scene.hits[3].json["payload"]["object"]["participant"]
        assert stranger["email"] == ""
        assert stranger["id"] == ""
        assert "leave_time" in scene.hits[4].json["payload"]["object"]["participant"]
        ended = scene.hits[-1].json["payload"]["object"]
        assert ended["end_time"] == scene.zoom.meetings[made["id"]].end_time > ended["start_time"]


async def test_signatures_cover_the_raw_body() -> None:
    async with stage() as scene:
        made = await scene.create(topic="Käse 🧀")
        await scene.zoom.start(made["id"])
        for hit in scene.hits:
            timestamp = hit.headers["x-zm-request-timestamp"]
            assert hit.headers["x-zm-signature"] == expected_signature(scene, timestamp, hit.body)
        assert "Käse 🧀".encode() in scene.hits[0].body


def test_url_validation_matches_the_known_vector() -> None:
    plain, secret = "Kn5a3Wv7SP6YP5b4BWfZpg", "zoomwebhooksecret"
    digest = hmac.new(secret.encode(), plain.encode(), hashlib.sha256).hexdigest()
    assert digest.startswith("2a41c313")
    assert digest.endswith("2241e0a")
    text = json.dumps({"plainToken": plain, "encryptedToken": digest})
    right = Delivery(event="endpoint.url_validation", status=200, text=text)
    assert validates(secret, plain, right)
    assert not validates(secret, plain + "x", right)
    assert not validates(secret, plain, Delivery(event="endpoint.url_validation", status=200, text="ok"))


async def test_url_validation_with_a_wrong_answer_is_not_valid() -> None:
    async with stage() as scene:
        delivery = await scene.zoom.validate_url()
        assert scene.events == ["endpoint.url_validation"]
        assert (delivery.status, delivery.valid) == (200, False)


async def test_refused_deliveries_are_repeated_with_the_same_body_and_a_new_tracking_id() -> None:
    async with stage() as scene:
        scene.zoom.retry_delays = (0, 0, 0)
        scene.statuses = [500, 503, 502, 599]
        made = await scene.create()
        await scene.zoom.start(made["id"], host=False)
        await scene.zoom.settle()
        assert [delivery.attempt for delivery in scene.zoom.deliveries] == [0, 1, 2, 3]
        assert len({hit.body for hit in scene.hits}) == 1
        assert len({hit.headers["x-zm-trackingid"] for hit in scene.hits}) == 4


@pytest.mark.parametrize("status", [302, 400, 403, 404, 413, 429])
async def test_an_event_that_is_answered_with_3xx_or_4xx_is_lost(status: int) -> None:
    async with stage() as scene:
        scene.zoom.retry_delays = (0, 0)
        scene.statuses = [500, status]
        made = await scene.create()
        await scene.zoom.start(made["id"], host=False)
        await scene.zoom.settle()
        assert [delivery.status for delivery in scene.zoom.deliveries] == [500, status]
        assert not scene.zoom.deliveries[-1].accepted


async def test_an_event_without_an_answer_is_repeated() -> None:
    async with stage() as scene:
        scene.zoom.retry_delays = (0,)
        right, scene.zoom.webhook_url = scene.zoom.webhook_url, "http://127.0.0.1:9/webhook"
        made = await scene.create()
        scene.zoom.webhooks.on_delivery = lambda: setattr(scene.zoom, "webhook_url", right)
        await scene.zoom.start(made["id"], host=False)
        await scene.zoom.settle()
        assert [delivery.status for delivery in scene.zoom.deliveries] == [0, 200]


async def test_fields_of_events_can_be_changed_before_they_are_signed() -> None:
    async with stage() as scene:
        made = await scene.create()

        def edit(body: dict[str, Any]) -> None:
            del body["event_ts"]
            body["payload"]["object"]["topic"] = None

        scene.zoom.webhooks.edit = edit
        await scene.zoom.start(made["id"], host=False)
        (hit,) = scene.hits
        assert "event_ts" not in hit.json
        assert hit.json["payload"]["object"]["topic"] is None
        timestamp = hit.headers["x-zm-request-timestamp"]
        assert hit.headers["x-zm-signature"] == expected_signature(scene, timestamp, hit.body)
        assert scene.zoom.meetings[made["id"]].topic == "Retro"


async def test_a_recording_is_paused_resumed_and_stopped() -> None:
    async with stage() as scene:
        made = await scene.create()
        meeting, store = scene.zoom.meetings[made["id"]], scene.zoom.meeting_store
        await scene.zoom.start(made["id"])
        with pytest.raises(ValueError, match="not being recorded"):
            store.pause(meeting)
        scene.hits.clear()
        for change in (store.record, store.pause, store.resume, store.pause):
            await scene.zoom.webhooks.send(change(meeting))
        with pytest.raises(ValueError, match="paused already"):
            store.pause(meeting)
        await scene.zoom.webhooks.send(store.cut(meeting))
        assert scene.events == [
            f"recording.{each}" for each in ("started", "paused", "resumed", "paused", "stopped")
        ]
        with pytest.raises(ValueError, match="not being recorded"):
            store.resume(meeting)


@pytest.mark.parametrize("status", [200, 204])
async def test_accepted_deliveries_are_not_repeated(status: int) -> None:
    async with stage() as scene:
        scene.zoom.retry_delays = (0,)
        scene.statuses = [status]
        made = await scene.create()
        await scene.zoom.start(made["id"], host=False)
        await scene.zoom.settle()
        assert len(scene.hits) == 1


async def test_retries_come_when_zooms_clock_says_so() -> None:
    async with stage() as scene:
        made = await scene.create()
        scene.statuses = [500, 500, 500]
        assert list(scene.zoom.retry_delays) == [300, 1200, 3600]
        await scene.zoom.start(made["id"], host=False)
        for minutes in (5, 20, 60):
            seen = len(scene.hits)
            scene.zoom.clock.advance(minutes * 60 - 10)
            assert len(scene.hits) == seen
            scene.zoom.clock.advance(10)
            await scene.zoom.wait_for(lambda: len(scene.zoom.deliveries) == seen + 1)  # noqa: B023
        await scene.zoom.settle()
        assert [delivery.attempt for delivery in scene.zoom.deliveries] == [0, 1, 2, 3]
        assert len({hit.body for hit in scene.hits}) == 1


async def test_one_large_clock_advance_makes_all_retries_due() -> None:
    async with stage() as scene:
        made = await scene.create()
        scene.statuses = [500, 500, 500]
        scene.zoom.retry_delays = (300, 1200, 3600)
        await scene.zoom.start(made["id"], host=False)
        scene.zoom.clock.advance(24 * 3600)
        await scene.zoom.settle()
        assert len(scene.hits) == 4


async def test_a_delivery_without_a_receiver_has_status_0() -> None:
    async with stage() as scene:
        scene.zoom.retry_delays = ()
        scene.zoom.webhook_url = "http://127.0.0.1:9/webhook"
        delivery = await scene.zoom.deliver("meeting.started", {})
        assert (delivery.status, delivery.accepted) == (0, False)


async def test_deliver_can_send_wrong_signatures_and_bodies() -> None:
    async with stage() as scene:
        await scene.zoom.deliver("x.y", {"a": 1}, event_ts=5, timestamp=7, download_token="d")
        assert scene.hits[0].json == {
            "event": "x.y",
            "payload": {"a": 1},
            "event_ts": 5,
            "download_token": "d",
        }
        assert scene.hits[0].headers["x-zm-request-timestamp"] == "7"
        await scene.zoom.deliver("x.y", {}, raw=b"not json", secret="another", headers={"x-extra": "1"})
        raw = scene.hits[1]
        assert raw.body == b"not json"
        timestamp = raw.headers["x-zm-request-timestamp"]
        assert raw.headers["x-zm-signature"] != expected_signature(scene, timestamp, raw.body)
        assert raw.headers["x-extra"] == "1"
        await scene.zoom.deliver("x.y", {}, headers={"x-zm-signature": ""})
        assert "x-zm-signature" not in scene.hits[2].headers


async def test_an_event_can_be_delivered_twice() -> None:
    async with stage() as scene:
        made = await scene.create()
        await scene.zoom.start(made["id"], host=False)
        await scene.zoom.redeliver(scene.zoom.deliveries[0])
        assert scene.hits[0].body == scene.hits[1].body
        timestamp = scene.hits[1].headers["x-zm-request-timestamp"]
        assert scene.hits[1].headers["x-zm-signature"] == expected_signature(
            scene, timestamp, scene.hits[1].body
        )


async def test_ending_twice_is_refused() -> None:
    async with stage() as scene:
        made = await scene.create()
        await scene.zoom.start(made["id"])
        await scene.zoom.end(made["id"])
        with pytest.raises(ValueError, match="is ended"):
            await scene.zoom.end(made["id"])


async def test_moving_the_clock_does_not_make_signatures_stale() -> None:
    async with stage() as scene:
        before = int(scene.zoom.sign(b"")["x-zm-request-timestamp"])
        scene.zoom.clock.advance(3600)
        assert int(scene.zoom.sign(b"")["x-zm-request-timestamp"]) - before < 60


async def test_people_who_wait_for_the_host_join_with_the_host() -> None:
    async with stage() as scene:
        made = await scene.create()
        await scene.zoom.wait_in_lobby(made["id"], "Guest")
        with pytest.raises(ValueError, match="waiting"):
            await scene.zoom.join(made["id"], "Guest")
        await scene.zoom.start(made["id"])
        assert scene.events == [
            "meeting.participant_jbh_waiting",
            "meeting.started",
            "meeting.participant_joined",
            "meeting.participant_jbh_joined",
            "meeting.participant_joined",
        ]
        waiting = scene.hits[0].json["payload"]["object"]["participant"]
        assert waiting["user_name"] == "Guest"
        assert "email" not in waiting


async def test_the_meeting_ends_with_the_last_to_leave() -> None:
    async with stage() as scene:
        made = await scene.create()
        await scene.zoom.start(made["id"], host=False)
        bob = await scene.zoom.join(made["id"], "Bob")
        await scene.zoom.leave(made["id"], bob)
        assert scene.events[-1] == "meeting.ended"


async def test_silent_changes_deliver_nothing() -> None:
    async with stage() as scene:
        made = await scene.create()
        await scene.zoom.start(made["id"], deliver=False)
        await scene.zoom.end(made["id"], deliver=False)
        assert scene.hits == []


async def test_each_run_of_a_recurring_meeting_has_its_own_uuid() -> None:
    async with stage() as scene:
        made = await scene.create(type=3)
        for _ in range(2):
            await scene.zoom.start(made["id"], host=False)
            await scene.zoom.end(made["id"])
        shapes = [hit.json["payload"]["object"] for hit in scene.hits]
        assert {shape["id"] for shape in shapes} == {str(made["id"])}
        uuids = [shape["uuid"] for shape in shapes]
        assert uuids[0] == uuids[1] == made["uuid"]
        assert uuids[2] == uuids[3] != made["uuid"]
