"""Turns Mattermost's answers and connection failures into errors. Pure; no message contains the token."""

from __future__ import annotations

import math
from collections.abc import Mapping

import msgspec
from yarl import URL

from bot.errors import (
    MattermostCertificateError,
    MattermostDeniedError,
    MattermostError,
    MattermostNotFoundError,
    MattermostRateLimitError,
    MattermostTokenError,
    MattermostUnreachableError,
)
from bot.http_client import Failure, one_line, unanswered
from bot.mattermost.sessions import CA_KEY, RedirectedError
from bot.retrying import AsksFor

# Mattermost asks for some seconds. If a proxy asks for an hour, the bot does not wait that long.
MAX_RETRY_AFTER_S = 300.0
DEFAULT_RETRY_AFTER_S = 1.0


# Errors that usually pass by themselves.
AWAY = (MattermostUnreachableError, MattermostRateLimitError)


class AnswerTooLargeError(MattermostError):
    """The answer is larger than the limit. A smaller query may fit."""


class ErrorBody(msgspec.Struct):
    """The JSON of Mattermost's errors."""

    id: str
    message: str = ""


def error_from(status: int, headers: Mapping[str, str], body: bytes) -> MattermostError:
    """The error for an answer with this status (anything but 2xx)."""
    details = _error_body(body)
    code = details.id if details else ""
    text = one_line(f"{details.message} ({details.id})") if details else f"status {status}"
    if status == 429:
        return MattermostRateLimitError(
            f"Mattermost limits the rate: {text}", retry_after=retry_after(headers)
        )
    if 300 <= status < 400:
        return redirect_error(status, headers.get("Location", ""))
    if status == 401:
        return MattermostTokenError(f"Mattermost refuses the token: {text}", status=status, code=code)
    if not details and status not in (413, 501) and status < 500:
        # Not Mattermost's JSON, so Mattermost has refused nothing: the URL is wrong, or a proxy answered.
        return MattermostUnreachableError(
            f"status {status}, and not from Mattermost: is mattermost.url right?", status=status
        )
    if status == 403:
        return MattermostDeniedError(f"Mattermost does not allow it: {text}", status=status, code=code)
    if status == 404:
        return MattermostNotFoundError(f"Mattermost knows no such thing: {text}", status=status, code=code)
    if status == 408 or (status >= 500 and status != 501):
        return MattermostUnreachableError(f"Mattermost is in trouble: {text}", status=status, code=code)
    return MattermostError(f"Mattermost refused: {text}", status=status, code=code)


def redirect_error(status: int, location: str) -> MattermostError:
    """The error for a redirect: ``mattermost.url`` is not the final address. A permanent one is final."""
    text = f"Mattermost redirects to {_address(location)}: mattermost.url must be the final address"
    if status in (301, 308):
        return MattermostError(text, status=status)
    return MattermostUnreachableError(text, status=status)


def handshake_error(status: int, headers: Mapping[str, str]) -> MattermostError:
    """The error for a WebSocket handshake that was answered with ``status``."""
    if 100 <= status < 300 or status == 400:
        return MattermostUnreachableError(
            f"the WebSocket was not opened (status {status}): does the proxy pass on Upgrade and Connection?",
            status=status,
        )
    return error_from(status, headers, b"")


def connection_error(failure: Exception, host: str) -> MattermostError:
    """The error for a call to ``host`` that got no answer."""
    if isinstance(failure, RedirectedError):
        return redirect_error(failure.status, failure.location)
    missing = unanswered(failure, host, CA_KEY)
    if missing.failure is Failure.CERTIFICATE:
        return MattermostCertificateError(missing.text)
    return MattermostUnreachableError(missing.text)


def retry_after(headers: Mapping[str, str]) -> float:
    """The wait in ``Retry-After``, in seconds, from 0 to 300; 1 if the header is not usable."""
    try:
        seconds = float(headers.get("Retry-After", ""))
    except ValueError:
        return DEFAULT_RETRY_AFTER_S
    if not math.isfinite(seconds):
        return DEFAULT_RETRY_AFTER_S
    return min(max(seconds, 0.0), MAX_RETRY_AFTER_S)


def asked_wait(most_s: float = math.inf) -> AsksFor:
    """An ``asks_for`` for ``retrying``: wait as a rate limit asks, but give up if that exceeds ``most_s``."""

    def asked(error: BaseException) -> float | None:
        seconds = error.retry_after if isinstance(error, MattermostRateLimitError) else 0.0
        return seconds if seconds <= most_s else None

    return asked


def _error_body(body: bytes) -> ErrorBody | None:
    try:
        return msgspec.json.decode(body, type=ErrorBody)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _address(location: str) -> str:
    """The target of a redirect without its user, query and fragment, which may be confidential."""
    try:
        return one_line(str(URL(location).with_query(None).with_fragment(None).with_user(None)))
    except (ValueError, TypeError):
        return "another address"
