"""Several replicas of the bot on one stage and one database."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from yarl import URL

from bot.runtime.app import App, opened
from bot.sandbox.mattermost import Post
from tests.balancer import Balancer
from tests.conftest import World, world_of
from tests.ports import free_port
from tests.stores.server import new_database


@dataclass
class Cluster:
    """The replicas that run, and the world that they share. The world's own bot is the first."""

    world: World
    # Where replicas may listen, behind the load balancer.
    ports: list[int]
    apps: list[App] = field(default_factory=list)
    _stacks: dict[App, contextlib.AsyncExitStack] = field(default_factory=dict)

    async def start(self) -> App:
        """Start another replica, and wait until it works on its share."""
        stack = contextlib.AsyncExitStack()
        config = self.world.config
        config = replace(config, web=replace(config.web, port=self.ports.pop(), admin_port=free_port()))
        app = await stack.enter_async_context(opened(config, timings=self.world.timings, now=self.world.now))
        running = asyncio.create_task(app.run())
        stack.push_async_callback(_end, running)
        await app.socket.opened()
        self.apps.append(app)
        self._stacks[app] = stack
        self.world.app = self.world.app or app
        await self.balanced()
        return app

    async def balanced(self) -> None:
        """Wait until every replica has its share."""
        async with asyncio.timeout(20):
            while not self._is_balanced():
                await asyncio.sleep(0.02)

    def _is_balanced(self) -> bool:
        held = [len(app.claims.held) for app in self.apps]  # type: ignore[attr-defined]
        return sum(held) == GROUPS and max(held) - min(held) <= 2

    async def stop(self, app: App) -> None:
        """Stop a replica in order."""
        self.apps.remove(app)
        await self._stacks.pop(app).aclose()
        self.world.app = self.apps[0] if self.apps else None

    def at(self, app: App, url: str) -> str:
        """The same URL at one replica, past the load balancer."""
        return str(URL(url).with_port(app.public_port))

    async def settle(self) -> None:
        """Until everything is handled and posted."""
        await self.world.zoom.settle()
        for _ in range(3):
            for app in self.apps:
                await app.worker.idle()
                await app.publisher.idle()

    async def close(self) -> None:
        """Stop all."""
        for app in list(self.apps):
            await self.stop(app)

    async def ask(self, name: str, channel: Any, message: str) -> Post:
        """Post as a person and wait for the answer."""
        return await self.world.ask(name, channel, message)


GROUPS = 33


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[Cluster]:
    """Two replicas; alice and bob are linked."""
    async with world_of(
        tmp_path, store={"url": new_database()}, meetings={"duplicate_window_ms": 0}
    ) as world:
        cluster = Cluster(world, [free_port() for _ in range(4)])
        balancer = Balancer(world.config.web.port, cluster.ports, Random(1))  # noqa: S311
        await balancer.open()
        try:
            for _ in range(2):
                await cluster.start()
            await world.link("alice")
            await world.link("bob")
            yield cluster
        finally:
            await cluster.close()
            await balancer.close()
