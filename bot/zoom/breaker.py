"""Notices that Zoom is away, so that whoever asks next is told at once."""

from __future__ import annotations

from collections.abc import Callable

from bot.zoom.timings import DEFAULT_TIMINGS, ZoomTimings

FAILURES = 5
# A server that takes calls and does not answer is known sooner: each of them costs a person ten seconds.
TIMEOUTS = 2


class Breaker:
    """Opens after ``FAILURES`` calls in a row without an answer over at least ``away_after_s``, or after
    ``TIMEOUTS`` in a row that were waited for in vain.

    Then calls fail at once for ``away_s``, after which one at a time is let through: its answer closes
    the breaker. ``clock`` gives seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float], timings: ZoomTimings = DEFAULT_TIMINGS) -> None:
        self._clock = clock
        self._timings = timings
        self._failures = self._timeouts = 0
        self._first_at = 0.0
        self._shut_until = 0.0
        self._is_open = False

    def allows(self) -> bool:
        """Whether a call may go out now. While open, a true answer is for one call alone."""
        if not self._is_open:
            return True
        now = self._clock()
        if now < self._shut_until:
            return False
        self._shut_until = now + self._timings.away_s
        return True

    def worked(self) -> None:
        """An answer came, whatever it said."""
        self._failures = self._timeouts = 0
        self._is_open = False

    def failed(self, *, timed_out: bool = False) -> None:
        """No answer came; ``timed_out`` if it was waited for."""
        now = self._clock()
        if not self._failures:
            self._first_at = now
        self._failures += 1
        self._timeouts += timed_out
        lasts = self._failures >= FAILURES and now - self._first_at >= self._timings.away_after_s
        if self._is_open or lasts or self._timeouts >= TIMEOUTS:
            self._is_open = True
            self._shut_until = now + self._timings.away_s
