"""The token is shown nowhere, and follows no redirect."""

from __future__ import annotations

import contextlib
import logging
import traceback
from collections.abc import Iterator

import aiohttp
import pytest
from aiohttp import web

from bot.errors import MattermostError, MattermostTokenError
from bot.mattermost import Mattermost, open_session
from bot.sandbox.mattermost import Mattermost as Sandbox
from tests.mattermost.listeners import RecordingListener, bot_listener, odd_server

FAULTS: list[dict[str, object]] = [
    {"status": 400},
    {"status": 403},
    {"status": 404},
    {"status": 500},
    {"status": 503, "body": "<html>"},
    {"status": 429, "headers": {"Retry-After": "60"}},
    {"status": 200, "body": "junk"},
    {"status": 302, "headers": {"Location": "/elsewhere"}, "body": ""},
    {"drop": True},
]


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error, and all that came before it."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def shown(error: BaseException) -> str:
    """Everything that a log or a crash report could show of an error."""
    parts = traceback.format_exception(error)
    for each in chain(error):
        parts += [repr(each), str(each), repr(vars(each)), repr(each.args)]
    return "\n".join(parts)


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG)
    for name in ("mattermostdriver.api", "mattermostdriver.websocket", "aiohttp.client", "asyncio"):
        caplog.set_level(logging.DEBUG, name)
    return caplog


def logged(log: pytest.LogCaptureFixture) -> str:
    return "\n".join([log.text, *(repr(vars(record)) for record in log.records)])


@pytest.mark.parametrize("fault", FAULTS, ids=str)
async def test_no_failed_call_shows_the_token(
    mattermost: Mattermost, server: Sandbox, log: pytest.LogCaptureFixture, fault: dict[str, object]
) -> None:
    server.faults.add(times=-1, **fault)  # type: ignore[arg-type]
    with pytest.raises(MattermostError) as caught:
        await mattermost.me()
    assert server.bot_token not in shown(caught.value)
    assert server.bot_token not in logged(log)


@pytest.mark.parametrize("fault", FAULTS, ids=str)
async def test_no_failed_handshake_shows_the_token(
    http: aiohttp.ClientSession, server: Sandbox, log: pytest.LogCaptureFixture, fault: dict[str, object]
) -> None:
    options = {**fault, "headers": {**fault.get("headers", {}), "Retry-After": "0"}}  # type: ignore[dict-item]
    server.faults.add(times=2, path="/websocket", **options)  # type: ignore[arg-type]
    async with bot_listener(http, server) as listener:
        await server.post("alice", "dev", "hello")
        await listener.until(lambda: listener.messages)
    assert "next attempt" in log.text
    assert server.bot_token not in logged(log)


async def test_no_refused_token_is_shown(
    http: aiohttp.ClientSession, server: Sandbox, log: pytest.LogCaptureFixture
) -> None:
    token = "hush-hush-hush"
    with pytest.raises(MattermostTokenError) as rest:
        await Mattermost(http, server.url, token).me()
    with pytest.raises(MattermostTokenError) as socket:
        await RecordingListener(http, server.url, token).run()
    for error in (rest.value, socket.value):
        assert token not in shown(error)
    assert token not in logged(log)


async def test_no_unreachable_server_shows_the_token(
    http: aiohttp.ClientSession, server: Sandbox, log: pytest.LogCaptureFixture
) -> None:
    await server.stop()
    with pytest.raises(MattermostError) as caught:
        await Mattermost(http, server.url, server.bot_token).me()
    assert server.bot_token not in shown(caught.value)
    assert server.bot_token not in logged(log)


async def test_no_repr_shows_the_token(http: aiohttp.ClientSession, server: Sandbox) -> None:
    client = Mattermost(http, server.url, server.bot_token)
    listener = RecordingListener(http, server.url, server.bot_token)
    for each in (
        client,
        client._rest,
        client._api,
        client._api.client,
        listener.socket,
        listener.socket._rest,
        http,
    ):
        assert server.bot_token not in repr(each)
    assert server.bot_token not in repr(client._api.options)


async def test_the_socket_follows_no_redirect(server: Sandbox, log: pytest.LogCaptureFixture) -> None:
    seen: list[str] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        seen.append(request.headers.get("Authorization", ""))
        return web.Response()

    async with odd_server(handle) as elsewhere, open_session() as http:
        server.faults.add(302, path="/websocket", body="", headers={"Location": f"{elsewhere}/x"}, times=2)
        async with bot_listener(http, server):
            pass
        assert f"redirects to {elsewhere}/x" in log.text
    assert seen == []


async def test_no_cookie_is_kept(http: aiohttp.ClientSession, server: Sandbox) -> None:
    cookie = {"Set-Cookie": "MMAUTHTOKEN=stolen; Path=/"}
    server.faults.add(500, headers=cookie)
    client = Mattermost(http, server.url, server.bot_token)
    with contextlib.suppress(MattermostError):
        await client.me()
    assert len(http.cookie_jar) == 0
