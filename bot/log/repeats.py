"""Log lines that strangers can cause as often as they like: each is said at most once in a while."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

PERIOD_S = 60.0


@dataclass(slots=True)
class _Period:
    timer: asyncio.TimerHandle
    unsaid: int = 0


class Repeats:
    """Writes each message to ``log`` at once, and then at most once in ``period_s`` seconds, with how often
    it came meanwhile. Messages are constants of the code: one is remembered for each."""

    def __init__(self, log: logging.Logger, period_s: float = PERIOD_S) -> None:
        self._log = log
        self._period_s = period_s
        self._periods: dict[str, _Period] = {}

    def warning(self, message: str) -> None:
        """Write ``message``, or count it if it was written a short while ago. Call it in the loop."""
        if not self._is_counted(message):
            self._log.warning("%s", message)

    def exception(self, message: str) -> None:
        """The same as an error, with the current exception's trace the first time."""
        if not self._is_counted(message):
            self._log.exception("%s", message)

    def close(self) -> None:
        """Write the counts that were not written yet."""
        for message, period in self._periods.items():
            period.timer.cancel()
            self._say(message, period.unsaid)
        self._periods.clear()

    def _is_counted(self, message: str) -> bool:
        if period := self._periods.get(message):
            period.unsaid += 1
            return True
        self._begin(message)
        return False

    def _begin(self, message: str) -> None:
        timer = asyncio.get_running_loop().call_later(self._period_s, self._end, message)
        self._periods[message] = _Period(timer)

    def _end(self, message: str) -> None:
        unsaid = self._periods.pop(message).unsaid
        if unsaid:
            self._say(message, unsaid)
            self._begin(message)

    def _say(self, message: str, unsaid: int) -> None:
        if unsaid:
            self._log.warning("%s; %d more times within a minute", message, unsaid, extra={"times": unsaid})
