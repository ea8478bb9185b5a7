"""The HTTP session that REST calls and the socket share."""

from __future__ import annotations

from types import SimpleNamespace

import aiohttp
from multidict import CIMultiDict

from bot import __version__
from bot.tls import tls_context

CA_KEY = "mattermost.ca_file"
TIMEOUT_S = 10.0
CONNECT_TIMEOUT_S = 5.0


class RedirectedError(aiohttp.ClientError):
    """The server redirects the request. ``location`` is the ``Location`` header as it was sent."""

    def __init__(self, status: int, location: str) -> None:
        super().__init__(f"redirected ({status})")
        self.status = status
        self.location = location


def open_session(
    ca_file: str = "",
    *,
    timeout_s: float = TIMEOUT_S,
    connect_timeout_s: float = CONNECT_TIMEOUT_S,
    key: str = CA_KEY,
) -> aiohttp.ClientSession:
    """A session that verifies certificates and host names, follows no redirects and keeps no cookies.

    ``ca_file`` is a PEM file of certificates to trust in addition to the system's. Raises
    :class:`bot.errors.ConfigError`, which names ``key``, if the file cannot be used. Call it in a running
    loop; the caller closes the session.
    """
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=tls_context(ca_file, key)),
        headers={"User-Agent": f"zoombot/{__version__}"},
        timeout=aiohttp.ClientTimeout(total=timeout_s, sock_connect=connect_timeout_s),
        # A session cookie would be used in addition to the token, and outlive it.
        cookie_jar=aiohttp.DummyCookieJar(),
        trace_configs=[_refusing_redirects()],
    )


def _refusing_redirects() -> aiohttp.TraceConfig:
    """Refuse redirects. ``ws_connect`` has no option for it, and the token must not be sent elsewhere."""
    trace = aiohttp.TraceConfig()
    trace.on_request_redirect.append(_refuse_redirect)
    return trace


async def _refuse_redirect(
    session: aiohttp.ClientSession,
    context: SimpleNamespace,
    params: aiohttp.TraceRequestRedirectParams,
) -> None:
    headers: CIMultiDict[str] = CIMultiDict(params.response.headers)
    raise RedirectedError(params.response.status, headers.get("Location", ""))
