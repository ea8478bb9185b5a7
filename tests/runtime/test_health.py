"""What the operator's port says of a bot that is well, and of one that is not."""

from __future__ import annotations

import contextlib
import dataclasses

import aiohttp

from bot.errors import ZoomError
from tests.conftest import MakeWorld, World

METRICS = (
    "zoombot_inbox_waiting",
    "zoombot_inbox_oldest_seconds",
    "zoombot_items_total",
    "zoombot_retries_total",
    "zoombot_handling_seconds",
    "zoombot_zoom_calls_total",
    "zoombot_webhooks_total",
    "zoombot_webhook_answer_seconds",
    "zoombot_posts_waiting",
    "zoombot_edit_pause_seconds",
    "zoombot_post_retries_total",
    "zoombot_log_lines_dropped_total",
    "zoombot_posts_refused_total",
    "zoombot_unreachable_people",
    "zoombot_store_writable",
    "zoombot_socket_open",
    "zoombot_socket_connects_total",
    "zoombot_socket_resumes_total",
    "zoombot_socket_deaf_total",
    "zoombot_catch_ups_total",
    "zoombot_caught_requests_total",
    "zoombot_unread_channels",
    "zoombot_unreadable_posts_total",
    "zoombot_passed_over_total",
    "zoombot_reconciled_meetings_total",
    "zoombot_orphans_removed_total",
    "zoombot_token_refreshes_total",
    "zoombot_token_refusals_total",
    "zoombot_leader",
    "zoombot_claims_taken_over_total",
    "zoombot_oldest_unclaimed_seconds",
    "zoombot_store_connections",
)


async def read(world: World, path: str) -> tuple[int, str]:
    address = f"http://127.0.0.1:{world.bot.admin_port}{path}"
    async with world.http.get(address, timeout=aiohttp.ClientTimeout(5)) as response:
        return response.status, await response.text()


async def reasons(world: World) -> set[str]:
    address = f"http://127.0.0.1:{world.bot.admin_port}/readyz"
    async with world.http.get(address) as response:
        body = await response.json()
        assert (response.status == 200) is (body["status"] in ("ready", "degraded"))
        assert (body["status"] == "ready") is ("reasons" not in body)
        return set(body.get("reasons", {}))


async def test_a_bot_that_is_well_is_ready(world: World) -> None:
    assert await read(world, "/healthz") == (200, '{"status": "ok"}')
    assert await reasons(world) == set()


async def test_without_mattermost_it_lives_and_is_not_ready(world: World) -> None:
    await world.mattermost.stop()
    while await reasons(world) != {"mattermost"}:
        pass
    assert (await read(world, "/healthz"))[0] == 200
    await world.mattermost.start()
    await world.bot.socket.opened()
    assert await reasons(world) == set()


async def test_credentials_that_zoom_refuses_are_named_until_it_accepts_them(world: World) -> None:
    oauth = world.bot.ctx.oauth
    secret, world.zoom.client_secret = world.zoom.client_secret, "another"
    world.zoom.expire_tokens()
    await world.mattermost.post("alice", "dev", "@zoom standup")
    await world.bot.worker.idle()
    with contextlib.suppress(ZoomError):
        await oauth.refresh("whatever")
    assert await reasons(world) == {"zoom"}
    world.zoom.client_secret = secret
    await world.ask("alice", "dev", "@zoom standup")
    assert await reasons(world) == set()


async def test_every_promise_has_its_metric(world: World) -> None:
    post, meeting = await world.meeting()
    await world.zoom.start(meeting.id)
    await world.shows(post, lambda post: post.props["meeting_status"] == "STARTED")
    status, text = await read(world, "/metrics")
    assert status == 200
    missing = [name for name in METRICS if f"\n{name}" not in text]
    assert missing == []
    assert 'zoombot_webhooks_total{status="200"} 2.0' in text
    assert "zoombot_store_writable 1.0" in text
    assert "zoombot_socket_open 1.0" in text
    # A bot alone with its file leads.
    assert "\nzoombot_leader 1.0" in text
    assert "\nzoombot_claims_taken_over_total 0.0" in text
    assert "\nzoombot_oldest_unclaimed_seconds 0.0" in text
    assert "\nzoombot_store_connections 0.0" in text


async def test_a_disabled_bot_account_is_named_until_it_is_enabled(make_world: MakeWorld) -> None:
    world = await make_world(start=False)
    quick = dataclasses.replace(world.timings.socket, ping_s=0.05)
    world.timings = dataclasses.replace(world.timings, socket=quick, broken_pause_s=0.05)
    await world.start()
    world.mattermost.disable("zoom")
    while "mattermost.token" not in (await read(world, "/readyz"))[1]:
        pass
    status, said = await read(world, "/readyz")
    assert status == 503
    assert "Mattermost refuses the token" in said
    assert "enable the bot account" in said
    assert world.config.mattermost.token not in said
    world.mattermost.enable("zoom")
    await world.bot.socket.opened()
    await world.bot.listener.caught_up()
    assert "mattermost" not in await reasons(world)


async def test_a_lost_connection_is_not_blamed_on_the_token(world: World) -> None:
    await world.mattermost.stop()
    while (await read(world, "/readyz"))[0] == 200:
        pass
    assert "the socket is not open" in (await read(world, "/readyz"))[1]
