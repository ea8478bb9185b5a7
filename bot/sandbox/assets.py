"""Serves the static files of the sandbox's pages, with their HTTP headers."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from aiohttp import web

FOLDER = Path(str(files("bot.sandbox") / "page"))
ICON = "icon.svg"
_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


def asset_routes() -> list[web.RouteDef]:
    """Routes for ``/page/{name}`` and ``/favicon.ico``."""
    return [web.get("/page/{name}", _named), web.get("/favicon.ico", _icon)]


def asset(name: str) -> web.Response:
    """A response with the file's content. Raises ``HTTPNotFound``."""
    known = {path.name: path for path in FOLDER.iterdir()}
    path = known.get(name)
    if path is None or path.suffix not in _TYPES:
        raise web.HTTPNotFound
    kind = _TYPES[path.suffix]
    return web.Response(body=path.read_bytes(), content_type=kind, charset="utf-8", headers=page_headers())


def page_headers(*, connect: str = "", form_action: str = "") -> dict[str, str]:
    """Headers with a policy that allows only this origin, plus the origins in the arguments."""
    policy = (
        "default-src 'self'",
        "img-src 'self' blob:",
        f"connect-src 'self' {connect}".rstrip(),
        f"form-action 'self' {form_action}".rstrip(),
        "object-src 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
    return {
        "Cache-Control": "no-cache",
        "Content-Security-Policy": "; ".join(policy),
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }


async def _named(request: web.Request) -> web.Response:
    return asset(request.match_info["name"])


async def _icon(request: web.Request) -> web.Response:
    return asset(ICON)
