"""What the server says no with."""

from __future__ import annotations

from aiohttp import web

from bot.sandbox.mattermost.records import Json
from bot.sandbox.mattermost.wire import answer, new_id


class Refusal(Exception):  # noqa: N818
    """A request is refused: HTTP `status`, Mattermost's error id (`code`) and its text."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.id = code
        self.message = message

    def json(self) -> Json:
        """The body in the shape of all of Mattermost's errors."""
        return {
            "id": self.id,
            "message": self.message,
            "detailed_error": "",
            "request_id": new_id(),
            "status_code": self.status,
        }

    def answer(self) -> web.Response:
        """The response."""
        return answer(self.json(), self.status)


def unauthenticated() -> Refusal:
    """No token, or one that is no longer good."""
    return Refusal(
        401, "api.context.session_expired.app_error", "Invalid or expired session, please login again."
    )


def denied() -> Refusal:
    """The account may not do this."""
    return Refusal(403, "api.context.permissions.app_error", "You do not have the appropriate permissions.")


def not_found(code: str, message: str) -> Refusal:
    """There is no such thing."""
    return Refusal(404, code, message)


def no_route() -> Refusal:
    """No such path."""
    return Refusal(404, "api.context.404.app_error", "Sorry, we could not find the page.")


def no_user() -> Refusal:
    """No such account."""
    return Refusal(404, "app.user.missing_account.const", "Unable to find the user.")


def no_channel() -> Refusal:
    """No such channel."""
    return Refusal(404, "app.channel.get.existing.app_error", "Unable to find the existing channel.")


def no_post() -> Refusal:
    """No such post."""
    return Refusal(404, "app.post.get.app_error", "Unable to get the post.")


def bad_body(name: str) -> Refusal:
    """Something in the body is missing or wrong."""
    return Refusal(
        400,
        "api.context.invalid_body_param.app_error",
        f"Invalid or missing {name} in request body.",
    )


def bad_parameter(name: str) -> Refusal:
    """Something in the URL is wrong."""
    return Refusal(
        400,
        "api.context.invalid_url_param.app_error",
        f"Invalid or missing {name} parameter in request URL.",
    )
