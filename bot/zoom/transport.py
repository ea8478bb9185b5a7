"""How requests-oauthlib reaches the token endpoint: threads, trust, limits, plain HTTP on the loopback."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Callable
from typing import Any, TypeVar

import requests
from requests.adapters import HTTPAdapter
from requests_oauthlib import OAuth2Session
from urllib3.exceptions import MaxRetryError, NewConnectionError

from bot import __version__
from bot.errors import ZoomCertificateError, ZoomUnreachableError
from bot.tls import certificate_trouble
from bot.zoom.sessions import CA_KEY

T = TypeVar("T")

MAX_ANSWER = 256 * 1024


class Session(OAuth2Session):
    """A session that takes nothing from the environment and follows no redirect."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.headers["User-Agent"] = f"zoombot/{__version__}"
        self.trust_env = False
        self.stream = True

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """Nowhere: the client secret must not travel."""
        return None


class Adapter(HTTPAdapter):
    """Sends over connections of its own: on a kept one that the server closes at the same moment, a
    rotated token is lost. ``plain`` sends ``https://`` as HTTP, which oauthlib would refuse."""

    def __init__(self, trust: ssl.SSLContext, *, plain: bool) -> None:
        self._trust = trust
        self._plain = plain
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Give every connection our trust."""
        super().init_poolmanager(*args, **kwargs, ssl_context=self._trust)

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Verify always, and by our trust alone: not by the bundle that requests brings."""
        conn.cert_reqs = "CERT_REQUIRED"

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        """Send, and read the whole answer, but not more than ``MAX_ANSWER`` bytes."""
        if self._plain:
            request.url = plain_url(request.url or "")
        response = super().send(request, *args, **kwargs)
        body = bytearray()
        for chunk in response.iter_content(16384):
            body += chunk
            if len(body) > MAX_ANSWER:
                response.close()
                raise requests.exceptions.ContentDecodingError("the answer is too large")
        response._content = bytes(body)
        return response


def secure_url(url: str) -> str:
    """The https form of a URL, which is what oauthlib accepts."""
    return "https://" + url.split("://", 1)[1]


def plain_url(url: str) -> str:
    """The http form of a URL."""
    return "http://" + url.split("://", 1)[1]


def lost(failure: Exception, host: str) -> ZoomUnreachableError:
    """The error for a call to ``host`` that got no answer; ``maybe_done`` is false if nothing was sent."""
    certificate = _cause(failure, ssl.SSLCertVerificationError)
    if certificate:
        return ZoomCertificateError(certificate_trouble(certificate, host, CA_KEY))
    if isinstance(failure, requests.exceptions.ConnectTimeout):
        return ZoomUnreachableError(f"no connection with {host} in time", timed_out=True)
    if isinstance(failure, requests.exceptions.ConnectionError) and _is_unconnected(failure):
        return ZoomUnreachableError(f"{host} cannot be reached")
    if isinstance(failure, requests.exceptions.Timeout):
        return ZoomUnreachableError(f"{host} did not answer in time", maybe_done=True, timed_out=True)
    # The type's name alone: the text of such an error may quote the request.
    return ZoomUnreachableError(f"{host} broke off: {type(failure).__name__}", maybe_done=True)


def _is_unconnected(failure: requests.exceptions.ConnectionError) -> bool:
    inner = failure.args[0] if failure.args else None
    return isinstance(inner, MaxRetryError) and isinstance(inner.reason, NewConnectionError)


def _cause(failure: BaseException, kind: type[BaseException]) -> BaseException | None:
    """The first error of ``kind`` below ``failure``: requests and urllib3 wrap as arguments and reasons."""
    below: list[object] = [failure]
    for _ in range(20):
        if not below:
            return None
        each = below.pop()
        if isinstance(each, kind):
            return each
        if isinstance(each, BaseException):
            below += [*each.args, getattr(each, "reason", None), each.__cause__, each.__context__]
    return None


class Threads:
    """At most ``limit`` blocking calls at a time.

    Not an executor: the interpreter waits for an executor's threads at its end, and a stop must not
    wait for a server that does not answer.
    """

    def __init__(self, limit: int, name: str) -> None:
        self._slots = asyncio.Semaphore(limit)
        self._name = name

    async def run(self, call: Callable[[], T], timeout_s: float) -> T:
        """The result of ``call``; :class:`TimeoutError` if it takes longer than ``timeout_s``, waiting for
        a thread not counted. The thread goes on then, and keeps its place until it ends."""
        await self._slots.acquire()
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        future.add_done_callback(self._free)
        threading.Thread(target=_work, args=(call, loop, future), name=self._name, daemon=True).start()
        async with asyncio.timeout(timeout_s):
            return await asyncio.shield(future)

    def _free(self, future: asyncio.Future[T]) -> None:
        self._slots.release()
        if not future.cancelled():
            # Else an error that nobody waits for any more is reported when it is collected.
            future.exception()


def _work(call: Callable[[], T], loop: asyncio.AbstractEventLoop, future: asyncio.Future[T]) -> None:
    result: T | None = None
    failure: BaseException | None = None
    try:
        result = call()
    except BaseException as error:  # handed on to whoever waits
        failure = error

    def finish() -> None:
        if failure is not None:
            future.set_exception(failure)
        else:
            future.set_result(result)  # type: ignore[arg-type]

    try:
        loop.call_soon_threadsafe(finish)
    except RuntimeError:
        # The loop has ended; nobody waits.
        return
