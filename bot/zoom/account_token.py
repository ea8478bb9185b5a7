"""Access tokens kept only in memory: a server-to-server app's, and that of an account not yet linked."""

from __future__ import annotations

import asyncio
import logging
from typing import Protocol

from bot.clock import Now, now_ms
from bot.errors import ZoomError, ZoomLinkError, ZoomUnreachableError
from bot.zoom.models import Grant

log = logging.getLogger(__name__)

EARLY_MS = 5 * 60_000
# The pause after a failed renewal while the old token is still valid.
PAUSE_MS = 10_000
CLOSE_S = 5.0


class Endpoint(Protocol):
    """The part of :class:`bot.zoom.oauth.OAuth` that is used here."""

    async def account_credentials(self) -> Grant:
        """Get a new token. This may invalidate the previous one."""


class AccountToken:
    """One token for all users, renewed before it expires, by one request at a time."""

    def __init__(self, oauth: Endpoint, now: Now = now_ms) -> None:
        self._oauth = oauth
        self._now = now
        self._grant: Grant | None = None
        self._task: asyncio.Task[Grant] | None = None
        self._paused_until = 0
        self._closing = False

    async def access(self, user_id: str = "") -> str:
        """The token; asks Zoom for a new one only if there is none or it expires within five minutes."""
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
        """A token other than ``stale``, which Zoom refused."""
        if self._grant and self._grant.access_token != stale:
            return self._grant.access_token
        return (await self._renewed()).access_token

    async def close(self, timeout_s: float = CLOSE_S) -> None:
        """Cancel a running request. Nothing is lost by this."""
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
    """The token of a grant that the person has not confirmed yet."""

    def __init__(self, grant: Grant) -> None:
        self._grant = grant

    async def access(self, user_id: str = "") -> str:
        """The grant's token."""
        return self._grant.access_token

    async def refresh(self, user_id: str, stale: str) -> str:
        """Raise :class:`ZoomLinkError`: a new token that Zoom refuses was revoked."""
        raise ZoomLinkError("Zoom refuses a token that it just gave", status=401)
