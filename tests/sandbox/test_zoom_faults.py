"""The sandbox's Zoom: faults on request, outages, many requests at once."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest

from tests.sandbox.zoomkit import stage

ALICE = "alice@demo.example"


async def test_an_error_fault_applies_once_and_changes_nothing() -> None:
    async with stage() as scene:
        scene.zoom.faults.add(503, method="POST", path=r"/meetings$", user=ALICE)
        assert (await scene.call("POST", "/users/me/meetings", {"topic": "x", "type": 1})).status == 503
        assert scene.zoom.meetings == {}
        assert scene.zoom.calls[-1].status == 503
        await scene.create()


async def test_a_fault_for_another_user_does_not_apply() -> None:
    async with stage() as scene:
        scene.zoom.faults.add(503, user="bob@demo.example")
        assert (await scene.call("GET", "/users/me")).status == 200


async def test_a_fault_carries_its_body_and_headers() -> None:
    async with stage() as scene:
        body = {"code": 429, "message": "slow"}
        scene.zoom.faults.add(429, body=body, headers={"Retry-After": "3"})
        refused = await scene.call("GET", "/users/me")
        assert (refused.status, refused.json, refused.headers["Retry-After"]) == (429, body, "3")
        scene.zoom.faults.add(502, body="<html>bad gateway</html>")
        async with scene.http.get(scene.zoom.api_url + "/users/me") as response:
            assert await response.text() == "<html>bad gateway</html>"


async def test_a_meeting_exists_although_its_response_was_lost() -> None:
    async with stage() as scene:
        scene.zoom.faults.add(method="POST", path=r"/meetings$", drop=True, after=True)
        with pytest.raises(aiohttp.ClientError):
            await scene.call("POST", "/users/me/meetings", {"topic": "x", "type": 1, "agenda": "m"})
        assert len(scene.zoom.created) == 1
        assert scene.zoom.calls[-1].status == 0


async def test_a_cut_connection_creates_no_meeting() -> None:
    async with stage() as scene:
        scene.zoom.faults.add(method="POST", path=r"/meetings$", drop=True)
        with pytest.raises(aiohttp.ClientError):
            await scene.call("POST", "/users/me/meetings", {"topic": "x", "type": 1})
        assert scene.zoom.created == []


async def test_a_refresh_with_a_lost_response_has_rotated_the_token() -> None:
    async with stage() as scene:
        token = str(scene.zoom.grant(ALICE)["refresh_token"])
        scene.zoom.faults.add(path="/oauth/token", user=ALICE, drop=True, after=True)
        with pytest.raises(aiohttp.ClientError):
            await scene.ask_token(grant_type="refresh_token", refresh_token=token)
        refused = await scene.ask_token(grant_type="refresh_token", refresh_token=token)
        assert refused.json["error"] == "invalid_grant"


async def test_a_delay_alone_lets_the_request_through() -> None:
    async with stage() as scene:
        scene.zoom.faults.add(delay=0.01)
        assert (await scene.call("GET", "/users/me")).status == 200
        scene.zoom.delay = 0.01
        assert (await scene.call("GET", "/users/me")).status == 200


async def test_a_restarted_server_keeps_its_port_and_state() -> None:
    async with stage() as scene:
        made = await scene.create()
        url = scene.zoom.url
        await scene.zoom.stop_server()
        with pytest.raises(aiohttp.ClientError):
            await scene.call("GET", "/users/me")
        await scene.zoom.start_server()
        assert scene.zoom.url == url
        assert (await scene.call("GET", f"/meetings/{made['id']}")).json["uuid"] == made["uuid"]


async def test_hundreds_of_concurrent_requests_succeed() -> None:
    async with stage() as scene:
        scene.zoom.daily_creates = 1000
        made = await asyncio.gather(*(scene.create(topic=f"t{index}") for index in range(300)))
        assert len({item["id"] for item in made}) == 300
        assert len({item["uuid"] for item in made}) == 300


async def test_wait_for_wakes_on_requests() -> None:
    async with stage() as scene:
        waiting = asyncio.create_task(scene.zoom.wait_for(lambda: scene.zoom.created))
        made = await scene.create()
        assert await waiting == [made["id"]]
        with pytest.raises(TimeoutError):
            await scene.zoom.wait_for(lambda: False, timeout=0.01)
