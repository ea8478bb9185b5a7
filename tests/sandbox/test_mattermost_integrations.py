"""Buttons, menus, dialogs and slash commands of the sandbox's Mattermost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs

import aiohttp
import pytest

from bot.sandbox.mattermost import Mattermost, Post
from tests.sandbox.mattermostkit import DATA, Client, Integration, captured, integration, shape


@pytest.fixture
async def served() -> AsyncIterator[Integration]:
    """An integration."""
    async with integration() as running:
        yield running


def card(url: str, *ids: str, kind: str = "button") -> dict[str, Any]:
    context = {"action": "start", "n": 1, "secret": "s"}
    actions = [
        {"id": id, "type": kind, "name": id, "integration": {"url": url, "context": context}} for id in ids
    ]
    return {"attachments": [{"fallback": "fb", "actions": actions}]}


async def post_card(server: Mattermost, url: str, **more: Any) -> Post:
    return await server.post("zoom", "dev", "card", props=card(url, "start", **more))


async def test_a_button_calls_back_as_captured(server: Mattermost, served: Integration) -> None:
    post = await post_card(server, served.url)
    answer = await server.press("alice", post.id, "start")
    assert shape(answer) == shape(captured("rest_action_response.json"))
    assert shape(served.json) == shape(captured("action_callback_body.json"))
    assert served.json["user_name"] == "alice"
    assert served.json["context"] == {"action": "start", "n": 1, "secret": "s"}


async def test_a_button_in_a_direct_message_names_no_team(server: Mattermost, served: Integration) -> None:
    post = await server.post("zoom", server.direct("zoom", "alice"), "card", props=card(served.url, "start"))
    await server.press("alice", post.id, "start")
    assert shape(served.json) == shape(captured("action_callback_body_dm.json"))
    assert (served.json["team_id"], served.json["team_domain"]) == ("", "")


async def test_a_menu_sends_the_selected_option(server: Mattermost, served: Integration) -> None:
    post = await post_card(server, served.url, kind="select")
    await server.press("alice", post.id, "start", "2")
    assert served.json["type"] == captured("action_select_body.json")["type"]
    assert served.json["context"]["selected_option"] == "2"


async def test_a_response_updates_the_post_and_shows_an_ephemeral_text(
    server: Mattermost, served: Integration
) -> None:
    post = await post_card(server, served.url)
    served.answer = {"update": {"message": "done", "props": {"b": 2}}, "ephemeral_text": "for you"}
    await server.press("bob", post.id, "start")
    assert (post.message, post.props) == ("done", {"b": 2})
    assert [tuple(one) for one in server.ephemerals] == [
        (server.user("bob").id, server.channel("dev").id, "for you")
    ]


async def test_an_ephemeral_post_cannot_be_updated(
    server: Mattermost, served: Integration, alice: Client
) -> None:
    server.register_command("ask", served.url)
    served.answer = {"response_type": "ephemeral", "text": "?", **card(served.url, "start")}
    await server.command("alice", "dev", "/ask")
    shown = server.ephemerals[-1].post
    served.answer = {"update": {"message": "done"}, "ephemeral_text": "never said"}
    status, told = await alice.call("POST", f"/posts/{shown.id}/actions/start", {})
    assert (status, told["id"]) == (404, "app.post.get.app_error")
    assert served.json["post_id"] == shown.id
    served.answer = {"ephemeral_text": "said"}
    assert (await alice.call("POST", f"/posts/{shown.id}/actions/start", {}))[0] == 200
    assert [one.text for one in server.ephemerals] == ["?", "said"]


@pytest.mark.parametrize(
    ("status", "answer"),
    [(500, {}), (202, {}), (200, b"text")],
    ids=["500", "202", "text"],
)
async def test_any_other_answer_is_an_error(
    server: Mattermost, served: Integration, status: int, answer: Any
) -> None:
    post = await post_card(server, served.url)
    served.status, served.answer = status, answer
    told = await server.press("alice", post.id, "start")
    expected = captured("rest_action_callback_500.json")
    assert (told["id"], shape(told)) == (expected["id"], shape(expected))


async def test_an_empty_answer_changes_nothing(server: Mattermost, served: Integration) -> None:
    post = await post_card(server, served.url)
    served.answer = b""
    assert (await server.press("alice", post.id, "start"))["status"] == "OK"
    assert server.ephemerals == []


async def test_no_answer_in_time_is_an_error(server: Mattermost, served: Integration) -> None:
    post = await post_card(server, served.url)
    server.integrations.outgoing.timeout = 0.05
    served.hold = asyncio.Event()
    told = await server.press("alice", post.id, "start")
    served.hold.set()
    assert told["status_code"] == 400


async def test_pressing_an_action_whose_id_has_an_underscore_is_404(
    server: Mattermost, served: Integration, alice: Client
) -> None:
    post = await server.post("zoom", "dev", "card", props=card(served.url, "bad_id"))
    assert (await alice.call("POST", f"/posts/{post.id}/actions/bad_id", {}))[0] == 404
    assert served.requests == []


async def test_a_user_outside_the_channel_cannot_press_a_button(
    server: Mattermost, served: Integration
) -> None:
    post = await server.post("zoom", "ops", "card", props=card(served.url, "start"))
    assert (await server.press("carol", post.id, "start"))["status_code"] == 403


async def open_dialog(server: Mattermost, served: Integration, client: Client) -> int:
    post = await post_card(server, served.url)
    await server.press("alice", post.id, "start")
    dialog = captured("dialog_open_request.json")["dialog"]
    body = {"trigger_id": served.json["trigger_id"], "url": f"{served.url}/dialog", "dialog": dialog}
    return (await client.call("POST", "/actions/dialogs/open", body))[0]


async def test_a_dialog_is_shown_submitted_and_cancelled(
    server: Mattermost, served: Integration, alice: Client
) -> None:
    async with Client(server, "") as nobody, alice.socket() as socket:
        assert await open_dialog(server, served, nobody) == 200
        shown = (await socket.event("open_dialog"))["data"]["dialog"]
    assert shown["dialog"]["title"] == "Start a meeting"
    served.answer = {"errors": {"topic": "too long"}}
    values = {"topic": "Sync", "kind": "i", "wait": True}
    assert await server.submit("alice", server.dialogs[0], values) == served.answer
    assert shape(served.json) == shape(captured("dialog_submit_body.json"))
    served.answer = b""
    assert await server.submit("alice", server.dialogs[0].trigger_id, cancelled=True) == {}
    assert shape(served.json) == shape(captured("dialog_cancel_body.json"))


async def test_a_dialog_needs_a_fresh_and_genuine_trigger(
    server: Mattermost, served: Integration, alice: Client
) -> None:
    server.world.trigger_life = -1
    assert await open_dialog(server, served, alice) == 400
    body = {"trigger_id": "Zm9v", "url": served.url, "dialog": {"title": "x"}}
    assert (await alice.call("POST", "/actions/dialogs/open", body))[0] == 400


async def test_a_dialog_submitted_without_a_team_is_refused(
    server: Mattermost, served: Integration, alice: Client
) -> None:
    body = {"url": served.url, "team_id": "", "channel_id": server.direct("alice", "zoom").id}
    assert (await alice.call("POST", "/actions/dialogs/submit", body))[0] == 403


async def test_a_command_calls_as_captured(server: Mattermost, served: Integration) -> None:
    command = server.register_command("zoomtest", f"{served.url}/cmd")
    served.answer = {"response_type": "ephemeral", "text": "only you"}
    told = await server.command("alice", "dev", "/zoomtest start @bob ~ops now")
    assert shape(told) == shape(captured("rest_command_execute.json"))
    request, body = served.requests[-1]
    expected = parse_qs((DATA / "slash_command_body.form").read_text())
    sent = parse_qs(body.decode())
    assert list(sent) == list(expected)
    assert (sent["text"], sent["user_mentions"]) == (expected["text"], ["bob"])
    assert request.headers["Authorization"] == f"Token {command.token}"
    assert request.content_type == "application/x-www-form-urlencoded"
    assert server.ephemerals[-1].text == "only you"


async def test_an_in_channel_response_is_posted_as_the_user(server: Mattermost, served: Integration) -> None:
    server.register_command("zoom", served.url)
    root = await server.post("bob", "dev", "root")
    served.answer = {"response_type": "in_channel", "text": "hello", "username": "Zoom"}
    await server.command("alice", "dev", "/zoom", root_id=root.id)
    post = server.posts("dev")[-1]
    assert (post.user_id, post.root_id, post.message) == (server.user("alice").id, root.id, "hello")
    assert post.props == {"from_webhook": "true", "override_icon_url": "", "override_username": "Zoom"}


async def test_a_command_can_respond_later_through_its_response_url(
    server: Mattermost, served: Integration
) -> None:
    server.register_command("zoom", served.url)
    await server.command("alice", "dev", "/zoom")
    url = parse_qs(served.requests[-1][1].decode())["response_url"][0]
    async with aiohttp.ClientSession() as http:
        async with http.post(url, json={"text": "later"}) as response:
            assert response.status == 200
        async with http.post(url + "x", json={"text": "never"}) as response:
            assert response.status == 404
    assert [one.text for one in server.ephemerals] == ["later"]


async def test_only_newer_servers_send_a_commands_root_id(server: Mattermost, served: Integration) -> None:
    server.register_command("zoom", served.url)
    root = await server.post("bob", "dev", "root")
    await server.command("alice", "dev", "/zoom", root_id=root.id)
    assert f"root_id={root.id}".encode() in served.requests[-1][1]
    server.world.sends_root_id = False
    await server.command("alice", "dev", "/zoom", root_id=root.id)
    assert b"root_id" not in served.requests[-1][1]


async def test_unknown_and_failing_commands_are_errors(server: Mattermost, served: Integration) -> None:
    assert (await server.command("alice", "dev", "/nothing"))["status_code"] == 404
    server.register_command("zoom", served.url)
    served.status = 500
    assert (await server.command("alice", "dev", "/zoom"))["status_code"] == 500
