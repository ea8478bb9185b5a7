"""A Mattermost and a Zoom server set up for the same bot, as used by ``zoombot demo``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.sandbox.mattermost import Mattermost
from bot.sandbox.site import page_routes
from bot.sandbox.zoom import Zoom


class Stage:
    """Both servers, with the demo's chat page at Mattermost's root.

    Both share one clock, which people can advance on Zoom's pages. The bot must use ``now`` too: otherwise it
    rejects webhooks signed after an advance as stale.
    """

    def __init__(self, port: int = 0) -> None:
        self.zoom = Zoom()
        self.zoom.webhooks.now = lambda: self.now() // 1000
        self.mattermost = Mattermost(port=port, routes=page_routes(self.zoom))
        self.mattermost.world.clock = self.now

    def now(self) -> int:
        """The shared clock, in milliseconds since the epoch."""
        return self.zoom.clock.now_ms()

    @property
    def mattermost_url(self) -> str:
        """Mattermost's base URL, where the chat page is too."""
        return self.mattermost.url

    @property
    def mattermost_token(self) -> str:
        return self.mattermost.bot_token

    @property
    def zoom_url(self) -> str:
        return self.zoom.url

    @property
    def zoom_api_url(self) -> str:
        return self.zoom.api_url

    @property
    def zoom_app(self) -> tuple[str, str, str]:
        """Client id, client secret and webhook Secret Token of the app."""
        return self.zoom.client_id, self.zoom.client_secret, self.zoom.webhook_secret

    @asynccontextmanager
    async def opened(self, public_url: str, url_secret: str, command_token: str) -> AsyncIterator[None]:
        """Run both servers for a bot at ``public_url``. Raises OSError if the port is taken."""
        self.zoom.redirect_uri = f"{public_url}/oauth2/complete"
        self.zoom.webhook_url = f"{public_url}/webhook?secret={url_secret}"
        async with self.mattermost, self.zoom:
            self.mattermost.register_command("zoom", f"{public_url}/command", token=command_token)
            yield
