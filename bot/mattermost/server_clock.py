"""Estimates the difference between the server's clock and ours."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from functools import lru_cache


class ServerClock:
    """Narrows down the offset with every time stamp that the server sends.

    Each stamp limits the offset to an interval: the answer was made between our request and its arrival, and
    a ``Date`` header has no milliseconds. The offset lies where the intervals overlap.
    """

    def __init__(self) -> None:
        self._low: int | None = None
        self._high = 0

    @property
    def offset(self) -> int:
        """How far the server's clock is ahead of ours, in ms; 0 if unknown or too small to tell."""
        if self._low is None or self._low <= 0 <= self._high:
            return 0
        return (self._low + self._high) // 2

    @property
    def known(self) -> bool:
        """Whether the server has sent a time stamp."""
        return self._low is not None

    def moved(self, step_ms: int) -> None:
        """Take in that our own clock was put forward by ``step_ms``."""
        if self._low is not None:
            self._low, self._high = self._low - step_ms, self._high - step_ms

    def note_date(self, date: str, asked_at: int, came_at: int) -> None:
        """Take in a ``Date`` header; ``asked_at`` and ``came_at`` are times of our clock in ms."""
        try:
            stamp = _stamp_of(date)
        except (ValueError, TypeError, OverflowError):
            return
        self.note(stamp, asked_at, came_at, precision_ms=1000)

    def note(self, stamp: int, asked_at: int, came_at: int, *, precision_ms: int = 1) -> None:
        """Take in the server's time ``stamp`` (ms, rounded down to ``precision_ms``)."""
        low, high = stamp - came_at, stamp + precision_ms - asked_at
        if self._low is not None and max(low, self._low) <= min(high, self._high):
            low, high = max(low, self._low), min(high, self._high)
        # Without an overlap, one of the clocks was changed: only the newest stamp counts.
        self._low, self._high = low, high


# All answers of the same second have the same header.
@lru_cache(maxsize=4)
def _stamp_of(date: str) -> int:
    return int(parsedate_to_datetime(date).timestamp() * 1000)
