"""Third-party clients work with the sandbox's Mattermost."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from mattermostautodriver import AsyncTypedDriver
from mattermostautodriver.exceptions import (
    InvalidOrMissingParameters,
    NoAccessTokenProvided,
    NotEnoughPermissions,
    ResourceNotFound,
)
from yarl import URL

from bot.sandbox.mattermost import Mattermost

NODE = shutil.which("node")
NODE_MODULES = os.environ.get("ZOOMBOT_NODE_MODULES", "")


def options(server: Mattermost, **more: str) -> dict[str, Any]:
    url = URL(server.url)
    return {"scheme": "http", "url": url.host, "port": url.port, "keepalive": False} | more


@pytest.fixture
async def driver(server: Mattermost) -> AsyncIterator[Any]:
    """The generated client with the bot's token."""
    async with AsyncTypedDriver(options(server, token=server.bot_token)) as logged_in:
        await logged_in.login()
        yield logged_in


async def test_a_person_logs_in_with_a_password(server: Mattermost) -> None:
    async with AsyncTypedDriver(options(server, login_id="bob", password="demo")) as bob:
        await bob.login()
        assert (await bob.users.get_user("me"))["username"] == "bob"


async def test_the_driver_finds_users_and_channels(server: Mattermost, driver: Any) -> None:
    alice, dev, team = server.user("alice"), server.channel("dev"), server.team()
    assert (await driver.users.get_user("me"))["is_bot"] is True
    assert (await driver.users.get_user_by_username("alice"))["id"] == alice.id
    assert (await driver.users.get_user_by_email(alice.email))["id"] == alice.id
    assert len(await driver.users.get_users_by_ids([alice.id, server.bot_id])) == 2
    assert (await driver.teams.get_team_by_name("demo"))["id"] == team.id
    assert [one["id"] for one in await driver.teams.get_teams_for_user("me")] == [team.id]
    assert len(await driver.channels.get_channels_for_team_for_user("me", team.id)) == 3
    assert (await driver.channels.get_channel_by_name(team.id, "dev"))["id"] == dev.id
    assert (await driver.channels.get_channel_stats(dev.id))["member_count"] == 4
    assert (await driver.channels.get_channel_member(dev.id, alice.id))["user_id"] == alice.id
    assert (await driver.system.get_ping())["status"] == "OK"


async def test_the_driver_creates_edits_reads_and_deletes_posts(server: Mattermost, driver: Any) -> None:
    dev = server.channel("dev")
    root = await driver.posts.create_post(dev.id, "root", props={"meeting_id": 1})
    reply = await driver.posts.create_post(dev.id, "reply", root_id=root["id"])
    await driver.posts.patch_post(root["id"], message="edited")
    assert (await driver.posts.get_post(root["id"]))["message"] == "edited"
    assert set((await driver.posts.get_post_thread(root["id"]))["posts"]) == {root["id"], reply["id"]}
    listing = await driver.posts.get_posts_for_channel(dev.id, per_page=1)
    assert listing["order"] == [reply["id"]]
    await driver.posts.delete_post(reply["id"])
    assert [post.message for post in server.posts("dev")] == ["edited"]
    reaction = {"user_id": server.bot_id, "post_id": root["id"], "emoji_name": "eyes"}
    assert (await driver.reactions.save_reaction(reaction))["emoji_name"] == "eyes"


async def test_the_driver_uploads_files_and_opens_channels(server: Mattermost, driver: Any) -> None:
    alice, bob = server.user("alice").id, server.user("bob").id
    direct = await driver.channels.create_direct_channel([server.bot_id, alice])
    assert direct["type"] == "D"
    assert (await driver.channels.create_group_channel([server.bot_id, alice, bob]))["type"] == "G"
    uploaded = await driver.files.upload_file(files=("a.txt", b"text"), channel_id=direct["id"])
    assert uploaded["file_infos"][0]["size"] == 4


async def test_the_driver_raises_its_own_errors_for_refusals(server: Mattermost, driver: Any) -> None:
    secret = server.add_channel("secret", type="P", members=["alice"])
    with pytest.raises(NotEnoughPermissions):
        await driver.posts.create_post(secret.id, "hi")
    with pytest.raises(ResourceNotFound):
        await driver.posts.get_post("x" * 26)
    with pytest.raises(InvalidOrMissingParameters):
        await driver.posts.create_post(server.channel("dev").id, "hi", root_id="x" * 26)
    await server.set_token("zoom")
    with pytest.raises(NoAccessTokenProvided):
        await driver.users.get_user("me")


@pytest.mark.filterwarnings("ignore:ssl=None is deprecated:DeprecationWarning")
async def test_the_drivers_socket_receives_posts(server: Mattermost, driver: Any) -> None:
    heard: asyncio.Queue[Any] = asyncio.Queue()

    async def hear(message: str) -> None:
        heard.put_nowait(json.loads(message))

    listening = asyncio.ensure_future(driver.init_websocket(hear))
    await server.wait_for_socket()
    await server.post("alice", "dev", "@zoom")
    async with asyncio.timeout(5):
        while (frame := await heard.get()).get("event") != "posted":
            pass
    assert json.loads(frame["data"]["mentions"]) == [server.bot_id]
    listening.cancel()
    await asyncio.wait([listening])


@pytest.mark.skipif(
    not (NODE and NODE_MODULES), reason="ZOOMBOT_NODE_MODULES names no folder with @mattermost/client and ws"
)
async def test_mattermosts_own_javascript_client_works(server: Mattermost) -> None:
    script = Path(__file__).with_name("referee.js")
    process = await asyncio.create_subprocess_exec(
        str(NODE),
        str(script),
        server.url,
        server.channel("dev").id,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, problems = await asyncio.wait_for(process.communicate(), timeout=30)
    assert process.returncode == 0, problems.decode()
    saw = json.loads(out)
    assert saw.pop("seen")[:2] == ["hello", "posted"]
    assert saw == {
        "me": "alice",
        "channel": "dev",
        "message": "@bob from node",
        "patched": "edited",
        "listed": 1,
        "refusal": 404,
        "missed": 0,
    }
