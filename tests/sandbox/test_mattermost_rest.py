"""What the sandbox's Mattermost answers and refuses."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest
from aiohttp import web

from bot.sandbox.mattermost import Mattermost, Refusal
from tests.sandbox.mattermostkit import Client, captured, shape


async def test_login_returns_the_token_in_a_header(server: Mattermost) -> None:
    async with Client(server, "") as nobody:
        body = {"login_id": "alice", "password": "demo"}
        status, headers, _ = await nobody.raw("POST", "/users/login", json=body)
        refused, _ = await nobody.call("POST", "/users/login", body | {"password": "wrong"})
    assert (status, refused) == (200, 401)
    async with Client(server, headers["Token"]) as alice:
        assert (await alice.get("/users/me"))["username"] == "alice"


async def test_answers_are_exactly_json(zoom: Client) -> None:
    _, headers, _ = await zoom.raw("GET", "/users/me")
    assert headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("token", ["", "wrong"])
async def test_a_bad_token_is_401_in_json(server: Mattermost, token: str) -> None:
    async with Client(server, token) as nobody:
        status, body = await nobody.call("GET", "/users/me")
    assert status == 401
    assert shape(body) == shape(captured("rest_ephemeral_plain_bot.json"))


async def test_the_bot_looks_as_captured(zoom: Client) -> None:
    assert shape(await zoom.get("/users/me")) == shape(captured("rest_bot_me.json"))


async def test_users_are_found_by_name_email_and_ids(server: Mattermost, zoom: Client) -> None:
    alice = server.user("alice")
    assert (await zoom.get("/users/username/alice"))["id"] == alice.id
    assert (await zoom.get("/users/email/alice@demo.example"))["id"] == alice.id
    assert (await zoom.call("GET", "/users/email/nobody@demo.example"))[0] == 404
    assert (await zoom.call("GET", "/users/email/alice"))[0] == 400
    assert (await zoom.get(f"/users/{alice.id}"))["email"] == alice.email
    _, found = await zoom.call("POST", "/users/ids", [alice.id, "x" * 26])
    assert [user["id"] for user in found] == [alice.id]
    assert (await zoom.call("GET", f"/users/{'x' * 26}"))[0] == 404
    assert (await zoom.call("GET", "/users/short"))[0] == 400


async def test_the_bots_channel_list_has_direct_but_no_archived_channels(
    server: Mattermost, zoom: Client
) -> None:
    server.direct("alice", "zoom")
    server.archive("ops")
    channels = await zoom.get(f"/users/me/teams/{server.team().id}/channels")
    assert sorted(channel["type"] for channel in channels) == ["D", "O", "O"]


async def test_a_direct_channel_is_made_once_and_looks_as_captured(server: Mattermost, zoom: Client) -> None:
    ids = [server.bot_id, server.user("alice").id]
    status, made = await zoom.call("POST", "/channels/direct", ids)
    again = (await zoom.call("POST", "/channels/direct", ids))[1]
    assert status == 201
    assert made["id"] == again["id"]
    assert shape(made) == shape(captured("rest_direct_channel.json"))


async def test_a_user_outside_the_channel_may_neither_post_nor_read(server: Mattermost, zoom: Client) -> None:
    secret = server.add_channel("secret", type="P", members=["alice"])
    public = server.add_channel("public", members=["alice"])
    for channel in (secret, public):
        assert (await zoom.write(channel.id, "hi"))[0] == 403
        assert (await zoom.call("GET", f"/channels/{channel.id}/posts"))[0] == 403
    assert (await zoom.write("x" * 26, "hi"))[0] == 403


async def test_the_bot_joins_public_channels_of_its_team_only(server: Mattermost, zoom: Client) -> None:
    server.add_team("other")
    places = {
        server.add_channel("public", members=["alice"]).id: 201,
        server.add_channel("secret", type="P", members=["alice"]).id: 403,
        server.add_channel("elsewhere", members=["alice"], team="other").id: 403,
    }
    for channel_id, expected in places.items():
        body = {"user_id": server.bot_id}
        assert (await zoom.call("POST", f"/channels/{channel_id}/members", body))[0] == expected


async def test_e_mail_addresses_may_be_hidden_from_all_but_their_owner_and_admins(
    server: Mattermost, zoom: Client, alice: Client
) -> None:
    bob = server.user("bob")
    assert (await zoom.get(f"/users/{bob.id}"))["email"] == bob.email
    server.world.show_email_address = False
    assert (await zoom.get("/config/client?format=old"))["ShowEmailAddress"] == "false"
    assert (await zoom.get(f"/users/{bob.id}"))["email"] == ""
    assert (await zoom.get("/users/username/bob"))["email"] == ""
    assert (await zoom.call("GET", f"/users/email/{bob.email}"))[0] == 403
    assert (await zoom.get("/users/me"))["email"] == server.user("zoom").email
    assert (await alice.get(f"/users/{bob.id}"))["email"] == bob.email


async def test_posts_look_as_captured(server: Mattermost, zoom: Client, alice: Client) -> None:
    dev = server.channel("dev").id
    status, written = await alice.write(dev, "@zoom start")
    assert status == 201
    assert shape(written) == shape(captured("rest_post_created.json"))
    _, mine = await zoom.write(dev, "bot root")
    assert shape(mine) == shape(captured("rest_bot_post.json"))
    await alice.write(dev, "reply", root_id=mine["id"])
    _, patched = await zoom.call("PUT", f"/posts/{mine['id']}/patch", {"message": "new", "props": {"a": 1}})
    assert shape(patched) == shape(captured("rest_patch.json"))
    assert (patched["props"], patched["reply_count"]) == ({"a": 1}, 1)


async def test_attachments_look_as_captured_and_hide_their_integrations(
    server: Mattermost, zoom: Client
) -> None:
    expected = captured("rest_attachment_post.json")
    attachment = {
        "fallback": "fb",
        "color": "#2D8CFF",
        "pretext": "Zoom",
        "text": "Start?",
        "fields": [{"title": "Topic", "value": "Sync", "short": True}],
        "actions": [
            {
                "id": "start",
                "type": "button",
                "name": "Start",
                "style": "good",
                "integration": {"url": "http://127.0.0.1:9/", "context": {"secret": "hidden"}},
            }
        ],
    }
    _, post = await zoom.write(server.channel("dev").id, "attach", props={"attachments": [attachment]})
    assert shape(post) == shape(expected)
    assert "hidden" not in str(post)


async def test_replies_to_unknown_posts_and_to_replies_are_refused(server: Mattermost, zoom: Client) -> None:
    dev = server.channel("dev").id
    root = await server.post("alice", "dev", "root")
    reply = await server.post("alice", "dev", "reply", root_id=root.id)
    for root_id in ("x" * 26, reply.id):
        assert (await zoom.write(dev, "hi", root_id=root_id))[0] == 400
    assert (await zoom.write(server.channel("ops").id, "hi", root_id=root.id))[0] == 400
    thread = await zoom.get(f"/posts/{reply.id}/thread")
    assert thread["order"] == [root.id, reply.id]


async def test_too_long_messages_and_posts_to_archived_channels_are_refused(
    server: Mattermost, zoom: Client
) -> None:
    dev = server.channel("dev").id
    status, written = await zoom.write(dev, "ü" * 16383)
    assert status == 201
    status, refused = await zoom.write(dev, "ü" * 16384)
    assert (status, refused["id"]) == (400, "model.post.is_valid.message_length.app_error")
    server.archive("dev")
    status, refused = await zoom.write(dev, "hi")
    assert (status, refused["id"]) == (400, "api.post.create_post.can_not_post_to_deleted.error")
    status, refused = await zoom.call("PUT", f"/posts/{written['id']}/patch", {"message": "hi"})
    assert (status, refused["id"]) == (400, "api.post.patch_post.can_not_update_post_in_deleted.error")
    assert (await zoom.get(f"/posts/{written['id']}"))["id"] == written["id"]
    server.unarchive("dev")
    assert (await zoom.write(dev, "hi"))[0] == 201


async def test_only_admins_write_ephemeral_posts(server: Mattermost, zoom: Client, alice: Client) -> None:
    dev, bob = server.channel("dev").id, server.user("bob").id
    body = {"user_id": bob, "post": {"channel_id": dev, "message": "psst"}}
    status, refused = await zoom.call("POST", "/posts/ephemeral", body)
    assert (status, refused["id"]) == (403, captured("rest_ephemeral_plain_bot.json")["id"])
    assert (await alice.call("POST", "/posts/ephemeral", body))[0] == 201
    assert [tuple(one) for one in server.ephemerals] == [(bob, dev, "psst")]


async def test_another_users_post_cannot_be_edited_or_deleted(server: Mattermost, zoom: Client) -> None:
    post = await server.post("alice", "dev", "mine")
    assert (await zoom.call("PUT", f"/posts/{post.id}/patch", {"message": "yours"}))[0] == 403
    assert (await zoom.call("DELETE", f"/posts/{post.id}"))[0] == 403
    with pytest.raises(Refusal):
        await server.edit("bob", post.id, "yours")


async def test_a_pending_post_id_makes_one_post_until_the_server_restarts(server: Mattermost) -> None:
    dev = server.channel("dev").id
    async with Client(server, server.bot_token) as zoom:
        _, first = await zoom.write(dev, "once", pending_post_id="p1")
        _, second = await zoom.write(dev, "once", pending_post_id="p1")
    assert first == second
    await server.stop()
    await server.start()
    async with Client(server, server.bot_token) as zoom:
        _, third = await zoom.write(dev, "once", pending_post_id="p1")
    assert third["id"] != first["id"]
    server.world.dedupe_ms = -1
    async with Client(server, server.bot_token) as zoom:
        assert (await zoom.write(dev, "once", pending_post_id="p1"))[1]["id"] != third["id"]


async def test_since_shows_edits_copies_and_deleted_posts(server: Mattermost, zoom: Client) -> None:
    dev = server.channel("dev").id
    root = await server.post("alice", "dev", "old")
    gone = await server.post("alice", "dev", "secret")
    plain = await server.post("alice", "dev", "plain")
    await server.edit("alice", root.id, "new")
    await server.delete(gone.id)
    listing = await zoom.get(f"/channels/{dev}/posts?since={root.create_at - 1}")
    shown = listing["posts"]
    copies = [post for post in shown.values() if post["original_id"] == root.id]
    assert len(copies) == 1
    assert copies[0]["message"] == ""
    assert (shown[gone.id]["message"], bool(shown[gone.id]["delete_at"])) == ("", True)
    assert shown[root.id]["message"] == "new"
    assert set(listing["order"]) == {root.id, gone.id, plain.id, copies[0]["id"]}
    stamps = [shown[id]["create_at"] for id in listing["order"]]
    assert stamps == sorted(stamps, reverse=True)
    assert (await zoom.call("GET", f"/posts/{gone.id}"))[0] == 404
    expected = captured("rest_posts_since.json")
    assert list(listing) == list(expected)
    assert shape(shown[plain.id]) == shape(expected["posts"]["wimeh4555jn53dq4ad3kodawwy"])


async def test_since_returns_at_most_a_thousand_strictly_later_posts(
    server: Mattermost, zoom: Client
) -> None:
    dev = server.channel("dev").id
    posts = [await server.post("alice", "dev", str(number)) for number in range(1100)]
    listing = await zoom.get(f"/channels/{dev}/posts?since={posts[0].create_at - 1}")
    assert len(listing["order"]) == 1000
    listing = await zoom.get(f"/channels/{dev}/posts?since={posts[-1].create_at}")
    assert listing["order"] == []


async def test_posts_are_paged_by_number_and_around_a_post(server: Mattermost, zoom: Client) -> None:
    dev = server.channel("dev").id
    ids = [(await server.post("alice", "dev", str(number))).id for number in range(7)]
    first = await zoom.get(f"/channels/{dev}/posts?page=0&per_page=3")
    second = await zoom.get(f"/channels/{dev}/posts?page=1&per_page=3")
    assert first["order"] == ids[:3:-1]
    assert (first["next_post_id"], first["prev_post_id"]) == ("", ids[3])
    assert second["order"] == ids[3:0:-1]
    assert (second["next_post_id"], second["prev_post_id"]) == (ids[4], ids[0])
    before = await zoom.get(f"/channels/{dev}/posts?before={ids[4]}&per_page=2")
    after = await zoom.get(f"/channels/{dev}/posts?after={ids[4]}&per_page=2")
    assert before["order"] == [ids[3], ids[2]]
    assert after["order"] == [ids[6], ids[5]]


async def test_last_post_at_grows_with_posts_and_edits(server: Mattermost) -> None:
    server.world.clock_offset_ms = -5000
    post = await server.post("alice", "dev", "hi")
    assert server.channel("dev").last_post_at == post.create_at
    server.world.clock_offset_ms = 0
    await server.edit("alice", post.id, "ho")
    assert server.channel("dev").last_post_at == post.update_at > post.create_at


async def test_channel_members_and_stats_are_returned(server: Mattermost, zoom: Client) -> None:
    dev = server.channel("dev").id
    assert (await zoom.get(f"/channels/{dev}/stats"))["member_count"] == 4
    assert len(await zoom.get(f"/channels/{dev}/members?per_page=3")) == 3
    assert (await zoom.get(f"/channels/{dev}/members/{server.bot_id}"))["user_id"] == server.bot_id
    carol = server.user("carol").id
    ops = server.channel("ops").id
    assert (await zoom.call("GET", f"/channels/{ops}/members/{carol}"))[0] == 404


async def test_uploaded_files_can_be_downloaded(server: Mattermost, zoom: Client, alice: Client) -> None:
    dev = server.channel("dev").id
    form = aiohttp.FormData({"channel_id": dev})
    form.add_field("files", b"WEBVTT", filename="talk.vtt")
    status, uploaded = await zoom.call("POST", "/files", data=form)
    assert status == 201
    id = uploaded["file_infos"][0]["id"]
    _, post = await zoom.write(dev, "file", file_ids=[id])
    assert post["file_ids"] == [id]
    assert post["metadata"]["files"][0]["name"] == "talk.vtt"
    assert (await alice.raw("GET", f"/files/{id}"))[2] == "WEBVTT"


async def test_an_unknown_path_is_recorded(server: Mattermost, zoom: Client) -> None:
    assert (await zoom.call("GET", "/nothing"))[0] == 404
    assert server.unknown == ["GET /api/v4/nothing"]
    server.unknown.clear()


async def test_calls_are_recorded(server: Mattermost, zoom: Client) -> None:
    await zoom.write(server.channel("dev").id, "hi")
    (call,) = server.calls
    assert (call.method, call.path, call.status) == ("POST", "/api/v4/posts", 201)
    assert call.user_id == server.bot_id
    assert call.json["message"] == "hi"
    server.clear_calls()
    assert server.calls == []


async def test_faults_refuse_delay_cut_and_lose_answers(server: Mattermost, zoom: Client) -> None:
    dev = server.channel("dev").id
    server.faults.add(503, method="POST", path=r"/posts$", user="zoom")
    assert (await zoom.write(dev, "refused"))[0] == 503
    server.faults.add(429)
    status, headers, text = await zoom.raw("GET", "/users/me")
    assert (status, headers["Retry-After"], text.strip()) == (429, "1", "limit exceeded")
    server.faults.add(drop=True, path="/posts$")
    with pytest.raises(aiohttp.ClientError):
        await zoom.write(dev, "cut")
    server.faults.add(drop=True, after=True, path="/posts$")
    with pytest.raises(aiohttp.ClientError):
        await zoom.write(dev, "answer lost")
    server.faults.add(500, after=True, path="/posts$", body="oops")
    assert (await zoom.raw("POST", "/posts", json={"channel_id": dev, "message": "too"}))[2] == "oops"
    server.faults.add(delay=0.01)
    assert (await zoom.write(dev, "late"))[0] == 201
    assert [post.message for post in server.bot_posts("dev")] == ["answer lost", "too", "late"]
    assert len(server.faults) == 0


async def test_a_revoked_token_and_a_disabled_account_are_refused(server: Mattermost, zoom: Client) -> None:
    server.disable("zoom")
    assert (await zoom.call("GET", "/users/me"))[0] == 401
    server.enable("zoom")
    assert (await zoom.call("GET", "/users/me"))[0] == 200
    await server.set_token("zoom")
    assert (await zoom.call("GET", "/users/me"))[0] == 401
    async with Client(server, server.bot_token) as renewed:
        assert (await renewed.call("GET", "/users/me"))[0] == 200


async def test_state_and_port_survive_a_restart(server: Mattermost) -> None:
    url = server.url
    await server.stop()
    await server.post("alice", "dev", "while it was away")
    async with Client(server, server.bot_token) as zoom:
        with pytest.raises(aiohttp.ClientConnectorError):
            await zoom.get("/users/me")
        await server.start()
        assert server.url == url
        listing = await zoom.get(f"/channels/{server.channel('dev').id}/posts?since=1")
    assert [post["message"] for post in listing["posts"].values()] == ["while it was away"]


async def test_a_cookie_may_read_but_needs_a_csrf_check_to_write(server: Mattermost) -> None:
    page = {"X-Requested-With": "XMLHttpRequest"}
    jar = aiohttp.CookieJar(unsafe=True)
    api = f"{server.url}/api/v4"
    async with aiohttp.ClientSession(cookie_jar=jar) as browser:
        login = {"login_id": "bob", "password": "demo"}
        async with browser.post(f"{api}/users/login", json=login, headers=page) as response:
            assert response.status == 200
        async with browser.get(f"{api}/users/me") as response:
            assert (await response.json())["username"] == "bob"
        body = {"channel_id": server.channel("dev").id, "message": "hi"}
        async with browser.post(f"{api}/posts", json=body) as response:
            assert response.status == 401
        async with browser.post(f"{api}/posts", json=body, headers=page) as response:
            assert response.status == 201


async def test_a_server_can_have_a_sub_path_and_extra_routes() -> None:
    async def hello(request: web.Request) -> web.Response:
        return web.Response(text="hello")

    async with (
        Mattermost(path="/mm/", routes=[web.get("/", hello)]) as server,
        aiohttp.ClientSession() as http,
    ):
        async with http.get(f"{server.url}/api/v4/system/ping") as response:
            assert (await response.json())["status"] == "OK"
        async with http.get(server.url.removesuffix("/mm") + "/") as response:
            assert await response.text() == "hello"


async def test_waiting_wakes_on_changes_and_times_out(server: Mattermost) -> None:
    waiter = asyncio.create_task(server.wait_for(lambda: server.posts("dev")))
    await asyncio.sleep(0)
    post = await server.post("alice", "dev", "hi")
    assert await waiter == [post]
    with pytest.raises(TimeoutError):
        await server.wait_for(lambda: False, timeout=0.01)


async def test_only_an_administrator_says_when_a_post_was_written(
    server: Mattermost, zoom: Client, alice: Client
) -> None:
    dev = server.channel("dev").id
    new = await server.post("bob", "dev", "new")
    body = {"channel_id": dev, "message": "old", "create_at": 1_500_000_000_000}
    _, ignored = await zoom.call("POST", "/posts", body)
    _, old = await alice.call("POST", "/posts", body)
    assert ignored["create_at"] >= new.create_at
    assert (old["create_at"], old["update_at"]) == (1_500_000_000_000, 1_500_000_000_000)
    listing = await zoom.get(f"/channels/{dev}/posts")
    assert listing["order"] == [ignored["id"], new.id, old["id"]]
    since = await zoom.get(f"/channels/{dev}/posts?since={new.create_at - 1}")
    assert old["id"] not in since["order"]
    assert (await zoom.get(f"/channels/{dev}/posts?before={new.id}"))["order"] == [old["id"]]


async def test_a_user_s_channels_in_all_teams_are_listed_from_6_1_on(
    server: Mattermost, zoom: Client
) -> None:
    direct = server.direct("alice", "zoom")
    listed = await zoom.get("/users/me/channels")
    home = {server.channel(name).id for name in ("town-square", "dev", "ops")}
    assert {channel["id"] for channel in listed} == home | {direct.id}
    server.world.lists_all_channels = False
    status, body = await zoom.call("GET", "/users/me/channels")
    assert (status, body["id"]) == (404, "api.context.404.app_error")


async def test_a_list_of_no_channels_is_an_error_behind_a_bracket(server: Mattermost) -> None:
    loner = server.add_user("loner")
    async with Client(server, server.token(loner)) as client:
        async with client._session.get(f"{client.base}/users/me/channels") as response:
            assert response.status == 200
            text = await response.text()
        status, _ = await client.call("GET", f"/users/me/teams/{server.team().id}/channels")
    assert text.startswith('[{"id":"app.channel.get_channels.not_found.app_error"')
    assert not text.endswith("]")
    assert status == 404


async def test_a_moved_thread_is_posted_anew_and_then_deleted(server: Mattermost) -> None:
    root = await server.post("alice", "dev", "root")
    reply = await server.post("zoom", "dev", "reply", root_id=root.id, props={"zoombot_id": "x"})
    copies = await server.move_thread(root.id, "ops")
    assert [(post.user_id, post.message) for post in copies] == [
        (root.user_id, "root"),
        (reply.user_id, "reply"),
    ]
    assert copies[1].root_id == copies[0].id
    assert copies[1].props == {"from_bot": "true", "wrangler": True, "zoombot_id": "x"}
    assert {root.id, reply.id} & {post.id for post in server.posts("dev")} == set()
