"""Compares our clock with Mattermost's and Zoom's, and corrects it where both say that it is wrong.

As long as clocks differ by more than an hour, nothing is deleted or given up for its age: whoever asks
:meth:`Clocks.look` gets False.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging

from bot.clock import Now
from bot.errors import MattermostError, ZoomError
from bot.mattermost import Mattermost, ServerClock
from bot.zoom import Zoom

log = logging.getLogger(__name__)

# Clocks that differ by less are taken to be the same.
LIMIT_MS = 60 * 60_000
# How often they are compared while they differ by more.
PERIOD_S = 30.0


class Clocks:
    """Our clock (``system``, in ms) and what the two servers' answers tell of theirs.

    All parts of the bot use :meth:`now`. It is the system's time, unless both servers agree on another.
    """

    def __init__(self, system: Now, *, period_s: float = PERIOD_S) -> None:
        self._system = system
        self._period_s = period_s
        self.mattermost = ServerClock()
        self.zoom = ServerClock()
        self._correction = 0
        self._said = False

    def now(self) -> int:
        """The time in ms since the epoch."""
        return self._system() + self._correction

    @property
    def trouble(self) -> str:
        """Which clocks differ too much, and what to do; empty if none do."""
        names = {"Mattermost": self._ahead(self.mattermost), "Zoom": self._ahead(self.zoom)}
        found = [f"{name}'s by {ms / 1000:.0f} s" for name, ms in names.items() if abs(ms) > LIMIT_MS]
        if not found:
            return ""
        return f"this machine's clock differs from {' and '.join(found)}: synchronize it with NTP"

    async def look(self, mattermost: Mattermost, zoom: Zoom) -> bool:
        """Ask Mattermost for its time, and Zoom if there is trouble. Returns whether all is well.

        False if Mattermost does not answer: our clock may have been changed since it last did.
        """
        try:
            await mattermost.me()
        except MattermostError:
            return False
        if self.trouble:
            with contextlib.suppress(ZoomError):
                await zoom.ask_time()
        self._correct()
        self._say()
        return not self.trouble

    async def settle(self, mattermost: Mattermost, zoom: Zoom) -> None:
        """Look, if there is or was trouble. Other calls and pings tell when it begins."""
        if self.trouble or self._said:
            await self.look(mattermost, zoom)

    async def watch(self, mattermost: Mattermost, zoom: Zoom) -> None:
        """Settle every period, until cancelled."""
        while True:
            await self.settle(mattermost, zoom)
            await asyncio.sleep(self._period_s)

    def _ahead(self, server: ServerClock) -> int:
        """How far a server's clock is ahead of the system's, in ms."""
        return server.offset + self._correction if server.known else 0

    def _correct(self) -> None:
        ours = self._ahead(self.mattermost)
        agreed = self.zoom.known and abs(ours - self._ahead(self.zoom)) <= LIMIT_MS
        wanted = ours if agreed and abs(ours) > LIMIT_MS else 0
        step = wanted - self._correction
        if abs(step) > LIMIT_MS:
            self._correction = wanted
            for server in (self.mattermost, self.zoom):
                server.moved(step)

    def _say(self) -> None:
        trouble = self.trouble
        if trouble and not self._said:
            log.error("%s; until then nothing is deleted or given up for its age", trouble)
        elif self._said and not trouble:
            log.info("the clocks agree again")
        self._said = bool(trouble)
