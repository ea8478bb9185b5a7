"""The files that the sandbox's pages are made of, and what browsers are told about them."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from aiohttp import web

FOLDER = Path(str(files("bot.sandbox") / "page"))
ICON = "icon.svg"
_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


def asset_routes() -> list[web.RouteDef]:
    """``/page/{name}`` and the icon that browsers ask for by themselves."""
    return [web.get("/page/{name}", _named), web.get("/favicon.ico", _icon)]


def asset(name: str) -> web.Response:
    """One of the files. Raises ``HTTPNotFound``."""
    known = {path.name: path for path in FOLDER.iterdir()}
    path = known.get(name)
    if path is None or path.suffix not in _TYPES:
        raise web.HTTPNotFound
    kind = _TYPES[path.suffix]
    return web.Response(body=path.read_bytes(), content_type=kind, charset="utf-8", headers=page_headers())


def page_headers(*, connect: str = "", form_action: str = "") -> dict[str, str]:
    """Nothing but files of the same origin is loaded; further origins are named one by one."""
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
