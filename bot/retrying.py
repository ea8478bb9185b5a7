"""The one way to try again: waits that double up to a ceiling, with jitter, by tenacity."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import SystemRandom
from typing import TypeVar

import tenacity

T = TypeVar("T")

# What an error asks for: seconds to wait at least, or None if another try makes no sense.
AsksFor = Callable[[BaseException], float | None]
OnRetry = Callable[[BaseException, int], None]

_random = SystemRandom()


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long to wait between tries, in seconds: doubling from ``base_s`` up to ``cap_s``, and at random
    between ``least`` (a share from 0 to 1) of that and all of it, so that callers do not come in step.

    ``attempts`` counts all tries; 0 means that there is no end.
    """

    base_s: float
    cap_s: float
    attempts: int = 0
    least: float = 0.0

    def pause_s(self, failures: int) -> float:
        """The wait after this many failures (1, 2, …)."""
        ceiling = min(self.cap_s, self.base_s * 2.0 ** min(failures - 1, 30))
        return _random.uniform(self.least * ceiling, ceiling)


def nothing_asked(error: BaseException) -> float | None:
    """The default of ``asks_for``."""
    return 0.0


async def retrying(
    call: Callable[[], Awaitable[T]],
    backoff: Backoff,
    *,
    on: type[BaseException] | tuple[type[BaseException], ...],
    asks_for: AsksFor = nothing_asked,
    on_retry: OnRetry | None = None,
) -> T:
    """What ``call`` returns, tried again after each error ``on`` until ``backoff`` has no more attempts.

    The last error is raised as it is. ``on_retry`` is told the error and the number of failures before
    each wait.
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
        # tenacity awaits what is declared with "async def", and no other callable.
        return await call()

    return await tries(once)


def _error_of(state: tenacity.RetryCallState) -> BaseException:
    error = state.outcome.exception() if state.outcome else None
    assert error is not None, "asked for a wait without a failure"
    return error
