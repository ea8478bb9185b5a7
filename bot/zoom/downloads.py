"""Downloads files that webhooks name: only from Zoom's hosts, and only up to a size limit."""

from __future__ import annotations

import contextlib
import re
from typing import Any

import aiohttp
import msgspec
from yarl import URL

from bot.errors import (
    ZoomError,
    ZoomForeignAddressError,
    ZoomNotAFileError,
    ZoomRateLimitError,
    ZoomTooLargeError,
    ZoomUnreachableError,
)
from bot.hosts import is_loopback
from bot.http_client import TooLargeError, read_bounded
from bot.zoom.errors import error_from, error_without_answer
from bot.zoom.sessions import CONNECT_TIMEOUT_S

ZOOM_HOSTS = ("zoom.us", "zoom.com", "zoomgov.com")
REDIRECTS = 5
TIMEOUT_S = 120.0
MAX_REFUSAL = 64 * 1024
# A file of a recording is never one of these: then it is a refusal, whatever the status says.
_PAGES = ("text/html", "application/xhtml+xml", "application/json", "application/xml", "text/xml")
_PAGE = re.compile(
    rb"(?:\xef\xbb\xbf|\s|<!--[^>]*-->)*<(?:!doctype\s+html|html|head|body|\?xml)\b", re.IGNORECASE
)
# An address with only these is asked for as it is, byte for byte: it may be signed.
_ENCODED = re.compile(r"[!-~]+")
_REDIRECT = (301, 302, 303, 307, 308)


async def download(
    http: aiohttp.ClientSession, url: str, token: str, *, limit: int, allowed_hosts: tuple[str, ...] = ()
) -> bytes:
    """Download the file at ``url``: https on Zoom's hosts or ``allowed_hosts`` (there also http, if it is
    this machine). Redirects to other hosts are refused.

    Raises :class:`ZoomError`; :class:`ZoomTooLargeError` for a file larger than ``limit`` bytes.
    """
    address = first = _parsed(url)
    for _ in range(REDIRECTS + 1):
        if not is_allowed(address, allowed_hosts):
            raise ZoomForeignAddressError(f"not an address of Zoom's: {address.raw_host or '?'}")
        elsewhere = address.origin() != first.origin()
        answer = await _fetch_signed(http, address, token, limit, elsewhere=elsewhere)
        if isinstance(answer, bytes):
            return answer
        address = answer
    raise ZoomError("Zoom redirects in circles")


async def _fetch_signed(
    http: aiohttp.ClientSession, url: URL, token: str, limit: int, *, elsewhere: bool
) -> bytes | URL:
    """Like :func:`_fetch`. A host to which Zoom redirects may refuse the token: its address is signed."""
    try:
        return await _fetch(http, url, token, limit)
    except (ZoomTooLargeError, ZoomRateLimitError):
        raise
    except ZoomError as error:
        refused = 400 <= error.status < 500 or isinstance(error, ZoomNotAFileError)
        if not (elsewhere and token and refused):
            raise
    return await _fetch(http, url, "", limit)


def is_allowed(url: URL, allowed_hosts: tuple[str, ...] = ()) -> bool:
    """Whether files may be downloaded from this URL, and tokens sent to it."""
    host = (url.raw_host or "").lower().rstrip(".")
    if url.user is not None or url.password is not None:
        return False
    if url.scheme == "http":
        return host in allowed_hosts and is_loopback(host)
    if url.scheme != "https":
        return False
    return host in allowed_hosts or any(host == zoom or host.endswith("." + zoom) for zoom in ZOOM_HOSTS)


async def _fetch(http: aiohttp.ClientSession, url: URL, token: str, limit: int) -> bytes | URL:
    """The file, or the URL of a redirect."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_S, sock_connect=CONNECT_TIMEOUT_S, sock_read=30)
    try:
        async with http.get(url, headers=headers, timeout=timeout, allow_redirects=False) as response:
            return await _answer(response, url, limit)
    except (aiohttp.ClientError, TimeoutError, OSError, TooLargeError) as error:
        failure: ZoomUnreachableError = error_without_answer(error, url.raw_host or "?", write=False)
    raise failure


async def _answer(response: aiohttp.ClientResponse, url: URL, limit: int) -> bytes | URL:
    if response.status in _REDIRECT:
        return url.join(_parsed(response.headers.get("Location", "")))
    if response.status != 200:
        body = await read_bounded(response.content.iter_any(), MAX_REFUSAL)
        raise error_from(response.status, response.headers, body, 0)
    if (response.content_length or 0) <= limit:
        with contextlib.suppress(TooLargeError):
            body = await read_bounded(response.content.iter_any(), limit)
            if response.content_type in _PAGES or _is_page(body):
                raise ZoomNotAFileError("Zoom sent a page in place of the file", status=response.status)
            return body
    raise ZoomTooLargeError(f"the file is larger than {limit} bytes")


def _is_page(body: bytes) -> bool:
    """Whether this is a page, or a refusal as JSON: both also come as plain text."""
    if _PAGE.match(body[:1024]):
        return True
    if len(body) > MAX_REFUSAL or not body.lstrip().startswith(b"{"):
        return False
    try:
        return bool(msgspec.json.decode(body, type=dict[str, Any]))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False


def _parsed(url: str) -> URL:
    try:
        return URL(url, encoded=bool(_ENCODED.fullmatch(url)))
    except (ValueError, TypeError):
        raise ZoomForeignAddressError("not an address") from None
