"""The sandbox's clock, which tests and the demo can advance, and its scheduled calls."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo


class Clock:
    """Wall-clock time plus what ``advance`` added, and a schedule of calls."""

    def __init__(self) -> None:
        self._offset_ms = 0
        self._due: list[tuple[int, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self._alarm: asyncio.TimerHandle | None = None

    def now_ms(self) -> int:
        """Now, in milliseconds since the epoch."""
        return _wall_ms() + self._offset_ms

    def advance(self, seconds: float) -> None:
        """Move the clock forward and run the calls that become due, in order."""
        target = self._offset_ms + round(seconds * 1000)
        while self._due and self._due[0][0] <= _wall_ms() + target:
            at_ms, _, act = heapq.heappop(self._due)
            # `act` must see the time it was scheduled for, not the target time.
            self._offset_ms = max(self._offset_ms, at_ms - _wall_ms())
            act()
        self._offset_ms = target
        self._set_alarm()

    def at(self, at_ms: int, act: Callable[[], None]) -> None:
        """Call ``act`` at a time (ms), or soon if it has passed. Needs a running loop."""
        heapq.heappush(self._due, (at_ms, next(self._numbers), act))
        self._set_alarm()

    async def until(self, at_ms: int) -> None:
        """Wait until a time (ms)."""
        come = asyncio.Event()
        self.at(at_ms, come.set)
        await come.wait()

    def stop(self) -> None:
        """Cancel all scheduled calls."""
        self._due.clear()
        self._set_alarm()

    def _set_alarm(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if self._due:
            seconds = max(0, self._due[0][0] - self.now_ms()) / 1000
            self._alarm = asyncio.get_running_loop().call_later(seconds, self.advance, 0)


def iso(at_ms: int) -> str:
    """A time (ms) in Zoom's format, UTC to the second: ``2026-01-31T09:30:00Z``. 0 becomes ""."""
    return datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if at_ms else ""


def local(at_ms: int, zone: str) -> datetime:
    """A time (ms) in the named time zone, or in UTC if the name is unknown."""
    try:
        there: tzinfo = ZoneInfo(zone) if zone else UTC
    except (ValueError, OSError, KeyError):
        there = UTC
    return datetime.fromtimestamp(at_ms / 1000, there)


def parse_iso(text: str) -> int:
    """Milliseconds since the epoch. A time without a zone is UTC. Raises ``ValueError``."""
    moment = datetime.fromisoformat(text)
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000
