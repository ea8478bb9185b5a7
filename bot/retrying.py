"""Retries, built on tenacity: the waits double up to a ceiling, with jitter."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import SystemRandom
from typing import TypeVar

import tenacity

T = TypeVar("T")

# Returns the minimum wait that an error asks for, in seconds, or None if a retry makes no sense.
AsksFor = Callable[[BaseException], float | None]
OnRetry = Callable[[BaseException, int], None]

_random = SystemRandom()


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long to wait between tries, in seconds.

    The ceiling doubles from ``base_s`` up to ``cap_s``. Each wait is random, between ``least`` (a share from
    0 to 1) of the ceiling and all of it, to keep callers from retrying in step. ``attempts`` counts all
    tries; 0 means no limit.
    """

    base_s: float
    cap_s: float
    attempts: int = 0
    least: float = 0.0

    def pause_s(self, failures: int) -> float:
        """A random wait after this many failures (1, 2, …)."""
        ceiling = min(self.cap_s, self.base_s * 2.0 ** min(failures - 1, 30))
        return _random.uniform(self.least * ceiling, ceiling)


def nothing_asked(error: BaseException) -> float | None:
    """Ask for no minimum wait; the default of ``asks_for``."""
    return 0.0


async def retrying(
    call: Callable[[], Awaitable[T]],
    backoff: Backoff,
    *,
    on: type[BaseException] | tuple[type[BaseException], ...],
    asks_for: AsksFor = nothing_asked,
    on_retry: OnRetry | None = None,
) -> T:
    """Return what ``call`` returns, retrying it after errors of type ``on`` as often as ``backoff`` allows.

    The last error is raised unchanged. ``on_retry`` is called before each wait, with the error and the number
    of failures.
    """

    def worth_it(error: BaseException) -> bool:
        return isinstance(error, on) and asks_for(error) is not None

    def wait(state: tenacity.RetryCallState) -> float:
        error = _error_of(state)
        return (asks_for(error) or 0.0) + backoff.pause_s(state.attempt_number)

    def note(state: tenacity.RetryCallState) -> None:
        if on_retry is not None:
            on_retry(_error_of(state), state.attempt_number)

    tries = tenacity.AsyncRetrying(
        stop=tenacity.stop_after_attempt(backoff.attempts) if backoff.attempts else tenacity.stop_never,
        wait=wait,
        retry=tenacity.retry_if_exception(worth_it),
        before_sleep=note,
        reraise=True,
    )

    async def once() -> T:
        # tenacity awaits only functions declared with "async def", no other callables.
        return await call()

    return await tries(once)


def _error_of(state: tenacity.RetryCallState) -> BaseException:
    error = state.outcome.exception() if state.outcome else None
    assert error is not None, "asked for a wait without a failure"
    return error
