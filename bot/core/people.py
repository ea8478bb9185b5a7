"""Mattermost's users, remembered for a while."""

from __future__ import annotations

from collections import OrderedDict

from bot.clock import Now
from bot.mattermost import Mattermost, User

MAX_PEOPLE = 10_000
# A name or an e-mail that changed counts after this.
MAX_AGE_MS = 5 * 60_000


class People:
    """Looks users up by id, as a rule each once in five minutes."""

    def __init__(self, mattermost: Mattermost, now: Now) -> None:
        self._mattermost = mattermost
        self._now = now
        self._known: OrderedDict[str, tuple[int, User]] = OrderedDict()

    async def get(self, id: str) -> User:
        """The user of this id, at most five minutes old."""
        at, user = self._known.get(id, (0, None))
        if user is not None and self._now() - at < MAX_AGE_MS:
            return user
        return await self.fresh(id)

    async def fresh(self, id: str) -> User:
        """The user of this id as Mattermost knows them now."""
        user = await self._mattermost.user(id)
        self._known[id] = (self._now(), user)
        self._known.move_to_end(id)
        if len(self._known) > MAX_PEOPLE:
            self._known.popitem(last=False)
        return user
