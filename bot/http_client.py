"""Shared by all outgoing HTTP calls: size limits for answers, and reasons why a call got no answer.

No message here repeats what was sent, because it may be a secret.
"""

from __future__ import annotations

import enum
from collections.abc import AsyncIterable
from dataclasses import dataclass

import aiohttp

from bot.tls import certificate_trouble

MAX_LINE = 200


class TooLargeError(Exception):
    """The answer is larger than the limit, which the message names."""


class Failure(enum.Enum):
    """Why a call got no answer."""

    CERTIFICATE = "certificate"
    TLS = "tls"
    # Nothing was sent: the host name, address or port did not answer, or not in time.
    UNREACHABLE = "unreachable"
    NO_CONNECTION_IN_TIME = "no connection in time"
    # The request may have been sent and accepted.
    TIMED_OUT = "timed out"
    NOT_HTTP = "not http"
    BROKEN_OFF = "broken off"


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A call without an answer: the kind of failure, and a one-line description."""

    failure: Failure
    text: str

    @property
    def sent(self) -> bool:
        """Whether the request may have reached the server."""
        return self.failure in (Failure.TIMED_OUT, Failure.NOT_HTTP, Failure.BROKEN_OFF)

    @property
    def timed_out(self) -> bool:
        """Whether the call failed because of a timeout."""
        return self.failure in (Failure.TIMED_OUT, Failure.NO_CONNECTION_IN_TIME)


def unanswered(error: Exception, host: str, ca_key: str) -> Unanswered:
    """Why an aiohttp call to ``host`` got no answer. ``ca_key`` is the configuration key of the CA file."""
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
    """Join the chunks of ``response.content.iter_any()``. Beyond ``limit`` bytes, stop reading and raise
    :class:`TooLargeError`."""
    body = bytearray()
    async for chunk in chunks:
        body += chunk
        if len(body) > limit:
            raise TooLargeError(f"the answer is larger than {limit} bytes")
    return bytes(body)


def one_line(text: str) -> str:
    """``text`` on one line of limited length, for messages."""
    return " ".join(text.split())[:MAX_LINE]
