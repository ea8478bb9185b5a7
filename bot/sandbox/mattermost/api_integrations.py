"""Actions, dialogs and commands, as clients and integrations reach them."""

from __future__ import annotations

from aiohttp import web

from bot.sandbox.mattermost.ask import Ask, Route
from bot.sandbox.mattermost.integrations import Integrations
from bot.sandbox.mattermost.wire import answer


class IntegrationsApi:
    """The routes of the integrations."""

    def __init__(self, integrations: Integrations) -> None:
        self._integrations = integrations
        self.routes = (
            Route("POST", "/posts/{post_id}/actions/{action_id}", self.press),
            Route("POST", "/actions/dialogs/open", self.open_dialog, open=True),
            Route("POST", "/actions/dialogs/submit", self.submit_dialog),
            Route("POST", "/commands/execute", self.execute),
        )
        self.hooks = (Route("POST", "/hooks/commands/{key}", self.respond, open=True),)

    async def press(self, ask: Ask) -> web.StreamResponse:
        """`POST /posts/{id}/actions/{id}`: a button is pressed, an option chosen."""
        selected = str((ask.body or {}).get("selected_option") or "")
        pressed = self._integrations.press(ask.user, ask.part("post_id"), ask.part("action_id"), selected)
        return answer(await pressed)

    async def open_dialog(self, ask: Ask) -> web.StreamResponse:
        """`POST /actions/dialogs/open`: needs no token."""
        self._integrations.open_dialog(ask.json)
        return answer({"status": "OK"})

    async def submit_dialog(self, ask: Ask) -> web.StreamResponse:
        """`POST /actions/dialogs/submit`."""
        return answer(await self._integrations.submit_dialog(ask.user, ask.json))

    async def execute(self, ask: Ask) -> web.StreamResponse:
        """`POST /commands/execute`."""
        channel = ask.world.rooms.channel(ask.text("channel_id"))
        text, root_id = ask.text("command"), ask.text("root_id")
        team_id = channel.team_id or ask.text("team_id")
        return answer(await self._integrations.execute(ask.user, channel, text, root_id, team_id))

    async def respond(self, ask: Ask) -> web.StreamResponse:
        """`POST /hooks/commands/{key}`: a command's later answer."""
        self._integrations.respond_later(ask.part("key"), ask.json)
        return web.Response(text="ok")
