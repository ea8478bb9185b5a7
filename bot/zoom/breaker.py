"""Notices that Zoom is away, so that whoever asks next is told at once."""

from __future__ import annotations

from collections.abc import Callable

FAILURES = 5
WINDOW_S = 4.0
PAUSE_S = 5.0


class Breaker:
    """Opens after ``FAILURES`` calls in a row without an answer over at least ``WINDOW_S`` seconds.

    Then calls fail at once for ``PAUSE_S``, after which one at a time is let through: its answer closes
    the breaker. ``clock`` gives seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._failures = 0
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
        self._shut_until = now + PAUSE_S
        return True

    def worked(self) -> None:
        """An answer came, whatever it said."""
        self._failures = 0
        self._is_open = False

    def failed(self) -> None:
        """No answer came."""
        now = self._clock()
        if not self._failures:
            self._first_at = now
        self._failures += 1
        if self._is_open or (self._failures >= FAILURES and now - self._first_at >= WINDOW_S):
            self._is_open = True
            self._shut_until = now + PAUSE_S
