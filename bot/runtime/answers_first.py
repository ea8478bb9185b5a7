"""Lets what Zoom and Mattermost wait for go first: the writing down of what they send.

A webhook's answer waits for one write. To handle a webhook and to edit a post takes longer, and nobody waits
for it. So each handler has its turn when nothing is being written down, one in each turn of the event loop.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass

from bot.core.inbox import Inbox


@dataclass(frozen=True, slots=True)
class Courtesy:
    """For how long a handler lets others go first, in seconds.

    ``patience_s`` is counted from its request for a turn; for what is urgent, ``urgent_s`` instead. From then
    on it waits at most ``pause_s``, so that handling goes on even if there is always something to write down.
    """

    patience_s: float = 0.5
    urgent_s: float = 0.05
    pause_s: float = 0.003


DEFAULT_COURTESY = Courtesy()


class AnswersFirst:
    """Gives the handlers of webhooks their turns, and tells when no webhook is left.

    Requests and tasks need no turn: they are few, and people wait for them.
    """

    def __init__(self, inbox: Inbox, courtesy: Courtesy = DEFAULT_COURTESY) -> None:
        self._inbox = inbox
        self._courtesy = courtesy
        # Those who wait for a turn, in order: what is urgent does not stand in line behind what is not.
        self._next = {urgent: asyncio.Lock() for urgent in (True, False)}
        self._queued = 0
        self._handled = asyncio.Event()
        self._handled.set()

    @property
    def busy(self) -> bool:
        """Whether anything is being written down, or a webhook is not handled yet."""
        return self._inbox.receiving or self._queued > 0

    async def quiet(self) -> None:
        """Wait until nothing is being written down, and all webhooks are handled."""
        while self.busy:
            await self._inbox.received()
            await self._handled.wait()

    def begin(self) -> None:
        """Note that a webhook is queued."""
        self._queued += 1
        self._handled.clear()

    def end(self) -> None:
        """Note that a queued webhook is handled."""
        self._queued -= 1
        if not self._queued:
            self._handled.set()

    async def turn(self, *, urgent: bool) -> None:
        """Wait until a webhook may be handled."""
        loop = asyncio.get_running_loop()
        until = loop.time() + (self._courtesy.urgent_s if urgent else self._courtesy.patience_s)
        line = self._next[urgent]
        await line.acquire()
        try:
            if self._inbox.receiving:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(max(until - loop.time(), self._courtesy.pause_s)):
                        await self._inbox.received()
        finally:
            # The next one begins in a later turn of the loop, which takes in what has arrived meanwhile.
            loop.call_soon(line.release)
