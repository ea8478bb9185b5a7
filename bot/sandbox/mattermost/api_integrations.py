"""API routes for actions, dialogs and slash commands."""

from __future__ import annotations

from aiohttp import web

from bot.sandbox.mattermost.api_request import ApiRequest, Route
from bot.sandbox.mattermost.integrations import Integrations
from bot.sandbox.mattermost.refusals import denied
from bot.sandbox.mattermost.wire import answer


class IntegrationsApi:
    """Routes that clients and integrations call."""

    def __init__(self, integrations: Integrations) -> None:
        self._integrations = integrations
        self.routes = (
            Route("POST", "/posts/{post_id}/actions/{action_id}", self.press),
            Route("POST", "/actions/dialogs/open", self.open_dialog, open=True),
            Route("POST", "/actions/dialogs/submit", self.submit_dialog),
            Route("POST", "/commands/execute", self.execute),
            Route("GET", "/commands", self.commands),
        )
        self.hooks = (Route("POST", "/hooks/commands/{key}", self.respond, open=True),)

    async def press(self, request: ApiRequest) -> web.StreamResponse:
        selected = str((request.body or {}).get("selected_option") or "")
        pressed = self._integrations.press(
            request.user, request.part("post_id"), request.part("action_id"), selected
        )
        return answer(await pressed)

    async def open_dialog(self, request: ApiRequest) -> web.StreamResponse:
        """Needs no token: the trigger id authorizes it."""
        self._integrations.open_dialog(request.json)
        return answer({"status": "OK"})

    async def submit_dialog(self, request: ApiRequest) -> web.StreamResponse:
        return answer(await self._integrations.submit_dialog(request.user, request.json))

    async def execute(self, request: ApiRequest) -> web.StreamResponse:
        channel = request.world.channels.channel(request.text("channel_id"))
        text, root_id = request.text("command"), request.text("root_id")
        team_id = channel.team_id or request.text("team_id")
        return answer(await self._integrations.execute(request.user, channel, text, root_id, team_id))

    async def commands(self, request: ApiRequest) -> web.StreamResponse:
        """A team's own slash commands with their tokens, for those who may change them."""
        if not request.user.is_admin:
            raise denied()
        team_id = request.http.query.get("team_id", "")
        return answer([each for each in request.world.commands.values() if each.team_id == team_id])

    async def respond(self, request: ApiRequest) -> web.StreamResponse:
        """Handle a delayed response to a command, sent to its `response_url`."""
        self._integrations.respond_later(request.part("key"), request.json)
        return web.Response(text="ok")
