"""How large a message the server takes. Short posts need no call to know it."""

from __future__ import annotations

import asyncio
import logging

from bot.errors import MattermostError
from bot.mattermost.client import Mattermost
from bot.mattermost.models import MAX_POST_SIZE

log = logging.getLogger(__name__)

# Every Mattermost takes this many characters.
SAFE_SIZE = 4_000
# How long the server's setting is remembered, in seconds.
MAX_AGE_S = 600.0
# Below this, a shorter message would not help.
LEAST_SIZE = 200


class PostSize:
    """Knows ``MaxPostSize``, in characters."""

    def __init__(self, mattermost: Mattermost) -> None:
        self._mattermost = mattermost
        self._known = 0
        self._read_at = float("-inf")

    async def limit(self, length: int) -> int:
        """The most characters of a message. Asks the server only if ``length`` may be too much for it."""
        safe = self._known or SAFE_SIZE
        if length <= safe:
            return safe
        if asyncio.get_running_loop().time() - self._read_at > MAX_AGE_S:
            await self._read()
        return self._known or MAX_POST_SIZE

    async def smaller(self, refused: int) -> int:
        """The limit after the server refused a message of this length; 0 if a shorter one would not help."""
        if refused <= LEAST_SIZE:
            return 0
        await self._read()
        # A server that refuses less than it says it takes.
        return self._known if 0 < self._known < refused else refused // 2

    async def _read(self) -> None:
        try:
            self._known = max(LEAST_SIZE, (await self._mattermost.settings()).max_post_size)
        except MattermostError as error:
            log.warning("mattermost: MaxPostSize cannot be read: %s", error)
            return
        self._read_at = asyncio.get_running_loop().time()
