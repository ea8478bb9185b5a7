"""Sends API calls: token, deadline, retries, circuit breaker. No other module sends them."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, Literal

import aiohttp
from yarl import URL

from bot.clock import Now, now_ms
from bot.errors import ZoomCertificateError, ZoomError, ZoomRateLimitError, ZoomUnreachableError
from bot.http_client import TooLargeError, read_bounded
from bot.retrying import retrying
from bot.zoom.errors import AccessRefusedError, error_from, error_without_answer
from bot.zoom.sessions import TIMEOUT_S, timeouts
from bot.zoom.timings import DEFAULT_TIMINGS, ZoomTimings
from bot.zoom.tokens import TokenSource

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
# Called with the name of a call and its HTTP status (0: no answer).
OnCall = Callable[[str, int], None]
# Called with an answer's ``Date``, and when the call was sent and answered by our clock (ms).
OnDate = Callable[[str, int, int], None]

MAX_ANSWER = 4 * 1024 * 1024
# The longest rate limit to wait for. If it lasts longer, the person is told instead.
MAX_WAIT_S = 5.0
DEFAULT_WAIT_S = 1.0

FAILURES = 5
# Timeouts open the breaker sooner, because each one costs a person ten seconds.
TIMEOUTS = 2


def ignore_call(name: str, status: int) -> None:
    """Do nothing; the default of ``on_call``."""


def ignore_date(date: str, asked_at: int, came_at: int) -> None:
    """Do nothing; the default of ``on_date``."""


async def certain() -> None:
    """Nobody else makes these calls; the default of ``assured``."""


class Calls:
    """Sends calls to ``api_url`` with access tokens from ``tokens``. All errors are :class:`ZoomError`."""

    def __init__(
        self,
        http: aiohttp.ClientSession,
        api_url: str,
        tokens: TokenSource,
        *,
        now: Now = now_ms,
        timeout_s: float = TIMEOUT_S,
        timings: ZoomTimings = DEFAULT_TIMINGS,
        on_call: OnCall = ignore_call,
        on_date: OnDate = ignore_date,
        assured: Callable[[], Awaitable[None]] = certain,
    ) -> None:
        self._http = http
        # Awaited before each POST: another process may have taken over what it is for.
        self._assured = assured
        self._base = api_url.rstrip("/")
        self.host = URL(api_url).host or "zoom.api_url"
        self.tokens = tokens
        self.now = now
        self._timeout = timeouts(timeout_s)
        self._on_call = on_call
        self._on_date = on_date
        self.timings = timings
        self._breaker = Breaker(asyncio.get_running_loop().time, timings)

    def using(self, tokens: TokenSource) -> Calls:
        """A copy with other tokens that shares the circuit breaker."""
        other = copy.copy(self)
        other.tokens = tokens
        return other

    async def send(
        self,
        name: str,
        owner: str,
        method: Method,
        path: str,
        *,
        json: Mapping[str, Any] | None = None,
        params: Mapping[str, str] | None = None,
    ) -> bytes:
        """Send a call up to three times, and return the body of a 2xx answer.

        A POST is sent again only if it certainly had no effect. ``owner`` says whose token to send; ``path``
        (encoded) is appended to ``api_url``.
        """

        def asks_for(error: BaseException) -> float | None:
            return None if method == "POST" and may_be_done(error) else self._asks_for(error)

        return await retrying(
            partial(self.once, name, owner, method, path, json=json, params=params),
            self.timings.backoff,
            on=(ZoomUnreachableError, ZoomRateLimitError),
            asks_for=asks_for,
        )

    async def once(
        self,
        name: str,
        owner: str,
        method: Method,
        path: str,
        *,
        json: Mapping[str, Any] | None = None,
        params: Mapping[str, str] | None = None,
    ) -> bytes:
        """Send a call without retries. If Zoom refuses the token, refresh it and send the call once more."""
        token = await self.tokens.access(owner)
        try:
            return await self._exchange(name, token, method, path, json, params)
        except AccessRefusedError:
            token = await self.tokens.refresh(owner, token)
        return await self._exchange(name, token, method, path, json, params)

    async def ask_time(self) -> None:
        """Let ``on_date`` know Zoom's time. Needs no token: the answer is a refusal."""
        try:
            await self._answer("", "GET", "users/me", None, None)
        except (aiohttp.ClientError, TimeoutError, OSError, TooLargeError) as error:
            failure = error_without_answer(error, self.host, write=False)
        else:
            return
        raise failure

    async def wait(self, error: ZoomError, tries: int) -> bool:
        """Wait as long as ``error`` asks for; return False at once if a retry makes no sense."""
        seconds = self._asks_for(error)
        if seconds is None:
            return False
        await asyncio.sleep(seconds + self.timings.backoff.pause_s(tries))
        return True

    def _asks_for(self, error: BaseException) -> float | None:
        if isinstance(error, ZoomRateLimitError):
            wait_s = (error.retry_at - self.now()) / 1000 if error.retry_at else DEFAULT_WAIT_S
            return None if error.daily or wait_s > MAX_WAIT_S else max(wait_s, 0.0)
        return None if isinstance(error, ZoomCertificateError | PausedError) else 0.0

    async def _exchange(
        self,
        name: str,
        token: str,
        method: Method,
        path: str,
        json: Mapping[str, Any] | None,
        params: Mapping[str, str] | None,
    ) -> bytes:
        if not self._breaker.allows():
            raise PausedError(f"{self.host} did not answer a moment ago")
        write = method != "GET"
        if method == "POST":
            await self._assured()
        try:
            response = await self._answer(token, method, path, json, params)
        except (aiohttp.ClientError, TimeoutError, OSError, TooLargeError) as error:
            failure = error_without_answer(error, self.host, write=write)
        else:
            self._breaker.worked()
            status, headers, body = response
            self._on_call(name, status)
            if 200 <= status < 300:
                return body
            raise error_from(status, headers, body, self.now(), write=write)
        self._breaker.failed(timed_out=failure.timed_out)
        self._on_call(name, 0)
        # Raised outside the except block: aiohttp's errors contain the request's headers, and so the token.
        raise failure

    async def _answer(
        self,
        token: str,
        method: Method,
        path: str,
        json: Mapping[str, Any] | None,
        params: Mapping[str, str] | None,
    ) -> tuple[int, Mapping[str, str], bytes]:
        asked_at = self.now()
        async with self._http.request(
            method,
            URL(f"{self._base}/{path}", encoded=True),
            json=json,
            params=params,
            headers={"Authorization": f"Bearer {token}"} if token else {},
            timeout=self._timeout,
            allow_redirects=False,
        ) as response:
            self._on_date(response.headers.get("Date", ""), asked_at, self.now())
            body = await read_bounded(response.content.iter_any(), MAX_ANSWER)
            return response.status, response.headers, body


class Breaker:
    """A circuit breaker: while Zoom is unreachable, calls fail at once.

    It opens after ``FAILURES`` calls in a row without an answer over at least ``away_after_s``, or if
    ``TIMEOUTS`` of such calls timed out.

    Then all calls fail at once for ``away_s``. After that, one call at a time is let through, and an answer
    to it closes the breaker. ``clock`` returns monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float], timings: ZoomTimings = DEFAULT_TIMINGS) -> None:
        self._clock = clock
        self._timings = timings
        self._failures = self._timeouts = 0
        self._first_at = 0.0
        self._shut_until = 0.0
        self._is_open = False

    def allows(self) -> bool:
        """Whether a call may be sent now. While the breaker is open, True allows only one call."""
        if not self._is_open:
            return True
        now = self._clock()
        if now < self._shut_until:
            return False
        self._shut_until = now + self._timings.away_s
        return True

    def worked(self) -> None:
        """Note that a call was answered, even if with an error."""
        self._failures = self._timeouts = 0
        self._is_open = False

    def failed(self, *, timed_out: bool = False) -> None:
        """Note that a call got no answer; ``timed_out`` if it ran into its timeout."""
        now = self._clock()
        if not self._failures:
            self._first_at = now
        self._failures += 1
        self._timeouts += timed_out
        lasts = self._failures >= FAILURES and now - self._first_at >= self._timings.away_after_s
        if self._is_open or lasts or self._timeouts >= TIMEOUTS:
            self._is_open = True
            self._shut_until = now + self._timings.away_s


class PausedError(ZoomUnreachableError):
    """The call was not sent, because Zoom did not answer the latest ones."""


def may_be_done(error: BaseException) -> bool:
    """Whether the request may have taken effect."""
    return isinstance(error, ZoomUnreachableError) and error.maybe_done
