"""The only module that reads the system's time of day."""

from __future__ import annotations

import time
from collections.abc import Callable

# The clock that services receive. It returns milliseconds since the epoch.
Now = Callable[[], int]


def now_ms() -> int:
    """The current time in milliseconds since the epoch."""
    return time.time_ns() // 1_000_000
