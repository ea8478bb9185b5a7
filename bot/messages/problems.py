"""Messages that explain Zoom errors and what to do about them. Pure."""

from __future__ import annotations

from bot.errors import (
    EmailHiddenError,
    NotLinkedError,
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
    ZoomUserChangedError,
    ZoomUserUnknownError,
)
from bot.messages.content import Code, Listing, Moment, Text, address, ago, text

# The first class that matches counts.
_KEYS: tuple[tuple[type[ZoomError], str], ...] = (
    (NotLinkedError, "not-connected"),
    (ZoomLinkError, "unlinked"),
    (EmailHiddenError, "email-hidden"),
    (ZoomInvitationError, "zoom-not-joined"),
    (ZoomHostingError, "zoom-may-not-host"),
    (ZoomUserUnknownError, "zoom-user-unknown"),
    (ZoomNotFoundError, "zoom-not-found"),
    (ZoomClientError, "zoom-credentials"),
    (ZoomUnreachableError, "zoom-unreachable"),
)


def problem(what: Text) -> Text:
    """The message that reports a problem to the person who asked."""
    return text("problem", problem=what)


def zoom_problem(error: ZoomError, now: int, app: str) -> Text:
    """Explain a Zoom error. ``now`` is in ms, ``app`` is the kind of Zoom app."""
    match error:
        case ZoomRateLimitError():
            return _limited(error, now)
        case ZoomScopeError():
            return _missing_scopes(error, app)
        case ZoomLicenceError():
            return _because("zoom-plan", error)
        case ZoomUserChangedError():
            key = "zoom-user-claimed" if error.claimed else "zoom-user-changed"
            return text(key, email=address(error.email), command=Code(f"connect @{error.name}"))
        case ZoomUserUnknownError() if app == "user" and not isinstance(error, ZoomInvitationError):
            return text("zoom-account-unknown")
        case ZoomUserUnknownError() if error.email and type(error) is ZoomUserUnknownError:
            return text("zoom-address-unknown", email=address(error.email))
        case ZoomUnreachableError(timed_out=True):
            return text("zoom-timed-out")
    key = next((key for cause, key in _KEYS if isinstance(error, cause)), "")
    return text(key) if key else _because("zoom-refused", error)


def _because(key: str, error: ZoomError) -> Text:
    """Include the reason that Zoom gives, if any."""
    return text(f"{key}-because", reason=error.reason) if error.reason else text(key)


def _limited(error: ZoomRateLimitError, now: int) -> Text:
    key, left_ms = "zoom-daily-limit" if error.daily else "zoom-limit", error.retry_at - now
    if left_ms > (0 if error.daily else 60_000):
        return text(f"{key}-until", at=Moment(error.retry_at), wait=ago(left_ms))
    return text(key)


def _missing_scopes(error: ZoomScopeError, app: str) -> Text:
    if not error.scopes:
        return text("zoom-scope-unnamed", app=app)
    return text("zoom-scopes", app=app, scopes=Listing([Code(scope) for scope in error.scopes]))
