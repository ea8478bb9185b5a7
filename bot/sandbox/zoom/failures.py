"""Zoom's errors, for the API and for the token endpoint."""

from __future__ import annotations

from bot.sandbox.zoom.models import Json


class ApiError(Exception):
    """An API error with Zoom's own ``code``."""

    def __init__(
        self,
        status: int,
        code: int,
        message: str,
        *,
        errors: list[dict[str, str]] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers or {}
        self.body: Json = {"code": code, "message": message}
        if errors:
            self.body["errors"] = errors


class OAuthError(Exception):
    """An error of the token endpoint: ``{"reason": …, "error": …}``."""

    def __init__(self, reason: str, error: str, status: int = 400) -> None:
        super().__init__(reason)
        self.status = status
        self.body: Json = {"reason": reason, "error": error}


def bad_token(message: str = "Invalid access token.") -> ApiError:
    """401, code 124, for invalid and expired tokens."""
    return ApiError(401, 124, message)


def missing_scope(scopes: list[str]) -> ApiError:
    """400, code 4711; the message names the scopes."""
    return ApiError(400, 4711, f"Invalid access token, does not contain scopes:[{', '.join(scopes)}].")


def invalid(field: str, message: str) -> ApiError:
    """400, code 300, naming the invalid field."""
    return ApiError(400, 300, "Validation Failed.", errors=[{"field": field, "message": message}])


def no_user(name: str) -> ApiError:
    return ApiError(404, 1001, f"User does not exist: {name}.")


def no_meeting(name: object) -> ApiError:
    """404, code 3001: the meeting is unknown or over."""
    return ApiError(404, 3001, f"Meeting does not exist: {name}.")


def no_recording() -> ApiError:
    return ApiError(404, 3301, "This recording does not exist.")


def no_access() -> ApiError:
    """400, code 3000: the token does not cover the meeting's host."""
    return ApiError(400, 3000, "Cannot access meeting information.")


def no_webinar_plan() -> ApiError:
    """400, code 200: the host has no webinar licence."""
    return ApiError(
        400,
        200,
        "Webinar plan is missing. You must subscribe to the webinar plan and enable webinars for this user"
        " in order to perform this action.",
    )


def not_paid(account_id: str) -> ApiError:
    """400, code 200: Zoom tells about past meetings of paid accounts only."""
    return ApiError(400, 200, f"Only available for paid account: {account_id}")


def too_old() -> ApiError:
    """400, code 12702: Zoom tells about the past meetings of one year."""
    return ApiError(400, 12702, "Can not access a meeting a year ago.")


def personal_kept() -> ApiError:
    """400, code 3018: a personal room cannot be deleted."""
    return ApiError(400, 3018, "Not allowed to delete PMI.")


def creation_limit(limit: int) -> ApiError:
    """429 for the creates and updates of one host and day: only the message says which limit it is."""
    return ApiError(
        429,
        429,
        f"You have exceeded the daily rate limit ({limit}) of Meeting Create/Update API requests permitted"
        " for this particular user. You may resume these requests at GMT 00:00:00.",
        headers={
            "X-RateLimit-Category": "Light",
            "X-RateLimit-Limit": "6000",
            "X-RateLimit-Remaining": "5999",
        },
    )


def daily_limit(limit: int, until: str) -> ApiError:
    """429 with an ISO date-time in ``Retry-After``, as Zoom sends for an account's daily limit."""
    return ApiError(
        429,
        429,
        "You have reached the maximum daily rate limit for this API. Refer to the response header for details"
        " on when you can make another request.",
        headers={
            "Retry-After": until,
            "X-RateLimit-Category": "Light",
            "X-RateLimit-Type": "Daily-limit",
            "X-RateLimit-Limit": str(limit),
            "X-RateLimit-Remaining": "0",
        },
    )
