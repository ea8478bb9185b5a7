"""Zoom's times: ISO 8601 in UTC, and ``Retry-After``."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

# The end of the year 9998: later, or before 1970, is no time of a meeting, and cannot be shown in every zone.
MAX_TIME_MS = 253_370_764_800_000
# A wait beyond this is no answer of Zoom's: its longest limit is a day.
MAX_RETRY_AFTER_MS = 8 * 24 * 3600 * 1000


def parse_time(text: str) -> int:
    """``2024-01-31T09:00:00Z`` as ms since the epoch (UTC where no zone is named); 0 if it is no time."""
    try:
        return _ms(datetime.fromisoformat(text.strip()))
    except (ValueError, OverflowError, OSError):
        return 0


def retry_at_ms(text: str, now_ms: int) -> tuple[int, bool]:
    """When a ``Retry-After`` ends (ms since the epoch, 0 if it says nothing usable), and whether it was a
    date: seconds are meant for the limits per second, a date-time for the daily one."""
    seconds = _seconds(text)
    if seconds is not None:
        return _bounded(now_ms + int(seconds * 1000), now_ms), False
    at = parse_time(text) or _http_date_ms(text)
    return _bounded(at, now_ms), at > 0


def _bounded(at: int, now_ms: int) -> int:
    return min(at, now_ms + MAX_RETRY_AFTER_MS) if at > 0 else 0


def _seconds(text: str) -> float | None:
    try:
        seconds = float(text)
    except ValueError:
        return None
    if not math.isfinite(seconds):
        return None
    return min(max(seconds, 0.0), MAX_RETRY_AFTER_MS / 1000)


def _http_date_ms(text: str) -> int:
    try:
        return _ms(parsedate_to_datetime(text))
    except (ValueError, OverflowError, TypeError, IndexError):
        return 0


def _ms(at: datetime) -> int:
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    ms = int(at.timestamp() * 1000)
    return ms if 0 < ms < MAX_TIME_MS else 0
