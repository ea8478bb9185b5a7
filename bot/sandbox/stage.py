"""A Mattermost and a Zoom that know each other's bot: what ``zoombot demo`` plays on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.sandbox.mattermost import Mattermost
from bot.sandbox.site import page_routes
from bot.sandbox.zoom import Zoom


class Stage:
    """Both servers, and the page at Mattermost's root that shows them to people.

    There is one clock for everybody, which people move on at Zoom's pages: a bot that does not go by ``now``
    takes what Zoom signs after that for stale.
    """

    def __init__(self, port: int = 0) -> None:
        self.zoom = Zoom()
        self.zoom.courier.now = lambda: self.now() // 1000
        self.mattermost = Mattermost(port=port, routes=page_routes(self.zoom))
        self.mattermost.world.clock = self.now

    def now(self) -> int:
        """The stage's clock: milliseconds since the epoch."""
        return self.zoom.clock.now_ms()

    @property
    def mattermost_url(self) -> str:
        """Where Mattermost, and the page, are."""
        return self.mattermost.url

    @property
    def mattermost_token(self) -> str:
        """The access token of the bot account."""
        return self.mattermost.bot_token

    @property
    def zoom_url(self) -> str:
        """Where people sign in to Zoom."""
        return self.zoom.url

    @property
    def zoom_api_url(self) -> str:
        """Where Zoom's API is."""
        return self.zoom.api_url

    @property
    def zoom_app(self) -> tuple[str, str, str]:
        """Client id, client secret and the webhooks' Secret Token of the app at this Zoom."""
        return self.zoom.client_id, self.zoom.client_secret, self.zoom.webhook_secret

    @asynccontextmanager
    async def opened(self, public_url: str, url_secret: str, command_token: str) -> AsyncIterator[None]:
        """The stage, while both servers run for a bot at ``public_url``. OSError if the port is taken."""
        self.zoom.redirect_uri = f"{public_url}/oauth2/complete"
        self.zoom.webhook_url = f"{public_url}/webhook?secret={url_secret}"
        async with self.mattermost, self.zoom:
            self.mattermost.register_command("zoom", f"{public_url}/command", token=command_token)
            yield
