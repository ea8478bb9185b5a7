"""The HTTP session of the API calls, and what was wrong when one got no answer."""

from __future__ import annotations

import aiohttp

from bot import __version__
from bot.errors import ZoomCertificateError, ZoomUnreachableError
from bot.tls import certificate_trouble, tls_context

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


def unanswered(failure: Exception, host: str, *, write: bool) -> ZoomUnreachableError:
    """The error for a call to ``host`` that got no answer. Pure; no text carries a token."""
    if isinstance(failure, aiohttp.ClientConnectorCertificateError):
        return ZoomCertificateError(certificate_trouble(failure.certificate_error, host, CA_KEY))
    if isinstance(failure, aiohttp.ClientConnectorSSLError):
        return ZoomUnreachableError(
            f"no TLS connection with {host}: {line(str(failure))}; is it https there?"
        )
    if isinstance(failure, aiohttp.ConnectionTimeoutError):
        return ZoomUnreachableError(f"no connection with {host} in time", timed_out=True)
    if isinstance(failure, aiohttp.ClientConnectorError):
        return ZoomUnreachableError(f"{host} cannot be reached: {line(str(failure))}")
    if isinstance(failure, TimeoutError):
        return ZoomUnreachableError(f"{host} did not answer in time", maybe_done=write, timed_out=True)
    if isinstance(failure, aiohttp.ClientResponseError):
        return ZoomUnreachableError(f"{host} does not speak HTTP: {line(failure.message)}", maybe_done=write)
    return ZoomUnreachableError(
        f"{host} broke off: {line(str(failure)) or type(failure).__name__}", maybe_done=write
    )


def line(text: str) -> str:
    """One bounded line, for messages."""
    return " ".join(text.split())[:200]
