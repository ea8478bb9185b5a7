"""Reading forms that anybody may have sent."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web


async def read_form(request: web.Request) -> Mapping[str, object]:
    """What was sent; nothing, if it is no form as browsers and Mattermost send it."""
    if request.content_type != "application/x-www-form-urlencoded":
        return {}
    try:
        return await request.post()
    except (ValueError, LookupError):
        # Bytes that are no text, or in an encoding that there is not.
        return {}
