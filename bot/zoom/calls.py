"""One API call: token, deadline, retries, breaker. The only place that sends them."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Callable, Mapping
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
# Name of the call, HTTP status (0: no answer).
OnCall = Callable[[str, int], None]

MAX_ANSWER = 4 * 1024 * 1024
# A limit that ends later than this is told to the person instead of waited for.
MAX_WAIT_S = 5.0
DEFAULT_WAIT_S = 1.0

FAILURES = 5
# A server that takes calls and does not answer is known sooner: each of them costs a person ten seconds.
TIMEOUTS = 2


def ignore_call(name: str, status: int) -> None:
    """The default of ``on_call``."""


class Calls:
    """Sends calls to ``api_url`` with the tokens of ``tokens``; every method raises :class:`ZoomError`."""

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
    ) -> None:
        self._http = http
        self._base = api_url.rstrip("/")
        self.host = URL(api_url).host or "zoom.api_url"
        self.tokens = tokens
        self.now = now
        self._timeout = timeouts(timeout_s)
        self._on_call = on_call
        self.timings = timings
        self._breaker = Breaker(asyncio.get_running_loop().time, timings)

    def using(self, tokens: TokenSource) -> Calls:
        """The same with other tokens; whether Zoom answers is known to both."""
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
        """The body of a 2xx answer. Tried again while it is certain or harmless: everything but POST is
        sent up to three times, POST only while it was certainly not done.

        ``owner`` is whose token is sent, ``path`` (encoded) follows ``api_url``.
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
        """One try; a refused token is refreshed, and the call sent again with the new one, once."""
        token = await self.tokens.access(owner)
        try:
            return await self._exchange(name, token, method, path, json, params)
        except AccessRefusedError:
            token = await self.tokens.refresh(owner, token)
        return await self._exchange(name, token, method, path, json, params)

    async def wait(self, error: ZoomError, tries: int) -> bool:
        """Wait as long as ``error`` asks for; False (at once) if another try makes no sense."""
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
        # Raised out here because aiohttp's errors hold the request's headers, and with them the token.
        raise failure

    async def _answer(
        self,
        token: str,
        method: Method,
        path: str,
        json: Mapping[str, Any] | None,
        params: Mapping[str, str] | None,
    ) -> tuple[int, Mapping[str, str], bytes]:
        async with self._http.request(
            method,
            URL(f"{self._base}/{path}", encoded=True),
            json=json,
            params=params,
            headers={"Authorization": f"Bearer {token}"},
            timeout=self._timeout,
            allow_redirects=False,
        ) as response:
            body = await read_bounded(response.content.iter_any(), MAX_ANSWER)
            return response.status, response.headers, body


class Breaker:
    """Notices that Zoom is away, so that whoever asks next is told at once.

    Opens after ``FAILURES`` calls in a row without an answer over at least ``away_after_s``, or after
    ``TIMEOUTS`` in a row that were waited for in vain.

    Then calls fail at once for ``away_s``, after which one at a time is let through: its answer closes
    the breaker. ``clock`` gives seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float], timings: ZoomTimings = DEFAULT_TIMINGS) -> None:
        self._clock = clock
        self._timings = timings
        self._failures = self._timeouts = 0
        self._first_at = 0.0
        self._shut_until = 0.0
        self._is_open = False

    def allows(self) -> bool:
        """Whether a call may go out now. While open, a true answer is for one call alone."""
        if not self._is_open:
            return True
        now = self._clock()
        if now < self._shut_until:
            return False
        self._shut_until = now + self._timings.away_s
        return True

    def worked(self) -> None:
        """An answer came, whatever it said."""
        self._failures = self._timeouts = 0
        self._is_open = False

    def failed(self, *, timed_out: bool = False) -> None:
        """No answer came; ``timed_out`` if it was waited for."""
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
    """Not sent: Zoom did not answer just now."""


def may_be_done(error: BaseException) -> bool:
    """Whether the request may have taken effect."""
    return isinstance(error, ZoomUnreachableError) and error.maybe_done
