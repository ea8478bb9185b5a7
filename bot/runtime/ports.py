"""The two ports. They listen before the bot is ready, so that whoever asks learns why it is not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aiohttp import web

from bot.config import WebConfig
from bot.web import Server, WebLimits, admin_app, starting_app
from bot.web.admin import Place, Reasons


class Ports:
    """The public port answers 503 until :meth:`serve`; the operator's port answers from the start."""

    def __init__(
        self, config: WebConfig, metrics: Callable[[], tuple[bytes, str]], limits: WebLimits
    ) -> None:
        self._metrics = metrics
        self._reasons: Reasons = self._starting
        self._limits: Reasons = dict
        self._place: Place = dict
        # What the start waits for now: the part of the bot, and why.
        self._part, self._why = "start", "the bot is starting"
        self._admin = Server(
            config.admin_host, config.admin_port, "web.admin_port", limits.admin_connections, limits
        )
        self._public = Server(config.host, config.port, "web.port", limits.connections, limits)
        # The ports that it listens on; 0 until then.
        self.admin_port = 0
        self.public_port = 0

    async def open(self) -> None:
        """Listen on both ports. Raises :class:`bot.errors.StartError`."""
        admin = admin_app(
            lambda: self._reasons(), self._metrics, lambda: self._limits(), lambda: self._place()
        )
        self.admin_port = await self._admin.start(admin)
        self.public_port = await self._public.start(starting_app())

    def wait_for(self, part: str, why: str) -> None:
        """Say in ``/readyz`` what the start waits for."""
        self._part, self._why = part, why

    async def serve(
        self, app: web.Application, reasons: Reasons, limits: Reasons, place: Place = dict
    ) -> None:
        """Serve the public routes; from now on, ``reasons`` and ``limits`` say how ready the bot is, and
        ``place`` which replica it is."""
        await self._public.serve(app)
        self._reasons, self._limits, self._place = reasons, limits, place

    async def close(self) -> None:
        """Stop listening, and answer the requests in flight."""
        await asyncio.gather(self._admin.close(), self._public.close())

    def _starting(self) -> dict[str, str]:
        return {self._part: self._why}
