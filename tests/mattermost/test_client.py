"""REST calls: what they return, what they raise, and what they never do."""

from __future__ import annotations

import asyncio
import json
import time
from email.utils import formatdate
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from bot.errors import (
    MattermostDeniedError,
    MattermostError,
    MattermostNotFoundError,
    MattermostRateLimitError,
    MattermostTokenError,
    MattermostUnreachableError,
)
from bot.mattermost import Mattermost
from bot.sandbox.mattermost import Mattermost as Sandbox
from tests.mattermost.listeners import odd_server


async def test_people_are_found_by_id_name_and_e_mail(mattermost: Mattermost, server: Sandbox) -> None:
    alice, bob = server.user("alice"), server.user("bob")
    me = await mattermost.me()
    assert (me.id, me.username, me.is_bot) == (server.bot_id, "zoom", True)
    assert (await mattermost.user(alice.id)).is_system_admin
    assert (await mattermost.user_by_name("bob")).email == "bob@demo.example"
    assert (await mattermost.user_by_email("Bob@demo.example")).id == bob.id
    with pytest.raises(MattermostNotFoundError):
        await mattermost.user_by_name("nobody")


@pytest.mark.parametrize(
    "email",
    ["", "bob", "nobody@demo.example", "@demo.example", "a/b@c.d", "a?b@c.d", "../me", "a..b@c.d", "a@b c"],
)
async def test_an_e_mail_address_that_is_nobody_s_finds_nobody(mattermost: Mattermost, email: str) -> None:
    with pytest.raises(MattermostNotFoundError):
        await mattermost.user_by_email(email)


async def test_a_direct_channel_is_made_once_and_remembered(mattermost: Mattermost, server: Sandbox) -> None:
    alice = server.user("alice").id
    first = await mattermost.direct_channel(alice)
    assert first == server.direct("alice", "zoom").id
    server.clear_calls()
    assert await mattermost.direct_channel(alice) == first
    assert server.calls == []


async def test_channels_of_all_teams_come_once_and_without_archived_ones(
    mattermost: Mattermost, server: Sandbox
) -> None:
    bot, other = server.user("zoom"), server.add_team("other")
    server.world.directory.team_members[other.id][bot.id] = None
    far = server.add_channel("far", team="other", members=["zoom"])
    server.add_channel("elsewhere", members=["alice"])
    server.archive(server.add_channel("old", members=["zoom"]))
    direct, group = server.direct("alice", "zoom"), server.group("alice", "bob", "zoom")
    post = await server.post("alice", "dev", "news")
    channels = await mattermost.channels()
    named = {channel.id: channel for channel in channels}
    assert len(named) == len(channels)
    home = {server.channel(name).id for name in ("town-square", "dev", "ops")}
    assert set(named) == home | {far.id, direct.id, group.id}
    assert [named[id].type for id in (direct.id, group.id)] == ["D", "G"]
    assert named[server.channel("dev").id].last_post_at == post.create_at
    assert named[direct.id].team_id == ""


def listed(number: int) -> dict[str, Any]:
    return {"id": f"c{number:025}", "type": "D", "display_name": "", "name": "x" * 54, "last_post_at": number}


@pytest.mark.parametrize("all_channels", [True, False])
async def test_a_list_of_channels_of_any_size_is_read_in_pieces(all_channels: bool) -> None:
    """The server does not page it. Only what is wanted is kept."""
    written = b"[" + b",".join(json.dumps(listed(number)).encode() for number in range(20_000)) + b"]"
    limit = 100_000
    assert len(written) > 20 * limit

    async def answer(request: web.Request) -> web.StreamResponse:
        if request.path.endswith("/teams"):
            return web.json_response([{"id": "t" * 26}])
        if request.path.endswith("/users/me/channels") and not all_channels:
            return web.json_response({"id": "api.context.404.app_error", "message": "no"}, status=404)
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        for at in range(0, len(written), 9_999):
            await response.write(written[at : at + 9_999])
        await response.write_eof()
        return response

    async with odd_server(answer) as url, aiohttp.ClientSession() as http:
        client = Mattermost(http, url, "t", max_answer=limit)
        found = await client.channels(lambda channel: channel.last_post_at >= 19_990)
        assert [channel.last_post_at for channel in found] == [*range(19_990, 20_000)]
        assert len(await client.channels()) == 20_000


async def test_a_bot_in_no_team_lists_its_direct_and_group_channels(
    mattermost: Mattermost, server: Sandbox
) -> None:
    direct, group = server.direct("alice", "zoom"), server.group("alice", "bob", "zoom")
    leave_team(server)
    assert {channel.id for channel in await mattermost.channels()} == {direct.id, group.id}
    assert {call.path for call in server.calls} == {"/api/v4/users/me/channels"}


@pytest.mark.parametrize("lists_all", [True, False])
async def test_a_bot_in_no_channel_lists_none(
    mattermost: Mattermost, server: Sandbox, lists_all: bool
) -> None:
    server.world.lists_all_channels = lists_all
    leave_team(server)
    assert await mattermost.channels() == []


async def test_an_older_server_lists_the_channels_of_each_team(
    mattermost: Mattermost, server: Sandbox
) -> None:
    server.world.lists_all_channels = False
    direct = server.direct("alice", "zoom")
    home = {server.channel(name).id for name in ("town-square", "dev", "ops")}
    assert {channel.id for channel in await mattermost.channels()} == home | {direct.id}


def leave_team(server: Sandbox) -> None:
    """Take the bot out of its team and of its channels there."""
    bot = server.user("zoom")
    for name in ("town-square", "dev", "ops"):
        server.world.channels.leave(server.channel(name), bot)
    del server.world.directory.team_members[server.team().id][bot.id]


@pytest.mark.parametrize(
    "body",
    [
        b'[{"id":"%s"}' % (b"a" * 26),
        b'[{"id":"%s"},{"id":"app.channel.get.app_error","message":"m","status_code":500}' % (b"a" * 26),
        b"[" + b"[" * 100_000,
        b"<html>",
    ],
    ids=["broken off", "error in the middle", "nested", "html"],
)
async def test_a_list_that_is_not_whole_is_no_list(
    mattermost: Mattermost, server: Sandbox, body: bytes
) -> None:
    server.faults.add(200, times=6, path="/users/me/(channels|teams)$", body=body)
    with pytest.raises(MattermostUnreachableError):
        await mattermost.channels()
    # Once it is whole again, nothing of the broken one is left.
    assert "a" * 26 not in {channel.id for channel in await mattermost.channels()}


@pytest.mark.parametrize(
    "fault", [{"status": 500}, {"status": 403, "body": "<html>"}, {"status": 501}], ids=str
)
async def test_a_list_that_is_always_refused_is_asked_for_by_team(
    mattermost: Mattermost, server: Sandbox, fault: dict[str, Any]
) -> None:
    server.faults.add(times=-1, path="/users/me/channels$", **fault)
    home = {server.channel(name).id for name in ("town-square", "dev", "ops")}
    assert {channel.id for channel in await mattermost.channels()} == home


async def test_a_channel_that_cannot_be_read_hides_no_other(mattermost: Mattermost, server: Sandbox) -> None:
    deep = b'{"id":"d","props":' + b"[" * 5000 + b"]" * 5000 + b"}"
    body = b'[{"id":"a"},{"id":5},{"id":"b","type":[]},%s,{"id":"c"}]' % deep
    server.faults.add(200, path="/users/me/channels$", body=body)
    assert [channel.id for channel in await mattermost.channels()] == ["a", "d", "c"]


async def test_a_channel_its_members_and_their_number(mattermost: Mattermost, server: Sandbox) -> None:
    dev, carol = server.channel("dev"), server.user("carol").id
    assert (await mattermost.channel(dev.id)).display_name == "Dev"
    assert await mattermost.channel_member_count(dev.id) == 4
    member = await mattermost.channel_member(dev.id, carol)
    assert member is not None
    assert member.user_id == carol
    assert not member.is_channel_admin
    assert await mattermost.channel_member(server.channel("ops").id, carol) is None


async def test_a_post_is_written_read_changed_and_stays_the_bots(
    mattermost: Mattermost, server: Sandbox
) -> None:
    root = await server.post("alice", "dev", "@zoom")
    made = await mattermost.create_post(
        channel_id=root.channel_id, message="meeting", root_id=root.id, props={"meeting_id": 1}
    )
    assert (made.root_id, made.props["from_bot"], made.user_id) == (root.id, "true", server.bot_id)
    changed = await mattermost.update_post(made.id, message="ended", props={"meeting_id": 2})
    assert changed.props == {"from_bot": "true", "meeting_id": 2}
    again = await mattermost.post(made.id)
    assert (again.message, again.props) == ("ended", changed.props)
    await server.delete(made.id)
    with pytest.raises(MattermostNotFoundError):
        await mattermost.post(made.id)


async def test_a_post_sent_again_is_the_same_post(mattermost: Mattermost, server: Sandbox) -> None:
    dev = server.channel("dev").id
    server.faults.add(503, method="POST", path="/posts$", after=True)
    with pytest.raises(MattermostUnreachableError):
        await mattermost.create_post(channel_id=dev, message="once", pending_post_id="p1")
    made = await mattermost.create_post(channel_id=dev, message="once", pending_post_id="p1")
    assert [post.id for post in server.bot_posts("dev")] == [made.id]


NAMES = ["transcript.vtt", "größe.txt", 'a "b" c.txt', "日本 100%.txt", "a;b\\c.txt"]


@pytest.mark.parametrize("name", NAMES)
async def test_a_file_is_uploaded_and_posted(mattermost: Mattermost, server: Sandbox, name: str) -> None:
    dev = server.channel("dev").id
    file = await mattermost.upload_file(dev, name, b"\x00text")
    await mattermost.create_post(channel_id=dev, message="file", file_ids=[file])
    info, data = server.world.files[file]
    assert (info.name, data) == (name, b"\x00text")
    assert server.bot_posts("dev")[0].file_ids == [file]


async def test_a_files_name_cannot_break_out_of_its_line(mattermost: Mattermost, server: Sandbox) -> None:
    file = await mattermost.upload_file(server.channel("dev").id, "a\r\nX-B: c\x00.txt", b"text")
    assert server.world.files[file][0].name == "a  X-B: c .txt"


async def test_what_the_server_does_not_allow_is_denied(mattermost: Mattermost, server: Sandbox) -> None:
    closed = server.add_channel("closed", type="P", members=["alice"])
    with pytest.raises(MattermostDeniedError) as caught:
        await mattermost.create_post(channel_id=closed.id, message="x")
    assert caught.value.status == 403
    assert caught.value.code.startswith("api.")
    server.archive("dev")
    with pytest.raises(MattermostError) as refused:
        await mattermost.create_post(channel_id=server.channel("dev").id, message="x")
    assert refused.value.status == 400


async def test_a_bad_token_is_said(http: aiohttp.ClientSession, server: Sandbox) -> None:
    client = Mattermost(http, server.url, "wrong")
    with pytest.raises(MattermostTokenError) as caught:
        await client.channels()
    assert caught.value.status == 401
    assert len(server.calls) == 1


@pytest.mark.parametrize("id", ["", "..", "a/b", "x?y", "x%2f", "é", "a" * 200, "a\n"])
async def test_an_id_never_leads_elsewhere(mattermost: Mattermost, server: Sandbox, id: str) -> None:
    with pytest.raises(MattermostNotFoundError):
        await mattermost.user(id)
    with pytest.raises(MattermostNotFoundError):
        await mattermost.channel(id)
    assert server.calls == []


async def test_a_limited_read_waits_as_long_as_it_was_told(mattermost: Mattermost, server: Sandbox) -> None:
    server.faults.add(429, path="/channels/")
    start = asyncio.get_running_loop().time()
    await mattermost.channel(server.channel("dev").id)
    assert asyncio.get_running_loop().time() - start >= 1.0
    assert [call.status for call in server.calls] == [429, 200]


async def test_a_limited_write_is_the_callers(mattermost: Mattermost, server: Sandbox) -> None:
    server.faults.add(429, path="/posts$", headers={"Retry-After": "7"})
    with pytest.raises(MattermostRateLimitError) as caught:
        await mattermost.create_post(channel_id=server.channel("dev").id, message="x")
    assert (caught.value.retry_after, caught.value.status) == (7.0, 429)
    assert len(server.calls) == 1


async def test_a_read_is_not_kept_waiting_for_long(mattermost: Mattermost, server: Sandbox) -> None:
    server.faults.add(429, path="/channels/", headers={"Retry-After": "60"})
    with pytest.raises(MattermostRateLimitError):
        await mattermost.channel(server.channel("dev").id)


@pytest.mark.parametrize("fault", [{"status": 503}, {"drop": True}, {"status": 502, "body": "<html>"}])
async def test_a_read_is_tried_again_and_a_write_is_not(
    mattermost: Mattermost, server: Sandbox, fault: dict[str, Any]
) -> None:
    dev = server.channel("dev").id
    server.faults.add(**fault, times=2, path="/channels/")
    assert (await mattermost.channel(dev)).id == dev
    server.faults.add(**fault, times=-1, path="/posts$")
    server.clear_calls()
    with pytest.raises(MattermostUnreachableError):
        await mattermost.create_post(channel_id=dev, message="x")
    assert len(server.calls) == 1


async def test_a_server_that_does_not_answer_is_unreachable(
    http: aiohttp.ClientSession, server: Sandbox
) -> None:
    server.faults.add(delay=5.0, times=-1)
    client = Mattermost(http, server.url, server.bot_token, timeout_s=0.1)
    with pytest.raises(MattermostUnreachableError, match="did not answer in time"):
        await client.me()


async def test_a_stopped_server_is_unreachable(mattermost: Mattermost, server: Sandbox) -> None:
    await server.stop()
    with pytest.raises(MattermostUnreachableError, match="cannot be reached"):
        await mattermost.me()


async def test_an_answer_is_not_read_without_end(http: aiohttp.ClientSession, server: Sandbox) -> None:
    client = Mattermost(http, server.url, server.bot_token, max_answer=100)
    with pytest.raises(MattermostError, match="larger than 100 bytes"):
        await client.me()


@pytest.mark.parametrize(
    ("body", "kind"),
    [("<html>", MattermostUnreachableError), ("[" * 50_000, MattermostUnreachableError)],
)
async def test_an_answer_that_is_not_mattermosts_is_said(
    mattermost: Mattermost, server: Sandbox, body: str, kind: type[MattermostError]
) -> None:
    server.faults.add(200, body=body)
    with pytest.raises(kind, match=r"is mattermost\.url right"):
        await mattermost.me()
    server.faults.add(404, body=body)
    with pytest.raises(kind, match=r"is mattermost\.url right"):
        await mattermost.me()


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_redirects_are_refused_and_the_token_does_not_travel(
    mattermost: Mattermost, server: Sandbox, status: int
) -> None:
    seen: list[str] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        seen.append(request.path)
        return web.json_response({})

    async with odd_server(handle) as elsewhere:
        headers = {"Location": f"{elsewhere}/api?secret=1"}
        server.faults.add(status, body="", headers=headers)
        with pytest.raises(MattermostError, match="must be the final address") as caught:
            await mattermost.me()
        assert elsewhere in str(caught.value)
        assert "secret" not in str(caught.value)
        assert isinstance(caught.value, MattermostUnreachableError) == (status in (302, 307))
    assert seen == []


async def test_the_clocks_offset_is_learned_from_the_answers(http: aiohttp.ClientSession) -> None:
    ahead_s = 7200

    async def handle(request: web.Request) -> web.StreamResponse:
        date = formatdate(time.time() + ahead_s, usegmt=True)
        return web.json_response({"id": "x", "username": "zoom"}, headers={"Date": date})

    async with odd_server(handle) as url:
        client = Mattermost(http, url, "token")
        assert client.server_offset == 0
        await client.me()
        assert abs(client.server_offset - ahead_s * 1000) <= 1000


async def test_a_server_under_a_sub_path_is_reached(http: aiohttp.ClientSession) -> None:
    async with Sandbox(path="/chat") as server:
        for url in (server.url, server.url + "/"):
            assert (await Mattermost(http, url, server.bot_token).me()).username == "zoom"
        assert server.unknown == []
