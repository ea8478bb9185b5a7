"""What the doctor's own HTTP calls have in common."""

from __future__ import annotations

import os

import aiohttp

from bot.http_client import Failure, TooLargeError, read_bounded, unanswered

_MAX_ANSWER = 64 * 1024


async def body_of(response: aiohttp.ClientResponse) -> bytes:
    """The body of an answer; empty if it is larger than any that the doctor expects."""
    try:
        return await read_bounded(response.content.iter_any(), _MAX_ANSWER)
    except TooLargeError:
        return b""


def trouble(failure: Exception, host: str, key: str) -> str:
    """Why ``host`` does not answer; ``key`` names the CA file for it. Quotes nothing of the call."""
    found = unanswered(failure, host, key)
    if found.failure is Failure.CERTIFICATE:
        return found.text
    if found.timed_out:
        return "not in time"
    cause = failure.os_error if isinstance(failure, aiohttp.ClientConnectorError) else failure
    number = getattr(cause, "errno", None) or 0
    # asyncio's own text for a system error repeats the address.
    return os.strerror(number) if number > 0 else getattr(cause, "strerror", None) or type(failure).__name__
