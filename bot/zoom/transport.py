"""How requests-oauthlib calls the token endpoint: threads, TLS, limits, plain HTTP on the loopback."""

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
    """A session that ignores the environment and follows no redirects."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.headers["User-Agent"] = f"zoombot/{__version__}"
        self.trust_env = False
        self.stream = True

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """Return None: the client secret must not be sent elsewhere."""
        return None


class Adapter(HTTPAdapter):
    """Uses its own connections: if the server closed a reused connection at the wrong moment, a rotated token
    would be lost. ``plain`` sends ``https://`` URLs over HTTP, because oauthlib refuses ``http://``."""

    def __init__(self, trust: ssl.SSLContext, *, plain: bool) -> None:
        self._trust = trust
        self._plain = plain
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Use our TLS context for every connection."""
        super().init_poolmanager(*args, **kwargs, ssl_context=self._trust)

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Always verify, and only with our TLS context, not with the CA bundle of requests."""
        conn.cert_reqs = "CERT_REQUIRED"

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        """Send a request and read the whole answer, up to ``MAX_ANSWER`` bytes."""
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
    """The URL with https, which oauthlib requires."""
    return "https://" + url.split("://", 1)[1]


def plain_url(url: str) -> str:
    """The URL with http."""
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
    # Only the type's name, because the error's text may quote the request.
    return ZoomUnreachableError(f"{host} broke off: {type(failure).__name__}", maybe_done=True)


def _is_unconnected(failure: requests.exceptions.ConnectionError) -> bool:
    inner = failure.args[0] if failure.args else None
    return isinstance(inner, MaxRetryError) and isinstance(inner.reason, NewConnectionError)


def _cause(failure: BaseException, kind: type[BaseException]) -> BaseException | None:
    """The first ``kind`` inside ``failure``: requests and urllib3 nest errors as arguments and reasons."""
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
    """Runs blocking calls in threads, at most ``limit`` at a time.

    It uses no executor: the interpreter waits for an executor's threads at exit, and shutdown must not wait
    for a server that does not answer.
    """

    def __init__(self, limit: int, name: str) -> None:
        self._slots = asyncio.Semaphore(limit)
        self._name = name

    async def run(self, call: Callable[[], T], timeout_s: float) -> T:
        """Return the result of ``call``. Raises :class:`TimeoutError` after ``timeout_s``, not counting the
        wait for a free slot. The thread then keeps running, and keeps its slot until it ends."""
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
            # Retrieves the error. If nobody waits any more, asyncio would report it when it is collected.
            future.exception()


def _work(call: Callable[[], T], loop: asyncio.AbstractEventLoop, future: asyncio.Future[T]) -> None:
    result: T | None = None
    failure: BaseException | None = None
    try:
        result = call()
    except BaseException as error:  # raised again in the waiting task
        failure = error

    def finish() -> None:
        if failure is not None:
            future.set_exception(failure)
        else:
            future.set_result(result)  # type: ignore[arg-type]

    try:
        loop.call_soon_threadsafe(finish)
    except RuntimeError:
        # The loop is closed; nobody waits any more.
        return
