"""Zoom: its OAuth, everybody's tokens and its API.

Nothing outside this package knows what they are made with.
"""

from __future__ import annotations

from bot.zoom.client import App, Zoom
from bot.zoom.models import (
    Caller,
    Grant,
    MeetingInfo,
    Past,
    Settings,
    ZoomUser,
)
from bot.zoom.oauth import OAuth
from bot.zoom.sessions import open_session
from bot.zoom.shared import SharedToken
from bot.zoom.tokens import ACCOUNT, Tokens, TokenSource

__all__ = [
    "ACCOUNT",
    "App",
    "Caller",
    "Grant",
    "MeetingInfo",
    "OAuth",
    "Past",
    "Settings",
    "SharedToken",
    "TokenSource",
    "Tokens",
    "Zoom",
    "ZoomUser",
    "open_session",
]
