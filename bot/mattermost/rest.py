"""Sends REST calls over the shared session. No other module sends them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import aiohttp
import msgspec
from yarl import URL

from bot.clock import Now, now_ms
from bot.errors import MattermostUnreachableError
from bot.http_client import TooLargeError, read_bounded
from bot.mattermost.arrays import ArraySplitter, NotAnArrayError
from bot.mattermost.errors import AnswerTooLargeError, connection_error, error_from
from bot.mattermost.nesting import decode_nested
from bot.mattermost.server_clock import ServerClock
from bot.mattermost.sessions import CONNECT_TIMEOUT_S, TIMEOUT_S

T = TypeVar("T")

API = "api/v4"
# A post and its thread's root may take 10 MB, because Mattermost writes "<" as six bytes.
MAX_ANSWER = 16 * 1024 * 1024
# How long a list that the server does not page may take; between two chunks the usual timeout holds.
LIST_TIMEOUT_S = 120.0
UPLOAD_TIMEOUT_S = 60.0


def api_url(url: str) -> URL:
    """The URL of the API. ``url`` may have a sub-path, with or without a trailing slash."""
    return URL(url.rstrip("/")) / API


def bearer(token: str) -> dict[str, str]:
    """The header that authenticates a call or the socket."""
    return {"Authorization": f"Bearer {token}"}


def decode(body: bytes, type: type[T]) -> T:
    """Decode an answer as ``type``. Raises :class:`MattermostUnreachableError` if it is something else."""
    try:
        return decode_nested(msgspec.json.Decoder(type), body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        reason = str(error)
    raise MattermostUnreachableError(
        f"the answer is not Mattermost's JSON ({reason}): is mattermost.url right?", status=200
    )


class Rest:
    """Takes the place of mattermostdriver's client: the methods that its endpoints call, as coroutines.

    They return the undecoded body of a 2xx answer; everything else raises a :class:`MattermostError`. They
    do not retry, do not follow redirects, and read at most ``max_answer`` bytes of an answer.
    """

    def __init__(
        self,
        http: aiohttp.ClientSession,
        url: str,
        token: str,
        *,
        timeout_s: float = TIMEOUT_S,
        connect_timeout_s: float = CONNECT_TIMEOUT_S,
        upload_timeout_s: float = UPLOAD_TIMEOUT_S,
        max_answer: int = MAX_ANSWER,
        clock: ServerClock | None = None,
        now: Now = now_ms,
    ) -> None:
        self._http = http
        self._base = api_url(url)
        self._headers = bearer(token)
        self._timeout = aiohttp.ClientTimeout(total=timeout_s, sock_connect=connect_timeout_s)
        self._list_timeout = aiohttp.ClientTimeout(
            total=LIST_TIMEOUT_S, sock_connect=connect_timeout_s, sock_read=timeout_s
        )
        self._upload_timeout = aiohttp.ClientTimeout(total=upload_timeout_s, sock_connect=connect_timeout_s)
        self._max_answer = max_answer
        self._clock = clock or ServerClock()
        self._now = now

    @property
    def host(self) -> str:
        """The host name, for messages."""
        return self._base.host or "mattermost.url"

    async def get(self, endpoint: str, options: Any = None, params: Mapping[str, Any] | None = None) -> bytes:
        """Send a GET; ``options``, the driver's name for a body, is ignored."""
        return await self.send("GET", endpoint, params=params)

    async def post(
        self,
        endpoint: str,
        options: Any = None,
        params: Mapping[str, Any] | None = None,
        data: Mapping[str, str] | None = None,
        files: Mapping[str, tuple[str, bytes]] | None = None,
    ) -> bytes:
        """POST ``options`` as JSON, or ``data`` and ``files`` (name and content by field) as a form."""
        if files is None:
            return await self.send("POST", endpoint, options=options, params=params)
        return await self.send("POST", endpoint, params=params, form=_form(data or {}, files))

    async def put(
        self,
        endpoint: str,
        options: Any = None,
        params: Mapping[str, Any] | None = None,
        data: Any = None,
    ) -> bytes:
        """PUT ``options`` as JSON."""
        return await self.send("PUT", endpoint, options=options, params=params)

    async def send(
        self,
        method: str,
        endpoint: str,
        *,
        options: Any = None,
        params: Mapping[str, Any] | None = None,
        form: aiohttp.FormData | None = None,
    ) -> bytes:
        """Send one request to ``endpoint`` (with a leading slash) and return the answer's body."""
        try:
            return await self._exchange(method, endpoint, options, params, form)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            failure = connection_error(error, self.host)
        # Raised outside the except block: aiohttp's errors contain the request's headers, and so the token.
        raise failure

    async def read_list(self, endpoint: str, take: Callable[[bytes], None]) -> None:
        """GET a JSON array that the server does not page, and call ``take`` with each item as it arrives.

        Raises :class:`MattermostUnreachableError` if the array breaks off; some items may be taken then.
        """
        try:
            await self._read_items(endpoint, take)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            failure = connection_error(error, self.host)
        else:
            return
        raise failure

    async def _read_items(self, endpoint: str, take: Callable[[bytes], None]) -> None:
        asked_at = self._now()
        async with self._http.get(
            self._base.joinpath(endpoint.lstrip("/")),
            headers=self._headers,
            timeout=self._list_timeout,
            allow_redirects=False,
        ) as response:
            self._clock.note_date(response.headers.get("Date", ""), asked_at, self._now())
            if not response.ok or response.status >= 300:
                body = await _read(response, self._max_answer)
                raise error_from(response.status, response.headers, body)
            splitter = ArraySplitter()
            try:
                async for chunk in response.content.iter_any():
                    for item in splitter.feed(chunk):
                        take(item)
            except NotAnArrayError as error:
                raise MattermostUnreachableError(
                    f"the answer is not Mattermost's list: {error}", status=200
                ) from None
        if not splitter.complete:
            raise MattermostUnreachableError("Mattermost's list broke off", status=200)

    async def respond(self, path: str, options: Mapping[str, Any]) -> None:
        """Send a POST to a path of the site outside the API, without a token."""
        site = self._base.parent.parent
        try:
            async with self._http.post(
                site.joinpath(path.lstrip("/")), json=options, timeout=self._timeout, allow_redirects=False
            ) as response:
                if response.status != 200:
                    raise error_from(
                        response.status, response.headers, await _read(response, self._max_answer)
                    )
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise connection_error(error, self.host) from None

    async def _exchange(
        self,
        method: str,
        endpoint: str,
        options: Any,
        params: Mapping[str, Any] | None,
        form: aiohttp.FormData | None,
    ) -> bytes:
        asked_at = self._now()
        async with self._http.request(
            method,
            self._base.joinpath(endpoint.lstrip("/")),
            json=options,
            params=params,
            data=form,
            headers=self._headers,
            timeout=self._upload_timeout if form else self._timeout,
            allow_redirects=False,
        ) as response:
            self._clock.note_date(response.headers.get("Date", ""), asked_at, self._now())
            body = await _read(response, self._max_answer)
            if not response.ok or response.status >= 300:
                raise error_from(response.status, response.headers, body)
            return body

    def __repr__(self) -> str:
        return f"Rest({self.host!r})"


async def _read(response: aiohttp.ClientResponse, limit: int) -> bytes:
    try:
        return await read_bounded(response.content.iter_any(), limit)
    except TooLargeError as error:
        raise AnswerTooLargeError(str(error), status=response.status) from None


def _form(data: Mapping[str, str], files: Mapping[str, tuple[str, bytes]]) -> aiohttp.FormData:
    # If quoted, a file name would arrive with percent signs.
    form = aiohttp.FormData(quote_fields=False)
    for name, value in data.items():
        form.add_field(name, value)
    for name, (filename, content) in files.items():
        form.add_field(name, content, filename=filename, content_type="application/octet-stream")
    return form
