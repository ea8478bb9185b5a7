"""The HTTP server: the routes under ``public_url`` for browsers, Zoom and Mattermost; the operator's port."""

from __future__ import annotations

from bot.web.admin import admin_app
from bot.web.limits import WebLimits
from bot.web.server import Server, public_app, starting_app

__all__ = ["Server", "WebLimits", "admin_app", "public_app", "starting_app"]
