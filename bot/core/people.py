"""A cache of Mattermost users."""

from __future__ import annotations

from cachetools import TTLCache

from bot.clock import Now
from bot.mattermost import Mattermost, User

MAX_PEOPLE = 10_000
# A changed name or e-mail address takes effect within this time.
MAX_AGE_MS = 5 * 60_000


class People:
    """Looks up users by id, normally each at most once in five minutes."""

    def __init__(self, mattermost: Mattermost, now: Now) -> None:
        self._mattermost = mattermost
        self._known: TTLCache[str, User] = TTLCache(MAX_PEOPLE, MAX_AGE_MS, timer=now)

    async def get(self, id: str) -> User:
        """The user with this id, at most five minutes old."""
        return self._known.get(id) or await self.fresh(id)

    def forget(self, id: str) -> None:
        """Fetch this user anew next time: Mattermost says that the account was changed."""
        self._known.pop(id, None)

    async def fresh(self, id: str) -> User:
        """The user with this id, fetched from Mattermost now."""
        user = await self._mattermost.user(id)
        self._known[id] = user
        return user
