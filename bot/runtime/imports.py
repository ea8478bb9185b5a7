"""Tells old messages that somebody brings in from messages that people write now."""

from __future__ import annotations

import contextlib

from bot.clock import Now
from bot.errors import MattermostError
from bot.mattermost import Mattermost

# How long the difference between the clocks is trusted after it was looked at.
TRUSTED_MS = 10_000


class Imports:
    """Administrators' scripts post old messages with the time at which they were written. Such a message
    arrives like a new one, but it was written before the bot looked, and so the bot has not missed it."""

    def __init__(self, mattermost: Mattermost, now: Now, missed_ms: int) -> None:
        self._mattermost = mattermost
        self._now = now
        self._missed_ms = missed_ms
        self._looked_at = 0
        # How many were passed over.
        self.count = 0

    async def is_import(self, create_at: int, seen: int) -> bool:
        """Whether a message that arrived now is to be passed over in silence: it is older than
        ``mattermost.catch_up``, and older than ``seen`` (both ms, server's clock)."""
        if create_at >= seen or not self._is_old(create_at):
            return False
        if self._now() - self._looked_at > TRUSTED_MS:
            # The server's clock may just have been set. Any answer shows what it says now.
            with contextlib.suppress(MattermostError):
                await self._mattermost.me()
            self._looked_at = self._now()
        old = self._is_old(create_at)
        self.count += old
        return old

    def _is_old(self, create_at: int) -> bool:
        return self._now() + self._mattermost.server_offset - create_at > self._missed_ms
