"""Reading API requests: JSON bodies, path parameters and paging."""

from __future__ import annotations

import base64
import binascii
import json
from urllib.parse import unquote

from aiohttp import web

from bot.sandbox.zoom.clock import parse_iso
from bot.sandbox.zoom.failures import ApiError, invalid, no_meeting
from bot.sandbox.zoom.models import Json

TOPIC_LIMIT = 200
AGENDA_LIMIT = 2000
PASSWORD_LIMIT = 10
PAGE_LIMIT = 300


async def read(request: web.Request) -> Json:
    """The body as a JSON object. Raises ``ApiError`` 400/300."""
    try:
        body = json.loads(await request.read() or b"{}")
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise ApiError(400, 300, "Request Body should be a valid JSON object.")
    return body


def text(body: Json, name: str, limit: int, default: str = "") -> str:
    """A string field of at most ``limit`` characters. Raises ``ApiError`` 400/300 naming the field."""
    value = body.get(name, default)
    if not isinstance(value, str):
        raise invalid(name, "Invalid field.")
    if len(value) > limit:
        raise invalid(name, f"The {name} cannot be longer than {limit} characters.")
    return value


def number(body: Json, name: str, default: int) -> int:
    """An integer field. Raises ``ApiError`` 400/300 naming the field."""
    value = body.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool):
        raise invalid(name, "Invalid field.")
    return value


def moment(body: Json, name: str) -> int:
    """A time field in ms since the epoch, 0 if missing. Raises ``ApiError`` 400/300."""
    value = text(body, name, 64)
    try:
        return parse_iso(value) if value else 0
    except ValueError:
        raise invalid(name, "Invalid field.") from None


def settings(body: Json) -> Json:
    value = body.get("settings", {})
    if not isinstance(value, dict):
        raise invalid("settings", "Invalid field.")
    return value


def meeting_number(request: web.Request) -> int:
    """The path's ``{id}``. Raises ``ApiError`` 400/300 if it is not a number."""
    name = request.match_info["id"]
    if not (name.isascii() and name.isdigit()):
        raise ApiError(400, 300, f"Invalid meeting id: {name}.")
    return int(name)


def run_name(request: web.Request) -> str:
    """The path's meeting number or uuid. A uuid with a leading ``/`` or a ``//`` must be encoded twice.

    aiohttp has decoded the path once. Zoom's gateway does too, and fails on such slashes.
    """
    name = request.match_info["id"]
    if name.startswith("/") or "//" in name:
        raise no_meeting(name)
    return unquote(name)


def paged(request: web.Request, name: str, items: list[Json]) -> Json:
    """One page of a list, with the next page's token. Raises ``ApiError`` 400/300."""
    size = request.query.get("page_size", "30")
    if not (size.isascii() and size.isdigit() and 0 < int(size) <= PAGE_LIMIT):
        raise invalid("page_size", f"The page size must be from 1 to {PAGE_LIMIT}.")
    start = _offset(request.query.get("next_page_token", ""))
    end = start + int(size)
    token = base64.urlsafe_b64encode(f"at:{end}".encode()).decode() if end < len(items) else ""
    return {
        "page_size": int(size),
        "total_records": len(items),
        "next_page_token": token,
        name: items[start:end],
    }


def _offset(token: str) -> int:
    try:
        return int(base64.urlsafe_b64decode(token).removeprefix(b"at:")) if token else 0
    except (ValueError, binascii.Error):
        raise ApiError(400, 300, "The next page token is invalid or expired.") from None
