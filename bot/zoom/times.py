"""Parses Zoom's times: ISO 8601 in UTC, and ``Retry-After``."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

# The end of the year 9998. No meeting is later or before 1970, and not every time zone can show such times.
MAX_TIME_MS = 253_370_764_800_000
# Zoom asks for no longer wait: its longest limit is a day.
DAY_MS = 24 * 3600 * 1000
MAX_RETRY_AFTER_MS = 8 * DAY_MS


def parse_time(text: str) -> int:
    """Parse ``2024-01-31T09:00:00Z`` into ms since the epoch (UTC if no zone is given); 0 if invalid."""
    try:
        return _ms(datetime.fromisoformat(text.strip()))
    except (ValueError, OverflowError, OSError):
        return 0


def retry_at_ms(text: str, now_ms: int) -> tuple[int, bool]:
    """When a ``Retry-After`` ends (ms since the epoch, 0 if it is not usable), and whether it was a date.
    Zoom sends seconds for the limits per second, and a date-time for the daily limit."""
    seconds = _seconds(text)
    if seconds is not None:
        return _bounded(now_ms + int(seconds * 1000), now_ms), False
    at = parse_time(text) or _http_date_ms(text)
    return _bounded(at, now_ms), at > 0


def reset_at_ms(text: str, now_ms: int) -> int:
    """When a limit per second ends, from ``X-RateLimit-Reset`` in Unix seconds: ms since the epoch, 0 if it
    is not usable."""
    try:
        seconds = float(text)
    except ValueError:
        return 0
    if math.isnan(seconds) or math.isinf(seconds) or seconds <= 0:
        return 0
    # A time that is past by our clock allows the next call at once.
    return max(_bounded(int(min(seconds, MAX_TIME_MS / 1000) * 1000), now_ms), now_ms)


def next_day_ms(now_ms: int) -> int:
    """The next midnight in UTC, when Zoom's daily limits end."""
    return (now_ms // DAY_MS + 1) * DAY_MS


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
