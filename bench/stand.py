"""Who is measured, and on what: the sandbox in this process; the bot and both floors in their own."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from bench.running import opened
from bot.sandbox.mattermost import Mattermost
from bot.sandbox.stage import Stage
from bot.sandbox.zoom import Meeting
from bot.sandbox.zoom.models import Event
from bot.sandbox.zoom.webhooks import encode
from tests.ports import free_port

Json = dict[str, Any]
ROOT = Path(__file__).parent.parent
CHANNEL = "dev"
# As many webhooks are under way at once, at most.
CONNECTIONS = 50
PATIENCE_S = 60.0


@dataclass
class Shown:
    """The posts of one person's channels as their socket brings them."""

    posts: dict[str, Json] = field(default_factory=dict)
    _waiting: list[tuple[Callable[[Json], bool], asyncio.Future[float]]] = field(default_factory=list)

    def expect(self, wanted: Callable[[Json], bool]) -> asyncio.Future[float]:
        """Done with the time (s) at which such a post comes."""
        future: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self._waiting.append((wanted, future))
        return future

    async def read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        """Take in what the socket brings, until it closes."""
        async for frame in socket:
            now, event = time.perf_counter(), json.loads(frame.data)
            if event.get("event") in ("posted", "post_edited"):
                self._take(json.loads(event["data"]["post"]), now)

    def _take(self, post: Json, now: float) -> None:
        self.posts[post["id"]] = post
        for entry in [entry for entry in self._waiting if entry[0](post)]:
            self._waiting.remove(entry)
            if not entry[1].done():
                entry[1].set_result(now)


@dataclass(frozen=True)
class Runner:
    """Who is measured: what it is called in a mention, where it takes webhooks, and its processes."""

    mention: str
    webhook_url: str
    asked: int
    told: int


def cpu_s(pid: int) -> float:
    """The CPU time (s) that a process has used."""
    # Linux has a clock for each process, whose number follows from the process's.
    return time.clock_gettime((~pid << 3) | 2)


class Stand:
    """Asks and tells the runners, and sees what they post."""

    def __init__(
        self, stage: Stage, floor: Runner, bot: Runner, http: aiohttp.ClientSession, shown: Shown, know: str
    ) -> None:
        self.stage = stage
        self.floor = floor
        self.bot = bot
        self.shown = shown
        self._http = http
        self._know = know
        self._topics = 0

    async def ask(self, runner: Runner) -> tuple[float, Json]:
        """Ask for a meeting: how soon (s) its post is on another person's socket, and the post."""
        self._topics += 1
        topic = f"topic {self._topics}"
        found: list[Json] = []

        def announces(post: Json) -> bool:
            if post["props"].get("meeting_topic") == topic:
                found.append(post)
            return bool(found)

        coming, began = self.shown.expect(announces), time.perf_counter()
        message = {"channel_id": self.stage.mattermost.channel(CHANNEL).id}
        message["message"] = f"@{runner.mention} {topic}"
        url = f"{self.stage.mattermost_url}/api/v4/posts"
        async with asyncio.timeout(PATIENCE_S):
            async with self._http.post(
                url, json=message, headers=bearer(self.stage.mattermost, "alice")
            ) as answer:
                answer.raise_for_status()
            return await coming - began, found[0]

    async def meetings(self, runner: Runner, number: int) -> list[tuple[Meeting, Json]]:
        """As many new meetings with their posts."""
        posts = [(await self.ask(runner))[1] for _ in range(number)]
        if runner is self.floor:
            known = {post["props"]["meeting_uuid"]: post for post in posts}
            async with self._http.post(self._know, json=known) as answer:
                answer.raise_for_status()
        return [(self.stage.zoom.meetings[post["props"]["meeting_id"]], post) for post in posts]

    async def tell(self, runner: Runner, event: Event) -> float:
        """Send a webhook: how soon (s) it is answered. Raises :class:`RuntimeError` if not with 200."""
        body = encode(event)
        headers = {"Content-Type": "application/json"} | self.stage.zoom.sign(body)
        began = time.perf_counter()
        async with self._http.post(runner.webhook_url, data=body, headers=headers) as answer:
            await answer.read()
        if answer.status != 200:
            raise RuntimeError(f"a webhook was answered with {answer.status}")
        return time.perf_counter() - began

    async def tell_all(self, runner: Runner, events: list[Event]) -> list[float]:
        """Send webhooks, ``CONNECTIONS`` at a time: how soon (s) each is answered."""
        slots = asyncio.Semaphore(CONNECTIONS)

        async def one(event: Event) -> float:
            async with slots:
                return await self.tell(runner, event)

        return await asyncio.gather(*(one(event) for event in events))

    async def tell_evenly(
        self, runner: Runner, make: Callable[[], Event], a_second: int, seconds: float
    ) -> list[float]:
        """Send webhooks at an even pace, whether or not they are answered: how soon (s) each is."""
        began, tasks = time.perf_counter(), []
        async with asyncio.TaskGroup() as group:
            for number in range(int(a_second * seconds)):
                await asyncio.sleep(max(0.0, began + number / a_second - time.perf_counter()))
                tasks.append(group.create_task(self.tell(runner, make())))
        return [task.result() for task in tasks]

    def expect(self, posts: list[Json], status: str) -> list[asyncio.Future[float]]:
        """When (s) each of these posts shows this status."""

        def shows(post: Json) -> Callable[[Json], bool]:
            return lambda now: now["id"] == post["id"] and now["props"].get("meeting_status") == status

        return [self.shown.expect(shows(post)) for post in posts]


def bearer(server: Mattermost, name: str) -> dict[str, str]:
    """The header of a person's calls."""
    return {"Authorization": f"Bearer {server.token(name)}"}


@asynccontextmanager
async def stood(extra_ms: float = 0.0, server_ms: float = 0.0) -> AsyncIterator[Stand]:
    """A stand. A write of the bot's disk takes ``extra_ms`` longer, a new post or an edit ``server_ms``."""
    async with AsyncExitStack() as stack:
        stage, process = await stack.enter_async_context(opened(extra_ms))
        asked, told, port = await _floors(stage, stack)
        url = f"http://127.0.0.1:{port}"
        floor = Runner("floor", f"{url}/webhook", asked.pid, told.pid)
        bot = Runner("zoom", stage.zoom.webhook_url, process.pid, process.pid)
        stage.zoom.webhook_url = ""
        http = await stack.enter_async_context(
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=2 * CONNECTIONS))
        )
        shown = Shown()
        socket = await stack.enter_async_context(
            http.ws_connect(
                f"{stage.mattermost_url}/api/v4/websocket",
                headers=bearer(stage.mattermost, "bob"),
                max_msg_size=0,
            )
        )
        reading = asyncio.create_task(shown.read(socket))
        stack.callback(reading.cancel)
        if server_ms:
            for method, path in (("POST", "/posts$"), ("PUT", "/patch$")):
                stage.mattermost.faults.add(times=-1, method=method, path=path, delay=server_ms / 1000)
        yield Stand(stage, floor, bot, http, shown, f"{url}/posts")


async def _floors(
    stage: Stage, stack: AsyncExitStack
) -> tuple[asyncio.subprocess.Process, asyncio.subprocess.Process, int]:
    mattermost, zoom, port = stage.mattermost, stage.zoom, free_port()
    account = mattermost.add_user("floor", is_bot=True)
    mattermost.join(account, CHANNEL)
    zoom.add_user("floor@demo.example")
    both = {"mattermost": f"{stage.mattermost_url}/api/v4", "mattermost_token": mattermost.token("floor")}
    zoom_token = zoom.grant("floor@demo.example")["access_token"]
    asked = await _script(
        "ask", {**both, "zoom": stage.zoom_api_url, "zoom_token": zoom_token, "name": "floor"}, stack
    )
    told = await _script("webhook", {**both, "secret": zoom.webhook_secret, "port": port}, stack)
    assert told.stdout is not None
    await told.stdout.readline()
    await mattermost.wait_for_socket("floor", timeout=30)
    return asked, told, port


async def _script(name: str, given: Json, stack: AsyncExitStack) -> asyncio.subprocess.Process:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", f"bench.floors.{name}"),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps(given).encode())
    process.stdin.close()

    async def end() -> None:
        if process.returncode is None:
            process.kill()
        await process.wait()

    stack.push_async_callback(end)
    return process
