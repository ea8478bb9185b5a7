"""What every outgoing HTTP call shares: bounded answers, and why a call got none.

No text here repeats what was sent: it may be a secret.
"""

from __future__ import annotations

import enum
from collections.abc import AsyncIterable
from dataclasses import dataclass

import aiohttp

from bot.tls import certificate_trouble

MAX_LINE = 200


class TooLargeError(Exception):
    """The answer is larger than was asked for; the text names the limit."""


class Failure(enum.Enum):
    """Why a call got no answer."""

    CERTIFICATE = "certificate"
    TLS = "tls"
    # Nothing was sent: the name, the address or the port does not answer, or not in time.
    UNREACHABLE = "unreachable"
    NO_CONNECTION_IN_TIME = "no connection in time"
    # Something may have been sent, and taken.
    TIMED_OUT = "timed out"
    NOT_HTTP = "not http"
    BROKEN_OFF = "broken off"


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A call without an answer: the kind of failure, and one line that says it."""

    failure: Failure
    text: str

    @property
    def sent(self) -> bool:
        """Whether the request may have reached the server."""
        return self.failure in (Failure.TIMED_OUT, Failure.NOT_HTTP, Failure.BROKEN_OFF)

    @property
    def timed_out(self) -> bool:
        """Whether it was waited for in vain."""
        return self.failure in (Failure.TIMED_OUT, Failure.NO_CONNECTION_IN_TIME)


def unanswered(error: Exception, host: str, ca_key: str) -> Unanswered:
    """Why a call of aiohttp's to ``host`` got no answer; ``ca_key`` names the configured CA file."""
    match error:
        case aiohttp.ClientConnectorCertificateError():
            return Unanswered(Failure.CERTIFICATE, certificate_trouble(error.certificate_error, host, ca_key))
        case aiohttp.ClientConnectorSSLError():
            text = f"no TLS connection with {host}: {one_line(str(error))}; is it https there?"
            return Unanswered(Failure.TLS, text)
        case aiohttp.ConnectionTimeoutError():
            return Unanswered(Failure.NO_CONNECTION_IN_TIME, f"no connection with {host} in time")
        case aiohttp.ClientConnectorError():
            return Unanswered(Failure.UNREACHABLE, f"{host} cannot be reached: {one_line(str(error))}")
        case TimeoutError():
            return Unanswered(Failure.TIMED_OUT, f"{host} did not answer in time")
        case aiohttp.ClientResponseError():
            return Unanswered(Failure.NOT_HTTP, f"{host} does not speak HTTP: {one_line(error.message)}")
    text = one_line(str(error)) or type(error).__name__
    return Unanswered(Failure.BROKEN_OFF, f"{host} broke off: {text}")


async def read_bounded(chunks: AsyncIterable[bytes], limit: int) -> bytes:
    """All chunks together (``response.content.iter_any()``). Raises :class:`TooLargeError` beyond ``limit``
    bytes, without reading on."""
    body = bytearray()
    async for chunk in chunks:
        body += chunk
        if len(body) > limit:
            raise TooLargeError(f"the answer is larger than {limit} bytes")
    return bytes(body)


def one_line(text: str) -> str:
    """``text`` as one bounded line, for messages."""
    return " ".join(text.split())[:MAX_LINE]
