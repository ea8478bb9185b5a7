"""The only place that reads the time."""

from __future__ import annotations

import time
from collections.abc import Callable

# What the services are given: milliseconds since the epoch.
Now = Callable[[], int]


def now_ms() -> int:
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000
