"""The sandbox's Mattermost as a server: TLS, stopping during a response, load."""

from __future__ import annotations

import asyncio
import ssl
import time

import aiohttp
import pytest
import trustme

from bot.sandbox.mattermost import Mattermost
from tests.sandbox.mattermostkit import Client


async def test_sockets_over_tls_are_cut_and_resumed() -> None:
    ca = trustme.CA()
    served, trusted = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH), ssl.create_default_context()
    ca.issue_cert("127.0.0.1").configure_cert(served)
    ca.configure_trust(trusted)
    async with (
        Mattermost(ssl_context=served) as server,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trusted)) as http,
    ):
        assert server.url.startswith("https://")
        url, headers = f"{server.url}/api/v4/websocket", {"Authorization": f"Bearer {server.bot_token}"}
        async with http.ws_connect(url, headers=headers) as socket:
            id = (await socket.receive_json())["data"]["connection_id"]
            await server.drop_sockets()
            assert (await socket.receive(timeout=5)).type is not aiohttp.WSMsgType.TEXT
        await server.post("alice", "dev", "missed")
        query = f"?connection_id={id}&sequence_number=1"
        async with http.ws_connect(url + query, headers=headers) as socket:
            assert (await socket.receive_json())["seq"] == 1


async def test_stopping_cuts_responses_in_progress(server: Mattermost, zoom: Client) -> None:
    server.faults.add(delay=30)
    asking = asyncio.create_task(zoom.get("/users/me"))
    await server.wait_for(lambda: server.calls)
    await server.stop()
    await server.stop()
    with pytest.raises(aiohttp.ClientError):
        await asking
    await server.start()
    assert (await zoom.get("/users/me"))["id"] == server.bot_id


async def test_a_long_history_stays_fast(server: Mattermost, zoom: Client) -> None:
    for number in range(10_000):
        await server.post("alice", "dev", str(number))
    dev, started = server.channel("dev").id, time.monotonic()
    for _ in range(20):
        assert (await zoom.write(dev, "@bob"))[0] == 201
        await zoom.get(f"/channels/{dev}/posts?per_page=200")
        await zoom.get(f"/channels/{dev}/posts?since={server.world.now()}")
    assert time.monotonic() - started < 5
