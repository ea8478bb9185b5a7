"""The whole bot on the sandbox, over real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import trustme
from aiohttp import web_app
from yarl import URL

from bot.config import Config
from bot.core.timings import FeatureTimings
from bot.demo import config_of
from bot.mattermost import SocketTimings
from bot.retrying import Backoff
from bot.runtime.app import App, opened
from bot.runtime.listener import ListenerTimings
from bot.runtime.pace import EditLimits
from bot.runtime.timings import Timings
from bot.sandbox.mattermost import Channel, Mattermost, Post
from bot.sandbox.stage import Stage
from bot.sandbox.zoom import Meeting, Zoom
from bot.stores.opening import open_store
from bot.zoom import ZoomTimings
from tests.ports import free_port
from tests.processes import setting, shell
from tests.room import Room

ROOM = Room(Path(__file__))
QUICK = Timings(
    start_patience_s=5.0,
    edits=EditLimits(least_s=0.01, most_s=0.01),
    # The sandbox lists what it made at once, or when it is told to: waiting longer gains nothing.
    zoom=ZoomTimings(
        listed_after_s=0.05,
        backoff=Backoff(0.05, 0.4, attempts=3, least=0.5),
        token_backoff=Backoff(0.05, 0.1, attempts=3, least=0.5),
    ),
    socket=SocketTimings(backoff_base_s=0.01, backoff_cap_s=0.1),
    listener=ListenerTimings(cursor_s=0.05, retry_s=0.05),
    features=FeatureTimings(download_pauses_s=(0.0, 0.0), upload=Backoff(0.0, 0.0, 10)),
)


@dataclass
class World:
    """A stage with a bot on it. The bot may be closed and started again; the stage stays."""

    stage: Stage
    config: Config
    http: aiohttp.ClientSession
    timings: Timings = QUICK
    app: App | None = None
    # How far the clock of the bot's machine is ahead of the stage's.
    ahead_ms: int = 0
    _stack: contextlib.AsyncExitStack = field(default_factory=contextlib.AsyncExitStack)

    @property
    def mattermost(self) -> Mattermost:
        return self.stage.mattermost

    @property
    def zoom(self) -> Zoom:
        return self.stage.zoom

    @property
    def bot(self) -> App:
        assert self.app is not None
        return self.app

    def now(self) -> int:
        """The time on the bot's machine."""
        return self.stage.now() + self.ahead_ms

    async def start(self) -> App:
        """Start the bot, and wait until it listens."""
        self._stack = contextlib.AsyncExitStack()
        self.app = await self._stack.enter_async_context(
            opened(self.config, timings=self.timings, now=self.now)
        )
        running = asyncio.create_task(self.app.run())
        self._stack.push_async_callback(_end, running)
        await self.app.socket.opened()
        await self.mattermost.wait_for_socket()
        await self.app.listener.caught_up()
        return self.app

    async def stop(self) -> None:
        """Stop the bot in order."""
        self.app = None
        await self._stack.aclose()

    async def link(self, name: str) -> None:
        """Link a person's Zoom account, as quickly as it goes."""
        user = self.mattermost.user(name)
        oauth = self.bot.ctx.oauth
        verifier = "v" * 64
        back = await self.zoom.consent(oauth.authorize_url("state", verifier), f"{name}@demo.example")
        grant = await oauth.exchange(URL(back).query["code"], verifier)
        linked = self.bot.ctx.tokens.linked(user.id, grant, await self.bot.ctx.zoom.identify(grant))
        await self.bot.ctx.store.commit(*linked)
        self.zoom.clear_calls()
        self.mattermost.clear_calls()

    async def ask(self, name: str, channel: str | Channel, message: str, **more: Any) -> Post:
        """Post as a person and wait for the answer that carries the post's id."""
        asked = await self.mattermost.post(name, channel, message, **more)
        return await self.answer_to(asked)

    async def answer_to(self, asked: Post) -> Post:
        """The bot's answer to a post, wherever it is."""
        found = await self.mattermost.wait_for(lambda: self.answers_to(asked))
        return found[0]

    def answers_to(self, asked: Post) -> list[Post]:
        """All answers that there are to a post."""
        return [post for post in self.mattermost.bot_posts() if post.props.get("zoombot_trigger") == asked.id]

    async def meeting(
        self, name: str = "alice", channel: str = "dev", topic: str = "standup"
    ) -> tuple[Post, Meeting]:
        """A meeting that was asked for and announced."""
        post = await self.ask(name, channel, f"@zoom {topic}")
        return post, self.zoom.meetings[post.props["meeting_id"]]

    async def shows(self, post: Post, check: Callable[[Post], Any]) -> Post:
        """The post once it shows what ``check`` wants."""

        def now() -> list[Post]:
            return [each for each in self.mattermost.bot_posts() if each.id == post.id and check(each)]

        return (await self.mattermost.wait_for(now))[0]

    def direct(self, name: str) -> Channel:
        """A person's direct channel with the bot."""
        return self.mattermost.direct(name, self.mattermost.bot)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Two workers for each core: half of the time that a test takes, it waits."""
    return 2 * (os.cpu_count() or 1)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Leave what is imported and collected out of every search for garbage: it stays to the end anyway."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


# Outermost: to wait for the others is none of the test's own time.
@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Run tests of many at once alone: they promise a time on a machine that has nothing else to do."""
    with ROOM.entered(alone=item.get_closest_marker("load") is not None):
        return (yield)


def pytest_runtest_logfinish() -> None:
    """aiohttp keeps the handlers of the last 1024 routes that were asked for, and with them whole worlds. The search
    for garbage goes through all that is kept."""
    if kept := getattr(web_app, "_cached_build_middleware", None):
        kept.cache_clear()


@pytest.fixture(scope="session", autouse=True)
def small_trust(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """One authority in place of the system's hundreds, which sign nothing here: to read those three times for
    each bot would be most of its start."""
    path = tmp_path_factory.mktemp("trust") / "nobody.pem"
    trustme.CA().cert_pem.write_to_path(str(path))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(path))
        yield


@pytest.fixture(scope="session", autouse=True)
def compiled_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Where Python is told to write no bytecode, each process that a test starts would compile the bot anew: they
    share a folder that goes with the tests' own."""
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    with pytest.MonkeyPatch.context() as patch:
        if sys.dont_write_bytecode:
            patch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
            patch.setenv("PYTHONPYCACHEPREFIX", str(shared / "bytecode"))
        yield


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def world_of(folder: Path, **sections: dict[str, Any]) -> AsyncIterator[World]:
    """A stage and the configuration for it; the bot is not started."""
    stage = Stage()
    stage.zoom.retry_delays = (0.05, 0.1, 0.2)
    port = free_port()
    async with (
        stage.opened(f"http://127.0.0.1:{port}", "url-secret", "command-token"),
        aiohttp.ClientSession() as http,
    ):
        config = config_of(stage, folder, port)
        config = replace(config, web=replace(config.web, url_secret="url-secret"))
        config = replace(config, mattermost=replace(config.mattermost, command_token="command-token"))
        for name, values in sections.items():
            config = replace(config, **{name: replace(getattr(config, name), **values)})
        world = World(stage, config, http)
        try:
            yield world
        finally:
            await world.stop()
            assert stage.mattermost.unknown == []
            assert stage.zoom.unknown == []


MakeWorld = Callable[..., Awaitable[World]]


@asynccontextmanager
async def worlds_in(folder: Path) -> AsyncIterator[MakeWorld]:
    """Worlds with settings of their own: ``await make(meetings={"duplicate_window_ms": 0})``."""
    async with contextlib.AsyncExitStack() as stack:

        async def make(start: bool = True, **sections: dict[str, Any]) -> World:
            opened_world: AbstractAsyncContextManager[World] = world_of(folder, **sections)
            world = await stack.enter_async_context(opened_world)
            if start:
                await world.start()
            return world

        yield make


@pytest.fixture
async def make_world(tmp_path: Path) -> AsyncIterator[MakeWorld]:
    """Worlds with settings of their own: ``await make_world(meetings={"duplicate_window_ms": 0})``."""
    async with worlds_in(tmp_path) as make:
        yield make


@pytest.fixture
async def world(make_world: MakeWorld) -> World:
    """A running bot; alice and bob are linked, carol is not."""
    return await two_hosts(await make_world())


async def two_hosts(world: World) -> World:
    """The same with alice and bob linked."""
    await world.link("alice")
    await world.link("bob")
    return world


__all__ = ["MakeWorld", "World", "open_store", "setting", "shell", "two_hosts", "world_of", "worlds_in"]
