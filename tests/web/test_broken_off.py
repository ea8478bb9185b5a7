"""Requests that break off or whose body cannot be read: nothing is wrong with the bot then."""

from __future__ import annotations

import asyncio
import logging

import pytest
from yarl import URL

from tests.conftest import World

ROUTES = [
    "/webhook?secret={}",
    "/deauthorization?secret={}",
    "/command",
    "/action",
    "/dialog",
    "/oauth2/complete",
]
FORM, JSON = "application/x-www-form-urlencoded", "application/json"


async def send(world: World, path: str, *headers: str, body: bytes, wait: bool) -> bytes:
    """Send a request by hand; what is answered, or nothing if the client goes at once."""
    base = URL(world.config.web.public_url)
    kind = JSON if "secret" in path else FORM
    path = path.format(world.config.web.url_secret)
    reader, writer = await asyncio.open_connection(base.host, base.port)
    head = "\r\n".join(
        [f"POST {base.path.rstrip('/')}{path} HTTP/1.1", "Host: x", f"Content-Type: {kind}", *headers]
    )
    writer.write(head.encode() + b"\r\n\r\n" + body)
    await writer.drain()
    answer = await reader.read() if wait else b""
    writer.close()
    await writer.wait_closed()
    return answer


async def still_serves(world: World) -> None:
    """The bot has seen what came before, and goes on."""
    for _ in range(3):
        async with world.http.get(world.bot.ctx.url("/oauth2/connect", state="x")) as response:
            assert response.status == 400


def troubles(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [each.getMessage() for each in caplog.records if each.levelno >= logging.ERROR or each.exc_info]


@pytest.mark.parametrize("path", ROUTES)
async def test_a_client_that_goes_in_the_middle_of_its_body_is_no_error(
    world: World, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    await send(world, path, "Content-Length: 100", body=b"half", wait=False)
    await send(world, path, "Transfer-Encoding: chunked", body=b"4\r\nha", wait=False)
    await still_serves(world)
    assert troubles(caplog) == []


@pytest.mark.parametrize("path", ROUTES)
async def test_a_body_that_is_not_encoded_as_it_says_is_no_error(
    world: World, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    # Zoom sends an event again only after 5xx.
    status = b" 503 " if "secret" in path else b" 400 "
    bad = ["Content-Encoding: gzip", "Content-Length: 8", "Connection: close"]
    assert status in await send(world, path, *bad, body=b"not gzip", wait=True)
    chunked = ["Transfer-Encoding: chunked", "Connection: close"]
    # This is no HTTP, so it is not of Zoom.
    assert b" 400 " in await send(world, path, *chunked, body=b"zz\r\nxx\r\n", wait=True)
    await still_serves(world)
    assert troubles(caplog) == []
