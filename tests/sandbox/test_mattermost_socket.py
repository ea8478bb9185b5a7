"""The sandbox's WebSocket: event format, mentions, resuming and failures."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest

from bot.sandbox.mattermost import Mattermost
from tests.sandbox.mattermostkit import Client, captured, shape, unpacked


def same_shape(event: object, name: str) -> None:
    assert shape(event) == shape(unpacked(captured(name)))


async def test_the_first_event_is_hello(server: Mattermost, zoom: Client) -> None:
    async with zoom.socket() as socket:
        hello = await socket.next()
        await server.wait_for_socket()
        assert server.sockets == 1
    assert hello["seq"] == 0
    assert shape(hello) == shape(captured("ws_hello.json"))


async def test_posts_look_as_captured(server: Mattermost, zoom: Client) -> None:
    async with zoom.socket() as socket:
        await server.post("alice", "dev", "plain")
        same_shape(await socket.event("posted"), "ws_posted_channel.json")
        await server.post("alice", "dev", "@zoom start")
        same_shape(await socket.event("posted"), "ws_posted_channel_mention.json")
        direct = server.direct("alice", "zoom")
        await server.post("alice", direct, "hello")
        event = await socket.event("posted")
        same_shape(event, "ws_posted_dm.json")
        assert (event["data"]["channel_display_name"], event["data"]["team_id"]) == ("@alice", "")
        await server.post("alice", server.group("alice", "bob", "zoom"), "all of us")
        event = await socket.event("posted")
        same_shape(event, "ws_posted_group.json")
        assert event["data"]["channel_display_name"] == "alice, bob, zoom"
        await server.webhook("dev", "from outside", username="Zoom Hook")
        event = await socket.event("posted")
        same_shape(event, "ws_posted_incoming_webhook.json")
        assert event["data"]["sender_name"] == "Zoom Hook"


async def test_own_posts_edits_and_deletions_look_as_captured(server: Mattermost, zoom: Client) -> None:
    dev = server.channel("dev").id
    async with zoom.socket() as socket:
        _, mine = await zoom.write(dev, "mine")
        same_shape(await socket.event("posted"), "ws_posted_own.json")
        await server.post("alice", "dev", "reply", root_id=mine["id"])
        event = await socket.event("posted")
        same_shape(event, "ws_posted_thread_reply.json")
        assert event["data"]["post"]["reply_count"] == 1
        await zoom.call("PUT", f"/posts/{mine['id']}/patch", {"message": "new", "props": {"a": 1}})
        same_shape(await socket.event("post_edited"), "ws_post_edited.json")
        _, other = await zoom.write(dev, "to delete")
        await zoom.call("DELETE", f"/posts/{other['id']}")
        event = await socket.event("post_deleted")
        same_shape(event, "ws_post_deleted.json")
        assert event["data"]["post"]["message"] == "to delete"


async def test_reactions_typing_and_membership_look_as_captured(
    server: Mattermost, zoom: Client, alice: Client
) -> None:
    dev, post = server.channel("dev").id, await server.post("alice", "dev", "hi")
    side = server.add_channel("side", members=["alice"])
    async with zoom.socket() as socket, alice.socket() as other:
        reaction = {"user_id": server.bot_id, "post_id": post.id, "emoji_name": "eyes"}
        assert (await zoom.call("POST", "/reactions", reaction))[0] == 201
        same_shape(await socket.event("reaction_added"), "ws_reaction_added.json")
        await zoom.call("POST", "/users/me/typing", {"channel_id": dev})
        typing, expected = await other.event("typing"), captured("ws_typing.json")
        assert typing["broadcast"]["omit_users"] == {server.bot_id: True}
        assert shape(typing["data"]) == shape(expected["data"])
        server.join("zoom", side, by="alice")
        event = await socket.event("user_added")
        same_shape(event, "ws_user_added.json")
        assert event["broadcast"]["channel_id"] == side.id
        assert (await socket.event("posted"))["data"]["post"]["type"] == "system_add_to_channel"
        server.leave("zoom", side, by="alice")
        same_shape(await socket.event("user_removed"), "ws_user_removed.json")


@pytest.mark.parametrize(
    ("message", "mentioned"),
    [
        ("@zoom", True),
        ("@ZOOM, please", True),
        ("talk, @zoom.", True),
        ("@channel hi", True),
        ("@all", True),
        ("@here!", True),
        ("zoom", False),
        ("@zoomer", False),
        ("@zoom-er", False),
        ("me@zoom", False),
        ("`@zoom`", False),
        ("```\n@zoom\n```", False),
        ("``` @zoom", False),
        ("` @zoom", True),
        ("    @zoom", False),
    ],
)
async def test_mentions_are_found_as_on_the_real_server(
    server: Mattermost, zoom: Client, message: str, mentioned: bool
) -> None:
    async with zoom.socket() as socket:
        await server.post("alice", "dev", message)
        data = (await socket.event("posted"))["data"]
    assert data.get("mentions", []) == ([server.bot_id] if mentioned else [])


async def test_only_mentioned_users_get_mentions_in_their_event(
    server: Mattermost, zoom: Client, alice: Client
) -> None:
    async with zoom.socket() as mine, alice.socket() as others:
        await server.post("bob", "dev", "@zoom")
        assert "mentions" in (await mine.event("posted"))["data"]
        assert "mentions" not in (await others.event("posted"))["data"]
        root = await server.post("zoom", "dev", "@zoom is me")
        assert "mentions" not in (await mine.event("posted"))["data"]
        await server.post("alice", "dev", "a reply", root_id=root.id)
        assert "mentions" not in (await mine.event("posted"))["data"]


async def test_a_user_outside_the_channel_gets_no_event(server: Mattermost) -> None:
    async with Client(server, server.token("carol")) as carol, carol.socket() as socket:
        await server.post("alice", "ops", "@carol secret")
        await server.post("alice", "dev", "public")
        assert (await socket.event("posted"))["data"]["post"]["message"] == "public"


async def test_the_event_comes_before_the_answer(server: Mattermost, zoom: Client) -> None:
    order: list[str] = []

    async with zoom.socket() as socket:
        await socket.event("hello")

        async def hear() -> None:
            await socket.event("posted")
            order.append("event")

        async def write() -> None:
            await zoom.write(server.channel("dev").id, "hi")
            order.append("answer")

        await asyncio.gather(hear(), write())
    assert order == ["event", "answer"]


async def test_a_ping_is_answered_as_captured(zoom: Client) -> None:
    async with zoom.socket() as socket:
        await socket.event("hello")
        await socket.say("ping", 2)
        assert shape(await socket.next()) == shape(captured("ws_ping_reply.json"))


async def test_a_challenge_authenticates(server: Mattermost) -> None:
    async with Client(server, "") as nobody, nobody.socket() as socket:
        await socket.say("ping", 1)
        assert (await socket.next())["error"]["status_code"] == 401
        await socket.say("authentication_challenge", 1, token=server.bot_token)
        assert (await socket.next())["event"] == "hello"
        assert await socket.next() == captured("ws_challenge_reply.json")


async def test_a_bad_token_is_upgraded_and_then_cut_without_a_frame(server: Mattermost) -> None:
    async with Client(server, "wrong") as nobody, nobody.socket() as socket:
        assert await socket.ended() in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)
        assert socket.socket.close_code in (1006, None)


async def test_a_cut_connection_resumes_with_what_was_missed_and_no_hello(
    server: Mattermost, zoom: Client
) -> None:
    async with zoom.socket() as socket:
        id = (await socket.next())["data"]["connection_id"]
        await server.post("alice", "dev", "1")
        assert (await socket.next())["seq"] == 1
        await server.drop_sockets()
        await socket.ended()
    assert server.sockets == 0
    for text in ("2", "3"):
        await server.post("alice", "dev", text)
    async with zoom.socket(f"?connection_id={id}&sequence_number=2") as socket:
        events = [unpacked(await socket.next()) for _ in range(2)]
        assert [(one["seq"], one["data"]["post"]["message"]) for one in events] == [(2, "2"), (3, "3")]
        await server.post("alice", "dev", "4")
        assert (await socket.next())["seq"] == 4


@pytest.mark.parametrize("case", ["unknown id", "wrong number", "forgotten", "restarted", "too much"])
async def test_a_connection_that_cannot_be_resumed_starts_a_new_one(
    server: Mattermost, zoom: Client, case: str
) -> None:
    async with zoom.socket() as socket:
        id = (await socket.next())["data"]["connection_id"]
        await server.drop_sockets()
        await socket.ended()
    number = 1
    if case == "forgotten":
        await server.forget_connections()
    elif case == "restarted":
        await server.stop()
        await server.start()
    elif case == "too much":
        for text in range(129):
            await server.post("alice", "dev", str(text))
    elif case == "wrong number":
        number = 7
    asked = "x" * 26 if case == "unknown id" else id
    async with zoom.socket(f"?connection_id={asked}&sequence_number={number}") as socket:
        hello = await socket.next()
    assert (hello["event"], hello["seq"]) == ("hello", 0)
    assert hello["data"]["connection_id"] not in (asked, id)


async def test_another_users_connection_is_not_resumed(
    server: Mattermost, zoom: Client, alice: Client
) -> None:
    async with zoom.socket() as socket:
        id = (await socket.next())["data"]["connection_id"]
        await server.drop_sockets()
    async with alice.socket(f"?connection_id={id}&sequence_number=1") as socket:
        assert (await socket.next())["event"] == "hello"


async def test_a_connection_id_without_a_sequence_number_closes_the_socket(zoom: Client) -> None:
    async with zoom.socket("?connection_id=abc") as socket:
        assert await socket.ended() is aiohttp.WSMsgType.CLOSE


async def test_a_deaf_socket_stays_open_and_sends_nothing(server: Mattermost, zoom: Client) -> None:
    async with zoom.socket() as socket:
        await socket.event("hello")
        server.deafen("zoom")
        await server.post("alice", "dev", "unheard")
        await socket.say("ping", 1)
        with pytest.raises(TimeoutError):
            await socket.socket.receive(timeout=0.05)
        assert not socket.socket.closed
        async with zoom.socket() as fresh:
            await fresh.event("hello")
            await server.post("alice", "dev", "heard")
            await fresh.event("posted")


async def test_disabling_and_enabling_leaves_the_old_socket_deaf(server: Mattermost, zoom: Client) -> None:
    async with zoom.socket() as socket:
        await socket.event("hello")
        server.disable("zoom")
        server.enable("zoom")
        await server.post("alice", "dev", "unheard")
        # As 11.6 does; nothing else comes.
        await socket.say("ping", 1)
        refused = await socket.socket.receive_json(timeout=5)
        assert (refused["status"], refused["error"]["status_code"], refused["seq_reply"]) == ("FAIL", 401, 1)
        await zoom.get("/users/me")


async def test_a_stop_cuts_sockets_without_a_close_frame(server: Mattermost, zoom: Client) -> None:
    async with zoom.socket() as socket:
        await socket.event("hello")
        await server.stop()
        assert await socket.ended() in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)
    await server.start()


async def test_a_frame_over_eight_kib_closes_the_socket(zoom: Client) -> None:
    async with zoom.socket() as socket:
        await socket.event("hello")
        await socket.say("ping", 1, filler="x" * 9000)
        await socket.ended()


async def test_a_handshake_can_be_refused(server: Mattermost, zoom: Client) -> None:
    server.faults.add(503, path="/websocket")
    with pytest.raises(aiohttp.WSServerHandshakeError):
        async with zoom.socket():
            pass


async def test_five_hundred_mentions_arrive_in_order(server: Mattermost, zoom: Client) -> None:
    async with zoom.socket() as socket:
        await socket.event("hello")
        for number in range(500):
            await server.post("alice", "dev", f"@zoom {number}")
        heard = [(await socket.event("posted"))["data"]["post"]["message"] for _ in range(500)]
    assert heard == [f"@zoom {number}" for number in range(500)]
