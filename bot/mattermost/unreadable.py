"""Counts what Mattermost sent and the bot could not read."""

from __future__ import annotations

import logging

from cachetools import LRUCache

from bot.clock import Now

log = logging.getLogger(__name__)

# How many posts are remembered as counted.
MAX_KNOWN = 4096
# Whoever writes one such post may write thousands.
LOG_PAUSE_MS = 60_000


class Unreadable:
    """Counts each unreadable post once, and logs at most one line a minute."""

    def __init__(self, now: Now) -> None:
        self._now = now
        self._known: LRUCache[str, bool] = LRUCache(MAX_KNOWN)
        self._logged_at = 0
        self.count = 0

    def note(self, id: str, reason: str, *, error: Exception | None = None) -> None:
        """Count the post with this id, unless it is counted. ``reason`` must not repeat what it says. The
        traceback of ``error`` is logged too: it is a bug of ours."""
        if id in self._known:
            return
        self._known[id] = True
        self.count += 1
        if self._logged_at and self._now() - self._logged_at < LOG_PAUSE_MS:
            return
        self._logged_at = self._now()
        log.warning("mattermost: post %s cannot be read and is left out: %s", id, reason, exc_info=error)
