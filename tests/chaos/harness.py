"""One run: load, kills, restarts, and the verdict."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from random import Random

from bot.sandbox.stage import Stage
from tests.chaos.crowd import Crowd
from tests.chaos.process import COMMAND_TOKEN, URL_SECRET, Bot
from tests.chaos.replicas import Bots
from tests.chaos.verdict import Figures, is_settled, judge

Say = Callable[[str], None]

# Zoom's own tries come after 5, 20 and 60 minutes; a life here lasts seconds.
RETRY_DELAYS = (1.0, 3.0, 6.0)
# What is not settled by then never is: Zoom may list a meeting late, and it is looked for ever more rarely.
SETTLE_S = 150.0
LONGEST_LIFE_S = 2.5


async def run(
    kills: int,
    seed: int,
    *,
    pause_s: float = 0.1,
    settle_s: float = SETTLE_S,
    keep: Path | None = None,
    replicas: int = 0,
    say: Callable[[str], None] = print,
) -> Figures:
    """Kill the bot ``kills`` times. At the end all must be settled within ``settle_s``, once with the last
    process and once with its successor. ``keep`` is where its files go, a temporary place if it is None.
    ``replicas``: so many on one PostgreSQL database, which restarts now and then; 0 is one with TinyDB."""
    began = time.monotonic()
    figures = Figures(kills=kills)
    async with contextlib.AsyncExitStack() as stack:
        folder = keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="zoombot-chaos-")))
        bot = Bots(folder, replicas, Random(seed + 2)) if replicas else Bot(folder)  # noqa: S311
        if isinstance(bot, Bots):
            stack.callback(bot.server.remove)
        stage = Stage()
        stack.push_async_callback(bot.close)
        await bot.open()
        await stack.enter_async_context(stage.opened(bot.public_url, URL_SECRET, COMMAND_TOKEN))
        stage.zoom.retry_delays = RETRY_DELAYS
        stage.zoom.daily_creates = 1_000_000_000
        stage.zoom.lists_waiting = True
        stage.zoom.delay = 0.02
        bot.configure(stage)
        crowd = Crowd(stage, Random(seed), pause_s=pause_s)  # noqa: S311
        crowd.settle_in()
        await _storm(bot, stage, crowd, kills, Random(seed + 1), say)  # noqa: S311
        await _subside(bot, stage, crowd, settle_s)
        await _calm(bot, stage, crowd, figures, settle_s)
        await judge(crowd, bot.store, figures)
        figures.count("ends that nobody asked for", [f"exit status {status}" for status in bot.surprises])
        figures.count("tracebacks in the log", [""] * bot.tracebacks())
        figures.count("faults of the harness", [repr(failure) for failure in crowd.failures])
    figures.seconds = time.monotonic() - began
    return figures


async def _storm(bot: Bot | Bots, stage: Stage, crowd: Crowd, kills: int, random: Random, say: Say) -> None:
    await bot.start()
    await stage.mattermost.wait_for_socket(timeout=30)
    async with _running(crowd.watch_for_ever()):
        await crowd.link()
        async with _running(crowd.ask_for_ever(), crowd.distract_for_ever(), crowd.trouble_for_ever()):
            for kill in range(1, kills + 1):
                await _aim(bot, stage, random)
                await bot.strike()
                # Now and then Zoom is slow to list what it has just made.
                stage.zoom.lists_waiting = random.random() < 0.8
                await asyncio.sleep(random.uniform(0, 0.3))
                await bot.start()
                if kill % 20 == 0:
                    say(f"{kill} kills, {len(crowd.asked)} messages")


async def _subside(bot: Bot | Bots, stage: Stage, crowd: Crowd, settle_s: float) -> None:
    """Nobody asks any more; the last process answers what is owed, and dies too."""
    stage.mattermost.faults.clear()
    stage.zoom.faults.clear()
    async with _running(crowd.watch_for_ever()):
        await crowd.finish()
        await crowd.reconnect()
        with contextlib.suppress(TimeoutError):
            await stage.mattermost.wait_for(lambda: not crowd.owed(), settle_s)
        await crowd.finish()
    await bot.kill()
    await crowd.leave_in_silence()
    stage.zoom.lists_waiting = True


async def _calm(bot: Bot | Bots, stage: Stage, crowd: Crowd, figures: Figures, settle_s: float) -> None:
    """The last process puts everything right, and stops in order."""
    await bot.start()
    began = time.monotonic()
    async with _running(crowd.watch_for_ever()):
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(settle_s):
                # What is waited for changes at both servers, and costs a walk through everything.
                while not is_settled(crowd):
                    await asyncio.sleep(0.3)
        figures.slowest_recovery_s = time.monotonic() - began
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(settle_s):
                await _quiet(stage)
        await crowd.finish()
    await bot.stop()


async def _quiet(stage: Stage) -> None:
    """Time for a second answer, if there is one on its way, and for what the bot asks Zoom by itself."""
    calls = -1
    while calls != len(stage.zoom.calls):
        calls = len(stage.zoom.calls)
        await asyncio.sleep(1.0)


async def _aim(bot: Bot | Bots, stage: Stage, random: Random) -> None:
    """Wait for the moment of the kill: any, or right after something that must not be torn apart."""
    mattermost, zoom = stage.mattermost, stage.zoom
    posts, created, deliveries = len(mattermost.world.history.posts), len(zoom.created), len(zoom.deliveries)
    refreshes, enough = zoom.refreshes, random.randrange(1, 6)
    aims: list[Callable[[], bool]] = [
        lambda: len(zoom.created) >= created + enough,
        lambda: len(zoom.deliveries) >= deliveries + 2 * enough,
        lambda: len(mattermost.world.history.posts) >= posts + 2 * enough,
        lambda: zoom.refreshes > refreshes,
    ]
    choice = random.random()
    if choice < 0.1:
        # While it starts.
        await asyncio.sleep(random.uniform(0, 1.0))
        return
    with contextlib.suppress(TimeoutError):
        await mattermost.wait_for_socket(timeout=15)
    if choice < 0.5:
        await asyncio.sleep(random.uniform(0, LONGEST_LIFE_S))
        return
    aim = random.choices(aims, weights=(5, 4, 4, 1))[0]
    server = mattermost if aim is aims[2] else zoom
    with contextlib.suppress(TimeoutError):
        await server.wait_for(aim, LONGEST_LIFE_S)
    await asyncio.sleep(random.choice((0.0, random.uniform(0, 0.03))))


@contextlib.asynccontextmanager
async def _running(*works: Coroutine[None, None, None]) -> AsyncIterator[None]:
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        for outcome in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(outcome, Exception):
                raise outcome
