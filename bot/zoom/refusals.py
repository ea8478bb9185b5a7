"""What the token endpoint refused. Pure; its texts carry Zoom's reason and never a token."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from bot.errors import (
    ZoomClientError,
    ZoomError,
    ZoomLinkError,
    ZoomUnreachableError,
)
from bot.http_client import one_line
from bot.zoom.errors import error_from

_CLIENT_CODES = (4702, 4704, 4706)
_LINK_CODES = (4733, 4735, 4741)
_CLIENT_WORDS = ("invalid_client", "unauthorized_client", "unsupported_grant_type")
_CLIENT_REASON = re.compile(r"client|redirect|account", re.IGNORECASE)
_LINK_REASON = re.compile(r"invalid token|authorization code|token (expired|revoked|has)", re.IGNORECASE)


class _Refusal(msgspec.Struct):
    error: str
    reason: str | None = None
    error_description: str | None = None
    code: int | str | None = None
    error_code: int | str | None = msgspec.field(default=None, name="errorCode")

    @property
    def number(self) -> int:
        text = str(self.code or self.error_code or "")
        return int(text) if text.isdecimal() and len(text) < 10 else 0


class _Given(msgspec.Struct):
    access_token: str


def token_error(status: int, headers: Mapping[str, str], body: bytes, now_ms: int) -> ZoomError | None:
    """The error for an answer of the token endpoint, None where it holds a token.

    Refused for good are: the person's grant (:class:`ZoomLinkError`) and the app (:class:`ZoomClientError`).
    Whatever is not Zoom's own JSON is :class:`ZoomUnreachableError`, and may have rotated the token.
    """
    if 200 <= status < 300:
        return None if _has_token(body) else _unusable(status)
    refusal = _refusal(body)
    if status == 429:
        return error_from(status, headers, body, now_ms)
    if status >= 500 or status == 408:
        return ZoomUnreachableError(f"Zoom is in trouble (status {status})", status=status, maybe_done=True)
    if refusal is None:
        return _unusable(status)
    return _refused(status, refusal)


def _refused(status: int, refusal: _Refusal) -> ZoomError:
    reason = refusal.reason or refusal.error_description or ""
    code = refusal.number
    number = f", code {code}" if code else ""
    said = f"{one_line(reason)} ({one_line(refusal.error)}, status {status}{number})"
    if _is_client(refusal, code, reason):
        return ZoomClientError(f"Zoom refuses the app: {said}", status=status, code=code)
    if refusal.error == "invalid_grant" or code in _LINK_CODES or _LINK_REASON.search(reason):
        return ZoomLinkError(f"Zoom no longer accepts the authorization: {said}", status=status, code=code)
    if status == 401 or _CLIENT_REASON.search(reason):
        return ZoomClientError(f"Zoom refuses the app: {said}", status=status, code=code)
    return ZoomError(f"Zoom refused: {said}", status=status, code=code)


def _is_client(refusal: _Refusal, code: int, reason: str) -> bool:
    if refusal.error in _CLIENT_WORDS or code in _CLIENT_CODES:
        return True
    return refusal.error == "invalid_request" and "client" in reason.lower()


def _unusable(status: int) -> ZoomUnreachableError:
    text = f"no token in the answer (status {status}), and not from Zoom: is zoom.url right?"
    return ZoomUnreachableError(text, status=status, maybe_done=True)


def _has_token(body: bytes) -> bool:
    try:
        return bool(msgspec.json.decode(body, type=_Given).access_token)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False


def _refusal(body: bytes) -> _Refusal | None:
    try:
        return msgspec.json.decode(body, type=_Refusal)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
