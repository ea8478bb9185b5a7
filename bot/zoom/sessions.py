"""The HTTP session for API calls."""

from __future__ import annotations

import aiohttp

from bot import __version__
from bot.tls import tls_context

TIMEOUT_S = 10.0
CONNECT_TIMEOUT_S = 5.0
CONNECTIONS = 64
CA_KEY = "zoom.ca_file"


def open_session(ca_file: str = "") -> aiohttp.ClientSession:
    """A session that verifies certificates and host names, and keeps no cookies.

    ``ca_file`` is a PEM file of certificates to trust in addition to the system's. Raises
    :class:`bot.errors.ConfigError` if it cannot be used. Call it in a running loop; the caller closes the
    session.
    """
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=tls_context(ca_file, CA_KEY), limit=CONNECTIONS),
        headers={"User-Agent": f"zoombot/{__version__}"},
        timeout=timeouts(TIMEOUT_S),
        cookie_jar=aiohttp.DummyCookieJar(),
    )


def timeouts(total_s: float) -> aiohttp.ClientTimeout:
    """Allow ``total_s`` for the whole call, and less for the connection. A connection timeout is a separate
    failure, because then certainly nothing was sent."""
    connect_s = min(CONNECT_TIMEOUT_S, total_s / 2)
    return aiohttp.ClientTimeout(total=total_s, connect=connect_s, sock_connect=connect_s)
