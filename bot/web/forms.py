"""Read forms from untrusted senders."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from bot.web.limits import read_body


async def read_form(request: web.Request) -> Mapping[str, object]:
    """The fields of a form; none if the body is not a form as browsers and Mattermost send it."""
    if request.content_type != "application/x-www-form-urlencoded":
        return {}
    await read_body(request)
    try:
        return await request.post()
    except (ValueError, LookupError):
        # The bytes are not text, or the encoding is unknown.
        return {}
