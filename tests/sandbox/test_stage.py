"""The stage of the demo: one clock for Zoom, Mattermost and the bot."""

from __future__ import annotations

from email.utils import parsedate_to_datetime

from tests.conftest import World

DAY_S = 24 * 3600


async def test_the_bot_and_both_servers_keep_working_when_the_clock_is_advanced(world: World) -> None:
    before = world.stage.now()
    world.zoom.clock.advance(DAY_S)
    assert world.stage.now() - before >= DAY_S * 1000
    post, meeting = await world.meeting()
    assert post.create_at - before >= DAY_S * 1000
    await world.zoom.start(meeting.id)
    assert world.zoom.deliveries
    assert all(delivery.accepted for delivery in world.zoom.deliveries)
    await world.shows(post, lambda shown: shown.props["meeting_status"] == "STARTED")


async def test_mattermost_uses_the_same_clock_for_its_date_header(world: World) -> None:
    world.zoom.clock.advance(DAY_S)
    async with world.http.get(f"{world.mattermost.url}/api/v4/system/ping") as response:
        told = parsedate_to_datetime(response.headers["Date"]).timestamp()
    assert abs(told - world.stage.now() / 1000) < 60
