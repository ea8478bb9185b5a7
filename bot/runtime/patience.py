"""Tells an outage of Mattermost from a call that alone keeps failing.

An outage is waited for, however long it lasts. But a proxy may answer one post, or one kind of call, with a
page of its own for ever. If ``GET /users/me`` works meanwhile, the call is given up, or everything behind it
would wait for ever.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

from bot.errors import MattermostError, MattermostRateLimitError
from bot.mattermost import Mattermost

log = logging.getLogger(__name__)

# What came of one ``GET /users/me`` counts this long for all calls that fail, so that an outage is not made
# worse by asking for each of them.
FRESH_S = 1.0


@dataclass(frozen=True, slots=True)
class Patience:
    """For how long a call is tried although Mattermost answers others, in seconds, and how often at least.

    ``page_s`` is for answers that are not Mattermost's, ``trouble_s`` for server errors and lost answers,
    ``limit_s`` for rate limits.
    """

    page_s: float = 45.0
    trouble_s: float = 120.0
    limit_s: float = 1200.0
    failures: int = 5

    def with_error(self, error: MattermostError) -> float:
        """The seconds for an error of this kind."""
        if isinstance(error, MattermostRateLimitError):
            return self.limit_s
        return self.page_s if 0 < error.status < 500 and error.status != 408 else self.trouble_s


DEFAULT_PATIENCE = Patience()


class Trials:
    """Watches the calls that are tried again."""

    def __init__(self, mattermost: Mattermost, patience: Patience = DEFAULT_PATIENCE) -> None:
        self._mattermost = mattermost
        self._patience = patience
        self._asking = asyncio.Lock()
        self._asked_at = float("-inf")
        self._answered = False

    def begin(self) -> Trial:
        """Watch a call from its first failure on."""
        return Trial(self, self._patience)

    async def answers(self) -> bool:
        """Whether Mattermost answers ``GET /users/me`` now."""
        loop = asyncio.get_running_loop()
        async with self._asking:
            if loop.time() - self._asked_at > FRESH_S:
                self._answered = await self._is_answered()
                self._asked_at = loop.time()
            return self._answered

    async def _is_answered(self) -> bool:
        try:
            await self._mattermost.me()
        except MattermostError as error:
            log.debug("mattermost: it does not answer other calls either: %s", error)
            return False
        return True


class Trial:
    """One call that is tried again while it fails."""

    def __init__(self, trials: Trials, patience: Patience) -> None:
        self._trials = trials
        self._patience = patience
        self._failures = 0
        self._since = 0.0

    async def is_hopeless(self, error: MattermostError) -> bool:
        """Whether to give the call up after this failure. Time counts while Mattermost answers others."""
        if not await self._trials.answers():
            self._failures = 0
            return False
        now = asyncio.get_running_loop().time()
        self._since = self._since if self._failures else now
        self._failures += 1
        enough = self._failures >= self._patience.failures
        return enough and now - self._since >= self._patience.with_error(error)
