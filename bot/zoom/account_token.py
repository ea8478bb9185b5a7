"""Tokens held in memory alone: the one of a server-to-server app, and one that is not linked yet."""

from __future__ import annotations

import asyncio
import logging
from typing import Protocol

from bot.clock import Now, now_ms
from bot.errors import ZoomError, ZoomLinkError, ZoomUnreachableError
from bot.zoom.models import Grant

log = logging.getLogger(__name__)

EARLY_MS = 5 * 60_000
# A renewal that failed while the old token still holds is not tried again at once.
PAUSE_MS = 10_000
CLOSE_S = 5.0


class Endpoint(Protocol):
    """What is needed of :class:`bot.zoom.oauth.OAuth`."""

    async def account_credentials(self) -> Grant:
        """A new token; it may kill the one before."""


class AccountToken:
    """Renewed before it ends, by one request at a time. Whose call it is makes no difference."""

    def __init__(self, oauth: Endpoint, now: Now = now_ms) -> None:
        self._oauth = oauth
        self._now = now
        self._grant: Grant | None = None
        self._task: asyncio.Task[Grant] | None = None
        self._paused_until = 0
        self._closing = False

    async def access(self, user_id: str = "") -> str:
        """The token; asks Zoom for one only when there is none or it ends within five minutes."""
        grant, now = self._grant, self._now()
        if grant is None or grant.expires_at <= now:
            return (await self._renewed()).access_token
        if grant.expires_at - now > EARLY_MS or now < self._paused_until:
            return grant.access_token
        try:
            return (await self._renewed()).access_token
        except ZoomError as error:
            log.warning("could not renew the Zoom token yet: %s", error)
            self._paused_until = now + PAUSE_MS
            return grant.access_token

    async def refresh(self, user_id: str, stale: str) -> str:
        """A token other than ``stale``, which Zoom has refused."""
        if self._grant and self._grant.access_token != stale:
            return self._grant.access_token
        return (await self._renewed()).access_token

    async def close(self, timeout_s: float = CLOSE_S) -> None:
        """End the request under way; nothing is lost by it."""
        self._closing = True
        if self._task:
            self._task.cancel()
            await asyncio.wait({self._task}, timeout=timeout_s)

    async def _renewed(self) -> Grant:
        if self._task is None:
            if self._closing:
                raise ZoomUnreachableError("the bot is stopping")
            self._task = asyncio.create_task(self._oauth.account_credentials(), name="zoom token")
            self._task.add_done_callback(self._ended)
        task = self._task
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            current = asyncio.current_task()
            if task.cancelled() and not (current and current.cancelling()):
                raise ZoomUnreachableError("the bot is stopping") from None
            raise

    def _ended(self, task: asyncio.Task[Grant]) -> None:
        self._task = None
        if not task.cancelled() and not task.exception():
            self._grant = task.result()


class GrantToken:
    """The token of a grant that nobody has confirmed yet."""

    def __init__(self, grant: Grant) -> None:
        self._grant = grant

    async def access(self, user_id: str = "") -> str:
        """The grant's token."""
        return self._grant.access_token

    async def refresh(self, user_id: str, stale: str) -> str:
        """A grant this young that is refused was revoked."""
        raise ZoomLinkError("Zoom refuses a token that it just gave", status=401)
