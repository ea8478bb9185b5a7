"""The demo's own part: the first word is the bot's."""

from __future__ import annotations

import asyncio

from bot import demo
from bot.sandbox.stage import Stage
from tests.conftest import World


async def test_everybody_is_greeted_by_the_bot_itself(world: World) -> None:
    await demo.greet(world.bot.ctx)
    channels = [world.direct(name) for name in demo.PEOPLE]
    await world.mattermost.wait_for(lambda: all(world.mattermost.bot_posts(channel) for channel in channels))
    for channel in channels:
        assert "@zoom standup" in world.mattermost.bot_posts(channel)[0].message


async def test_the_bot_goes_by_the_clock_that_people_move_on() -> None:
    stage, said = Stage(), asyncio.Event()
    playing = asyncio.create_task(demo.run(stage, browser=False, say=lambda line: said.set()))
    await asyncio.wait({playing, asyncio.ensure_future(said.wait())}, return_when=asyncio.FIRST_COMPLETED)
    stage.zoom.clock.advance(24 * 3600)
    about = {"id": "1", "uuid": "u==", "topic": "none of ours"}
    assert (await stage.zoom.deliver("meeting.started", {"object": about})).status == 200
    playing.cancel()
    await asyncio.wait({playing})
