"""How long to wait before trying again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from random import SystemRandom
from typing import TypeVar

from bot.errors import MattermostRateLimitError, MattermostUnreachableError

T = TypeVar("T")

_random = SystemRandom()


def ceiling(attempt: int, base_s: float, cap_s: float) -> float:
    """The longest wait, in seconds, after ``attempt`` (0, 1, …) failures: doubling up to ``cap_s``."""
    return min(cap_s, base_s * 2.0 ** min(attempt, 30))


def full_jitter(attempt: int, base_s: float, cap_s: float) -> float:
    """A wait in seconds, anywhere between nothing and the ceiling, so that clients do not come in step."""
    return _random.uniform(0.0, ceiling(attempt, base_s, cap_s))


async def retrying(
    read: Callable[[], Awaitable[T]], *, attempts: int, base_s: float = 0.25, cap_s: float = 5.0
) -> T:
    """What ``read`` returns, tried up to ``attempts`` times. Not for writes that must not happen twice.

    Retried are :class:`MattermostUnreachableError` and :class:`MattermostRateLimitError`, the latter not
    before its time; one that asks for more than ``cap_s`` seconds is the caller's to wait for.
    """
    for attempt in range(attempts - 1):
        pause = full_jitter(attempt, base_s, cap_s)
        try:
            return await read()
        except MattermostRateLimitError as error:
            if error.retry_after > cap_s:
                raise
            pause += error.retry_after
        except MattermostUnreachableError:
            pass
        await asyncio.sleep(pause)
    return await read()
