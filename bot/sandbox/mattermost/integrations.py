"""Buttons, menus, dialogs and slash commands: calls the integration and applies its response."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlencode

from bot.sandbox.mattermost import posting
from bot.sandbox.mattermost.api_request import parse
from bot.sandbox.mattermost.outgoing import NoAnswerError, Outgoing, Reply
from bot.sandbox.mattermost.records import Channel, Command, Dialog, Json, Post, User
from bot.sandbox.mattermost.refusals import Refusal, bad_body, denied, no_post, no_route, not_found
from bot.sandbox.mattermost.triggers import Triggers
from bot.sandbox.mattermost.wire import encode, encode_text, new_id
from bot.sandbox.mattermost.world import World

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
_RETAINED = ("from_webhook", "override_username", "override_icon_url")


class Integrations:
    """Calls integrations and applies their responses."""

    def __init__(self, world: World, outgoing: Outgoing) -> None:
        self.outgoing = outgoing
        self._world = world
        self._triggers = Triggers(world)
        self._response_urls: dict[str, tuple[str, str, str]] = {}

    async def press(self, user: User, post_id: str, action_id: str, selected: str = "") -> Json:
        """Press a button or choose from a menu; returns the client's JSON."""
        if not re.fullmatch(r"[A-Za-z0-9]+", action_id):
            raise no_route()
        action = self._world.actions.get(post_id, {}).get(action_id)
        post = self._world.history.posts.get(post_id) or self._ephemeral(user, post_id)
        if action is None or post is None:
            raise not_found("api.post.do_action.action_id.app_error", "Invalid action id.")
        channel = self._world.channels.channel(post.channel_id)
        if not self._world.may_read(user, channel):
            raise denied()
        trigger = self._triggers.make(user.id, channel.id)
        context = dict(sorted(action.context.items()))
        if action.type == "select":
            context = dict(sorted((context | {"selected_option": selected}).items()))
        body = self._who(user, channel) | {
            "post_id": post_id,
            "trigger_id": trigger.full,
            "type": action.type or "button",
            "data_source": action.data_source,
            "context": context,
        }
        reply = await self._call(action.url, encode(body))
        given = parse(reply.body)
        if reply.body.strip() and not isinstance(given, dict):
            raise _failed()
        if reply.status != 200:
            raise _failed()
        self._apply(user, post, given or {})
        return {"status": "OK", "trigger_id": trigger.client}

    def open_dialog(self, body: Json) -> None:
        """Open a dialog for an integration, authorized by the trigger id alone."""
        full, url, dialog = body.get("trigger_id"), body.get("url"), body.get("dialog")
        if not isinstance(full, str) or not full:
            raise bad_body("trigger_id")
        if not url or not isinstance(dialog, dict) or not dialog.get("title"):
            raise bad_body("dialog")
        client, user_id, channel_id = self._triggers.open(full)
        self._world.dialogs.append(Dialog(client, user_id, channel_id, str(url), dialog))
        shown = encode_text({"trigger_id": client, "url": url, "dialog": dialog})
        self._world.tell_user("open_dialog", {"dialog": shown}, user_id)

    async def submit_dialog(self, user: User, body: Json) -> Json:
        """Submit or cancel a dialog; returns the integration's JSON, with errors to show in the dialog."""
        if not body.get("url"):
            raise bad_body("url")
        team_id, channel_id = str(body.get("team_id", "")), str(body.get("channel_id", ""))
        if user.id not in self._world.directory.team_members.get(team_id, {}):
            raise denied()
        if not self._world.may_read(user, self._world.channels.channel(channel_id)):
            raise denied()
        submission: Json = body.get("submission") or {}
        sent = {
            "type": "dialog_submission",
            "callback_id": body.get("callback_id", ""),
            "state": body.get("state", ""),
            "user_id": user.id,
            "channel_id": channel_id,
            "team_id": team_id,
            "submission": dict(sorted(submission.items())),
            "cancelled": bool(body.get("cancelled")),
        }
        reply = await self._call(str(body["url"]), encode(sent))
        if reply.status != 200:
            raise _failed()
        given = parse(reply.body)
        return given if isinstance(given, dict) else {}

    async def execute(self, user: User, channel: Channel, text: str, root_id: str, team_id: str) -> Json:
        """Run a slash command; returns the client's JSON."""
        if not self._world.channels.has(channel.id, user.id):
            raise denied()
        trigger_word, _, rest = text.strip().partition(" ")
        command = self._world.commands.get(trigger_word.removeprefix("/").lower())
        if command is None or not text.startswith("/"):
            raise not_found(
                "api.command.execute_command.not_found.app_error",
                f"Command with a trigger of '{trigger_word}' not found.",
            )
        trigger = self._triggers.make(user.id, channel.id)
        form = self._form(command, user, channel, rest.strip(), root_id, team_id, trigger.full)
        headers = {"Authorization": f"Token {command.token}"}
        try:
            form_text = urlencode(sorted(form.items()))
            if command.method == "G":
                reply = await self.outgoing.get(command.url, form_text, headers)
            else:
                reply = await self.outgoing.post(command.url, form_text.encode(), FORM, headers)
        except NoAnswerError:
            raise _command_failed(trigger_word) from None
        if reply.status != 200:
            raise _command_failed(trigger_word)
        response = _response(reply)
        self._respond(response, user.id, channel.id, root_id)
        return _EMPTY_RESPONSE | response | {"trigger_id": trigger.client}

    def respond_later(self, key: str, body: Json) -> None:
        """Apply a delayed response sent to `response_url`."""
        if key not in self._response_urls:
            raise not_found("web.command_webhook.invalid.app_error", "Invalid webhook.")
        self._respond(body, *self._response_urls[key])

    def _who(self, user: User, channel: Channel) -> Json:
        team = self._world.directory.teams.get(channel.team_id)
        return {
            "user_id": user.id,
            "user_name": user.username,
            "channel_id": channel.id,
            "channel_name": channel.name,
            "team_id": channel.team_id,
            "team_domain": team.name if team else "",
        }

    def _ephemeral(self, user: User, post_id: str) -> Post | None:
        shown = (one.post for one in self._world.ephemerals if one.user_id == user.id)
        return next((post for post in shown if post.id == post_id), None)

    async def _call(self, url: str, data: bytes) -> Reply:
        try:
            return await self.outgoing.post(url, data, JSON)
        except NoAnswerError:
            raise _failed() from None

    def _apply(self, user: User, post: Post, given: Json) -> None:
        update: Any = given.get("update")
        if isinstance(update, dict):
            self._update(post, update)
        if text := given.get("ephemeral_text"):
            author = post.user_id
            root_id = post.root_id or post.id
            props = {"from_webhook": "true"}
            posting.ephemeral(
                self._world, user.id, post.channel_id, text, author_id=author, root_id=root_id, props=props
            )

    def _update(self, post: Post, update: Json) -> None:
        # Ephemeral posts are not stored, so they cannot be updated.
        if post.delete_at or post.id not in self._world.history.posts:
            raise no_post()
        patch = {"message": update.get("message", "")}
        if update.get("props") is not None:
            props = {key: value for key, value in update["props"].items() if key not in _RETAINED}
            patch["props"] = props | {key: post.props[key] for key in _RETAINED if key in post.props}
        posting.edit(self._world, post, patch)

    def _form(
        self,
        command: Command,
        user: User,
        channel: Channel,
        text: str,
        root_id: str,
        team_id: str,
        trigger_id: str,
    ) -> dict[str, str]:
        key = new_id()
        self._response_urls[key] = (user.id, channel.id, root_id)
        team = self._world.directory.teams.get(team_id)
        form = self._who(user, channel) | {
            "team_id": team_id,
            "team_domain": team.name if team else "",
            "command": f"/{command.trigger}",
            "text": text,
            "token": command.token,
            "response_url": f"{self._world.site_url}/hooks/commands/{key}",
            "trigger_id": trigger_id,
        }
        if self._world.sends_root_id and root_id:
            form["root_id"] = root_id
        return form | self._mentions(text)

    def _mentions(self, text: str) -> dict[str, str]:
        found = (self._world.directory.find(name) for name in re.findall(r"(?<!\w)@([a-z0-9._-]+)", text))
        users = [user for user in found if user is not None]
        if not users:
            return {}
        return {
            "user_mentions": " ".join(user.username for user in users),
            "user_mentions_ids": " ".join(user.id for user in users),
        }

    def _respond(self, response: Json, user_id: str, channel_id: str, root_id: str) -> None:
        text = str(response.get("text") or "")
        props: Json = dict(response.get("props") or {})
        if response.get("attachments"):
            props["attachments"] = response["attachments"]
        username, icon = response.get("username"), str(response.get("icon_url") or "")
        if not self._world.allow_overrides:
            username = icon = ""
        if username:
            props["override_username"] = username
        if username or icon:
            props |= {"override_icon_url": icon, "from_webhook": "true"}
        if response.get("response_type") == "in_channel":
            user, channel = self._world.directory.user(user_id), self._world.channels.channel(channel_id)
            posting.create(self._world, user, channel, text, root_id=root_id, props=props)
        elif text or props:
            posting.ephemeral(self._world, user_id, channel_id, text, root_id=root_id, props=props)


def _response(reply: Reply) -> Json:
    if reply.content_type != JSON:
        return {"response_type": "ephemeral", "text": reply.body.decode(errors="replace")}
    given = parse(reply.body)
    return given if isinstance(given, dict) else {}


def _failed() -> Refusal:
    return Refusal(400, "api.post.do_action.action_integration.app_error", "Action integration error.")


def _command_failed(trigger: str) -> Refusal:
    return Refusal(
        500, "api.command.execute_command.failed.app_error", f"Command with a trigger of '{trigger}' failed."
    )


_EMPTY_RESPONSE: Json = {
    "response_type": "",
    "text": "",
    "username": "",
    "channel_id": "",
    "icon_url": "",
    "type": "",
    "props": None,
    "goto_location": "",
    "trigger_id": "",
    "skip_slack_parsing": False,
    "attachments": None,
    "extra_responses": None,
}
