"""Turns Zoom's refusals into errors. Pure; messages contain Zoom's reason and never a token.

Status, code and message are used together, because sources disagree about single codes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from bot.errors import (
    ZoomCertificateError,
    ZoomClientError,
    ZoomError,
    ZoomHostingError,
    ZoomInvitationError,
    ZoomLicenceError,
    ZoomLinkError,
    ZoomNotFoundError,
    ZoomRateLimitError,
    ZoomScopeError,
    ZoomUnreachableError,
    ZoomUserUnknownError,
)
from bot.http_client import Failure, one_line, unanswered
from bot.zoom import lenient
from bot.zoom.sessions import CA_KEY
from bot.zoom.times import next_day_ms, reset_at_ms, retry_at_ms

_SCOPE_CODES = (4711, 4700)
_USER_CODES = (1001, 1010)
_MEETING_CODES = (3001, 3301, 3322)
_NO_ENDPOINT = 2300
_SCOPES = re.compile(r"scopes?\s*:?\s*\[([^\]]*)\]", re.IGNORECASE)
_LICENCE = re.compile(r"webinar plan|licen[cs]e|subscription|paid|zmp account|upgrade", re.IGNORECASE)
_NO_USER = re.compile(r"user (does not|not) exist|user .{0,80}not (found|exist)", re.IGNORECASE)
_SCOPE_WORD = re.compile(r"[a-z][a-z0-9_]*(?::[a-z0-9_]+)+")

_MAY_NOT_HOST = 3161
_NOT_INVITED = 1120

# Codes of the token endpoint: the operator has to mend the app, or the person has to connect again.
_CLIENT_CODES = (4702, 4704, 4705, 4706, 4709, 4717)
_LINK_CODES = (4711, 4733, 4734, 4735, 4737, 4738, 4740, 4741)
_CODE = re.compile(r"\b4,?7\d\d\b")
_CLIENT_WORDS = ("invalid_client", "unauthorized_client", "unsupported_grant_type")
_CLIENT_REASON = re.compile(r"client|redirect|account", re.IGNORECASE)
# These are never about a person, whatever else the answer says.
_APP_REASON = re.compile(
    r"client|redirect|\bapp(lication)?\b.{0,40}(disabled|not found|exist)", re.IGNORECASE
)
_LINK_REASON = re.compile(r"invalid token|authorization code|token (expired|revoked|has)", re.IGNORECASE)


class AccessRefusedError(ZoomLinkError):
    """401: Zoom does not accept this access token. A refresh may help."""


class Fault(msgspec.Struct):
    """What is wrong with one field of a request."""

    field: str = ""
    message: str = ""


class Refusal(msgspec.Struct):
    """The JSON of Zoom's errors; ``code`` is a number, sometimes written as a string."""

    code: int | str = 0
    message: str = ""
    errors: list[Fault] = []

    @property
    def reason(self) -> str:
        """Zoom's message on one line, including its messages about single fields."""
        return one_line("; ".join([self.message, *(f"{each.field}: {each.message}" for each in self.errors)]))

    @property
    def number(self) -> int:
        """The code as a number, 0 if it is not one."""
        try:
            return int(self.code)
        except ValueError:
            return 0


class _TokenRefusal(msgspec.Struct):
    error: str | None = None
    reason: str | None = None
    error_description: str | None = None
    message: str | None = None
    code: int | str | None = None
    error_code: int | str | None = msgspec.field(default=None, name="errorCode")

    @property
    def text(self) -> str:
        return self.reason or self.error_description or self.message or ""

    @property
    def number(self) -> int:
        """The code, which some answers have only in their text, as in ``(4,702)``; 0 if there is none."""
        text = str(self.code or self.error_code or "")
        if text.isdecimal() and len(text) < 10:
            return int(text)
        found = _CODE.search(f"{text} {self.error} {self.text}")
        return int(found[0].replace(",", "")) if found else 0


class _Given(msgspec.Struct):
    access_token: str


def error_from(
    status: int, headers: Mapping[str, str], body: bytes, now_ms: int, *, write: bool = False
) -> ZoomError:
    """The error for an answer with this status (anything but 2xx). ``write`` means that the request changes
    something; an unclear answer then leaves open whether it did."""
    refusal = _refusal(body)
    if status == 429:
        return _rate_limit(headers, refusal, now_ms)
    if refusal is None or status == 408 or status >= 500 or status < 400:
        return _unreachable(status, refusal, write)
    return _refused(status, refusal)


def error_without_answer(failure: Exception, host: str, *, write: bool) -> ZoomUnreachableError:
    """The error for a call to ``host`` that got no answer; ``write`` as in :func:`error_from`."""
    why = unanswered(failure, host, CA_KEY)
    if why.failure is Failure.CERTIFICATE:
        return ZoomCertificateError(why.text)
    return ZoomUnreachableError(why.text, maybe_done=write and why.sent, timed_out=why.timed_out)


def token_error(status: int, headers: Mapping[str, str], body: bytes, now_ms: int) -> ZoomError | None:
    """The error for an answer of the token endpoint; None if the answer contains a token.

    :class:`ZoomLinkError` (refuses the person's grant) and :class:`ZoomClientError` (refuses the app) are
    final. Any answer but Zoom's own JSON is a :class:`ZoomUnreachableError`, and may have rotated the token.
    """
    if 200 <= status < 300:
        return None if _has_token(body) else _no_token(status)
    refusal = _token_refusal(body)
    if status == 429:
        return error_from(status, headers, body, now_ms)
    if status >= 500 or status == 408:
        return ZoomUnreachableError(f"Zoom is in trouble (status {status})", status=status, maybe_done=True)
    if refusal is None:
        return _no_token(status)
    return _token_refused(status, refusal)


def scopes_in(message: str) -> tuple[str, ...]:
    """The scopes in a message like ``does not contain scopes:[a:b, c:d]``."""
    found = _SCOPES.search(message)
    return tuple(_SCOPE_WORD.findall(found[1])) if found else ()


def _refused(status: int, refusal: Refusal) -> ZoomError:
    code, reason = refusal.number, refusal.reason
    said = f"{reason} (status {status}, code {code})"
    scopes = scopes_in(refusal.message)
    if scopes or (code in _SCOPE_CODES and status != 401):
        return ZoomScopeError(f"the Zoom app lacks a scope: {said}", status=status, code=code, scopes=scopes)
    if status == 401:
        return AccessRefusedError(f"Zoom refuses the token: {said}", status=status, code=code)
    if code == _NO_ENDPOINT:
        return ZoomError(f"Zoom does not know this call: {said}", status=status, code=code)
    if code == _MAY_NOT_HOST:
        return ZoomHostingError(f"this person may not host: {said}", status=status, code=code)
    if code == _NOT_INVITED:
        return ZoomInvitationError(
            f"this person has not joined the account: {said}", status=status, code=code
        )
    if code in _USER_CODES or (status == 404 and _NO_USER.search(refusal.message)):
        return ZoomUserUnknownError(f"Zoom knows no such user: {said}", status=status, code=code)
    if code in _MEETING_CODES or status == 404:
        text = f"Zoom knows no such thing: {said}"
        return ZoomNotFoundError(text, status=status, code=code, reason=reason)
    if _LICENCE.search(refusal.message):
        text = f"the Zoom plan does not include it: {said}"
        return ZoomLicenceError(text, status=status, code=code, reason=reason)
    return ZoomError(f"Zoom refused: {said}", status=status, code=code, reason=reason)


def _rate_limit(headers: Mapping[str, str], refusal: Refusal | None, now_ms: int) -> ZoomRateLimitError:
    lowered = {name.lower(): value for name, value in headers.items()}
    retry_at, dated = retry_at_ms(lowered.get("retry-after", ""), now_ms)
    message = refusal.message if refusal else ""
    kind = lowered.get("x-ratelimit-type", "")
    of_day = "daily" in kind.lower()
    daily = dated or of_day or "daily" in message.lower()
    if daily and not dated and not (of_day and retry_at):
        # Only the message says so; the headers are then about the limit per second, if there are any.
        retry_at = next_day_ms(now_ms)
    elif not retry_at:
        retry_at = reset_at_ms(lowered.get("x-ratelimit-reset", ""), now_ms)
    text = one_line(f"Zoom limits the rate: {message} {kind}")
    return ZoomRateLimitError(text, retry_at=retry_at, daily=daily)


def _unreachable(status: int, refusal: Refusal | None, write: bool) -> ZoomUnreachableError:
    if status >= 500 or status == 408:
        said = f": {one_line(refusal.message)}" if refusal and refusal.message else ""
        return ZoomUnreachableError(
            f"Zoom is in trouble (status {status}){said}", status=status, maybe_done=write
        )
    text = f"status {status}, and not from Zoom: is zoom.api_url right?"
    return ZoomUnreachableError(text, status=status, maybe_done=write and status < 300)


def _refusal(body: bytes) -> Refusal | None:
    found = _object(body)
    return None if found is None else lenient.read(found, Refusal)


def _token_refused(status: int, refusal: _TokenRefusal) -> ZoomError:
    reason, code, error = refusal.text, refusal.number, refusal.error or ""
    number = f", code {code}" if code else ""
    said = f"{one_line(reason)} ({one_line(error)}, status {status}{number})"
    if _is_client(error, code, reason):
        return ZoomClientError(f"Zoom refuses the app: {said}", status=status, code=code)
    if error == "invalid_grant" or code in _LINK_CODES or _LINK_REASON.search(reason):
        return ZoomLinkError(f"Zoom no longer accepts the authorization: {said}", status=status, code=code)
    if status == 401 or _CLIENT_REASON.search(reason):
        return ZoomClientError(f"Zoom refuses the app: {said}", status=status, code=code)
    return ZoomError(f"Zoom refused: {said}", status=status, code=code)


def _is_client(error: str, code: int, reason: str) -> bool:
    """Whether the app is refused. A code decides; without one, a doubt must not cost a person their link."""
    if code in _CLIENT_CODES or code in _LINK_CODES:
        return code in _CLIENT_CODES
    return error in _CLIENT_WORDS or bool(_APP_REASON.search(reason))


def _no_token(status: int) -> ZoomUnreachableError:
    text = f"no token in the answer (status {status}), and not from Zoom: is zoom.url right?"
    return ZoomUnreachableError(text, status=status, maybe_done=True)


def _has_token(body: bytes) -> bool:
    try:
        return bool(msgspec.json.decode(body, type=_Given).access_token)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False


def _token_refusal(body: bytes) -> _TokenRefusal | None:
    refusal = lenient.read(_object(body) or {}, _TokenRefusal)
    return refusal if refusal.error is not None or refusal.number else None


def _object(body: bytes) -> dict[str, Any] | None:
    """The JSON object in a body; None if it is none."""
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
