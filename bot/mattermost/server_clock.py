"""How far the server's clock is from ours."""

from __future__ import annotations

from email.utils import parsedate_to_datetime


class ServerClock:
    """Narrows the offset down with every time stamp that the server sends.

    Each stamp says that the offset lies in an interval (the answer was made between our asking and its
    coming, and a ``Date`` header leaves out the milliseconds); the truth is where the intervals meet.
    """

    def __init__(self) -> None:
        self._low: int | None = None
        self._high = 0

    @property
    def offset(self) -> int:
        """Milliseconds that the server's clock is ahead of ours; 0 if unknown or not distinguishable."""
        if self._low is None or self._low <= 0 <= self._high:
            return 0
        return (self._low + self._high) // 2

    def note_date(self, date: str, asked_at: int, came_at: int) -> None:
        """Take in a ``Date`` header; ``asked_at`` and ``came_at`` are our own times in ms."""
        try:
            stamp = int(parsedate_to_datetime(date).timestamp() * 1000)
        except (ValueError, TypeError, OverflowError):
            return
        self.note(stamp, asked_at, came_at, precision_ms=1000)

    def note(self, stamp: int, asked_at: int, came_at: int, *, precision_ms: int = 1) -> None:
        """Take in the server's time ``stamp`` (ms, rounded down to ``precision_ms``)."""
        low, high = stamp - came_at, stamp + precision_ms - asked_at
        if self._low is not None and max(low, self._low) <= min(high, self._high):
            low, high = max(low, self._low), min(high, self._high)
        # Otherwise one of the clocks was set: the newest stamp counts.
        self._low, self._high = low, high
