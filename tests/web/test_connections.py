"""Clients that do not do their part: they lose their connection, and nobody else notices."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import aiohttp
import pytest
from yarl import URL

from bot.sandbox.faults import Fault
from bot.web import WebLimits
from tests.conftest import QUICK, MakeWorld, World
from tests.features.test_connect import invited
from tests.ports import free_port
from tests.processes import Setting, Shell
from tests.web.test_routes import EVENT, encode, send

BODY = "Host: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
FORM = BODY.replace("application/json", "application/x-www-form-urlencoded")
CHUNKS = BODY.replace("Content-Length: 100", "Transfer-Encoding: chunked").replace("{", "5\r\n{")
HALVES = {
    "nothing": "",
    "half a request line": "POST /webh",
    "half the headers": "POST /webhook?secret=url-secret HTTP/1.1\r\nHost: x\r\nConte",
    "half a webhook": f"POST /webhook?secret=url-secret HTTP/1.1\r\n{BODY}",
    "half a webhook of a stranger": f"POST /webhook HTTP/1.1\r\n{BODY}",
    "half a chunk": f"POST /webhook?secret=url-secret HTTP/1.1\r\n{CHUNKS}",
    "half a command": f"POST /command HTTP/1.1\r\n{FORM}",
    "half an action": f"POST /action HTTP/1.1\r\n{BODY}",
    "half a dialog": f"POST /dialog HTTP/1.1\r\n{BODY}",
    "half a confirmation": f"POST /oauth2/complete HTTP/1.1\r\n{FORM}",
    "half a body where none belongs": f"GET /oauth2/connect HTTP/1.1\r\n{BODY}",
    "half a body for nobody": f"POST /nowhere HTTP/1.1\r\n{BODY}",
    "one request and half the next": "GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\nGET /no",
    "an upgrade and then nothing": "GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nx",
    "one request and then silence": "GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n",
}
SHORT = WebLimits(head_s=0.1, body_s=0.1, idle_s=0.2, linger_s=0.1, grace_s=0.0)


async def with_limits(make_world: MakeWorld, limits: WebLimits) -> World:
    world = await make_world(start=False, web={"admin_port": free_port()})
    world.timings = replace(QUICK, web=limits)
    await world.start()
    return world


@asynccontextmanager
async def client(port: int, sent: str) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection on which something was sent."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(sent.encode())
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def ended(reader: asyncio.StreamReader) -> str:
    """What came until the bot closed the connection."""
    read = b""
    async with asyncio.timeout(10):
        with contextlib.suppress(ConnectionError):
            while piece := await reader.read(65536):
                read += piece
    return read.decode()


def troubles(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "bot.web.server"]


# Too slow


@pytest.mark.parametrize("sent", HALVES.values(), ids=HALVES)
async def test_a_client_that_stays_silent_is_cut_off(make_world: MakeWorld, sent: str) -> None:
    world = await with_limits(make_world, SHORT)
    for port in (world.bot.public_port, world.bot.admin_port):
        async with client(port, sent) as (reader, _):
            await ended(reader)
    assert (await send(world, encode(EVENT)))[0] == 200


@pytest.mark.parametrize("name", ["half a webhook", "half a chunk"])
async def test_zoom_sends_a_webhook_again_whose_body_does_not_come(make_world: MakeWorld, name: str) -> None:
    world = await with_limits(make_world, SHORT)
    async with client(world.bot.public_port, HALVES[name]) as (reader, _):
        assert (await ended(reader)).startswith("HTTP/1.1 503 ")


async def test_a_stranger_s_half_a_webhook_is_refused(make_world: MakeWorld) -> None:
    world = await with_limits(make_world, SHORT)
    async with client(world.bot.public_port, HALVES["half a webhook of a stranger"]) as (reader, _):
        assert (await ended(reader)).startswith("HTTP/1.1 403 ")


@pytest.mark.parametrize("name", ["half a command", "half an action", "half a dialog"])
async def test_whose_body_does_not_come_is_told_so(make_world: MakeWorld, name: str) -> None:
    world = await with_limits(make_world, SHORT)
    async with client(world.bot.public_port, HALVES[name]) as (reader, _):
        assert (await ended(reader)).startswith("HTTP/1.1 408 ")


async def test_a_byte_now_and_then_gains_no_time(make_world: MakeWorld) -> None:
    world = await with_limits(make_world, SHORT)
    for begin in (HALVES["half a request line"], HALVES["half a webhook"]):
        async with client(world.bot.public_port, begin) as (reader, writer):
            closing = asyncio.create_task(ended(reader))
            async with asyncio.timeout(10):
                while not closing.done():
                    writer.write(b"x")
                    await asyncio.wait({closing}, timeout=0.02)
            await closing


async def test_a_client_that_does_not_read_its_answers_is_cut_off(make_world: MakeWorld) -> None:
    world = await with_limits(make_world, SHORT)

    async def ask_for_ever(writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n" * 50)
            await writer.drain()

    async with client(world.bot.admin_port, "") as (_, writer), asyncio.timeout(20):
        with pytest.raises(ConnectionError):
            await ask_for_ever(writer)


async def test_a_client_that_goes_away_in_the_middle_of_its_body_is_no_error(
    make_world: MakeWorld, caplog: pytest.LogCaptureFixture
) -> None:
    world = await with_limits(make_world, WebLimits())
    for name in ("half a webhook", "half a command", "half an action"):
        async with client(world.bot.public_port, HALVES[name]):
            pass
    assert (await send(world, encode(EVENT)))[0] == 200
    await world.stop()
    assert [each.getMessage() for each in caplog.records if each.exc_info and "bot" in each.name] == []


async def test_a_connection_lives_on_between_its_requests(make_world: MakeWorld) -> None:
    world = await with_limits(make_world, WebLimits())
    sent = "GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n"
    async with client(world.bot.public_port, sent) as (reader, writer):
        for _ in range(3):
            assert b" 404 " in await reader.readline()
            await reader.readuntil(b"404: Not Found")
            writer.write(sent.encode())


# Too many


@asynccontextmanager
async def crowd(port: int, number: int) -> AsyncIterator[None]:
    """Clients that send halves of all kinds, and stay."""
    halves = list(HALVES.values())
    async with contextlib.AsyncExitStack() as stack:
        for index in range(number):
            with contextlib.suppress(ConnectionError):
                await stack.enter_async_context(client(port, halves[index % len(halves)]))
        yield


async def test_four_hundred_that_stay_keep_nobody_out(
    make_world: MakeWorld, caplog: pytest.LogCaptureFixture
) -> None:
    world = await with_limits(make_world, WebLimits(connections=8, admin_connections=8, grace_s=0.0))
    async with crowd(world.bot.public_port, 400), crowd(world.bot.admin_port, 100):
        assert (await send(world, encode(EVENT)))[0] == 200
        async with world.http.get(f"http://127.0.0.1:{world.bot.admin_port}/readyz") as response:
            assert response.status == 200
    # Of each kind one line at once; what came later is counted.
    lines = troubles(caplog)
    assert any("8 connections are open" in line for line in lines)
    assert len(lines) == len(set(lines)) < 10


async def test_a_request_that_is_worked_on_is_not_cut_off_for_others(make_world: MakeWorld) -> None:
    world = await with_limits(make_world, WebLimits(connections=4, grace_s=0.0))
    url = await invited(world)
    async with world.http.get(url, allow_redirects=False) as response:
        back = await world.zoom.consent(response.headers["Location"], "carol@demo.example")
    fault: Fault = world.zoom.faults.add(path="/oauth/token", delay=0.3)
    asking = asyncio.create_task(world.http.get(back))
    async with asyncio.timeout(10):
        while not fault.hits:
            await asyncio.sleep(0)
    async with crowd(world.bot.public_port, 40), await asking as response:
        assert response.status == 200
        assert "Link this Zoom account" in await response.text()


async def test_where_all_are_worked_on_the_next_waits(make_world: MakeWorld) -> None:
    world = await with_limits(make_world, WebLimits(connections=1))
    async with aiohttp.ClientSession(headers={"Connection": "close"}) as http:
        url = world.config.web.public_url + "/oauth2/connect"
        answers = await asyncio.gather(*(http.get(url) for _ in range(30)))
        assert {answer.status for answer in answers} == {400}
        for answer in answers:
            answer.release()


async def test_a_client_that_has_just_come_is_given_a_moment(make_world: MakeWorld) -> None:
    world = await with_limits(make_world, WebLimits(connections=1, grace_s=0.3))
    port, head = world.bot.public_port, "GET /nowhere HTTP/1.1\r\nHost: x\r\n"
    async with client(port, head[:15]) as (reader, writer), client(port, head + "\r\n") as (other, _):
        writer.write(head[15:].encode() + b"Connection: close\r\n\r\n")
        assert b" 404 " in await reader.readline()
        assert b" 404 " in await other.readline()


async def test_a_process_with_few_descriptors_lives_through_it(setting: Setting, shell: Shell) -> None:
    command = await shell.start(before="ulimit -n 128")
    await command.says(" ready")
    admin = URL(f"http://127.0.0.1:{setting.admin_port}")
    async with crowd(setting.port, 400), crowd(setting.admin_port, 200), aiohttp.ClientSession() as http:
        for path in ("healthz", "readyz"):
            async with http.get(admin / path) as response:
                assert response.status == 200
        delivery = await setting.stage.zoom.deliver("meeting.started", {"object": {"id": "1", "uuid": "u"}})
        assert delivery.status == 200
    assert await command.stops() == 0
    assert len(command.err) < 40
