"""Error responses in Mattermost's format."""

from __future__ import annotations

from aiohttp import web

from bot.sandbox.mattermost.records import Json
from bot.sandbox.mattermost.wire import answer, new_id


class Refusal(Exception):  # noqa: N818
    """A refused request: HTTP `status`, Mattermost's error id (`code`) and message."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.id = code
        self.message = message

    def json(self) -> Json:
        """The response body."""
        return {
            "id": self.id,
            "message": self.message,
            "detailed_error": "",
            "request_id": new_id(),
            "status_code": self.status,
        }

    def answer(self) -> web.Response:
        return answer(self.json(), self.status)


def unauthenticated() -> Refusal:
    """The token is missing, revoked or belongs to a disabled account."""
    return Refusal(
        401, "api.context.session_expired.app_error", "Invalid or expired session, please login again."
    )


def denied() -> Refusal:
    return Refusal(403, "api.context.permissions.app_error", "You do not have the appropriate permissions.")


def not_found(code: str, message: str) -> Refusal:
    return Refusal(404, code, message)


def no_route() -> Refusal:
    return Refusal(404, "api.context.404.app_error", "Sorry, we could not find the page.")


def no_user() -> Refusal:
    return Refusal(404, "app.user.missing_account.const", "Unable to find the user.")


def no_channel() -> Refusal:
    return Refusal(404, "app.channel.get.existing.app_error", "Unable to find the existing channel.")


def no_channels() -> Refusal:
    return Refusal(404, "app.channel.get_channels.not_found.app_error", "No channels were found.")


def no_post() -> Refusal:
    return Refusal(404, "app.post.get.app_error", "Unable to get the post.")


def bad_body(name: str) -> Refusal:
    return Refusal(
        400,
        "api.context.invalid_body_param.app_error",
        f"Invalid or missing {name} in request body.",
    )


def bad_parameter(name: str) -> Refusal:
    return Refusal(
        400,
        "api.context.invalid_url_param.app_error",
        f"Invalid or missing {name} parameter in request URL.",
    )
