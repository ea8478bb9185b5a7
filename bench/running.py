"""The real process on the sandbox, with people whose accounts are linked."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

from bot.sandbox.stage import Stage
from tests.chaos.crowd import Crowd
from tests.chaos.process import COMMAND_TOKEN, URL_SECRET, Bot


@asynccontextmanager
async def running() -> AsyncIterator[Stage]:
    """The stage of a bot that runs until the end of the block."""
    async with opened() as (stage, _):
        yield stage


@asynccontextmanager
async def opened(extra_ms: float = 0.0) -> AsyncIterator[tuple[Stage, Bot]]:
    """The same with its process. Each write to its disk takes ``extra_ms`` longer."""
    stage = Stage()
    program = ("bench.process", "--extra-ms", str(extra_ms)) if extra_ms else ("bot", "run")
    with tempfile.TemporaryDirectory(prefix="zoombot-bench-") as folder:
        bot = Bot(Path(folder), program)
        async with stage.opened(bot.public_url, URL_SECRET, COMMAND_TOKEN):
            bot.configure(stage)
            stage.zoom.daily_creates = 1_000_000
            crowd = Crowd(stage, Random(1), pause_s=1.0)  # noqa: S311
            crowd.settle_in()
            await bot.start()
            try:
                await stage.mattermost.wait_for_socket(timeout=30)
                watching = asyncio.create_task(crowd.watch_for_ever())
                await crowd.link()
                watching.cancel()
                yield stage, bot
            finally:
                await bot.stop()
