"""The sandbox's Zoom: the API on meetings, webinars and users."""

from __future__ import annotations

import pytest

from tests.sandbox.zoomkit import stage

ALICE = "alice@demo.example"


async def test_created_meeting_has_zooms_shapes() -> None:
    async with stage() as scene:
        made = await scene.create(topic="Retro 🎉", agenda="marker-1")
        assert isinstance(made["id"], int)
        assert made["id"] > 2**32
        assert isinstance(made["pmi"], str)
        assert "?pwd=" in made["join_url"]
        assert made["join_url"].startswith(scene.zoom.url)
        assert (made["status"], made["type"], made["agenda"]) == ("waiting", 1, "marker-1")
        assert made["created_at"].endswith("Z")
        assert scene.zoom.created == [made["id"]]
        assert scene.zoom.meetings[made["id"]].topic == "Retro 🎉"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"topic": "x" * 201, "type": 1}, "topic"),
        ({"topic": 5, "type": 1}, "topic"),
        ({"topic": "x", "type": 7}, "type"),
        ({"topic": "x", "type": "1"}, "type"),
        ({"topic": "x", "type": 2, "start_time": "tomorrow"}, "start_time"),
        ({"topic": "x", "type": 1, "agenda": "x" * 2001}, "agenda"),
    ],
)
async def test_faulty_bodies_are_refused_naming_the_field(body: dict[str, object], field: str) -> None:
    async with stage() as scene:
        refused = await scene.call("POST", "/users/me/meetings", body)
        assert (refused.status, refused.json["code"]) == (400, 300)
        assert refused.json["errors"][0]["field"] == field
        assert not scene.zoom.meetings


async def test_a_body_that_is_not_an_object_is_refused() -> None:
    async with stage() as scene:
        assert (await scene.call("POST", "/users/me/meetings", [1])).json["code"] == 300


async def test_meeting_is_read_changed_and_deleted() -> None:
    async with stage() as scene:
        path = f"/meetings/{(await scene.create())['id']}"
        assert (await scene.call("PATCH", path, {"topic": "New"})).status == 204
        assert (await scene.call("GET", path)).json["topic"] == "New"
        assert (await scene.call("DELETE", path)).status == 204
        gone = await scene.call("GET", path)
        assert (gone.status, gone.json["code"]) == (404, 3001)
        assert (await scene.call("DELETE", path)).status == 404


async def test_meeting_in_progress_is_not_deleted_but_ended() -> None:
    async with stage() as scene:
        made = await scene.create()
        path = f"/meetings/{made['id']}"
        assert (await scene.call("PUT", f"{path}/status", {"action": "end"})).status == 400
        await scene.zoom.start(made["id"])
        assert (await scene.call("GET", path)).json["status"] == "started"
        assert (await scene.call("DELETE", path)).json["code"] == 3002
        assert (await scene.call("PUT", f"{path}/status", {"action": "fly"})).json["code"] == 300
        assert (await scene.call("PUT", f"{path}/status", {"action": "end"})).status == 204
        await scene.zoom.settle()
        assert scene.events[-1] == "meeting.ended"


async def test_ended_instant_meeting_is_gone_while_its_past_is_known() -> None:
    async with stage() as scene:
        made = await scene.create()
        await scene.zoom.start(made["id"])
        await scene.zoom.end(made["id"])
        gone = await scene.call("GET", f"/meetings/{made['id']}")
        assert (gone.status, gone.json["code"]) == (404, 3001)
        assert (await scene.call("GET", f"/past_meetings/{made['id']}")).json["uuid"] == made["uuid"]


@pytest.mark.parametrize(("lists_waiting", "expected"), [(True, 1), (False, 0)])
async def test_waiting_instant_meeting_is_listed_as_the_switch_says(
    lists_waiting: bool, expected: int
) -> None:
    async with stage() as scene:
        scene.zoom.lists_waiting = lists_waiting
        await scene.create(agenda="marker-1")
        for kind in ("scheduled", "upcoming"):
            listed = (await scene.call("GET", f"/users/me/meetings?type={kind}")).json["meetings"]
            assert [item["agenda"] for item in listed] == ["marker-1"] * expected


async def test_live_lists_what_has_started_only() -> None:
    async with stage() as scene:
        assert scene.zoom.lists_running
        made, _ = await scene.create(), await scene.create()
        await scene.zoom.start(made["id"])
        live = (await scene.call("GET", "/users/me/meetings?type=live")).json["meetings"]
        assert [item["id"] for item in live] == [made["id"]]
        await scene.zoom.end(made["id"])
        assert not (await scene.call("GET", "/users/me/meetings?type=live")).json["meetings"]


async def test_planned_meetings_are_listed_while_they_run_and_afterwards_as_previous() -> None:
    async with stage() as scene:
        planned, instant = await scene.create(type=2), await scene.create()
        for made in (planned, instant):
            await scene.zoom.start(made["id"])
        scene.zoom.lists_running = False

        async def listed(kind: str) -> list[int]:
            answer = await scene.call("GET", f"/users/me/meetings?type={kind}")
            return [item["id"] for item in answer.json["meetings"]]

        for kind in ("scheduled", "live", "upcoming", "upcoming_meetings"):
            assert await listed(kind) == [planned["id"]], kind
        assert await listed("previous_meetings") == []
        for made in (planned, instant):
            await scene.zoom.end(made["id"])
        assert await listed("live") == []
        assert await listed("previous_meetings") == [planned["id"]]


async def test_a_meeting_that_expired_is_in_no_list() -> None:
    async with stage() as scene:
        await scene.create(type=2)
        scene.zoom.clock.advance(31 * 24 * 3600)
        scene.token = str(scene.zoom.grant(ALICE)["access_token"])
        assert (await scene.call("GET", "/users/me/meetings")).json["meetings"] == []


async def test_lists_are_paged_to_the_end() -> None:
    async with stage() as scene:
        made = [(await scene.create(type=2))["id"] for _ in range(5)]
        seen, token = [], ""
        for _ in range(3):
            path = f"/users/me/meetings?page_size=2&next_page_token={token}"
            page = (await scene.call("GET", path)).json
            seen += [item["id"] for item in page["meetings"]]
            token = page["next_page_token"]
        assert seen == made
        assert token == ""
        assert (await scene.call("GET", "/users/me/meetings?page_size=301")).json["code"] == 300
        assert (await scene.call("GET", "/users/me/meetings?next_page_token=zz")).json["code"] == 300


async def test_personal_room_is_one_meeting_with_a_new_uuid_each_time() -> None:
    async with stage() as scene:
        alice = scene.zoom.user(ALICE)
        first = await scene.create(settings={"use_pmi": True})
        assert (first["id"], first["type"], first["pmi"]) == (alice.pmi, 1, str(alice.pmi))
        read = (await scene.call("GET", f"/meetings/{alice.pmi}")).json
        assert (read["uuid"], read["type"]) == (first["uuid"], 4)
        await scene.zoom.start(alice.pmi)
        await scene.zoom.end(alice.pmi)
        second = (await scene.call("GET", f"/meetings/{alice.pmi}")).json
        assert second["status"] == "waiting"
        assert second["uuid"] != first["uuid"]


async def test_personal_room_that_is_not_allowed_is_not_given() -> None:
    async with stage() as scene:
        alice = scene.zoom.user(ALICE)
        alice.pmi_enabled = False
        settings = (await scene.call("GET", "/users/me/settings")).json
        assert settings["schedule_meeting"]["personal_meeting"] is False
        assert (await scene.create(settings={"use_pmi": True}))["id"] != alice.pmi
        assert (await scene.call("GET", f"/meetings/{alice.pmi}")).status == 404


async def test_a_meeting_that_nobody_started_is_gone_after_thirty_days() -> None:
    async with stage() as scene:
        unused, late, held, weekly = [await scene.create(type=kind) for kind in (1, 2, 1, 3)]
        await scene.zoom.start(held["id"])
        await scene.call("PATCH", f"/meetings/{late['id']}", {"start_time": "2999-01-01T00:00:00Z"})
        scene.zoom.clock.advance(30 * 24 * 3600 - 60)
        scene.token = str(scene.zoom.grant(ALICE)["access_token"])
        assert (await scene.call("GET", f"/meetings/{unused['id']}")).status == 200
        scene.zoom.clock.advance(60)
        gone = await scene.call("GET", f"/meetings/{unused['id']}")
        assert (gone.status, gone.json["code"]) == (404, 3001)
        for kept in (late, held, weekly):
            assert (await scene.call("GET", f"/meetings/{kept['id']}")).status == 200
        async with scene.http.get(unused["join_url"]) as response:
            assert "has expired" in await response.text()


async def test_a_meeting_may_get_its_uuid_when_it_starts_and_be_named_by_the_last_one_before() -> None:
    async with stage() as scene:
        scene.zoom.names_last_uuid = scene.zoom.meeting_store.renews_uuid = True
        weekly = await scene.create(type=3)
        await scene.zoom.start(weekly["id"])
        first = (await scene.call("GET", f"/meetings/{weekly['id']}")).json["uuid"]
        assert first != weekly["uuid"]
        await scene.zoom.end(weekly["id"])
        assert (await scene.call("GET", f"/meetings/{weekly['id']}")).json["uuid"] == first
        await scene.zoom.start(weekly["id"])
        assert (await scene.call("GET", f"/meetings/{weekly['id']}")).json["uuid"] != first


async def test_webinar_needs_a_licence() -> None:
    async with stage() as scene:
        refused = await scene.call("POST", "/users/me/webinars", {"topic": "All hands"})
        assert (refused.status, refused.json["code"]) == (400, 200)
        scene.zoom.user(ALICE).webinar = True
        made = await scene.call("POST", "/users/me/webinars", {"topic": "All hands", "type": 5})
        assert (made.status, made.json["type"]) == (201, 5)
        assert (await scene.call("GET", f"/webinars/{made.json['id']}")).status == 200
        assert {"status", "pmi"} & set(made.json) == set()
        assert (await scene.call("GET", f"/meetings/{made.json['id']}")).status == 404
        await scene.zoom.start(made.json["id"])
        assert scene.events[0] == "webinar.started"


async def test_missing_scope_is_named() -> None:
    async with stage() as scene:
        scene.zoom.missing_scopes(ALICE, "meeting:write:meeting")
        refused = await scene.call("POST", "/users/me/meetings", {"topic": "x", "type": 1})
        assert (refused.status, refused.json["code"]) == (400, 4711)
        assert "[meeting:write:meeting]" in refused.json["message"]
        scene.zoom.missing_scopes(ALICE)
        await scene.create()
    async with stage("account") as scene:
        scene.zoom.missing_scopes(None, "user:read:user")
        assert "[user:read:user:admin]" in (await scene.call("GET", "/users/me")).json["message"]


async def test_daily_limit_names_its_end_and_ends() -> None:
    async with stage() as scene:
        scene.zoom.daily_limit(ALICE, "2999-01-01T00:00:00Z")
        refused = await scene.call("POST", "/users/me/meetings", {"topic": "x", "type": 1})
        assert refused.status == 429
        assert refused.headers["Retry-After"] == "2999-01-01T00:00:00Z"
        scene.zoom.daily_limit(ALICE, "")
        scene.zoom.daily_creates = 1
        await scene.create()
        refused = await scene.call("POST", "/users/me/meetings", {"topic": "x", "type": 1})
        assert {"Retry-After", "X-RateLimit-Type", "X-RateLimit-Reset"} & set(refused.headers) == set()
        assert "daily rate limit (1)" in refused.json["message"]
        scene.zoom.clock.advance(24 * 3600)
        scene.token = str(scene.zoom.grant(ALICE)["access_token"])
        await scene.create()


async def test_requests_that_zoom_does_not_know_are_recorded() -> None:
    async with stage() as scene:
        assert (await scene.call("GET", "/users/me/dreams")).status == 404
        assert (await scene.call("PUT", "/users/me")).status == 404
        assert [(call.method, call.path) for call in scene.zoom.unknown] == [
            ("GET", "/v2/users/me/dreams"),
            ("PUT", "/v2/users/me"),
        ]


async def test_calls_are_recorded_with_user_status_and_body() -> None:
    async with stage() as scene:
        await scene.create(topic="Standup")
        call = scene.zoom.calls[-1]
        assert (call.method, call.path, call.user, call.status) == (
            "POST",
            "/v2/users/me/meetings",
            ALICE,
            201,
        )
        assert call.json == {"topic": "Standup", "type": 1}
        scene.zoom.clear_calls()
        assert scene.zoom.calls == []
