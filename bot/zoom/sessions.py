"""The HTTP session of the API calls."""

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

    ``ca_file`` is a PEM file of certificates trusted beside the system's own; a file that cannot be used
    raises :class:`bot.errors.ConfigError`. Call it in a running loop; the caller closes it.
    """
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=tls_context(ca_file, CA_KEY), limit=CONNECTIONS),
        headers={"User-Agent": f"zoombot/{__version__}"},
        timeout=timeouts(TIMEOUT_S),
        cookie_jar=aiohttp.DummyCookieJar(),
    )


def timeouts(total_s: float) -> aiohttp.ClientTimeout:
    """``total_s`` for the whole call. Waiting for a connection ends earlier, as a failure of its own:
    then it is known that nothing was sent."""
    connect_s = min(CONNECT_TIMEOUT_S, total_s / 2)
    return aiohttp.ClientTimeout(total=total_s, connect=connect_s, sock_connect=connect_s)
