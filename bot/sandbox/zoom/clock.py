"""The sandbox's own time, which a test or a demo can move forward."""

from __future__ import annotations

import time
from datetime import UTC, datetime


class Clock:
    """Wall-clock time plus whatever was added with ``advance``."""

    def __init__(self) -> None:
        self._offset_ms = 0

    def now_ms(self) -> int:
        """Milliseconds since the epoch."""
        return time.time_ns() // 1_000_000 + self._offset_ms

    def advance(self, seconds: float) -> None:
        """Move the time forward."""
        self._offset_ms += round(seconds * 1000)


def iso(at_ms: int) -> str:
    """Zoom's way to write a time: UTC to the second, ``2026-01-31T09:30:00Z``; 0 is the empty text."""
    return datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if at_ms else ""


def parse_iso(text: str) -> int:
    """Milliseconds since the epoch. Raises ``ValueError``; a time without a zone is taken as UTC."""
    moment = datetime.fromisoformat(text)
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
