"""The demo's own part: the first word is the bot's."""

from __future__ import annotations

from bot import demo
from tests.conftest import World


async def test_everybody_is_greeted_by_the_bot_itself(world: World) -> None:
    await demo.greet(world.bot.ctx)
    channels = [world.direct(name) for name in demo.PEOPLE]
    await world.mattermost.wait_for(lambda: all(world.mattermost.bot_posts(channel) for channel in channels))
    for channel in channels:
        assert "@zoom standup" in world.mattermost.bot_posts(channel)[0].message
