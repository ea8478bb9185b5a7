"""The ports listen before the bot is ready, and say why it is not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import aiohttp
import pytest

from bot.errors import StartError
from bot.runtime.app import App, opened
from bot.runtime.ports import Ports
from bot.sandbox.faults import Fault
from bot.web import WebLimits
from tests.conftest import QUICK, MakeWorld, World
from tests.ports import free_port
from tests.processes import Setting, Shell
from tests.test_stopping import HANGING_LOCK

ROUTES = (
    ("POST", "/webhook?secret=url-secret"),
    ("POST", "/webhook?secret=wrong"),
    ("POST", "/deauthorization?secret=url-secret"),
    ("POST", "/command"),
    ("POST", "/action"),
    ("POST", "/dialog"),
    ("GET", "/oauth2/connect?state=x"),
    ("GET", "/oauth2/complete?state=x&code=y"),
    ("POST", "/oauth2/complete"),
)


async def asked(http: aiohttp.ClientSession, url: str, method: str = "GET") -> tuple[int, str]:
    """The status and the text of an answer, which must come soon."""
    async with asyncio.timeout(3), http.request(method, url) as response:
        return response.status, await response.text()


async def reasons(http: aiohttp.ClientSession, admin_port: int) -> dict[str, str]:
    """Why the bot is not ready."""
    status, text = await asked(http, f"http://127.0.0.1:{admin_port}/readyz")
    assert status == 503
    found: dict[str, str] = json.loads(text)["reasons"]
    return found


@asynccontextmanager
async def starting(world: World) -> AsyncIterator[asyncio.Task[App]]:
    """A bot that starts while Mattermost is away; it has been refused once."""
    fault: Fault = world.mattermost.faults.add(503, times=-1, path="/users/me$")
    task = asyncio.create_task(world.start())
    try:
        async with asyncio.timeout(10):
            while not fault.hits:
                await asyncio.sleep(0)
        yield task
    finally:
        task.cancel()
        await asyncio.wait({task})


@pytest.fixture
async def world(make_world: MakeWorld) -> World:
    world = await make_world(start=False, web={"admin_port": free_port()})
    world.timings = replace(QUICK, start_patience_s=60)
    return world


async def test_while_mattermost_is_away_it_lives_and_says_why_it_is_not_ready(world: World) -> None:
    admin_port = world.config.web.admin_port
    async with starting(world):
        assert (await asked(world.http, f"http://127.0.0.1:{admin_port}/healthz"))[0] == 200
        assert (await asked(world.http, f"http://127.0.0.1:{admin_port}/metrics"))[0] == 200
        async with asyncio.timeout(10):
            while "not answered yet" in (why := await reasons(world.http, admin_port)).get("mattermost", ""):
                await asyncio.sleep(0)
        assert list(why) == ["mattermost"]
        assert "fault" in why["mattermost"]


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_every_public_route_asks_to_try_again(world: World, method: str, path: str) -> None:
    async with (
        starting(world),
        world.http.request(method, world.config.web.public_url + path, data=b"{}") as response,
    ):
        assert response.status == 503
        assert int(response.headers["Retry-After"]) > 0
        assert "starting" in await response.text()


async def test_a_webhook_that_comes_too_early_is_sent_again_by_zoom(world: World) -> None:
    await world.start()
    await world.link("alice")
    post, meeting = await world.meeting()
    await world.stop()
    async with starting(world) as task:
        await world.zoom.start(meeting.id)
        async with asyncio.timeout(10):
            while not [each for each in world.zoom.deliveries if each.status == 503]:
                await asyncio.sleep(0)
        world.mattermost.faults.clear()
        await task
        await world.shows(post, lambda now: now.props["meeting_status"] == "STARTED")


async def test_a_client_of_the_first_moment_is_served_afterwards(world: World) -> None:
    """Nobody keeps the connection on which they were told to wait."""
    url = world.config.web.public_url + "/oauth2/connect?state=x"
    async with starting(world) as task:
        assert (await asked(world.http, url))[0] == 503
        world.mattermost.faults.clear()
        await task
        assert (await asked(world.http, url))[0] == 400


async def test_who_gives_up_listens_no_more(world: World) -> None:
    await world.mattermost.stop()
    with pytest.raises(StartError, match=r"mattermost\.url"):
        async with opened(world.config, timings=replace(QUICK, start_patience_s=0.2)):
            pass
    for port in (world.config.web.port, world.config.web.admin_port):
        with pytest.raises(OSError, match=r"refused|failed"):
            await asyncio.open_connection("127.0.0.1", port)


async def test_a_store_that_is_slow_to_open_is_named_too(setting: Setting, shell: Shell) -> None:
    command = await shell.start(patches=HANGING_LOCK)
    await command.says("the lock is asked for")
    async with aiohttp.ClientSession() as http:
        assert list(await reasons(http, setting.admin_port)) == ["store"]
        assert (await asked(http, f"{setting.public_url}/webhook", "POST"))[0] == 503
    assert await command.stops() == 0


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0", "::", ""])  # noqa: S104
async def test_a_port_listens_on_every_address_of_its_host(world: World, host: str) -> None:
    config = replace(world.config.web, host=host, admin_port=0)
    ports = Ports(config, lambda: (b"", "text/plain"), WebLimits())
    try:
        await ports.open()
    except StartError:
        pytest.skip(f"this machine has no {host}")
    try:
        url = f"http://{'[::1]' if host == '::' else '127.0.0.1'}:{ports.public_port}/"
        assert (await asked(world.http, url))[0] == 503
    finally:
        await ports.close()
